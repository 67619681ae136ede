/**
 * The ring through which the queue worker hands finished capture blocks to the main thread: one writer, one reader, no
 * waiting.
 *
 * Lies in memory of its own (not in any isolate's heap), so that messages are copied straight from the guest into it,
 * and from it into a file. Layout: a header of 64 bytes, then a power of two of block bytes. What is between the two
 * positions is whole pcapng blocks back to back. `written` and `read` run freely through 32 bits. A block never wraps:
 * where it does not fit before the end, the rest of the lap stays unused and `wrap` says from where. When there is no
 * room a block is dropped and counted; the guest never waits for a reader. Knows nothing of what a block holds.
 */
import { mapAnonymous, keepsOrder, viewOf } from '../../native/memory';

const HEADER = 64;
/** Words of the header. */
const WRITTEN = 0;
const READ = 1;
const DROPPED = 2;
const WRAP = 3;
const ON = 4;

/** Memory for a ring of `size` bytes (a power of two); give the address to both ends. */
export function makeTraceRing(size: number): number {
  return mapAnonymous(HEADER + size);
}

class RingEnd {
  protected readonly words: Int32Array;
  /** The blocks' bytes: index 0 is the first byte behind the header. */
  readonly bytes: Uint8Array;
  protected position = 0;
  protected readonly mask: number;

  constructor(
    protected readonly base: number,
    readonly size: number,
  ) {
    const all = viewOf(base, HEADER + size);
    this.words = new Int32Array(all.buffer, all.byteOffset, HEADER / Int32Array.BYTES_PER_ELEMENT);
    this.bytes = all.subarray(HEADER);
    this.mask = size - 1;
  }
}

export class TraceWriter extends RingEnd {
  /** Where the reader was when it was last looked: it is never behind that. */
  private released = 0;
  /** What the reader has been told. */
  private published = 0;
  /** `bytes` in larger words, for filling a reserved block. */
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  /** Address of `bytes[0]`. */
  readonly address: number;

  /** `inOrder`: as `keepsOrder`. */
  constructor(
    base: number,
    size: number,
    private readonly inOrder = keepsOrder,
  ) {
    super(base, size);
    const { buffer, byteOffset } = this.bytes;
    this.u16 = new Uint16Array(buffer, byteOffset, size >>> 1);
    this.u32 = new Uint32Array(buffer, byteOffset, size >>> 2);
    this.address = base + HEADER;
  }

  /** Whether anybody wants blocks. */
  get on(): boolean {
    return this.words[ON] !== 0;
  }

  /** How far blocks have been written, for `TraceReader.between`. All of them are published now. */
  get written(): number {
    this.publish();
    return this.position >>> 0;
  }

  /** Place for a block of at most `length` bytes (a multiple of 4), or -1: then it is counted as dropped. */
  reserve(length: number): number {
    const at = this.position & this.mask;
    const rest = this.size - at;
    const unused = rest < length ? rest : 0;
    if (((this.position - this.released) >>> 0) + unused + length > this.size) {
      this.released = Atomics.load(this.words, READ);
      if (((this.position - this.released) >>> 0) + unused + length > this.size) {
        this.drop();
        return -1;
      }
    }
    if (unused === 0) return at;
    Atomics.store(this.words, WRAP, at);
    this.position = (this.position + unused) | 0;
    return 0;
  }

  /** The reserved block is finished: its real length, not more than was reserved. The reader may not see it yet. */
  finish(length: number): void {
    this.position = (this.position + length) | 0;
    // A lap that is used to its last byte has no gap.
    if ((this.position & this.mask) === 0) Atomics.store(this.words, WRAP, this.size);
  }

  /** The reader sees all blocks that are finished. */
  publish(): void {
    if (this.published === this.position) return;
    this.published = this.position;
    // Behind the blocks. An Atomics store is a call, and waits until their cache lines have come.
    if (this.inOrder) this.words[WRITTEN] = this.position;
    else Atomics.store(this.words, WRITTEN, this.position);
  }

  /** Both. */
  commit(length: number): void {
    this.finish(length);
    this.publish();
  }

  /** One block more is lost. */
  drop(): void {
    Atomics.add(this.words, DROPPED, 1);
  }
}

export class TraceReader extends RingEnd {
  /** Blocks that found no room so far. */
  get dropped(): number {
    return Atomics.load(this.words, DROPPED);
  }

  set on(wanted: boolean) {
    Atomics.store(this.words, ON, wanted ? 1 : 0);
  }

  /** Up to where blocks have been written. */
  get written(): number {
    return Atomics.load(this.words, WRITTEN) >>> 0;
  }

  /** Up to where they have been released. */
  get released(): number {
    return this.position >>> 0;
  }

  /**
   * The blocks between two positions, both from `written` (of either end) or `released` and not yet released, in at
   * most two pieces. Views of the ring: valid until released.
   */
  between(from: number, to: number): Uint8Array[] {
    const length = (to - from) >>> 0;
    if (length === 0) return [];
    const at = from & this.mask;
    const rest = this.size - at;
    if (length < rest) return [this.bytes.subarray(at, at + length)];
    const first = this.bytes.subarray(at, Atomics.load(this.words, WRAP));
    const second = this.bytes.subarray(0, length - rest);
    return [first, second].filter((piece) => piece.length > 0);
  }

  /** Gives the room up to a position back to the writer. */
  release(to: number): void {
    this.position = to | 0;
    Atomics.store(this.words, READ, this.position);
  }
}
