/**
 * The gate that requests pass while a debugger looks at them, or faults are to be done: the way of a request through
 * it, from its queue to its reply, and what the debugger may have it do on that way.
 *
 * Runs on the queue worker, and is looked at only while `armed`. Which requests are meant, `matching.ts` says; those
 * that are held are in `holding.ts`, their steps in `stepping.ts`; faults are done by `faultActions.ts`. What is said
 * to the debugger is `debugDesk.ts`. One handler at a time runs, as ever: one that stands in the middle keeps the
 * others waiting.
 */
import type { Held } from '../../control/debug';
import { NEVER_HELD, OPCODES, slotOf } from '../../control/rules/selector';
import { DEFERRED } from '../../fs/fileSystem';
import { Errno } from '../../protocol/errno';
import type { RequestServer } from '../requestServer';
import type { Tracer } from '../trace/tracer';
import { FaultActions } from './faultActions';
import { type GatedExchange, GateRequest, type Next, type Released } from './gateRequest';
import type { Holding } from './holding';
import type { Matching } from './matching';
import type { ReplyWriter } from './replyBytes';
import type { RequestBytes } from './requestBytes';
import type { Matched } from './rules';
import { STEP, type Stepping } from './stepping';

export interface GateParts {
  readonly matching: Matching;
  readonly holding: Holding;
  readonly stepping: Stepping;
  readonly server: RequestServer;
  readonly tracer: Tracer;
  readonly writer: ReplyWriter;
  /** The bytes of a request, taken out of guest memory. */
  readonly takeBytes: (request: GateRequest) => RequestBytes;
}

const PAUSE: Held['why'] = { kind: 'pause', ids: [], text: '' };
const NOBODY = -1;
const ANY_QUEUE = -2;

const never = new Uint8Array(OPCODES);
for (const number of NEVER_HELD) never[number] = 1;

export class Gate {
  /** Requests have to pass here. */
  armed = false;
  readonly faultActions: FaultActions;
  /** Those told to go on that cannot while another's handler runs: at their entry, or with a result that has come. */
  private pending: GateRequest[] = [];
  /** The queue whose next request is held. */
  private pausing = NOBODY;

  constructor(private readonly parts: GateParts) {
    const { writer, takeBytes, holding } = parts;
    const goOn = (request: GateRequest): void => this.runDelayed(request);
    this.faultActions = new FaultActions({ writer, takeBytes, holding, goOn });
  }

  /** `thaw` is called when queues may be served again. */
  attach(thaw: () => void): void {
    this.parts.holding.attach(thaw);
  }

  // The device's side.

  /** No queue is served. */
  get frozen(): boolean {
    return this.parts.holding.frozen;
  }

  /** A request has been taken from its queue: bytes of reply to give back now, or DEFERRED. */
  serve(exchange: GatedExchange): number {
    const { holding } = this.parts;
    const request = (exchange.gated ??= new GateRequest(exchange));
    request.begin();
    const opcode = slotOf(request.opcode);
    if (never[opcode] === 0 && !holding.draining) {
      const why = this.atEntry(request, opcode);
      if (why && holding.hold(request, 'entry', why)) return DEFERRED;
    }
    const used = this.run(request);
    if (used === DEFERRED) return DEFERRED;
    if (this.faultActions.changesDelivery(request)) {
      exchange.park();
      exchange.deliver(used);
      return DEFERRED;
    }
    this.delivering(exchange, used);
    return used;
  }

  /** A request that was parked has its reply. True when it is held there. */
  completed(exchange: GatedExchange, used: number): boolean {
    const request = exchange.gated;
    return request?.valid === true && this.atReply(request, used);
  }

  /** A request is about to be given back: how many times. */
  delivering(exchange: GatedExchange, used: number): number {
    const request = exchange.gated;
    if (request?.valid !== true) return 1;
    request.valid = false;
    exchange.taken = undefined;
    this.parts.holding.letGo(request, 'stepped');
    exchange.trace.changed = request.changed || request.fault !== undefined;
    return this.faultActions.delivering(request, used);
  }

  /**
   * A queue stops: everything that waits here, and then whatever `others` ends, ends now. Nothing is held meanwhile.
   */
  settle(others: () => void): void {
    const { holding } = this.parts;
    holding.draining = true;
    this.pending = [];
    this.releaseAll('queueStopped');
    this.faultActions.endDelays();
    others();
    holding.draining = false;
  }

  // The debugger's side.

  /** Rules or faults have changed. */
  rearm(): void {
    const { matching } = this.parts;
    matching.refresh();
    this.armed = matching.any || this.pausing !== NOBODY;
  }

  /** The next request of that queue, or of any, is held. */
  pause(queue: number | undefined): void {
    this.pausing = queue ?? ANY_QUEUE;
    this.rearm();
  }

  /**
   * Those that stand at their entry go on at the next `work`, since their handler may stop on its way; so do those with
   * a result, while another stands in its handler and has the tables and areas that they need.
   */
  go(request: GateRequest, next: Next, why: Released = next === 'run' ? 'continued' : 'stepped'): void {
    const { holding, stepping } = this.parts;
    request.next = next;
    switch (request.phase) {
      case 'entry':
        request.released = why;
        return holding.draining ? this.runHeld(request) : this.later(request);
      case 'call':
      case 'called':
        request.released = why;
        return stepping.watching && !request.inHandler ? this.later(request) : this.goOn(request);
      case 'waiting':
        if (next === 'run') holding.letGo(request, why);
        return;
      case 'reply':
        holding.stood(request);
        holding.letGo(request, why);
        return request.exchange.deliver(request.used);
    }
  }

  /** What was told to go on, and could not, does: one after the other. */
  work(): void {
    if (this.parts.stepping.watching) return;
    for (let next = this.pending.shift(); next; next = this.pending.shift()) {
      if (next.id === 0) continue;
      if (next.phase === 'entry') this.runHeld(next);
      else if (next.phase === 'called') this.goOn(next);
    }
  }

  private later(request: GateRequest): void {
    if (!this.pending.includes(request)) this.pending.push(request);
  }

  /** One that stands at a host call. */
  private goOn(request: GateRequest): void {
    if (request.next === 'run') this.parts.holding.letGo(request, request.released);
    this.parts.stepping.goOn(request);
  }

  /** At entry: the handler is left out. At reply: what it has written is replaced. False where there is no room. */
  answer(request: GateRequest, errno: number): boolean {
    const used = this.parts.writer.fail(request.exchange.chain, request.request, errno);
    if (used === 0) return false;
    request.used = used;
    request.changed = true;
    this.parts.holding.move(request, 'reply', { kind: 'answer', ids: [], text: '' });
    return true;
  }

  /** From its reply back to its entry. */
  rerun(request: GateRequest): void {
    this.parts.takeBytes(request);
    request.used = 0;
    request.refusal = undefined;
    request.notServed = false;
    this.parts.holding.move(request, 'entry', { kind: 'rerun', ids: [], text: '' });
  }

  /** The debugger has gone: nothing is held, nothing will be. Faults of the daemon's options stay. */
  detach(): void {
    const { matching, holding } = this.parts;
    matching.rules.clear();
    matching.faults.replace([]);
    this.pausing = NOBODY;
    this.rearm();
    holding.stopWorld(false);
    this.releaseAll('detached');
  }

  private releaseAll(why: Released): void {
    for (const request of this.parts.holding.all) if (request.id !== 0) this.go(request, 'run', why);
  }

  // What happens to one request.

  private atEntry(request: GateRequest, opcode: number): Matched {
    const { queue } = request.exchange;
    const paused = this.pausing === ANY_QUEUE || this.pausing === queue;
    if (paused) {
      this.pausing = NOBODY;
      this.rearm();
    }
    return this.parts.matching.atEntry(request, opcode) ?? (paused ? PAUSE : undefined);
  }

  private atReply(request: GateRequest, used: number): boolean {
    const { matching, holding } = this.parts;
    const opcode = slotOf(request.opcode);
    if (holding.draining || never[opcode] !== 0) return false;
    request.used = used;
    const stepped = request.id !== 0 && request.next !== 'run';
    const why = matching.atReply(request, opcode, used) ?? (stepped ? STEP : undefined);
    return why !== undefined && holding.hold(request, 'reply', why);
  }

  /** Has it handled, with what is to be done to it. Bytes of reply, or DEFERRED: also when it is held at its reply. */
  private run(request: GateRequest): number {
    if (this.faultActions.delay(request)) return DEFERRED;
    const used = this.faultActions.beforeHandler(request) ?? this.handle(request);
    if (used === DEFERRED) {
      request.exchange.trace.later = true;
      return DEFERRED;
    }
    return this.atReply(request, used) ? DEFERRED : used;
  }

  private handle(request: GateRequest): number {
    const { server, tracer, stepping } = this.parts;
    const { refused } = server.counters;
    tracer.resume(request.exchange.trace);
    if (request.watched) stepping.begin(request);
    const used = server.handle(request.exchange);
    if (request.watched) stepping.end();
    tracer.suspend();
    if (server.counters.refused !== refused) {
      request.refusal = server.lastRefusal.reason;
      request.notServed = server.lastRefusal.error === Errno.ENOSYS;
    }
    return used;
  }

  /** One that was held at its entry goes on. */
  private runHeld(request: GateRequest): void {
    const { holding } = this.parts;
    holding.stood(request);
    if (request.next === 'run') holding.letGo(request, request.released);
    const used = this.run(request);
    if (used !== DEFERRED) return request.exchange.deliver(used);
    request.inHandler = false;
    if (request.id === 0 || request.phase === 'reply') return;
    request.call = request.calls.at(-1);
    holding.move(request, 'waiting', STEP);
  }

  /** One that a fault has delayed. */
  private runDelayed(request: GateRequest): void {
    this.parts.holding.stood(request);
    const used = this.run(request);
    if (used !== DEFERRED) request.exchange.deliver(used);
    // It may have stood in its handler.
    this.work();
  }
}
