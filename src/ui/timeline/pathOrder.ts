/** The rank of each path of a capture in alphabetical order, found without holding the event loop. */
import type { Capture } from '../../trace/capture';
import { Slice } from './breathe';

const RUN = 2048;

export async function pathOrder(capture: Capture): Promise<Uint32Array> {
  const count = capture.paths;
  const slice = new Slice();
  const texts: string[] = [];
  for (let index = 0; index < count; index++) {
    texts.push(capture.path(index));
    if ((index & 1023) === 0 && slice.over) await slice.breathe();
  }
  const before = (a: number, b: number): boolean => texts[a] < texts[b] || (texts[a] === texts[b] && a < b);
  let order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let from = 0; from < count; from += RUN) {
    order.subarray(from, from + RUN).sort((a, b) => (before(a, b) ? -1 : 1));
    if (slice.over) await slice.breathe();
  }
  let other = new Uint32Array(count);
  for (let run = RUN; run < count; run *= 2) {
    for (let from = 0; from < count; from += 2 * run) {
      const middle = Math.min(from + run, count);
      const end = Math.min(from + 2 * run, count);
      for (let to = from, a = from, b = middle; to < end; to++) {
        const first = a < middle && (b >= end || before(order[a], order[b]));
        other[to] = first ? order[a++] : order[b++];
        if ((to & 1023) === 0 && slice.over) await slice.breathe();
      }
    }
    [order, other] = [other, order];
  }
  const ranks = new Uint32Array(count);
  for (let rank = 0; rank < count; rank++) ranks[order[rank]] = rank;
  return ranks;
}
