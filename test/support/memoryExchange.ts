/**
 * An `Exchange` over plain memory: a request cut into arbitrary segments, and a reply that lands in arbitrary segments.
 *
 * For tests of the server without rings. Segments marked as unmapped answer -EFAULT, as guest memory that is not there.
 */
import type { Arena } from '../../src/base/arena';
import type { Exchange } from '../../src/fuse/exchange';

const EFAULT = 14;
const ENOSYS = 38;

interface Segment {
  readonly bytes: Uint8Array;
  readonly mapped: boolean;
}

/** How bytes are cut: lengths of segments, the last one taking what is left. */
export type Cuts = readonly number[];

export interface ExchangeOptions {
  readonly requestCuts?: Cuts;
  readonly replyCuts?: Cuts;
  /** From this byte on the request (reply) is not in guest memory. */
  readonly requestMapped?: number;
  readonly replyMapped?: number;
  readonly queue?: number;
}

function cut(bytes: Uint8Array, cuts: Cuts, mapped: number): Segment[] {
  const segments: Segment[] = [];
  let at = 0;
  const take = (length: number): void => {
    const end = Math.min(at + length, bytes.length);
    if (end > at) segments.push({ bytes: bytes.subarray(at, end), mapped: end <= mapped });
    at = end;
  };
  for (const length of cuts) take(length);
  take(bytes.length - at);
  return segments;
}

export class MemoryExchange implements Exchange {
  readonly vectors = 0;
  answerable = true;
  readonly queue: number;
  /** Everything that the server was allowed to write to. */
  readonly reply: Uint8Array;
  /** Set by `finish` on a parked exchange. */
  finished: number | undefined;
  parks = 0;
  /** Every range of the request that was fetched, to show that none is fetched twice. */
  readonly pulled: [skip: number, length: number][] = [];
  private readonly requestSegments: Segment[];
  private readonly replySegments: Segment[];

  constructor(
    private readonly arena: Arena,
    private readonly request: Uint8Array,
    room: number,
    options: ExchangeOptions = {},
  ) {
    this.queue = options.queue ?? 1;
    this.reply = new Uint8Array(room);
    this.requestSegments = cut(request, options.requestCuts ?? [], options.requestMapped ?? Infinity);
    this.replySegments = cut(this.reply, options.replyCuts ?? [], options.replyMapped ?? Infinity);
  }

  get readable(): number {
    return this.request.length;
  }

  get writable(): number {
    return this.reply.length;
  }

  requestVectors(): number {
    return -ENOSYS;
  }

  replyVectors(): number {
    return -ENOSYS;
  }

  pull(skip: number, length: number, at: number): number {
    this.pulled.push([skip, length]);
    return walk(this.requestSegments, skip, length, (bytes, done) => this.arena.u8.set(bytes, at + done));
  }

  push(skip: number, length: number, at: number): number {
    return walk(this.replySegments, skip, length, (bytes, done) =>
      bytes.set(this.arena.bytes(at + done, bytes.length)),
    );
  }

  park(): Exchange {
    this.parks++;
    return this;
  }

  finish(used: number): void {
    if (this.finished !== undefined) throw new Error('finished twice');
    this.finished = used;
  }
}

/** Visits [skip, skip + length) piece by piece; -EFAULT when some of it is not there. */
function walk(
  segments: readonly Segment[],
  skip: number,
  length: number,
  visit: (bytes: Uint8Array, done: number) => void,
): number {
  let start = 0;
  let done = 0;
  for (const { bytes, mapped } of segments) {
    const from = Math.max(skip + done, start);
    const to = Math.min(skip + length, start + bytes.length);
    start += bytes.length;
    if (to <= from) continue;
    if (!mapped) return -EFAULT;
    visit(bytes.subarray(from - (start - bytes.length), to - (start - bytes.length)), done);
    done += to - from;
  }
  return done === length ? 0 : -EFAULT;
}
