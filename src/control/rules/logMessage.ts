/**
 * The text of a log point: `{field}` stands for a field of the filter language, `{{` and `}}` for braces.
 *
 * One reading of it for a share that runs and for a capture. A field is printed as the trace prints it; one that a
 * request does not have is `-`.
 */
import { printNode, printId } from '../../protocol/print';
import { errnoName } from '../../protocol/errno';
import { quote } from '../../protocol/text';
import { nearest } from '../../base/nearest';
import { findField, isAny, opcodeOf, termNames, type AnyField, type Field } from '../../trace/filter/fields';
import type { Rows } from '../../trace/filter/rows';
import {
  exactReader,
  flagReader,
  nodeReader,
  numberReader,
  payloadReader,
  textReader,
} from '../../trace/filter/sources';
import { opcodeName } from '../../trace/line';
import { printDuration, printSeconds } from '../../trace/times';

/** Plain texts and fields, in order. */
export type LogMessage = readonly (string | Field | AnyField)[];

export interface MessageProblem {
  readonly problem: string;
  readonly from: number;
  readonly to: number;
}

export const isProblem = (parsed: LogMessage | MessageProblem): parsed is MessageProblem => 'problem' in parsed;

/** Never throws. */
export function parseLogMessage(text: string): LogMessage | MessageProblem {
  const parts: (string | Field | AnyField)[] = [];
  let at = 0;
  for (const match of text.matchAll(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g)) {
    const [whole, inner] = match as unknown as [string, string | undefined];
    const { index } = match;
    parts.push(text.slice(at, index));
    at = index + whole.length;
    if (whole === '{{' || whole === '}}') {
      parts.push(whole[0]);
      continue;
    }
    const place = { from: index, to: at };
    if (inner === undefined) return { problem: `"${whole}" alone; write ${whole}${whole}`, ...place };
    const name = inner.trim();
    const field = findField(name);
    if (!field) {
      const near = nearest(name, termNames);
      return { problem: `no field "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}`, ...place };
    }
    parts.push(field);
  }
  parts.push(text.slice(at));
  return parts.filter((part) => part !== '');
}

export type RowText = (row: number) => string;

/** The message as a function of these rows. */
export function bindLogMessage(message: LogMessage, rows: Rows): RowText {
  const parts = message.map((part) => (typeof part === 'string' ? () => part : fieldText(part, rows)));
  return (row) => parts.map((part) => part(row)).join('');
}

const ABSENT = '-';

function fieldText(field: Field | AnyField, rows: Rows): RowText {
  if (!isAny(field)) return valueText(field, rows);
  const byOpcode = new Map<number, RowText>();
  for (const variant of field.variants) {
    const number = opcodeOf(variant)?.number;
    if (number !== undefined) byOpcode.set(number, valueText(variant, rows));
  }
  return (row) => byOpcode.get(rows.columns.opcode[row])?.(row) ?? ABSENT;
}

function valueText(field: Field, rows: Rows): RowText {
  const { source } = field;
  switch (source.kind) {
    case 'flags': {
      const holds = flagReader(source, source.negated, rows);
      return (row) => String(holds(row));
    }
    case 'path':
    case 'name': {
      const read = textReader(field, rows);
      return (row) => {
        const text = read(row);
        return text === undefined ? ABSENT : quote(text);
      };
    }
    case 'bytes': {
      const read = nodeReader(source, rows);
      return (row) => {
        const node = read(row);
        return node === undefined ? ABSENT : printNode(node);
      };
    }
    case 'payload': {
      let values: string[] = [];
      const look = payloadReader(source, rows, (value) => {
        values.push(typeof value === 'string' ? quote(value) : String(value));
        return false;
      });
      return (row) => {
        values = [];
        look(row);
        return values.length === 0 ? ABSENT : values.join(', ');
      };
    }
    case 'column':
    case 'daemon':
      return numberText(field, rows);
  }
}

function numberText(field: Field, rows: Rows): RowText {
  const { type, source } = field;
  const read = numberReader(field, rows);
  const exact = exactReader(field, rows);
  const print = (value: number): string => {
    if (type.kind === 'number' && type.unit === 'duration') return printDuration(value);
    if (type.kind === 'number' && type.unit === 'time') return printSeconds(value);
    if (source.kind !== 'column') return String(value);
    if (source.column === 'opcode') return opcodeName(value);
    return source.column === 'error' ? errnoName(value) : printId(value);
  };
  return (row) => {
    const value = exact?.(row);
    if (value !== undefined) return printId(value);
    const rounded = read(row);
    return Number.isNaN(rounded) ? ABSENT : print(rounded);
  };
}
