/**
 * The bench's results as text: a table per depth, ratios against the better peer, geometric means.
 */
import type { DaemonKind } from '../driver/daemons';
import { geometricMean, median } from './measure';
import type { Figures, RowResult } from './measurement';

export interface ProcessFigures {
  readonly kind: DaemonKind;
  readonly startMilliseconds: readonly number[];
  readonly residentBytes: number;
}

const PEERS: readonly DaemonKind[] = ['rust', 'c'];
const NAMES: Readonly<Record<DaemonKind, string>> = { ours: 'ours', rust: 'Rust', c: 'C' };

/** Ours against the better of the peers; undefined where one side was not measured. */
export function ratio(row: RowResult): number | undefined {
  const ours = row.figures.ours?.microseconds;
  const peers = PEERS.flatMap((kind) => row.figures[kind]?.microseconds ?? []);
  return ours !== undefined && peers.length > 0 ? ours / Math.min(...peers) : undefined;
}

const number = (value: number | undefined): string => {
  if (value === undefined) return '–';
  if (value >= 1000) return value.toFixed(0);
  return value >= 100 ? value.toFixed(1) : value.toFixed(2);
};

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  '),
  );
}

/** Geometric mean of a depth's ratios. */
export function meanRatio(rows: readonly RowResult[], depth: number): number | undefined {
  const ratios = rows.filter((row) => row.depth === depth).flatMap((row) => ratio(row) ?? []);
  return ratios.length > 0 ? geometricMean(ratios) : undefined;
}

function depthTable(rows: readonly RowResult[], depth: number, kinds: readonly DaemonKind[], limits: Limits): string[] {
  const each = (title: string): string[] => kinds.map((kind) => `${NAMES[kind]} ${title}`.trim());
  const limited = depth === 1 && limits.size > 0;
  const head = ['operation', ...each('µs'), 'ratio', ...each('CPU µs'), ...each('kicks'), ...each('calls')];
  if (limited) head.push('direct µs');
  const body = rows
    .filter((row) => row.depth === depth)
    .map((row) => {
      const cells = (of: (f: Figures) => number): string[] =>
        kinds.map((kind) => {
          const figures = row.figures[kind];
          return number(figures && of(figures));
        });
      const line = [
        row.name,
        ...cells((f) => f.microseconds),
        number(ratio(row)),
        ...cells((f) => f.cpuMicroseconds),
        ...cells((f) => f.kicks),
        ...cells((f) => f.calls),
      ];
      if (limited) line.push(number(limits.get(row.name)));
      return line;
    });
  const mean = meanRatio(rows, depth);
  const where = depth === 1 ? 'front-end and daemon on one CPU' : 'one CPU each';
  return [
    `depth ${depth} (${where}); per operation`,
    ...table([head, ...body]),
    ...(mean === undefined ? [] : [`geometric mean of ours against the better peer: ${mean.toFixed(3)}`]),
    '',
  ];
}

/** Microseconds per operation of the same work as direct system calls, by row name. */
export type Limits = ReadonlyMap<string, number>;

export function report(rows: readonly RowResult[], processes: readonly ProcessFigures[], limits: Limits): string {
  const depths = [...new Set(rows.map((row) => row.depth))];
  const kinds = processes.map((process) => process.kind);
  const memory = table([
    ['process', 'resident MB', 'start to listening ms'],
    ...processes.map((p) => [
      NAMES[p.kind],
      (p.residentBytes / 1e6).toFixed(1),
      p.startMilliseconds.length > 0 ? median(p.startMilliseconds).toFixed(0) : '–',
    ]),
  ]);
  return [...depths.flatMap((depth) => depthTable(rows, depth, kinds, limits)), ...memory, ''].join('\n');
}
