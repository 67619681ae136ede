/**
 * What faults do to requests: at their entry (delay), in place of their handler or before it (errno, short), and when
 * their reply is given back (twice, drop, length).
 *
 * Owns those that are delayed. Which request a fault strikes is `faults.ts`.
 */
import { Opcode } from '../../protocol/fuse/opcodes';
import { InHeader, ReadIn, WriteIn } from '../../protocol/fuse/structs';
import type { GateRequest } from './gateRequest';
import type { Holding } from './holding';
import type { ReplyWriter } from './replyBytes';
import type { RequestBytes } from './requestBytes';

export interface FaultActionParts {
  readonly writer: ReplyWriter;
  readonly takeBytes: (request: GateRequest) => RequestBytes;
  readonly holding: Holding;
  /** A delay is over. */
  readonly goOn: (request: GateRequest) => void;
}

export class FaultActions {
  private delayed: { readonly due: number; readonly request: GateRequest }[] = [];

  constructor(private readonly parts: FaultActionParts) {}

  /** True where it has to wait: `goOn` is told when it need not any more. */
  delay(request: GateRequest): boolean {
    const action = request.fault?.action;
    if (action?.kind !== 'delay' || request.delayed || this.parts.holding.draining) return false;
    request.delayed = true;
    request.exchange.park();
    request.heldAt = performance.now();
    this.delayed.push({ due: request.heldAt + action.milliseconds, request });
    return true;
  }

  /** It is about to be handled: the bytes of an error reply where that is not to happen. */
  beforeHandler(request: GateRequest): number | undefined {
    const action = request.fault?.action;
    if (action?.kind === 'errno') return this.parts.writer.fail(request.exchange.chain, request.request, action.errno);
    if (action?.kind === 'short') this.shorten(request, action.bytes);
    return undefined;
  }

  /** Whether its reply is given back in a way of its own. */
  changesDelivery(request: GateRequest): boolean {
    const kind = request.fault?.action.kind;
    return kind === 'twice' || kind === 'drop' || kind === 'length';
  }

  /** Its reply is about to be given back: how many times. */
  delivering(request: GateRequest, used: number): number {
    const action = request.fault?.action;
    if (action?.kind === 'length' && used > 0) this.parts.writer.setLength(request.exchange.chain, used + action.by);
    return action?.kind === 'twice' && used > 0 ? 2 : action?.kind === 'drop' ? 0 : 1;
  }

  /** Milliseconds until `ring` has something to do; -1: nothing. */
  timeout(): number {
    if (this.delayed.length === 0) return -1;
    const soonest = Math.min(...this.delayed.map(({ due }) => due));
    return Math.max(0, Math.ceil(soonest - performance.now()));
  }

  /** Requests whose delay is over go on. */
  ring(): void {
    if (this.delayed.length === 0) return;
    const now = performance.now();
    const due = this.delayed.filter((one) => one.due <= now);
    if (due.length === 0) return;
    this.delayed = this.delayed.filter((one) => one.due > now);
    for (const { request } of due) this.parts.goOn(request);
  }

  /** All go on, however long they would still have to wait. */
  endDelays(): void {
    for (const { request } of this.delayed.splice(0)) this.parts.goOn(request);
  }

  /** READ and WRITE: fewer bytes are asked for, as if the host had no more. */
  private shorten(request: GateRequest, wanted: number | undefined): void {
    const bytes = this.parts.takeBytes(request);
    const at = InHeader.size + (request.opcode === Opcode.READ ? ReadIn.offset.size : WriteIn.offset.size);
    const asked = request.word(at);
    const left = Math.min(asked, wanted ?? asked >>> 1);
    bytes.setWord(at, left);
    if (request.opcode === Opcode.WRITE) bytes.shorten(InHeader.size + WriteIn.size + left);
  }
}
