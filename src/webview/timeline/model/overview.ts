/**
 * The whole capture as one strip: for each pixel how much happens, how much of it fails, and the longest request when
 * it is much longer than elsewhere. From the lanes' levels.
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
    addOpen(longest, lane, rows, span);
  }
  let most = 0;
  for (const count of strip.rows) if (count > most) most = count;
  return { rows: strip.rows, failed: strip.failed, most, slow: outstanding(longest, rows) };
}

/** Those much longer than the median of what has a reply. */
function outstanding(longest: Int32Array, rows: Rows): number[] {
  const { latency } = rows.columns;
  const latencies = new Float32Array(longest.length);
  let known = 0;
  for (const row of longest) if (row !== NONE && latency[row] >= 0) latencies[known++] = latency[row];
  const usual = latencies.subarray(0, known).sort()[known >> 1];
  const slow: number[] = [];
  for (const row of longest) if (row !== NONE && took(rows, row) > STANDS_OUT * usual) slow.push(row);
  return slow;
}

const took = (rows: Rows, row: number): number => rows.until(row) - rows.columns.start[row];

interface Strip extends Pick<OverviewStrip, 'rows' | 'failed'> {
  /** By pixel. */
  readonly longest: Int32Array;
}

/** A bucket that lies over two pixels counts for both, each its part: else those that have one more make a comb. */
function addLevel({ rows: counts, failed, longest }: Strip, level: Level, rows: Rows, span: Span): void {
  const width = counts.length;
  const perPixel = lengthOf(span) / width;
  const wide = level.width / perPixel;
  const { latency } = rows.columns;
  for (let b = level.find(Math.floor(span.from / level.width)); b < level.count; b++) {
    const from = (level.index[b] * level.width - span.from) / perPixel;
    const x = Math.max(0, Math.floor(from));
    if (x >= width) break;
    const beyond = Math.max(0, (from + wide - (x + 1)) / wide);
    const next = Math.min(width - 1, x + 1);
    counts[x] += level.rows[b] * (1 - beyond);
    counts[next] += level.rows[b] * beyond;
    failed[x] += level.failed[b] * (1 - beyond);
    failed[next] += level.failed[b] * beyond;
    addLongest(longest, x, level.longest[b], latency);
  }
}

function addLongest(longest: Int32Array, x: number, row: number, latency: Float32Array): void {
  if (longest[x] === NONE || longer(latency[row], latency[longest[x]])) longest[x] = row;
}

/** What still waits for its reply at the end of what is known: no level knows how long that takes. */
function addOpen(longest: Int32Array, lane: Lane, rows: Rows, span: Span): void {
  for (const place of lane.underWay(rows.end)) {
    const row = lane.list[place];
    if (!rows.inFlight(row)) continue;
    const x = Math.floor(((rows.columns.start[row] - span.from) / lengthOf(span)) * longest.length);
    if (x < 0 || x >= longest.length) continue;
    if (longest[x] === NONE || took(rows, row) > took(rows, longest[x])) longest[x] = row;
  }
}

/** A short time: no level is as fine. */
function addRows(strip: Strip, lane: Lane, { columns }: Rows, span: Span): void {
  const width = strip.rows.length;
  for (let i = lane.firstFrom(span.from); i < lane.count; i++) {
    const row = lane.list[i];
    const x = Math.floor(((columns.start[row] - span.from) / lengthOf(span)) * width);
    if (x >= width) break;
    strip.rows[x]++;
    if (isFailed(columns, row)) strip.failed[x]++;
    addLongest(strip.longest, x, row, columns.latency);
  }
}
