/**
 * A filter over captures that may still grow: which rows pass, found in short slices, and afterwards those of the rows
 * that come. Knows nothing of vscode.
 */
import type { FilterResult } from '../../control/timeline';
import type { Capture } from '../../trace/capture';
import { bindFilter, type Filter } from '../../trace/filter/filter';
import { Slice } from './breathe';

const ROWS_BETWEEN_LOOKS = 4096;

/** The filter on one capture. */
export class Filtering {
  /** Rows [0, seen) have been asked. */
  seen = 0;
  private bits = new Uint8Array(1024);

  constructor(
    private readonly filter: Filter,
    private readonly capture: Capture,
  ) {}

  /** The rows up to `count`; undefined when it was cancelled. */
  async run(count: number, cancelled: () => boolean): Promise<FilterResult | undefined> {
    const slice = new Slice();
    while (this.seen < count) {
      const passes = bindFilter(this.filter, this.capture);
      const to = Math.min(count, this.seen + ROWS_BETWEEN_LOOKS);
      this.makeRoom(to);
      for (let row = this.seen; row < to; row++) if (passes(row)) this.bits[row >> 3] |= 1 << (row & 7);
      this.seen = to;
      if (slice.over) await slice.breathe();
      if (cancelled()) return undefined;
    }
    return { count, bits: this.bits.slice(0, Math.ceil(count / 8)) };
  }

  /** Of the rows up to `count`, and of those that have changed, the ones that pass and have not before. Ascending. */
  more(count: number, changed: readonly number[]): Uint32Array {
    const passes = bindFilter(this.filter, this.capture);
    const found: number[] = [];
    this.makeRoom(count);
    const ask = (row: number): void => {
      if ((this.bits[row >> 3] & (1 << (row & 7))) !== 0 || !passes(row)) return;
      this.bits[row >> 3] |= 1 << (row & 7);
      found.push(row);
    };
    for (const row of changed) if (row < this.seen) ask(row);
    for (let row = this.seen; row < count; row++) ask(row);
    this.seen = Math.max(this.seen, count);
    return Uint32Array.from(found).sort();
  }

  /** The rows that passed so far. */
  rows(): Uint32Array {
    const rows = new Uint32Array(this.seen);
    let count = 0;
    for (let row = 0; row < this.seen; row++) {
      if ((this.bits[row >> 3] & (1 << (row & 7))) !== 0) rows[count++] = row;
    }
    return rows.subarray(0, count);
  }

  private makeRoom(rows: number): void {
    const bytes = (rows + 7) >> 3;
    if (bytes <= this.bits.length) return;
    const bits = new Uint8Array(Math.max(bytes, this.bits.length * 2));
    bits.set(this.bits);
    this.bits = bits;
  }
}
