/**
 * One descriptor chain: the readable bytes of a request, then the writable room for its reply.
 *
 * Holds guest addresses, not host addresses: they are translated each time bytes move, so that a chain which waits (for
 * a lock, a disk, a debugger) survives a change of the memory table. A piece that is in no region costs the request an
 * -EFAULT, never the queue: User Mode Linux sends such pieces (its zero page is outside of the shared memory).
 */
import type { Arena } from '../base/arena';
import { copyShort, isShort } from '../base/words';
import { Errno } from '../protocol/errno';
import type { GuestMemory } from './guestMemory';

/** preadv and pwritev take no more pieces in one call. */
export const IOV_MAX = 1024;

/** Pieces a chain keeps: IOV_MAX of data and some of headers. Longer ones are walked but not kept (`oversized`). */
export const MAX_PIECES = IOV_MAX + 8;

/** Memory that messages are copied out to; `address` is that of its first byte. */
export interface ExportTarget {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly u32: Uint32Array;
}

export class Chain {
  private readonly addresses = new Float64Array(MAX_PIECES);
  private readonly lengths = new Float64Array(MAX_PIECES);
  private readableCount = 0;
  private count = 0;

  /** Bytes to read, bytes of room to write. */
  readable = 0;
  writable = 0;
  /** Index of the first descriptor: what the used ring names. */
  head = 0;
  /** More pieces than are kept: the request cannot be served. */
  oversized = false;

  /** `vectorsAt`: a place in the arena for IOV_MAX struct iovecs. */
  constructor(
    private readonly arena: Arena,
    private readonly memory: GuestMemory,
    private readonly vectorsAt: number,
  ) {}

  get vectors(): number {
    return this.arena.address(this.vectorsAt);
  }

  begin(head: number): void {
    this.head = head;
    this.readable = this.writable = 0;
    this.readableCount = this.count = 0;
    this.oversized = false;
  }

  /** Adds a piece; readable ones first. False when a readable piece follows a writable one. */
  add(address: number, length: number, writable: boolean): boolean {
    if (this.count === MAX_PIECES) {
      this.oversized = true;
      return true;
    }
    this.addresses[this.count] = address;
    this.lengths[this.count] = length;
    this.count++;
    if (writable) {
      this.writable += length;
      return true;
    }
    if (this.readableCount !== this.count - 1) return false;
    this.readableCount = this.count;
    this.readable += length;
    return true;
  }

  /** Copies request bytes into the arena; 0 or -EFAULT. The caller has checked `skip + length` against `readable`. */
  copyIn(skip: number, length: number, at: number): number {
    return this.copy(0, this.readableCount, skip, length, at, false);
  }

  /** Copies arena bytes into the reply; 0 or -EFAULT. The caller has checked against `writable`. */
  copyOut(skip: number, length: number, at: number): number {
    return this.copy(this.readableCount, this.count, skip, length, at, true);
  }

  /** Copies the first bytes of the request to a place outside of the arena, as far as they are in memory. */
  exportRequest(length: number, to: ExportTarget, at: number): void {
    this.export(0, this.readableCount, length, to, at);
  }

  /** The same for what has been written of the reply. */
  exportReply(length: number, to: ExportTarget, at: number): void {
    this.export(this.readableCount, this.count, length, to, at);
  }

  /** The 32-bit word of the request at `skip`, or 0 where there is none. It may be another when it is read again. */
  peek(skip: number): number {
    if (this.readableCount > 0 && skip + 4 <= this.lengths[0]) {
      const guest = this.addresses[0] + skip;
      const { memory } = this;
      if (memory.translate(guest) >= 0 && memory.run >= 4) {
        const offset = memory.offset(guest);
        if ((offset & 3) === 0) return memory.words[offset >>> 2];
      }
    }
    const low = this.byte(skip) | (this.byte(skip + 1) << 8);
    return (low | (this.byte(skip + 2) << 16) | (this.byte(skip + 3) << 24)) >>> 0;
  }

  /** Writes iovecs for request bytes; their count, or -EFAULT. */
  readableVectors(skip: number, length: number): number {
    return this.gather(0, this.readableCount, skip, length);
  }

  writableVectors(skip: number, length: number): number {
    return this.gather(this.readableCount, this.count, skip, length);
  }

  /** Makes one iovec, of host memory that is not the guest's: how many that are. */
  vectorOf(address: number, length: number): number {
    this.vector(this.vectorsAt, address, length);
    return 1;
  }

  /** The pieces that are kept, in order: for a debugger. */
  *pieces(): Generator<{ address: number; length: number; writable: boolean }> {
    for (let index = 0; index < this.count; index++) {
      const [address, length] = [this.addresses[index], this.lengths[index]];
      yield { address, length, writable: index >= this.readableCount };
    }
  }

  private copy(first: number, last: number, skip: number, length: number, at: number, out: boolean): number {
    const memory = this.memory;
    for (let index = first; index < last && length > 0; index++) {
      let left = this.lengths[index];
      if (skip >= left) {
        skip -= left;
        continue;
      }
      let guest = this.addresses[index] + skip;
      left -= skip;
      skip = 0;
      if (left > length) left = length;
      length -= left;
      while (left > 0) {
        const address = memory.translate(guest);
        if (address < 0) return -Errno.EFAULT;
        const part = memory.run < left ? memory.run : left;
        const offset = memory.offset(guest);
        if (isShort(offset | at, part)) {
          const { u8, u32 } = this.arena;
          const { bytes, words } = memory;
          if (out) copyShort(u8, u32, at, bytes, words, offset, part);
          else copyShort(bytes, words, offset, u8, u32, at, part);
        } else if (out) memory.host.copyOut(address, at, part);
        else memory.host.copyIn(at, address, part);
        at += part;
        guest += part;
        left -= part;
      }
    }
    return length > 0 ? -Errno.EFAULT : 0;
  }

  private export(first: number, last: number, length: number, to: ExportTarget, at: number): void {
    const { memory } = this;
    for (let index = first; index < last && length > 0; index++) {
      let guest = this.addresses[index];
      let left = this.lengths[index];
      if (left > length) left = length;
      length -= left;
      while (left > 0) {
        const address = memory.translate(guest);
        if (address < 0) return;
        const part = memory.run < left ? memory.run : left;
        const offset = memory.offset(guest);
        if (isShort(offset | at, part)) copyShort(memory.bytes, memory.words, offset, to.bytes, to.u32, at, part);
        else memory.host.copy(to.address + at, address, part);
        at += part;
        guest += part;
        left -= part;
      }
    }
  }

  private byte(skip: number): number {
    for (let index = 0; index < this.readableCount; index++) {
      if (skip >= this.lengths[index]) {
        skip -= this.lengths[index];
        continue;
      }
      const guest = this.addresses[index] + skip;
      return this.memory.translate(guest) < 0 ? 0 : this.memory.bytes[this.memory.offset(guest)];
    }
    return 0;
  }

  private gather(first: number, last: number, skip: number, length: number): number {
    const { memory, addresses, lengths } = this;
    const limit = this.vectorsAt + IOV_MAX * 16;
    let vector = this.vectorsAt;
    let start = 0;
    let size = 0;
    // The guest address behind what is gathered, and how many bytes from there on surely lie in the same memory.
    let behind = -1;
    let room = 0;
    for (let index = first; index < last && length > 0; index++) {
      let left = lengths[index];
      if (skip >= left) {
        skip -= left;
        continue;
      }
      let guest = addresses[index] + skip;
      left -= skip;
      skip = 0;
      if (left > length) left = length;
      length -= left;
      // Pages that lie side by side become one piece: fewer for the kernel to walk.
      if (guest === behind && left <= room) {
        size += left;
        behind += left;
        room -= left;
        continue;
      }
      while (left > 0) {
        const address = memory.translateData(guest);
        if (address < 0) return -Errno.EFAULT;
        const part = memory.run < left ? memory.run : left;
        room = memory.run - part;
        if (address !== start + size) {
          if (size > 0) {
            this.vector(vector, start, size);
            vector += 16;
          }
          if (vector === limit) return -Errno.EFAULT;
          start = address;
          size = 0;
        }
        size += part;
        guest += part;
        left -= part;
      }
      behind = guest;
    }
    if (length > 0) return -Errno.EFAULT;
    if (size > 0) {
      this.vector(vector, start, size);
      vector += 16;
    }
    return (vector - this.vectorsAt) >>> 4;
  }

  private vector(at: number, address: number, length: number): void {
    this.arena.setU64(at, address);
    this.arena.setU64(at + 8, length);
  }
}
