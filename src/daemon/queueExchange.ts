/**
 * Joins a descriptor chain to the FUSE server: the `Exchange` over a virtqueue.
 *
 * Knows which queue a request came by and how to give it back later. The server keeps nothing of it beyond a call,
 * except what it parks.
 */
import type { Exchange } from '../fuse/exchange';
import { Errno } from '../protocol/errno';
import type { Chain } from '../virtio/chain';
import type { GatedExchange, GateRequest } from './gate/gateRequest';
import type { RequestBytes } from './gate/requestBytes';
import { RequestTrace } from './trace/requestTrace';

/** Where a parked request goes when it is done, and where a fresh chain comes from. */
export interface ExchangeOwner {
  /** Replaces `exchange` in its queue's turn, so that it can wait. */
  replace(exchange: QueueExchange): void;
  /** It has its reply; the gate may want to hold it there. */
  complete(exchange: QueueExchange, used: number): void;
  /** It goes back to its queue. */
  deliver(exchange: QueueExchange, used: number): void;
  /** Whether its queue runs. */
  runs(queue: number): boolean;
}

export class QueueExchange implements GatedExchange {
  readonly trace = new RequestTrace();
  gated: GateRequest | undefined = undefined;
  taken: RequestBytes | undefined = undefined;

  constructor(
    readonly chain: Chain,
    readonly queue: number,
    private readonly owner: ExchangeOwner,
  ) {}

  get readable(): number {
    if (this.taken !== undefined) return this.taken.length;
    return this.chain.oversized ? 0 : this.chain.readable;
  }

  get writable(): number {
    return this.chain.writable;
  }

  get vectors(): number {
    return this.chain.vectors;
  }

  pull(skip: number, length: number, at: number): number {
    if (this.taken !== undefined) return this.taken.pull(skip, length, at);
    if (skip + length > this.chain.readable) return -Errno.EFAULT;
    return this.chain.copyIn(skip, length, at);
  }

  push(skip: number, length: number, at: number): number {
    if (skip + length > this.chain.writable) return -Errno.EFAULT;
    return this.chain.copyOut(skip, length, at);
  }

  requestVectors(skip: number, length: number): number {
    return this.taken !== undefined ? this.taken.vectors(skip, length) : this.chain.readableVectors(skip, length);
  }

  replyVectors(skip: number, length: number): number {
    return this.chain.writableVectors(skip, length);
  }

  get answerable(): boolean {
    return this.owner.runs(this.queue);
  }

  park(): Exchange {
    this.owner.replace(this);
    return this;
  }

  finish(used: number): void {
    this.owner.complete(this, used);
  }

  deliver(used: number): void {
    this.owner.deliver(this, used);
  }
}
