/**
 * A tree back to text, in one way of writing: what the parser makes of it is the same tree again.
 */
import type { Condition, Expression, SimpleValue, RangeMember, Value } from './ast';

export function printFilter(tree: Expression): string {
  switch (tree.kind) {
    case 'or':
      return tree.parts.map((part) => inside(part, part.kind === 'or')).join(' || ');
    case 'and':
      return tree.parts.map((part) => inside(part, part.kind === 'or' || part.kind === 'and')).join(' && ');
    case 'not':
      return `!${inside(tree.part, !isShort(tree.part))}`;
    case 'constant':
      return String(tree.value);
    case 'test': {
      const mask = tree.mask ? ` & ${printBits(tree.mask)}` : '';
      return `${tree.field.word}${mask}${tree.condition ? ` ${printCondition(tree.condition)}` : ''}`;
    }
  }
}

const inside = (tree: Expression, parentheses: boolean): string =>
  parentheses ? `(${printFilter(tree)})` : printFilter(tree);

/** A test with an operator reads better in parentheses behind "!", though it needs none. */
const isShort = (tree: Expression): boolean =>
  tree.kind === 'not' || tree.kind === 'constant' || (tree.kind === 'test' && !tree.condition && !tree.mask);

function printCondition(condition: Condition): string {
  switch (condition.kind) {
    case 'compare':
      return `${condition.operator} ${printBits(condition.value)}`;
    case 'has':
      return `has ${printBits(condition.value)}`;
    case 'in':
      return `${condition.negated ? 'not in' : 'in'} (${condition.members.map(printMember).join(', ')})`;
    case 'glob':
      return `${condition.negated ? '!~' : '~'} ${printText(condition.pattern.text)}`;
    case 'regex':
      return `${condition.negated ? '!~' : '=~'} /${condition.pattern}/${condition.fold ? 'i' : ''}`;
  }
}

const printMember = (member: SimpleValue | RangeMember): string =>
  member.kind === 'range' ? `${printValue(member.low)}..${printValue(member.high)}` : printValue(member);

const printBits = (value: Value): string =>
  value.kind === 'bits' ? `(${value.parts.map(printValue).join('|')})` : printValue(value);

function printValue(value: SimpleValue): string {
  if (value.kind === 'number') return value.text;
  return value.kind === 'word' ? value.word : printText(value.text);
}

/** In quotes, so that the lexer gives the same text. */
export function printText(text: string): string {
  const escaped = text.replace(/["\\\u0000-\u001f\u007f-\u009f]/g, (c) =>
    c === '"' ? '\\"' : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${escaped}"`;
}
