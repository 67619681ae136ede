/**
 * A filter after checking: every name resolved, every literal a number in the field's own unit. What bind.ts runs.
 *
 * A value that a row does not have makes every test of it false, `!=` and `not in` too; only `!` around turns that.
 */
import type { Machine } from '../../protocol/machine';
import type { CompareOperator } from './ast';
import type { Field } from './fields';

/** A wall-clock time: nanoseconds since the epoch, or since midnight (UTC) of the day on which the capture began. */
export interface Wall {
  wall: bigint;
  ofDay: boolean;
}

/** A double where that is exact, else a bigint. */
export type Constant = number | bigint | Wall;

export type NumberTest =
  | { kind: 'compare'; operator: CompareOperator; value: Constant; mask?: number | bigint }
  /** Within any of the ranges, ends included (or in none of them). */
  | { kind: 'within'; ranges: readonly (readonly [Constant, Constant])[]; negated: boolean; mask?: number | bigint }
  /** All of these: (value & mask) = bits. */
  | { kind: 'has'; bits: readonly (readonly [mask: number | bigint, bits: number | bigint])[] }
  /** Not zero, or one of the bits of the mask is set. */
  | { kind: 'nonzero'; mask?: number | bigint };

export type Plan =
  | { kind: 'and' | 'or'; parts: readonly Plan[] }
  | { kind: 'not'; part: Plan }
  | { kind: 'constant'; value: boolean }
  | { kind: 'truth'; field: Field }
  | { kind: 'number'; field: Field; test: NumberTest }
  | { kind: 'text'; field: Field; match: (text: string) => boolean }
  /** Two fields of the same row. */
  | { kind: 'pair'; left: Field; operator: CompareOperator; right: Field }
  /** By the row's opcode; false for the others. */
  | { kind: 'byOpcode'; plans: ReadonlyMap<number, Plan> }
  /** By whose flags the row has. */
  | { kind: 'byMachine'; plans: Readonly<Record<Machine, Plan>> };
