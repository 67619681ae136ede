/**
 * When the driver is told of replies: neither one by one nor only when all is done.
 *
 * Telling costs a system call and wakes another CPU, which then finds one reply and sleeps again. Telling only at the end
 * lets driver and device take turns instead of working at the same time. So: at half of what was waiting, and in any
 * case as soon as the oldest untold reply is a few requests old.
 */

/** Milliseconds that a reply may wait for others. */
const PATIENCE = 0.015;

export class Tidings {
  private untold = 0;
  private enough = 1;
  private since = 0;

  /** One more reply has been pushed, with `backlog` requests still waiting: is it time? */
  due(backlog: number): boolean {
    this.untold++;
    if (this.untold === 1) {
      this.enough = backlog >>> 1;
      // The last one of a batch needs no clock.
      if (this.enough > 1) this.since = performance.now();
    }
    return this.untold >= this.enough || performance.now() - this.since > PATIENCE;
  }

  told(): void {
    this.untold = 0;
  }
}
