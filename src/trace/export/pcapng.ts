/**
 * A filtered capture: the packets of the chosen requests as they are, with their replies, host calls, and all
 * vhost-user messages, INITs and notes on the DAX window; opens again like the one it comes from.
 *
 * Packets are asked for by their place and written in that order, little-endian and in nanoseconds, whether they are in
 * a file or in what is kept of a live stream. Of that the beginning may be gone: what is left is told what INIT had
 * negotiated and, like a capture that leaves requests out, the names that it needs (`namesSoFar.ts`); how many requests
 * are missing is in the section's comment.
 */
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import { type Gap, RowFlag } from '../capture';
import { FuseAt, isPacket, PacketKind, VhostUserAt } from '../packet';
import type { CapturePackets, SidePacket } from '../packets';
import { enhancedPacket, interfaceDescription, interfaceStatistics, sectionHeader } from '../pcapngWriter';
import { NamesSoFar } from './namesSoFar';
import { PlaceQueue } from './placeQueue';

const CONTROL = 0;
const HOST = 1;
const FIRST_QUEUE = 2;
/** About so many bytes are given at a time. */
const PIECE = 256 << 10;

/** A reply (of a row) or host call (of so many bytes) that belongs to a request written before. */
interface Pending {
  readonly place: number;
  readonly row: number;
  readonly slot: number;
  readonly call?: { readonly captured: number; readonly start: number };
}

/** `chosen`: rows of `capture`, in order. */
export function filteredCapture(
  capture: CapturePackets,
  chosen: Uint32Array,
  application: string,
): Generator<Uint8Array, void, void> {
  return new FilteredCapture(capture, application).pieces(chosen);
}

/** The first row whose packet is still to be had; those behind it have come later. `count`: there is none. */
export function firstKeptRow(capture: CapturePackets): number {
  let low = 0;
  let high = capture.count;
  for (let row = 0; low < high; row = (low + high) >> 1) {
    if (firstPacket(capture, row).length > 0) high = row;
    else low = row + 1;
  }
  return low;
}

const firstPacket = (capture: CapturePackets, row: number): Uint8Array =>
  isOrphan(capture, row) ? capture.replyPacket(row) : capture.requestPacket(row);
const isOrphan = ({ columns }: CapturePackets, row: number): boolean => (columns.flags[row] & RowFlag.ORPHAN) !== 0;

class FilteredCapture {
  private readonly names: NamesSoFar;
  private readonly pending = new PlaceQueue<Pending>();
  private readonly side: readonly SidePacket[];
  private readonly sections: readonly number[];
  private readonly gaps: readonly Gap[];
  private readonly count: number;
  private readonly first: number;
  /** Interfaces of the queues, in this section. */
  private readonly interfaces = new Map<number, number>();
  private prefix = '';
  private nextSide = 0;
  private nextSection = 0;
  private nextGap = 0;
  /** Places for requests under way that are free again, and how many there are in all. */
  private readonly freeSlots: number[] = [];
  private slots = 0;
  /** Packets lost, in this section. */
  private lost = 0;
  private time = 0n;
  private out: Uint8Array[] = [];
  private length = 0;

  constructor(
    private readonly capture: CapturePackets,
    private readonly application: string,
  ) {
    // A live capture goes on growing.
    this.count = capture.count;
    this.side = [...capture.sidePackets];
    this.sections = capture.sectionPlaces;
    this.names = new NamesSoFar(capture);
    this.first = firstKeptRow(capture);
    this.gaps = capture.gaps.filter(({ row }) => row >= this.first);
  }

  *pieces(chosen: Uint32Array): Generator<Uint8Array, void, void> {
    const { capture, count, first } = this;
    const mask = new Uint8Array(count);
    for (const row of chosen) mask[row] = 1;
    this.section();
    for (let row = first; row < count; row++) {
      const isGap = this.nextGap < this.gaps.length && this.gaps[this.nextGap].row <= row;
      // What INIT negotiates says how to read everything else.
      const isWanted = mask[row] === 1 || capture.columns.opcode[row] === (Opcode.INIT as number);
      if (!isGap && !isWanted && row > first) continue;
      yield* this.before(capture.place(row));
      if (row === first) this.sessionBefore(row);
      if (isGap) this.lose(this.gaps[this.nextGap++].packets);
      if (isWanted) this.row(row);
      if (this.length >= PIECE) yield this.piece();
    }
    yield* this.before(Infinity);
    for (; this.nextGap < this.gaps.length; this.nextGap++) this.lose(this.gaps[this.nextGap].packets);
    yield this.piece();
  }

  private section(): void {
    const { share, droppedRows } = this.capture;
    const { tag, earlier } = share;
    const missing = droppedRows + this.first + (typeof earlier === 'number' ? earlier : 0);
    const facts = missing === 0 ? share : { ...share, earlier: missing };
    const comment = Object.keys(facts).length === 0 ? {} : { comment: JSON.stringify(facts) };
    this.prefix = typeof tag === 'string' && tag !== '' ? `${tag} ` : '';
    this.interfaces.clear();
    this.names.reset();
    this.lost = 0;
    this.put(sectionHeader({ os: 'Linux', application: this.application, ...comment }));
    for (const name of ['control', 'host']) this.put(interfaceDescription(`${this.prefix}${name}`));
  }

  /** Made when a packet needs it: a section may have few packets, and a queue any number. */
  private queueInterface(queue: number): number {
    const known = this.interfaces.get(queue);
    if (known !== undefined) return known;
    const made = FIRST_QUEUE + this.interfaces.size;
    this.interfaces.set(queue, made);
    this.put(interfaceDescription(`${this.prefix}queue ${queue}`));
    return made;
  }

  /** What INIT negotiated before a row whose session began with one that is gone. */
  private sessionBefore(row: number): void {
    const init = this.capture.initPackets(row);
    if (!init) return;
    this.message(init.start, init.request);
    this.message(init.start + init.latency, init.reply);
    this.names.reply(Opcode.INIT, init.reply, 0);
  }

  /** A row's first packet, after the names that it needs; what belongs to it comes when it is its turn. */
  private row(row: number): void {
    const { columns } = this.capture;
    const packet = firstPacket(this.capture, row);
    if (packet.length === 0) return this.lose(1);
    if (isOrphan(this.capture, row)) return this.message(columns.start[row] + columns.latency[row], packet);
    const slot = this.freeSlots.pop() ?? this.slots++;
    const told = this.names.request(row, packet, slot);
    this.at(columns.start[row]);
    if (told) this.write(CONTROL, told, told.length);
    this.message(columns.start[row], packet);
    this.capture.forEachHostCall(row, (place, captured, start) => {
      this.pending.add({ place, row, slot, call: { captured, start } });
    });
    if ((columns.flags[row] & (RowFlag.REPLIED | RowFlag.DROPPED)) === 0) this.freeSlots.push(slot);
    else this.pending.add({ place: this.capture.replyPlace(row), row, slot });
  }

  /** All that is pending, and what belongs to no request, up to a place. */
  private *before(place: number): Generator<Uint8Array, void, void> {
    for (;;) {
      const pending = this.pending.first?.place ?? Infinity;
      const side = this.nextSide < this.side.length ? this.side[this.nextSide].place : Infinity;
      const section = this.nextSection < this.sections.length ? this.sections[this.nextSection] : Infinity;
      const next = Math.min(pending, side, section);
      if (!(next < place)) return;
      if (next === section) {
        this.nextSection++;
        this.section();
      } else if (next === side) this.sidePacket(this.side[this.nextSide++]);
      else this.belonging();
      if (this.length >= PIECE) yield this.piece();
    }
  }

  private belonging(): void {
    const next = this.pending.takeFirst();
    if (!next) return;
    const { row, slot, call } = next;
    const { columns } = this.capture;
    if (call) {
      const packet = this.capture.packetAt(next.place, call.captured);
      if (packet.length === 0) return this.lose(1);
      this.at(call.start);
      return this.write(HOST, packet, packet.length);
    }
    this.freeSlots.push(slot);
    const packet = this.capture.replyPacket(row);
    if (packet.length === 0) return this.lose(1);
    // When it was is not kept: it is of the moment of what came before it.
    if ((columns.flags[row] & RowFlag.DROPPED) !== 0) return this.queuePacket(packet);
    this.message(columns.start[row] + columns.latency[row], packet);
    if (columns.error[row] === 0) this.names.reply(columns.opcode[row], packet, slot);
  }

  private sidePacket({ place, captured, start, bytes }: SidePacket): void {
    const packet = bytes ?? this.capture.packetAt(place, captured);
    if (packet.length === 0) return;
    if (!Number.isNaN(start)) this.at(start);
    if (isPacket(packet, PacketKind.Names)) this.names.told(packet);
    const isMessage = isPacket(packet, PacketKind.VhostUser);
    const length = isMessage ? VhostUserAt.message + viewOf(packet).getUint32(VhostUserAt.length, true) : packet.length;
    this.write(CONTROL, packet, length);
  }

  private message(time: number, packet: Uint8Array): void {
    this.at(time);
    this.queuePacket(packet);
  }

  private queuePacket(packet: Uint8Array): void {
    const view = viewOf(packet);
    const length = FuseAt.message + view.getUint32(FuseAt.length, true);
    this.write(this.queueInterface(view.getUint16(FuseAt.queue, true)), packet, length);
  }

  private lose(packets: number): void {
    this.lost += packets;
    this.names.lost();
    this.put(interfaceStatistics(CONTROL, this.time, BigInt(this.lost)));
  }

  /** What is written next is of this time, nanoseconds after the origin. */
  private at(time: number): void {
    this.time = BigInt.asUintN(64, this.capture.origin + BigInt(Math.round(time)));
  }

  private write(interfaceId: number, packet: Uint8Array, length: number): void {
    this.put(enhancedPacket(interfaceId, this.time, packet, Math.max(packet.length, length)));
  }

  private put(block: Uint8Array): void {
    this.out.push(block);
    this.length += block.length;
  }

  private piece(): Uint8Array {
    const piece = new Uint8Array(this.length);
    let at = 0;
    for (const block of this.out) {
      piece.set(block, at);
      at += block.length;
    }
    this.out = [];
    this.length = 0;
    return piece;
  }
}

const viewOf = (packet: Uint8Array): DataView => new DataView(packet.buffer, packet.byteOffset, packet.length);
