/**
 * Many rows drawn as few: for widths of time that are powers of two, what happens in each (how many rows, how many
 * failed, the longest). Only the buckets that are not empty are kept, so that memory follows the rows, not the time;
 * each level is made from the one below it.
 */
import type { RowColumns } from '../../../control/timelineRows';
import { isFailed } from '../../../trace/expectedErrors';
import type { Rows } from './rows';

/**
 * The narrowest bucket is 2^FINEST nanoseconds, the widest 2^COARSEST (a day and more). What is narrower is drawn row
 * by row: finer levels would have nearly as many buckets as there are rows.
 */
export const FINEST = 14;
export const COARSEST = 47;

const NONE = new Uint32Array(0);

export class Level {
  readonly width: number;
  count = 0;
  /** Of all buckets the most rows. */
  most = 0;
  /** Which bucket: start divided by the width. Ascending. */
  index = new Float64Array(0);
  rows: Uint32Array<ArrayBuffer> = NONE;
  failed: Uint32Array<ArrayBuffer> = NONE;
  /** The row that took longest. */
  longest: Uint32Array<ArrayBuffer> = NONE;

  constructor(readonly power: number) {
    this.width = 2 ** power;
  }

  /** The first bucket at or after `index`. */
  find(index: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.index[middle] < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Adds the rows of `list` from place `from` on, which follow those that are here. */
  takeRows(list: Uint32Array, from: number, end: number, columns: RowColumns): void {
    const { start, latency } = columns;
    const { width } = this;
    if (from < end) this.makeRoom(end - from, Math.floor(start[list[end - 1]] / width));
    const { index, rows, failed, longest } = this;
    let place = this.count - 1;
    let { most } = this;
    for (let i = from; i < end; i++) {
      const row = list[i];
      const bucket = Math.floor(start[row] / width);
      if (place < 0 || index[place] !== bucket) {
        place++;
        index[place] = bucket;
        rows[place] = failed[place] = 0;
        longest[place] = row;
      }
      if (++rows[place] > most) most = rows[place];
      if (isFailed(columns, row)) failed[place]++;
      if (longer(latency[row], latency[longest[place]])) longest[place] = row;
    }
    this.count = place + 1;
    this.most = most;
  }

  /** Adds the buckets from place `from` on of the level with half the width, which follow those that are here. */
  takeLevel(finer: Level, from: number, { latency }: RowColumns): void {
    const end = finer.count;
    if (from < end) this.makeRoom(end - from, Math.floor(finer.index[end - 1] / 2));
    const { index, rows, failed, longest } = this;
    let place = this.count - 1;
    let { most } = this;
    for (let i = from; i < end; i++) {
      const bucket = Math.floor(finer.index[i] / 2);
      const slow = finer.longest[i];
      if (place < 0 || index[place] !== bucket) {
        place++;
        index[place] = bucket;
        rows[place] = finer.rows[i];
        failed[place] = finer.failed[i];
        longest[place] = slow;
      } else {
        rows[place] += finer.rows[i];
        failed[place] += finer.failed[i];
        if (longer(latency[slow], latency[longest[place]])) longest[place] = slow;
      }
      if (rows[place] > most) most = rows[place];
    }
    this.count = place + 1;
    this.most = most;
  }

  /** A row's reply has come. */
  change(row: number, at: number, fails: boolean, latency: Float32Array): void {
    const place = this.find(Math.floor(at / this.width));
    if (place >= this.count) return;
    if (fails) this.failed[place]++;
    if (longer(latency[row], latency[this.longest[place]])) this.longest[place] = row;
  }

  /** For `more` buckets, of which the last one is `last`. */
  private makeRoom(more: number, last: number): void {
    const behind = this.count === 0 ? Infinity : last - this.index[this.count - 1];
    const needed = this.count + Math.min(more, behind);
    if (needed <= this.index.length) return;
    const room = Math.max(16, needed, this.index.length * 2);
    const index = new Float64Array(room);
    index.set(this.index.subarray(0, this.count));
    this.index = index;
    this.rows = wider(this.rows, room);
    this.failed = wider(this.failed, room);
    this.longest = wider(this.longest, room);
  }
}

/** A row without a reply is shorter than any. */
export const longer = (one: number, other: number): boolean => one > other || (one >= 0 && Number.isNaN(other));

function wider(old: Uint32Array, room: number): Uint32Array<ArrayBuffer> {
  const array = new Uint32Array(room);
  array.set(old);
  return array;
}

/** The levels of one lane. */
export class Levels {
  private readonly levels: readonly Level[] = Array.from(
    { length: COARSEST - FINEST + 1 },
    (_, i) => new Level(FINEST + i),
  );

  constructor(private readonly rows: Rows) {}

  /**
   * Rows of `list`, which is in the order of their starts, from place `from` on are new or have moved; `firstFrom`
   * finds the first place whose row starts at a time or later.
   */
  renew(list: Uint32Array, count: number, from: number, firstFrom: (time: number) => number): void {
    if (from >= count) return;
    const { columns } = this.rows;
    const [finest] = this.levels;
    let changed = Math.floor(columns.start[list[from]] / finest.width);
    finest.count = finest.find(changed);
    finest.takeRows(list, firstFrom(changed * finest.width), count, columns);
    let finer = finest;
    for (let l = 1; l < this.levels.length; l++) {
      const level = this.levels[l];
      changed = Math.floor(changed / 2);
      level.count = level.find(changed);
      level.takeLevel(finer, finer.find(changed * 2), columns);
      finer = level;
    }
  }

  change(row: number): void {
    const { start, latency } = this.rows.columns;
    const fails = isFailed(this.rows.columns, row);
    for (const level of this.levels) level.change(row, start[row], fails, latency);
  }

  /** The widest level whose buckets are no wider than `width`; undefined when all are wider. */
  atMost(width: number): Level | undefined {
    const power = Math.min(COARSEST, Math.floor(Math.log2(width)));
    return power < FINEST ? undefined : this.levels[power - FINEST];
  }
}
