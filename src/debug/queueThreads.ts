/**
 * The threads that are queues of a share that runs. They stop by themselves: while a request stands inside of its
 * handler, or the whole share is stopped, no queue is served, and each says what it waits for.
 *
 * Owns their numbers (from 1) and whether they are stopped. What is held, the target says.
 */
import type { Held } from '../control/debug';
import { titleOf } from './picture';
import type { TargetEvents, ThreadFacts } from './target';

export class QueueThreads {
  /** What they wait for; undefined while they are served. */
  private why: string | undefined;

  /** `stopWorld`: any held request stops all of them. */
  constructor(
    private readonly count: number,
    private readonly stopWorld: boolean,
    private readonly events: Pick<TargetEvents, 'stopped' | 'running'>,
  ) {}

  threads(): ThreadFacts[] {
    return this.ids.map((id) => ({ id, name: id === 1 ? 'queue 0, hiprio' : `queue ${id - 1}` }));
  }

  private get ids(): number[] {
    return Array.from({ length: this.count }, (_, queue) => queue + 1);
  }

  has(thread: number): boolean {
    return thread >= 1 && thread <= this.count;
  }

  waitsFor(thread: number): string | undefined {
    return this.has(thread) ? this.why : undefined;
  }

  /** The queues go on: to be told before what lets them. */
  release(held: Iterable<Held>): void {
    if (this.why === undefined || this.inTheWay(held).length > 0) return;
    this.why = undefined;
    for (const id of this.ids) this.events.running(id);
  }

  /** The queues stop: to be told after the request for which they do, which is what a person looks at. */
  stop(held: Iterable<Held>): void {
    const inTheWay = this.inTheWay(held);
    if (inTheWay.length === 0) return;
    const before = this.why;
    this.why = inTheWay[0].inHandler
      ? `waits for ${titleOf(inTheWay[0])}, which stands in its handler`
      : 'waits for the requests that are held: the whole share is stopped';
    if (this.why === before) return;
    for (const thread of this.ids) {
      // Beside the queue's name there is room for one word; the sentence is its stack.
      this.events.stopped({ thread, reason: 'pause', description: 'waits', text: this.why, rules: [], aside: true });
    }
  }

  /** Those that have to go on before queues are served. */
  inTheWay(held: Iterable<Held>): Held[] {
    const all = [...held];
    const inside = all.filter(({ inHandler }) => inHandler);
    return inside.length > 0 || !this.stopWorld ? inside : all;
  }
}
