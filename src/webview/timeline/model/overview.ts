/** The whole capture as one strip: for each pixel how much happens, how much of it fails. From the lanes' levels. */
import type { Lane } from './lanes';
import { lengthOf, type Span } from './timeScale';

export interface OverviewStrip {
  readonly rows: Float64Array;
  readonly errors: Float64Array;
  readonly most: number;
}

export function overviewOf(lanes: readonly Lane[], span: Span, width: number): OverviewStrip {
  const rows = new Float64Array(width);
  const errors = new Float64Array(width);
  const perPixel = Math.max(lengthOf(span) / width, 4096);
  for (const { levels } of lanes) {
    const level = levels.atMost(perPixel);
    if (!level) continue;
    for (let b = level.find(Math.floor(span.from / level.width)); b < level.count; b++) {
      const x = Math.floor(((level.index[b] * level.width - span.from) / lengthOf(span)) * width);
      if (x >= width) break;
      rows[Math.max(0, x)] += level.rows[b];
      errors[Math.max(0, x)] += level.errors[b];
    }
  }
  let most = 0;
  for (const count of rows) if (count > most) most = count;
  return { rows, errors, most };
}
