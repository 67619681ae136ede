/**
 * Whether rings that have run dry are watched for a moment before the thread sleeps.
 *
 * A driver on another CPU that has just been told needs some microseconds to wake up and ask again; to sleep and be
 * woken costs more than to wait for it. Only as long as that has lately paid: each watch in vain halves the next, and
 * when nothing is left of it, more and more sleeps go by without one. A guest that asks now and then is not watched.
 */

/** Looks at two rings, about 16 ns each. The first watch is long enough for a CPU that sleeps to wake up and ask. */
const FIRST = 2048;
const LONGEST = 4096;
const SHORTEST = 512;
const LONGEST_PAUSE = 4096;

export class ShortWatch {
  private looks = FIRST;
  private pause = 1;
  private skipped = 0;

  /** True when something is there to do now. */
  attempt(rings: { look(): boolean }): boolean {
    if (this.skipped > 0) {
      this.skipped--;
      return false;
    }
    for (let look = 0; look < this.looks; look++) {
      if (rings.look()) {
        this.looks = Math.min(this.looks * 2, LONGEST);
        this.pause = 1;
        return true;
      }
    }
    this.looks >>= 1;
    if (this.looks < SHORTEST) {
      this.looks = FIRST;
      this.skipped = this.pause;
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
    }
    return false;
  }
}
