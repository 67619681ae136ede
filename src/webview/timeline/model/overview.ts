/** The whole capture as one strip: for each pixel how much happens, how much of it fails. From the lanes' levels. */
import type { Lane } from './lanes';
import type { Level } from './levels';
import { isFailed } from '../../../trace/expectedErrors';
import type { Rows } from './rows';
import { lengthOf, type Span } from './timeScale';

export interface OverviewStrip {
  readonly rows: Float64Array;
  readonly failed: Float64Array;
  readonly most: number;
}

export function overviewOf(lanes: readonly Lane[], rows: Rows, span: Span, width: number): OverviewStrip {
  const strip = { rows: new Float64Array(width), failed: new Float64Array(width) };
  for (const lane of lanes) {
    const level = lane.levels.atMost(lengthOf(span) / width);
    if (level) addLevel(strip, level, span);
    else addRows(strip, lane, rows, span);
  }
  let most = 0;
  for (const count of strip.rows) if (count > most) most = count;
  return { ...strip, most };
}

type Strip = Pick<OverviewStrip, 'rows' | 'failed'>;

function addLevel({ rows, failed }: Strip, level: Level, span: Span): void {
  const width = rows.length;
  for (let b = level.find(Math.floor(span.from / level.width)); b < level.count; b++) {
    const x = Math.floor(((level.index[b] * level.width - span.from) / lengthOf(span)) * width);
    if (x >= width) break;
    rows[Math.max(0, x)] += level.rows[b];
    failed[Math.max(0, x)] += level.failed[b];
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
  }
}
