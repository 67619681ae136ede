/** What device and gate need of whoever answers requests: `fuse/server` is one, tests have others. */
import type { Counters } from '../fuse/counters';
import type { Exchange } from '../fuse/exchange';
import type { Refusal } from '../fuse/turn';

export interface RequestServer {
  /** Bytes of reply to give back, or DEFERRED. */
  handle(exchange: Exchange): number;
  /** Of the request served last. */
  readonly opcode: number;
  readonly counters: Counters;
  readonly lastRefusal: Refusal;
}
