/**
 * Values to bytes, driven by the structure tables: for tests, synthetic drivers and edited requests, not the hot path.
 *
 * The opposite of decode.ts. Unlike it, it is strict: a field that does not exist or a value that does not fit is the
 * caller's mistake and throws a RangeError.
 */
import { scalarSize, type Field, type ScalarType, type StructTable } from './struct';
import { encodeText } from './text';
import { InHeader, OutHeader } from './fuse/structs';
import type { Plain } from './decode';

/** Values by field name; what is left out is zero. */
export type Values<Name extends string = string> = { readonly [K in Name]?: Plain };

/** The structure as bytes; `length` cuts it to a smaller size of older peers. */
export function encodeStruct<Name extends string>(
  table: StructTable<Name>,
  values: Values<Name>,
  length = table.size,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(table.size);
  encodeInto(table, values as Values, bytes, 0);
  return bytes.slice(0, length);
}

/** Writes the structure at `at`; all of `table.size` bytes have to be there. */
export function encodeInto(table: StructTable, values: Values, bytes: Uint8Array, at: number): void {
  for (const name of Object.keys(values)) {
    if (!(name in table.offset)) throw new RangeError(`struct ${table.name} has no field ${name}`);
  }
  for (const field of table.fields) {
    const value = values[field.name];
    if (value !== undefined && value !== null) encodeField(table, field, value, bytes, at + field.at);
  }
}

function encodeField(table: StructTable, field: Field, value: Plain, bytes: Uint8Array, at: number): void {
  const fail = (): never => {
    throw new RangeError(`${table.name}.${field.name} cannot be ${String(value)}`);
  };
  const one = (type: Field['type'], each: Plain, place: number): void => {
    if (typeof type !== 'string') {
      if (typeof each !== 'object' || each === null || Array.isArray(each)) return fail();
      return encodeInto(type, each as Values, bytes, place);
    }
    if (typeof each !== 'number' && typeof each !== 'bigint') return fail();
    if (!putScalar(type, each, bytes, place)) fail();
  };
  if (field.type === 'char') {
    const text = typeof value === 'string' ? encodeText(value) : fail();
    if (text.length > field.size) fail();
    bytes.set(text, at);
  } else if (field.length === undefined) {
    one(field.type, value, at);
  } else {
    if (!Array.isArray(value) || value.length > field.length) return fail();
    value.forEach((each: Plain, i) => one(field.type, each, at + (i * field.size) / (field.length ?? 1)));
  }
}

/** False when the value does not fit. */
function putScalar(type: ScalarType, value: number | bigint, bytes: Uint8Array, at: number): boolean {
  if (typeof value === 'number' && !Number.isInteger(value)) return false;
  const wide = BigInt(value);
  const bits = scalarSize[type] * 8;
  const signed = type === 'i32' || type === 'i64';
  const fits = signed ? BigInt.asIntN(bits, wide) === wide : BigInt.asUintN(bits, wide) === wide;
  if (!fits) return false;
  for (let i = 0; i < bits / 8; i++) bytes[at + i] = Number((wide >> BigInt(8 * i)) & 0xffn);
  return true;
}

export type InHeaderValues = Values<'opcode' | 'unique' | 'nodeid' | 'uid' | 'gid' | 'pid' | 'total_extlen'>;

/** What follows a header: structures already encoded, payloads, and names, which get their NUL here. */
export type Part = Uint8Array | string;

/** A whole request; `len` is filled in. */
export function encodeRequest(header: InHeaderValues, ...parts: Part[]): Uint8Array<ArrayBuffer> {
  const body = parts.map((part) => (typeof part === 'string' ? Uint8Array.from([...encodeText(part), 0]) : part));
  const len = body.reduce((sum, part) => sum + part.length, InHeader.size);
  return concatenate([encodeStruct(InHeader, { ...header, len }), ...body]);
}

/** A whole reply; `len` is filled in. `error` is 0 or a negative errno. */
export function encodeReply(unique: number | bigint, error: number, ...body: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const len = body.reduce((sum, part) => sum + part.length, OutHeader.size);
  return concatenate([encodeStruct(OutHeader, { len, error, unique }), ...body]);
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
