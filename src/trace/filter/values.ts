/**
 * Literals in the unit of the field that they are held against: 128K, 5ms, 0644, ENOENT, O_RDWR|O_CREAT, a time of day.
 *
 * Owns the units and the reading of numbers and times; knows of fields only their type.
 */
import type { NumberValue, SimpleValue, TextValue, Value, WordValue } from './ast';
import { nearest } from '../../base/nearest';
import { bad, good, type Outcome } from './errors';
import { findName, type Field, type FieldType, type NamedNumber, type Names } from './fields';
import type { Constant } from './plan';

export const sizeUnits: Readonly<Record<string, bigint>> = {
  K: 1n << 10n,
  M: 1n << 20n,
  G: 1n << 30n,
  T: 1n << 40n,
  P: 1n << 50n,
};
export const durationUnits: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

interface Amount {
  value: bigint;
  unit: 'plain' | 'size' | 'duration';
}

const DECIMAL = /^(-?)(\d[\d_]*)(?:\.(\d[\d_]*))?([A-Za-z]*)$/;
const OTHER = /^(-?)(0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+)([KMGTP]|[KMGTP]iB)?$/;

/** Longest number, characters: a literal is never a way to make a huge one. */
const MAX_DIGITS = 40;

function amount({ text, from, to }: NumberValue): Outcome<Amount> {
  const at = { from, to };
  const wrong = (): Outcome<never> => bad(`"${text.slice(0, MAX_DIGITS)}" is no number`, at);
  if (text.length > MAX_DIGITS) return wrong();
  const other = OTHER.exec(text);
  if (other) {
    const digits = other[2].replaceAll('_', '').toLowerCase();
    if (!/^0[xob]./.test(digits) && !/^0[0-7]+$/.test(digits)) return wrong();
    const value = BigInt(/^0[xob]/.test(digits) ? digits : `0o${digits.slice(1)}`);
    const size = sizeUnits[other[3]?.[0] ?? ''] ?? 1n;
    return good({ value: (other[1] ? -value : value) * size, unit: other[3] ? 'size' : 'plain' });
  }
  const decimal = DECIMAL.exec(text);
  if (!decimal || /^0\d/.test(decimal[2])) return wrong();
  const [, sign, whole, fraction = '', unit] = decimal;
  const size = /^[KMGTP](?:iB)?$/.test(unit) ? sizeUnits[unit[0]] : undefined;
  const factor = unit === '' ? 1n : (size ?? durationUnits[unit]);
  if (factor === undefined) {
    const near = nearest(unit, [...Object.keys(durationUnits), ...Object.keys(sizeUnits)]);
    const number = text.slice(0, text.length - unit.length);
    return bad(`"${unit}" is no unit`, at, near === undefined ? undefined : number + near);
  }
  const digits = fraction.replaceAll('_', '');
  const scale = 10n ** BigInt(digits.length);
  const scaled = BigInt(whole.replaceAll('_', '') + digits) * factor;
  if (scaled % scale !== 0n) return bad(`${text} is no whole number of ${(size ?? unit === '') ? 'units' : 'ns'}`, at);
  const value = (sign ? -scaled : scaled) / scale;
  return good({ value, unit: unit === '' ? 'plain' : size !== undefined ? 'size' : 'duration' });
}

/** As a double where that is exact. */
export const narrow = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;

type NumberType = Extract<FieldType, { kind: 'number' }>;

export function constant(field: Field, type: NumberType, value: SimpleValue): Outcome<Constant> {
  switch (value.kind) {
    case 'number':
      return numberConstant(field, type, value);
    case 'word':
      return wordConstant(field, type, value);
    case 'text':
      return textConstant(field, type, value);
  }
}

function numberConstant(field: Field, type: NumberType, value: NumberValue): Outcome<Constant> {
  const found = amount(value);
  if (!found.ok) return found;
  const { unit, value: number } = found.value;
  const isTime = type.unit === 'duration' || type.unit === 'time';
  if (isTime && unit !== 'duration' && number !== 0n) {
    const hint = unit === 'plain' ? `${value.text}ms` : undefined;
    return bad(
      `${field.name} is a ${type.unit === 'time' ? 'time' : 'duration'}, with a unit: ns, us, ms, s, m`,
      value,
      hint,
    );
  }
  if (!isTime && unit === 'duration') return bad(`${field.name} is no duration, "${value.text}" is one`, value);
  if (type.names && unit !== 'plain') return bad(`${field.name} is no size, "${value.text}" is one`, value);
  return good(narrow(number));
}

function wordConstant(field: Field, type: NumberType, value: WordValue): Outcome<Constant> {
  const named = findValue(field, type, value);
  return named.ok ? good(named.value.value) : named;
}

function findValue(field: Field, type: NumberType, { word, from, to }: WordValue): Outcome<NamedNumber> {
  if (!type.names) return bad(`${field.name} is ${describe(type)}, "${word}" is a name`, { from, to });
  const named = findName(type.names, word);
  if (named) return good(named);
  const { what } = type.names;
  return bad(
    `"${word}" is not ${what}${what.endsWith(` ${field.name}`) ? '' : ` of ${field.name}`}`,
    { from, to },
    nearest(word, spellings(type.names)),
  );
}

export const spellings = (names: Names): string[] =>
  names.rows.flatMap(({ name }) =>
    names.prefix === '' || names.what === 'an opcode' ? [name] : [names.prefix + name, name],
  );

const WALL = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?$/;
const CLOCK = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?$/;

/** Times: without a zone in UTC. */
function textConstant(field: Field, type: NumberType, value: TextValue): Outcome<Constant> {
  if (type.unit !== 'time' && type.unit !== 'seconds') {
    return bad(`${field.name} is ${describe(type)}, not text`, value);
  }
  const time = wallTime(value.text);
  if (!time || (type.unit === 'seconds' && time.ofDay)) {
    return bad(`"${value.text.slice(0, MAX_DIGITS)}" is no time such as "2026-05-17T08:30:00"`, value);
  }
  return good(type.unit === 'seconds' ? Number(time.wall / 1_000_000_000n) : time);
}

function wallTime(text: string): { wall: bigint; ofDay: boolean } | undefined {
  const nanoseconds = (fraction: string | undefined): bigint => BigInt((fraction ?? '').padEnd(9, '0'));
  const clock = CLOCK.exec(text);
  if (clock) {
    const [, h, m, s = '0'] = clock.map((part) => part ?? undefined);
    if (Number(h) > 23 || Number(m) > 59 || Number(s) > 60) return undefined;
    const seconds = BigInt(Number(h) * 3600 + Number(m) * 60 + Number(s));
    return { wall: seconds * 1_000_000_000n + nanoseconds(clock[4]), ofDay: true };
  }
  const full = WALL.exec(text);
  if (!full) return undefined;
  const [year, month, day, h, m, s] = full.slice(1, 7).map((part) => Number(part ?? 0));
  const milliseconds = Date.UTC(year, month - 1, day, h, m, s);
  const made = new Date(milliseconds);
  if (made.getUTCMonth() !== month - 1 || made.getUTCDate() !== day || h > 23 || m > 59 || s > 59) return undefined;
  const zone = /^([+-])(\d\d):?(\d\d)$/.exec(full[8] ?? '');
  const ahead = zone ? (zone[1] === '-' ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3])) : 0;
  return { wall: BigInt(milliseconds - ahead * 60_000) * 1_000_000n + nanoseconds(full[7]), ofDay: false };
}

/** The parts of `A|B`, each with the bits that it is about. */
export function bits(
  field: Field,
  type: NumberType,
  value: Value,
): Outcome<[mask: number | bigint, bits: number | bigint][]> {
  const found: [number | bigint, number | bigint][] = [];
  for (const part of value.kind === 'bits' ? value.parts : [value]) {
    if (part.kind === 'word') {
      const named = findValue(field, type, part);
      if (!named.ok) return named;
      const { mask, value: number } = named.value;
      found.push([mask < 0 ? number : mask, number]);
      continue;
    }
    const number = constant(field, type, part);
    if (!number.ok) return number;
    if (typeof number.value === 'object' || number.value < 0) return bad('bits are numbers from 0 on', part);
    found.push([number.value, number.value]);
  }
  return good(found);
}

/** A field's type in words: "a number", "an opcode". */
export function describe(type: FieldType): string {
  if (type.kind === 'truth') return 'true or false';
  if (type.kind === 'text') return 'text';
  if (type.names) return type.names.bits ? 'flags' : type.names.what;
  return type.unit === 'plain' || type.unit === 'seconds' ? 'a number' : `a ${type.unit}`;
}
