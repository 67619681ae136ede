/**
 * A filtered capture: the packets of the chosen requests as they are, with their replies, host calls, and all vhost-user
 * messages and INITs; opens again like the one it comes from.
 *
 * Reads the original once more, packet by packet, beside a reader that says which row each packet belongs to, and writes
 * each section anew, little-endian and in nanoseconds. Names that were known, and those that requests left out have told,
 * are written as such before the first request that needs them, so that paths stay known.
 */
import { Opcode, opcodes } from '../../protocol/fuse/opcodes';
import { EntryOut, InHeader } from '../../protocol/fuse/structs';
import type { Capture } from '../capture';
import { CaptureReader } from '../captureReader';
import { FuseAt, HostCallAt, isPacket, NO_QUEUE, PacketKind, VhostUserAt } from '../packet';
import { PcapngReader } from '../pcapngReader';
import { enhancedPacket, interfaceDescription, interfaceStatistics, sectionHeader } from '../pcapngWriter';
import { ToldNames } from './toldNames';

const CONTROL = 0;
const HOST = 1;
const FIRST_QUEUE = 2;

/** Those whose reply begins with a fuse_entry_out. */
const entryOpcodes: ReadonlySet<number> = new Set(
  opcodes.filter((each) => each.out[0] === EntryOut).map(({ number }) => number),
);

const nothing = new Uint8Array(0);

/** Takes the original's bytes as they come and gives what is to be written. */
export class FilteredCapture {
  /** Rows that are chosen. */
  private readonly chosen: Uint8Array;
  /** Finds the same rows as the first reader did; nothing of it is decoded. */
  private readonly rows = new CaptureReader({
    read: () => nothing,
    completed: (row) => (this.completed = row),
  });
  private readonly names = new ToldNames(this.rows);
  private readonly blocks: PcapngReader;
  private readonly prefix: string;
  private readonly queues: number;
  /** Chosen requests under way, by queue and head, with the time when they were taken. */
  private readonly open = new Map<number, string>();
  /** The row that the last packet has completed; -1 for none. */
  private completed = -1;
  private lost = 0;
  private out: Uint8Array[] = [];

  /** `chosen`: rows of `capture`, which is the whole of the original. */
  constructor(
    { count, columns, share: { tag } }: Capture,
    chosen: Uint32Array,
    private readonly application: string,
  ) {
    this.chosen = new Uint8Array(count);
    for (const row of chosen) this.chosen[row] = 1;
    this.prefix = typeof tag === 'string' && tag !== '' ? `${tag} ` : '';
    this.queues = columns.queue.subarray(0, count).reduce((most, queue) => Math.max(most, queue), 0) + 1;
    this.blocks = new PcapngReader({
      section: (comments) => {
        this.rows.section(comments);
        this.section(comments);
      },
      interface: (name) => this.rows.interface(name),
      packet: (bytes, view, at, captured, position, high, low) => {
        const first = this.rows.count;
        const packet = bytes.subarray(at, at + captured);
        const told = isPacket(packet, PacketKind.Request) ? this.before(first, packet) : undefined;
        this.completed = -1;
        this.rows.packet(bytes, view, at, captured, position, high, low);
        const row = this.rows.count > first ? first : this.completed;
        this.packet(packet, row, told, (BigInt(high) << 32n) | BigInt(low));
      },
      lost: (packets) => {
        this.rows.lost(packets);
        this.lost += packets;
        this.out.push(interfaceStatistics(CONTROL, 0n, BigInt(this.lost)));
      },
    });
  }

  push(chunk: Uint8Array): Uint8Array[] {
    this.out = [];
    this.blocks.push(chunk);
    return this.out;
  }

  private section(comments: readonly string[]): void {
    this.names.clear();
    this.lost = 0;
    const comment = comments.length === 0 ? {} : { comment: comments[0] };
    this.out.push(
      sectionHeader({ os: 'Linux', application: this.application, ...comment }),
      interfaceDescription(`${this.prefix}control`),
      interfaceDescription(`${this.prefix}host`),
    );
    for (let queue = 0; queue < this.queues; queue++) {
      this.out.push(interfaceDescription(`${this.prefix}queue ${queue}`));
    }
  }

  /** The names that have to be told before a request that becomes this row. */
  private before(row: number, packet: Uint8Array): Uint8Array | undefined {
    // What INIT negotiates says how to read everything else.
    const opcodeAt = FuseAt.message + InHeader.offset.opcode;
    if (opcodeAt + 4 <= packet.length && viewOf(packet).getUint32(opcodeAt, true) === Opcode.INIT) {
      this.chosen[row] = 1;
      this.names.clear();
    }
    return this.chosen[row] === 1 ? this.names.before(packet) : undefined;
  }

  private packet(packet: Uint8Array, row: number, told: Uint8Array | undefined, time: bigint): void {
    const view = viewOf(packet);
    const isRequest = isPacket(packet, PacketKind.Request);
    if (isRequest || isPacket(packet, PacketKind.Reply)) {
      const place = placeOf(view, FuseAt.queue, FuseAt.head);
      this.open.delete(place);
      if (row < 0 || this.chosen[row] !== 1) return;
      if (told) this.write(CONTROL, time, told, told.length);
      if (!isRequest && entryOpcodes.has(this.rows.columns.opcode[row])) this.names.entry(packet);
      if (isRequest) this.open.set(place, takenOf(view, FuseAt.taken));
      const length = FuseAt.message + view.getUint32(FuseAt.length, true);
      this.write(FIRST_QUEUE + view.getUint16(FuseAt.queue, true), time, packet, length);
    } else if (isPacket(packet, PacketKind.HostCall)) {
      const place = placeOf(view, HostCallAt.queue, HostCallAt.head);
      if (view.getUint16(HostCallAt.queue, true) === NO_QUEUE) return;
      if (this.open.get(place) === takenOf(view, HostCallAt.taken)) this.write(HOST, time, packet, packet.length);
    } else if (isPacket(packet, PacketKind.VhostUser)) {
      this.write(CONTROL, time, packet, VhostUserAt.message + view.getUint32(VhostUserAt.length, true));
    } else if (isPacket(packet, PacketKind.Names)) this.write(CONTROL, time, packet, packet.length);
  }

  private write(interfaceId: number, time: bigint, packet: Uint8Array, length: number): void {
    this.out.push(enhancedPacket(interfaceId, time, packet, Math.max(packet.length, length)));
  }
}

const viewOf = (packet: Uint8Array): DataView => new DataView(packet.buffer, packet.byteOffset, packet.length);
const placeOf = (view: DataView, queueAt: number, headAt: number): number =>
  view.getUint16(queueAt, true) * 0x1_0000_0000 + view.getUint32(headAt, true);
const takenOf = (view: DataView, at: number): string => `${view.getUint32(at, true)} ${view.getUint32(at + 4, true)}`;
