/** Statistics as a table for a person, and as JSON lines for programs (durations in nanoseconds). */
import { printSize } from '../protocol/print';
import { quote } from '../protocol/text';
import type { GroupBy, GroupRow } from './statistics';
import { alignColumns } from './textTable';
import { printDuration } from './times';

export function statisticsTable(rows: readonly GroupRow[], by: GroupBy): string[] {
  const time = (value: number | undefined): string => printDuration(value ?? NaN);
  const cells = rows.map((row) => [
    by === 'path' && row.key !== 0 ? quote(row.name) : row.name,
    String(row.count),
    String(row.errors),
    printBytes(row.bytes),
    time(row.p50),
    time(row.p95),
    time(row.p99),
    time(row.max),
  ]);
  return alignColumns([[by, 'count', 'errors', 'bytes', 'p50', 'p95', 'p99', 'max'], ...cells]);
}

/** Exact below 10 KiB, else with three digits. */
export function printBytes(bytes: number): string {
  if (bytes < 10 * 1024) return printSize(bytes);
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)}${UNITS[unit]}`;
}

const UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E'];

export function statisticsJson(rows: readonly GroupRow[], by: GroupBy): string[] {
  return rows.map(({ key, name, count, errors, bytes, p50, p95, p99, max, total }) =>
    JSON.stringify({
      kind: 'statistics',
      [by]: by === 'process' ? key : name,
      count,
      errors,
      bytes,
      p50: p50 ?? null,
      p95: p95 ?? null,
      p99: p99 ?? null,
      max: max ?? null,
      total,
    }),
  );
}
