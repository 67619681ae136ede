/**
 * Whether the queue worker, its rings run dry, yields its CPU once before it sleeps.
 *
 * Where the guest's thread shares our CPU, its next request is there when we come back, and neither a kick nor a
 * wake-up was needed: a quarter of a small request's time. Where it does not, the yield is wasted; and where something
 * else wants the CPU, it costs a whole time slice. So each yield that did not pay at once doubles the number of sleeps
 * without one.
 */
import { yieldCpu } from '../native/process';
import { now } from './trace/clock';

/** Milliseconds: as long as a guest takes to see a reply and ask again. What took longer was somebody else's turn. */
const WORTHWHILE = 0.03;
const LONGEST_PAUSE = 4096;
/** Yields that paid, after which one is timed: a clock is a tenth of what is saved. */
const TIMED_EVERY = 16;

export class IdleYield {
  private pause = 1;
  private skipped = 0;
  private untimed = 0;

  /** True when something is there to do now. */
  attempt(rings: { readonly pending: boolean }): boolean {
    if (this.skipped > 0) {
      this.skipped--;
      return false;
    }
    const timed = this.untimed === 0;
    const begun = timed ? now() : 0;
    yieldCpu();
    const { pending } = rings;
    if (pending && !(timed && now() - begun > WORTHWHILE)) {
      this.pause = 1;
      this.untimed = timed ? TIMED_EVERY : this.untimed - 1;
    } else {
      this.skipped = this.pause;
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
      this.untimed = 0;
    }
    return pending;
  }
}
