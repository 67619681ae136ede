/**
 * The front-end's end of a DAX window: serves the back-end channel, really maps what it is handed, and reads and writes
 * through it. As strict as QEMU 11.1 is, and as harmful: mapping an empty file makes it longer.
 *
 * Loads and stores go through /proc/self/mem, so that one beyond the end of a file is an error (EIO) here and not the
 * end of the process, as it would be of QEMU. What a lying or silent front-end does is the test's (`answer`).
 */
import * as fs from 'node:fs';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import { RemovemappingIn, RemovemappingOne, SetupmappingIn } from '../../src/protocol/fuse/structs';
import { BackendRequest, ProtocolFeature, Request } from '../../src/protocol/vhostUser/requests';
import { HeaderFlag, Mmap } from '../../src/protocol/vhostUser/structs';
import type { AttachedDevice } from './attachedDevice';
import { Fields, pack } from './pack';
import type { FuseClient, Pending, Reply } from './fuseClient';
import { close, fileStatus, mapAt, readable, receiveBytes, sendBytes, socketPair, unmapAt } from './host';

const HEADER = 12;
const PAGE = 4096;
const NO_HANDLE = 0xffff_ffff_ffff_ffffn;
/** Where the guest sees the window. */
export const WINDOW_ADDRESS = 0x40_0000_0000;

export interface WindowMapping {
  readonly at: number;
  readonly length: number;
  readonly fd: number;
  readonly fileOffset: number;
}

export interface WindowOrder {
  readonly map: boolean;
  readonly at: number;
  readonly length: number;
  readonly fileOffset: number;
}

/** What the front-end makes of an order: `well` is QEMU's way; the others are a test's. */
export type Answer = 'well' | 'refuse' | 'silent' | 'lie' | 'close' | 'nonsense';

export class DriverWindow {
  readonly size: number;
  readonly mappings: WindowMapping[] = [];
  /** Each order in turn, and what became of it: 0 done, else QEMU's complaint. */
  readonly orders: (WindowOrder & { readonly fault: string })[] = [];
  /** Files that were empty when they were mapped: QEMU has made them longer. */
  grown = 0;
  answer: (order: WindowOrder) => Answer = () => 'well';
  /** Tell of new regions, as QEMU does. */
  announces = true;
  private readonly base: number;
  private readonly memory = fs.openSync('/proc/self/mem', 'r+');
  private channel: number;

  constructor(readonly device: AttachedDevice) {
    const config = device.frontEnd.ask(Request.GET_SHMEM_CONFIG);
    this.size = Number(new DataView(config.buffer, config.byteOffset).getBigUint64(8, true));
    this.base = mapAt(0, this.size, -1, 0);
    const [ours, theirs] = socketPair();
    this.channel = ours;
    device.frontEnd.tell(Request.SET_BACKEND_REQ_FD, new Uint8Array(0), [theirs]);
    close(theirs);
  }

  /** Serves every order that has come, waiting so long for the first one. True when there was one. */
  serve(milliseconds = 0): boolean {
    let any = false;
    while (this.channel >= 0 && readable(this.channel, any ? 0 : milliseconds)) {
      if (!this.serveOne()) break;
      any = true;
    }
    return any;
  }

  /** Waits for a reply and serves orders meanwhile. */
  wait(client: FuseClient, pending: Pending, milliseconds = 5000): Reply {
    for (const end = Date.now() + milliseconds; !client.done(pending);) {
      if (Date.now() > end) throw new Error(`no reply to opcode ${pending.opcode}`);
      this.serve(5);
    }
    return client.wait(pending);
  }

  setup(client: FuseClient, nodeid: bigint, values: SetupValues): number {
    return this.wait(client, this.startSetup(client, nodeid, values)).error;
  }

  startSetup(client: FuseClient, nodeid: bigint, values: SetupValues): Pending {
    const args = pack(SetupmappingIn, { fh: NO_HANDLE, flags: 3, foffset: 0, moffset: 0, ...values });
    return client.start(Opcode.SETUPMAPPING, nodeid, [args], { room: 0 });
  }

  remove(client: FuseClient, nodeid: bigint, slices: readonly Slice[], count = slices.length): number {
    const list = Buffer.concat(slices.map((slice) => pack(RemovemappingOne, slice)));
    const parts = [pack(RemovemappingIn, { count }), ...(list.length > 0 ? [list] : [])];
    return this.wait(client, client.start(Opcode.REMOVEMAPPING, nodeid, parts, { room: 0 })).error;
  }

  load(at: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    fs.readSync(this.memory, bytes, 0, length, this.base + at);
    return bytes;
  }

  store(at: number, text: string): void {
    fs.writeSync(this.memory, Buffer.from(text), 0, text.length, this.base + at);
  }

  /** As a reset does it: nothing is mapped, of which the regions that go are the only sign. */
  reset(): void {
    for (const { at, length } of [...this.mappings]) this.announce({ map: false, at, length, fileOffset: 0 });
    this.dropAll();
  }

  private dropAll(): void {
    for (const mapping of this.mappings.splice(0)) this.drop(mapping);
  }

  hangUp(): void {
    if (this.channel >= 0) close(this.channel);
    this.channel = -1;
  }

  close(): void {
    this.hangUp();
    this.dropAll();
    unmapAt(this.base, this.size);
    fs.closeSync(this.memory);
  }

  private serveOne(): boolean {
    const got = receiveBytes(this.channel, HEADER + Mmap.size, 1000);
    if (!got) {
      this.hangUp();
      return false;
    }
    const [id, flags] = new Uint32Array(got.bytes.buffer, 0, 2);
    const fields = new Fields<keyof typeof Mmap.offset>(Mmap, got.bytes, HEADER);
    const order: WindowOrder = {
      map: id === BackendRequest.SHMEM_MAP,
      at: fields.number('shm_offset'),
      length: fields.number('len'),
      fileOffset: fields.number('fd_offset'),
    };
    if ((flags & HeaderFlag.NEED_REPLY) === 0) throw new Error('an order that wants no answer');
    const way = this.answer(order);
    const fd = got.descriptors.at(0) ?? -1;
    let fault = way === 'well' ? this.carryOut(order, fd) : way;
    if (order.map && fault !== '' && fd >= 0) close(fd);
    this.orders.push({ ...order, fault });
    if (way === 'close') this.hangUp();
    if (way === 'close' || way === 'silent') return true;
    if (way === 'lie') fault = '';
    this.reply(way === 'nonsense' ? 77 : id, fault === '' ? 0n : 1n);
    if (way === 'well' && fault === '') this.announce(order);
    return true;
  }

  reply(id: number, result: bigint): void {
    const bytes = new Uint8Array(HEADER + 8);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, id, true);
    view.setUint32(4, HeaderFlag.VERSION | HeaderFlag.REPLY, true);
    view.setUint32(8, 8, true);
    view.setBigUint64(HEADER, result, true);
    sendBytes(this.channel, bytes);
  }

  /** What QEMU would say against it; '' when it is done. */
  private carryOut({ map, at, length, fileOffset }: WindowOrder, fd: number): string {
    if (!map) {
      const index = this.mappings.findIndex((one) => one.at === at && one.length === length);
      if (index < 0) return 'no such mapping';
      const [gone] = this.mappings.splice(index, 1);
      this.drop(gone);
      return '';
    }
    if (fd < 0) return 'no descriptor';
    if (length === 0 || at + length > this.size || fileOffset % PAGE !== 0) return 'bad bounds';
    if (this.mappings.some((one) => one.at < at + length && at < one.at + one.length)) return 'overlaps';
    const { size, writable } = fileStatus(fd);
    if (!writable) return 'not open for reading and writing';
    if (size === 0) {
      this.grown++;
      fs.ftruncateSync(fd, fileOffset + length);
    } else if (Math.ceil(size / PAGE) * PAGE < fileOffset + length) return 'beyond the end of the file';
    mapAt(this.base + at, length, fd, fileOffset);
    this.mappings.push({ at, length, fd, fileOffset });
    return '';
  }

  private drop(mapping: WindowMapping): void {
    mapAt(this.base + mapping.at, mapping.length, -1, 0);
    close(mapping.fd);
  }

  private announce({ map, at, length }: WindowOrder): void {
    if (!this.announces || !this.device.hasProtocol(ProtocolFeature.CONFIGURE_MEM_SLOTS)) return;
    const { frontEnd } = this.device;
    const mapping = this.mappings.find((one) => one.at === at);
    const region = {
      guestAddress: WINDOW_ADDRESS + at,
      size: length,
      userAddress: this.base + at,
      mapOffset: mapping?.fileOffset ?? 0,
      fd: mapping?.fd ?? -1,
    };
    const refused = map ? frontEnd.addMemory(region) : frontEnd.removeMemory(region);
    if (refused !== 0n) throw new Error('the daemon refuses a region of its own window');
  }
}

export interface SetupValues {
  readonly len: number;
  readonly foffset?: number | bigint;
  readonly moffset?: number | bigint;
  readonly flags?: number;
  readonly fh?: bigint;
}

export interface Slice {
  readonly moffset: number | bigint;
  readonly len: number | bigint;
}
