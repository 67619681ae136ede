/**
 * Draws lanes into an image: every request as a bar where they can be told apart, else what happens in each pixel's
 * time. Pure: theme colours and sizes come in, pixels and the places for texts go out.
 */
import { PART, queuedTime } from '../../../control/timelineRows';
import { familyIndex } from './families';
import { type Image, mix } from './image';
import { type Lane } from './lanes';
import { type Level } from './levels';
import { PADDING } from './layout';
import { lengthOf, type Span } from './timeScale';
import { isFailed } from '../../../trace/expectedErrors';
import type { Rows } from './rows';

export type ColourBy = 'opcode' | 'latency' | 'result';
export type HeightBy = 'overlap' | 'latency';

export interface Palette {
  readonly background: number;
  readonly lane: number;
  readonly families: readonly number[];
  readonly error: number;
  readonly good: number;
  readonly muted: number;
  /** From quick to slow. */
  readonly ramp: readonly number[];
  readonly queued: number;
  readonly daemon: number;
  readonly host: number;
  readonly writing: number;
}

export interface PaintOptions {
  readonly colour: ColourBy;
  readonly height: HeightBy;
  readonly palette: Palette;
  /** Device pixels for each of CSS. */
  readonly ratio: number;
  /** Latencies at the ends of the scale, nanoseconds. */
  readonly quickest: number;
  readonly slowest: number;
}

/** Places for texts on bars, reused from frame to frame. */
export class Labels {
  count = 0;
  readonly row = new Uint32Array(MOST_LABELS);
  readonly side = new Uint8Array(MOST_LABELS);
  readonly x0 = new Int32Array(MOST_LABELS);
  readonly x1 = new Int32Array(MOST_LABELS);
  readonly y = new Int32Array(MOST_LABELS);
  readonly height = new Int32Array(MOST_LABELS);

  private middle(i: number): number {
    return this.y[i] + this.height[i] / 2;
  }

  clear(): void {
    this.count = 0;
  }

  /** One that would run into the one before it is left out. */
  add(side: number, row: number, x0: number, x1: number, y: number, height: number): void {
    const before = this.count - 1;
    const clash =
      before >= 0 && Math.abs(this.middle(before) - (y + height / 2)) < 14 && x0 < this.x0[before] + LABEL_ROOM;
    if (clash || this.count === MOST_LABELS) return;
    const i = this.count++;
    this.row[i] = row;
    this.side[i] = side;
    this.x0[i] = x0;
    this.x1[i] = x1;
    this.y[i] = y;
    this.height[i] = height;
  }
}

const MOST_LABELS = 240;
/** A name and some of a path. */
const LABEL_ROOM = 90;
/** So many bars for each pixel of width are drawn one by one. */
const BARS_A_PIXEL = 3;
/** From so many (CSS) pixels on a bar shows its phases, and its text. */
const PHASES_FROM = 24;
const LABEL_FROM = 44;
const LONGEST_TAIL = 3;
/** How high a tail above the bars is, in CSS pixels. */
export const TAIL = 3;

/** Where a latency is between quick and slow, 0 to 1, by its logarithm. */
export function latencyPart(
  latency: number,
  { quickest, slowest }: Pick<PaintOptions, 'quickest' | 'slowest'>,
): number {
  if (!(latency > 0)) return 0;
  const part = Math.log(latency / quickest) / Math.log(Math.max(slowest / quickest, 1.0001));
  return part < 0 ? 0 : part > 1 ? 1 : part;
}

type ColourOptions = Omit<PaintOptions, 'height' | 'ratio'>;

export function colourOf(rows: Rows, row: number, options: ColourOptions): number {
  const { palette, colour } = options;
  const { latency, opcode } = rows.columns;
  if (colour === 'opcode') return palette.families[familyIndex(opcode[row])];
  if (colour === 'result')
    return isFailed(rows.columns, row) ? palette.error : rows.inFlight(row) ? palette.muted : palette.good;
  if (!(latency[row] >= 0)) return palette.muted;
  const { ramp } = palette;
  return ramp[Math.min(ramp.length - 1, Math.floor(latencyPart(latency[row], options) * ramp.length))];
}

/** What the colours and heights of latencies lie between. */
export const LATENCIES = { quickest: 1e3, slowest: 1e8 } as const;

/** One lane in an image, from `top` on, `height` high, both in device pixels. */
export interface LaneInImage {
  readonly image: Image;
  readonly top: number;
  readonly height: number;
  readonly side: number;
  readonly lane: Lane;
  readonly rows: Rows;
  readonly span: Span;
  readonly options: PaintOptions;
  readonly labels: Labels;
}

export function paintLane(into: LaneInImage): void {
  const { image, lane, span } = into;
  const level = levelOf(lane, span, image.width);
  if (level) paintLevel(into, level);
  else paintBars(into, lane.firstFrom(span.from), lane.firstFrom(span.to));
}

/** By which level a lane is drawn, in a width in device pixels; undefined: bar by bar. */
export function levelOf(lane: Lane, span: Span, width: number): Level | undefined {
  const few = lane.firstFrom(span.to) - lane.firstFrom(span.from) <= width * BARS_A_PIXEL;
  return few ? undefined : lane.levels.atMost(lengthOf(span) / width);
}

function paintLevel(into: LaneInImage, level: Level): void {
  const { image, top, height, rows, span, options } = into;
  const perPixel = lengthOf(span) / image.width;
  const { palette, ratio } = options;
  const { latency } = rows.columns;
  const padding = Math.round(PADDING * ratio);
  const bottom = top + height - padding;
  const room = height - 2 * padding;
  const least = Math.max(1, Math.round(2 * ratio));
  const byLatency = options.height === 'latency';
  const most = Math.sqrt(level.most);
  const end = level.find(Math.ceil(span.to / level.width));
  for (let b = level.find(Math.floor(span.from / level.width)); b < end; b++) {
    const x = Math.floor((level.index[b] * level.width - span.from) / perPixel);
    const slow = level.longest[b];
    const part = byLatency ? latencyPart(latency[slow], options) : Math.sqrt(level.rows[b]) / most;
    const tall = Math.max(least, Math.round(part * room));
    const colour = colourOf(rows, slow, options);
    const wide = Math.max(1, Math.ceil(level.width / perPixel));
    image.fill(x, bottom - tall, x + wide, bottom, colour);
    const tail = latency[slow] / perPixel;
    if (byLatency && tail > LONGEST_TAIL)
      image.fill(x, bottom - tall, x + Math.round(tail), bottom - tall + least, colour);
  }
  if (!byLatency) paintTails(into, level);
  paintOpenTails(into);
  // Afterwards, since two buckets may share a pixel and a failure has to be seen.
  for (let b = level.find(Math.floor(span.from / level.width)); b < end; b++) {
    if (level.failed[b] === 0) continue;
    const x = Math.floor((level.index[b] * level.width - span.from) / perPixel);
    const part = byLatency ? latencyPart(latency[level.longest[b]], options) : Math.sqrt(level.rows[b]) / most;
    const tall = Math.max(least, Math.round(part * room));
    const red = Math.max(Math.round(3 * ratio), Math.round((tall * level.failed[b]) / level.rows[b]));
    image.fill(x, bottom - red, x + Math.max(1, Math.ceil(level.width / perPixel)), bottom, palette.error);
  }
}

/**
 * A request much longer than the pixel it begins in is seen in its whole length: above the bars of those that come and
 * go meanwhile, and apart from them.
 */
function paintTails(into: LaneInImage, level: Level): void {
  const { lane, span } = into;
  for (const place of lane.underWay(span.from)) paintTail(into, lane.list[place]);
  const end = level.find(Math.ceil(span.to / level.width));
  for (let b = level.find(Math.floor(span.from / level.width)); b < end; b++) paintTail(into, level.longest[b]);
}

/** The same of what has no reply: how long that takes, no level knows. */
function paintOpenTails(into: LaneInImage): void {
  const { lane, rows, span } = into;
  for (const place of lane.underWay(Math.min(span.to, rows.end))) {
    const row = lane.list[place];
    if (rows.inFlight(row)) paintTail(into, row);
  }
}

function paintTail({ image, top, rows, span, options }: LaneInImage, row: number): void {
  const perPixel = lengthOf(span) / image.width;
  const { palette, ratio } = options;
  const { start } = rows.columns;
  const until = rows.until(row);
  if (until - start[row] <= LONGEST_TAIL * perPixel) return;
  const y = top + Math.round(PADDING * ratio);
  const below = y + Math.round(TAIL * ratio);
  const x0 = clip(Math.floor((start[row] - span.from) / perPixel), image.width);
  const x1 = clip((until - span.from) / perPixel, image.width);
  const colour = colourOf(rows, row, options);
  image.fill(x0, y, x1, below + Math.round(2 * ratio), palette.lane);
  if (rows.inFlight(row)) image.hatch(x0, y, x1, below, colour);
  else image.fill(x0, y, x1, below, colour);
}

function paintBars(into: LaneInImage, first: number, end: number): void {
  const earlier = into.lane.underWay(into.span.from);
  // What is drawn last lies on top.
  for (let i = earlier.length - 1; i >= 0; i--) paintBar(into, earlier[i]);
  for (let i = first; i < end; i++) paintBar(into, i);
}

function paintBar({ image, top, height, side, lane, rows, span, options, labels }: LaneInImage, place: number): void {
  const { ratio, palette } = options;
  const row = lane.list[place];
  const { start, latency } = rows.columns;
  const perPixel = lengthOf(span) / image.width;
  const from = start[row];
  const x0 = clip((from - span.from) / perPixel, image.width);
  const exact = clip((rows.until(row) - span.from) / perPixel, image.width);
  const x1 = Math.max(x0 + Math.max(1, Math.round(ratio)), exact);
  const padding = Math.round(PADDING * ratio);
  const room = height - 2 * padding;
  let y0: number;
  let y1: number;
  if (options.height === 'latency') {
    y1 = top + height - padding;
    y0 = y1 - Math.max(Math.round(3 * ratio), Math.round(latencyPart(latency[row], options) * room));
  } else {
    const track = lane.track[place];
    y0 = top + padding + Math.floor((track * room) / lane.tracks);
    y1 = top + padding + Math.floor(((track + 1) * room) / lane.tracks) - (lane.tracks > 1 ? Math.round(ratio) : 0);
  }
  const colour = colourOf(rows, row, options);
  const open = rows.inFlight(row);
  const wide = x1 - x0;
  if (open) {
    image.hatch(x0, y0, x1, y1, colour);
    image.fill(x0, y0, x0 + Math.round(2 * ratio), y1, colour);
  } else {
    // A pixel between neighbours that would run together.
    image.fill(x0, y0, wide > 4 * ratio ? x1 - 1 : x1, y1, colour);
  }
  if (options.height === 'overlap' && wide >= PHASES_FROM * ratio && y1 - y0 >= 15 * ratio && !open)
    paintPhases({ image, rows, span, options }, row, { x0, x1: exact, y0, y1 });
  if (isFailed(rows.columns, row) && options.colour !== 'result') {
    image.fill(x0, y0, x1 - (wide > 4 * ratio ? 1 : 0), y0 + Math.max(2, Math.round(3 * ratio)), palette.error);
  }
  if (Math.min(x1, image.width) - Math.max(x0, 0) >= LABEL_FROM * ratio && y1 - y0 >= 11 * ratio) {
    labels.add(side, row, Math.max(0, x0), Math.min(x1, image.width), y0, y1 - y0);
  }
}

/** Far outside of the image a place means nothing, and would not fit a fill. */
const clip = (x: number, width: number): number => Math.round(Math.max(-10, Math.min(width + 10, x)));

/** Strips under the bar: in the daemon, host system calls, reply; before it the time in the queue. */
function paintPhases(
  { image, rows, span, options: { palette, ratio } }: Pick<LaneInImage, 'image' | 'rows' | 'span' | 'options'>,
  row: number,
  { x0, x1, y0, y1 }: { readonly x0: number; readonly x1: number; readonly y0: number; readonly y1: number },
): void {
  const { start, latency, queued, host, writing } = rows.columns;
  const perPixel = lengthOf(span) / image.width;
  const strip = y1 - Math.max(3, Math.round(5 * ratio));
  const at = (time: number): number => clip((time - span.from) / perPixel, image.width);
  const reply = start[row] + latency[row] * (1 - writing[row] / PART);
  const calls = reply - (latency[row] * host[row]) / PART;
  image.fill(x0, strip - 1, x1 - 1, strip, palette.lane);
  image.fill(x0, strip, x1 - 1, y1, palette.daemon);
  image.fill(at(calls), strip, Math.min(at(reply), x1 - 1), y1, palette.host);
  image.fill(at(reply), strip, x1 - 1, y1, palette.writing);
  if (queued[row] > 0) image.hatch(at(start[row] - queuedTime(queued[row])), y0, x0, y1, palette.queued);
}

/** Colours between those given, `count` of them. */
export function rampOf(stops: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const at = (i / (count - 1)) * (stops.length - 1);
    const low = Math.min(stops.length - 2, Math.floor(at));
    return mix(stops[low], stops[low + 1], at - low);
  });
}
