/**
 * What a structure on the wire is: named rows with C types, from which offsets and sizes follow.
 *
 * Owns the layout rules (natural C alignment, little-endian, every byte has a row). Knows no particular structure and
 * moves no bytes: the hot path uses `X.offset.field` as a plain constant, everything else goes through `decode.ts`,
 * `encode.ts` and `print.ts`.
 */
import type { EnumTable, FlagTable } from './flagTable';

export type ScalarType = 'u8' | 'u16' | 'u32' | 'u64' | 'i32' | 'i64' | 'char';

/** How a value is best shown to a person, beyond its type. `id`: an opaque name for something. */
export type Show = 'id' | 'octal' | 'hex' | 'size' | 'errno' | 'mode' | 'device' | 'seconds' | 'padding';

export interface RowOptions {
  /** FUSE minor version (7.x) that brought the field, when later than the structure. */
  since?: number;
  flags?: FlagTable;
  enum?: EnumTable;
  show?: Show;
  /** The number of elements when the field is an array. */
  length?: number;
  /** The field counts only when this flags field of the same structure has one of these bits. */
  validIf?: readonly [field: string, mask: number];
  /** Left out of one-line summaries. */
  detail?: true;
}

export interface Row extends RowOptions {
  name: string;
  type: ScalarType | StructTable;
  doc: string;
}

export interface Field extends Row {
  /** Bytes from the start of the structure. */
  at: number;
  /** Bytes, of the whole array when it is one. */
  size: number;
  /** The same with the flags of arm64, where they have other numbers there. */
  arm64?: Field;
}

export interface StructTable<Name extends string = string> {
  /** The kernel's (or QEMU's) own name, without "struct". */
  name: string;
  doc: string;
  /** Bytes, as sizeof says. */
  size: number;
  align: number;
  fields: readonly Field[];
  /** Bytes from the start of the structure to each field: a frozen plain object, for the hot path. */
  offset: { readonly [K in Name]: number };
}

/** Bytes that one value of a scalar type takes, which is its alignment as well. */
export const scalarSize: { readonly [K in ScalarType]: number } = {
  u8: 1,
  u16: 2,
  u32: 4,
  u64: 8,
  i32: 4,
  i64: 8,
  char: 1,
};

type Named<Name extends string> = Row & { name: Name };

const scalar =
  (type: ScalarType) =>
  <const Name extends string>(name: Name, doc: string, options: RowOptions = {}): Named<Name> => ({
    name,
    type,
    doc,
    ...options,
  });

export const u8 = scalar('u8');
export const u16 = scalar('u16');
export const u32 = scalar('u32');
export const u64 = scalar('u64');
export const i32 = scalar('i32');
export const i64 = scalar('i64');
export const char = scalar('char');

export const nested = <const Name extends string>(
  name: Name,
  type: StructTable,
  doc: string,
  options: RowOptions = {},
): Named<Name> => ({ name, type, doc, ...options });

/** A row of `type` that carries nothing: padding, spare or unused in the kernel's header. */
export const unused = <const Name extends string>(name: Name, type: ScalarType, length = 1): Named<Name> => ({
  name,
  type,
  doc: 'Carries nothing; zero.',
  show: 'padding',
  ...(length > 1 ? { length } : {}),
});

/**
 * Lays the rows out as a C compiler would. Throws, when the program starts, on a table that a compiler would have to
 * pad by itself: every byte of the wire has a row, so that none is read or sent unawares.
 */
export function struct<const Rows extends readonly Row[]>(
  name: string,
  doc: string,
  rows: Rows,
): StructTable<Rows[number]['name']> {
  let at = 0;
  let align = 1;
  const fields: Field[] = [];
  const offset: Record<string, number> = {};
  for (const row of rows) {
    const one = typeof row.type === 'string' ? scalarSize[row.type] : row.type.size;
    const needs = typeof row.type === 'string' ? one : row.type.align;
    if (at % needs !== 0) throw new Error(`struct ${name}: ${row.name} at ${at} is not aligned to ${needs}`);
    if (row.name in offset) throw new Error(`struct ${name}: two rows are called ${row.name}`);
    const size = one * (row.length ?? 1);
    const arm64 = row.flags?.arm64 && { arm64: Object.freeze({ ...row, flags: row.flags.arm64, at, size }) };
    fields.push(Object.freeze({ ...row, at, size, ...arm64 }));
    offset[row.name] = at;
    at += size;
    align = Math.max(align, needs);
  }
  if (at % align !== 0) throw new Error(`struct ${name}: ${at} bytes are no multiple of its alignment ${align}`);
  // The spread gives V8 a shape with constant fields; an object filled by key stays a dictionary, ten times slower.
  const offsets = Object.freeze({ ...offset }) as { readonly [K in Rows[number]['name']]: number };
  return Object.freeze({ name, doc, size: at, align, fields: Object.freeze(fields), offset: offsets });
}
