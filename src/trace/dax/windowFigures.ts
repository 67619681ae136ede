/**
 * What the DAX window of a capture amounts to: how full it was, how fast ranges came and went (`windowSlices`), which
 * files had it, which ranges were given up and wanted again at once, what went through requests in spite of it
 * (`windowFiles`), and how long the front-end took for a mapping (`roundTrips`).
 */
import type { Capture } from '../capture';
import { WindowWhat } from '../packet';
import { type RoundTrip, roundTrips } from './roundTrips';
import { WindowEvent } from './windowEvents';
import { type FileFigures, WindowFiles } from './windowFiles';
import type { WindowHistory } from './windowHistory';
import { type Slice, WindowSlices } from './windowSlices';

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

export function windowFigures(capture: Capture, history: WindowHistory, options: FigureOptions = {}): WindowFigures {
  const { events, size } = history;
  const thrashNs = (options.thrashMs ?? DEFAULT_THRASH_MS) * 1e6;
  const end = captureEnd(capture, history);
  const slices = new WindowSlices(end, Math.max(1, options.slices ?? DEFAULT_SLICES));
  const files = new WindowFiles(capture, thrashNs);
  const state = history.after(0);
  const share = (): number => (size === 0 ? 0 : state.mappedBytes / size);

  for (let at = 0; at < events.count; at++) {
    const time = events.time[at];
    slices.turnTo(time, share());
    const before = state.maps;
    const gone = state.apply(events, at);
    for (const range of gone) files.went(range, time);
    const isMap = (events.kind[at] as WindowEvent) === WindowEvent.Map;
    if (!isMap) slices.present.unmaps += gone.length;
    else if (state.maps > before) {
      slices.present.maps++;
      files.came(events, at);
    }
    slices.reached(share());
  }
  slices.finish(share());
  for (const range of state.all) files.lasted(range, end);
  files.countRequests();
  return {
    size,
    maps: state.maps,
    unmaps: state.unmaps,
    refusals: state.refusals,
    leftOut: state.leftOut,
    again: files.again,
    thrashNs,
    slices: slices.all,
    files: files.all,
    roundTrips: roundTrips(capture),
    notes: newestNotes(capture),
  };
}

/** Nanoseconds after the first packet: the last that happens. */
export function captureEnd({ columns, count }: Capture, { events }: WindowHistory): number {
  let last = events.count > 0 ? events.time[events.count - 1] : 0;
  for (let row = 0; row < count; row++) if (columns.start[row] > last) last = columns.start[row];
  return Math.max(0, last);
}

function newestNotes({ windowNotes = [] }: Capture): WindowFigures['notes'] {
  const newest = new Map<string, WindowFigures['notes'][number]>();
  for (const { what, nodeid, path, text } of windowNotes) {
    if (what !== WindowWhat.MAPPED) newest.set(`${nodeid} ${what}`, { path, what, text });
  }
  return [...newest.values()];
}
