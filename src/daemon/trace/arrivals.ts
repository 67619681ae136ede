/**
 * When requests were first seen to wait in a queue: how long each has waited before it is taken.
 *
 * What lies between the last look at the driver's index and this one is noted as seen now. Each look takes the index's
 * cache line away from the driver, so there is one each few microseconds while requests are taken, not one a request.
 * What waited before the daemon looked at all (while it was waking up) cannot be known.
 */

/** Milliseconds between looks. */
const LOOK_EVERY = 0.005;

/** A queue, as far as it is needed here. */
export interface Waiting {
  /** The entry that is taken next, modulo 2^16. */
  readonly nextAvail: number;
  /** How many more are known to be there. */
  readonly waiting: number;
  /** The same, looked at now. */
  readonly backlog: number;
}

export class Arrivals {
  private readonly times: Float64Array;
  private readonly mask: number;
  /** Index after the last entry that was seen, modulo 2^16. */
  private seen: number;
  private looked = -Infinity;

  /** `size`: of the ring, a power of two; `next`: the entry that is taken first. */
  constructor(size: number, next: number) {
    this.times = new Float64Array(size);
    this.mask = size - 1;
    this.seen = next;
  }

  /** Milliseconds that the entry just taken has waited. */
  waited(queue: Waiting, now: number): number {
    const next = queue.nextAvail;
    let { waiting } = queue;
    if (now - this.looked > LOOK_EVERY) {
      this.looked = now;
      waiting = queue.backlog;
    }
    const last = (next + waiting) & 0xffff;
    // More than the ring holds: nobody looked for a while, or the driver lies.
    if (((last - this.seen) & 0xffff) > this.mask + 1) this.seen = (next - 1) & 0xffff;
    while (this.seen !== last) {
      this.times[this.seen & this.mask] = now;
      this.seen = (this.seen + 1) & 0xffff;
    }
    return now - this.times[(next - 1) & this.mask];
  }
}
