/**
 * Rows of a capture on their way to a timeline: the columns that are drawn, of many rows, in one ArrayBuffer.
 *
 * Owns what is in that buffer and in which order. It is small, because a million rows cross processes, and often a
 * network, before a picture is whole: of starts the steps from one to the next are told, and phases lose what no screen
 * can show (those within the latency are fractions of it, the time before it is told by its logarithm).
 */
import type { RequestColumns } from '../trace/capture';
import { NumberPacker, NumberUnpacker } from './packedNumbers';

/** As they are kept. */
export interface RowColumns {
  /** Nanoseconds after the capture's origin. */
  readonly start: Float64Array;
  /** Nanoseconds; NaN without a reply. */
  readonly latency: Float32Array;
  readonly pid: Uint32Array;
  readonly path: Uint32Array;
  /** See `queuedTime`. */
  readonly queued: Uint16Array;
  /** Parts of the latency: PART for all of it. */
  readonly host: Uint16Array;
  readonly writing: Uint16Array;
  readonly held: Uint16Array;
  readonly opcode: Uint16Array;
  readonly queue: Uint16Array;
  readonly error: Int16Array;
  readonly flags: Uint16Array;
}

export const PART = 0xffff;

/** Steps of the logarithm in one doubling. */
const STEPS = 2047;

/** Nanoseconds, of a value of the column `queued`. */
export const queuedTime = (code: number): number => (code === 0 ? 0 : 2 ** (code / STEPS) - 1);
const queuedCode = (time: number): number => (time > 0 ? Math.round(Math.log2(1 + time) * STEPS) : 0);

/** The columns in the order in which they are sent, after the starts. */
const SENT = [
  'latency',
  'pid',
  'path',
  'queued',
  'host',
  'writing',
  'held',
  'opcode',
  'queue',
  'error',
  'flags',
] as const satisfies readonly (keyof RowColumns)[];

const packer = new NumberPacker();
/** Columns while they are packed or unpacked; used again and again, and never across calls. */
let scratch = [new Float64Array(1024), new Float64Array(1024)] as const;

function scratchOf(count: number): readonly [Float64Array, Float64Array] {
  if (scratch[0].length < count) scratch = [new Float64Array(count), new Float64Array(count)];
  return [scratch[0].subarray(0, count), scratch[1].subarray(0, count)];
}

/** Copies the values of the rows to be packed, `into.length` of them, out of a column. */
type Pick = (column: RequestColumns[keyof RequestColumns], into: Float64Array) => void;

function pack(columns: RequestColumns, count: number, pick: Pick): ArrayBuffer {
  const [values, latency] = scratchOf(count);
  packer.one(count);
  pick(columns.start, values);
  packStarts(values);
  pick(columns.latency, latency);
  for (const name of SENT) {
    pick(columns[name], values);
    // One more, so that there is a number for "no reply".
    if (name === 'latency') for (let i = 0; i < count; i++) values[i] = values[i] >= 0 ? values[i] + 1 : 0;
    else if (name === 'queued') for (let i = 0; i < count; i++) values[i] = queuedCode(values[i]);
    else if (name === 'host' || name === 'writing' || name === 'held') {
      for (let i = 0; i < count; i++) values[i] = part(values[i], latency[i]);
    }
    packer.column(values);
  }
  return packer.take();
}

/**
 * The first one, and the steps to each from the one before it; all as they are where steps would not add up exactly.
 */
function packStarts(starts: Float64Array): void {
  const exact = starts.every((start) => Number.isSafeInteger(start));
  packer.one(exact ? 1 : 0);
  packer.one(starts.length === 0 ? 0 : starts[0]);
  if (exact) {
    for (let i = starts.length - 1; i > 0; i--) starts[i] -= starts[i - 1];
    starts.fill(0, 0, 1);
  }
  packer.column(starts);
}

/** `duration` as a part of `whole`; 0 where there is no whole. */
function part(duration: number, whole: number): number {
  if (!(whole > 0)) return 0;
  return Math.round(Math.min(1, duration / whole) * PART);
}

/** The rows [from, to). */
export const packRange = (columns: RequestColumns, from: number, to: number): ArrayBuffer =>
  pack(columns, to - from, (column, into) => into.set(column.subarray(from, to)));

export const packRows = (columns: RequestColumns, rows: Uint32Array): ArrayBuffer =>
  pack(columns, rows.length, (column, into) => {
    for (let i = 0; i < rows.length; i++) into[i] = column[rows[i]];
  });

/** Whether a buffer says that it holds `count` rows: before there is room for them. */
export const claimsRows = (buffer: ArrayBuffer, count: number): boolean => new NumberUnpacker(buffer).one() === count;

/** The columns of a buffer that holds `count` rows; undefined when it does not. */
export function unpackRows(buffer: ArrayBuffer, count: number): RowColumns | undefined {
  if (!claimsRows(buffer, count)) return undefined;
  const rows = emptyRows(count);
  return unpackInto(rows, 0, buffer, count) ? rows : undefined;
}

/** The same, into columns that have room for them from row `at` on; what is there then is right only if it is true. */
export function unpackInto(rows: RowColumns, at: number, buffer: ArrayBuffer, count: number): boolean {
  const from = new NumberUnpacker(buffer);
  if (from.one() !== count) return false;
  const start = rows.start.subarray(at, at + count);
  const steps = from.one() === 1;
  const first = from.one();
  from.column(start);
  if (steps) for (let i = 0, time = first; i < count; i++) start[i] = time += start[i];
  const [values] = scratchOf(count);
  for (const name of SENT) {
    from.column(values);
    if (name === 'latency') for (let i = 0; i < count; i++) values[i] = values[i] > 0 ? values[i] - 1 : NaN;
    rows[name].set(values, at);
  }
  return from.done;
}

/** Room for `count` rows. */
export function emptyRows(count: number): RowColumns {
  return {
    start: new Float64Array(count),
    latency: new Float32Array(count),
    pid: new Uint32Array(count),
    path: new Uint32Array(count),
    queued: new Uint16Array(count),
    host: new Uint16Array(count),
    writing: new Uint16Array(count),
    held: new Uint16Array(count),
    opcode: new Uint16Array(count),
    queue: new Uint16Array(count),
    error: new Int16Array(count),
    flags: new Uint16Array(count),
  };
}
