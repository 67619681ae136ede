/**
 * The DAX window through a whole capture: any moment of it, forwards and back. States are kept now and then, and the
 * events between are replayed. What all of them hold together is bounded: the more is mapped, the fewer are kept.
 */
import type { Capture } from '../capture';
import { windowEvents, windowSize, type WindowEvents } from './windowEvents';
import { type WindowRange, WindowState } from './windowState';

/** Events between two states that are kept; more where there are very many, so that memory stays bounded. */
const STRIDE = 256;
const MOST_KEPT = 512;
/** Ranges and places in all states that are kept: some tens of megabytes. */
export const MOST_ENTRIES = 1 << 20;

export class WindowHistory {
  stride: number;
  /** Ascending by how many events they have applied; the first one is what it began with. */
  private kept: WindowState[] = [new WindowState()];
  /** After all events: who follows a guest looks at that. */
  private newest = new WindowState();
  /** Ranges and places in what is kept. */
  entries = 0;

  constructor(
    readonly events: WindowEvents,
    /** Bytes. */
    public size: number,
  ) {
    this.stride = Math.max(STRIDE, Math.ceil(events.count / MOST_KEPT));
    this.replay();
  }

  /** Events from `from` on are new, or others than before. */
  grow(from: number): void {
    if (this.newest.applied > from) {
      while (this.kept.length > 1 && this.kept[this.kept.length - 1].applied > from) this.kept.pop();
      this.newest = this.kept[this.kept.length - 1].copy();
      this.count();
    }
    this.replay();
  }

  /** The first `count` events cannot be come back to any more: it begins with the window as they had left it. */
  forget(count: number): void {
    const base = this.after(count);
    const { applied } = base;
    this.events.shift(applied);
    this.kept = [base, ...this.kept.filter((state) => state.applied > applied)];
    for (const state of [...this.kept, this.newest]) state.applied -= applied;
    this.count();
    this.thin();
  }

  /** Row numbers are less by so many; those below are none any more. */
  drop(rows: number): void {
    const moved = new Map<WindowRange, WindowRange>();
    for (const state of [...this.kept, this.newest]) state.drop(rows, moved);
  }

  private replay(): void {
    const { events, newest } = this;
    while (newest.applied < events.count) {
      newest.apply(events, newest.applied);
      if (newest.applied - this.kept[this.kept.length - 1].applied < this.stride) continue;
      this.kept.push(newest.copy());
      this.entries += newest.entries;
      this.thin();
    }
  }

  /** Every second one goes, until what is left is not too much. */
  private thin(): void {
    while (this.kept.length > 1 && (this.kept.length > 2 * MOST_KEPT || this.entries > MOST_ENTRIES)) {
      this.stride *= 2;
      this.kept = this.kept.filter((_, index) => index % 2 === 0);
      this.count();
    }
  }

  private count(): void {
    this.entries = this.kept.reduce((sum, state) => sum + state.entries, 0);
  }

  static of(capture: Capture): WindowHistory {
    const events = windowEvents(capture);
    return new WindowHistory(events, windowSize(capture, events));
  }

  /** The window at `time`, nanoseconds after the capture's origin. The caller's to keep. */
  at(time: number): WindowState {
    return this.after(this.events.upTo(time));
  }

  /** After so many events. */
  after(count: number): WindowState {
    const wanted = Math.min(Math.max(0, count), this.events.count);
    const before = wanted >= this.newest.applied ? this.newest : this.kept.findLast(({ applied }) => applied <= wanted);
    const state = (before ?? this.kept[0]).copy();
    while (state.applied < wanted) state.apply(this.events, state.applied);
    return state;
  }
}
