/**
 * Every message between the extension and a timeline, both ways.
 *
 * The timeline holds the columns that it draws and asks for everything else: texts, decoded messages, what a filter
 * lets pass. `side` is the capture meant: 0, or 1 for the second one of a comparison. What comes from the webview is
 * checked (`isFromTimeline`) before anything is done with it.
 */
import type { Occupancy } from '../trace/dax/windowOccupancy';
import type { Answer, Question } from './exchange';

export type Side = 0 | 1;

/** Why a capture could not be read, or not to its end. */
export interface CaptureTrouble {
  readonly kind: 'foreign' | 'damaged' | 'cut' | 'unreadable';
  /** In bytes from the beginning; undefined where that says nothing. */
  readonly at: number | undefined;
  readonly text: string;
  readonly remedy: string;
}

export interface CaptureState {
  readonly side: Side;
  readonly title: string;
  /** `reading`: more of the file comes; `live`: more comes while the guest works. */
  readonly phase: 'reading' | 'complete' | 'live' | 'paused';
  readonly bytesRead: number;
  readonly bytes: number;
  /** Nanoseconds since the epoch. */
  readonly origin: string;
  readonly notes: readonly string[];
  readonly trouble: CaptureTrouble | undefined;
}

/** A remark of a person on a moment or a request. Kept beside the capture. */
export interface Note {
  readonly id: string;
  /** Nanoseconds after the capture's origin. */
  readonly at: number;
  /** The request it is about; undefined: only the moment. */
  readonly row?: number;
  readonly text: string;
}

/** Where notes are: beside the capture, or (its folder cannot be written) in VS Code's own storage. */
export type NotesPlace = 'beside' | 'workspace' | 'memory';

export type ToTimeline =
  /** `first`: the number of row 0, as it is shown; older requests of a share at work have been dropped. */
  | { readonly kind: 'begin'; readonly sides: 1 | 2; readonly live: boolean; readonly first: number }
  | { readonly kind: 'state'; readonly state: CaptureState }
  /** New rows from `from` on; layout in timelineRows.ts. */
  | {
      readonly kind: 'rows';
      readonly side: Side;
      readonly from: number;
      readonly count: number;
      /** How many the capture has by now: so much room will be needed. */
      readonly all: number;
      readonly columns: ArrayBuffer;
    }
  /** Rows that have changed: their replies have come. */
  | { readonly kind: 'changed'; readonly side: Side; readonly rows: Uint32Array; readonly columns: ArrayBuffer }
  /** More rows that the filter lets pass, of those that came after its answer; in order. */
  | { readonly kind: 'passed'; readonly side: Side; readonly filter: number; readonly rows: Uint32Array }
  | {
      readonly kind: 'notes';
      readonly notes: readonly Note[];
      /** Of the page's changes the newest that this has taken in; 0: none. */
      readonly edition: number;
      readonly place: NotesPlace;
      readonly problem?: string;
    }
  /** Show this request. */
  | { readonly kind: 'reveal'; readonly side: Side; readonly row: number }
  | Answer<Given>;

export type FromTimeline =
  | { readonly kind: 'ready' }
  | { readonly kind: 'pause'; readonly paused: boolean }
  /**
   * What a person has changed: notes that are new or others, and by their ids those that are gone. Of the rest another
   * timeline may know better. `edition` counts the changes of a page from 1.
   */
  | {
      readonly kind: 'notes';
      readonly notes: readonly Note[];
      readonly removed: readonly string[];
      readonly edition: number;
    }
  /** `rows`: what is in view, for an export of only that; the filter is known. */
  | { readonly kind: 'export'; readonly side: Side; readonly from: number; readonly to: number }
  | { readonly kind: 'compareWith' }
  | Question<Asked>;

/** A piece of a field's tree; children are there as far as the capture has them. */
export interface FieldNode {
  readonly name: string;
  readonly at: number;
  readonly length: number;
  /** As printed; '' for a group. */
  readonly text: string;
  readonly doc?: string;
  readonly children?: readonly FieldNode[];
}

export interface MessageView {
  /** `request`, `reply`, `notification`. */
  readonly title: string;
  readonly bytes: Uint8Array;
  /** Bytes of the whole message, captured or not. */
  readonly length: number;
  readonly nodes: readonly FieldNode[];
  readonly problems: readonly string[];
}

export interface HostCallView {
  readonly text: string;
  /** Nanoseconds after the request was taken. */
  readonly after: number;
  readonly duration: number;
  readonly failed: boolean;
  readonly otherThread: boolean;
}

export interface PhaseTimes {
  readonly queued: number;
  readonly daemon: number;
  readonly host: number;
  readonly reply: number;
}

export interface RequestView {
  readonly row: number;
  readonly line: string;
  readonly opcode: string;
  /** The opcode's sentence. */
  readonly doc: string;
  readonly path: string;
  /** ISO 8601, with nanoseconds. */
  readonly instant: string;
  /** Nanoseconds; undefined without a reply. */
  readonly phases: PhaseTimes | undefined;
  readonly messages: readonly MessageView[];
  readonly calls: readonly HostCallView[];
  /** Host calls that the capture counts but does not have. */
  readonly callsMissing: number;
}

/** What the table cannot tell from columns. */
export interface LineView {
  readonly path: string;
  readonly what: string;
  readonly result: string;
  /** Bytes moved. */
  readonly payload: number;
}

export interface CompletionView {
  readonly label: string;
  readonly kind: string;
  readonly detail: string;
  readonly from: number;
  readonly to: number;
}

export interface FilterTrouble {
  readonly message: string;
  readonly from: number;
  readonly to: number;
  readonly suggestion?: string;
}

export interface OpcodeDifference {
  readonly opcode: string;
  readonly counts: readonly [number, number];
  readonly errors: readonly [number, number];
  /** Nanoseconds; NaN without replies. */
  readonly p50: readonly [number, number];
  readonly p95: readonly [number, number];
}

export interface ComparisonView {
  readonly opcodes: readonly OpcodeDifference[];
  /** Requests that only one has: its first row, how often, its line. */
  readonly only: readonly [readonly OnlyView[], readonly OnlyView[]];
  readonly kinds: readonly [number, number];
  readonly divergence: DivergenceView | undefined;
}

export interface OnlyView {
  readonly row: number;
  readonly count: number;
  readonly line: string;
}

export interface DivergenceView {
  readonly queues: readonly [number, number];
  readonly same: number;
  readonly rows: readonly [readonly OnlyView[], readonly OnlyView[]];
}

export type Asked =
  | { readonly about: 'request'; readonly side: Side; readonly row: number }
  | { readonly about: 'lines'; readonly side: Side; readonly rows: readonly number[] }
  | { readonly about: 'paths'; readonly side: Side; readonly paths: readonly number[] }
  /** The rank of each path in alphabetical order. */
  | { readonly about: 'pathOrder'; readonly side: Side }
  /** Bytes moved by each of all rows. */
  | { readonly about: 'payloads'; readonly side: Side }
  /** How full the DAX window was. */
  | { readonly about: 'window'; readonly side: Side }
  /** `filter` is a number that later `passed` messages repeat. */
  | { readonly about: 'filter'; readonly filter: number; readonly text: string }
  | { readonly about: 'complete'; readonly text: string; readonly cursor: number }
  | { readonly about: 'comparison' };

export type Given =
  | { readonly about: 'request'; readonly request: RequestView }
  | { readonly about: 'lines'; readonly lines: readonly LineView[] }
  | { readonly about: 'paths'; readonly texts: readonly string[] }
  | { readonly about: 'pathOrder'; readonly ranks: Uint32Array }
  | { readonly about: 'payloads'; readonly payloads: Uint32Array }
  | { readonly about: 'window'; readonly occupancy: Occupancy }
  /** For each side the first `count` rows as bits, those that pass set; undefined: all pass. */
  | { readonly about: 'filter'; readonly passed: readonly FilterResult[] | undefined }
  | { readonly about: 'filter'; readonly trouble: FilterTrouble }
  | { readonly about: 'complete'; readonly completions: readonly CompletionView[] }
  | { readonly about: 'comparison'; readonly comparison: ComparisonView };

export interface FilterResult {
  readonly count: number;
  readonly bits: Uint8Array;
}

export type GivenAbout<About extends Asked['about']> = Extract<Given, { about: About }>;

/** So many rows are described, and so many paths told, at a time. */
export const MOST_ASKED = 512;
export const LONGEST_FILTER = 4096;
export const LONGEST_NOTE = 10_000;
export const MOST_NOTES = 10_000;
const LONGEST_ID = 64;

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isSide = (value: unknown): value is Side => value === 0 || value === 1;
const isText = (value: unknown, most: number): value is string => typeof value === 'string' && value.length <= most;
const areCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= MOST_ASKED && value.every(isCount);

export function isNote(value: unknown): value is Note {
  return (
    isFields(value) &&
    isText(value['id'], LONGEST_ID) &&
    typeof value['at'] === 'number' &&
    Number.isFinite(value['at']) &&
    (value['row'] === undefined || isCount(value['row'])) &&
    isText(value['text'], LONGEST_NOTE)
  );
}

const areIds = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length <= MOST_NOTES && value.every((id) => isText(id, LONGEST_ID));

export const areNotes = (value: unknown): value is readonly Note[] =>
  Array.isArray(value) && value.length <= MOST_NOTES && value.every(isNote);

function isAsked(value: unknown): value is Asked {
  if (!isFields(value)) return false;
  switch (value['about']) {
    case 'request':
      return isSide(value['side']) && isCount(value['row']);
    case 'lines':
      return isSide(value['side']) && areCounts(value['rows']);
    case 'paths':
      return isSide(value['side']) && areCounts(value['paths']);
    case 'pathOrder':
    case 'payloads':
    case 'window':
      return isSide(value['side']);
    case 'filter':
      return isCount(value['filter']) && isText(value['text'], LONGEST_FILTER);
    case 'complete':
      return isText(value['text'], LONGEST_FILTER) && isCount(value['cursor']);
    case 'comparison':
      return true;
    default:
      return false;
  }
}

/** Whether a message is one that a timeline sends. */
export function isFromTimeline(value: unknown): value is FromTimeline {
  if (!isFields(value)) return false;
  switch (value['kind']) {
    case 'ready':
    case 'compareWith':
      return true;
    case 'pause':
      return typeof value['paused'] === 'boolean';
    case 'notes':
      return areNotes(value['notes']) && areIds(value['removed']) && isCount(value['edition']);
    case 'export':
      return isSide(value['side']) && [value['from'], value['to']].every((time) => typeof time === 'number');
    case 'question':
      return isCount(value['id']) && isAsked(value['ask']);
    default:
      return false;
  }
}
