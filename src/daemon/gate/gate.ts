/**
 * The gate that requests pass while a debugger looks at them, or faults are to be done: holds them at their entry or at
 * their reply, lets them go on, stops them at host calls.
 *
 * Runs on the queue worker, and is looked at only while `armed`. Owns which requests are held and where each stands.
 * Which are, `rules.ts` says; what is said of them to the debugger is `debugDesk.ts`. One handler at a time runs, as ever:
 * one that stands in the middle keeps the others waiting.
 */
import type { EventFacts, Held, HeldPhase } from '../../control/debug';
import { MOST_HELD } from '../../control/debug';
import { NEVER_HELD, OPCODES, slotOf } from '../../control/rules/selector';
import { DEFERRED } from '../../fs/fileSystem';
import type { HostCalls } from '../../fs/hostCalls';
import { Errno } from '../../protocol/errno';
import { InHeader, OutHeader, ReadIn, WriteIn } from '../../protocol/fuse/structs';
import { Opcode } from '../../protocol/fuse/opcodes';
import type { SessionShape } from '../../protocol/message';
import { OneRow } from '../../trace/filter/filter';
import type { RequestServer } from '../device';
import type { ExchangeOwner, QueueExchange } from '../queueExchange';
import type { Tracer } from '../trace/tracer';
import { Faults } from './faults';
import { GateRequest, MOST_LOOKED_AT, type Next } from './heldRequest';
import { type CallNote, type CallNotes } from './callNotes';
import { readReply, type ReplyWriter } from './replyBytes';
import { type RequestBytes } from './requestBytes';
import { type Matched, Rules } from './rules';
import type { Standstill } from './standstill';
import { type CallWatch, steppedCalls } from './steppedCalls';

export type Released = EventFacts<'released'>['why'];

/** The device: where requests come from and go to. */
export interface GateOwner extends ExchangeOwner {
  /** Gives the request back with its reply. */
  deliver(exchange: QueueExchange, used: number): void;
  /** Queues may be served again. */
  thaw(): void;
}

export interface GateParts {
  readonly server: RequestServer;
  readonly tracer: Tracer;
  readonly writer: ReplyWriter;
  readonly notes: CallNotes;
  readonly standstill: Standstill;
  /** The plain calls, and where they are put to be told of. */
  readonly plainCalls: HostCalls;
  readonly callsOf: { calls: HostCalls };
  readonly bytesOf: (exchange: QueueExchange) => RequestBytes;
  readonly pathOf: (request: GateRequest) => string;
  readonly shape: () => SessionShape | undefined;
}

/** Who is told; `queueWorker` passes it on to the main thread. */
export interface GateListener {
  held(request: GateRequest): void;
  stepped(request: GateRequest): void;
  released(id: number, why: Released): void;
  logpoint(id: number, text: string, request: GateRequest): void;
  log(text: string): void;
}

const STEP: Held['why'] = { kind: 'step', ids: [], text: '' };
const PAUSE: Held['why'] = { kind: 'pause', ids: [], text: '' };
const NOBODY = -1;
const ANY_QUEUE = -2;

const never = new Uint8Array(OPCODES);
for (const number of NEVER_HELD) never[number] = 1;

export class Gate implements CallWatch {
  /** Requests have to pass here. */
  armed = false;
  /** No queue is served. */
  frozen = false;
  readonly faults: Faults;
  readonly rules: Rules;
  private readonly row = new OneRow();
  private readonly faultInterest = new Uint8Array(OPCODES);
  private readonly heldOnes = new Map<number, GateRequest>();
  private delayed: { readonly due: number; readonly request: GateRequest }[] = [];
  /** Those told to go on whose handler has not begun. */
  private pending: GateRequest[] = [];
  private owner!: GateOwner;
  private readonly stepped: HostCalls;
  private lastId = 0;
  private pausing = NOBODY;
  private stopsWorld = false;
  private draining = false;
  /** Whose handler runs, watched; who stands in it. */
  private running: GateRequest | undefined;
  private standing: GateRequest | undefined;
  private looked: GateRequest | undefined;

  constructor(
    private readonly parts: GateParts,
    private readonly listener: GateListener,
  ) {
    this.faults = new Faults(this.row);
    this.rules = new Rules(this.row, (id, text) => {
      if (this.looked) listener.logpoint(id, text, this.looked);
    });
    this.stepped = steppedCalls(parts.plainCalls, this);
  }

  attach(owner: GateOwner): void {
    this.owner = owner;
  }

  // The device's side.

  /** A request has been taken from its queue: bytes of reply to give back now, or DEFERRED. */
  serve(exchange: QueueExchange): number {
    const request = (exchange.gated ??= new GateRequest(exchange));
    request.begin();
    const opcode = slotOf(request.opcode);
    if (never[opcode] === 0 && !this.draining) {
      const why = this.atEntry(request, opcode);
      if (why && this.hold(request, 'entry', why)) return DEFERRED;
    }
    const used = this.run(request);
    if (used === DEFERRED) return DEFERRED;
    const fault = request.fault?.action.kind;
    if (fault === 'twice' || fault === 'drop' || fault === 'length') {
      this.owner.replace(exchange);
      this.owner.deliver(exchange, used);
      return DEFERRED;
    }
    this.delivering(exchange, used);
    return used;
  }

  /** A request that was parked has its reply. True when it is held there. */
  completed(exchange: QueueExchange, used: number): boolean {
    const request = exchange.gated;
    return request?.valid === true && this.atReply(request, used);
  }

  /** A request is about to be given back: how many times. */
  delivering(exchange: QueueExchange, used: number): number {
    const request = exchange.gated;
    if (request?.valid !== true) return 1;
    request.valid = false;
    exchange.taken = undefined;
    if (request.id !== 0) this.letGo(request, 'stepped');
    const { trace } = exchange;
    const action = request.fault?.action;
    trace.changed = request.changed || action !== undefined;
    if (action?.kind === 'length' && used > 0) this.parts.writer.setLength(exchange.chain, used + action.by);
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
    for (const { request } of due) this.runParked(request);
  }

  // The debugger's side.

  get held(): readonly GateRequest[] {
    return [...this.heldOnes.values()];
  }

  request(id: number): GateRequest | undefined {
    return this.heldOnes.get(id);
  }

  /** Rules or faults have changed. */
  rearm(): void {
    this.faultInterest.fill(0);
    this.faults.mark(this.faultInterest);
    this.armed = this.rules.any || this.faults.any || this.pausing !== NOBODY;
  }

  pause(queue: number | undefined): void {
    this.pausing = queue ?? ANY_QUEUE;
    this.rearm();
  }

  stopWorld(wanted: boolean): void {
    this.stopsWorld = wanted;
    this.refreeze();
  }

  /** Those that stand at their entry go on at the next `work`, since their handler may stop on its way. */
  go(request: GateRequest, next: Next, why: Released = next === 'run' ? 'continued' : 'stepped'): void {
    request.next = next;
    switch (request.phase) {
      case 'entry':
        request.released = why;
        if (this.draining) return this.runHeld(request);
        if (!this.pending.includes(request)) this.pending.push(request);
        return;
      case 'call':
      case 'called': {
        const { then } = request;
        if (next === 'run') this.letGo(request, why);
        if (request.inHandler) {
          this.standing = undefined;
          return;
        }
        request.then = undefined;
        this.wasHeld(request);
        request.phase = 'waiting';
        this.parts.tracer.resume(request.exchange.trace);
        then?.();
        this.parts.tracer.suspend();
        return;
      }
      case 'waiting':
        if (next === 'run') this.letGo(request, why);
        return;
      case 'reply':
        this.wasHeld(request);
        this.letGo(request, why);
        return this.owner.deliver(request.exchange, request.used);
    }
  }

  /** Handlers that were told to go on, and have not begun, run: one after the other. */
  work(): void {
    if (this.running) return;
    for (let next = this.pending.shift(); next; next = this.pending.shift()) {
      if (next.id !== 0 && next.phase === 'entry') this.runHeld(next);
    }
  }

  /** At entry: the handler is left out. At reply: what it has written is replaced. False where there is no room. */
  answer(request: GateRequest, errno: number): boolean {
    const used = this.parts.writer.fail(request.exchange.chain, request.request, errno);
    if (used === 0) return false;
    request.used = used;
    request.changed = true;
    this.step(request, 'reply', { kind: 'answer', ids: [], text: '' });
    return true;
  }

  /** From its reply back to its entry. */
  rerun(request: GateRequest): void {
    this.takeBytes(request);
    request.used = 0;
    request.refusal = undefined;
    request.notServed = false;
    this.step(request, 'entry', { kind: 'rerun', ids: [], text: '' });
  }

  /** The bytes of the request, taken out of guest memory. */
  takeBytes(request: GateRequest): RequestBytes {
    return (request.exchange.taken ??= this.parts.bytesOf(request.exchange));
  }

  /** The debugger has gone: nothing is held, nothing will be. Faults of the daemon's options stay. */
  detach(): void {
    this.rules.clear();
    this.faults.replace([]);
    this.pausing = NOBODY;
    this.stopsWorld = false;
    this.rearm();
    this.releaseAll('detached');
  }

  releaseAll(why: Released): void {
    for (const request of this.held) if (request.id !== 0) this.go(request, 'run', why);
    this.refreeze();
  }

  /** A queue stops: everything that waits here, and then whatever `others` ends, ends now. Nothing is held meanwhile. */
  settle(others: () => void): void {
    this.draining = true;
    this.pending = [];
    this.releaseAll('queueStopped');
    for (const { request } of this.delayed.splice(0)) this.runParked(request);
    others();
    this.draining = false;
  }

  pathOf(request: GateRequest): string {
    return this.parts.pathOf(request);
  }

  // What happens to one request.

  private atEntry(request: GateRequest, opcode: number): Matched {
    let why: Matched;
    if (this.pausing === ANY_QUEUE || this.pausing === request.exchange.queue) {
      this.pausing = NOBODY;
      this.rearm();
      why = PAUSE;
    }
    const faulty = this.faultInterest[opcode] !== 0;
    if (this.rules.entryInterest[opcode] === 0 && !faulty) return why;
    this.look(request);
    why = this.rules.atEntry(opcode) ?? why;
    if (faulty) request.fault = this.faults.pick(opcode);
    return why;
  }

  private atReply(request: GateRequest, used: number): boolean {
    const opcode = slotOf(request.opcode);
    if (this.draining || never[opcode] !== 0) return false;
    request.used = used;
    let why = request.id !== 0 && request.next !== 'run' ? STEP : undefined;
    if (this.rules.replyInterest[opcode] !== 0 && used >= OutHeader.size) {
      const latency = performance.now() - request.taken - request.heldFor;
      this.look(request);
      const reply = readReply(request.exchange.chain, Math.min(used, MOST_LOOKED_AT)).u8;
      this.row.answer(reply.subarray(0, used), {
        latency: latency * 1e6,
        host: request.exchange.trace.host * 1e6,
        writing: 0,
        calls: request.exchange.trace.calls,
      });
      why = this.rules.atReply(request, opcode, this.row.columns.error[0], latency) ?? why;
    }
    return why !== undefined && this.hold(request, 'reply', why);
  }

  /** Puts the request into the row that rules look at. */
  private look(request: GateRequest): void {
    if (request.exchange.taken === undefined) request.fetchAll();
    this.looked = request;
    this.row.take(request.bytes, {
      start: 0,
      queue: request.exchange.queue,
      path: () => (request.path ??= this.parts.pathOf(request)),
      session: this.parts.shape(),
    });
  }

  /** Has it handled, with what is to be done to it. Bytes of reply, or DEFERRED: also when it is held at its reply. */
  private run(request: GateRequest): number {
    const { exchange, fault } = request;
    if (fault?.action.kind === 'delay' && !request.delayed && !this.draining) {
      request.delayed = true;
      this.owner.replace(exchange);
      request.heldAt = performance.now();
      this.delayed.push({ due: request.heldAt + fault.action.milliseconds, request });
      return DEFERRED;
    }
    const failing = fault?.action.kind === 'errno' ? fault.action.errno : 0;
    if (fault?.action.kind === 'short') this.shorten(request, fault.action.bytes);
    const used = failing > 0 ? this.parts.writer.fail(exchange.chain, request.request, failing) : this.handle(request);
    if (used === DEFERRED) {
      exchange.trace.later = true;
      return DEFERRED;
    }
    return this.atReply(request, used) ? DEFERRED : used;
  }

  private handle(request: GateRequest): number {
    const { server, tracer, callsOf, plainCalls } = this.parts;
    const { refused } = server.counters;
    tracer.resume(request.exchange.trace);
    if (request.watched) {
      this.running = request;
      tracer.stalled = 0;
      callsOf.calls = this.stepped;
    }
    const used = server.handle(request.exchange);
    if (request.watched) {
      callsOf.calls = plainCalls;
      this.running = undefined;
      tracer.stalled = 0;
    }
    tracer.suspend();
    if (server.counters.refused !== refused) {
      request.refusal = server.lastRefusal.reason;
      request.notServed = server.lastRefusal.error === Errno.ENOSYS;
    }
    return used;
  }

  /** One that was held at its entry goes on. */
  private runHeld(request: GateRequest): void {
    this.wasHeld(request);
    if (request.next === 'run') this.letGo(request, request.released);
    const used = this.run(request);
    if (used !== DEFERRED) return this.owner.deliver(request.exchange, used);
    request.inHandler = false;
    if (request.id === 0 || request.phase === 'reply') return;
    request.call = request.calls.at(-1);
    this.step(request, 'waiting', STEP);
  }

  /** One that a fault has delayed. */
  private runParked(request: GateRequest): void {
    this.wasHeld(request);
    const used = this.run(request);
    if (used !== DEFERRED) this.owner.deliver(request.exchange, used);
  }

  /** READ and WRITE: fewer bytes are asked for, as if the host had no more. */
  private shorten(request: GateRequest, wanted: number | undefined): void {
    const bytes = this.takeBytes(request);
    const at = InHeader.size + (request.opcode === Opcode.READ ? ReadIn.offset.size : WriteIn.offset.size);
    const asked = request.word(at);
    const left = Math.min(asked, wanted ?? asked >>> 1);
    bytes.setWord(at, left);
    if (request.opcode === Opcode.WRITE) bytes.shorten(InHeader.size + WriteIn.size + left);
  }

  // Holding and letting go.

  private hold(request: GateRequest, phase: HeldPhase, why: Held['why']): boolean {
    if (request.id !== 0) {
      this.step(request, phase, why);
      return true;
    }
    if (this.heldOnes.size >= MOST_HELD) {
      this.listener.log(`${MOST_HELD} requests are held already: one that matched went on`);
      return false;
    }
    const { exchange } = request;
    request.id = ++this.lastId;
    request.watched = true;
    request.next = 'run';
    request.path ??= this.parts.pathOf(request);
    request.since = Date.now();
    request.heldAt = performance.now();
    request.phase = phase;
    request.why = why;
    this.owner.replace(exchange);
    if (phase === 'entry') {
      const bytes = this.takeBytes(request);
      const { path } = request;
      request.look(bytes.bytes);
      request.path = path;
    }
    this.heldOnes.set(request.id, request);
    this.refreeze();
    this.listener.held(request);
    return true;
  }

  /** It stands somewhere else now. */
  private step(request: GateRequest, phase: HeldPhase, why: Held['why']): void {
    request.phase = phase;
    request.why = why;
    if (phase === 'entry' || phase === 'reply') request.call = undefined;
    request.inHandler = this.standing === request;
    // Where it moves without going on (answer, rerun) its time goes on as well.
    if (phase !== 'waiting' && request.heldAt === 0) request.heldAt = performance.now();
    this.listener.stepped(request);
  }

  /** The time that it stood is over. */
  private wasHeld(request: GateRequest, inCall = false): void {
    if (request.heldAt === 0) return;
    const milliseconds = performance.now() - request.heldAt;
    const { trace } = request.exchange;
    request.heldAt = 0;
    request.heldFor += milliseconds;
    trace.held += milliseconds;
    if (inCall) this.parts.tracer.stalled += milliseconds;
    else trace.heldAfter += milliseconds;
  }

  private letGo(request: GateRequest, why: Released): void {
    const { id } = request;
    if (id === 0) return;
    request.id = 0;
    this.heldOnes.delete(id);
    this.listener.released(id, why);
    this.refreeze();
  }

  private refreeze(): void {
    const before = this.frozen;
    this.frozen = this.stopsWorld && this.heldOnes.size > 0;
    if (before && !this.frozen) this.owner.thaw();
  }

  // CallWatch: host calls of the handler that runs.

  get watching(): boolean {
    return this.running !== undefined;
  }

  made(call: number, values: readonly number[], make: () => number): number {
    const request = this.running;
    if (!request) return make();
    const note = this.parts.notes.note(call, values, false);
    this.atCall(request, note, true);
    const began = performance.now();
    const result = make();
    note.result = result;
    note.milliseconds = performance.now() - began;
    if (request.id !== 0 && request.next === 'in') this.stand(request, 'called', true);
    return result;
  }

  handedOver(call: number, values: readonly number[], done: (result: number) => void): (result: number) => void {
    const request = this.running;
    if (!request) return done;
    const note = this.parts.notes.note(call, values, true);
    this.atCall(request, note, false);
    const began = performance.now();
    return (result) => {
      note.result = result;
      note.milliseconds = performance.now() - began;
      if (this.draining || !request.valid || request.id === 0 || request.next !== 'in') return done(result);
      request.then = () => done(result);
      request.call = note;
      this.step(request, 'called', STEP);
    };
  }

  private atCall(request: GateRequest, note: CallNote, inCall: boolean): void {
    request.noteCall(note);
    request.call = note;
    if (request.id !== 0 && (request.next === 'in' || request.next === 'over')) this.stand(request, 'call', inCall);
  }

  /** Stops here, in the middle of the handler, until it is told to go on. */
  private stand(request: GateRequest, phase: 'call' | 'called', inCall: boolean): void {
    this.standing = request;
    request.heldAt = performance.now();
    this.step(request, phase, STEP);
    const ended = this.parts.standstill.wait(() => this.standing === request);
    this.standing = undefined;
    request.inHandler = false;
    if (ended === 'quit') {
      request.next = 'run';
      this.letGo(request, 'quit');
    } else if (ended === 'frontEnd' && request.id !== 0) request.next = 'out';
    this.wasHeld(request, inCall);
  }
}
