/**
 * The DAX window's books: which range of it is of which file, in which state, and how many pieces the front-end has.
 *
 * Ranges never overlap. Knows no file, no descriptor and no front-end.
 */

export const enum RangeState {
  /** The front-end has been asked, but has not answered. */
  Coming,
  Mapped,
}

/** What a range needs to be kept; `Content` is whatever its owner hangs on it. */
export interface Range {
  readonly windowOffset: number;
  readonly length: number;
  state: RangeState;
  /** Regions of the front-end that it takes: one for pages of the file, one for a copy. */
  readonly pieces: number;
}

export class WindowRanges<Kept extends Range> {
  /** Sorted by place. */
  private readonly ranges: Kept[] = [];

  get count(): number {
    return this.ranges.length;
  }

  get pieces(): number {
    return this.ranges.reduce((sum, range) => sum + range.pieces, 0);
  }

  /** Bytes that are mapped or about to be. */
  get bytes(): number {
    return this.ranges.reduce((sum, range) => sum + range.length, 0);
  }

  /** Those that have a byte in common with [offset, offset + length). */
  touching(offset: number, length: number): Kept[] {
    const found: Kept[] = [];
    for (let at = this.firstEndingAfter(offset); at < this.ranges.length; at++) {
      if (this.ranges[at].windowOffset >= offset + length) break;
      found.push(this.ranges[at]);
    }
    return found;
  }

  /** False when it would overlap another. */
  add(range: Kept): boolean {
    const at = this.firstEndingAfter(range.windowOffset);
    const next = this.ranges.at(at);
    if (at < this.ranges.length && next && next.windowOffset < range.windowOffset + range.length) return false;
    this.ranges.splice(at, 0, range);
    return true;
  }

  remove(range: Kept): boolean {
    const at = this.ranges.indexOf(range);
    if (at >= 0) this.ranges.splice(at, 1);
    return at >= 0;
  }

  all(): readonly Kept[] {
    return [...this.ranges];
  }

  private firstEndingAfter(offset: number): number {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { windowOffset, length } = this.ranges[middle];
      if (windowOffset + length <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
