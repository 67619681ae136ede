/** How many nodeids the guest knew when a row was taken, noted once in so many rows. */
import { roomFor } from './columnArray';

const EVERY_BITS = 8;
/** Rows between two notes. */
export const ROWS_A_NOTE = 1 << EVERY_BITS;

export class NodeidCounts {
  private counts = new Uint32Array(64);

  /** Rows are to be added one after the other. */
  add(row: number, known: number): void {
    if ((row & (ROWS_A_NOTE - 1)) !== 0) return;
    this.counts = roomFor(this.counts, (row >> EVERY_BITS) + 1);
    this.counts[row >> EVERY_BITS] = known;
  }

  /** At the row, or up to 255 rows before. */
  at(row: number): number {
    return this.counts[row >> EVERY_BITS];
  }

  /** The first `dropped` rows go, a multiple of `ROWS_A_NOTE`. */
  drop(dropped: number): void {
    this.counts.copyWithin(0, dropped >> EVERY_BITS);
  }
}
