/**
 * Which rows of a capture a view shows: those that pass a filter, in groups, while the capture grows.
 *
 * A row is asked once, when it is complete, so that a filter on latency or errno sees the reply; until then it is among
 * those in flight. Walks in steps that end when the caller says so: a million rows never hold anybody up. Order is that
 * of completion; what is given out is sorted.
 */
import { type Capture, RowFlag } from './capture';
import { roomFor } from './columnArray';
import { type Filter, followFilter, type Predicate } from './filter/filter';
import { type Grouping, RequestGroups } from './requestGroups';

/** So many rows wait for their replies; of more the oldest are taken to be never answered. */
const MOST_WAITING = 1 << 16;
const ROWS_BETWEEN_LOOKS = 512;
/** Nothing more comes for it. */
const COMPLETE = RowFlag.REPLIED | RowFlag.SILENT | RowFlag.ORPHAN | RowFlag.DROPPED;

export class RequestIndex {
  /** Rows that pass, in order of completion. */
  private rows = new Uint32Array(1024);
  count = 0;
  private waiting: number[] = [];
  private seen: number;
  private passes: Predicate | undefined;
  groups: RequestGroups;

  /** Rows from `from` on. */
  constructor(
    readonly capture: Capture,
    readonly filter: Filter | undefined,
    from: number,
    grouping: Grouping,
  ) {
    this.seen = from;
    this.passes = filter && followFilter(filter, capture);
    this.groups = new RequestGroups(capture, grouping);
  }

  /** How many rows were looked at, passing or not, complete or in flight. */
  get looked(): number {
    return this.seen;
  }

  /** Looks at rows below `to`, until `over`. True when all is done. */
  advance(to: number, over: () => boolean): boolean {
    this.regroup(over);
    this.settle();
    const { flags } = this.capture.columns;
    while (this.seen < to) {
      if (this.seen % ROWS_BETWEEN_LOOKS === 0 && over()) return false;
      const row = this.seen++;
      if ((flags[row] & COMPLETE) !== 0) this.take(row);
      else this.waiting.push(row);
    }
    if (this.waiting.length > MOST_WAITING) {
      for (const row of this.waiting.splice(0, this.waiting.length - MOST_WAITING)) this.take(row);
    }
    return this.groups.count === this.count;
  }

  regrouped(grouping: Grouping): void {
    this.groups = new RequestGroups(this.capture, grouping);
  }

  /** Row numbers are less by `dropped` from now on, and those before are gone. */
  drop(dropped: number): void {
    let kept = 0;
    for (let i = 0; i < this.count; i++) if (this.rows[i] >= dropped) this.rows[kept++] = this.rows[i] - dropped;
    this.count = kept;
    this.seen = Math.max(0, this.seen - dropped);
    this.waiting = this.waiting.filter((row) => row >= dropped).map((row) => row - dropped);
    this.passes = this.filter && followFilter(this.filter, this.capture);
    this.regrouped(this.groups.grouping);
  }

  /** Rows in flight that would pass, the oldest first. */
  inFlight(most: number): number[] {
    const found: number[] = [];
    for (const row of this.waiting) {
      if (found.length >= most) break;
      if (!this.passes || this.passes(row)) found.push(row);
    }
    return found;
  }

  /** The newest rows, newest first; `skip`: without so many. */
  newest(most: number, skip = 0): number[] {
    const end = Math.max(0, this.count - skip);
    return Array.from(this.rows.subarray(Math.max(0, end - most), end)).sort((a, b) => b - a);
  }

  /** How many newer ones there are than a row that passes; -1: it does not, or is not complete. */
  newerThan(row: number): number {
    const at = this.rows.subarray(0, this.count).lastIndexOf(row);
    return at < 0 ? -1 : this.count - 1 - at;
  }

  /** The next row after `row` (or before it) with an error, or without the reply it had; undefined: there is none. */
  nextError(row: number, forward = true): number | undefined {
    const { error, flags } = this.capture.columns;
    let best: number | undefined;
    for (let i = 0; i < this.count; i++) {
      const each = this.rows[i];
      const isWell = error[each] >= 0 && (flags[each] & RowFlag.DROPPED) === 0;
      if (isWell || (forward ? each <= row : each >= row)) continue;
      if (best === undefined || (forward ? each < best : each > best)) best = each;
    }
    return best;
  }

  /** What was put into no group yet, until `over`. */
  private regroup(over: () => boolean): void {
    while (this.groups.count < this.count) {
      if (this.groups.count % ROWS_BETWEEN_LOOKS === 0 && over()) return;
      this.groups.add(this.rows[this.groups.count]);
    }
  }

  /** Those in flight whose reply has come. */
  private settle(): void {
    const { flags } = this.capture.columns;
    let kept = 0;
    for (const row of this.waiting) {
      if ((flags[row] & COMPLETE) !== 0) this.take(row);
      else this.waiting[kept++] = row;
    }
    this.waiting.length = kept;
  }

  private take(row: number): void {
    if (this.passes && !this.passes(row)) return;
    this.rows = roomFor(this.rows, this.count + 1);
    this.rows[this.count++] = row;
    if (this.groups.count === this.count - 1) this.groups.add(row);
  }
}
