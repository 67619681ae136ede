/**
 * A queue between our driver and our device over one plain buffer: what every test of the ring starts from.
 *
 * The buffer is the make-believe guest's memory. Guest address = GUEST_BASE + offset, the front-end's own address =
 * USER_BASE + offset, "host address" = offset. The arena of the device is another buffer, as in the daemon.
 */
import { Arena } from '../../src/base/arena';
import { availBytes, descBytes, usedBytes } from '../../src/protocol/virtio/ring';
import { Chain, IOV_MAX } from '../../src/virtio/chain';
import { GuestMemory, type HostMemory, type Region } from '../../src/virtio/guestMemory';
import { MAX_INDIRECT, Virtqueue } from '../../src/virtio/virtqueue';
import { RingWriter, type Segment } from '../driver/ringWriter';

export const GUEST_BASE = 0x1_0000_0000;
export const USER_BASE = 0x7f00_0000_0000;

/** Host memory that is one buffer: an address is an offset in it. */
export class PlainHost implements HostMemory {
  constructor(
    readonly guest: Uint8Array,
    readonly arena: Arena,
    readonly keepsOrder = true,
  ) {}

  copyIn(at: number, address: number, length: number): void {
    this.check(address, length);
    this.arena.u8.set(this.guest.subarray(address, address + length), at);
  }

  copyOut(address: number, at: number, length: number): void {
    this.check(address, length);
    this.guest.set(this.arena.u8.subarray(at, at + length), address);
  }

  copy(to: number, from: number, length: number): void {
    this.check(from, length);
    this.check(to, length);
    this.guest.copyWithin(to, from, from + length);
  }

  view(address: number, length: number): Uint8Array {
    this.check(address, length);
    return new Uint8Array(this.guest.buffer, address, length);
  }

  /** What real memory would answer with SIGSEGV. */
  private check(address: number, length: number): void {
    if (!(address >= 0 && address + length <= this.guest.length)) throw new Error(`wild address ${address}+${length}`);
  }
}

export interface BenchOptions {
  readonly size?: number;
  readonly eventIndex?: boolean;
  /** As of x86-64, or of other CPUs. */
  readonly keepsOrder?: boolean;
  /** Where both indices start. */
  readonly base?: number;
  readonly guestBytes?: number;
}

const VECTORS = 1024;
const INDIRECT = VECTORS + IOV_MAX * 16;
/** Place in the arena for a test's own bytes. */
export const SCRATCH = INDIRECT + MAX_INDIRECT * 16;

export class RingBench {
  readonly guest: Arena;
  readonly arena: Arena;
  readonly host: PlainHost;
  readonly memory: GuestMemory;
  readonly driver: RingWriter;
  readonly chain: Chain;
  /** First offset of guest memory behind the ring. */
  readonly free: number;
  queue: Virtqueue;

  constructor(private readonly options: BenchOptions = {}) {
    const { size = 16, eventIndex = true, base = 0, guestBytes = 256 * 1024 } = options;
    this.guest = new Arena(new ArrayBuffer(guestBytes), 0);
    this.arena = new Arena(new ArrayBuffer(SCRATCH + guestBytes), 0);
    this.host = new PlainHost(this.guest.u8, this.arena, options.keepsOrder);
    this.memory = new GuestMemory(this.host);
    this.memory.setRegions([this.region(0, guestBytes)]);
    this.driver = new RingWriter(this.guest, GUEST_BASE, 0, size, eventIndex);
    this.driver.reset(base);
    this.free = RingWriter.bytes(size);
    this.chain = new Chain(this.arena, this.memory, VECTORS);
    this.queue = this.start(base);
  }

  /** A region of guest memory from an offset of the buffer. */
  region(offset: number, size: number): Region {
    return { guestBase: GUEST_BASE + offset, userBase: USER_BASE + offset, hostBase: offset, size };
  }

  /** The device side, from an available index on. */
  start(base: number): Virtqueue {
    const { size = 16, eventIndex = true } = this.options;
    const { driver, host } = this;
    this.queue = new Virtqueue(
      size,
      host.view(driver.descriptors, descBytes(size)),
      host.view(driver.available, availBytes(size)),
      host.view(driver.used, usedBytes(size)),
      base,
      eventIndex,
      this.arena,
      this.memory,
      INDIRECT,
    );
    return this.queue;
  }

  /** Bytes of guest memory at an offset as a readable or writable piece. */
  piece(offset: number, length: number, write = false): Segment {
    return { address: GUEST_BASE + offset, length, write };
  }

  /** Makes one chain available. Whether the device wants a kick for it. */
  offer(segments: readonly Segment[], indirectAt?: number): { head: number; kick: boolean } {
    const head = this.driver.chain(segments, indirectAt);
    if (head < 0) throw new Error('the ring is full');
    this.driver.offer(head);
    return { head, kick: this.driver.publish() };
  }

  /** The device takes one chain and gives it back with `length`; its head. */
  serve(length = 0): number {
    const result = this.queue.pop(this.chain);
    if (result !== 'chain') throw new Error(`${result}: ${this.queue.fault}`);
    this.queue.push(this.chain.head, length);
    return this.chain.head;
  }

  /** Request bytes of the chain popped last. */
  request(): Uint8Array {
    const { chain, arena } = this;
    if (chain.copyIn(0, chain.readable, SCRATCH) < 0) throw new Error('unaddressable');
    return arena.bytes(SCRATCH, chain.readable).slice();
  }
}
