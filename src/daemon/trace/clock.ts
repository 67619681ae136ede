/**
 * This thread's `performance.now()` as nanoseconds since the epoch, in two 32-bit halves: without BigInt, exact to the
 * nanosecond, for the hot path.
 */
import { performance as timer } from 'node:perf_hooks';

const TWO_32 = 0x1_0000_0000;

/** This thread's `performance.now()`. The global name is a getter, which costs as much as the clock itself. */
export const now = (): number => timer.now();

export class TraceClock {
  high = 0;
  low = 0;
  private milliseconds = NaN;
  private readonly originHigh: number;
  private readonly originLow: number;

  /** `origin`: milliseconds since the epoch at `performance.now() === 0`. */
  constructor(origin = performance.timeOrigin) {
    const whole = Math.floor(origin);
    const nanoseconds = BigInt(whole) * 1_000_000n + BigInt(Math.round((origin - whole) * 1e6));
    this.originHigh = Number(nanoseconds >> 32n);
    this.originLow = Number(nanoseconds & 0xffff_ffffn);
  }

  /** Sets `high` and `low` to the moment at which `performance.now()` was `milliseconds`. */
  set(milliseconds: number): void {
    // Busy, a request is taken at the moment at which the one before it was answered.
    if (milliseconds === this.milliseconds) return;
    this.milliseconds = milliseconds;
    const nanoseconds = Math.round(milliseconds * 1e6);
    const high = Math.floor(nanoseconds / TWO_32);
    const low = this.originLow + (nanoseconds - high * TWO_32);
    const carry = low >= TWO_32 ? 1 : 0;
    this.low = low - carry * TWO_32;
    this.high = this.originHigh + high + carry;
  }
}
