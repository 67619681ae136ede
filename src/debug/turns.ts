/**
 * Long work in an extension host, a little at a time: it gives way to others, tells how far it is once it has lasted,
 * and stops when nobody wants it any more.
 */
import { trouble } from '../base/catalogue';

/** The longest that others wait. */
const SLICE_MS = 12;
/** Steps between two looks at the clock. */
const STEPS = 64;
/** What is done in fewer turns is done before anybody has read what it is. */
const TURNS_UNSHOWN = 20;

/** Where its progress is shown; made when the work has taken some turns. */
export interface Shown {
  report(percentage: number): void;
  end(): void;
}

export class Turns {
  private steps = 0;
  private turns = 0;
  private began: number;
  private shown: Shown | undefined;

  constructor(
    private readonly signal: AbortSignal,
    private readonly show: () => Shown,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.began = now();
  }

  /** After each small step: whether others are to have their turn (`give`). */
  get isOver(): boolean {
    if (++this.steps % STEPS !== 0) return false;
    return this.now() - this.began >= SLICE_MS;
  }

  /**
   * Others have their turn, for `rest` milliseconds where that is not enough. `done` of `all`. Afterwards it may not be
   * wanted any more.
   */
  async give(done: number, all: number, rest = 0): Promise<void> {
    if (++this.turns === TURNS_UNSHOWN) this.shown = this.show();
    this.shown?.report(all === 0 ? 100 : Math.min(100, (done / all) * 100));
    await new Promise((resolve) => (rest > 0 ? setTimeout(resolve, rest) : setImmediate(resolve)));
    this.began = this.now();
  }

  get isCancelled(): boolean {
    return this.signal.aborted;
  }

  /** Throws a Trouble when the work is not wanted any more. */
  check(): void {
    if (this.isCancelled) throw trouble('debugCancelled');
  }

  end(): void {
    this.shown?.end();
  }
}
