/**
 * Gives the rows of one capture to a timeline as they come: new ones, and those that had been given before their reply
 * came. Knows nothing of vscode.
 */
import { packRange, packRows } from '../../control/timelineRows';
import type { Side, ToTimeline } from '../../control/timeline';
import type { Capture } from '../../trace/capture';
import { isDropped, isInFlight } from '../../trace/line';
import type { CaptureSource } from './captureSource';

/** So many rows go in one message. */
export const MOST_ROWS = 65536;

/** Nothing is known of what becomes of it. */
const isOpen = (capture: Capture, row: number): boolean => isInFlight(capture, row) && !isDropped(capture, row);

export class RowStream {
  /** Rows [0, given) have been given. */
  given = 0;
  private open: number[] = [];

  constructor(
    private readonly source: Pick<CaptureSource, 'capture'>,
    readonly side: Side,
  ) {}

  /** Asked for each time: a live capture that begins anew has another one from then on. */
  get capture(): Capture {
    return this.source.capture;
  }

  get behind(): boolean {
    return this.given < this.capture.count;
  }

  /** Are there rows to give? While a file is read they wait, after the first ones, until they fill a message. */
  ready(reading: boolean): boolean {
    const least = reading && this.given > 0 ? MOST_ROWS : 1;
    return this.capture.count - this.given >= least;
  }

  /** The next messages, and which rows they change. */
  next(reading = false): { messages: ToTimeline[]; changed: readonly number[] } {
    const { capture, side } = this;
    const messages: ToTimeline[] = [];
    const still: number[] = [];
    const changed: number[] = [];
    for (const row of this.open) (isOpen(capture, row) ? still : changed).push(row);
    if (changed.length > 0) {
      const rows = Uint32Array.from(changed);
      messages.push({ kind: 'changed', side, rows, columns: packRows(capture.columns, rows) });
    }
    const from = this.given;
    if (this.ready(reading)) {
      const to = Math.min(capture.count, from + MOST_ROWS);
      const columns = packRange(capture.columns, from, to);
      messages.push({ kind: 'rows', side, from, count: to - from, all: capture.count, columns });
      for (let row = from; row < to; row++) if (isOpen(capture, row)) still.push(row);
      this.given = to;
    }
    this.open = still;
    return { messages, changed };
  }

  /** From the beginning: the page has been loaded anew. */
  restart(): void {
    this.given = 0;
    this.open = [];
  }
}
