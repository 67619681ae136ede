/**
 * What the view "Requests" shows of the active capture, without the view: filter, grouping, windows of rows, the row
 * that is looked at. Rows are named by numbers that stay when older ones are dropped.
 */
import type { Filter } from '../../trace/filter/filter';
import { ALL, type Group, type Grouping } from '../../trace/requestGroups';
import { RequestIndex } from '../../trace/requestIndex';
import type { Follows } from '../captures/follower';
import type { OpenCapture } from '../captures/openCapture';

/** Rows of one list: while requests come, and when they stand still. */
const LIVE_WINDOW = 200;
const WINDOW = 1000;
const MOST_GROUPS_SHOWN = 2000;
/** A request that has no reply after this long is shown as waiting. */
const WAITING_MS = 500;
const MOST_WAITING = 200;

export interface RowList {
  /** Stable numbers, newest first. */
  readonly rows: readonly number[];
  /** How many newer and older ones there are beyond. */
  readonly newer: number;
  readonly older: number;
}

export class RequestsModel implements Follows {
  capture: OpenCapture | undefined;
  filter: Filter | undefined;
  private index: RequestIndex | undefined;
  private kind: Grouping = 'time';
  /** How many rows more than usual are shown of a group. */
  private readonly more = new Map<number, number>();
  /** The stable number that the list by time is around. */
  private anchor: number | undefined;

  constructor(private readonly shown: () => void) {}

  get grouping(): Grouping {
    return this.kind;
  }

  /** Rows that pass, rows that were looked at; those in flight are among both. */
  get counts(): { readonly passing: number; readonly looked: number } {
    const { index, capture } = this;
    if (!index) return { passing: 0, looked: 0 };
    return { passing: index.count + index.inFlight(Infinity).length, looked: index.looked - (capture?.from ?? 0) };
  }

  begin(capture: OpenCapture | undefined): void {
    this.capture = capture;
    this.anew();
  }

  private anew(): void {
    const { capture } = this;
    this.more.clear();
    this.anchor = undefined;
    this.index = capture && new RequestIndex(capture.reader, this.filter, capture.from, this.kind);
  }

  setFilter(filter: Filter | undefined): void {
    this.filter = filter;
    this.anew();
  }

  group(by: Grouping): void {
    if (by === this.kind) return;
    this.kind = by;
    this.more.clear();
    this.anchor = undefined;
    this.index?.regrouped(by);
  }

  work(over: () => boolean): boolean {
    return this.index === undefined || this.capture === undefined || this.index.advance(this.capture.to, over);
  }

  drop(rows: number): void {
    this.index?.drop(rows);
  }

  show(): void {
    this.shown();
  }

  /** The row of a stable number; undefined when it is gone. */
  rowOf(number: number): number | undefined {
    const row = number - (this.capture?.dropped ?? 0);
    return this.capture && row >= 0 && row < this.capture.reader.count ? row : undefined;
  }

  numberOf(row: number): number {
    return row + (this.capture?.dropped ?? 0);
  }

  groups(of = ALL): { readonly groups: readonly Group[]; readonly left: number } {
    if (!this.index) return { groups: [], left: 0 };
    const groups = this.index.groups.groups(of, MOST_GROUPS_SHOWN);
    return { groups, left: this.index.groups.group(of).groups - groups.length };
  }

  pathOf(group: number): string {
    return this.index?.groups.path(group) ?? '';
  }

  groupFacts(id: number): Group | undefined {
    return this.index?.groups.group(id);
  }

  /** Of a group, or all by time. */
  rows(of = ALL): RowList {
    const { index } = this;
    if (!index) return { rows: [], newer: 0, older: 0 };
    const most = (this.stands ? WINDOW : LIVE_WINDOW) + (this.more.get(of) ?? 0);
    if (this.kind !== 'time') {
      const { own } = index.groups.group(of);
      const rows = index.groups.newest(of, most);
      return { rows: rows.map((row) => this.numberOf(row)), newer: 0, older: own - rows.length };
    }
    const anchor = this.anchor === undefined ? undefined : this.rowOf(this.anchor);
    const newerThan = anchor === undefined ? -1 : index.newerThan(anchor);
    const newer = newerThan < 0 ? 0 : Math.max(0, newerThan - (most >> 1));
    const rows = index.newest(most, newer);
    return { rows: rows.map((row) => this.numberOf(row)), newer, older: index.count - newer - rows.length };
  }

  /** Nothing moves: there is time to show more. */
  private get stands(): boolean {
    return this.capture === undefined || this.capture.paused || this.capture.phase === 'ended';
  }

  showMore(of: number): void {
    this.more.set(of, (this.more.get(of) ?? 0) + WINDOW);
  }

  showNewest(): void {
    this.anchor = undefined;
    this.more.clear();
  }

  /** Those that wait for their reply, the oldest first: of a share at work only when they do so for a while. */
  waiting(now: bigint): readonly number[] {
    const { index, capture } = this;
    if (!index || !capture) return [];
    const { reader } = capture;
    const rows = index.inFlight(MOST_WAITING);
    const since = Number(now - reader.origin) - WAITING_MS * 1e6;
    const long = capture.phase === 'live' ? rows.filter((row) => reader.columns.start[row] < since) : rows;
    return long.map((row) => this.numberOf(row));
  }

  /** By time, around this row. False: it is gone, or does not pass the filter. */
  turnTo(number: number): boolean {
    const row = this.rowOf(number);
    if (row === undefined || !this.index || this.index.newerThan(row) < 0) return false;
    this.group('time');
    this.anchor = number;
    return true;
  }

  nextError(after: number | undefined, forward: boolean): number | undefined {
    const from = after === undefined ? (forward ? -1 : Infinity) : after - (this.capture?.dropped ?? 0);
    const row = this.index?.nextError(from, forward);
    return row === undefined ? undefined : this.numberOf(row);
  }
}
