/**
 * Many rows drawn as few: for widths of time that are powers of two, what happens in each (how many rows, how many
 * errors, the longest). Only the buckets that are not empty are kept, so that memory follows the rows, not the time; each
 * level is made from the one below it.
 */
import type { Rows } from './rows';

/** The narrowest bucket is 2^FINEST nanoseconds, the widest 2^COARSEST (a day and more). */
export const FINEST = 12;
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
  errors: Uint32Array<ArrayBuffer> = NONE;
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

  /** Adds to the last bucket, or to a new one behind it. */
  add(index: number, rows: number, errors: number, longest: number, latency: Float32Array): void {
    let place = this.count - 1;
    if (place < 0 || this.index[place] !== index) {
      place = this.count++;
      if (place === this.index.length) this.grow();
      this.index[place] = index;
      this.rows[place] = 0;
      this.errors[place] = 0;
      this.longest[place] = longest;
    }
    const sum = (this.rows[place] += rows);
    if (sum > this.most) this.most = sum;
    this.errors[place] += errors;
    if (longer(latency[longest], latency[this.longest[place]])) this.longest[place] = longest;
  }

  /** A row's reply has come. */
  change(row: number, at: number, failed: boolean, latency: Float32Array): void {
    const place = this.find(Math.floor(at / this.width));
    if (place >= this.count) return;
    if (failed) this.errors[place]++;
    if (longer(latency[row], latency[this.longest[place]])) this.longest[place] = row;
  }

  private grow(): void {
    const room = Math.max(16, this.index.length * 2);
    const index = new Float64Array(room);
    index.set(this.index);
    this.index = index;
    this.rows = wider(this.rows, room);
    this.errors = wider(this.errors, room);
    this.longest = wider(this.longest, room);
  }
}

/** A row without a reply is shorter than any. */
const longer = (one: number, other: number): boolean => one > other || (one >= 0 && Number.isNaN(other));

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
   * Rows of `list`, which is in the order of their starts, from place `from` on are new or have moved; `firstFrom` finds
   * the first place whose row starts at a time or later.
   */
  renew(list: Uint32Array, count: number, from: number, firstFrom: (time: number) => number): void {
    if (from >= count) return;
    const { start, error, latency } = this.rows.columns;
    const [finest] = this.levels;
    const index = Math.floor(start[list[from]] / finest.width);
    finest.count = finest.find(index);
    for (let i = firstFrom(index * finest.width); i < count; i++) {
      const row = list[i];
      finest.add(Math.floor(start[row] / finest.width), 1, error[row] < 0 ? 1 : 0, row, latency);
    }
    let lower = finest;
    let changed = index;
    for (let l = 1; l < this.levels.length; l++) {
      const level = this.levels[l];
      changed = Math.floor(changed / 2);
      level.count = level.find(changed);
      for (let b = lower.find(changed * 2); b < lower.count; b++) {
        level.add(Math.floor(lower.index[b] / 2), lower.rows[b], lower.errors[b], lower.longest[b], latency);
      }
      lower = level;
    }
  }

  change(row: number): void {
    const { start, error, latency } = this.rows.columns;
    for (const level of this.levels) level.change(row, start[row], error[row] < 0, latency);
  }

  /** The widest level whose buckets are no wider than `width`; undefined when all are wider. */
  atMost(width: number): Level | undefined {
    const power = Math.min(COARSEST, Math.floor(Math.log2(width)));
    return power < FINEST ? undefined : this.levels[power - FINEST];
  }
}
