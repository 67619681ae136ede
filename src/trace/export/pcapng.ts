/**
 * A filtered capture: the packets of the chosen requests as they are, with their replies, host calls and all vhost-user
 * messages; opens again like the one it comes from.
 *
 * Reads the original once more, packet by packet, and writes each section anew, little-endian and in nanoseconds. Names
 * that were known, and those that requests left out have told, are written as such before the first request that needs
 * them (docs/capture-format.md, kind 4), so that paths stay known.
 */
import { InHeader, OutHeader } from '../../protocol/fuse/structs';
import type { Capture } from '../capture';
import { isOrphan } from '../line';
import { FuseAt, HostCallAt, isPacket, NO_QUEUE, PacketKind, VhostUserAt } from '../packet';
import { PcapngReader } from '../pcapngReader';
import { enhancedPacket, interfaceDescription, interfaceStatistics, sectionHeader } from '../pcapngWriter';
import { ToldNames } from './toldNames';

const CONTROL = 0;
const HOST = 1;
const FIRST_QUEUE = 2;

/** Takes the original's bytes as they come and gives what is to be written. */
export class FilteredCapture {
  private readonly chosen: Float64Array;
  /** Requests under way that were chosen: queue and head, with the time when they were taken. */
  private readonly open = new Map<number, string>();
  private readonly reader: PcapngReader;
  private readonly names = new ToldNames();
  private readonly queues: number;
  private blocks: Uint8Array[] = [];
  private lost = 0;

  constructor(
    private readonly capture: Capture,
    rows: Uint32Array,
    private readonly application: string,
  ) {
    this.chosen = Float64Array.from(rows, (row) => keyOfRow(capture, row)).sort();
    this.queues = capture.columns.queue.subarray(0, capture.count).reduce((most, queue) => Math.max(most, queue), 0) + 1;
    this.reader = new PcapngReader({
      section: (comments) => this.section(comments),
      packet: (bytes, _view, at, captured, _position, high, low) => {
        this.packet(bytes.subarray(at, at + captured), (BigInt(high) << 32n) | BigInt(low));
      },
      lost: (packets) => this.loss(packets),
    });
  }

  push(chunk: Uint8Array): Uint8Array[] {
    this.blocks = [];
    this.reader.push(chunk);
    return this.blocks;
  }

  private section(comments: readonly string[]): void {
    this.open.clear();
    this.lost = 0;
    this.names.clear();
    const { tag } = this.capture.share;
    const prefix = typeof tag === 'string' && tag !== '' ? `${tag} ` : '';
    const comment = comments[0];
    this.blocks.push(
      sectionHeader({ os: 'Linux', application: this.application, ...(comment === undefined ? {} : { comment }) }),
      interfaceDescription(`${prefix}control`),
      interfaceDescription(`${prefix}host`),
    );
    for (let queue = 0; queue < this.queues; queue++) {
      this.blocks.push(interfaceDescription(`${prefix}queue ${queue}`));
    }
  }

  private packet(packet: Uint8Array, time: bigint): void {
    const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
    if (isPacket(packet, PacketKind.Request)) this.request(packet, view, time);
    else if (isPacket(packet, PacketKind.Reply)) this.reply(packet, view, time);
    else if (isPacket(packet, PacketKind.HostCall)) this.hostCall(packet, view, time);
    else if (isPacket(packet, PacketKind.VhostUser)) this.write(CONTROL, time, packet, VhostUserAt.message + view.getUint32(VhostUserAt.length, true));
    else if (isPacket(packet, PacketKind.Names)) {
      this.names.known(packet, view);
      this.write(CONTROL, time, packet, packet.length);
    }
  }

  private request(packet: Uint8Array, view: DataView, time: bigint): void {
    const queue = view.getUint16(FuseAt.queue, true);
    const place = queue * 0x1_0000_0000 + view.getUint32(FuseAt.head, true);
    const message = packet.subarray(FuseAt.message);
    const key = keyOfMessage(queue, view, message, InHeader.offset.unique);
    const told = this.isChosen(key) ? this.names.before(packet, view) : undefined;
    this.names.request(place, packet, view);
    if (!this.isChosen(key)) {
      this.open.delete(place);
      return;
    }
    if (told) this.write(CONTROL, time, told, told.length);
    this.open.set(place, takenOf(view, FuseAt.taken));
    this.write(FIRST_QUEUE + queue, time, packet, FuseAt.message + view.getUint32(FuseAt.length, true));
  }

  private reply(packet: Uint8Array, view: DataView, time: bigint): void {
    const queue = view.getUint16(FuseAt.queue, true);
    const place = queue * 0x1_0000_0000 + view.getUint32(FuseAt.head, true);
    const message = packet.subarray(FuseAt.message);
    this.names.reply(place, packet, view);
    const mine = this.open.get(place) === takenOf(view, FuseAt.taken);
    if (mine) this.open.delete(place);
    else if (!this.isChosen(-keyOfMessage(queue, view, message, OutHeader.offset.unique))) return;
    this.write(FIRST_QUEUE + queue, time, packet, FuseAt.message + view.getUint32(FuseAt.length, true));
  }

  private hostCall(packet: Uint8Array, view: DataView, time: bigint): void {
    const queue = view.getUint16(HostCallAt.queue, true);
    const place = queue * 0x1_0000_0000 + view.getUint32(HostCallAt.head, true);
    if (queue === NO_QUEUE || this.open.get(place) !== takenOf(view, HostCallAt.taken)) return;
    this.write(HOST, time, packet, packet.length);
  }

  private loss(packets: number): void {
    this.lost += packets;
    this.blocks.push(interfaceStatistics(CONTROL, 0n, BigInt(this.lost)));
  }

  private write(interfaceId: number, time: bigint, packet: Uint8Array, length: number): void {
    this.blocks.push(enhancedPacket(interfaceId, time, packet, length));
  }

  private isChosen(key: number): boolean {
    let low = 0;
    let high = this.chosen.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.chosen[middle] < key) low = middle + 1;
      else high = middle;
    }
    return this.chosen[low] === key;
  }
}

/** A row as a number that its packets give as well; of a reply without a request it is negative. */
function keyOfRow(capture: Capture, row: number): number {
  const { queue, start } = capture.columns;
  const orphan = isOrphan(capture, row);
  const bytes = orphan ? capture.replyBytes(row) : capture.requestBytes(row);
  const taken = BigInt.asUintN(64, capture.origin + BigInt(Math.round(start[row])));
  const low = Number(taken & 0xffff_ffffn);
  const high = Number(taken >> 32n);
  const key = keyOf(queue[row], low, high, bytes, orphan ? OutHeader.offset.unique : InHeader.offset.unique);
  return orphan ? -key : key;
}

function keyOfMessage(queue: number, view: DataView, message: Uint8Array, uniqueAt: number): number {
  const low = view.getUint32(FuseAt.taken, true);
  const high = view.getUint32(FuseAt.taken + 4, true);
  return keyOf(queue, low, high, message, uniqueAt);
}

/** 52 bits of queue, time and unique: two requests of a million are alike once in 9,000 captures, and then both are kept. */
function keyOf(queue: number, low: number, high: number, message: Uint8Array, uniqueAt: number): number {
  let a = Math.imul(low ^ (queue << 16), 0x85ebca6b);
  let b = Math.imul(high ^ queue ^ (low >>> 7), 0xc2b2ae35);
  for (let at = uniqueAt; at < uniqueAt + 8 && at < message.length; at++) {
    a = Math.imul(a ^ message[at], 0x01000193);
    b = Math.imul(b ^ message[at] ^ (a >>> 11), 0x5bd1e995);
  }
  a ^= a >>> 15;
  b ^= b >>> 13;
  return (a & 0x3ffffff) * 0x4000000 + (b & 0x3ffffff) + 1;
}

const takenOf = (view: DataView, at: number): string => `${view.getUint32(at, true)} ${view.getUint32(at + 4, true)}`;
