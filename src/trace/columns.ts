/**
 * The rows of a capture while it is read: columns that grow together, by doubling. What they mean is in `capture.ts`.
 */
import type { RequestColumns } from './capture';
import { roomFor } from './columnArray';

const FIRST_ROWS = 1024;

export class Columns implements RequestColumns {
  /** How many rows there are. */
  count = 0;
  /** Rows were dropped: their places are used again. */
  private recycled = false;

  start = new Float64Array(FIRST_ROWS);
  latency = new Float64Array(FIRST_ROWS);
  queued = new Float32Array(FIRST_ROWS);
  host = new Float32Array(FIRST_ROWS);
  writing = new Float32Array(FIRST_ROWS);
  held = new Float32Array(FIRST_ROWS);
  opcode = new Uint16Array(FIRST_ROWS);
  queue = new Uint16Array(FIRST_ROWS);
  error = new Int16Array(FIRST_ROWS);
  nodeid = new Float64Array(FIRST_ROWS);
  uid = new Uint32Array(FIRST_ROWS);
  gid = new Uint32Array(FIRST_ROWS);
  pid = new Uint32Array(FIRST_ROWS);
  requestLength = new Uint32Array(FIRST_ROWS);
  replyLength = new Uint32Array(FIRST_ROWS);
  payload = new Uint32Array(FIRST_ROWS);
  path = new Uint32Array(FIRST_ROWS);
  otherPath = new Uint32Array(FIRST_ROWS);
  calls = new Uint16Array(FIRST_ROWS);
  flags = new Uint16Array(FIRST_ROWS);

  // Where the messages are in the stream, and how much of them.
  requestAt = new Float64Array(FIRST_ROWS);
  replyAt = new Float64Array(FIRST_ROWS);
  requestCaptured = new Uint32Array(FIRST_ROWS);
  replyCaptured = new Uint32Array(FIRST_ROWS);

  /** `rows`: for so many there is room from the beginning; memory that nobody has written to costs nothing. */
  constructor(rows = FIRST_ROWS) {
    this.grow(rows);
  }

  /** A new row, in which all is 0. */
  add(): number {
    const row = this.count++;
    if (this.count > this.flags.length) this.grow(this.count);
    if (this.recycled) this.clear(row);
    return row;
  }

  /** The first `dropped` rows go, the others move up. The arrays stay the same ones. */
  drop(dropped: number): void {
    for (const column of Object.values(this) as unknown[]) {
      if (ArrayBuffer.isView(column)) (column as Float64Array).copyWithin(0, dropped, this.count);
    }
    this.count -= dropped;
    this.recycled = true;
  }

  /** Makes room for so many rows. */
  grow(rows: number): void {
    if (rows <= this.flags.length) return;
    this.start = roomFor(this.start, rows);
    this.latency = roomFor(this.latency, rows);
    this.queued = roomFor(this.queued, rows);
    this.host = roomFor(this.host, rows);
    this.writing = roomFor(this.writing, rows);
    this.held = roomFor(this.held, rows);
    this.opcode = roomFor(this.opcode, rows);
    this.queue = roomFor(this.queue, rows);
    this.error = roomFor(this.error, rows);
    this.nodeid = roomFor(this.nodeid, rows);
    this.uid = roomFor(this.uid, rows);
    this.gid = roomFor(this.gid, rows);
    this.pid = roomFor(this.pid, rows);
    this.requestLength = roomFor(this.requestLength, rows);
    this.replyLength = roomFor(this.replyLength, rows);
    this.payload = roomFor(this.payload, rows);
    this.path = roomFor(this.path, rows);
    this.otherPath = roomFor(this.otherPath, rows);
    this.calls = roomFor(this.calls, rows);
    this.flags = roomFor(this.flags, rows);
    this.requestAt = roomFor(this.requestAt, rows);
    this.replyAt = roomFor(this.replyAt, rows);
    this.requestCaptured = roomFor(this.requestCaptured, rows);
    this.replyCaptured = roomFor(this.replyCaptured, rows);
  }
  /** Takes away what a dropped row has left in the place of a new one. */
  private clear(row: number): void {
    this.start[row] = this.latency[row] = this.nodeid[row] = 0;
    this.queued[row] = this.host[row] = this.writing[row] = this.held[row] = 0;
    this.opcode[row] = this.queue[row] = this.error[row] = this.calls[row] = this.flags[row] = 0;
    this.uid[row] = this.gid[row] = this.pid[row] = 0;
    this.payload[row] = this.path[row] = this.otherPath[row] = 0;
    this.requestLength[row] = this.requestAt[row] = this.requestCaptured[row] = 0;
    this.replyLength[row] = this.replyAt[row] = this.replyCaptured[row] = 0;
  }
}
