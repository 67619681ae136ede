/**
 * Counts, errors, how many of those are failures, percentiles and histograms of latency by opcode, over the rows that
 * are shown.
 */
import { isFailed } from '../../../trace/expectedErrors';
import type { Rows } from './rows';

export interface OpcodeFigures {
  readonly opcode: number;
  readonly count: number;
  readonly errors: number;
  /** Errors that guests do not expect. */
  readonly failed: number;
  /** Nanoseconds; NaN without a reply. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  /** All latencies together. */
  readonly total: number;
  /** Ascending. */
  readonly latencies: Float32Array;
}

/** Nearest rank. */
export function percentile(sorted: Float32Array, part: number): number {
  if (sorted.length === 0) return NaN;
  return sorted[Math.max(0, Math.ceil(part * sorted.length - 1e-9) - 1)];
}

/** The busiest opcode first. `list` undefined: all rows. */
export function figuresOf(rows: Rows, list: Uint32Array | undefined): OpcodeFigures[] {
  const { opcode, latency, error } = rows.columns;
  const shown = list ? list.length : rows.count;
  const counts = new Uint32Array(0x10000);
  for (let i = 0; i < shown; i++) counts[opcode[list ? list[i] : i]]++;
  const open = new Map<
    number,
    { latencies: Float32Array; answered: number; errors: number; failed: number; total: number }
  >();
  counts.forEach((count, number) => {
    if (count > 0)
      open.set(number, { latencies: new Float32Array(count), answered: 0, errors: 0, failed: 0, total: 0 });
  });
  const byNumber = Array.from({ length: 64 }, (_, number) => open.get(number));
  for (let i = 0; i < shown; i++) {
    const row = list ? list[i] : i;
    const number = opcode[row];
    const into = number < 64 ? byNumber[number] : open.get(number);
    if (!into) continue;
    if (error[row] < 0) into.errors++;
    if (isFailed(rows.columns, row)) into.failed++;
    const time = latency[row];
    if (time >= 0) {
      into.latencies[into.answered++] = time;
      into.total += time;
    }
  }
  return [...open]
    .map(([number, { latencies, answered, errors, failed, total }]) => {
      const sorted = latencies.subarray(0, answered).sort();
      return {
        opcode: number,
        count: counts[number],
        errors,
        failed,
        p50: percentile(sorted, 0.5),
        p95: percentile(sorted, 0.95),
        p99: percentile(sorted, 0.99),
        max: percentile(sorted, 1),
        total,
        latencies: sorted,
      };
    })
    .sort((a, b) => b.count - a.count || a.opcode - b.opcode);
}

export interface Histogram {
  /** Lower ends of the buckets, nanoseconds; one more than there are counts. */
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/** Buckets in which each is `2^(1/perDoubling)` times as wide as the one before. */
export function histogramOf(sorted: Float32Array, perDoubling = 4): Histogram {
  if (sorted.length === 0) return { edges: [], counts: [] };
  const bucket = (value: number): number => Math.floor(Math.log2(Math.max(1, value)) * perDoubling + 1e-6);
  const first = bucket(sorted[0]);
  const last = bucket(sorted[sorted.length - 1]);
  const counts = new Array<number>(last - first + 1).fill(0);
  for (let i = 0; i < sorted.length; i++) counts[bucket(sorted[i]) - first]++;
  const edges = Array.from({ length: counts.length + 1 }, (_, i) => 2 ** ((first + i) / perDoubling));
  return { edges, counts };
}

/** So many buckets at least, so that few latencies are not shown as if they were far apart. */
const LEAST_BUCKETS = 12;

/** The same with empty buckets on both sides: what is drawn of it, each bucket with its part of the axis. */
export function withRoom({ edges, counts }: Histogram, perDoubling = 4): Histogram {
  const beside = Math.max(1, Math.ceil((LEAST_BUCKETS - counts.length) / 2));
  const empty = new Array<number>(beside).fill(0);
  const wider = Array.from(
    { length: edges.length + 2 * beside },
    (_, i) => edges[0] * 2 ** ((i - beside) / perDoubling),
  );
  return { edges: wider, counts: [...empty, ...counts, ...empty] };
}
