/** A comparison of two captures, for a person (lines) and for programs (JSON). */
import type { Capture } from './capture';
import type { Comparison, Divergence, OnlyIn } from './compare';
import { opcodeName, whatOf } from './line';
import { alignColumns } from './textTable';
import { printDuration } from './times';

type Pair<T> = readonly [a: T, b: T];

export function comparisonText(
  captures: Pair<Capture>,
  names: Pair<string>,
  comparison: Comparison,
  by: 'queue' | 'process',
): string[] {
  const lines = [`A: ${names[0]}`, `B: ${names[1]}`, '', ...opcodeTable(comparison), ''];
  const sides = [
    ['A', captures[0], comparison.onlyInA, comparison.kindsOnlyInA],
    ['B', captures[1], comparison.onlyInB, comparison.kindsOnlyInB],
  ] as const;
  for (const [side, capture, list, kinds] of sides) {
    lines.push(kinds === 0 ? `Every request of ${side} is in the other one too.` : `Only in ${side}:`);
    for (const { row, count } of list) lines.push(`  ${count} ×  ${whatOf(capture, row)}`);
    if (kinds > list.length) lines.push(`  … and ${kinds - list.length} others`);
    lines.push('');
  }
  return [...lines, ...divergenceText(captures, comparison.divergence, by)];
}

function opcodeTable({ opcodes }: Comparison): string[] {
  const ratio = (a: number, b: number): string => (a > 0 && b > 0 ? `×${(b / a).toFixed(2)}` : '–');
  return alignColumns([
    ['opcode', 'A', 'B', 'B/A', 'errors A', 'B', 'p50 A', 'B', 'B/A', 'p95 A', 'B', 'B/A'],
    ...opcodes.map(({ opcode, a, b }) => [
      opcodeName(opcode),
      `${a.count}`,
      `${b.count}`,
      ratio(a.count, b.count),
      `${a.errors}`,
      `${b.errors}`,
      printDuration(a.p50),
      printDuration(b.p50),
      ratio(a.p50, b.p50),
      printDuration(a.p95),
      printDuration(b.p95),
      ratio(a.p95, b.p95),
    ]),
  ]);
}

function divergenceText(
  captures: Pair<Capture>,
  divergence: Divergence | undefined,
  by: 'queue' | 'process',
): string[] {
  if (divergence === undefined) return [`Both ask the same in the same order (by ${by}).`];
  const { group, same, before, rows } = divergence;
  const process = (side: 0 | 1): string => `${group[side] ?? 'none'} of ${side === 0 ? 'A' : 'B'}`;
  const where = by === 'queue' ? `on queue ${group[0]}` : `in process ${process(0)}, ${process(1)}`;
  const lines = [`They part ${where}, after ${same} requests that are the same:`];
  for (const row of before[0]) lines.push(`    ${whatOf(captures[0], row)}`);
  for (const side of [0, 1] as const) {
    const mark = side === 0 ? 'A' : 'B';
    if (rows[side].length === 0) lines.push(`  ${mark} (ends here)`);
    for (const row of rows[side]) lines.push(`  ${mark} ${whatOf(captures[side], row)}`);
  }
  return lines;
}

/** The same as data; durations in nanoseconds, null where there are none. */
export function comparisonJson(captures: Pair<Capture>, names: Pair<string>, comparison: Comparison): string {
  const request = (side: 0 | 1, row: number): object => ({ row, request: whatOf(captures[side], row) });
  const list = (side: 0 | 1, all: readonly OnlyIn[]): object[] =>
    all.map(({ row, count }) => ({ ...request(side, row), count }));
  const { opcodes, divergence } = comparison;
  return JSON.stringify(
    {
      a: names[0],
      b: names[1],
      opcodes: opcodes.map(({ opcode, a, b }) => ({ opcode: opcodeName(opcode), a, b })),
      onlyInA: { kinds: comparison.kindsOnlyInA, requests: list(0, comparison.onlyInA) },
      onlyInB: { kinds: comparison.kindsOnlyInB, requests: list(1, comparison.onlyInB) },
      divergence: divergence && {
        group: divergence.group,
        same: divergence.same,
        a: divergence.rows[0].map((row) => request(0, row)),
        b: divergence.rows[1].map((row) => request(1, row)),
      },
    },
    (_name, value: unknown) => (typeof value === 'number' && Number.isNaN(value) ? null : (value ?? null)),
    2,
  );
}
