/**
 * Rows of a capture on their way to a timeline: the columns that are drawn, of many rows, in one ArrayBuffer.
 *
 * Owns the layout of that buffer. Durations lose what no screen can show: latency in 32 bits, the phases within it as
 * fractions of it.
 */
import type { RequestColumns } from '../trace/capture';

export interface RowColumns {
  /** Nanoseconds after the capture's origin. */
  readonly start: Float64Array;
  /** Nanoseconds; NaN without a reply. */
  readonly latency: Float32Array;
  readonly queued: Float32Array;
  readonly pid: Uint32Array;
  readonly path: Uint32Array;
  readonly payload: Uint32Array;
  /** Parts of the latency: PART for all of it. */
  readonly host: Uint16Array;
  readonly writing: Uint16Array;
  readonly opcode: Uint16Array;
  readonly queue: Uint16Array;
  readonly error: Int16Array;
  readonly flags: Uint8Array;
}

export const PART = 0xffff;
const BYTES_A_ROW = 8 + 5 * 4 + 5 * 2 + 1;

/** Views on a buffer that holds `count` rows; undefined when it does not. */
export function rowViews(buffer: ArrayBuffer, count: number): RowColumns | undefined {
  if (buffer.byteLength !== count * BYTES_A_ROW) return undefined;
  let at = 0;
  const next = <T>(Array: new (buffer: ArrayBuffer, at: number, length: number) => T, size: number): T => {
    const view = new Array(buffer, at, count);
    at += count * size;
    return view;
  };
  return {
    start: next(Float64Array, 8),
    latency: next(Float32Array, 4),
    queued: next(Float32Array, 4),
    pid: next(Uint32Array, 4),
    path: next(Uint32Array, 4),
    payload: next(Uint32Array, 4),
    host: next(Uint16Array, 2),
    writing: next(Uint16Array, 2),
    opcode: next(Uint16Array, 2),
    queue: next(Uint16Array, 2),
    error: next(Int16Array, 2),
    flags: next(Uint8Array, 1),
  };
}

export const emptyRows = (count: number): ArrayBuffer => new ArrayBuffer(count * BYTES_A_ROW);

function fill(into: RowColumns, to: number, columns: RequestColumns, row: number): void {
  const latency = columns.latency[row];
  into.start[to] = columns.start[row];
  into.latency[to] = latency;
  into.queued[to] = columns.queued[row];
  into.pid[to] = columns.pid[row];
  into.path[to] = columns.path[row];
  into.payload[to] = columns.payload[row];
  into.host[to] = part(columns.host[row], latency);
  into.writing[to] = part(columns.writing[row], latency);
  into.opcode[to] = columns.opcode[row];
  into.queue[to] = columns.queue[row];
  into.error[to] = columns.error[row];
  into.flags[to] = columns.flags[row];
}

/** `duration` as a part of `whole`; 0 where there is no whole. */
function part(duration: number, whole: number): number {
  if (!(whole > 0)) return 0;
  return Math.round(Math.min(1, duration / whole) * PART);
}

/** The rows [from, to). */
export function packRange(columns: RequestColumns, from: number, to: number): ArrayBuffer {
  const buffer = emptyRows(to - from);
  const into = rowViews(buffer, to - from);
  if (into) for (let row = from; row < to; row++) fill(into, row - from, columns, row);
  return buffer;
}

export function packRows(columns: RequestColumns, rows: Uint32Array): ArrayBuffer {
  const buffer = emptyRows(rows.length);
  const into = rowViews(buffer, rows.length);
  if (into) for (let i = 0; i < rows.length; i++) fill(into, i, columns, rows[i]);
  return buffer;
}
