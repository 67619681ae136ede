/**
 * When the driver is told of replies: neither one by one nor only when all is done.
 *
 * Telling costs a system call and wakes another CPU, which then finds one reply and sleeps again. Telling only at the end
 * lets driver and device take turns instead of working at the same time. So: at the first reply after a pause, then at
 * half of what was waiting, or at as many replies as were lately made in the time that a reply may wait, whichever is
 * less. The clock is read once a group. But a driver that seems to sleep is told at once when all that waits will be done
 * before it is awake: then nothing is gained by telling it later.
 */
import { now } from './trace/clock';

/** Milliseconds that a reply may wait for others. */
const PATIENCE = 0.015;

/** A queue, as far as it is needed here. */
export interface Answered {
  /** Requests that wait. */
  readonly backlog: number;
  /** Whether the driver seems to wait for a reply that has been pushed. */
  readonly asksToBeTold: boolean;
}

export class Tidings {
  private untold = 0;
  private enough = 1;
  /** Whether the group is one at all: the clock is left alone for single requests. */
  private grouped = false;
  private first = true;
  /** What waited at the group's first reply is done sooner than a driver wakes up. */
  private brief = false;
  private lastTold = 0;
  /** Milliseconds that each reply of the last group took. */
  private each = 0;
  /** There was a group since `begin`. */
  private busy = false;

  /** `clock`: milliseconds. */
  constructor(private readonly clock: () => number = now) {}

  /** The queue had run dry: the driver may be asleep, and takes time to wake up. It is told of the first reply. */
  begin(): void {
    this.first = true;
    // Idle time is not to count. Without groups it does: it only shortens the first one.
    if (this.busy) this.lastTold = this.clock();
    this.busy = false;
  }

  /** One more reply has been pushed: is it time? At a group's first reply the requests that still wait are counted. */
  due(queue: Answered): boolean {
    if (this.untold++ === 0) {
      const { backlog } = queue;
      const half = backlog >>> 1;
      this.brief = this.each * backlog < PATIENCE;
      this.grouped = half > 1;
      this.busy ||= this.grouped;
      this.enough = this.first ? 1 : this.each * half > PATIENCE ? Math.floor(PATIENCE / this.each) : half;
      this.first = false;
    }
    return this.untold >= this.enough || (this.brief && queue.asksToBeTold);
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
