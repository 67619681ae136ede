/**
 * When requests were first seen to wait in a queue: how long each has waited before it is taken.
 *
 * The driver's index is looked at whenever a request is taken; whatever lies between the last look and this one is
 * noted as seen now. What waited before the daemon looked at all (while it was waking up) cannot be known.
 */
export class Arrivals {
  private readonly times: Float64Array;
  private readonly mask: number;
  /** Index after the last entry that was seen, modulo 2^16. */
  private seen: number;

  /** `size`: of the ring, a power of two; `next`: the entry that is taken first. */
  constructor(size: number, next: number) {
    this.times = new Float64Array(size);
    this.mask = size - 1;
    this.seen = next;
  }

  /**
   * Milliseconds that the entry just taken has waited, `next` being the one after it and `backlog` how many are there
   * still.
   */
  waited(next: number, backlog: number, now: number): number {
    const last = (next + backlog) & 0xffff;
    // More than the ring holds: nobody looked for a while, or the driver lies.
    if (((last - this.seen) & 0xffff) > this.mask + 1) this.seen = (next - 1) & 0xffff;
    while (this.seen !== last) {
      this.times[this.seen & this.mask] = now;
      this.seen = (this.seen + 1) & 0xffff;
    }
    return now - this.times[(next - 1) & this.mask];
  }
}
