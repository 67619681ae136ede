/**
 * What a timeline shows and how, shared by its parts: the captures, the time in view, the selection, the notes. Parts
 * change it through its methods and hear of changes; nothing here is drawn.
 */
import { type CaptureState, type Note, type NotesPlace, type Side } from '../../../control/timeline';
import { TimelineCapture } from '../model/capture';
import type { Grouping } from '../model/lanes';
import type { ColourBy, HeightBy } from '../model/paint';
import { usefulRange } from '../model/rows';
import { type Span, within } from '../model/timeScale';

export interface Selected {
  readonly side: Side;
  readonly row: number;
}

/** What can change: rows, the time in view, how it is drawn, selection, notes, the state of a capture. */
export type Change = 'rows' | 'span' | 'look' | 'selection' | 'notes' | 'state';

export class TimelineModel {
  captures: TimelineCapture[] = [];
  states: (CaptureState | undefined)[] = [];
  live = false;
  /** The number of row 0, as a person knows it from other views. */
  first = 0;
  paused = false;
  follow = false;
  grouping: Grouping = 'queue';
  colour: ColourBy = 'opcode';
  height: HeightBy = 'overlap';
  span: Span = { from: 0, to: 1e9 };
  whole: Span = { from: 0, to: 1e9 };
  selected: Selected | undefined;
  notes: readonly Note[] = [];
  notesPlace: NotesPlace = 'beside';
  notesProblem: string | undefined;
  /** Nobody has zoomed or moved: everything is shown, however much comes. */
  fitted = true;
  private readonly listeners = new Map<Change, Set<() => void>>();

  on(change: Change, listener: () => void): void {
    const known = this.listeners.get(change) ?? new Set();
    this.listeners.set(change, known.add(listener));
  }

  tell(change: Change): void {
    for (const listener of this.listeners.get(change) ?? []) listener();
  }

  begin(sides: number, live: boolean, first: number): void {
    this.first = first;
    this.captures = Array.from({ length: sides }, () => new TimelineCapture(this.grouping));
    this.states = Array.from({ length: sides }, () => undefined);
    // Of the rows before.
    if (this.selected) this.select(undefined);
    this.live = live;
    this.follow = live;
    this.tell('rows');
    this.tell('state');
  }

  /** Rows have come, or others pass the filter. */
  rowsChanged(): void {
    let from = Infinity;
    let to = 0;
    for (const { rows } of this.captures) {
      if (rows.count === 0) continue;
      const range = usefulRange(rows);
      from = Math.min(from, range[0]);
      to = Math.max(to, range[1]);
    }
    if (to > 0) this.whole = { from, to };
    if (this.fitted) this.moveTo(this.margined(), true);
    else if (this.follow) {
      const length = this.span.to - this.span.from;
      this.moveTo({ from: this.whole.to - length * 0.97, to: this.whole.to + length * 0.03 }, false);
    }
    this.tell('rows');
  }

  /** What can be moved into view: the whole, and what is selected, should that be a lonely beginning before it. */
  get bounds(): Span {
    const { whole, selected } = this;
    const start = selected ? this.captures[selected.side].rows.columns.start[selected.row] : whole.from;
    return start < whole.from ? { from: start, to: whole.to } : whole;
  }

  private margined(): Span {
    const margin = (this.whole.to - this.whole.from) * 0.01;
    return { from: this.whole.from - margin, to: this.whole.to + margin };
  }

  private moveTo(span: Span, fitted: boolean): void {
    this.fitted = fitted;
    this.span = within(span, this.bounds);
    this.tell('span');
  }

  /** A person has zoomed or moved. */
  show(span: Span): void {
    if (this.follow && this.live && span.to < this.whole.to) this.follow = false;
    this.moveTo(span, false);
  }

  fit(): void {
    this.moveTo(this.margined(), true);
  }

  setGrouping(grouping: Grouping): void {
    this.grouping = grouping;
    for (const capture of this.captures) capture.regroup(grouping);
    this.tell('look');
    this.tell('rows');
  }

  /** What is looked at does not run away: the newest are followed again when nothing is selected. */
  select(selected: Selected | undefined): void {
    this.selected = selected;
    if (selected) this.follow = false;
    else if (this.live && !this.paused && this.fitted) this.follow = true;
    this.tell('selection');
  }

  get empty(): boolean {
    return this.captures.every(({ rows }) => rows.count === 0);
  }

  /** There are requests, and a filter lets none of them pass. */
  get nonePasses(): boolean {
    return !this.empty && this.captures.every(({ shown }) => shown === 0);
  }

  /** More comes, or has come and waits for the end of a pause. */
  get growing(): boolean {
    return this.live && (this.paused || this.states.some((state) => state?.phase === 'live'));
  }

  get complete(): boolean {
    return this.states.length > 0 && this.states.every((state) => state && state.phase !== 'reading');
  }
}
