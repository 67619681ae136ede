/**
 * The whole capture as one strip: for each pixel how much happens, how much of it fails, and the longest request, when it
 * is much longer than elsewhere. From the lanes' levels.
 */
import type { Lane } from './lanes';
import { longer, type Level } from './levels';
import { isFailed } from '../../../trace/expectedErrors';
import type { Rows } from './rows';
import { lengthOf, type Span } from './timeScale';

export interface OverviewStrip {
  readonly rows: Float64Array;
  readonly failed: Float64Array;
  readonly most: number;
  /** The rows that stand out, each the longest that begins in its pixel. */
  readonly slow: readonly number[];
}

/** So many times as long as the longest of a usual pixel is a request that stands out. */
const STANDS_OUT = 10;
const NONE = -1;

export function overviewOf(lanes: readonly Lane[], rows: Rows, span: Span, width: number): OverviewStrip {
  const longest = new Int32Array(width).fill(NONE);
  const strip = { rows: new Float64Array(width), failed: new Float64Array(width), longest };
  for (const lane of lanes) {
    const level = lane.levels.atMost(lengthOf(span) / width);
    if (level) addLevel(strip, level, rows, span);
    else addRows(strip, lane, rows, span);
  }
  let most = 0;
  for (const count of strip.rows) if (count > most) most = count;
  return { rows: strip.rows, failed: strip.failed, most, slow: outstanding(longest, rows) };
}

/** Those much longer than the median. */
function outstanding(longest: Int32Array, { columns: { latency } }: Rows): number[] {
  const known = Array.from(longest.filter((row) => latency[row] >= 0));
  const latencies = Float32Array.from(known, (row) => latency[row]).sort();
  const usual = latencies[latencies.length >> 1];
  return known.filter((row) => latency[row] > STANDS_OUT * usual);
}

interface Strip extends Pick<OverviewStrip, 'rows' | 'failed'> {
  /** By pixel. */
  readonly longest: Int32Array;
}

/** A bucket that lies over two pixels counts for both, each its part: pixels that have one more would stand like a comb. */
function addLevel(strip: Strip, level: Level, rows: Rows, span: Span): void {
  const width = strip.rows.length;
  const perPixel = lengthOf(span) / width;
  for (let b = level.find(Math.floor(span.from / level.width)); b < level.count; b++) {
    const from = (level.index[b] * level.width - span.from) / perPixel;
    const x = Math.max(0, Math.floor(from));
    if (x >= width) break;
    const beyond = Math.max(0, (from + level.width / perPixel - (x + 1)) / (level.width / perPixel));
    const next = Math.min(width - 1, x + 1);
    strip.rows[x] += level.rows[b] * (1 - beyond);
    strip.rows[next] += level.rows[b] * beyond;
    strip.failed[x] += level.failed[b] * (1 - beyond);
    strip.failed[next] += level.failed[b] * beyond;
    addLongest(strip, x, level.longest[b], rows);
  }
}

function addLongest({ longest }: Strip, x: number, row: number, { columns: { latency } }: Rows): void {
  if (longest[x] === NONE || longer(latency[row], latency[longest[x]])) longest[x] = row;
}

/** A short time: no level is as fine. */
function addRows(strip: Strip, lane: Lane, rows: Rows, span: Span): void {
  const { columns } = rows;
  const width = strip.rows.length;
  for (let i = lane.firstFrom(span.from); i < lane.count; i++) {
    const row = lane.list[i];
    const x = Math.floor(((columns.start[row] - span.from) / lengthOf(span)) * width);
    if (x >= width) break;
    strip.rows[x]++;
    if (isFailed(columns, row)) strip.failed[x]++;
    addLongest(strip, x, row, rows);
  }
}
