/**
 * Bytes of a capture by their place in the stream: read again from a file piece by piece, or kept in memory of a live
 * stream up to a limit, the oldest dropped.
 *
 * Both in segments of the same size. Knows nothing of what the bytes are.
 */

export const SEGMENT = 256 << 10;
/** How many segments of a file are kept. */
const KEPT_SEGMENTS = 16;
const NOTHING = new Uint8Array(0);

/**
 * Reads up to `length` bytes at `at` of a file; fewer at its end. `room` is memory of that length to read them into.
 */
export type ReadAt = (at: number, length: number, room: Uint8Array) => Uint8Array;

export interface CaptureBytes {
  /** Takes the next bytes of the stream. */
  push(chunk: Uint8Array): void;
  /** The bytes at [at, at + length); fewer, or none, where they are not to be had. Valid until the next call. */
  bytes(at: number, length: number): Uint8Array;
}

/** [at, at + length) put together from segments. */
function gather(at: number, length: number, segment: (index: number) => Uint8Array): Uint8Array {
  const index = Math.floor(at / SEGMENT);
  const from = at - index * SEGMENT;
  const first = segment(index);
  if (from + length <= SEGMENT) return first.subarray(from, from + length);
  const whole = new Uint8Array(length);
  let done = 0;
  for (let i = index; done < length; i++) {
    const start = i === index ? from : 0;
    const part = segment(i).subarray(start, Math.min(SEGMENT, start + length - done));
    if (part.length === 0) return done === 0 ? NOTHING : whole.subarray(0, done);
    whole.set(part, done);
    done += part.length;
  }
  return whole;
}

interface Segment {
  readonly room: Uint8Array;
  bytes: Uint8Array;
}

/** Of a file: nothing is kept but the segments read last. */
export class FileBytes implements CaptureBytes {
  private readonly kept = new Map<number, Segment>();
  /** The one asked for last: rows next to each other are in the same one. */
  private last = -1;
  private lastBytes: Uint8Array = NOTHING;
  private readonly segment = (index: number): Uint8Array => {
    if (index === this.last && (this.lastBytes.length === SEGMENT || this.ended)) return this.lastBytes;
    let segment = this.kept.get(index);
    if (segment === undefined || (segment.bytes.length < SEGMENT && !this.ended)) {
      const room = segment?.room ?? this.room();
      segment = { room, bytes: this.read(index * SEGMENT, SEGMENT, room) };
      this.kept.delete(index);
      this.kept.set(index, segment);
    }
    this.last = index;
    this.lastBytes = segment.bytes;
    return segment.bytes;
  };
  /** No more comes: a short segment is the file's last. */
  ended = false;

  constructor(private readonly read: ReadAt) {}

  /**
   * That of the oldest segment, so that going over a whole file makes no garbage; never that of the one asked for last,
   * of which somebody may still hold a request while its reply is looked for.
   */
  private room(): Uint8Array {
    if (this.kept.size >= KEPT_SEGMENTS) {
      for (const [index, { room }] of this.kept) {
        if (index === this.last) continue;
        this.kept.delete(index);
        return room;
      }
    }
    return new Uint8Array(SEGMENT);
  }

  push(): void {
    // What comes is in the file.
  }

  bytes(at: number, length: number): Uint8Array {
    return gather(at, length, this.segment);
  }
}

/** Of a live stream: the last `limit` bytes, about. */
export class LiveBytes implements CaptureBytes {
  private readonly segments: Uint8Array[] = [];
  /** Index of the first segment that is kept. */
  private first = 0;
  private filled = SEGMENT;
  private readonly most: number;
  private readonly segment = (index: number): Uint8Array => {
    const place = index - this.first;
    if (place < 0 || place >= this.segments.length) return NOTHING;
    return place === this.segments.length - 1 ? this.segments[place].subarray(0, this.filled) : this.segments[place];
  };

  constructor(limit: number) {
    this.most = Math.max(1, Math.ceil(limit / SEGMENT));
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (this.filled === SEGMENT) this.open();
      const part = chunk.subarray(at, at + SEGMENT - this.filled);
      this.segments[this.segments.length - 1].set(part, this.filled);
      this.filled += part.length;
      at += part.length;
    }
  }

  private open(): void {
    let fresh: Uint8Array | undefined;
    if (this.segments.length === this.most) {
      fresh = this.segments.shift();
      this.first++;
    }
    this.segments.push(fresh ?? new Uint8Array(SEGMENT));
    this.filled = 0;
  }

  bytes(at: number, length: number): Uint8Array {
    return gather(at, length, this.segment);
  }
}
