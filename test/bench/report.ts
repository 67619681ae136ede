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

export function table(rows: readonly (readonly string[])[]): string[] {
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

/** Above this the machine was too busy with other things for the row to mean much. */
const TOO_BUSY = 0.1;

function depthTables(
  rows: readonly RowResult[],
  depth: number,
  kinds: readonly DaemonKind[],
  limits: Limits,
): string[] {
  const here = rows.filter((row) => row.depth === depth);
  const cells = (row: RowResult, of: (f: Figures) => number): string[] =>
    kinds.map((kind) => {
      const figures = row.figures[kind];
      return number(figures && of(figures));
    });
  const each = (title: string): string[] => kinds.map((kind) => `${NAMES[kind]} ${title}`.trim());
  const limited = depth === 1 && limits.size > 0;
  const times = here.map((row) => [
    row.disturbed > TOO_BUSY ? `${row.name} *` : row.name,
    ...cells(row, (f) => f.microseconds),
    number(ratio(row)),
    ...(limited ? [number(limits.get(row.name))] : []),
  ]);
  const costs = here.map((row) => [
    row.name,
    ...cells(row, (f) => f.cpuMicroseconds),
    ...cells(row, (f) => f.kicks),
    ...cells(row, (f) => f.calls),
  ]);
  const mean = meanRatio(rows, depth);
  const where = depth === 1 ? 'front-end and daemon on one CPU' : 'one CPU each';
  return [
    `depth ${depth} (${where}): microseconds per operation`,
    ...table([['operation', ...each(''), 'ratio', ...(limited ? ['direct'] : [])], ...times]),
    ...(mean === undefined ? [] : [`geometric mean of ours against the better peer: ${mean.toFixed(3)}`]),
    ...(here.some((row) => row.disturbed > TOO_BUSY) ? ['* other programs were at work: not to be relied on'] : []),
    '',
    `depth ${depth}: daemon CPU microseconds, kicks and calls per operation`,
    ...table([['operation', ...each('CPU'), ...each('kicks'), ...each('calls')], ...costs]),
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
  return [...depths.flatMap((depth) => depthTables(rows, depth, kinds, limits)), ...memory, ''].join('\n');
}

/** What the tables come to, one row a depth. */
export function brief(rows: readonly RowResult[]): string {
  const depths = [...new Set(rows.map((row) => row.depth))].flatMap((depth) => {
    const ratios = rows.flatMap((row) => (row.depth === depth ? (ratio(row) ?? []) : []));
    if (ratios.length === 0) return [];
    const extremes = [Math.min(...ratios), Math.max(...ratios)].map((figure) => figure.toFixed(2));
    return [[`${depth}`, geometricMean(ratios).toFixed(3), ...extremes]];
  });
  if (depths.length === 0) return '';
  return table([['requests in flight', 'time against the better peer', 'best row', 'worst row'], ...depths]).join('\n');
}

/** README has longer tables folded away. */
const MOST_LINES = 12;

/** README's text with one benchmark section made anew. Throws where the section's marks are missing. */
export function withBenchmark(
  readme: string,
  part: string,
  about: string,
  { text, brief = '' }: { readonly text: string; readonly brief?: string },
): string {
  const [begin, end] = ['begin', 'end'].map((mark) => `<!-- bench ${part}: ${mark} -->`);
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  if (from < 0 || to < from) throw new Error(`no ${begin} ... ${end}`);
  const block = (lines: string): string[] => ['```text', lines.trimEnd(), '```', ''];
  const long = text.trimEnd().split('\n').length > MOST_LINES;
  const folded = ['<details>', `<summary>The tables of ${part}</summary>`, '', ...block(text), '</details>', ''];
  const tables = long ? folded : block(text);
  const section = [begin, '', about, '', ...(brief === '' ? [] : block(brief)), ...tables, end].join('\n');
  return readme.slice(0, from) + section + readme.slice(to + end.length);
}
