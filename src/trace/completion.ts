/**
 * The order in which the rows of a growing capture can be shown: each when its reply has come, or when it wants none;
 * one whose reply takes long once before that.
 */
import type { Capture } from './capture';
import { isInFlight } from './line';

/** More requests than queues hold at a time; beyond that the oldest are given as they are. */
export const MOST_WAITING = 65_536;

export class Completion {
  private next = 0;
  private waiting: number[] = [];
  private readonly late = new Set<number>();
  private watched: ReadonlySet<number> = new Set();

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
    // What was lost, or never meant to be answered, is not looked at for ever.
    const givenUp = still.splice(0, Math.max(0, still.length - MOST_WAITING));
    for (const row of givenUp) this.late.delete(row);
    this.waiting = still;
    return givenUp.length === 0 ? complete : [...givenUp, ...complete];
  }

  /** Rows that waited at the last call already, and were not given by it. */
  takeLate(): number[] {
    const fresh = this.waiting.filter((row) => this.watched.has(row) && !this.late.has(row));
    this.watched = new Set(this.waiting);
    for (const row of fresh) this.late.add(row);
    return fresh;
  }

  /** At the end: all that still wait, and which of them were given as late. */
  takeRest(): { readonly fresh: number[]; readonly late: number[] } {
    const { waiting, late } = this;
    this.waiting = [];
    return { fresh: waiting.filter((row) => !late.has(row)), late: waiting.filter((row) => late.has(row)) };
  }
}
