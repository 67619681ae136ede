/**
 * Fills a `Capture` from a stream of bytes, a file or live: packets to rows, replies to their requests, paths.
 *
 * A row is made when its request comes and completed when its reply does. Nothing of the messages is kept here but the
 * columns and where the bytes are (`captureBytes.ts`); they are decoded when somebody asks. Memory grows with the number
 * of rows, nodes and names, never with what a packet claims.
 */
import { Opcode } from '../protocol/fuse/opcodeNumbers';
import { opcodes } from '../protocol/fuse/opcodes';
import { InHeader, OutHeader } from '../protocol/fuse/structs';
import { decodeReply, decodeRequest, type Reply, type Request, type SessionShape } from '../protocol/message';
import {
  type ControlMessage,
  type Gap,
  type HostCallRecord,
  RowFlag,
  type RequestColumns,
  type ShareFacts,
  type WindowNote,
} from './capture';
import { type CaptureBytes, FileBytes, LiveBytes, type ReadAt } from './captureBytes';
import { roomFor } from './columnArray';
import { Columns } from './columns';
import { HostCallList } from './hostCallList';
import {
  FuseAt,
  HostCallAt,
  MessageFlag,
  NamesAt,
  NO_QUEUE,
  PACKET_VERSION,
  PacketKind,
  VhostUserAt,
  WindowAt,
} from './packet';
import type { CapturePackets, InitPackets, SidePacket } from './packets';
import { PairMap } from './pairMap';
import { type NodeFacts, PathModel } from './pathModel';
import { askedBytes, movedBytes } from './payload';
import { NameTable, PathTable } from './pathTable';
import { PathTraffic } from './pathTraffic';
import { type PcapngFault, type PcapngHandler, PcapngReader } from './pcapngReader';
import { Sessions, sessionOf } from './sessions';
import { SideLog } from './sideLog';

/** How much of a live stream is kept. */
const LIVE_LIMIT = 256 << 20;
/** So many gaps are told apart; later losses are added to the last one. */
const MOST_GAPS = 65536;
/** How many nodeids are known is noted once in so many rows. */
const KNOWN_EVERY_BITS = 8;
const SEVERAL_SHARES =
  'several shares are mixed in one section: requests and paths of one may be taken for those of another';
const TWO_32 = 0x1_0000_0000;

export interface CaptureReaderOptions {
  /** Reads the file again that `push` is given; without it the stream is kept in memory, up to `liveLimit`. */
  readonly read?: ReadAt;
  readonly liveLimit?: number;
  /** Room for so many rows is there from the beginning, so that no growth takes its time later. */
  readonly rows?: number;
  /** A row is complete: its reply has come, it wants none, or it is a reply without a request. */
  readonly completed?: (row: number) => void;
}

export class CaptureReader implements CapturePackets, PcapngHandler {
  count = 0;
  droppedRows = 0;
  origin = 0n;
  share: ShareFacts = {};
  gaps: Gap[] = [];
  private readonly table: Columns;
  private readonly blocks = new PcapngReader(this);
  private readonly stream: CaptureBytes;
  private readonly names = new NameTable();
  private readonly pathTable = new PathTable(this.names);
  private readonly model = new PathModel(this.pathTable);
  private readonly traffic = new PathTraffic(this.model, this.names);
  private readonly sessions = new Sessions();
  private readonly calls = new HostCallList();
  private readonly side = new SideLog();
  private readonly completed: ((row: number) => void) | undefined;
  private originHigh = 0;
  private originLow = 0;
  private hasOrigin = false;
  private known = new Uint32Array(64);
  /** Places of rows are used again. */
  private recycled = false;
  /** Packet times minus the times inside of packets, where a tool has moved the former. */
  private shift = 0;

  // The latest request with each queue and head.
  private readonly slots = new PairMap();
  private slotRow = new Int32Array(64);
  private uniqueHigh = new Uint32Array(64);
  private uniqueLow = new Uint32Array(64);
  private takenHigh = new Uint32Array(64);
  private takenLow = new Uint32Array(64);

  private strange = 0;
  private lostPackets = 0;
  private strayCalls = 0;
  private sections = 0;
  private sectionTag: string | undefined;
  private severalShares = false;
  private piece: number | undefined;
  private requestKept: { readonly row: number; readonly request: Request } | undefined;
  private replyKept: { readonly row: number; readonly at: number; readonly reply: Reply } | undefined;

  constructor({ read, liveLimit = LIVE_LIMIT, rows, completed }: CaptureReaderOptions = {}) {
    this.table = new Columns(rows);
    this.stream = read ? new FileBytes(read) : new LiveBytes(liveLimit);
    this.completed = completed;
  }

  /** Takes the next bytes of the stream, cut anywhere. They may be reused afterwards. */
  push(chunk: Uint8Array): void {
    if (this.blocks.fault) return;
    this.stream.push(chunk);
    this.blocks.push(chunk);
  }

  /** The stream broke off and is taken up again by another one, which begins with a section of its own. */
  goOn(): void {
    this.blocks.goOn();
  }

  /** About so many rows are to come in all: there is room for them at once, and no growth takes its time later. */
  expect(rows: number): void {
    this.table.grow(rows);
  }

  /** The stream has ended. */
  end(): void {
    this.blocks.end();
    if (this.stream instanceof FileBytes) this.stream.ended = true;
  }

  /**
   * Drops the oldest rows, as many as asked for, rounded down to a multiple of 256; answers how many. The numbers of the
   * others are less by that. What they have told of names and sessions stays.
   */
  drop(rows: number): number {
    const dropped = (Math.min(rows, this.count) >> KNOWN_EVERY_BITS) << KNOWN_EVERY_BITS;
    if (dropped === 0) return 0;
    this.table.drop(dropped, this.count);
    this.recycled = true;
    this.known.copyWithin(0, dropped >> KNOWN_EVERY_BITS);
    this.calls.drop(dropped);
    this.sessions.drop(dropped);
    this.gaps = this.gaps.filter(({ row }) => row >= dropped).map((gap) => ({ ...gap, row: gap.row - dropped }));
    for (let slot = 0; slot < this.slots.size; slot++) this.slotRow[slot] = Math.max(-1, this.slotRow[slot] - dropped);
    this.requestKept = this.replyKept = undefined;
    this.count -= dropped;
    this.droppedRows += dropped;
    return dropped;
  }

  /** Why nothing more is read; `foreign`: it never was a capture. */
  get fault(): PcapngFault | undefined {
    return this.blocks.fault;
  }

  // Packets

  section(comments: readonly string[], position: number): void {
    const facts = comments.map(factsIn).find((each) => each !== undefined) ?? {};
    const piece = typeof facts.piece === 'number' ? facts.piece : undefined;
    const goesOn =
      piece !== undefined &&
      this.piece !== undefined &&
      piece === this.piece + 1 &&
      facts.tag === this.share.tag &&
      facts.directory === this.share.directory;
    if (this.sections++ > 0 && !goesOn) {
      this.traffic.reset();
      this.sessions.section(this.count, position);
      this.slots.clear();
    }
    this.piece = piece;
    this.sectionTag = undefined;
    if (Object.keys(this.share).length === 0) this.share = facts;
  }

  interface(name: string): void {
    const tag = name.replace(/(^| )(control|host|queue \d+)$/, '');
    this.sectionTag ??= tag;
    if (tag !== this.sectionTag) this.severalShares = true;
  }

  lost(packets: number): void {
    this.lostPackets += packets;
    this.model.lost();
    const last = this.gaps.at(-1);
    const same = last && (last.row === this.count || this.gaps.length >= MOST_GAPS);
    if (same) this.gaps.pop();
    this.gaps.push(same ? { row: last.row, packets: last.packets + packets } : { row: this.count, packets });
  }

  packet(
    bytes: Uint8Array,
    view: DataView,
    at: number,
    captured: number,
    position: number,
    high: number,
    low: number,
  ): void {
    if (captured < 8 || bytes[at] !== PACKET_VERSION) {
      this.strange++;
      return;
    }
    const kind: PacketKind = bytes[at + 1];
    if (kind === PacketKind.Request && captured >= FuseAt.message) {
      this.takeRequest(bytes, view, at, captured, position, high, low);
    } else if (kind === PacketKind.Reply && captured >= FuseAt.message) {
      this.takeReply(bytes, view, at, captured, position, high, low);
    } else if (kind === PacketKind.HostCall && captured >= HostCallAt.arguments) {
      this.hostCall(view, at, captured, position, high, low);
    } else if (kind === PacketKind.VhostUser && captured >= VhostUserAt.message) {
      this.side.vhostUser(bytes, view, at, captured, position, () => this.after(high, low));
    } else if (kind === PacketKind.Names && captured >= NamesAt.records) {
      this.side.namesAt(position, captured);
      if (this.traffic.before(bytes, view, at, at + captured) < view.getUint16(at + NamesAt.count, true))
        this.strange++;
    } else if (kind === PacketKind.Window && captured >= WindowAt.text) {
      this.side.windowNote(bytes, view, at, captured, position, () => this.after(high, low));
    } else this.strange++;
  }

  private after(high: number, low: number): number {
    if (!this.hasOrigin) {
      this.hasOrigin = true;
      this.originHigh = high;
      this.originLow = low;
      this.origin = (BigInt(high) << 32n) | BigInt(low);
    }
    return (high - this.originHigh) * TWO_32 + (low - this.originLow);
  }

  /** A new row with what requests and replies have alike in front of the message. */
  private addRow(view: DataView, at: number, start: number): number {
    const row = this.count;
    this.table.grow(row + 1);
    if (this.recycled) this.table.clear(row);
    this.table.start[row] = start;
    this.table.latency[row] = NaN;
    this.table.queue[row] = view.getUint16(at + FuseAt.queue, true);
    this.table.queued[row] = view.getUint32(at + FuseAt.queued, true);
    this.count++;
    if ((row & ((1 << KNOWN_EVERY_BITS) - 1)) === 0) {
      const sample = row >> KNOWN_EVERY_BITS;
      this.known = roomFor(this.known, sample + 1);
      this.known[sample] = this.model.known;
    }
    return row;
  }

  private slot(queue: number, head: number): number {
    const known = this.slots.get(queue, head);
    if (known >= 0) return known;
    const slot = this.slots.size;
    this.slots.set(queue, head, slot);
    this.slotRow = roomFor(this.slotRow, slot + 1);
    this.uniqueHigh = roomFor(this.uniqueHigh, slot + 1);
    this.uniqueLow = roomFor(this.uniqueLow, slot + 1);
    this.takenHigh = roomFor(this.takenHigh, slot + 1);
    this.takenLow = roomFor(this.takenLow, slot + 1);
    return slot;
  }

  private takeRequest(
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
    const shift = (high - takenHigh) * TWO_32 + (low - takenLow);
    // A tool that keeps times less exactly has cut off less than a microsecond.
    this.shift = Math.abs(shift) < 1000 ? 0 : shift;
    const start = this.shift === 0 ? this.after(takenHigh, takenLow) : this.after(high, low);
    const row = this.addRow(view, at, start);
    const { table } = this;
    const length = view.getUint32(at + FuseAt.length, true);
    const message = at + FuseAt.message;
    const end = at + captured;
    table.requestLength[row] = length;
    table.requestAt[row] = position + FuseAt.message;
    table.requestCaptured[row] = end - message;
    let flags = isCut(view, at, end - message, length) ? RowFlag.REQUEST_CUT : 0;
    const slot = this.slot(table.queue[row], view.getUint32(at + FuseAt.head, true));
    this.slotRow[slot] = row;
    this.takenHigh[slot] = takenHigh;
    this.takenLow[slot] = takenLow;
    this.uniqueHigh[slot] = 0;
    this.uniqueLow[slot] = 0;
    if (end - message >= InHeader.size) {
      const wide = view.getUint32(message + InHeader.offset.opcode, true);
      const opcode = wide > 0xffff ? 0xffff : wide;
      this.uniqueLow[slot] = view.getUint32(message + InHeader.offset.unique, true);
      this.uniqueHigh[slot] = view.getUint32(message + InHeader.offset.unique + 4, true);
      table.opcode[row] = opcode;
      table.nodeid[row] =
        view.getUint32(message + InHeader.offset.nodeid + 4, true) * TWO_32 +
        view.getUint32(message + InHeader.offset.nodeid, true);
      table.uid[row] = view.getUint32(message + InHeader.offset.uid, true);
      table.gid[row] = view.getUint32(message + InHeader.offset.gid, true);
      table.pid[row] = view.getUint32(message + InHeader.offset.pid, true);
      table.payload[row] = askedBytes(opcode, view, message + InHeader.size, end);
      table.path[row] = this.traffic.request(opcode, bytes, view, message, end, slot);
      table.otherPath[row] = this.traffic.other;
      if (this.traffic.unsure) flags |= RowFlag.PATH_UNSURE;
      if (opcode < SILENT.length && SILENT[opcode] === 1) flags |= RowFlag.SILENT;
    }
    table.flags[row] = flags;
    if ((flags & RowFlag.SILENT) !== 0) this.completed?.(row);
  }

  private takeReply(
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
    const slot = this.slots.get(view.getUint16(at + FuseAt.queue, true), view.getUint32(at + FuseAt.head, true));
    const paired = slot >= 0 && end - message >= OutHeader.size && this.awaits(slot, view, message);
    const takenLow = view.getUint32(at + FuseAt.taken, true);
    const takenHigh = view.getUint32(at + FuseAt.taken + 4, true);
    const row = paired ? this.slotRow[slot] : this.addRow(view, at, this.after(takenHigh, takenLow) + this.shift);
    const { table } = this;
    const length = view.getUint32(at + FuseAt.length, true);
    const flagged = view.getUint16(at + FuseAt.flags, true);
    table.latency[row] = Math.max(0, (high - takenHigh) * TWO_32 + (low - takenLow) - this.shift);
    table.host[row] = view.getUint32(at + FuseAt.host, true);
    table.writing[row] = view.getUint32(at + FuseAt.writing, true);
    table.held[row] = (flagged & MessageFlag.HELD) === 0 ? 0 : view.getUint32(at + FuseAt.held, true) * 1000;
    table.calls[row] = view.getUint16(at + FuseAt.calls, true);
    table.replyLength[row] = length;
    table.replyAt[row] = position + FuseAt.message;
    table.replyCaptured[row] = end - message;
    table.flags[row] |=
      RowFlag.REPLIED |
      (paired ? 0 : RowFlag.ORPHAN) |
      (isCut(view, at, end - message, length) ? RowFlag.REPLY_CUT : 0) |
      ((flagged & MessageFlag.LATER) !== 0 ? RowFlag.LATER : 0) |
      ((flagged & MessageFlag.CHANGED) !== 0 ? RowFlag.CHANGED : 0);
    if (end - message >= OutHeader.size) {
      const error = view.getInt32(message + OutHeader.offset.error, true);
      table.error[row] = Math.max(-0x8000, Math.min(0x7fff, error));
      if (paired) this.answered(row, slot, error, bytes, view, message, end, length);
    }
    this.completed?.(row);
  }

  private awaits(slot: number, view: DataView, message: number): boolean {
    return (
      this.slotRow[slot] >= 0 &&
      (this.table.flags[this.slotRow[slot]] & (RowFlag.REPLIED | RowFlag.SILENT)) === 0 &&
      view.getUint32(message + OutHeader.offset.unique, true) === this.uniqueLow[slot] &&
      view.getUint32(message + OutHeader.offset.unique + 4, true) === this.uniqueHigh[slot]
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
    if (opcode === Opcode.INIT) {
      const session = sessionOf(view, message, end);
      this.sessions.begin(this.count, session, this.initAsIs(row, bytes, message, end));
      this.traffic.begin(session);
    } else this.traffic.reply(opcode, bytes, view, message, end, slot);
  }

  private initAsIs(row: number, bytes: Uint8Array, message: number, end: number): InitPackets | undefined {
    if (!(this.stream instanceof LiveBytes) || end - message > LONGEST_INIT) return undefined;
    const request = this.requestPacket(row).slice();
    if (request.length === 0 || request.length > FuseAt.message + LONGEST_INIT) return undefined;
    const { start, latency } = this.table;
    return { request, reply: bytes.slice(message - FuseAt.message, end), start: start[row], latency: latency[row] };
  }

  private hostCall(view: DataView, at: number, captured: number, position: number, high: number, low: number): void {
    const queue = view.getUint16(at + HostCallAt.queue, true);
    const slot = this.slots.get(queue, view.getUint32(at + HostCallAt.head, true));
    const mine =
      slot >= 0 &&
      this.slotRow[slot] >= 0 &&
      this.takenLow[slot] === view.getUint32(at + HostCallAt.taken, true) &&
      this.takenHigh[slot] === view.getUint32(at + HostCallAt.taken + 4, true);
    if (mine) this.calls.add(this.slotRow[slot], position, captured, this.after(high, low));
    else if (queue !== NO_QUEUE) this.strayCalls++;
  }

  // What readers see

  get control(): readonly ControlMessage[] {
    return this.side.control;
  }

  get windowNotes(): readonly WindowNote[] {
    return this.side.windowNotes;
  }

  get columns(): RequestColumns {
    return this.table;
  }

  get paths(): number {
    return this.pathTable.count;
  }

  path(index: number): string {
    return this.pathTable.text(index);
  }

  session(row: number): SessionShape | undefined {
    return this.sessions.at(row);
  }

  requestBytes(row: number): Uint8Array {
    return this.stream.bytes(this.table.requestAt[row], this.table.requestCaptured[row]);
  }

  replyBytes(row: number): Uint8Array {
    return this.stream.bytes(this.table.replyAt[row], this.table.replyCaptured[row]);
  }

  request(row: number): Request | undefined {
    if (row >= this.count || (this.table.flags[row] & RowFlag.ORPHAN) !== 0) return undefined;
    if (this.requestKept?.row !== row) {
      this.requestKept = { row, request: decodeRequest(this.requestBytes(row), this.session(row)) };
    }
    return this.requestKept.request;
  }

  reply(row: number): Reply | undefined {
    if (row >= this.count || (this.table.flags[row] & RowFlag.REPLIED) === 0) return undefined;
    const at = this.table.replyAt[row];
    if (this.replyKept?.row !== row || this.replyKept.at !== at) {
      const request = this.request(row);
      this.replyKept = { row, at, reply: decodeReply(this.replyBytes(row), request, this.session(row)) };
    }
    return this.replyKept.reply;
  }

  hostCalls(row: number): readonly HostCallRecord[] {
    return this.calls.of(row, (at, length) => this.stream.bytes(at, length));
  }

  // What writers of its packets see

  place(row: number): number {
    const { flags, requestAt, replyAt } = this.table;
    return ((flags[row] & RowFlag.ORPHAN) === 0 ? requestAt[row] : replyAt[row]) - FuseAt.message;
  }

  replyPlace(row: number): number {
    return this.table.replyAt[row] - FuseAt.message;
  }

  requestPacket(row: number): Uint8Array {
    const { requestAt, requestCaptured } = this.table;
    return this.packetAt(requestAt[row] - FuseAt.message, FuseAt.message + requestCaptured[row]);
  }

  replyPacket(row: number): Uint8Array {
    return this.packetAt(this.replyPlace(row), FuseAt.message + this.table.replyCaptured[row]);
  }

  packetAt(place: number, length: number): Uint8Array {
    const bytes = this.stream.bytes(place, length);
    return bytes.length < length ? NOTHING : bytes;
  }

  forEachHostCall(row: number, visit: (place: number, captured: number, start: number) => void): void {
    this.calls.forEach(row, visit);
  }

  get sidePackets(): readonly SidePacket[] {
    return this.side.packets;
  }

  get sectionPlaces(): readonly number[] {
    return this.sessions.sectionPlaces;
  }

  initPackets(row: number): InitPackets | undefined {
    return this.sessions.initPackets(row);
  }

  // What the guest knows

  /** What the guest knows of a nodeid by now; undefined: nothing. */
  node(nodeid: bigint): NodeFacts | undefined {
    return this.model.facts(nodeid);
  }

  /** How many nodeids the guest knows by now, the root included. */
  get nodesKnown(): number {
    return this.model.known;
  }

  /** Calls `visit` with each of them (as a double) and its lookup count. */
  forEachNode(visit: (nodeid: number, lookups: number) => void): void {
    this.model.forEach(visit);
  }

  /** Index of the first descriptor of the row's chain; undefined where its bytes are gone. */
  head(row: number): number | undefined {
    const { table } = this;
    const message = (table.flags[row] & RowFlag.ORPHAN) !== 0 ? table.replyAt[row] : table.requestAt[row];
    const bytes = this.stream.bytes(message - FuseAt.message + FuseAt.head, 4);
    return bytes.length < 4 ? undefined : new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  }

  /** How many nodeids the guest knew when the row was taken, or up to 255 rows before. */
  nodeidsKnown(row: number): number {
    return this.known[row >> KNOWN_EVERY_BITS];
  }

  get notes(): readonly string[] {
    const { otherLink, unusable } = this.blocks.passedOver;
    const some = (count: number, text: string): string[] =>
      count === 0 ? [] : [`${count} ${count === 1 ? text : text.replace(/^(packet|system call|message)/, '$1s')}`];
    const { earlier } = this.share;
    return [
      ...(this.fault ? [this.fault.text] : []),
      ...(typeof earlier === 'number' && earlier > 0
        ? [`${earlier} earlier requests were not kept, and are not in it`]
        : []),
      ...(this.severalShares ? [SEVERAL_SHARES] : []),
      ...some(this.lostPackets, 'packet lost: the capture could not be written as fast as requests came'),
      ...some(otherLink, 'packet of other link types passed over'),
      ...some(unusable, 'packet without a time or an interface passed over'),
      ...some(this.strange, 'packet not understood'),
      ...some(this.strayCalls, 'system call of the host whose requests are not in the capture'),
      ...some(this.side.controlLeftOut, 'message of vhost-user left out, after the first ones'),
    ];
  }
}

const NOTHING = new Uint8Array(0);
/** Of any kernel so far it is 64 bytes long, and its reply 80. */
const LONGEST_INIT = 512;
const SILENT = new Uint8Array(64);
for (const row of opcodes) if (!row.reply) SILENT[row.number] = 1;

function isCut(view: DataView, at: number, there: number, length: number): boolean {
  return there < length || (view.getUint16(at + FuseAt.flags, true) & MessageFlag.CUT) !== 0;
}

/** One line of JSON about the share, from whoever. */
function factsIn(comment: string): ShareFacts | undefined {
  try {
    const facts: unknown = JSON.parse(comment);
    return typeof facts === 'object' && facts !== null && !Array.isArray(facts) ? (facts as ShareFacts) : undefined;
  } catch {
    return undefined;
  }
}
