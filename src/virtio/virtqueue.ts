/**
 * The device side of one split virtqueue (virtio 1.3, section 2.7).
 *
 * Three areas in guest memory, each written by one side only:
 *
 *   descriptor table   driver   {address u64, length u32, flags u16, next u16} × size
 *   available ring     driver   flags u16, idx u16, ring u16 × size, used_event u16
 *   used ring          device   flags u16, idx u16, {id u32, length u32} × size, avail_event u16
 *
 * The driver writes descriptors, then the head into ring[idx % size], then idx. The device reads idx, then ring, then
 * the descriptors; it answers by an entry in the used ring, then used.idx. Both indices run freely through 16 bits.
 * Loads and stores of idx are `Atomics`: they order what lies around them, also against the other CPU. Only where CPUs
 * keep that order anyway is used.idx stored plainly after each element, and with a fence before the driver's wish to be
 * told is looked at, and avail.idx loaded plainly where nobody goes to sleep on what is seen: each of the `Atomics` is
 * a call. (V8 keeps accesses to typed arrays in the order of the program; but a loop that only looks, it may make look
 * once.)
 *
 * Notifications with VIRTIO_F_EVENT_IDX: each side writes the index at which it wants to be told next. `avail_event`
 * stays behind while the device works, so the driver does not kick; when the queue seems empty it is set to the next
 * index, a full fence follows (an Atomics store is one), and the ring is looked at once more: otherwise a request that
 * came in between would wait for ever.
 *
 * Nothing the driver writes is believed: each value is read once, checked, then used. What cannot be a chain breaks the
 * queue (`fault` says how); it is never followed.
 */
import type { Arena } from '../base/arena';
import { AvailFlag, Desc, DescFlag, UsedFlag } from '../protocol/virtio/ring';
import type { Chain } from './chain';
import type { GuestMemory } from './guestMemory';

const DESC_NEXT = DescFlag.NEXT;
const DESC_WRITE = DescFlag.WRITE;
const DESC_INDIRECT = DescFlag.INDIRECT;
const DESCRIPTOR_SIZE = Desc.size;

/** Largest table of indirect descriptors that is taken, in descriptors. */
export const MAX_INDIRECT = 2048;

export type PopResult = 'chain' | 'empty' | 'broken';

export class Virtqueue {
  private readonly descriptors: Uint32Array;
  private readonly avail: Uint16Array;
  private readonly used16: Uint16Array;
  private readonly used32: Uint32Array;
  private readonly mask: number;
  /** Index in the 16-bit views of used_event and avail_event. */
  private readonly usedEvent: number;
  private readonly availEvent: number;

  /** The next entry of the available ring to take, and of the used ring to fill (both modulo 2^16). */
  nextAvail: number;
  nextUsed: number;
  /** The available index when it was last looked at: its cache line is the driver's, and each look takes it away. */
  private seenAvail: number;
  /** used.idx when the driver was last told. */
  private signalled: number;
  private toldOnce = false;
  /**
   * Taken and not given back. Each has at least one descriptor to itself, so there are never more than descriptors: who
   * offers those of a request that waits once more would have any number of them wait, and take memory, here.
   */
  private inProgress = 0;

  /** Why the queue is broken. */
  fault = '';

  /**
   * `size` must be a power of two up to 32768; the three views cover exactly their areas, aligned to 16, 2 and 4.
   * `indirectAt`: a place in the arena for MAX_INDIRECT descriptors.
   */
  constructor(
    readonly size: number,
    descriptors: Uint8Array,
    avail: Uint8Array,
    used: Uint8Array,
    base: number,
    private readonly eventIndex: boolean,
    private readonly arena: Arena,
    private readonly memory: GuestMemory,
    private readonly indirectAt: number,
  ) {
    this.mask = size - 1;
    this.descriptors = new Uint32Array(descriptors.buffer, descriptors.byteOffset, size * 4);
    this.avail = new Uint16Array(avail.buffer, avail.byteOffset, 3 + size);
    this.used16 = new Uint16Array(used.buffer, used.byteOffset, 3 + size * 4);
    this.used32 = new Uint32Array(used.buffer, used.byteOffset, 1 + size * 2);
    this.usedEvent = 2 + size;
    this.availEvent = 2 + size * 4;
    this.nextAvail = this.seenAvail = base;
    this.nextUsed = Atomics.load(this.used16, 1);
    this.signalled = this.nextUsed;
  }

  /**
   * Whether this is the ring that was stopped as `before`, where it was stopped: what was taken from that is then given
   * back to this. While something is, a ring that begins anew is no such: its driver has had all of it given back.
   */
  continues(before: Virtqueue): boolean {
    const { size, nextAvail, nextUsed, inProgress } = before;
    if (this.size !== size || this.nextAvail !== nextAvail || this.nextUsed !== nextUsed) return false;
    this.inProgress = inProgress;
    return true;
  }

  /**
   * Whether the driver has made something available. For loops that wait for it, and for the last look before sleep.
   */
  look(): boolean {
    this.seenAvail = Atomics.load(this.avail, 1);
    return this.seenAvail !== this.nextAvail;
  }

  /** How much the driver has made available, as it says itself now. */
  get backlog(): number {
    this.seenAvail = this.memory.host.keepsOrder ? this.avail[1] : Atomics.load(this.avail, 1);
    return (this.seenAvail - this.nextAvail) & 0xffff;
  }

  /** How much it had made available when that was last looked at. */
  get waiting(): number {
    return (this.seenAvail - this.nextAvail) & 0xffff;
  }

  /** Takes the next request. */
  pop(chain: Chain): PopResult {
    let { waiting } = this;
    if (waiting === 0) waiting = this.backlog;
    if (waiting === 0) return 'empty';
    if (waiting > this.size) return this.broken('the available index runs ahead of the ring');
    const head = this.avail[2 + (this.nextAvail & this.mask)];
    if (head >= this.size) return this.broken('a head beyond the descriptor table');
    if (this.inProgress >= this.size) return this.broken('more requests at a time than it has descriptors');
    this.inProgress++;
    this.nextAvail = (this.nextAvail + 1) & 0xffff;
    chain.begin(head);
    let index = head;
    for (let hops = 0; hops < this.size; hops++) {
      const at = index << 2;
      const low = this.descriptors[at];
      const high = this.descriptors[at + 1];
      const length = this.descriptors[at + 2];
      const word = this.descriptors[at + 3];
      if ((word & DESC_INDIRECT) !== 0) {
        // A list cannot go on after an indirect descriptor (2.7.5.3.1).
        if ((word & DESC_NEXT) !== 0) return this.broken('an indirect descriptor with a successor');
        return this.walkIndirect(chain, high * 0x1_0000_0000 + low, length);
      }
      if (!chain.add(high * 0x1_0000_0000 + low, length, (word & DESC_WRITE) !== 0)) {
        return this.broken('a readable descriptor after a writable one');
      }
      if ((word & DESC_NEXT) === 0) return 'chain';
      index = word >>> 16;
      if (index >= this.size) return this.broken('a next index beyond the descriptor table');
    }
    return this.broken('a descriptor chain that never ends');
  }

  private walkIndirect(chain: Chain, guest: number, bytes: number): PopResult {
    const count = bytes / DESCRIPTOR_SIZE;
    if (!Number.isInteger(count) || count === 0 || count > MAX_INDIRECT) {
      return this.broken('an indirect table of a bad length');
    }
    const { memory } = this;
    const isThere = memory.translate(guest) >= 0;
    let table = memory.words;
    let base = memory.offset(guest);
    if (!isThere || memory.run < bytes || (base & 3) !== 0) {
      if (!this.copyTable(guest, bytes)) return this.broken('an indirect table outside of guest memory');
      table = this.arena.u32;
      base = this.indirectAt;
    }
    base >>>= 2;
    let index = 0;
    for (let hops = 0; hops < count; hops++) {
      const at = base + (index << 2);
      const word = table[at + 3];
      if ((word & DESC_INDIRECT) !== 0) return this.broken('an indirect table inside of another');
      if (!chain.add(table[at + 1] * 0x1_0000_0000 + table[at], table[at + 2], (word & DESC_WRITE) !== 0)) {
        return this.broken('a readable descriptor after a writable one');
      }
      if ((word & DESC_NEXT) === 0) return 'chain';
      index = word >>> 16;
      if (index >= count) return this.broken('a next index beyond the indirect table');
    }
    return this.broken('a descriptor chain that never ends');
  }

  /** A table that does not lie as it can be read: out of line, or from one region of memory into the next. */
  private copyTable(guest: number, bytes: number): boolean {
    const { memory, indirectAt } = this;
    for (let done = 0; done < bytes;) {
      const address = memory.translate(guest + done);
      if (address < 0) return false;
      const part = Math.min(memory.run, bytes - done);
      memory.host.copyIn(indirectAt + done, address, part);
      done += part;
    }
    return true;
  }

  private broken(fault: string): PopResult {
    this.fault = fault;
    return 'broken';
  }

  /**
   * Gives a chain back with `length` bytes written. The driver sees it at once; telling it is `mustSignal`'s question.
   */
  push(head: number, length: number): void {
    const at = 1 + ((this.nextUsed & this.mask) << 1);
    this.used32[at] = head;
    this.used32[at + 1] = length;
    this.nextUsed = (this.nextUsed + 1) & 0xffff;
    this.inProgress--;
    // Behind the element. An Atomics store is a call and a full fence: it waits for every line that the driver's CPU
    // has.
    if (this.memory.host.keepsOrder) this.used16[1] = this.nextUsed;
    else Atomics.store(this.used16, 1, this.nextUsed);
  }

  /**
   * Whether the driver wants to hear of what was pushed since it was last told (2.7.10). Assumes that it is told then.
   */
  mustSignal(): boolean {
    const now = this.nextUsed;
    const before = this.signalled;
    if (now === before) return false;
    // The fence between used.idx and the driver's wish: it sets the wish, then looks at the index once more.
    Atomics.store(this.used16, 1, now);
    if (!this.eventIndex) {
      this.signalled = now;
      return (Atomics.load(this.avail, 0) & AvailFlag.NO_INTERRUPT) === 0;
    }
    const event = Atomics.load(this.avail, this.usedEvent);
    this.signalled = now;
    if (!this.toldOnce) {
      this.toldOnce = true;
      return true;
    }
    return ((now - event - 1) & 0xffff) < ((now - before) & 0xffff);
  }

  /** Asks the driver not to kick while the queue is being worked on. */
  quiet(): void {
    // With EVENT_IDX the old avail_event does it: the driver has passed it.
    if (!this.eventIndex) Atomics.store(this.used16, 0, UsedFlag.NO_NOTIFY);
  }

  /** Asks for a kick at the next request; true when one has come meanwhile and no kick can be relied on. */
  listen(): boolean {
    if (this.eventIndex) Atomics.store(this.used16, this.availEvent, this.nextAvail);
    else Atomics.store(this.used16, 0, 0);
    return this.look();
  }
}
