/**
 * The host system calls of each request, as places in the capture; decoded when somebody looks.
 *
 * Knows the packet's layout; which request a call belongs to it is told.
 */
import { decodeText } from '../protocol/text';
import type { HostCallRecord } from './capture';
import { roomFor } from './columnArray';
import { HostCallAt, HostCallFlag, isPacket, MAX_ARGUMENTS, PacketKind } from './packet';

const NONE = 0;

export class HostCallList {
  // Calls, from 1; each row has a list of them.
  private at = new Float64Array(16);
  private captured = new Uint32Array(16);
  private start = new Float64Array(16);
  private next = new Int32Array(16);
  private first = new Int32Array(16);
  private last = new Int32Array(16);
  count = 0;

  /** A call of `row`: a packet of `captured` bytes at `at`, begun at `start`. */
  add(row: number, at: number, captured: number, start: number): void {
    const call = ++this.count;
    this.at = roomFor(this.at, call + 1);
    this.captured = roomFor(this.captured, call + 1);
    this.start = roomFor(this.start, call + 1);
    this.next = roomFor(this.next, call + 1);
    this.first = roomFor(this.first, row + 1);
    this.last = roomFor(this.last, row + 1);
    this.at[call] = at;
    this.captured[call] = captured;
    this.start[call] = start;
    this.next[call] = NONE;
    if (this.first[row] === NONE) this.first[row] = call;
    else this.next[this.last[row]] = call;
    this.last[row] = call;
  }

  /** The first `dropped` rows go, the others move up; calls that are none's any more go with them. */
  drop(dropped: number): void {
    this.first.copyWithin(0, dropped);
    this.last.copyWithin(0, dropped);
    this.first.fill(NONE, Math.max(0, this.first.length - dropped));
    let oldest = this.count + 1;
    for (const call of this.first) if (call !== NONE && call < oldest) oldest = call;
    const gone = oldest - 1;
    if (gone === 0) return;
    for (const column of [this.at, this.captured, this.start, this.next]) column.copyWithin(1, oldest, this.count + 1);
    this.count -= gone;
    for (const column of [this.first, this.last, this.next]) {
      for (let i = 0; i < column.length; i++) if (column[i] !== NONE) column[i] = Math.max(NONE, column[i] - gone);
    }
    this.next.fill(NONE, this.count + 1);
  }

  /** Where the calls of a row are, and when they began. */
  forEach(row: number, visit: (at: number, captured: number, start: number) => void): void {
    if (row >= this.first.length) return;
    for (let call = this.first[row]; call !== NONE; call = this.next[call]) {
      visit(this.at[call], this.captured[call], this.start[call]);
    }
  }

  /** Those of a row whose bytes are still to be had. */
  of(row: number, bytes: (at: number, length: number) => Uint8Array): HostCallRecord[] {
    const records: HostCallRecord[] = [];
    this.forEach(row, (at, captured, start) => {
      const record = decodeHostCall(bytes(at, captured), start);
      if (record) records.push(record);
    });
    return records;
  }
}

function decodeHostCall(bytes: Uint8Array, start: number): HostCallRecord | undefined {
  if (!isPacket(bytes, PacketKind.HostCall)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const room = (bytes.length - HostCallAt.arguments) >> 3;
  const count = Math.min(view.getUint32(HostCallAt.count, true), MAX_ARGUMENTS, room);
  const args = Array.from({ length: count }, (_, i) => view.getBigInt64(HostCallAt.arguments + 8 * i, true));
  const texts: string[] = [];
  for (let from = HostCallAt.arguments + 8 * count; from < bytes.length && texts.length < MAX_ARGUMENTS;) {
    const nul = bytes.indexOf(0, from);
    const end = nul < 0 ? bytes.length : nul;
    texts.push(decodeText(bytes, from, end - from));
    from = end + 1;
  }
  const flags = view.getUint16(HostCallAt.flags, true);
  return {
    start,
    duration: Number(view.getBigUint64(HostCallAt.duration, true)),
    call: view.getUint16(HostCallAt.call, true),
    result: Number(view.getBigInt64(HostCallAt.result, true)),
    arguments: args,
    texts,
    otherThread: (flags & HostCallFlag.OTHER_THREAD) !== 0,
    machine: (flags & HostCallFlag.ARM64) === 0 ? 'x86-64' : 'arm64',
  };
}
