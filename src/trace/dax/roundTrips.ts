/**
 * How long the front-end takes for a mapping, by how many are there already: from the messages of the back-end channel.
 */
import { BackendRequest } from '../../protocol/vhostUser/requests';
import { Header, HeaderFlag } from '../../protocol/vhostUser/structs';
import type { Capture } from '../capture';

/** How long MAP takes with so many mappings there. */
export interface RoundTrip {
  /** Live mappings: from this many on. */
  readonly from: number;
  readonly count: number;
  /** Nanoseconds. */
  readonly median: number;
  readonly most: number;
}

const GROUPS: readonly number[] = [0, 10, 50, 100, 200, 300];

/** The messages of the channel are answered one after the other. */
export function roundTrips({ control }: Capture): RoundTrip[] {
  const times = GROUPS.map((): number[] => []);
  let live = 0;
  let asked: { readonly id: number; readonly start: number } | undefined;
  for (const { backEndChannel, fromFrontEnd, bytes, start } of control) {
    if (backEndChannel !== true || bytes.length < Header.size) continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const id = view.getUint32(Header.offset.request, true);
    if (!fromFrontEnd) {
      asked = { id, start };
      continue;
    }
    const isAnswer = (view.getUint32(Header.offset.flags, true) & HeaderFlag.REPLY) !== 0;
    if (!asked || asked.id !== id || !isAnswer || bytes.length < Header.size + 8) continue;
    const done = view.getBigUint64(Header.size, true) === 0n;
    if (id === BackendRequest.SHMEM_MAP && done) {
      const group = GROUPS.findLastIndex((from) => live >= from);
      times[group].push(start - asked.start);
      live++;
    } else if (id === BackendRequest.SHMEM_UNMAP && done) live = Math.max(0, live - 1);
    asked = undefined;
  }
  return times.flatMap((group, index) => {
    if (group.length === 0) return [];
    const sorted = Float64Array.from(group).sort();
    const median = sorted[sorted.length >>> 1];
    return [{ from: GROUPS[index], count: sorted.length, median, most: sorted[sorted.length - 1] }];
  });
}
