/**
 * What the DAX window of a capture amounts to: how full it was, how fast ranges came and went, which files had it,
 * which ranges were given up and wanted again at once (thrash), what went through requests in spite of it, and how long
 * the front-end took for a mapping.
 */
import { Opcode } from '../../protocol/fuse/opcodes';
import { BackendRequest } from '../../protocol/vhostUser/requests';
import { Header, HeaderFlag } from '../../protocol/vhostUser/structs';
import { type Capture, RowFlag } from '../capture';
import { type NodeNumber, nodeNumberOf } from '../nodeNumbers';
import { WindowWhat } from '../packet';
import { WindowEvent } from './windowEvents';
import type { WindowHistory } from './windowHistory';
import { fileNames } from './windowNames';

export interface FileFigures {
  readonly nodeid: NodeNumber;
  readonly path: string;
  /** Mapped at most at a time, bytes; and for how long, summed over its ranges, in nanoseconds. */
  mostBytes: number;
  rangeTime: number;
  maps: number;
  /** Of these, how many were of a part that had been given up less than `thrashNs` before. */
  again: number;
  /** What still went through requests. */
  reads: number;
  writes: number;
  bytes: number;
}

/** One slice of time. */
export interface Slice {
  readonly start: number;
  /** Share of the window that was mapped: at its end, and at most, from 0 to 1. */
  end: number;
  most: number;
  maps: number;
  unmaps: number;
}

/** How long MAP takes with so many mappings there. */
export interface RoundTrip {
  /** Live mappings: from this many on. */
  readonly from: number;
  readonly count: number;
  readonly median: number;
  readonly most: number;
}

export interface WindowFigures {
  readonly size: number;
  readonly maps: number;
  readonly unmaps: number;
  readonly refusals: number;
  /** Mappings that are in no figure, since more were there at a time than are followed. */
  readonly leftOut: number;
  readonly again: number;
  readonly thrashNs: number;
  readonly slices: readonly Slice[];
  /** The one whose ranges were there longest first. */
  readonly files: readonly FileFigures[];
  readonly roundTrips: readonly RoundTrip[];
  /** Files that were served without the window, or went wrong, and why; the newest of each. */
  readonly notes: readonly { readonly path: string; readonly what: number; readonly text: string }[];
}

export interface FigureOptions {
  readonly slices?: number;
  /** How soon a range that comes back counts as thrash. */
  readonly thrashMs?: number;
}

const DEFAULT_SLICES = 20;
const DEFAULT_THRASH_MS = 1000;
const MOST_FILES = 100_000;
const PAGE = 4096;

export function windowFigures(capture: Capture, history: WindowHistory, options: FigureOptions = {}): WindowFigures {
  const { events, size } = history;
  const thrashNs = (options.thrashMs ?? DEFAULT_THRASH_MS) * 1e6;
  const files = new Map<NodeNumber, FileFigures>();
  const mapped = new Map<NodeNumber, number>();
  const givenUp = new Map<NodeNumber, Map<number, number>>();
  const end = captureEnd(capture, history);
  const slices = emptySlices(end, Math.max(1, options.slices ?? DEFAULT_SLICES));
  const width = end / slices.length || 1;
  const state = history.after(0);
  const names = fileNames(capture);
  let again = 0;
  let slice = 0;

  const file = (nodeid: NodeNumber, path: number): FileFigures | undefined => {
    const known = files.get(nodeid);
    if (known || files.size >= MOST_FILES) return known;
    const fresh = { nodeid, path: names(nodeid, path), ...NOTHING };
    files.set(nodeid, fresh);
    return fresh;
  };
  const share = (): number => (size === 0 ? 0 : state.mappedBytes / size);

  for (let at = 0; at < events.count; at++) {
    const time = events.time[at];
    while (slice < slices.length - 1 && time >= (slice + 1) * width) {
      slices[slice].end = share();
      slice++;
      slices[slice].most = share();
    }
    const before = state.maps;
    const gone = state.apply(events, at);
    for (const range of gone) {
      const one = file(range.nodeid, range.path);
      if (one) one.rangeTime += time - range.since;
      mapped.set(range.nodeid, (mapped.get(range.nodeid) ?? 0) - range.length);
      let parts = givenUp.get(range.nodeid);
      if (!parts) givenUp.set(range.nodeid, (parts = new Map<number, number>()));
      parts.set(range.fileOffset / PAGE, time);
    }
    const kind = events.kind[at] as WindowEvent;
    if (kind === WindowEvent.Map && state.maps > before) {
      slices[slice].maps++;
      const nodeid = events.nodeid(at);
      const bytes = (mapped.get(nodeid) ?? 0) + events.length[at];
      mapped.set(nodeid, bytes);
      const last = givenUp.get(nodeid)?.get(events.fileOffset[at] / PAGE);
      const one = file(nodeid, events.path[at]);
      if (one) {
        one.maps++;
        one.mostBytes = Math.max(one.mostBytes, bytes);
      }
      if (last !== undefined && time - last <= thrashNs) {
        again++;
        if (one) one.again++;
      }
    } else if (kind !== WindowEvent.Map) slices[slice].unmaps += gone.length;
    slices[slice].most = Math.max(slices[slice].most, share());
  }
  for (; slice < slices.length; slice++) {
    slices[slice].end = share();
    slices[slice].most = Math.max(slices[slice].most, share());
  }
  for (const range of state.all) {
    const one = file(range.nodeid, range.path);
    if (one) one.rangeTime += Math.max(0, end - range.since);
  }
  countRequests(capture, files);
  return {
    size,
    maps: state.maps,
    unmaps: state.unmaps,
    refusals: state.refusals,
    leftOut: state.leftOut,
    again,
    thrashNs,
    slices,
    files: [...files.values()].sort((a, b) => b.rangeTime - a.rangeTime || (a.nodeid < b.nodeid ? -1 : 1)),
    roundTrips: roundTrips(capture),
    notes: newestNotes(capture),
  };
}

const NOTHING = { mostBytes: 0, rangeTime: 0, maps: 0, again: 0, reads: 0, writes: 0, bytes: 0 };

function emptySlices(end: number, count: number): Slice[] {
  return Array.from({ length: count }, (_, index) => ({
    start: (end / count) * index,
    end: 0,
    most: 0,
    maps: 0,
    unmaps: 0,
  }));
}

/** Nanoseconds after the first packet: the last that happens. */
export function captureEnd({ columns, count }: Capture, { events }: WindowHistory): number {
  let last = events.count > 0 ? events.time[events.count - 1] : 0;
  for (let row = 0; row < count; row++) if (columns.start[row] > last) last = columns.start[row];
  return Math.max(0, last);
}

/** READ and WRITE of files that have been in the window. */
function countRequests(capture: Capture, files: ReadonlyMap<NodeNumber, FileFigures>): void {
  if (files.size === 0) return;
  const { opcode, flags, payload } = capture.columns;
  for (let row = 0; row < capture.count; row++) {
    const code = opcode[row];
    if ((code !== Opcode.READ && code !== Opcode.WRITE) || (flags[row] & RowFlag.ORPHAN) !== 0) continue;
    const file = files.get(nodeNumberOf(capture, row));
    if (!file) continue;
    if (code === Opcode.READ) file.reads++;
    else file.writes++;
    file.bytes += payload[row];
  }
}

const GROUPS: readonly number[] = [0, 10, 50, 100, 200, 300];

/** From the messages of the back-end channel, which are answered one after the other. */
function roundTrips({ control }: Capture): RoundTrip[] {
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

function newestNotes({ windowNotes = [] }: Capture): WindowFigures['notes'] {
  const newest = new Map<string, WindowFigures['notes'][number]>();
  for (const { what, nodeid, path, text } of windowNotes) {
    if (what !== WindowWhat.MAPPED) newest.set(`${nodeid} ${what}`, { path, what, text });
  }
  return [...newest.values()];
}
