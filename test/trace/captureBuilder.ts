/**
 * Makes captures as docs/capture-format.md describes them, out of requests and replies: for tests.
 *
 * The opcode's row says which structures, names and payload a message has; what a test leaves out is zero, or follows
 * from the rest (sizes, `unique`, a free head, a clock that advances). Independent of the daemon's writer.
 *
 *   new CaptureBuilder()
 *     .init()
 *     .exchange('LOOKUP', { names: ['a.db'], out: { nodeid: 2, attr: { mode: 0o100644 } } })
 *     .exchange('READ', { nodeid: 2, in: { fh: 1, size: 4096 }, outPayload: 4096, latency: 30_000 })
 *     .bytes();
 */
import type { Plain } from '../../src/protocol/decode';
import { concatenate, encodeReply, encodeRequest, encodeStruct, type Values } from '../../src/protocol/encode';
import { Errno, type ErrnoName } from '../../src/protocol/errno';
import { initFlags, initFlags2 } from '../../src/protocol/fuse/flags';
import { opcodeByNumber, Opcode, type OpcodeName, type OpcodeRow } from '../../src/protocol/fuse/opcodes';
import { BatchForgetIn, Direntplus, ForgetOne, recordAlign } from '../../src/protocol/fuse/structs';
import { hostCallNumber } from '../../src/protocol/hostCalls';
import type { Machine } from '../../src/protocol/machine';
import type { StructTable } from '../../src/protocol/struct';
import { encodeText } from '../../src/protocol/text';
import { Header } from '../../src/protocol/vhostUser/structs';
import { CaptureReader, type CaptureReaderOptions } from '../../src/trace/captureReader';
import {
  FuseAt,
  HostCallAt,
  HostCallFlag,
  MessageFlag,
  NAME_RECORD,
  NamesAt,
  NO_QUEUE,
  PACKET_VERSION,
  PacketKind,
  VhostUserAt,
  VhostUserFlag,
  WindowAt,
} from '../../src/trace/packet';
import { enhancedPacket, interfaceDescription, interfaceStatistics, sectionHeader } from '../../src/trace/pcapngWriter';

/** Fields of structures by name; nested ones are objects. */
export type FieldValues = Readonly<Record<string, Plain>>;

/** Nanoseconds since the epoch at which captures begin: `at: 0`. */
export const EPOCH = 1_700_000_000_000_000_000n;

export interface RequestOptions {
  readonly nodeid?: number | bigint;
  readonly uid?: number;
  readonly gid?: number;
  readonly pid?: number;
  readonly queue?: number;
  readonly head?: number;
  readonly unique?: number | bigint;
  /** When it was taken: nanoseconds after EPOCH. Else the clock, which goes on by 20 µs with each request. */
  readonly at?: number;
  readonly queued?: number;
  /** Values of the structure after the header. */
  readonly in?: FieldValues;
  readonly names?: readonly string[];
  /** Data, or how many bytes of it. `records` of BATCH_FORGET: `forgets`. */
  readonly payload?: Uint8Array | string | number;
  readonly forgets?: readonly { readonly nodeid: number; readonly nlookup: number }[];
  /** The snap length of this message; else that of the builder. */
  readonly snap?: number;
  /** The bytes of the whole message, instead of all that. */
  readonly raw?: Uint8Array;
}

export interface Entry {
  readonly name: string;
  readonly ino?: number;
  readonly type?: number;
  readonly off?: number;
  /** READDIRPLUS: the entry_out; without it nodeid is 0. */
  readonly out?: FieldValues;
}

export interface ReplyOptions {
  /** Nanoseconds from taking the request to giving the reply; 10 µs unless said. */
  readonly latency?: number;
  readonly host?: number;
  readonly writing?: number;
  /** Host system calls; else as many as `hostCalls` has. */
  readonly calls?: number;
  readonly later?: boolean;
  /** Nanoseconds, whole microseconds of them, that a debugger or a fault held it; whether one changed it. */
  readonly held?: number;
  readonly changed?: boolean;
  /** A name, or the number in the header (0 or negative). */
  readonly error?: ErrnoName | number;
  /** Values of the structures after the header: of the first, or of each. */
  readonly out?: FieldValues | readonly FieldValues[];
  readonly outPayload?: Uint8Array | string | number;
  /** Of READDIR and READDIRPLUS. */
  readonly entries?: readonly Entry[];
  readonly snap?: number;
  readonly replyUnique?: number | bigint;
  readonly rawReply?: Uint8Array;
}

export interface HostCallOptions {
  readonly arguments?: readonly (number | bigint)[];
  readonly texts?: readonly string[];
  readonly result?: number;
  readonly duration?: number;
  /** When it began: nanoseconds after EPOCH; else when the request was taken. */
  readonly at?: number;
  readonly otherThread?: boolean;
  /** The request it is made for; else the last one. null: none. */
  readonly of?: Sent | null;
}

export type ExchangeOptions = RequestOptions &
  ReplyOptions & { readonly hostCalls?: readonly (HostCallOptions & { readonly call: string })[] };

/** A request that was written: what its reply and its host calls refer to. */
export interface Sent {
  readonly row: OpcodeRow | undefined;
  readonly queue: number;
  readonly head: number;
  readonly unique: number | bigint;
  readonly at: number;
  readonly queued: number;
  /** `size` of its arguments. */
  readonly asked: number | undefined;
}

export interface BuilderOptions {
  readonly tag?: string;
  readonly directory?: string;
  /** More members of the section's comment. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** How many virtqueues have an interface; 2 unless said. */
  readonly queues?: number;
  readonly snaplen?: number;
  /** Whose open(2) flags the messages have; x86-64's unless said. */
  readonly machine?: Machine;
}

export const CONTROL_INTERFACE = 0;
export const HOST_INTERFACE = 1;
export const queueInterface = (queue: number): number => 2 + queue;

const HIPRIO: readonly number[] = [Opcode.FORGET, Opcode.BATCH_FORGET, Opcode.INTERRUPT];

export class CaptureBuilder {
  /** The last request; undefined before the first. */
  last: Sent | undefined;
  private readonly blocks: Uint8Array[] = [];
  private readonly snaplen: number;
  private readonly busy = new Set<number>();
  private clock = 0;
  private nextUnique = 2;
  private dropped = 0;

  constructor(private readonly options: BuilderOptions = {}) {
    this.snaplen = options.snaplen ?? 256;
    this.section();
  }

  /** A section header and its interfaces; the constructor writes the first. */
  section(facts: Readonly<Record<string, unknown>> = {}): this {
    const { tag, directory, queues = 2 } = this.options;
    const prefix = tag === undefined ? '' : `${tag} `;
    const known = { tag, directory, snaplen: this.snaplen, ...this.options.facts, ...facts };
    const comment = JSON.stringify(known);
    this.dropped = 0;
    this.raw(sectionHeader({ os: 'Linux', application: 'virtiofs-studio test', comment }));
    this.raw(interfaceDescription(`${prefix}control`)).raw(interfaceDescription(`${prefix}host`));
    for (let q = 0; q < queues; q++) this.raw(interfaceDescription(`${prefix}queue ${q}`));
    return this;
  }

  /** Any bytes, a block of another kind for example. */
  raw(bytes: Uint8Array): this {
    this.blocks.push(bytes);
    return this;
  }

  /** A request and, unless its opcode has none, its reply. */
  exchange(opcode: OpcodeName | number, options: ExchangeOptions = {}): this {
    const sent = this.request(opcode, options);
    for (const { call, ...rest } of options.hostCalls ?? []) this.hostCall(call, { of: sent, ...rest });
    const calls = options.calls ?? options.hostCalls?.length ?? 0;
    if (sent.row?.reply !== false) this.reply(sent, { ...options, calls });
    return this;
  }

  /** A request that is still in progress; what is returned is for `reply` and `hostCall`. */
  request(opcode: OpcodeName | number, options: RequestOptions = {}): Sent {
    const number = typeof opcode === 'number' ? opcode : Opcode[opcode];
    const row = opcodeByNumber(number);
    const queue = options.queue ?? (HIPRIO.includes(number) ? 0 : 1);
    const unique = options.unique ?? this.nextUnique;
    this.nextUnique += 2;
    const at = options.at ?? (this.clock += 20_000);
    this.clock = Math.max(this.clock, at);
    const { message, data } = requestMessage(number, row, unique, options);
    const head = options.head ?? this.freeHead(queue);
    const asked = options.in?.size ?? (number === Opcode.WRITE ? dataOf(options.payload)?.length : undefined);
    const sent: Sent = {
      row,
      queue,
      head,
      unique,
      at,
      queued: options.queued ?? 0,
      asked: typeof asked === 'number' ? asked : undefined,
    };
    if (row?.reply !== false) this.busy.add(queue * 0x1_0000_0000 + head);
    this.message(PacketKind.Request, sent, at, message, data, options.snap, {});
    this.last = sent;
    return sent;
  }

  /** The reply to a request (the last one unless said). */
  reply(to: Sent | undefined = this.last, options: ReplyOptions = {}): this {
    if (!to) throw new Error('no request to reply to');
    const { message, data } = replyMessage(to, options);
    const at = to.at + (options.latency ?? 10_000);
    this.busy.delete(to.queue * 0x1_0000_0000 + to.head);
    return this.message(PacketKind.Reply, to, at, message, data, options.snap, options);
  }

  /** A fault drops the reply to a request (the last one unless said). */
  replyDropped(of: Sent | undefined = this.last, options: ReplyOptions = {}): this {
    if (!of) throw new Error('no request to drop the reply of');
    const at = of.at + (options.latency ?? 10_000);
    return this.message(PacketKind.Dropped, of, at, new Uint8Array(0), 0, undefined, { ...options, changed: true });
  }

  /** A message from the daemon on its own: `code` is that of the notification. */
  notification(
    code: number,
    body: Uint8Array,
    { queue = 1, at = this.clock }: { queue?: number; at?: number } = {},
  ): this {
    const sent: Sent = { row: undefined, queue, head: 0, unique: 0, at, queued: 0, asked: undefined };
    const message = encodeReply(0, code, body);
    return this.message(PacketKind.Reply, sent, at, message, 0, undefined, {});
  }

  private freeHead(queue: number): number {
    for (let head = 0; ; head += 2) if (!this.busy.has(queue * 0x1_0000_0000 + head)) return head;
  }

  /** `data`: how many of the message's last bytes the snap length may cut. */
  private message(
    kind: PacketKind.Request | PacketKind.Reply | PacketKind.Dropped,
    { queue, head, at, queued }: Sent,
    time: number,
    message: Uint8Array,
    data: number,
    snap = this.snaplen,
    { host = 0, writing = 0, calls = 0, later = false, held = 0, changed = false }: ReplyOptions,
  ): this {
    const kept = message.length - Math.max(0, data - snap);
    const packet = new Uint8Array(FuseAt.message + kept);
    const view = new DataView(packet.buffer);
    const cut = kept < message.length ? MessageFlag.CUT : 0;
    packet[0] = PACKET_VERSION;
    packet[1] = kind;
    view.setUint16(FuseAt.queue, queue, true);
    view.setUint32(FuseAt.head, head, true);
    view.setBigUint64(FuseAt.taken, EPOCH + BigInt(at), true);
    view.setUint32(FuseAt.length, message.length, true);
    const arm64 = this.options.machine === 'arm64' ? MessageFlag.ARM64 : 0;
    const flags =
      arm64 |
      cut |
      (later ? MessageFlag.LATER : 0) |
      (held > 0 ? MessageFlag.HELD : 0) |
      (changed ? MessageFlag.CHANGED : 0);
    view.setUint16(FuseAt.flags, flags, true);
    view.setUint16(FuseAt.calls, calls, true);
    view.setUint32(FuseAt.queued, queued, true);
    view.setUint32(FuseAt.host, host, true);
    view.setUint32(FuseAt.writing, writing, true);
    view.setUint32(FuseAt.held, Math.min(held / 1000, 0xffff_ffff), true);
    packet.set(message.subarray(0, kept), FuseAt.message);
    return this.packet(queueInterface(queue), time, packet, FuseAt.message + message.length);
  }

  /** One packet as it is; `time` in nanoseconds after EPOCH. */
  packet(interfaceId: number, time: number, packet: Uint8Array, fullLength = packet.length): this {
    return this.raw(enhancedPacket(interfaceId, EPOCH + BigInt(time), packet, fullLength));
  }

  hostCall(call: string, options: HostCallOptions = {}): this {
    const of = options.of === undefined ? this.last : options.of;
    const args = options.arguments ?? [];
    const texts = (options.texts ?? []).map((text) => Uint8Array.from([...encodeText(text), 0]));
    const packet = concatenate([new Uint8Array(HostCallAt.arguments + 8 * args.length), ...texts]);
    const view = new DataView(packet.buffer);
    const at = options.at ?? of?.at ?? this.clock;
    packet[0] = PACKET_VERSION;
    packet[1] = PacketKind.HostCall;
    view.setUint16(HostCallAt.queue, of?.queue ?? NO_QUEUE, true);
    view.setUint32(HostCallAt.head, of?.head ?? 0, true);
    view.setBigUint64(HostCallAt.taken, of ? EPOCH + BigInt(of.at) : 0n, true);
    const number = hostCallNumber[call];
    if (number === undefined) throw new Error(`no host call ${call}`);
    view.setUint16(HostCallAt.call, number, true);
    const arm64 = this.options.machine === 'arm64' ? HostCallFlag.ARM64 : 0;
    view.setUint16(HostCallAt.flags, arm64 | (options.otherThread ? HostCallFlag.OTHER_THREAD : 0), true);
    view.setUint32(HostCallAt.count, args.length, true);
    view.setBigInt64(HostCallAt.result, BigInt(options.result ?? 0), true);
    view.setBigUint64(HostCallAt.duration, BigInt(options.duration ?? 1000), true);
    args.forEach((value, i) => view.setBigInt64(HostCallAt.arguments + 8 * i, BigInt(value), true));
    return this.packet(HOST_INTERFACE, at, packet);
  }

  /** A vhost-user message: its header and payload. */
  vhostUser(
    request: number,
    options: {
      flags?: number;
      payload?: Uint8Array;
      descriptors?: number;
      toFrontEnd?: boolean;
      /** On the back-end's own channel. */
      own?: boolean;
      at?: number;
    } = {},
  ): this {
    const payload = options.payload ?? new Uint8Array(0);
    const header = encodeStruct(Header, { request, flags: options.flags ?? 1, size: payload.length } as Values);
    const packet = concatenate([new Uint8Array(VhostUserAt.message), header, payload]);
    const view = new DataView(packet.buffer);
    packet[0] = PACKET_VERSION;
    packet[1] = PacketKind.VhostUser;
    const channel = options.own ? VhostUserFlag.BACK_END_CHANNEL : 0;
    view.setUint16(VhostUserAt.direction, (options.toFrontEnd ? VhostUserFlag.TO_FRONT_END : 0) | channel, true);
    view.setUint32(VhostUserAt.descriptors, options.descriptors ?? 0, true);
    view.setUint32(VhostUserAt.length, header.length + payload.length, true);
    return this.packet(CONTROL_INTERFACE, options.at ?? this.clock, packet);
  }

  /** What there is to say of a file and the DAX window; `what` is one of WindowWhat. */
  window(
    what: number,
    options: {
      nodeid: number | bigint;
      path?: string;
      text?: string;
      fileOffset?: number;
      length?: number;
      windowOffset?: number;
      at?: number;
    },
  ): this {
    const text = encodeText(`${options.path ?? ''}\0${options.text ?? ''}`);
    const packet = concatenate([new Uint8Array(WindowAt.text), text]);
    const view = new DataView(packet.buffer);
    packet[0] = PACKET_VERSION;
    packet[1] = PacketKind.Window;
    view.setUint16(WindowAt.what, what, true);
    view.setBigUint64(WindowAt.nodeid, BigInt(options.nodeid), true);
    view.setBigUint64(WindowAt.fileOffset, BigInt(options.fileOffset ?? 0), true);
    view.setBigUint64(WindowAt.length, BigInt(options.length ?? 0), true);
    view.setBigUint64(WindowAt.windowOffset, BigInt(options.windowOffset ?? 0), true);
    return this.packet(CONTROL_INTERFACE, options.at ?? this.clock, packet);
  }

  /** What was known before the capture began. */
  names(records: readonly { nodeid: number; parent: number; name: string; lookups?: number }[], flags = 0): this {
    const encoded = records.map(({ nodeid, parent, name, lookups = 1 }) => {
      const text = encodeText(name);
      const record = new Uint8Array(recordAlign(NAME_RECORD + text.length));
      const view = new DataView(record.buffer);
      view.setBigUint64(0, BigInt(nodeid), true);
      view.setBigUint64(8, BigInt(parent), true);
      view.setBigUint64(16, BigInt(lookups), true);
      view.setUint16(24, text.length, true);
      record.set(text, NAME_RECORD);
      return record;
    });
    const packet = concatenate([new Uint8Array(NamesAt.records), ...encoded]);
    packet[0] = PACKET_VERSION;
    packet[1] = PacketKind.Names;
    const view = new DataView(packet.buffer);
    view.setUint16(NamesAt.count, records.length, true);
    view.setUint32(NamesAt.flags, flags, true);
    return this.packet(CONTROL_INTERFACE, this.clock, packet);
  }

  /** So many packets more were lost. */
  lost(packets: number): this {
    this.dropped += packets;
    const time = EPOCH + BigInt(this.clock);
    return this.raw(interfaceStatistics(CONTROL_INTERFACE, time, BigInt(this.dropped)));
  }

  /** INIT and its reply; `flags` are names without FUSE_. */
  init({
    minor = 46,
    flags = [],
    ...rest
  }: { minor?: number; flags?: readonly string[] } & ExchangeOptions = {}): this {
    const bit = (name: string): bigint => {
      const low = initFlags.bits.find((each) => each.name === name);
      const high = initFlags2.bits.find((each) => each.name === name);
      if (!low && !high) throw new Error(`no INIT flag ${name}`);
      return BigInt((low?.value ?? 0) >>> 0) | (BigInt((high?.value ?? 0) >>> 0) << 32n);
    };
    const all = flags.reduce((bits, name) => bits | bit(name), 1n << 30n);
    const both = { flags: Number(all & 0xffff_ffffn), flags2: Number(all >> 32n) };
    return this.exchange('INIT', {
      nodeid: 0,
      in: { major: 7, minor: 46, max_readahead: 131072, ...both },
      out: { major: 7, minor, max_readahead: 131072, max_write: 1 << 20, max_pages: 256, time_gran: 1, ...both },
      ...rest,
    });
  }

  /** The whole file. */
  bytes(): Uint8Array<ArrayBuffer> {
    return concatenate(this.blocks);
  }

  /** The same, read. */
  capture(options?: CaptureReaderOptions): CaptureReader {
    const reader = new CaptureReader(options);
    reader.push(this.bytes());
    reader.end();
    return reader;
  }
}

function dataOf(payload: Uint8Array | string | number | undefined): Uint8Array | undefined {
  if (typeof payload === 'string') return encodeText(payload);
  return typeof payload === 'number' ? new Uint8Array(payload).fill(0x78) : payload;
}

/** `data`: bytes at the end that a snap length may cut. */
interface Encoded {
  readonly message: Uint8Array;
  readonly data: number;
}

function requestMessage(
  opcode: number,
  row: OpcodeRow | undefined,
  unique: number | bigint,
  options: RequestOptions,
): Encoded {
  if (options.raw) return { message: options.raw, data: 0 };
  const { nodeid = 1, uid = 1000, gid = 1000, pid = 100, names = [], forgets } = options;
  let payload = dataOf(options.payload);
  const values: Record<string, Plain> = { ...options.in };
  if (forgets) {
    payload = concatenate(forgets.map((one) => encodeStruct(ForgetOne, one)));
    values[BatchForgetIn.fields[0].name] = forgets.length;
  } else if (payload && row?.inPayload?.kind === 'data' && row.inPayload.size) {
    values[row.inPayload.size] ??= payload.length;
  }
  const structs = (row?.in ?? []).map((table: StructTable) => encodeStruct(table, values));
  const parts = [...structs, ...names, ...(payload ? [payload] : [])];
  const message = encodeRequest({ opcode, unique, nodeid, uid, gid, pid }, ...parts);
  return { message, data: row?.inPayload?.kind === 'data' ? (payload?.length ?? 0) : 0 };
}

function replyMessage({ row, unique, asked }: Sent, options: ReplyOptions): Encoded {
  if (options.rawReply) return { message: options.rawReply, data: 0 };
  const error = typeof options.error === 'string' ? -Errno[options.error] : (options.error ?? 0);
  const id = options.replyUnique ?? unique;
  if (error !== 0 || !row) return { message: encodeReply(id, error), data: 0 };
  const written = row.number === Opcode.WRITE ? [{ size: asked ?? 0 }] : [];
  const { out = written } = options;
  const values = Array.isArray(out) ? (out as readonly FieldValues[]) : [out as FieldValues];
  const short = asked === 0 || asked === undefined ? row.outIfSizeZero : undefined;
  const structs = (short ?? row.out).map((table: StructTable, i) => encodeStruct(table, values[i] ?? {}));
  const shape = short ? undefined : row.outPayload;
  const payload = shape?.kind === 'dirents' ? listing(shape.record, options.entries ?? []) : dataOf(options.outPayload);
  const message = encodeReply(id, error, ...structs, ...(payload ? [payload] : []));
  return { message, data: shape?.kind === 'data' ? (payload?.length ?? 0) : 0 };
}

/** The payload of READDIR (record fuse_dirent) or READDIRPLUS. */
function listing(record: StructTable, entries: readonly Entry[]): Uint8Array {
  return concatenate(
    entries.map((entry, i) => {
      const name = encodeText(entry.name);
      const dirent = { ino: entry.ino ?? i + 1, off: entry.off ?? i + 1, namelen: name.length, type: entry.type ?? 8 };
      const values = record.name === Direntplus.name ? { entry_out: entry.out ?? {}, dirent } : dirent;
      const bytes = new Uint8Array(recordAlign(record.size + name.length));
      bytes.set(encodeStruct(record, values as Values));
      bytes.set(name, record.size);
      return bytes;
    }),
  );
}
