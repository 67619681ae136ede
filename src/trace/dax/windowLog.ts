/**
 * The history of a DAX window while its capture grows: looks at each row once, again at those that wait for their
 * reply, and keeps what it has learned when the capture drops its oldest rows. Memory stays bounded: of very many
 * events the older half is forgotten, but not what they had left in the window.
 */
import { type Capture, RowFlag } from '../capture';
import { addNotes, addRow, isAboutWindow, toldSize, usedSize, WindowEvents } from './windowEvents';
import { WindowHistory } from './windowHistory';

/** Rows that are looked at, or events that are found, before they are applied and `over` is asked again. */
const STEP = 2048;
/** Requests that are waited for; the oldest of more are given up. */
const MOST_OPEN = 4096;

export class WindowLog {
  readonly events = new WindowEvents();
  readonly history = new WindowHistory(this.events, 0);
  private seen = 0;
  private open: number[] = [];
  private notes = 0;
  private control = 0;
  private told: number | undefined;
  private used = 0;

  constructor(private readonly mostEvents = 1 << 20) {}

  /** Looks at rows below `to`, until `over`. True when that is all. */
  advance(capture: Capture, to: number, over: () => boolean): boolean {
    const { events } = this;
    let before = events.count;
    this.noticeRest(capture);
    this.noticeAnswers(capture);
    while (this.seen < to) {
      const end = Math.min(to, this.seen + STEP);
      for (; this.seen < end && events.count - before < STEP; this.seen++) {
        if (!isAboutWindow(capture, this.seen)) continue;
        if (isAnswered(capture, this.seen)) addRow(capture, events, this.seen);
        else this.open.push(this.seen);
      }
      this.apply(before);
      before = events.count;
      if (over()) break;
    }
    this.apply(before);
    if (this.open.length > MOST_OPEN) this.open.splice(0, this.open.length - MOST_OPEN);
    this.history.size = Math.max(this.told ?? 0, this.used);
    return this.seen >= to;
  }

  /** The events from `from` on are new. */
  private apply(from: number): void {
    const { events, history } = this;
    if (events.count === from) return;
    this.used = Math.max(this.used, usedSize(events, from));
    history.grow(events.settle(from));
    if (events.count > this.mostEvents) history.forget(events.count - (this.mostEvents >> 1));
  }

  /** The capture has dropped its first rows. */
  drop(rows: number): void {
    this.seen = Math.max(0, this.seen - rows);
    this.open = this.open.filter((row) => row >= rows).map((row) => row - rows);
    const { row, count } = this.events;
    for (let at = 0; at < count; at++) row[at] = Math.max(-1, row[at] - rows);
    this.history.drop(rows);
  }

  private noticeRest(capture: Capture): void {
    addNotes(capture, this.events, this.notes);
    this.notes = capture.windowNotes?.length ?? 0;
    this.told = toldSize(capture.control, this.control) ?? this.told;
    this.control = capture.control.length;
  }

  private noticeAnswers(capture: Capture): void {
    const still: number[] = [];
    for (const row of this.open) {
      if (isAnswered(capture, row)) addRow(capture, this.events, row);
      else still.push(row);
    }
    this.open = still;
  }
}

const isAnswered = ({ columns }: Capture, row: number): boolean => (columns.flags[row] & RowFlag.REPLIED) !== 0;
