/**
 * Writes what passes through the queues into the trace ring: each message's first bytes, as they lie in guest memory.
 *
 * On the queue worker's hot path when a trace is wanted, and not there at all otherwise.
 */
import type { QueueExchange } from './queueExchange';
import { RecordKind, type TraceWriter } from './traceRing';

export class Tracer {
  /** Milliseconds since the epoch at which this thread's clock began. */
  private readonly origin = performance.timeOrigin;

  constructor(
    private readonly ring: TraceWriter,
    /** Bytes of each message that are kept. */
    private readonly snapLength: number,
  ) {}

  /** A request has been taken from its queue. */
  begin(exchange: QueueExchange): void {
    const taken = this.origin + performance.now();
    exchange.taken = taken;
    const length = exchange.chain.readable;
    const captured = length < this.snapLength ? length : this.snapLength;
    const at = this.ring.reserve(captured);
    if (at < 0) return;
    exchange.chain.exportRequest(captured, this.ring.bytesAddress(at));
    const { queue } = exchange;
    this.ring.commit(at, RecordKind.Request, queue, exchange.chain.head, length, taken, taken);
  }

  /** It has been answered with `used` bytes, or with nothing (0). */
  replied(exchange: QueueExchange, used: number): void {
    if (used <= 0) return;
    const captured = used < this.snapLength ? used : this.snapLength;
    const at = this.ring.reserve(captured);
    if (at < 0) return;
    exchange.chain.exportReply(captured, this.ring.bytesAddress(at));
    const now = this.origin + performance.now();
    this.ring.commit(at, RecordKind.Reply, exchange.queue, exchange.chain.head, used, now, exchange.taken);
  }
}
