/**
 * The columns of a capture as the timeline has them so far. They grow to what is known to come, or by doubling; nothing
 * is kept for each request.
 */
import { claimsRows, emptyRows, unpackInto, unpackRows, type RowColumns } from '../../../control/timelineRows';
import { DROPPED, RowFlag } from '../../../trace/capture';

const FIRST_ROWS = 4096;
/** Rows that there is room for before they have come. */
const MOST_AHEAD = 1 << 22;
/** Which part of the time a pause after the first rows has to take for them not to be shown at first. */
const LONELY = 0.8;

const names = Object.keys(emptyRows(0)) as (keyof RowColumns)[];

export class Rows {
  count = 0;
  columns = emptyRows(FIRST_ROWS);
  /** The last moment that is known of, nanoseconds after the origin. */
  end = 0;
  begin = Infinity;
  private room = FIRST_ROWS;

  /** Rows from `from` on, of at least `all`; false when they do not follow those that are here. */
  append(from: number, count: number, buffer: ArrayBuffer, all = 0): boolean {
    if (from !== this.count || !claimsRows(buffer, count)) return false;
    this.makeRoom(from + count, all);
    if (!unpackInto(this.columns, from, buffer, count)) return false;
    this.count += count;
    this.extend(from, this.count);
    return true;
  }

  /** New values of rows that are here. */
  change(rows: Uint32Array, buffer: ArrayBuffer): boolean {
    const fresh = unpackRows(buffer, rows.length);
    if (!fresh) return false;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i];
      if (row >= this.count) continue;
      for (const name of names) this.columns[name][row] = fresh[name][i];
      this.extend(row, row + 1);
    }
    return true;
  }

  private extend(from: number, to: number): void {
    const { start, latency } = this.columns;
    let { begin, end } = this;
    for (let row = from; row < to; row++) {
      const at = start[row];
      const until = latency[row] >= 0 ? at + latency[row] : at;
      if (at < begin) begin = at;
      if (until > end) end = until;
    }
    this.begin = begin;
    this.end = end;
  }

  private makeRoom(rows: number, all: number): void {
    if (rows <= this.room) return;
    while (this.room < rows) this.room *= 2;
    this.room = Math.max(this.room, Math.min(all, MOST_AHEAD));
    const larger = emptyRows(this.room);
    for (const name of names) larger[name].set(this.columns[name].subarray(0, this.count));
    this.columns = larger;
  }

  /** Wanted a reply and has none so far. */
  inFlight(row: number): boolean {
    return (this.columns.flags[row] & (RowFlag.REPLIED | RowFlag.SILENT | RowFlag.ORPHAN)) === 0;
  }

  /** What there is instead of its reply; '' where it has one, or wants none. */
  missing(row: number): string {
    if ((this.columns.flags[row] & RowFlag.DROPPED) !== 0) return DROPPED;
    return this.inFlight(row) ? 'in flight' : '';
  }

  /** When it was over; of one in flight the end of what is known, of one without a reply its start. */
  until(row: number): number {
    const { start, latency } = this.columns;
    if (latency[row] >= 0) return start[row] + latency[row];
    return this.inFlight(row) ? Math.max(this.end, start[row]) : start[row];
  }
}

/**
 * The range to show at first: everything, but without a lonely beginning (INIT, long before a capture that began
 * later).
 */
export function usefulRange(rows: Rows): [from: number, to: number] {
  if (rows.count === 0) return [0, 1e6];
  const { start } = rows.columns;
  let from = rows.begin;
  const few = Math.min(rows.count - 1, 4);
  for (let row = 0; row < few; row++) {
    if (start[row + 1] - start[row] > (rows.end - from) * LONELY) {
      from = start[row + 1];
      break;
    }
  }
  return [from, Math.max(rows.end, from + 1000)];
}
