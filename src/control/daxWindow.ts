/**
 * Every message between the extension and the DAX Window view, both ways.
 *
 * The view is given one moment of the window at a time, complete, and figures of the whole capture now and then. Times
 * are nanoseconds after the capture's origin. What comes from the webview is checked (`checkFromDaxWindow`) before
 * anything is done with it.
 */
import type { RoundTrip } from '../trace/dax/roundTrips';
import type { Slice } from '../trace/dax/windowSlices';
import { checked, type Checked, integer, number, object, optional, type Shape, wide, word } from './shapes';

/** Of more ranges than these the first are shown. */
export const MOST_RANGES = 8192;
/** Of more files, or reasons, or uses of a place, those that matter most. */
export const MOST_FILES = 200;
export const MOST_REASONS = 200;
export const MOST_USES = 50;

export interface RangeView {
  readonly offset: number;
  readonly length: number;
  /** Index into `WindowView.files`. */
  readonly file: number;
  readonly fileOffset: number;
  readonly writable: boolean;
  readonly since: number;
  /** The request that mapped it, as the view "Requests" counts; -1: not in the capture. */
  readonly request: number;
  /** 0: unknown. */
  readonly pid: number;
  /** How often anything was mapped at this place. */
  readonly uses: number;
}

export interface FileView {
  /** As a filter has it: all 64 bits. */
  readonly nodeid: string;
  readonly path: string;
  /** In the order in which files came into the window: the same as long as the capture is open. */
  readonly number: number;
}

/** The window at one moment. */
export interface WindowView {
  readonly time: number;
  /** The newest moment, and so it goes on. */
  readonly following: boolean;
  /** When the capture's last event was. */
  readonly end: number;
  readonly size: number;
  readonly mapped: number;
  readonly maps: number;
  readonly unmaps: number;
  readonly refusals: number;
  readonly ranges: readonly RangeView[];
  /** Ranges that are not among them; those that were left out as too many count from then on. */
  readonly more: number;
  readonly files: readonly FileView[];
}

export interface FileFiguresView {
  readonly nodeid: string;
  readonly path: string;
  readonly mostBytes: number;
  /** Nanoseconds, summed over its ranges. */
  readonly rangeTime: number;
  readonly maps: number;
  readonly again: number;
  readonly reads: number;
  readonly writes: number;
  readonly bytes: number;
}

export interface ReasonView {
  readonly path: string;
  /** In a few words, such as `without the window`. */
  readonly kind: string;
  readonly text: string;
}

/** Of the whole capture, as far as it is kept. */
export interface FiguresView {
  /** Where the slices end. */
  readonly end: number;
  readonly maps: number;
  readonly again: number;
  readonly thrashNs: number;
  readonly slices: readonly Slice[];
  readonly files: readonly FileFiguresView[];
  readonly moreFiles: number;
  readonly roundTrips: readonly RoundTrip[];
  readonly reasons: readonly ReasonView[];
  readonly moreReasons: number;
}

export interface PlaceUse {
  readonly time: number;
  readonly path: string;
  readonly fileOffset: number;
  readonly pid: number;
}

/** What was at one place of the window up to the moment that is shown. */
export interface PlaceView {
  readonly offset: number;
  /** The newest first. */
  readonly uses: readonly PlaceUse[];
  readonly more: number;
  /** How often the part of the file that is there now has been mapped, here or elsewhere. */
  readonly partMaps: number;
}

export type ToDaxWindow =
  | { readonly kind: 'none' }
  | { readonly kind: 'capture'; readonly title: string; readonly state: 'live' | 'paused' | 'reading' | '' }
  | { readonly kind: 'window'; readonly view: WindowView }
  | { readonly kind: 'figures'; readonly figures: FiguresView }
  | { readonly kind: 'place'; readonly place: PlaceView };

export type FromDaxWindow =
  | { readonly kind: 'ready' }
  /** Shows that moment; without one the newest, as it comes. */
  | { readonly kind: 'at'; readonly time?: number }
  | { readonly kind: 'place'; readonly offset: number }
  | { readonly kind: 'reveal'; readonly request: number; readonly where: 'requests' | 'timeline' }
  /** Only requests about this file. */
  | { readonly kind: 'file'; readonly nodeid: string };

const kinds = { kind: word('ready', 'at', 'place', 'reveal', 'file') };

const shapes: { readonly [Kind in FromDaxWindow['kind']]: Shape<Extract<FromDaxWindow, { kind: Kind }>> } = {
  ready: object({ kind: word('ready') }),
  at: object({ kind: word('at'), time: optional(number) }),
  place: object({ kind: word('place'), offset: integer() }),
  reveal: object({ kind: word('reveal'), request: integer(), where: word('requests', 'timeline') }),
  file: object({ kind: word('file'), nodeid: wide }),
};

/** A message of the view, or what is wrong with it. */
export function checkFromDaxWindow(value: unknown): Checked<FromDaxWindow> {
  const kind = checked(object(kinds), value);
  return kind.ok ? checked<FromDaxWindow>(shapes[kind.value.kind], value) : kind;
}
