/** Where the lanes are: their heights, one under the other, as far as they are scrolled. */
import { type Lane, MOST_TRACKS } from './lanes';

export interface PlacedLane {
  readonly side: 0 | 1;
  readonly lane: Lane;
  /** From the top of all lanes. */
  readonly top: number;
  readonly height: number;
  /** A caption above it: the first lane of those that only its capture has. */
  readonly caption: boolean;
}

export interface Layout {
  readonly lanes: readonly PlacedLane[];
  /** How many of them, from the first, are in pairs: so many times two. */
  readonly pairs: number;
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

type Side = PlacedLane['side'];

interface Ordered {
  readonly side: Side;
  readonly lane: Lane;
  readonly caption: boolean;
  /** The lane of the other capture that it is compared with. */
  readonly other: Lane | undefined;
}

/** What pairs lanes: those of the same name; undefined where that is not known (yet). */
export type NameOf = (side: Side, lane: Lane) => string | number | undefined;

/**
 * Places the lanes of one capture, or of two: those of the same name next to each other and equally high, in the order
 * of the first capture; below them the lanes that only one of the two has. Lanes grow where there is room to spare.
 */
export function place(sides: readonly (readonly Lane[])[], nameOf: NameOf, viewHeight: number): Layout {
  const [first = [], second] = sides;
  const order: readonly Ordered[] = second
    ? inPairs(first, second, nameOf)
    : first.map((lane) => ({ side: 0, lane, caption: false, other: undefined }));
  const captions = order.filter(({ caption }) => caption).length;
  const each = order.length === 0 ? 0 : Math.min(56, (viewHeight - captions * CAPTION) / order.length);
  let top = 0;
  const lanes = order.map(({ side, lane, caption, other }) => {
    if (caption) top += CAPTION;
    const height = Math.max(laneHeight(lane, each), other ? laneHeight(other, each) : 0);
    const placed = { side, lane, top, height, caption };
    top += height;
    return placed;
  });
  return { lanes, pairs: order.filter(({ side, other }) => side === 0 && other).length, height: top };
}

function inPairs(first: readonly Lane[], second: readonly Lane[], nameOf: NameOf): Ordered[] {
  const others = new Map<string | number, Lane>();
  for (const lane of second) {
    const name = nameOf(1, lane);
    if (name !== undefined && !others.has(name)) others.set(name, lane);
  }
  const pairs: Ordered[] = [];
  const alone: Ordered[] = [];
  const paired = new Set<Lane>();
  for (const lane of first) {
    const name = nameOf(0, lane);
    const other = name === undefined ? undefined : others.get(name);
    if (!other || paired.has(other)) {
      alone.push({ side: 0, lane, caption: alone.length === 0, other: undefined });
      continue;
    }
    paired.add(other);
    pairs.push({ side: 0, lane, caption: false, other }, { side: 1, lane: other, caption: false, other: lane });
  }
  const rest = second.filter((lane) => !paired.has(lane));
  return [
    ...pairs,
    ...alone,
    ...rest.map((lane, i) => ({ side: 1 as const, lane, caption: i === 0, other: undefined })),
  ];
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
