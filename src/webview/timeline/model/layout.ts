/** Where the lanes are: their heights, one under the other, as far as they are scrolled. */
import { type Lane, MOST_TRACKS } from './lanes';

export interface PlacedLane {
  readonly side: 0 | 1;
  readonly lane: Lane;
  /** From the top of all lanes. */
  readonly top: number;
  readonly height: number;
  /** A caption above it: the first lane of the second capture, where they are not in pairs. */
  readonly caption: boolean;
}

export interface Layout {
  readonly lanes: readonly PlacedLane[];
  readonly height: number;
}

export const CAPTION = 22;
/** Above and below the bars of a lane. */
export const PADDING = 4;
const LOWEST = 26;
export const TRACK = 18;
const TALLEST = MOST_TRACKS * TRACK + 2 * PADDING;

/** A lane's height: its tracks, as far as that is not too much. */
export function laneHeight(lane: Lane, roomForEach: number): number {
  const wanted = lane.tracks * TRACK + 2 * PADDING;
  return Math.round(Math.min(TALLEST, Math.max(LOWEST, wanted, roomForEach)));
}

/**
 * Places the lanes of one capture, or of two: `paired` puts those with the same key next to each other, else the second
 * capture's come below. Lanes grow where there is room to spare.
 */
export function place(sides: readonly (readonly Lane[])[], paired: boolean, viewHeight: number): Layout {
  const order: { side: 0 | 1; lane: Lane; caption: boolean }[] = [];
  const [first = [], second = []] = sides;
  const captioned = sides.length > 1 && !paired;
  if (paired && second.length > 0) {
    const others = new Map(second.map((lane) => [lane.key, lane]));
    for (const lane of first) {
      order.push({ side: 0, lane, caption: false });
      const other = others.get(lane.key);
      if (other) order.push({ side: 1, lane: other, caption: false });
      others.delete(lane.key);
    }
    for (const lane of others.values()) order.push({ side: 1, lane, caption: false });
  } else {
    first.forEach((lane, i) => order.push({ side: 0, lane, caption: captioned && i === 0 }));
    second.forEach((lane, i) => order.push({ side: 1, lane, caption: captioned && i === 0 }));
  }
  const captions = order.filter(({ caption }) => caption).length;
  const each = order.length === 0 ? 0 : Math.min(56, (viewHeight - captions * CAPTION) / order.length);
  let top = 0;
  const lanes = order.map(({ side, lane, caption }) => {
    if (caption) top += CAPTION;
    const placed = { side, lane, top, height: laneHeight(lane, each), caption };
    top += placed.height;
    return placed;
  });
  return { lanes, height: top };
}

/** The lane at a height; undefined between and below. */
export function laneAt({ lanes }: Layout, y: number): PlacedLane | undefined {
  let low = 0;
  let high = lanes.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const { top, height } = lanes[middle];
    if (y < top) high = middle - 1;
    else if (y >= top + height) low = middle + 1;
    else return lanes[middle];
  }
  return undefined;
}
