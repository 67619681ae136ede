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
  readonly stride: number;
  private readonly kept: WindowState[] = [new WindowState()];

  constructor(
    readonly events: WindowEvents,
    /** Bytes. */
    readonly size: number,
  ) {
    this.stride = Math.max(STRIDE, Math.ceil(events.count / MOST_KEPT));
    const state = new WindowState();
    for (let at = 0; at < events.count; at++) {
      state.apply(events, at);
      if (state.applied % this.stride === 0) this.kept.push(state.copy());
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
