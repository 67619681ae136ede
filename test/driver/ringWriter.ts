/**
 * The driver's side of one split virtqueue (virtio 1.3, 2.7): makes descriptor chains available and takes used ones
 * back.
 *
 * Owns the ring's three areas inside one `Arena` and which descriptors are free. Knows nothing of FUSE or of how a kick
 * travels. Everything a well-behaved driver never writes (loops, bad indexes, wild addresses) can be written too, by
 * the raw setters at the end: tests that attack the device use them.
 *
 * Layout, all little endian, `size` a power of two:
 *   descriptors  size × { address u64, length u32, flags u16, next u16 }
 *   available    { flags u16, index u16, ring[size] u16, used_event u16 }      written by the driver
 *   used         { flags u16, index u16, ring[size] { id u32, length u32 }, avail_event u16 }      by the device
 */
import type { Arena } from '../../src/base/arena';

export const DESC_NEXT = 1;
export const DESC_WRITE = 2;
export const DESC_INDIRECT = 4;

/** One descriptor to be: a guest address, a length, and whether the device may write there. */
export interface Segment {
  readonly address: number;
  readonly length: number;
  readonly write: boolean;
}

const align = (at: number, to: number): number => Math.ceil(at / to) * to;

export class RingWriter {
  readonly descriptors: number;
  readonly available: number;
  readonly used: number;
  /** Length that the device wrote for the chain that `take` returned last. */
  usedLength = 0;
  /** How many chains the device has not given back. */
  inFlight = 0;

  private availableIndex = 0;
  private publishedIndex = 0;
  private usedIndex = 0;
  private freeHead = 0;
  private readonly nextOf: Uint16Array;
  private readonly lengthOf: Uint16Array;
  private freeCount: number;

  /**
   * `at`: offset of the ring in `memory` (16-aligned); `guestBase`: guest address of offset 0. `eventIdx`: whether
   * VIRTIO_RING_F_EVENT_IDX was negotiated.
   */
  constructor(
    readonly memory: Arena,
    readonly guestBase: number,
    at: number,
    readonly size: number,
    readonly eventIdx: boolean,
  ) {
    this.descriptors = at;
    this.available = at + 16 * size;
    this.used = align(this.available + 6 + 2 * size, 8);
    this.nextOf = new Uint16Array(size);
    this.lengthOf = new Uint16Array(size);
    this.freeCount = size;
    this.reset(0);
  }

  /** Bytes from `at` that a ring of this size takes. */
  static bytes(size: number): number {
    return align(align(16 * size + 6 + 2 * size, 8) + 6 + 8 * size, 16);
  }

  /** Forgets everything in flight; both indexes go on from `index` (what GET_VRING_BASE answered). */
  reset(index: number): void {
    const { memory, size } = this;
    memory.zero(this.descriptors, RingWriter.bytes(size));
    this.availableIndex = this.publishedIndex = this.usedIndex = index & 0xffff;
    for (let i = 0; i < size; i++) this.nextOf[i] = i + 1;
    this.freeHead = 0;
    this.freeCount = size;
    this.inFlight = 0;
    this.setAvailableIndex(index);
    memory.setU16(this.used + 2, index & 0xffff);
    this.armCalls();
  }

  /** Writes a chain, direct or through an indirect table at arena offset `indirectAt`. Its head, or -1: no room. */
  chain(segments: readonly Segment[], indirectAt = -1): number {
    const count = indirectAt < 0 ? segments.length : 1;
    if (count > this.freeCount) return -1;
    const head = this.freeHead;
    if (indirectAt >= 0) {
      segments.forEach((s, i) => this.entry(indirectAt + 16 * i, s, i + 1 < segments.length ? i + 1 : -1));
      this.setDescriptor(head, this.guestBase + indirectAt, 16 * segments.length, DESC_INDIRECT, 0);
      this.freeHead = this.nextOf[head];
    } else {
      for (let i = 0; i < count; i++) {
        const index = this.freeHead;
        this.freeHead = this.nextOf[index];
        this.entry(this.descriptors + 16 * index, segments[i], i + 1 < count ? this.freeHead : -1);
      }
    }
    this.freeCount -= count;
    this.lengthOf[head] = count;
    return head;
  }

  /** Gives a chain's descriptors back, after `take` has returned its head. */
  free(head: number): void {
    let last = head;
    for (let i = 1; i < this.lengthOf[head]; i++) last = this.nextOf[last];
    this.nextOf[last] = this.freeHead;
    this.freeHead = head;
    this.freeCount += this.lengthOf[head];
    this.lengthOf[head] = 0;
  }

  /** Puts a chain into the available ring; the device does not see it before `publish`. */
  offer(head: number): void {
    this.memory.u16[(this.available + 4 + 2 * (this.availableIndex % this.size)) >>> 1] = head;
    this.availableIndex = (this.availableIndex + 1) & 0xffff;
    this.inFlight++;
  }

  /** Lets the device see all that was offered. True when it wants a kick for it. */
  publish(): boolean {
    const { u16 } = this.memory;
    const before = this.publishedIndex;
    const now = this.availableIndex;
    Atomics.store(u16, (this.available + 2) >>> 1, now);
    this.publishedIndex = now;
    if (!this.eventIdx) return (Atomics.load(u16, this.used >>> 1) & 1) === 0;
    const event = Atomics.load(u16, (this.used + 4 + 8 * this.size) >>> 1);
    return ((now - event - 1) & 0xffff) < ((now - before) & 0xffff);
  }

  /** Head of the next chain that the device has used, or -1; its reply's length is then in `usedLength`. */
  take(): number {
    const { u16, u32 } = this.memory;
    if (Atomics.load(u16, (this.used + 2) >>> 1) === this.usedIndex) return -1;
    const at = (this.used + 4 + 8 * (this.usedIndex % this.size)) >>> 2;
    this.usedIndex = (this.usedIndex + 1) & 0xffff;
    this.usedLength = u32[at + 1];
    this.inFlight--;
    return u32[at];
  }

  /** Asks for a call at the `after`th used chain from here (1: the next). Check `take` again after this, then sleep. */
  armCalls(after = 1): void {
    Atomics.store(this.memory.u16, (this.available + 4 + 2 * this.size) >>> 1, (this.usedIndex + after - 1) & 0xffff);
  }

  // Raw access, for rings that no honest driver would write.

  setDescriptor(index: number, address: number, length: number, flags: number, next: number): void {
    this.rawEntry(this.descriptors + 16 * index, address, length, flags, next);
  }

  /** A descriptor anywhere, as inside an indirect table. */
  rawEntry(at: number, address: number, length: number, flags: number, next: number): void {
    this.memory.setU64(at, address);
    this.memory.setU32(at + 8, length);
    this.memory.setU16(at + 12, flags);
    this.memory.setU16(at + 14, next);
  }

  /** Available index as the device sees it, without the entries that should be there. */
  setAvailableIndex(index: number): void {
    Atomics.store(this.memory.u16, (this.available + 2) >>> 1, index & 0xffff);
  }

  private entry(at: number, segment: Segment, next: number): void {
    const flags = (segment.write ? DESC_WRITE : 0) | (next >= 0 ? DESC_NEXT : 0);
    this.rawEntry(at, segment.address, segment.length, flags, next >= 0 ? next : 0);
  }
}
