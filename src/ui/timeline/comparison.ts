/** Two captures compared, in the words that a timeline shows. Pure. */
import type { ComparisonView, OnlyView } from '../../control/timeline';
import type { Capture } from '../../trace/capture';
import { compareCaptures, type OnlyIn } from '../../trace/compare';
import { opcodeName, whatOf } from '../../trace/line';

export function comparisonOf(a: Capture, b: Capture): ComparisonView {
  const comparison = compareCaptures(a, b, { by: 'queue', context: 3, most: 50 });
  const only = (capture: Capture, { row, count }: OnlyIn): OnlyView => ({ row, count, line: whatOf(capture, row) });
  const rows = (capture: Capture, list: readonly number[]): OnlyView[] =>
    list.map((row) => only(capture, { row, count: 1 }));
  const { divergence } = comparison;
  return {
    opcodes: comparison.opcodes.map(({ opcode, a: one, b: other }) => ({
      opcode: opcodeName(opcode),
      counts: [one.count, other.count],
      errors: [one.errors, other.errors],
      p50: [one.p50, other.p50],
      p95: [one.p95, other.p95],
    })),
    only: [comparison.onlyInA.map((each) => only(a, each)), comparison.onlyInB.map((each) => only(b, each))],
    kinds: [comparison.kindsOnlyInA, comparison.kindsOnlyInB],
    divergence: divergence && {
      queues: [divergence.group[0] ?? 0, divergence.group[1] ?? 0],
      same: divergence.same,
      rows: [rows(a, divergence.rows[0]), rows(b, divergence.rows[1])],
    },
  };
}
