/**
 * When what packets tell was: 64-bit nanoseconds since the epoch in, each as two u32, nanoseconds after the capture's
 * first time out.
 *
 * A packet has a time around it, and its pseudo-header says when the request was taken. The latter stays as it was when
 * a tool moves the former; the difference, the shift, is then added to it.
 */
const TWO_32 = 0x1_0000_0000;

export class PacketTimes {
  /** Nanoseconds since the epoch. */
  origin = 0n;
  private originHigh = 0;
  private originLow = 0;
  private hasOrigin = false;
  private shift = 0;

  after(high: number, low: number): number {
    if (!this.hasOrigin) {
      this.hasOrigin = true;
      this.originHigh = high;
      this.originLow = low;
      this.origin = (BigInt(high) << 32n) | BigInt(low);
    }
    return (high - this.originHigh) * TWO_32 + (low - this.originLow);
  }

  /**
   * When a request was taken whose packet is of the time `high`, `low`: the two are the same where no tool was at it.
   */
  ofRequest(high: number, low: number, takenHigh: number, takenLow: number): number {
    const shift = between(takenHigh, takenLow, high, low);
    // A tool that keeps times less exactly has cut off less than a microsecond.
    this.shift = Math.abs(shift) < 1000 ? 0 : shift;
    return this.shift === 0 ? this.after(takenHigh, takenLow) : this.after(high, low);
  }

  /** When the request was taken whose reply says so, by the shift of the last request. */
  ofReply(takenHigh: number, takenLow: number): number {
    return this.after(takenHigh, takenLow) + this.shift;
  }

  latency(high: number, low: number, takenHigh: number, takenLow: number): number {
    return Math.max(0, between(takenHigh, takenLow, high, low) - this.shift);
  }
}

function between(fromHigh: number, fromLow: number, high: number, low: number): number {
  return (high - fromHigh) * TWO_32 + (low - fromLow);
}
