/**
 * Rows in lanes: by queue, process, file or opcode. Each lane has its rows in the order of their starts, the track
 * within the lane that each is drawn on (requests of one lane overlap), and its levels of detail. All of it grows with
 * the capture without being made anew.
 */
import { Levels } from './levels';
import { isFailed } from '../../../trace/expectedErrors';
import type { Rows } from './rows';

export const groupings = ['queue', 'process', 'file', 'opcode'] as const;
export type Grouping = (typeof groupings)[number];

/** Tracks of one lane; what overlaps more than that shares the last one. */
export const MOST_TRACKS = 6;
/** Of files and processes so many lanes, the busiest; the rest is in one more lane. */
export const MOST_LANES = 400;
/** Rows that are passed over at a time when none of them reaches a moment. */
const BLOCK = 256;
/** How far back a row may have started and still be put in its place without sorting the lane. */
const NEAR = 4096;
/** How many rows are asked whether they are under way at a moment. */
const MOST_EARLIER = 50_000;

/** Key of the lane of everything beyond MOST_LANES. */
export const REST = -1;

export class Lane {
  count = 0;
  failed = 0;
  list = new Uint32Array(64);
  track = new Uint8Array(64);
  tracks = 1;
  /** For each block of BLOCK rows, when the last of them is over (Infinity with one in flight). */
  private reach = new Float64Array(4);
  readonly levels: Levels;
  private readonly busyUntil = new Float64Array(MOST_TRACKS);
  private settled = 0;
  /** The first place of which the row is another one since the lane was settled. */
  private moved = Infinity;
  private disordered = false;

  constructor(
    readonly key: number,
    private readonly rows: Rows,
  ) {
    this.levels = new Levels(rows);
  }

  push(row: number): void {
    if (this.count === this.list.length) this.grow();
    const { start } = this.rows.columns;
    const at = start[row];
    let place = this.count++;
    const least = Math.max(0, place - NEAR);
    while (place > least && start[this.list[place - 1]] > at) {
      this.list[place] = this.list[place - 1];
      place--;
    }
    this.list[place] = row;
    if (place < this.moved) this.moved = place;
    if (place === least && place > 0 && start[this.list[place - 1]] > at) this.disordered = true;
    if (isFailed(this.rows.columns, row)) this.failed++;
  }

  private grow(): void {
    const list = new Uint32Array(this.count * 2);
    list.set(this.list);
    this.list = list;
    const track = new Uint8Array(this.count * 2);
    track.set(this.track);
    this.track = track;
  }

  /** Puts what was pushed on tracks and into the levels. */
  settle(): void {
    if (this.disordered) this.sort();
    const from = Math.min(this.moved, this.count);
    this.moved = Infinity;
    if (from === this.count) return;
    if (from < this.settled) this.rememberBusy(from);
    this.assignTracks(from);
    this.settled = this.count;
    this.levels.renew(this.list, this.count, from, (time) => this.firstFrom(time));
  }

  private sort(): void {
    const { start } = this.rows.columns;
    this.list.subarray(0, this.count).sort((a, b) => start[a] - start[b] || a - b);
    this.disordered = false;
    this.moved = 0;
  }

  /** Which tracks were busy before `from`, from the rows before it. */
  private rememberBusy(from: number): void {
    this.busyUntil.fill(0);
    for (let i = Math.max(0, from - BLOCK); i < from; i++) {
      const track = this.track[i];
      this.busyUntil[track] = Math.max(this.busyUntil[track], this.over(this.list[i]));
    }
  }

  private assignTracks(from: number): void {
    const { start } = this.rows.columns;
    const { busyUntil } = this;
    for (let i = from; i < this.count; i++) {
      const row = this.list[i];
      let track = 0;
      while (track < MOST_TRACKS - 1 && busyUntil[track] > start[row]) track++;
      const over = this.over(row);
      if (over > busyUntil[track]) busyUntil[track] = over;
      this.extend(i, over);
      this.track[i] = track;
      if (track >= this.tracks) this.tracks = track + 1;
    }
  }

  private over(row: number): number {
    return this.rows.inFlight(row) ? Infinity : this.rows.until(row);
  }

  /** A row's reply has come, or was dropped. */
  change(row: number): void {
    const place = this.placeOf(row);
    if (place < 0) return;
    if (isFailed(this.rows.columns, row)) this.failed++;
    if (place >= this.settled) return;
    this.levels.change(row);
    this.renewReach(place);
    const track = this.track[place];
    if (this.busyUntil[track] === Infinity) this.busyUntil[track] = this.rows.until(row);
  }

  private extend(place: number, until: number): void {
    const block = Math.floor(place / BLOCK);
    if (block >= this.reach.length) {
      const reach = new Float64Array(this.reach.length * 2);
      reach.set(this.reach);
      this.reach = reach;
    }
    if (place % BLOCK === 0 || until > this.reach[block]) this.reach[block] = until;
  }

  private renewReach(place: number): void {
    const first = place - (place % BLOCK);
    const last = Math.min(first + BLOCK, this.settled);
    for (let i = first; i < last; i++) {
      this.extend(i, this.over(this.list[i]));
    }
  }

  /**
   * The next place at or before `place` whose row may still be under way at `time`; -1 when there is none. Call it
   * again with the place before.
   */
  before(place: number, time: number): number {
    let i = place;
    while (i >= 0) {
      const block = Math.floor(i / BLOCK);
      if (this.reach[block] >= time) return i;
      i = block * BLOCK - 1;
    }
    return -1;
  }

  /** The places of what began before a time and is still under way then, the earliest last. */
  underWay(time: number): number[] {
    const places: number[] = [];
    let looked = 0;
    for (let i = this.before(this.firstFrom(time) - 1, time); i >= 0; i = this.before(i - 1, time)) {
      if (this.rows.until(this.list[i]) >= time) places.push(i);
      if (++looked > MOST_EARLIER) break;
    }
    return places;
  }

  /** The first of its rows that starts at or after `time`. */
  firstFrom(time: number): number {
    const { start } = this.rows.columns;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (start[this.list[middle]] < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Where a row is in the lane; -1 when it is not. */
  placeOf(row: number): number {
    const { start } = this.rows.columns;
    for (let i = this.firstFrom(start[row]); i < this.count && start[this.list[i]] === start[row]; i++) {
      if (this.list[i] === row) return i;
    }
    return -1;
  }
}

export class Lanes {
  private readonly byKey = new Map<number, Lane>();
  private order: Lane[] = [];
  /** Rows [0, taken) have been looked at, where all rows are shown. */
  private taken = 0;

  constructor(
    private readonly rows: Rows,
    readonly grouping: Grouping,
    /** Which keys have a lane of their own; undefined: all. */
    private readonly chosen?: ReadonlySet<number>,
  ) {}

  /** All rows that have come since. */
  takeAll(): void {
    const keys = keysOf(this.rows, this.grouping);
    for (let row = this.taken; row < this.rows.count; row++) this.lane(keys[row]).push(row);
    this.taken = this.rows.count;
    this.settle();
  }

  take(list: Uint32Array): void {
    const keys = keysOf(this.rows, this.grouping);
    for (let i = 0; i < list.length; i++) this.lane(keys[list[i]]).push(list[i]);
    this.settle();
  }

  change(rows: Uint32Array): void {
    const keys = keysOf(this.rows, this.grouping);
    for (let i = 0; i < rows.length; i++) this.byKey.get(this.keyFor(keys[rows[i]]))?.change(rows[i]);
  }

  private keyFor(key: number): number {
    return this.chosen && !this.chosen.has(key) ? REST : key;
  }

  private lane(raw: number): Lane {
    const key = this.keyFor(raw);
    let lane = this.byKey.get(key);
    if (!lane) {
      lane = new Lane(key, this.rows);
      this.byKey.set(key, lane);
    }
    return lane;
  }

  private settle(): void {
    for (const lane of this.byKey.values()) lane.settle();
    this.order = [...this.byKey.values()].sort(this.grouping === 'queue' ? byKey : byCount);
  }

  /** Queues by number, others the busiest first; the rest is last. */
  get list(): readonly Lane[] {
    return this.order;
  }

  of(row: number): Lane | undefined {
    return this.byKey.get(this.keyFor(keysOf(this.rows, this.grouping)[row]));
  }
}

const last = (lane: Lane): number => (lane.key === REST ? 1 : 0);
const byKey = (a: Lane, b: Lane): number => last(a) - last(b) || a.key - b.key;
const byCount = (a: Lane, b: Lane): number => last(a) - last(b) || b.count - a.count || a.key - b.key;

export function keysOf(rows: Rows, grouping: Grouping): Uint16Array | Uint32Array {
  const { queue, pid, path, opcode } = rows.columns;
  return { queue, process: pid, file: path, opcode }[grouping];
}

/** The busiest keys among the rows shown, when there are more than get a lane; else undefined. */
export function busiestKeys(rows: Rows, grouping: Grouping, list: Uint32Array | undefined): Set<number> | undefined {
  const keys = keysOf(rows, grouping);
  const shown = list ? list.length : rows.count;
  let highest = 0;
  for (let i = 0; i < shown; i++) highest = Math.max(highest, keys[list ? list[i] : i]);
  // Process ids are below 2^22; what a hostile capture says they are is counted in a map.
  if (highest > 1 << 24) return busiestOfMany(keys, list, shown);
  const counts = new Uint32Array(highest + 1);
  for (let i = 0; i < shown; i++) counts[keys[list ? list[i] : i]]++;
  const used: number[] = [];
  for (let key = 0; key <= highest; key++) if (counts[key] > 0) used.push(key);
  if (used.length <= MOST_LANES) return undefined;
  return new Set(used.sort((a, b) => counts[b] - counts[a] || a - b).slice(0, MOST_LANES));
}

function busiestOfMany(
  keys: Uint16Array | Uint32Array,
  list: Uint32Array | undefined,
  shown: number,
): Set<number> | undefined {
  const counts = new Map<number, number>();
  for (let i = 0; i < shown; i++) {
    const key = keys[list ? list[i] : i];
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  if (counts.size <= MOST_LANES) return undefined;
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  return new Set(sorted.slice(0, MOST_LANES).map(([key]) => key));
}
