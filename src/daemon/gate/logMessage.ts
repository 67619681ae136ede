/**
 * The text of a logpoint: `{field}` stands for a field of the filter language, `{{` and `}}` for braces. Pure.
 *
 * A field that a request does not have is shown as `-`.
 */
import { findField, isAny, opcodeOf, type Field } from '../../trace/filter/fields';
import type { Rows } from '../../trace/filter/rows';
import { exactReader, numberReader, textReader } from '../../trace/filter/sources';

export type Message = () => string;
export interface MessageProblem {
  readonly problem: string;
  readonly from: number;
  readonly to: number;
}

/** The message as a function of row 0 of `rows`, or what is wrong with it. */
export function compileMessage(text: string, rows: Rows): Message | MessageProblem {
  const parts: (string | Message)[] = [];
  const pattern = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;
  let at = 0;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    parts.push(text.slice(at, match.index));
    at = pattern.lastIndex;
    if (match[0] === '{{' || match[0] === '}}') parts.push(match[0][0]);
    else {
      const word: string | undefined = match[1];
      const shown = word === undefined ? undefined : fieldText(word.trim(), rows);
      if (!shown) {
        const problem = word === undefined ? `"${match[0]}" alone; write ${match[0]}${match[0]}` : `no field "${word}"`;
        return { problem, from: match.index, to: at };
      }
      parts.push(shown);
    }
  }
  parts.push(text.slice(at));
  return () => parts.map((part) => (typeof part === 'string' ? part : part())).join('');
}

function fieldText(word: string, rows: Rows): Message | undefined {
  const found = findField(word);
  if (!found) return undefined;
  if (!isAny(found)) return valueText(found, rows);
  const byOpcode = new Map<number, Message>();
  for (const variant of found.variants) {
    const number = opcodeOf(variant)?.number;
    if (number !== undefined) byOpcode.set(number, valueText(variant, rows));
  }
  return () => byOpcode.get(rows.columns.opcode[0])?.() ?? '-';
}

function valueText(field: Field, rows: Rows): Message {
  const { type } = field;
  if (type.kind === 'text') {
    const read = textReader(field, rows);
    return () => read(0) ?? '-';
  }
  const exact = exactReader(field, rows);
  const read = numberReader(field, rows);
  return () => {
    const value = exact ? exact(0) : read(0);
    if (value === undefined || Number.isNaN(value)) return '-';
    const names = type.kind === 'number' ? type.names : undefined;
    const named = names && !names.bits ? names.rows.find((row) => row.value === Number(value)) : undefined;
    if (named) return named.name;
    if (type.kind === 'number' && type.unit === 'duration') return `${(Number(value) / 1000).toFixed(1)} µs`;
    return String(value);
  };
}
