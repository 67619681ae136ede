/**
 * The ring through which the queue worker hands finished records to the main thread: one writer, one reader, no waiting.
 *
 * Lies in memory of its own (not in any isolate's heap), so that request bytes are copied straight from the guest into
 * it. Layout: a header of 64 bytes, then a power of two of record bytes. `written` and `read` run freely through 32
 * bits. A record never wraps: a filler takes up the rest of the ring. When there is no room the record is dropped and
 * counted; the guest never waits for a reader.
 *
 *   record: u32 size (multiple of 8), u8 kind, u8 padding, u16 queue, u32 head, u32 length, f64 time, f64 taken, bytes …
 *
 * `padding`: bytes at the record's end that are not the message's. `length` is the message's full length, of which the
 * record may hold less. Times are milliseconds since the epoch; `taken` is when the request was taken from its queue.
 */
import { mapAnonymous, viewOf } from '../native/memory';

export const enum RecordKind {
  Filler = 0,
  Request = 1,
  Reply = 2,
}

export const RECORD_HEADER = 32;
const HEADER = 64;
const WRITTEN = 0;
const READ = 1;
const DROPPED = 2;

export interface TraceRecord {
  readonly kind: RecordKind;
  readonly queue: number;
  readonly head: number;
  readonly length: number;
  readonly time: number;
  readonly taken: number;
  /** Valid until the next record is asked for. */
  readonly bytes: Uint8Array;
}

/** Memory for a ring of `size` bytes (a power of two); give the address to both ends. */
export function makeTraceRing(size: number): number {
  return mapAnonymous(HEADER + size);
}

class RingEnd {
  protected readonly bytes: Uint8Array;
  protected readonly words: Int32Array;
  protected readonly u32: Uint32Array;
  protected readonly u16: Uint16Array;
  protected readonly f64: Float64Array;

  constructor(
    readonly address: number,
    readonly size: number,
  ) {
    const view = viewOf(address, HEADER + size);
    this.bytes = new Uint8Array(view);
    this.words = new Int32Array(view);
    this.u32 = new Uint32Array(view);
    this.u16 = new Uint16Array(view);
    this.f64 = new Float64Array(view);
  }
}

export class TraceWriter extends RingEnd {
  private position = 0;

  /** Offset in the ring for a record of `captured` bytes, or -1 when it was dropped. Complete it, then `commit`. */
  reserve(captured: number): number {
    const size = (RECORD_HEADER + captured + 7) & ~7;
    const used = (this.position - Atomics.load(this.words, READ)) >>> 0;
    let at = this.position & (this.size - 1);
    const rest = this.size - at;
    const filler = rest < size ? rest : 0;
    if (used + filler + size > this.size) {
      Atomics.add(this.words, DROPPED, 1);
      return -1;
    }
    if (filler > 0) {
      this.u32[(HEADER + at) >>> 2] = filler;
      this.bytes[HEADER + at + 4] = RecordKind.Filler;
      this.position = (this.position + filler) | 0;
      at = 0;
    }
    this.u32[(HEADER + at) >>> 2] = size;
    this.bytes[HEADER + at + 5] = size - RECORD_HEADER - captured;
    return HEADER + at;
  }

  /** Address of a reserved record's bytes. */
  bytesAddress(at: number): number {
    return this.address + at + RECORD_HEADER;
  }

  commit(at: number, kind: RecordKind, queue: number, head: number, length: number, time: number, taken: number): void {
    this.bytes[at + 4] = kind;
    this.u16[(at + 6) >>> 1] = queue;
    this.u32[(at + 8) >>> 2] = head;
    this.u32[(at + 12) >>> 2] = length;
    this.f64[(at + 16) >>> 3] = time;
    this.f64[(at + 24) >>> 3] = taken;
    this.position = (this.position + this.u32[at >>> 2]) | 0;
    Atomics.store(this.words, WRITTEN, this.position);
  }
}

export class TraceReader extends RingEnd {
  private position = 0;

  /** Records that found no room so far. */
  get dropped(): number {
    return Atomics.load(this.words, DROPPED);
  }

  /** Hands over every record that is there; how many. */
  drain(take: (record: TraceRecord) => void): number {
    const written = Atomics.load(this.words, WRITTEN);
    let count = 0;
    while (this.position !== written) {
      const at = HEADER + (this.position & (this.size - 1));
      const size = this.u32[at >>> 2];
      const kind: RecordKind = this.bytes[at + 4];
      if (kind !== RecordKind.Filler) {
        const captured = size - RECORD_HEADER - this.bytes[at + 5];
        take({
          kind,
          queue: this.u16[(at + 6) >>> 1],
          head: this.u32[(at + 8) >>> 2],
          length: this.u32[(at + 12) >>> 2],
          time: this.f64[(at + 16) >>> 3],
          taken: this.f64[(at + 24) >>> 3],
          bytes: this.bytes.subarray(at + RECORD_HEADER, at + RECORD_HEADER + captured),
        });
        count++;
      }
      this.position = (this.position + size) | 0;
    }
    Atomics.store(this.words, READ, this.position);
    return count;
  }
}
