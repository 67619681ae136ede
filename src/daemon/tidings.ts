/**
 * When the driver is told of replies: neither one by one nor only when all is done.
 *
 * Telling costs a system call and wakes another CPU, which then finds one reply and sleeps again; where the two CPUs
 * share a core or its caches, waking it also slows down whatever data is being copied here. Telling only at the end
 * lets driver and device take turns instead of working at the same time. So: at the first reply after a pause, then at
 * half of what was waiting, or at as many replies as were lately made in the time that a reply may wait, whichever is
 * less; but where many slow ones are waiting, each for a long time anyway, not before a quarter of them. The clock is
 * read once a group.
 */
import { now } from './trace/clock';

/** Milliseconds that a reply may wait for others. */
const PATIENCE = 0.015;

export class Tidings {
  private untold = 0;
  private enough = 1;
  /** Whether the group is one at all: the clock is left alone for single requests. */
  private grouped = false;
  private first = true;
  private lastTold = 0;
  /**
   * Milliseconds that each reply of the last group took. Idle time before a group counts as well: it only shortens one.
   */
  private each = 0;

  /** `clock`: milliseconds, from whenever. */
  constructor(private readonly clock: () => number = now) {}

  /** The queue had run dry: the driver may be asleep, and takes time to wake up. It is told of the first reply. */
  begin(): void {
    this.first = true;
  }

  /** One more reply has been pushed: is it time? At a group's first reply the requests that still wait are counted. */
  due(queue: { readonly backlog: number }): boolean {
    if (this.untold++ === 0) {
      const half = queue.backlog >>> 1;
      this.grouped = half > 1;
      if (this.first) this.enough = 1;
      else if (this.each * half > PATIENCE) this.enough = Math.max(Math.floor(PATIENCE / this.each), half >>> 1);
      else this.enough = half;
      this.first = false;
    }
    return this.untold >= this.enough;
  }

  told(): void {
    if (this.grouped && this.untold > 0) {
      const time = this.clock();
      this.each = (time - this.lastTold) / this.untold;
      this.lastTold = time;
    }
    this.untold = 0;
  }
}
