/**
 * Counts, errors, bytes and latency over any choice of rows, by opcode, path or process.
 *
 * Percentiles are exact: the latencies of all rows are sorted, group by group, in one array. Groups are integers while
 * rows are walked; their names are made at the end.
 */
import { opcodeByNumber } from '../protocol/fuse/opcodes';
import { notificationName } from '../protocol/message';
import { type Capture, RowFlag } from './capture';
import { roomFor } from './columnArray';
import { PairMap } from './pairMap';

export type GroupBy = 'opcode' | 'path' | 'process';

export interface GroupRow {
  /** Opcode number, index of the path, or pid. Notifications: their code, negated. */
  readonly key: number;
  /** What it is called. */
  readonly name: string;
  readonly count: number;
  readonly errors: number;
  /** Data read and written. */
  readonly bytes: number;
  /** Nanoseconds; undefined for a group without a reply. */
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly p99: number | undefined;
  readonly max: number | undefined;
  /** Sum of the latencies, nanoseconds. */
  readonly total: number;
}

/** Which rows: their numbers, or all. */
export type Rows = ArrayLike<number> | undefined;

/** The value below which the fraction `part` of a sorted list lies (nearest rank). */
export function percentile(sorted: Float64Array, part: number): number | undefined {
  // In doubles 0.07 × 100 is a little more than 7.
  const rank = Math.ceil(part * sorted.length - 1e-9);
  return sorted.length === 0 ? undefined : sorted[Math.max(0, rank - 1)];
}

/** What an opcode is called, also one that means nothing. */
export const opcodeName = (number: number): string => opcodeByNumber(number)?.name ?? `opcode ${number}`;

class Groups {
  readonly index = new PairMap();
  keys = new Float64Array(64);
  counts = new Uint32Array(64);
  errors = new Uint32Array(64);
  bytes = new Float64Array(64);
  /** How many have a latency. */
  timed = new Uint32Array(64);
  count = 0;

  of(key: number): number {
    const known = this.index.get(key, 0);
    if (known >= 0) return known;
    const group = this.count++;
    this.index.set(key, 0, group);
    this.keys = roomFor(this.keys, this.count);
    this.counts = roomFor(this.counts, this.count);
    this.errors = roomFor(this.errors, this.count);
    this.bytes = roomFor(this.bytes, this.count);
    this.timed = roomFor(this.timed, this.count);
    this.keys[group] = key;
    return group;
  }
}

/** The busiest group first. */
export function statistics(capture: Capture, rows: Rows, by: GroupBy): GroupRow[] {
  const { latency, error, payload } = capture.columns;
  const keyOf = keys(capture, by);
  const count = rows ? rows.length : capture.count;
  const groups = new Groups();
  const groupOf = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const row = rows ? rows[i] : i;
    const group = groups.of(keyOf(row));
    groupOf[i] = group;
    groups.counts[group]++;
    if (error[row] < 0) groups.errors[group]++;
    groups.bytes[group] += payload[row];
    if (!Number.isNaN(latency[row])) groups.timed[group]++;
  }
  const ends = new Uint32Array(groups.count);
  let all = 0;
  for (let group = 0; group < groups.count; group++) {
    ends[group] = all;
    all += groups.timed[group];
  }
  const sorted = new Float64Array(all);
  for (let i = 0; i < count; i++) {
    const time = latency[rows ? rows[i] : i];
    if (!Number.isNaN(time)) sorted[ends[groupOf[i]]++] = time;
  }
  const name = names(capture, by);
  return Array.from({ length: groups.count }, (_, group) => {
    const times = sorted.subarray(ends[group] - groups.timed[group], ends[group]).sort();
    let total = 0;
    for (const time of times) total += time;
    return {
      key: groups.keys[group],
      name: name(groups.keys[group]),
      count: groups.counts[group],
      errors: groups.errors[group],
      bytes: groups.bytes[group],
      p50: percentile(times, 0.5),
      p95: percentile(times, 0.95),
      p99: percentile(times, 0.99),
      max: percentile(times, 1),
      total,
    };
  }).sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}

function keys(capture: Capture, by: GroupBy): (row: number) => number {
  const { opcode, path, pid, error, flags } = capture.columns;
  if (by === 'path') return (row) => path[row];
  if (by === 'process') return (row) => pid[row];
  return (row) => ((flags[row] & RowFlag.ORPHAN) !== 0 && error[row] > 0 ? -error[row] : opcode[row]);
}

function names(capture: Capture, by: GroupBy): (key: number) => string {
  if (by === 'path') return (key) => capture.path(key) || '(unknown)';
  if (by === 'process') return String;
  return (key) => {
    if (key < 0) return `NOTIFY_${notificationName(-key)}`;
    return key === 0 ? '(reply without a request)' : opcodeName(key);
  };
}
