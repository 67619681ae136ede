/** How long frames took to draw: the last ones, for measuring in the page. */
const MOST = 1024;

export interface DrawTimes {
  /** Milliseconds, in a ring. */
  readonly times: Float32Array;
  count: number;
}

declare global {
  interface Window {
    virtiofsDrawTimes: DrawTimes;
  }
}

window.virtiofsDrawTimes = { times: new Float32Array(MOST), count: 0 };

export function drawn(milliseconds: number): void {
  const { virtiofsDrawTimes } = window;
  virtiofsDrawTimes.times[virtiofsDrawTimes.count++ % MOST] = milliseconds;
}
