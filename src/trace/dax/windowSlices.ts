/** How full a window was and how fast its ranges came and went, in equal slices of time. Knows no files. */

/** One slice of time. */
export interface Slice {
  /** Nanoseconds after the capture's origin. */
  readonly start: number;
  /** Share of the window that was mapped: at its end, and at most, from 0 to 1. */
  end: number;
  most: number;
  maps: number;
  unmaps: number;
}

/** Filled from its beginning to its end. Whatever is told is of the present slice: `turnTo` comes first. */
export class WindowSlices {
  readonly all: readonly Slice[];
  private readonly width: number;
  private at = 0;

  constructor(end: number, count: number) {
    this.width = end / count || 1;
    this.all = Array.from({ length: count }, (_, index) => ({
      start: (end / count) * index,
      end: 0,
      most: 0,
      maps: 0,
      unmaps: 0,
    }));
  }

  get present(): Slice {
    return this.all[this.at];
  }

  /** To the slice of a moment; `share` of the window is mapped up to there. */
  turnTo(time: number, share: number): void {
    while (this.at < this.all.length - 1 && time >= (this.at + 1) * this.width) {
      this.present.end = share;
      this.at++;
      this.present.most = share;
    }
  }

  /** So much is mapped now. */
  reached(share: number): void {
    this.present.most = Math.max(this.present.most, share);
  }

  /** Nothing changes any more. */
  finish(share: number): void {
    this.turnTo(Infinity, share);
    this.present.end = share;
    this.reached(share);
  }
}
