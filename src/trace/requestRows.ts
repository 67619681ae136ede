/**
 * Makes rows of the packets of requests, of their replies and of host calls: each column from its place in the packet.
 *
 * A row is made when its request comes and completed when its reply does; a reply whose request is not there has a row
 * of its own. This is what a million requests go through: nothing is allocated for a packet, and what takes it further
 * (the names, the pairing) gets numbers. What its arguments mean, `PcapngHandler.packet` says. Knows nothing of
 * sections, of where bytes are kept and of whoever looks at rows.
 */
import { Opcode } from '../protocol/fuse/opcodeNumbers';
import { opcodes } from '../protocol/fuse/opcodes';
import { InHeader, OutHeader } from '../protocol/fuse/structs';
import { RowFlag } from './capture';
import type { Journal } from './journal';
import type { Columns } from './columns';
import type { HostCallList } from './hostCallList';
import { WIDE_HIGH } from './nodeNumbers';
import { FuseAt, HostCallAt, MessageFlag, NO_QUEUE } from './packet';
import type { PacketTimes } from './packetTimes';
import { Pairing } from './pairing';
import type { PathTraffic } from './pathTraffic';
import { askedBytes, movedBytes } from './payload';

const TWO_32 = 0x1_0000_0000;
/** Of a phase: that, or longer. */
const LONGEST = 0xffff_ffff;
const SILENT = new Uint8Array(64);
for (const row of opcodes) if (!row.reply) SILENT[row.number] = 1;

export interface RowEvents {
  /** The row is complete: its reply has come, it wants none, or it is a reply without a request. */
  completed?: ((row: number) => void) | undefined;
  readonly journal?: Pick<Journal, 'taken' | 'answered'> | undefined;
  /** INIT is answered: the row, and where its reply is. */
  init(row: number, bytes: Uint8Array, view: DataView, message: number, end: number): void;
}

export class RequestRows {
  readonly pairing = new Pairing();
  /** Requests about a node whose number is beyond what the column holds exactly. */
  wide = 0;
  /** Host calls whose request is not there. */
  strayCalls = 0;

  constructor(
    private readonly table: Columns,
    private readonly calls: HostCallList,
    private readonly times: PacketTimes,
    private readonly traffic: PathTraffic,
    private readonly events: RowEvents,
  ) {}

  request(
    bytes: Uint8Array,
    view: DataView,
    at: number,
    captured: number,
    position: number,
    high: number,
    low: number,
  ): void {
    const takenLow = view.getUint32(at + FuseAt.taken, true);
    const takenHigh = view.getUint32(at + FuseAt.taken + 4, true);
    const row = this.add(view, at, this.times.ofRequest(high, low, takenHigh, takenLow));
    const { table } = this;
    const length = view.getUint32(at + FuseAt.length, true);
    const message = at + FuseAt.message;
    const end = at + captured;
    table.requestLength[row] = length;
    table.requestAt[row] = position + FuseAt.message;
    table.requestCaptured[row] = end - message;
    const queue = table.queue[row];
    const head = view.getUint32(at + FuseAt.head, true);
    const flagged = view.getUint16(at + FuseAt.flags, true);
    let flags = isCut(flagged, end - message, length) ? RowFlag.REQUEST_CUT : 0;
    if ((flagged & MessageFlag.ARM64) !== 0) flags |= RowFlag.ARM64;
    if (end - message >= InHeader.size) {
      const wide = view.getUint32(message + InHeader.offset.opcode, true);
      const opcode = wide > 0xffff ? 0xffff : wide;
      const silent = opcode < SILENT.length && SILENT[opcode] === 1;
      const uniqueLow = view.getUint32(message + InHeader.offset.unique, true);
      const uniqueHigh = view.getUint32(message + InHeader.offset.unique + 4, true);
      const slot = this.pairing.request(queue, head, row, takenHigh, takenLow, uniqueHigh, uniqueLow, silent);
      table.opcode[row] = opcode;
      const nodeHigh = view.getUint32(message + InHeader.offset.nodeid + 4, true);
      if (nodeHigh >= WIDE_HIGH) this.wide++;
      table.nodeid[row] = nodeHigh * TWO_32 + view.getUint32(message + InHeader.offset.nodeid, true);
      table.uid[row] = view.getUint32(message + InHeader.offset.uid, true);
      table.gid[row] = view.getUint32(message + InHeader.offset.gid, true);
      table.pid[row] = view.getUint32(message + InHeader.offset.pid, true);
      table.payload[row] = askedBytes(opcode, view, message + InHeader.size, end);
      table.path[row] = this.traffic.request(opcode, bytes, view, message, end, slot);
      table.otherPath[row] = this.traffic.other;
      if (this.traffic.unsure) flags |= RowFlag.PATH_UNSURE;
      if (silent) flags |= RowFlag.SILENT;
      this.events.journal?.taken(row, slot);
    } else {
      this.pairing.request(queue, head, row, takenHigh, takenLow, 0, 0, false);
      this.events.journal?.taken(row, -1);
    }
    table.flags[row] = flags;
    if ((flags & RowFlag.SILENT) !== 0) this.events.completed?.(row);
  }

  reply(
    bytes: Uint8Array,
    view: DataView,
    at: number,
    captured: number,
    position: number,
    high: number,
    low: number,
  ): void {
    const message = at + FuseAt.message;
    const end = at + captured;
    const hasHeader = end - message >= OutHeader.size;
    const slot = hasHeader ? this.slotOfRequest(view, at, message) : -1;
    const takenLow = view.getUint32(at + FuseAt.taken, true);
    const takenHigh = view.getUint32(at + FuseAt.taken + 4, true);
    const row = slot < 0 ? this.add(view, at, this.times.ofReply(takenHigh, takenLow)) : this.pairing.row(slot);
    if (slot < 0) this.events.journal?.taken(row, -1);
    else this.events.journal?.answered(row);
    const { table } = this;
    const length = view.getUint32(at + FuseAt.length, true);
    const flagged = view.getUint16(at + FuseAt.flags, true);
    table.latency[row] = this.times.latency(high, low, takenHigh, takenLow);
    this.phases(view, at, row);
    table.replyLength[row] = length;
    table.replyAt[row] = position + FuseAt.message;
    table.replyCaptured[row] = end - message;
    table.flags[row] |=
      RowFlag.REPLIED |
      (slot < 0 ? RowFlag.ORPHAN : 0) |
      (isCut(flagged, end - message, length) ? RowFlag.REPLY_CUT : 0) |
      ((flagged & MessageFlag.LATER) !== 0 ? RowFlag.LATER : 0) |
      ((flagged & MessageFlag.CHANGED) !== 0 ? RowFlag.CHANGED : 0);
    if (hasHeader) {
      const error = view.getInt32(message + OutHeader.offset.error, true);
      table.error[row] = Math.max(-0x8000, Math.min(0x7fff, error));
      if (slot >= 0) this.answered(row, slot, error, bytes, view, message, end, length);
    }
    this.events.completed?.(row);
  }

  /** A fault has dropped the reply: the request stays without one. */
  dropped(view: DataView, at: number, position: number): void {
    const row = this.rowTaken(view, at);
    if (row < 0) return;
    const { table } = this;
    this.phases(view, at, row);
    table.replyAt[row] = position + FuseAt.message;
    table.flags[row] |= RowFlag.CHANGED | RowFlag.DROPPED;
  }

  hostCall(view: DataView, at: number, captured: number, position: number, high: number, low: number): void {
    const queue = view.getUint16(at + HostCallAt.queue, true);
    const head = view.getUint32(at + HostCallAt.head, true);
    const takenLow = view.getUint32(at + HostCallAt.taken, true);
    const takenHigh = view.getUint32(at + HostCallAt.taken + 4, true);
    const row = this.pairing.taken(queue, head, takenHigh, takenLow);
    if (row >= 0) this.calls.add(row, position, captured, this.times.after(high, low));
    else if (queue !== NO_QUEUE) this.strayCalls++;
  }

  private phases(view: DataView, at: number, row: number): void {
    const { table } = this;
    const isHeld = (view.getUint16(at + FuseAt.flags, true) & MessageFlag.HELD) !== 0;
    const host = view.getUint32(at + FuseAt.host, true);
    const writing = view.getUint32(at + FuseAt.writing, true);
    const microseconds = isHeld ? view.getUint32(at + FuseAt.held, true) : 0;
    const held = microseconds * 1000;
    table.host[row] = host;
    table.writing[row] = writing;
    table.held[row] = held;
    // A phase that was as long as can be told, or longer, was all that the others do not account for.
    const latency = table.latency[row];
    if (microseconds === LONGEST) table.held[row] = longer(held, latency - host - writing);
    else if (host === LONGEST) table.host[row] = longer(host, latency - writing - held);
    else if (writing === LONGEST) table.writing[row] = longer(writing, latency - host - held);
    table.calls[row] = view.getUint16(at + FuseAt.calls, true);
  }

  /** A new row with what requests and replies have alike in front of the message. */
  private add(view: DataView, at: number, start: number): number {
    const { table } = this;
    const row = table.add();
    table.start[row] = start;
    table.latency[row] = NaN;
    table.queue[row] = view.getUint16(at + FuseAt.queue, true);
    table.queued[row] = view.getUint32(at + FuseAt.queued, true);
    return row;
  }

  /** The row of a packet's request by when that was taken; -1: there is none. */
  private rowTaken(view: DataView, at: number): number {
    return this.pairing.taken(
      view.getUint16(at + FuseAt.queue, true),
      view.getUint32(at + FuseAt.head, true),
      view.getUint32(at + FuseAt.taken + 4, true),
      view.getUint32(at + FuseAt.taken, true),
    );
  }

  private slotOfRequest(view: DataView, at: number, message: number): number {
    return this.pairing.reply(
      view.getUint16(at + FuseAt.queue, true),
      view.getUint32(at + FuseAt.head, true),
      view.getUint32(message + OutHeader.offset.unique + 4, true),
      view.getUint32(message + OutHeader.offset.unique, true),
    );
  }

  private answered(
    row: number,
    slot: number,
    error: number,
    bytes: Uint8Array,
    view: DataView,
    message: number,
    end: number,
    length: number,
  ): void {
    const { table } = this;
    if (error !== 0) {
      table.payload[row] = 0;
      return;
    }
    const opcode = table.opcode[row];
    table.payload[row] = movedBytes(opcode, table.payload[row], length, view, message + OutHeader.size, end);
    if (opcode === Opcode.INIT) this.events.init(row, bytes, view, message, end);
    else this.traffic.reply(opcode, bytes, view, message, end, slot);
  }
}

/** `other` is NaN where no reply says how long all was. */
const longer = (one: number, other: number): number => (other > one ? other : one);

function isCut(flags: number, there: number, length: number): boolean {
  return there < length || (flags & MessageFlag.CUT) !== 0;
}
