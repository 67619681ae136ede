/** The DAX window's occupancy along the time in view: what each pixel shows. */
import type { Occupancy } from '../../../trace/dax/windowOccupancy';
import { lengthOf, type Span } from './timeScale';

/** How many points are not later than `time`. */
function upTo(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The part of the window that is mapped at a moment, 0 to 1. */
export function partAt({ size, times, mapped }: Occupancy, time: number): number {
  const point = upTo(times, time) - 1;
  return point < 0 || size === 0 ? 0 : Math.min(1, mapped[point] / size);
}

export interface WindowStrip {
  /** For each pixel the part that is mapped at its end, and at most in it; 0 to 1. */
  readonly end: Float64Array;
  readonly most: Float64Array;
}

export function windowStrip(occupancy: Occupancy, span: Span, width: number): WindowStrip {
  const { size, times, mapped, most: peaks } = occupancy;
  const end = new Float64Array(width);
  const most = new Float64Array(width);
  const step = lengthOf(span) / width;
  let point = upTo(times, span.from);
  for (let x = 0; x < width && size > 0; x++) {
    const next = upTo(times, span.from + (x + 1) * step);
    let highest = point > 0 ? mapped[point - 1] : 0;
    for (; point < next; point++) if (peaks[point] > highest) highest = peaks[point];
    end[x] = point > 0 ? Math.min(1, mapped[point - 1] / size) : 0;
    most[x] = Math.min(1, highest / size);
  }
  return { end, most };
}
