/** Statistics as a table for a person, and as JSON lines for programs (durations in nanoseconds). */
import { quote } from '../protocol/text';
import { sizeText } from './sizeText';
import type { GroupBy, GroupRow } from './statistics';
import { alignColumns } from './textTable';
import { printDuration } from './times';

export function statisticsTable(rows: readonly GroupRow[], by: GroupBy): string[] {
  const time = (value: number | undefined): string => printDuration(value ?? NaN);
  const cells = rows.map((row) => [
    by === 'path' && row.key !== 0 ? quote(row.name) : row.name,
    String(row.count),
    String(row.errors),
    row.bytes === 0 ? '0' : sizeText(row.bytes),
    time(row.p50),
    time(row.p95),
    time(row.p99),
    time(row.max),
  ]);
  return alignColumns([[by, 'count', 'errors', 'bytes', 'p50', 'p95', 'p99', 'max'], ...cells]);
}

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
