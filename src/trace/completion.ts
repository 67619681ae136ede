/**
 * The order in which the rows of a growing capture can be shown: each when its reply has come, or when it wants none; one
 * whose reply takes long once before that.
 */
import type { Capture } from './capture';
import { isInFlight } from './line';

export class Completion {
  private next = 0;
  private waiting: number[] = [];
  /** Rows that were given as late, and still wait. */
  private readonly late = new Set<number>();

  constructor(private readonly capture: Capture) {}

  /** Rows that are complete since the last call, in the order of the capture. */
  take(): number[] {
    const { capture } = this;
    const complete: number[] = [];
    const still: number[] = [];
    for (const row of this.waiting) {
      if (isInFlight(capture, row)) still.push(row);
      else {
        complete.push(row);
        this.late.delete(row);
      }
    }
    for (; this.next < capture.count; this.next++) {
      if (isInFlight(capture, this.next)) still.push(this.next);
      else complete.push(this.next);
    }
    this.waiting = still;
    return complete;
  }

  /** Rows that wait, and were not given by this before. */
  takeLate(): number[] {
    const fresh = this.waiting.filter((row) => !this.late.has(row));
    for (const row of fresh) this.late.add(row);
    return fresh;
  }
}
