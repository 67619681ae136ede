/** Columns of a made-up capture, as a reader would give them. */
import { type RequestColumns, RowFlag } from '../../../src/trace/capture';
import { packRange } from '../../../src/control/timelineRows';
import { Rows } from '../../../src/webview/timeline/model/rows';

export interface RowOptions {
  readonly start: number;
  readonly latency?: number | undefined;
  readonly queue?: number;
  readonly pid?: number;
  readonly path?: number;
  readonly opcode?: number;
  readonly error?: number;
  readonly queued?: number;
  readonly host?: number;
  readonly writing?: number;
  readonly held?: number;
  /** A fault has dropped its reply. */
  readonly dropped?: boolean;
}

/** A row without a latency is in flight. */
export function columnsOf(rows: readonly RowOptions[]): RequestColumns {
  const from = (name: Exclude<keyof RowOptions, 'dropped'>): number[] => rows.map((row) => row[name] ?? 0);
  const none = new Uint32Array(rows.length);
  return {
    start: Float64Array.from(from('start')),
    latency: Float64Array.from(rows.map(({ latency }) => latency ?? NaN)),
    queued: Float32Array.from(from('queued')),
    host: Float32Array.from(from('host')),
    writing: Float32Array.from(from('writing')),
    held: Float32Array.from(from('held')),
    opcode: Uint16Array.from(rows.map(({ opcode }) => opcode ?? 15)),
    queue: Uint16Array.from(from('queue')),
    error: Int16Array.from(from('error')),
    nodeid: new Float64Array(rows.length),
    uid: none,
    gid: none,
    pid: Uint32Array.from(from('pid')),
    requestLength: none,
    replyLength: none,
    payload: none,
    path: Uint32Array.from(from('path')),
    otherPath: none,
    calls: new Uint16Array(rows.length),
    flags: Uint16Array.from(
      rows.map(({ latency, dropped }) =>
        dropped === true ? RowFlag.CHANGED | RowFlag.DROPPED : latency === undefined ? 0 : RowFlag.REPLIED,
      ),
    ),
  };
}

export function rowsOf(rows: readonly RowOptions[]): Rows {
  const result = new Rows();
  result.append(0, rows.length, packRange(columnsOf(rows), 0, rows.length));
  return result;
}
