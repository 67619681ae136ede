/** Which request is at a place of a lane. */
import type { Lane } from './lanes';
import { PADDING } from './layout';
import { TAIL } from './paint';
import type { Rows } from './rows';

/** So many rows are looked at around a place. */
const MOST_LOOKED_AT = 20_000;

/** Bars of all tracks. */
export const ANY = -1;
/** What is drawn above the bars of a lane, of all tracks, in its whole length. */
export const TAILS = -2;

/** The track at a height within the lane, or ANY in its padding. `tails`: there are some above the bars. */
export function trackAt(lane: Lane, y: number, height: number, tails = false): number {
  const inner = height - 2 * PADDING;
  const within = y - PADDING;
  if (within < 0 || within >= inner) return ANY;
  if (tails && within < TAIL) return TAILS;
  return Math.min(lane.tracks - 1, Math.floor((within / inner) * lane.tracks));
}

/**
 * The row at a time, on a track where bars are told apart (else ANY, or TAILS), else the nearest one within `tolerance`
 * nanoseconds; -1 for none. Of several the one that took longest, as it is the one that is seen; one in flight takes
 * longer than others among tails alone.
 */
export function rowAt(rows: Rows, lane: Lane, time: number, tolerance: number, track = ANY): number {
  const { start, latency } = rows.columns;
  let best = -1;
  let bestFar = Infinity;
  let bestLatency = -1;
  const after = lane.firstFrom(time + tolerance);
  let looked = 0;
  for (let i = lane.before(after - 1, time - tolerance); i >= 0; i = lane.before(i - 1, time - tolerance)) {
    if (++looked > MOST_LOOKED_AT) break;
    const row = lane.list[i];
    if (track >= 0 && lane.track[i] !== track) continue;
    const until = rows.until(row);
    const far = time < start[row] ? start[row] - time : Math.max(0, time - until);
    if (far > tolerance) continue;
    const long = latency[row] >= 0 ? latency[row] : track === TAILS ? until - start[row] : 0;
    if (far < bestFar || (far === bestFar && long > bestLatency)) {
      best = row;
      bestFar = far;
      bestLatency = long;
    }
  }
  return best;
}
