/**
 * A filter's tree to a plan: names are looked up, types compared, literals read, patterns compiled.
 *
 * Everything that can be wrong with a filter after parsing is found here, with its place. Reads no row.
 */
import type { Condition, Expression, SimpleValue, TestExpression, Value, WordValue } from './ast';
import { nearest } from '../../base/nearest';
import { bad, good, type Outcome } from './errors';
import {
  fields,
  findField,
  findOpcode,
  isAny,
  onArm64,
  opcodeOf,
  termNames,
  type Field,
  type FieldType,
} from './fields';
import { globMatcher } from './glob';
import type { Constant, NumberTest, Plan } from './plan';
import { regexMatcher } from './regex';
import { bits, constant, describe, narrow } from './values';

type NumberType = Extract<FieldType, { kind: 'number' }>;

export function check(tree: Expression): Outcome<Plan> {
  switch (tree.kind) {
    case 'constant':
      return good({ kind: 'constant', value: tree.value });
    case 'not': {
      const part = check(tree.part);
      return part.ok ? good({ kind: 'not', part: part.value }) : part;
    }
    case 'or':
    case 'and': {
      const parts: Plan[] = [];
      for (const each of tree.parts) {
        const part = check(each);
        if (!part.ok) return part;
        parts.push(part.value);
      }
      return good({ kind: tree.kind, parts });
    }
    case 'test':
      return checkTest(tree);
  }
}

function checkTest(tree: TestExpression): Outcome<Plan> {
  const { word } = tree.field;
  const field = findField(word);
  if (!field) return noField(tree);
  if (!isAny(field)) return testOf(field, tree);
  const plans = new Map<number, Plan>();
  let problem: Outcome<Plan> | undefined;
  for (const variant of field.variants) {
    const plan = testOf({ ...variant, name: word }, tree);
    const number = opcodeOf(variant)?.number;
    if (!plan.ok) problem ??= plan;
    else if (number !== undefined) plans.set(number, plan.value);
  }
  return plans.size === 0 && problem ? problem : good({ kind: 'byOpcode', plans });
}

/** No field of that name: an opcode alone, or a mistake. */
function noField({ field, mask, condition }: TestExpression): Outcome<Plan> {
  const { word } = field;
  const opcode = findOpcode(word);
  const asks = findField('opcode');
  if (opcode && asks && !isAny(asks)) {
    if (!mask && !condition) {
      return good({ kind: 'number', field: asks, test: { kind: 'compare', operator: '==', value: opcode.value } });
    }
    return bad(`"${word}" is an opcode, not a field`, field, 'opcode');
  }
  const dot = word.indexOf('.');
  const owner = dot < 0 ? undefined : word.slice(0, dot + 1);
  const own = owner === undefined ? [] : fields.filter(({ name }) => name.startsWith(owner)).map(({ name }) => name);
  return bad(`no field "${word.slice(0, 80)}"`, field, nearest(word, own) ?? nearest(word, termNames));
}

function testOf(field: Field, tree: TestExpression): Outcome<Plan> {
  const { type } = field;
  if (type.kind === 'truth') {
    if (!tree.mask && !tree.condition) return good({ kind: 'truth', field });
    return bad(`${field.name} is true or false: write it alone, or !${field.name}`, tree);
  }
  if (type.kind === 'text') return textTest(field, type, tree);
  const generic = numberTest(field, type, tree);
  const other = onArm64(field);
  if (!generic.ok || other?.type.kind !== 'number') return generic;
  const arm64 = numberTest(other, other.type, tree);
  return arm64.ok ? good({ kind: 'byMachine', plans: { 'x86-64': generic.value, arm64: arm64.value } }) : arm64;
}

function textTest(field: Field, type: Extract<FieldType, { kind: 'text' }>, tree: TestExpression): Outcome<Plan> {
  if (tree.mask) return bad(`${field.name} is text, which has no bits`, tree.mask);
  const { condition } = tree;
  const plan = (match: (text: string) => boolean): Outcome<Plan> => good({ kind: 'text', field, match });
  if (!condition) return plan((text) => text !== '');
  const same = type.path ? withoutSlash : (text: string): string => text;
  switch (condition.kind) {
    case 'compare': {
      const { operator, value } = condition;
      if (operator !== '==' && operator !== '!=') return bad(`${field.name} is text, which has no order`, condition);
      if (value.kind === 'word') {
        const pair = pairOf(field, operator, value);
        if (pair) return pair;
      }
      const wanted = textOf(field, value);
      if (!wanted.ok) return wanted;
      const text = same(wanted.value);
      return plan(operator === '==' ? (each) => same(each) === text : (each) => same(each) !== text);
    }
    case 'in': {
      const texts = new Set<string>();
      for (const member of condition.members) {
        if (member.kind === 'range') return bad(`${field.name} is text, which has no ranges`, member);
        const wanted = textOf(field, member);
        if (!wanted.ok) return wanted;
        texts.add(same(wanted.value));
      }
      return plan((each) => texts.has(same(each)) !== condition.negated);
    }
    case 'has':
      return bad(`${field.name} is text, which has no flags`, condition);
    case 'glob': {
      const match = globMatcher(condition.pattern.text);
      if (!match) return bad('the pattern is too long', condition.pattern);
      return plan(condition.negated ? (text) => !match(text) : match);
    }
    case 'regex': {
      const match = regexMatcher(condition.pattern, condition.fold);
      if (typeof match === 'string') return bad(match, condition);
      return plan(condition.negated ? (text) => !match(text) : match);
    }
  }
}

const withoutSlash = (path: string): string => (path.length > 1 && path[0] === '/' ? path.slice(1) : path);

function textOf(field: Field, value: Value): Outcome<string> {
  if (value.kind === 'text') return good(value.text);
  if (value.kind === 'word') return bad(`${field.name} is text: quotes are missing`, value, JSON.stringify(value.word));
  return bad(`${field.name} is text, not a number`, value);
}

function numberTest(field: Field, type: NumberType, tree: TestExpression): Outcome<Plan> {
  const { condition } = tree;
  const plan = (test: Outcome<NumberTest>): Outcome<Plan> =>
    test.ok ? good({ kind: 'number', field, test: test.value }) : test;
  const mask = tree.mask ? maskOf(field, type, tree.mask) : undefined;
  if (mask && !mask.ok) return mask;
  const masked = mask ? { mask: mask.value } : {};
  if (!condition) return plan(good({ kind: 'nonzero', ...masked }));
  switch (condition.kind) {
    case 'compare': {
      const { operator, value } = condition;
      if (value.kind === 'word' && !mask) {
        const pair = pairOf(field, operator, value);
        if (pair) return pair;
      }
      const wanted = value.kind === 'bits' ? joined(field, type, value) : comparable(field, type, value, operator);
      if (!wanted.ok) return wanted;
      return plan(good({ kind: 'compare', operator, value: wanted.value, ...masked }));
    }
    case 'in':
      return plan(within(field, type, condition, masked));
    case 'has': {
      if (mask) return bad('"has" and "&" cannot be together', condition);
      if (type.unit !== 'plain' || (type.names && !type.names.bits)) {
        return bad(`${field.name} is ${describe(type)}, which has no flags`, condition);
      }
      const found = bits(field, type, condition.value);
      return found.ok ? plan(good({ kind: 'has', bits: found.value })) : found;
    }
    case 'glob':
    case 'regex':
      return bad(`${field.name} is ${describe(type)}, patterns are for text`, condition);
  }
}

function maskOf(field: Field, type: NumberType, value: Value): Outcome<number | bigint> {
  if (type.unit !== 'plain' || (type.names && !type.names.bits)) {
    return bad(`${field.name} is ${describe(type)}, which has no bits`, value);
  }
  const found = bits(field, type, value);
  if (!found.ok) return found;
  const mask = narrow(found.value.reduce((all, [, each]) => all | BigInt(each), 0n));
  return Number(mask) === 0 ? bad('these bits are 0, so the test is never true; use "has"', value) : good(mask);
}

const joined = (field: Field, type: NumberType, value: Value): Outcome<Constant> => {
  if (type.unit !== 'plain' || (type.names && !type.names.bits)) {
    return bad(`${field.name} is ${describe(type)}, which has no bits`, value);
  }
  const found = bits(field, type, value);
  return found.ok ? good(narrow(found.value.reduce((all, [, each]) => all | BigInt(each), 0n))) : found;
};

/** An errno may be written as it is on the wire, -2, or as the C library has it, 2. */
function comparable(field: Field, type: NumberType, value: SimpleValue, operator = '=='): Outcome<Constant> {
  const found = constant(field, type, value);
  if (!found.ok || type.names?.what !== 'an errno' || (operator !== '==' && operator !== '!=')) return found;
  return typeof found.value === 'number' && found.value > 0 ? good(-found.value) : found;
}

function within(
  field: Field,
  type: NumberType,
  condition: Extract<Condition, { kind: 'in' }>,
  masked: { mask?: number | bigint },
): Outcome<NumberTest> {
  const ranges: (readonly [Constant, Constant])[] = [];
  for (const member of condition.members) {
    if (member.kind !== 'range') {
      const one = comparable(field, type, member);
      if (!one.ok) return one;
      ranges.push([one.value, one.value]);
      continue;
    }
    const low = constant(field, type, member.low);
    if (!low.ok) return low;
    const high = constant(field, type, member.high);
    if (!high.ok) return high;
    if (typeof low.value !== 'object' && typeof high.value !== 'object' && low.value > high.value) {
      return bad('the range is empty: its end is before its beginning', member);
    }
    ranges.push([low.value, high.value]);
  }
  return good({ kind: 'within', ranges, negated: condition.negated, ...masked });
}

/** The other side is a field too; undefined when the word is no field, or a value of the left one. */
function pairOf(left: Field, operator: Extract<Condition, { kind: 'compare' }>['operator'], value: WordValue) {
  const { type } = left;
  if (type.kind === 'number' && type.names && constant(left, type, value).ok) return undefined;
  const found = findField(value.word);
  if (!found) return undefined;
  const opcode = opcodeOf(left);
  const right = isAny(found) ? found.variants.find((each) => opcodeOf(each) === opcode) : found;
  if (!right) return bad(`"${value.word}" is no field of the same opcode as ${left.name}`, value);
  if (right.type.kind === 'number' && type.kind === 'number') {
    const [one, other] = [type.unit === 'seconds' ? 'plain' : type.unit, right.type.unit];
    if (one !== (other === 'seconds' ? 'plain' : other)) {
      return bad(`${left.name} is ${describe(type)}, ${value.word} is ${describe(right.type)}`, value);
    }
  } else if (right.type.kind !== type.kind) {
    return bad(`${left.name} is ${describe(type)}, ${value.word} is ${describe(right.type)}`, value);
  }
  if (left.source.kind === 'payload' || right.source.kind === 'payload') {
    return bad('entries of a payload cannot be compared with another field', value);
  }
  return good<Plan>({ kind: 'pair', left, operator, right });
}
