/** How long frames took to draw, and when there was something to see: for measuring in the page. */
const MOST = 1024;

export interface DrawTimes {
  /** Milliseconds, in a ring. */
  readonly times: Float32Array;
  count: number;
  /** When rows were drawn for the first time, and all of them: milliseconds since the epoch; 0 before. */
  first: number;
  complete: number;
}

declare global {
  interface Window {
    virtiofsDrawTimes: DrawTimes;
  }
}

window.virtiofsDrawTimes = { times: new Float32Array(MOST), count: 0, first: 0, complete: 0 };

export function drawn(milliseconds: number, rows: 'none' | 'some' | 'all'): void {
  const { virtiofsDrawTimes: probe } = window;
  probe.times[probe.count++ % MOST] = milliseconds;
  const now = performance.timeOrigin + performance.now();
  if (rows !== 'none') probe.first ||= now;
  if (rows === 'all') probe.complete ||= now;
}
