/**
 * What the gate keeps about one request: its first bytes, as rules look at them, and where it stands while it is held.
 *
 * Belongs to an exchange and is used again with it, so that requests that match nothing cost no memory. Decides
 * nothing, and knows of the exchange what the gate needs: not how it goes back to its queue.
 */
import type { Arena } from '../../base/arena';
import type { EventFacts, Held, HeldPhase } from '../../control/debug';
import type { Exchange } from '../../fuse/exchange';
import { pinnedArena } from '../../native/memory';
import { InHeader } from '../../protocol/fuse/structs';
import type { Chain } from '../../virtio/chain';
import type { RequestTrace } from '../trace/requestTrace';
import type { CallNote } from './callNotes';
import type { Fault } from './faults';
import type { RequestBytes } from './requestBytes';

/** Enough for headers, arguments and most names; more is fetched where a message has it. */
const FIRST = 512;
/** As much as rules look at: everything but data and the longest extended attributes. */
export const MOST_LOOKED_AT = 8192;

/** Why it is not held any more. */
export type Released = EventFacts<'released'>['why'];

/** How far it is to go on: to the end, to before or after the next host call, to before it, to its reply. */
export type Next = 'run' | 'in' | 'over' | 'out';

/** Host calls remembered of one request. */
const MOST_CALLS = 256;

/** The exchange of a request, as the gate sees it. */
export interface GatedExchange extends Exchange {
  readonly chain: Chain;
  readonly trace: RequestTrace;
  /** What the gate keeps of it; made when a rule first looks at it. */
  gated: GateRequest | undefined;
  /** The request's bytes, where they are not the guest's any more. */
  taken: RequestBytes | undefined;
  /** Only for a parked exchange, as `finish`, but the gate is not asked again. */
  deliver(used: number): void;
}

export class GateRequest {
  /** From when it was taken until its reply is given. */
  valid = false;
  /** Its first bytes, and those of its reply, as far as they were fetched. */
  request: Arena = pinnedArena(FIRST);
  requestLength = 0;
  opcode = 0;
  taken = 0;
  /** Milliseconds that it was held. */
  heldFor = 0;
  changed = false;
  /** Why the server has refused it; undefined when it has not. An opcode that is not served is refused as well. */
  refusal: string | undefined;
  notServed = false;
  fault: Fault | undefined;
  /** That fault has delayed it already. */
  delayed = false;
  path: string | undefined;

  /** Its number while it is held, else 0. */
  id = 0;
  phase: HeldPhase = 'entry';
  inHandler = false;
  why: Held['why'] = { kind: 'pause', ids: [], text: '' };
  next: Next = 'run';
  /** Since when it stands, of this thread's clock (0: it does not); since when it is held, of the wall's. */
  heldAt = 0;
  since = 0;
  /** It was held once: its host calls are noted. */
  watched = false;
  calls: CallNote[] = [];
  /** The host call it stands at. */
  call: CallNote | undefined;
  /** What is told when it goes on, where that is later than it was told to. */
  released: Released = 'continued';
  /** Bytes of reply, at `reply`. */
  used = 0;
  /** At `called` outside of the handler: what comes then. */
  then: (() => void) | undefined;

  constructor(readonly exchange: GatedExchange) {}

  /** It has been taken from its queue. */
  begin(): void {
    const { chain } = this.exchange;
    this.valid = true;
    this.taken = performance.now();
    this.heldFor = 0;
    this.changed = this.notServed = this.delayed = this.watched = this.inHandler = false;
    this.refusal = this.fault = this.path = this.then = this.call = undefined;
    this.id = this.used = this.heldAt = 0;
    this.next = 'run';
    if (this.calls.length > 0) this.calls = [];
    this.fetch(Math.min(chain.readable, FIRST));
    this.opcode = this.requestLength >= InHeader.size ? this.request.getU32(InHeader.offset.opcode) : 0;
  }

  /** Sees to it that rules can look at all that they may. */
  fetchAll(): void {
    const wanted = Math.min(this.exchange.chain.readable, MOST_LOOKED_AT);
    if (wanted > this.requestLength) this.fetch(wanted);
  }

  get bytes(): Uint8Array {
    return this.request.bytes(0, this.requestLength);
  }

  /** A word of its header or arguments; 0 beyond what is there. */
  word(at: number): number {
    return at + 4 <= this.requestLength ? this.request.getU32(at) : 0;
  }

  noteCall(call: CallNote): void {
    if (this.calls.length === MOST_CALLS) this.calls.shift();
    this.calls.push(call);
  }

  /** What was changed is what is looked at from now on. */
  look(bytes: Uint8Array): void {
    const length = Math.min(bytes.length, MOST_LOOKED_AT);
    if (this.request.u8.length < length) this.request = pinnedArena(MOST_LOOKED_AT);
    this.request.u8.set(bytes.subarray(0, length));
    this.requestLength = length;
    this.opcode = this.word(InHeader.offset.opcode);
    this.path = undefined;
  }

  private fetch(length: number): void {
    if (this.request.u8.length < length) this.request = pinnedArena(MOST_LOOKED_AT);
    const { request } = this;
    request.u8.fill(0, 0, length);
    this.exchange.chain.exportRequest(length, { address: request.base, bytes: request.u8, u32: request.u32 }, 0);
    this.requestLength = length;
  }
}
