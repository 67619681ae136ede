/**
 * Chosen fields of a row as columns, by the names that filters use: tab-separated text or a JSON object.
 *
 * In text numbers are shown in the kernel's terms and names are quoted, so that no value has a tab or a line break. In
 * JSON numbers stay numbers (above 2^53 strings), and opcodes, errnos and enumerations are names.
 */
import type { Value } from '../protocol/decode';
import { printFlags } from '../protocol/print';
import { quote } from '../protocol/text';
import { RowFlag, type Capture } from './capture';
import { nearest } from '../base/nearest';
import {
  fields,
  findField,
  isAny,
  onArm64,
  opcodeOf,
  termNames,
  type AnyField,
  type Field,
  type Names,
} from './filter/fields';
import { exactReader, flagReader, numberReader, payloadReader, textReader } from './filter/sources';
import { printDuration } from './times';

/** A value, or that there is none in this row. */
type Read = (row: number) => Value | boolean | readonly Value[] | undefined;

export interface FieldColumns {
  readonly names: readonly string[];
  text(capture: Capture, row: number): string;
  json(capture: Capture, row: number): string;
}

export interface UnknownField {
  readonly unknown: string;
  readonly nearest: string | undefined;
}

/** Columns from `time,opcode,read.size`. */
export function fieldColumns(list: string): FieldColumns | UnknownField {
  const chosen: (Field | AnyField)[] = [];
  for (const name of list.split(',').map((each) => each.trim())) {
    const field = findField(name);
    if (!field) return { unknown: name, nearest: nearest(name, termNames) };
    chosen.push(field);
  }
  const names = chosen.map(({ name }) => name);
  // Columns are replaced when the capture grows.
  let bound: { flags: Uint16Array; cells: Cell[] } | undefined;
  const cellsOf = (capture: Capture): Cell[] => {
    const { flags } = capture.columns;
    if (bound?.flags !== flags) bound = { flags, cells: chosen.map((field) => cellOf(field, capture)) };
    return bound.cells;
  };
  return {
    names,
    text: (capture, row) =>
      cellsOf(capture)
        .map((cell) => textOf(cell(row)))
        .join('\t'),
    json: (capture, row) => {
      const cells = cellsOf(capture);
      return JSON.stringify(Object.fromEntries(cells.map((cell, i) => [names[i], jsonOf(cell(row))])));
    },
  };
}

/** What the fields are: name, a tab, a sentence. */
export const fieldHelp = (): string[] => fields.map(({ name, doc }) => `${name}\t${doc}`);

interface Found {
  readonly field: Field;
  readonly value: Value | boolean | readonly Value[];
}

type Cell = (row: number) => Found | undefined;

function cellOf(field: Field | AnyField, capture: Capture): Cell {
  if (!isAny(field)) {
    const read = readerOf(field, capture);
    const other = onArm64(field);
    if (other === undefined) return (row) => found(field, read(row));
    const { flags } = capture.columns;
    return (row) => found((flags[row] & RowFlag.ARM64) === 0 ? field : other, read(row));
  }
  const byOpcode = new Map<number, Cell>();
  for (const each of field.variants) {
    const number = opcodeOf(each)?.number;
    if (number === undefined) continue;
    const before = byOpcode.get(number);
    const cell = cellOf(each, capture);
    byOpcode.set(number, before ? (row) => before(row) ?? cell(row) : cell);
  }
  const { opcode } = capture.columns;
  return (row) => byOpcode.get(opcode[row])?.(row);
}

const found = (field: Field, value: ReturnType<Read>): Found | undefined =>
  value === undefined || (typeof value === 'number' && Number.isNaN(value)) ? undefined : { field, value };

function readerOf(field: Field, capture: Capture): Read {
  const { source, type } = field;
  if (source.kind === 'flags') return flagReader(source, source.negated, capture);
  if (source.kind === 'payload') {
    let values: Value[] = [];
    const collect = payloadReader(source, capture, (value) => (values.push(value), false));
    return (row) => {
      values = [];
      collect(row);
      return values.length === 0 ? undefined : values;
    };
  }
  if (type.kind === 'text') return textReader(field, capture);
  return exactReader(field, capture) ?? numberReader(field, capture);
}

const NONE = '-';

function textOf(cell: Found | undefined): string {
  if (cell === undefined) return NONE;
  const { field, value } = cell;
  if (typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? value.map((each: Value) => word(field, each)).join(',') : word(field, value as Value);
}

function word({ type }: Field, value: Value): string {
  if (value === null) return NONE;
  if (typeof value === 'string') return quote(value);
  if (type.kind !== 'number') return String(value);
  if (type.names) return named(type.names, value) ?? String(value);
  if (type.unit === 'duration') return printDuration(Number(value));
  if (type.unit === 'time') return (Number(value) / 1e9).toFixed(9);
  return String(value);
}

/** The prefix of the flags of a mode, which people read in octal. */
const MODES = 'S_I';

function named(names: Names, value: number | bigint): string | undefined {
  const { what, prefix, rows, bits } = names;
  if (prefix === MODES) return `0${value.toString(8).padStart(3, '0')}`;
  if (bits) return printFlags({ prefix, doc: '', bits: rows, value: {} }, value);
  const row = rows.find((each) => each.value === Number(value));
  return row && (what === 'an opcode' ? row.name : prefix + row.name);
}

function jsonOf(cell: Found | undefined): unknown {
  if (cell === undefined) return null;
  const { field, value } = cell;
  if (typeof value === 'boolean') return value;
  return Array.isArray(value) ? value.map((each: Value) => plainOf(field, each)) : plainOf(field, value as Value);
}

function plainOf({ type }: Field, value: Value): unknown {
  if (type.kind === 'number' && type.names && !type.names.bits && value !== null && typeof value !== 'string') {
    return named(type.names, value) ?? Number(value);
  }
  if (typeof value !== 'bigint') return value;
  return value > BigInt(Number.MAX_SAFE_INTEGER) || value < 0n ? value.toString() : Number(value);
}
