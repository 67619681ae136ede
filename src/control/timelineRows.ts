/**
 * Rows of a capture on their way to a timeline: the columns that are drawn, of many rows, in one ArrayBuffer.
 *
 * Owns the layout of that buffer. It is small, because a million rows cross processes, and often a network, before a
 * picture is whole: starts count from the first one, durations lose what no screen can show (latency in 32 bits, the
 * phases within it as fractions of it, the time before it by its logarithm).
 */
import type { RequestColumns } from '../trace/capture';

/** As they are sent, but for `start`; and as they are kept. */
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
  readonly opcode: Uint16Array;
  readonly queue: Uint16Array;
  readonly error: Int16Array;
  readonly flags: Uint8Array;
}

export const PART = 0xffff;

/** Steps of the logarithm in one doubling. */
const STEPS = 2047;

/** Nanoseconds, of a value of the column `queued`. */
export const queuedTime = (code: number): number => (code === 0 ? 0 : 2 ** (code / STEPS) - 1);
const queuedCode = (time: number): number => (time > 0 ? Math.round(Math.log2(1 + time) * STEPS) : 0);

type Sent = Omit<RowColumns, 'start'> & {
  /** Before the first start; then starts from it on, in 32 bits where they fit. */
  readonly base: Float64Array;
  readonly offsets: Uint32Array | Float64Array;
};

const sizeOf = (count: number, wide: boolean): number => 8 + count * ((wide ? 8 : 4) + 3 * 4 + 6 * 2 + 1);

function sentViews(buffer: ArrayBuffer, count: number, wide: boolean): Sent {
  let at = 0;
  const next = <T>(View: new (buffer: ArrayBuffer, at: number, length: number) => T, size: number, n = count): T => {
    const view = new View(buffer, at, n);
    at += n * size;
    return view;
  };
  return {
    base: next(Float64Array, 8, 1),
    offsets: wide ? next(Float64Array, 8) : next(Uint32Array, 4),
    latency: next(Float32Array, 4),
    pid: next(Uint32Array, 4),
    path: next(Uint32Array, 4),
    queued: next(Uint16Array, 2),
    host: next(Uint16Array, 2),
    writing: next(Uint16Array, 2),
    opcode: next(Uint16Array, 2),
    queue: next(Uint16Array, 2),
    error: next(Int16Array, 2),
    flags: next(Uint8Array, 1),
  };
}

/** `rowAt` names the rows to pack, `count` of them. */
function pack(columns: RequestColumns, count: number, rowAt: (place: number) => number): ArrayBuffer {
  const { start } = columns;
  let least = Infinity;
  let most = 0;
  for (let i = 0; i < count; i++) {
    const at = start[rowAt(i)];
    if (at < least) least = at;
    if (at > most) most = at;
  }
  const wide = most - least >= 2 ** 32 || !Number.isInteger(least);
  const buffer = new ArrayBuffer(sizeOf(count, wide));
  const into = sentViews(buffer, count, wide);
  into.base[0] = count === 0 ? 0 : least;
  for (let i = 0; i < count; i++) {
    const row = rowAt(i);
    const latency = columns.latency[row];
    into.offsets[i] = start[row] - least;
    into.latency[i] = latency;
    into.pid[i] = columns.pid[row];
    into.path[i] = columns.path[row];
    into.queued[i] = queuedCode(columns.queued[row]);
    into.host[i] = part(columns.host[row], latency);
    into.writing[i] = part(columns.writing[row], latency);
    into.opcode[i] = columns.opcode[row];
    into.queue[i] = columns.queue[row];
    into.error[i] = columns.error[row];
    into.flags[i] = columns.flags[row];
  }
  return buffer;
}

/** `duration` as a part of `whole`; 0 where there is no whole. */
function part(duration: number, whole: number): number {
  if (!(whole > 0)) return 0;
  return Math.round(Math.min(1, duration / whole) * PART);
}

/** The rows [from, to). */
export const packRange = (columns: RequestColumns, from: number, to: number): ArrayBuffer =>
  pack(columns, to - from, (place) => from + place);

export const packRows = (columns: RequestColumns, rows: Uint32Array): ArrayBuffer =>
  pack(columns, rows.length, (place) => rows[place]);

/** The columns of a buffer that holds `count` rows; undefined when it does not. */
export function unpackRows(buffer: ArrayBuffer, count: number): RowColumns | undefined {
  const wide = buffer.byteLength === sizeOf(count, true);
  if (!wide && buffer.byteLength !== sizeOf(count, false)) return undefined;
  const { base, offsets, ...columns } = sentViews(buffer, count, wide);
  const start = new Float64Array(count);
  for (let i = 0; i < count; i++) start[i] = base[0] + offsets[i];
  return { start, ...columns };
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
    opcode: new Uint16Array(count),
    queue: new Uint16Array(count),
    error: new Int16Array(count),
    flags: new Uint8Array(count),
  };
}
