/**
 * The turns of a share's rings: what they hold is served round by round until all have run dry, and then is decided how
 * to wait for more.
 *
 * All rings are awake or asleep together: while one has work, a request on another is seen without a kick, the high
 * priority queue's first. So a guest that forgets what it has just removed wakes nobody. Nothing here waits in the
 * kernel, and nobody else gets a turn before a round is over; each ring has its part of every round.
 */
import { DEFERRED } from '../fs/fileSystem';
import { signal } from '../native/descriptors';
import { Opcode } from '../protocol/fuse/opcodes';
import type { Ring } from '../vhostUser/device';
import type { Virtqueue } from '../virtio/virtqueue';
import type { CounterBoard } from './counterBoard';
import type { Gate } from './gate/gate';
import { IdleYield } from './idleYield';
import type { QueueExchange } from './queueExchange';
import type { RequestServer } from './requestServer';
import { ShortWatch } from './shortWatch';
import type { Tidings } from './tidings';
import type { Arrivals } from './trace/arrivals';
import { now } from './trace/clock';
import type { Tracer } from './trace/tracer';

/** Requests of one ring served before the others get their turn; and in all before the front-end's socket does. */
const TURN = 256;

/** What `drain` says where nothing more is to be served for now: the world stands still. */
const FROZEN = -1;

/** Looks at the rings between two turns of the others, while they are polled: some microseconds. */
const LOOKS = 256;
/** No poll has begun. */
const NEVER = 0;

export interface RoundsParts {
  /** How long rings that have run dry are polled before a kick is waited for. */
  readonly pollMicroseconds: number;
  readonly tracer: Tracer;
  readonly counters: CounterBoard;
  readonly gate: Gate;
  readonly warn: (text: string) => void;
}

/** A ring that runs. */
export interface RunningQueue {
  readonly ring: Ring;
  readonly queue: Virtqueue;
  readonly tidings: Tidings;
  readonly arrivals: Arrivals;
  /** For the next request. */
  exchange: QueueExchange;
  /** The driver has given nonsense: it is not served any more. */
  broken: boolean;
}

export class Rounds {
  /** By index: the high priority queue is first. */
  private running: readonly RunningQueue[] = [];
  private awake = false;
  /** Until when the rings, run dry, are polled; in milliseconds. */
  private pollEnd = NEVER;
  private readonly idleYield = new IdleYield();
  private readonly shortWatch = new ShortWatch();

  constructor(
    private readonly parts: RoundsParts,
    private readonly server: RequestServer,
  ) {}

  /** A ring has started. Requests may have come before its kick descriptor: it is looked at without being told. */
  add(running: RunningQueue): void {
    this.running = [...this.running, running].sort((one, other) => one.ring.index - other.ring.index);
    this.awake = true;
  }

  remove(running: RunningQueue): void {
    this.running = this.running.filter((one) => one !== running);
  }

  /** Whether `work` has something to do. */
  get busy(): boolean {
    return this.awake;
  }

  /** A kick has come, or the world goes on. */
  wake(): void {
    this.awake = true;
  }

  /** Serves until the rings have run dry and a kick is to be waited for, or others are to have a turn. */
  work(): void {
    this.quiet();
    let more = this.pending;
    for (let served = 0; ;) {
      if (more) {
        this.pollEnd = NEVER;
        const count = this.round();
        if (count === FROZEN) break;
        served += count;
        if (served >= TURN) return;
      }
      more = this.goesOn();
      if (more) continue;
      if (this.polls()) return;
      if (!this.listen()) break;
      this.quiet();
      more = true;
    }
    this.pollEnd = NEVER;
    this.awake = false;
  }

  /** Whether the driver has made something available. Looks at each ring, as a round serves what was seen. */
  get pending(): boolean {
    const { running } = this;
    let any = false;
    for (let index = 0; index < running.length; index++) {
      if (running[index].queue.backlog !== 0 && !running[index].broken) any = true;
    }
    return any;
  }

  /** The same, to be asked in a loop. */
  look(): boolean {
    const { running } = this;
    let any = false;
    for (let index = 0; index < running.length; index++) {
      if (running[index].queue.look() && !running[index].broken) any = true;
    }
    return any;
  }

  /** Tells the driver of what was answered, where it wants to hear of it. */
  tell({ tidings, queue, ring }: RunningQueue): void {
    tidings.told();
    if (queue.mustSignal() && ring.call >= 0) signal(ring.call);
  }

  traceReply(exchange: QueueExchange, used: number, opcode: number | undefined): void {
    const { trace, chain } = exchange;
    if (trace.traced) this.parts.tracer.replied(trace, chain, used);
    else if (opcode === Opcode.INIT) this.parts.tracer.keepInit(trace, chain, exchange.queue, used);
  }

  /** One turn for each ring that was seen to hold something. How many requests were taken, or FROZEN. */
  private round(): number {
    if (this.parts.gate.frozen) return FROZEN;
    let served = 0;
    const { running } = this;
    for (let index = 0; index < running.length; index++) {
      if (running[index].queue.waiting === 0 || running[index].broken) continue;
      const count = this.drain(running[index]);
      if (count === FROZEN) return FROZEN;
      served += count;
    }
    return served;
  }

  private drain(running: RunningQueue): number {
    const { queue, ring, tidings } = running;
    const { gate, tracer, counters } = this.parts;
    tidings.begin();
    let served = 0;
    for (; served < TURN; served++) {
      const { exchange } = running;
      const result = queue.pop(exchange.chain);
      if (result === 'empty') break;
      if (result === 'broken') {
        running.broken = true;
        this.parts.warn(`queue ${ring.index} is stopped: the driver gave ${queue.fault}`);
        break;
      }
      counters.taken(ring.index);
      const used = gate.armed
        ? this.handleGated(running, exchange)
        : tracer.on
          ? this.handleTraced(running, exchange)
          : this.handle(exchange);
      if (used !== DEFERRED) {
        queue.push(exchange.chain.head, used);
        counters.answered(ring.index);
        if (tidings.due(queue)) this.tell(running);
      } else if (gate.frozen) {
        served = FROZEN;
        break;
      }
    }
    // Nothing more is taken for now: the driver and whoever captures have all that was answered.
    this.tell(running);
    tracer.pause();
    return served;
  }

  /** All rings have run dry. True when something is there again without a kick. */
  private goesOn(): boolean {
    if (this.parts.pollMicroseconds === 0) {
      return this.pending || this.idleYield.attempt(this) || this.shortWatch.attempt(this);
    }
    for (let look = 0; look < LOOKS; look++) if (this.look()) return true;
    return false;
  }

  /** Whether a dry ring is to be looked at again, when asked for: after others have had a turn, and without a kick. */
  private polls(): boolean {
    const { pollMicroseconds } = this.parts;
    if (pollMicroseconds === 0) return false;
    const time = now();
    if (this.pollEnd === NEVER) this.pollEnd = time + pollMicroseconds / 1000;
    return time < this.pollEnd;
  }

  /** No kicks are wanted. */
  private quiet(): void {
    for (const { queue } of this.running) queue.quiet();
  }

  /** Asks for kicks; true when something has come meanwhile, and no kick can be relied on. */
  private listen(): boolean {
    let more = false;
    for (const { queue, broken } of this.running) if (!broken && queue.listen()) more = true;
    return more;
  }

  private handle(exchange: QueueExchange): number {
    exchange.trace.traced = false;
    const used = this.server.handle(exchange);
    if (this.server.opcode === Opcode.INIT) {
      this.parts.tracer.keepInit(exchange.trace, exchange.chain, exchange.queue, used);
    }
    return used;
  }

  private handleTraced(running: RunningQueue, exchange: QueueExchange): number {
    const { tracer } = this.parts;
    const { queue, arrivals } = running;
    tracer.begin(exchange.trace, exchange.chain, exchange.queue, arrivals, queue);
    const used = this.server.handle(exchange);
    tracer.handled(exchange.trace, exchange.chain, used);
    return used;
  }

  private handleGated(running: RunningQueue, exchange: QueueExchange): number {
    const { tracer, gate } = this.parts;
    const { queue, arrivals } = running;
    exchange.trace.traced = false;
    if (tracer.on) {
      tracer.begin(exchange.trace, exchange.chain, exchange.queue, arrivals, queue);
      tracer.suspend();
    }
    const used = gate.serve(exchange);
    if (used !== DEFERRED) this.traceReply(exchange, used, exchange.gated?.opcode);
    return used;
  }
}
