/**
 * A plan to a function of a row, made for one set of rows: each node becomes the closure that fits it best.
 *
 * Owns what makes a million rows fast: constants are folded into numbers, a text test runs once for each path, cheap
 * tests come first (no test has an effect, so the order changes nothing). A bound filter is good until the columns are
 * replaced; binding costs next to nothing.
 */
import type { Value } from '../../protocol/decode';
import { RowFlag } from '../capture';
import type { CompareOperator } from './ast';
import type { Field } from './fields';
import type { Constant, NumberTest, Plan } from './plan';
import type { Rows } from './rows';
import {
  costOf,
  exactReader,
  flagReader,
  lastName,
  numberReader,
  payloadReader,
  textReader,
  type ReadNumber,
} from './sources';

export type Predicate = (row: number) => boolean;

export function bind(plan: Plan, rows: Rows): Predicate {
  switch (plan.kind) {
    case 'constant': {
      const { value } = plan;
      return () => value;
    }
    case 'not': {
      const part = bind(plan.part, rows);
      return (row) => !part(row);
    }
    case 'and':
    case 'or':
      return joined(plan.kind, plan.parts, rows);
    case 'truth': {
      const { source } = plan.field;
      return source.kind === 'flags' ? flagReader(source, source.negated, rows) : () => false;
    }
    case 'number':
      return numberPredicate(plan.field, plan.test, rows);
    case 'text':
      return textPredicate(plan.field, plan.match, rows);
    case 'pair':
      return pair(plan.left, plan.operator, plan.right, rows);
    case 'byOpcode': {
      const { opcode } = rows.columns;
      const table: (Predicate | undefined)[] = [];
      for (const [number, each] of plan.plans) table[number] = bind(each, rows);
      return (row) => {
        const number = opcode[row];
        return number < table.length && table[number]?.(row) === true;
      };
    }
    case 'byMachine': {
      const { flags } = rows.columns;
      const generic = bind(plan.plans['x86-64'], rows);
      const arm64 = bind(plan.plans.arm64, rows);
      return (row) => ((flags[row] & RowFlag.ARM64) === 0 ? generic(row) : arm64(row));
    }
  }
}

function cost(plan: Plan): number {
  switch (plan.kind) {
    case 'constant':
      return 0;
    case 'not':
      return cost(plan.part);
    case 'and':
    case 'or':
      return plan.parts.reduce((sum, part) => sum + cost(part), 0);
    case 'truth':
    case 'number':
    case 'text':
      return costOf(plan.field);
    case 'pair':
      return costOf(plan.left) + costOf(plan.right);
    case 'byOpcode':
      return 2 + Math.max(0, ...[...plan.plans.values()].map(cost));
    case 'byMachine':
      return cost(plan.plans['x86-64']);
  }
}

function joined(kind: 'and' | 'or', plans: readonly Plan[], rows: Rows): Predicate {
  const stop = kind === 'or';
  const parts = [...plans].sort((one, other) => cost(one) - cost(other)).map((each) => bind(each, rows));
  const [first, second, third] = parts;
  if (parts.length === 2) return stop ? (row) => first(row) || second(row) : (row) => first(row) && second(row);
  if (parts.length === 3) {
    return stop ? (row) => first(row) || second(row) || third(row) : (row) => first(row) && second(row) && third(row);
  }
  return (row) => {
    for (const part of parts) if (part(row) === stop) return stop;
    return !stop;
  };
}

const DAY = 86_400_000_000_000n;

function relative(value: Constant, origin: bigint): number | bigint {
  if (typeof value !== 'object') return value;
  return Number((value.ofDay ? origin - (origin % DAY) + value.wall : value.wall) - origin);
}

type ResolvedTest =
  | { kind: 'compare'; operator: CompareOperator; value: number | bigint; mask: number | bigint | undefined }
  | {
      kind: 'within';
      ranges: readonly (readonly [number | bigint, number | bigint])[];
      negated: boolean;
      mask: number | bigint | undefined;
    }
  | Extract<NumberTest, { kind: 'has' }>
  | { kind: 'nonzero'; mask: number | bigint | undefined };

function resolve(test: NumberTest, origin: bigint): ResolvedTest {
  switch (test.kind) {
    case 'compare':
      return { ...test, value: relative(test.value, origin), mask: test.mask };
    case 'within': {
      const ranges = test.ranges.map(([low, high]) => [relative(low, origin), relative(high, origin)] as const);
      return { kind: 'within', ranges, negated: test.negated, mask: test.mask };
    }
    case 'has':
      return test;
    case 'nonzero':
      return { kind: 'nonzero', mask: test.mask };
  }
}

function numberPredicate(field: Field, written: NumberTest, rows: Rows): Predicate {
  const test = resolve(written, rows.origin);
  if (field.source.kind === 'payload') {
    const passes = exactTest(test);
    return payloadReader(field.source, rows, (value) => typeof value !== 'string' && value !== null && passes(value));
  }
  // Bits of 64-bit words, and numbers that a double does not hold.
  const exact = needsExact(test) ? exactReader(field, rows) : undefined;
  if (exact) {
    const passes = exactTest(test);
    return (row) => {
      const value = exact(row);
      return value !== undefined && passes(value);
    };
  }
  return test.kind === 'compare' && test.mask === undefined
    ? compare(numberReader(field, rows), test.operator, Number(test.value))
    : fast(numberReader(field, rows), test);
}

function needsExact(test: ResolvedTest): boolean {
  if (test.kind === 'has' || (test.kind === 'nonzero' && test.mask !== undefined)) return true;
  if (test.kind === 'nonzero') return false;
  if (test.mask !== undefined) return true;
  return test.kind === 'compare'
    ? typeof test.value === 'bigint'
    : test.ranges.some(([low, high]) => typeof low === 'bigint' || typeof high === 'bigint');
}

/** Comparisons with NaN are false, so `!=` is two of them. */
function compare(read: ReadNumber, operator: CompareOperator, value: number): Predicate {
  switch (operator) {
    case '==':
      return (row) => read(row) === value;
    case '!=':
      return (row) => {
        const number = read(row);
        return number < value || number > value;
      };
    case '<':
      return (row) => read(row) < value;
    case '<=':
      return (row) => read(row) <= value;
    case '>':
      return (row) => read(row) > value;
    case '>=':
      return (row) => read(row) >= value;
  }
}

/** Values of at most 32 bits, or any double where no bits are looked at. */
function fast(read: ReadNumber, test: ResolvedTest): Predicate {
  if (test.kind === 'nonzero' && test.mask === undefined) {
    return (row) => {
      const value = read(row);
      return value < 0 || value > 0;
    };
  }
  if (test.kind === 'within' && test.mask === undefined) return withinSet(read, test.ranges, test.negated);
  const passes = numberTest(test);
  return (row) => {
    const value = read(row);
    return value === value && passes(value);
  };
}

/** Members that are small numbers are looked up. */
function withinSet(
  read: ReadNumber,
  ranges: readonly (readonly [number | bigint, number | bigint])[],
  negated: boolean,
): Predicate {
  const list = ranges.map(([low, high]) => [Number(low), Number(high)] as const);
  const small = list.every(([low, high]) => low === high && low >= -256 && low < 256 && Number.isInteger(low));
  if (small) {
    const table = new Uint8Array(512);
    for (const [low] of list) table[low + 256] = 1;
    return (row) => {
      const value = read(row);
      if (value !== value) return false;
      return (table[value + 256] === 1) !== negated;
    };
  }
  const { lows, highs } = merged(list);
  return (row) => {
    const value = read(row);
    if (value !== value) return false;
    // The last range that begins at or before the value.
    let from = 0;
    let to = lows.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (lows[middle] <= value) from = middle + 1;
      else to = middle;
    }
    return (from > 0 && value <= highs[from - 1]) !== negated;
  };
}

/** The ranges in order, those that overlap as one. */
function merged(list: readonly (readonly [number, number])[]): { lows: Float64Array; highs: Float64Array } {
  const lows: number[] = [];
  const highs: number[] = [];
  for (const [low, high] of [...list].sort(([one], [other]) => one - other)) {
    if (low > high) continue;
    const last = highs.length - 1;
    if (last >= 0 && low <= highs[last]) highs[last] = Math.max(highs[last], high);
    else {
      lows.push(low);
      highs.push(high);
    }
  }
  return { lows: Float64Array.from(lows), highs: Float64Array.from(highs) };
}

const low32 = (value: number | bigint): number => Number(BigInt.asUintN(32, BigInt(value))) | 0;

/** Of values of at most 32 bits. */
function numberTest(test: ResolvedTest): (value: number) => boolean {
  if (test.kind === 'has') {
    const bits = test.bits.map(([mask, value]) => [low32(mask), low32(value)] as const);
    // Bits above the field's own are never set.
    if (test.bits.some(([, value]) => value > 0xffff_ffff)) return () => false;
    return (value) => {
      for (const [mask, wanted] of bits) if ((value & mask) !== wanted) return false;
      return true;
    };
  }
  if (test.mask === undefined) return exactTest(test);
  const mask = low32(test.mask);
  if (test.kind === 'nonzero') return (value) => (value & mask) !== 0;
  const passes = exactTest(test.kind === 'compare' ? { ...test, mask: undefined } : { ...test, mask: undefined });
  return (value) => passes((value & mask) >>> 0);
}

/** Of any value; numbers and bigints compare exactly with each other. */
function exactTest(test: ResolvedTest): (value: number | bigint) => boolean {
  const masked = (value: number | bigint, mask: number | bigint): bigint =>
    BigInt.asUintN(64, BigInt(value)) & BigInt(mask);
  switch (test.kind) {
    case 'has':
      return (value) => test.bits.every(([mask, bits]) => masked(value, mask) === BigInt(bits));
    case 'nonzero': {
      const { mask } = test;
      return (value) => Number(mask === undefined ? value : masked(value, mask)) !== 0;
    }
    case 'compare':
      return (value) => holds(test.mask === undefined ? value : masked(value, test.mask), test.operator, test.value);
    case 'within':
      return (value) => {
        const number = test.mask === undefined ? value : masked(value, test.mask);
        return test.ranges.some(([low, high]) => number >= low && number <= high) !== test.negated;
      };
  }
}

function holds(left: number | bigint | string, operator: CompareOperator, right: number | bigint | string): boolean {
  switch (operator) {
    case '==':
      return !(left < right) && !(left > right);
    case '!=':
      return left < right || left > right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
  }
}

const UNKNOWN = 0;
const NO = 1;
const YES = 2;

function textPredicate(field: Field, match: (text: string) => boolean, rows: Rows): Predicate {
  const { source } = field;
  if (source.kind === 'payload') {
    const passes = (value: Value): boolean => typeof value === 'string' && match(value);
    return payloadReader(source, rows, passes);
  }
  if (source.kind !== 'path') {
    const read = textReader(field, rows);
    return (row) => {
      const text = read(row);
      return text !== undefined && match(text);
    };
  }
  const { path } = rows.columns;
  let known = new Uint8Array(0);
  const passes = source.part === 'path' ? match : (text: string): boolean => match(lastName(text));
  return (row) => {
    const index = path[row];
    if (index === 0) return false;
    if (index >= known.length) {
      // Of a single request (`paths` 0) nothing is remembered.
      if (index >= rows.paths) return passes(rows.path(index));
      const larger = new Uint8Array(Math.max(rows.paths, 2 * known.length));
      larger.set(known);
      known = larger;
    }
    if (known[index] === UNKNOWN) known[index] = passes(rows.path(index)) ? YES : NO;
    return known[index] === YES;
  };
}

function pair(left: Field, operator: CompareOperator, right: Field, rows: Rows): Predicate {
  if (left.type.kind === 'text') {
    const [one, other] = [textReader(left, rows), textReader(right, rows)];
    return (row) => {
      const text = one(row);
      const second = text === undefined ? undefined : other(row);
      return text !== undefined && second !== undefined && holds(text, operator, second);
    };
  }
  const [one, other] = [numberReader(left, rows), numberReader(right, rows)];
  const [exactOne, exactOther] = [exactReader(left, rows), exactReader(right, rows)];
  // Two words of 64 bits may differ where the doubles do not.
  if (exactOne && exactOther) {
    return (row) => {
      const value = exactOne(row);
      const second = value === undefined ? undefined : exactOther(row);
      return value !== undefined && second !== undefined && holds(value, operator, second);
    };
  }
  return (row) => {
    const value = one(row);
    const second = other(row);
    return value === value && second === second && holds(value, operator, second);
  };
}
