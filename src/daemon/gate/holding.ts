/**
 * The requests that are held: under which number, where each stands and for how long, and whether queues are served
 * meanwhile.
 *
 * Tells whoever listens of every change. Knows neither why a request is held nor what its going on takes.
 */
import type { Held, HeldPhase } from '../../control/debug';
import { MOST_HELD } from '../../control/debug';
import type { Tracer } from '../trace/tracer';
import type { GateRequest, Released } from './gateRequest';
import type { RequestBytes } from './requestBytes';

export interface HoldingParts {
  readonly tracer: Tracer;
  readonly takeBytes: (request: GateRequest) => RequestBytes;
  readonly pathOf: (request: GateRequest) => string;
}

/** Who is told; `queueWorker` passes it on to the main thread. */
export interface HoldingListener {
  held(request: GateRequest): void;
  /** It stands somewhere else. */
  stepped(request: GateRequest): void;
  released(id: number, why: Released): void;
  log(text: string): void;
}

export class Holding {
  /** No queue is served. */
  frozen = false;
  /** A queue stops: nothing is held until it has. */
  draining = false;
  private readonly requests = new Map<number, GateRequest>();
  private lastId = 0;
  private stopsWorld = false;
  private thaw: () => void = () => undefined;

  constructor(
    private readonly parts: HoldingParts,
    private readonly listener: HoldingListener,
  ) {}

  /** `thaw` is called when queues may be served again. */
  attach(thaw: () => void): void {
    this.thaw = thaw;
  }

  get all(): readonly GateRequest[] {
    return [...this.requests.values()];
  }

  request(id: number): GateRequest | undefined {
    return this.requests.get(id);
  }

  /** Whether any held request stops all queues. */
  stopWorld(wanted: boolean): void {
    this.stopsWorld = wanted;
    this.refreeze();
  }

  /** False where too many are held already. One that is held moves there. */
  hold(request: GateRequest, phase: HeldPhase, why: Held['why']): boolean {
    if (request.id !== 0) {
      this.move(request, phase, why);
      return true;
    }
    if (this.requests.size >= MOST_HELD) {
      this.listener.log(`${MOST_HELD} requests are held already: one that matched went on`);
      return false;
    }
    request.id = ++this.lastId;
    request.watched = true;
    request.next = 'run';
    request.path ??= this.parts.pathOf(request);
    request.since = Date.now();
    request.heldAt = performance.now();
    request.phase = phase;
    request.why = why;
    request.exchange.park();
    if (phase === 'entry') {
      const bytes = this.parts.takeBytes(request);
      const { path } = request;
      request.look(bytes.bytes);
      request.path = path;
    }
    this.requests.set(request.id, request);
    this.refreeze();
    this.listener.held(request);
    return true;
  }

  /** It stands somewhere else now. */
  move(request: GateRequest, phase: HeldPhase, why: Held['why']): void {
    request.phase = phase;
    request.why = why;
    if (phase === 'entry' || phase === 'reply') request.call = undefined;
    // Where it moves without going on (answer, rerun) its time goes on as well.
    if (phase !== 'waiting' && request.heldAt === 0) request.heldAt = performance.now();
    this.listener.stepped(request);
  }

  /** The time that it stood is over. `inCall`: it was part of a host call's. */
  stood(request: GateRequest, inCall = false): void {
    if (request.heldAt === 0) return;
    const milliseconds = performance.now() - request.heldAt;
    const { trace } = request.exchange;
    request.heldAt = 0;
    request.heldFor += milliseconds;
    trace.held += milliseconds;
    if (inCall) this.parts.tracer.stalled += milliseconds;
    else trace.heldAfter += milliseconds;
  }

  /** It is held no longer. */
  letGo(request: GateRequest, why: Released): void {
    const { id } = request;
    if (id === 0) return;
    request.id = 0;
    this.requests.delete(id);
    this.listener.released(id, why);
    this.refreeze();
  }

  private refreeze(): void {
    const before = this.frozen;
    this.frozen = this.stopsWorld && this.requests.size > 0;
    if (before && !this.frozen) this.thaw();
  }
}
