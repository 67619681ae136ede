/**
 * The threads that are held requests of a share that runs: numbered from FIRST_HELD, each there from when the daemon
 * holds its request until it lets it go.
 *
 * Owns what is held, as far as the daemon has told, and says of it what DAP wants to hear. The queues' threads stop and
 * go on because of these, and are told in the right order.
 */
import { trouble } from '../base/catalogue';
import type { Held } from '../control/debug';
import { titleOf } from './picture';
import type { QueueThreads } from './queueThreads';
import type { StopReason, TargetEvents, ThreadFacts } from './target';

/** Threads of queues are numbered from 1. */
const FIRST_HELD = 1000;

export const threadOf = (request: number): number => FIRST_HELD + request;

export class HeldThreads {
  private readonly held = new Map<number, Held>();
  /** Breakpoints that stand on a line: the others are function breakpoints. */
  private onLines: ReadonlySet<number> = new Set();

  constructor(
    private readonly queues: QueueThreads,
    private readonly events: TargetEvents,
  ) {}

  /** Which breakpoints, by the numbers of their rules, stand on a line. */
  setLines(rules: ReadonlySet<number>): void {
    this.onLines = rules;
  }

  /** The daemon holds a request (`fresh`), or one stands somewhere else. */
  take(held: Held, fresh: boolean): void {
    const thread = threadOf(held.request);
    const known = this.held.has(held.request);
    this.held.set(held.request, held);
    this.queues.release(this.held.values());
    if (fresh && !known) this.events.threadBegan(thread);
    if (held.phase === 'waiting') this.events.running(thread);
    else this.stopped(thread, held);
    this.queues.stop(this.held.values());
  }

  /** The daemon has let a request go. */
  drop(request: number): void {
    if (!this.held.delete(request)) return;
    this.queues.release(this.held.values());
    this.events.threadEnded(threadOf(request));
    this.queues.stop(this.held.values());
  }

  has(request: number): boolean {
    return this.held.has(request);
  }

  get requests(): readonly number[] {
    return [...this.held.keys()];
  }

  threads(): ThreadFacts[] {
    return [...this.held.values()].map((one) => ({ id: threadOf(one.request), name: titleOf(one) }));
  }

  isStopped(thread: number): boolean {
    const held = this.held.get(thread - FIRST_HELD);
    return held !== undefined && held.phase !== 'waiting';
  }

  /** The request of a thread. Throws a Trouble where it has none that is held. */
  request(thread: number): number {
    if (!this.held.has(thread - FIRST_HELD)) throw trouble('debugNotStopped', String(thread));
    return thread - FIRST_HELD;
  }

  /** Requests that have to go on before queues are served. */
  get inTheWay(): readonly number[] {
    return this.queues.inTheWay(this.held.values()).map(({ request }) => request);
  }

  private stopped(thread: number, held: Held): void {
    const { kind, ids, text } = held.why;
    const reason = reasonOf(kind, this.onLines.has(ids[0]));
    const where = whereText(held);
    this.events.stopped({ thread, reason, description: where, ...(text === '' ? {} : { text }), rules: ids });
  }
}

function reasonOf(kind: Held['why']['kind'], line: boolean): StopReason {
  switch (kind) {
    case 'breakpoint':
      return line ? 'breakpoint' : 'function breakpoint';
    case 'rerun':
      return 'restart';
    case 'answer':
      return 'goto';
    case 'exception':
    case 'pause':
    case 'step':
      return kind;
  }
}

/** In few words: it stands beside the thread's name. */
function whereText({ phase, call }: Held): string {
  switch (phase) {
    case 'call':
      return `before ${call?.name ?? 'a host call'}`;
    case 'called':
      return `after ${call?.name ?? 'a host call'}`;
    case 'entry':
    case 'reply':
    case 'waiting':
      return phase;
  }
}
