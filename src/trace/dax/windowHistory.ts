/**
 * The DAX window through a whole capture: any moment of it, forwards and back. States are kept now and then, and the
 * events between are replayed.
 */
import type { Capture } from '../capture';
import { windowEvents, windowSize, type WindowEvents } from './windowEvents';
import { WindowState } from './windowState';

/** Events between two states that are kept; more where there are very many, so that memory stays bounded. */
const STRIDE = 256;
const MOST_KEPT = 512;

export class WindowHistory {
  stride: number;
  private kept: WindowState[] = [new WindowState()];

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
    while (this.kept.length > 1 && this.kept[this.kept.length - 1].applied > from) this.kept.pop();
    this.replay();
  }

  /** The first `count` events cannot be come back to any more: it begins with the window as they had left it. */
  forget(count: number): void {
    const base = this.after(count);
    this.events.shift(base.applied);
    base.applied = 0;
    this.kept = [base];
    this.replay();
  }

  /** Row numbers are less by so many; those below are none any more. */
  drop(rows: number): void {
    for (const state of this.kept) state.drop(rows);
  }

  private replay(): void {
    const { events } = this;
    const last = this.kept[this.kept.length - 1];
    if (events.count - last.applied < this.stride) return;
    const state = last.copy();
    while (state.applied < events.count) {
      state.apply(events, state.applied);
      if (state.applied % this.stride === 0) this.kept.push(state.copy());
      if (this.kept.length > 2 * MOST_KEPT) {
        this.stride *= 2;
        this.kept = this.kept.filter(({ applied }) => applied % this.stride === 0);
      }
    }
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
    const state = this.kept[Math.min(Math.floor(wanted / this.stride), this.kept.length - 1)].copy();
    while (state.applied < wanted) state.apply(this.events, state.applied);
    return state;
  }
}
