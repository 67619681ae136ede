/**
 * Two captures side by side: counts, errors and latency by opcode, requests that only one of them has, and where their
 * sequences part.
 *
 * Requests are the same when they ask the same of the same path (requestKeys.ts). Sequences are compared within a
 * queue, or within a process, the n-th process of one with the n-th of the other, since process ids differ between
 * runs. Says what is there as data; the wording is compareText.ts's.
 */
import type { Capture } from './capture';
import { isOrphan } from './line';
import { requestKeys, SharedPaths } from './requestKeys';

export interface OpcodeSide {
  readonly count: number;
  readonly errors: number;
  /** Nanoseconds; NaN without replies. */
  readonly p50: number;
  readonly p95: number;
}

export interface OpcodeComparison {
  readonly opcode: number;
  readonly a: OpcodeSide;
  readonly b: OpcodeSide;
}

/** A request that one capture has and the other has not. */
export interface OnlyIn {
  /** The first row that asks it. */
  readonly row: number;
  readonly count: number;
}

export interface Divergence {
  /** Of queue or process: its number in each capture; undefined: it has fewer processes. */
  readonly group: readonly [a: number | undefined, b: number | undefined];
  /** How many requests were the same before it. */
  readonly same: number;
  /** The rows from where they part; empty where a capture has ended. */
  readonly rows: readonly [a: readonly number[], b: readonly number[]];
  /** The last rows that were the same, in each. */
  readonly before: readonly [a: readonly number[], b: readonly number[]];
}

export interface Comparison {
  readonly opcodes: readonly OpcodeComparison[];
  readonly onlyInA: readonly OnlyIn[];
  readonly onlyInB: readonly OnlyIn[];
  /** How many different ones there are; the lists hold the most frequent. */
  readonly kindsOnlyInA: number;
  readonly kindsOnlyInB: number;
  readonly divergence: Divergence | undefined;
}

export interface CompareOptions {
  readonly by: 'queue' | 'process';
  /** How many rows of context, and how many requests that only one has. */
  readonly context: number;
  readonly most: number;
}

export function compareCaptures(a: Capture, b: Capture, options: CompareOptions): Comparison {
  const paths = new SharedPaths();
  const keys = [requestKeys(a, paths), requestKeys(b, paths)] as const;
  const onlyA = onlyIn(keys[0], keys[1], options.most);
  const onlyB = onlyIn(keys[1], keys[0], options.most);
  return {
    opcodes: byOpcode(a, b),
    onlyInA: onlyA.list,
    onlyInB: onlyB.list,
    kindsOnlyInA: onlyA.kinds,
    kindsOnlyInB: onlyB.kinds,
    divergence: firstDivergence([a, b], keys, options),
  };
}

function byOpcode(a: Capture, b: Capture): OpcodeComparison[] {
  const left = sides(a);
  const right = sides(b);
  const none: OpcodeSide = { count: 0, errors: 0, p50: NaN, p95: NaN };
  return [...new Set([...left.keys(), ...right.keys()])]
    .map((opcode) => ({ opcode, a: left.get(opcode) ?? none, b: right.get(opcode) ?? none }))
    .sort((one, two) => two.a.count + two.b.count - one.a.count - one.b.count || one.opcode - two.opcode);
}

function sides(capture: Capture): Map<number, OpcodeSide> {
  const { opcode, latency, error } = capture.columns;
  const counts = new Map<number, number>();
  for (let row = 0; row < capture.count; row++) {
    if (!isOrphan(capture, row)) counts.set(opcode[row], (counts.get(opcode[row]) ?? 0) + 1);
  }
  const gathered = new Map<number, { times: Float64Array; answered: number; errors: number }>();
  for (const [number, count] of counts) {
    gathered.set(number, { times: new Float64Array(count), answered: 0, errors: 0 });
  }
  for (let row = 0; row < capture.count; row++) {
    const into = isOrphan(capture, row) ? undefined : gathered.get(opcode[row]);
    if (!into) continue;
    if (error[row] < 0) into.errors++;
    if (!Number.isNaN(latency[row])) into.times[into.answered++] = latency[row];
  }
  return new Map(
    [...gathered].map(([number, { times, answered, errors }]) => {
      const sorted = times.subarray(0, answered).sort();
      const at = (part: number): number =>
        answered === 0 ? NaN : sorted[Math.max(0, Math.ceil(part * answered - 1e-9) - 1)];
      return [number, { count: counts.get(number) ?? 0, errors, p50: at(0.5), p95: at(0.95) }];
    }),
  );
}

function onlyIn(keys: Float64Array, others: Float64Array, most: number): { list: OnlyIn[]; kinds: number } {
  const known = others.slice().sort();
  const counts = new Map<number, { row: number; count: number }>();
  for (let row = 0; row < keys.length; row++) {
    const key = keys[row];
    const seen = counts.get(key);
    if (seen) seen.count++;
    else if (!Number.isNaN(key) && !has(known, key)) counts.set(key, { row, count: 1 });
  }
  const list = [...counts.values()].sort((a, b) => b.count - a.count || a.row - b.row).slice(0, most);
  return { list, kinds: counts.size };
}

function has(sorted: Float64Array, key: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    // NaN sorts last.
    if (sorted[middle] < key) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === key;
}

type Pair<T> = readonly [a: T, b: T];

/** The divergence that comes first in time in A, of all queues or processes. */
function firstDivergence(
  captures: Pair<Capture>,
  keys: Pair<Float64Array>,
  { by, context }: CompareOptions,
): Divergence | undefined {
  const [a, b] = captures.map((capture) => sequences(capture, by));
  const names =
    by === 'queue' ? [...new Set([...a.keys(), ...b.keys()])].map((queue) => [queue, queue] as const) : undefined;
  const [left, right] = [[...a.keys()], [...b.keys()]];
  const pairs: (readonly [number | undefined, number | undefined])[] =
    names ?? Array.from({ length: Math.max(a.size, b.size) }, (_, i) => [left[i], right[i]]);
  let first: Divergence | undefined;
  let firstAt = Infinity;
  for (const [one, other] of pairs) {
    const sequence: Pair<Uint32Array> = [rowsOf(a, one), rowsOf(b, other)];
    const same = sameLength(sequence, keys);
    if (same === sequence[0].length && same === sequence[1].length) continue;
    const at = timeAt(captures, sequence, same);
    if (at >= firstAt) continue;
    firstAt = at;
    const cut = (from: number, to: number): Pair<number[]> => [
      [...sequence[0].subarray(from, to)],
      [...sequence[1].subarray(from, to)],
    ];
    first = {
      group: [one, other],
      same,
      before: cut(Math.max(0, same - context), same),
      rows: cut(same, same + context),
    };
  }
  return first;
}

const rowsOf = (all: ReadonlyMap<number, Uint32Array>, group: number | undefined): Uint32Array =>
  (group === undefined ? undefined : all.get(group)) ?? new Uint32Array(0);

function timeAt([a, b]: Pair<Capture>, [left, right]: Pair<Uint32Array>, place: number): number {
  return place < left.length ? a.columns.start[left[place]] : b.columns.start[right[place]];
}

function sameLength([left, right]: Pair<Uint32Array>, [a, b]: Pair<Float64Array>): number {
  const most = Math.min(left.length, right.length);
  let place = 0;
  while (place < most && a[left[place]] === b[right[place]]) place++;
  return place;
}

/** Rows by queue or process, in the order of the capture; groups in that of their first rows. */
function sequences(capture: Capture, by: 'queue' | 'process'): Map<number, Uint32Array> {
  const group = by === 'queue' ? capture.columns.queue : capture.columns.pid;
  const counts = new Map<number, number>();
  for (let row = 0; row < capture.count; row++) {
    if (!isOrphan(capture, row)) counts.set(group[row], (counts.get(group[row]) ?? 0) + 1);
  }
  const result = new Map<number, Uint32Array>();
  for (const [name, count] of counts) result.set(name, new Uint32Array(count));
  const filled = new Map<number, number>();
  for (let row = 0; row < capture.count; row++) {
    if (isOrphan(capture, row)) continue;
    const place = filled.get(group[row]) ?? 0;
    const into = result.get(group[row]);
    if (into) into[place] = row;
    filled.set(group[row], place + 1);
  }
  return result;
}
