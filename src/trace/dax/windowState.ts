/**
 * The DAX window at one moment: which range shows what, since when, and how often the place was used before. A reducer:
 * the state after an event follows from the state before and the event alone, so that any moment can be come back to.
 *
 * Whatever the events are, ranges never overlap, and `mappedBytes` is the sum of their lengths: a mapping over others
 * takes their place, a removal takes everything it touches. And they are bounded: a crafted capture has as many as it
 * likes.
 */
import type { NodeNumber } from '../nodeNumbers';
import { WindowEvent, type WindowEvents } from './windowEvents';

/**
 * Mappings at a time that are followed, as many as fill a window of 64 GiB; more are left out, and counted. Real ones
 * have less: QEMU ends a guest that wants more than 512.
 */
export const MOST_RANGES = 1 << 15;

/** One range as somebody may look at it. */
export interface WindowRange {
  readonly windowOffset: number;
  readonly length: number;
  readonly fileOffset: number;
  readonly nodeid: NodeNumber;
  /** Index into `Capture.path`; 0: unknown. */
  readonly path: number;
  readonly flags: number;
  /** When it was mapped, and by which row (-1: before the capture). */
  readonly since: number;
  readonly row: number;
  /** The process that had it mapped; 0: unknown. */
  readonly pid: number;
  /** How often anything was mapped at this place, this time included. */
  readonly uses: number;
}

export class WindowState {
  /** Sorted by place. */
  private ranges: WindowRange[] = [];
  /** How often each place (its first byte) was mapped; of the first MOST_RANGES places. */
  private uses = new Map<number, number>();
  mappedBytes = 0;
  /** Events applied so far. */
  applied = 0;
  maps = 0;
  unmaps = 0;
  refusals = 0;
  /** Mappings for which there was no room here. */
  leftOut = 0;

  /** What a copy takes, in ranges and places. */
  get entries(): number {
    return this.ranges.length + this.uses.size;
  }

  get all(): readonly WindowRange[] {
    return this.ranges;
  }

  copy(): WindowState {
    const copy = new WindowState();
    copy.ranges = [...this.ranges];
    copy.uses = new Map(this.uses);
    copy.mappedBytes = this.mappedBytes;
    copy.applied = this.applied;
    copy.maps = this.maps;
    copy.unmaps = this.unmaps;
    copy.refusals = this.refusals;
    copy.leftOut = this.leftOut;
    return copy;
  }

  /**
   * Row numbers are less by so many; what is below has none any more. `moved`: ranges that this was done to, since
   * copies share them.
   */
  drop(rows: number, moved: Map<WindowRange, WindowRange>): void {
    this.ranges = this.ranges.map((range) => {
      const known = moved.get(range);
      if (known) return known;
      const fresh = { ...range, row: Math.max(-1, range.row - rows) };
      moved.set(range, fresh);
      return fresh;
    });
  }

  /** Applies the next event; those that were given up for it. */
  apply(events: WindowEvents, at: number): readonly WindowRange[] {
    this.applied++;
    switch (events.kind[at] as WindowEvent) {
      case WindowEvent.Map:
        return this.map(events, at);
      case WindowEvent.Unmap: {
        const gone = this.take(events.windowOffset[at], events.length[at]);
        this.unmaps += gone.length;
        return gone;
      }
      case WindowEvent.Reset: {
        const gone = this.ranges;
        this.unmaps += gone.length;
        this.ranges = [];
        this.mappedBytes = 0;
        return gone;
      }
      case WindowEvent.Refused:
        this.refusals++;
        return NONE;
    }
  }

  /** The range that a byte of the window is in. */
  at(offset: number): WindowRange | undefined {
    const range = this.ranges.at(this.firstEndingAfter(offset));
    return range && range.windowOffset <= offset && offset < range.windowOffset + range.length ? range : undefined;
  }

  private map(events: WindowEvents, at: number): readonly WindowRange[] {
    const windowOffset = events.windowOffset[at];
    const length = events.length[at];
    const gone = this.take(windowOffset, length);
    if (this.ranges.length >= MOST_RANGES) {
      this.leftOut++;
      return gone;
    }
    const [first] = gone;
    const again =
      gone.length === 1 &&
      first.windowOffset === windowOffset &&
      first.length === length &&
      first.nodeid === events.nodeid(at) &&
      first.fileOffset === events.fileOffset[at];
    // The same once more only says that it is for writing now.
    const uses = (this.uses.get(windowOffset) ?? 0) + (again ? 0 : 1);
    if (this.uses.size < MOST_RANGES || this.uses.has(windowOffset)) this.uses.set(windowOffset, uses);
    if (!again) this.maps++;
    this.ranges.splice(this.firstEndingAfter(windowOffset), 0, {
      windowOffset,
      length,
      fileOffset: events.fileOffset[at],
      nodeid: events.nodeid(at),
      path: events.path[at] || (again ? first.path : 0),
      flags: events.flags[at] | (again ? first.flags : 0),
      since: again ? first.since : events.time[at],
      row: again ? first.row : events.row[at],
      pid: again ? first.pid : events.pid[at],
      uses,
    });
    this.mappedBytes += length;
    return again ? NONE : gone;
  }

  /** Takes out everything that touches [offset, offset + length). */
  private take(offset: number, length: number): readonly WindowRange[] {
    const first = this.firstEndingAfter(offset);
    let last = first;
    while (last < this.ranges.length && this.ranges[last].windowOffset < offset + length) last++;
    if (first === last) return NONE;
    const gone = this.ranges.splice(first, last - first);
    for (const range of gone) this.mappedBytes -= range.length;
    return gone;
  }

  private firstEndingAfter(offset: number): number {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.ranges[middle].windowOffset + this.ranges[middle].length <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const NONE: readonly WindowRange[] = [];
