/**
 * Named bits and named numbers, each with one sentence: what `flags` and `enum` of a structure's row point to.
 *
 * Owns both shapes and how a value is taken apart by them. The values themselves are in the tables next door.
 */
import type { Machine } from './machine';

export interface NamedValue {
  /** Without the table's prefix. */
  name: string;
  value: number;
  doc: string;
}

export interface FlagBit extends NamedValue {
  /** Which bits are compared with `value`; more than the value's own for fields of several bits such as O_ACCMODE. */
  mask: number;
}

/** Flags: a value is the sum of several rows, which lie in its low 32 bits (no flag word of FUSE has any above). */
export interface FlagTable<Name extends string = string> {
  prefix: string;
  doc: string;
  bits: readonly FlagBit[];
  /** Name to number, a frozen plain object for the hot path. */
  value: { readonly [K in Name]: number };
  /** The same names with the numbers of arm64, where they are others there. */
  arm64?: FlagTable<Name>;
}

/** An enumeration: a value is exactly one row. */
export interface EnumTable<Name extends string = string> {
  prefix: string;
  doc: string;
  rows: readonly NamedValue[];
  value: { readonly [K in Name]: number };
  byValue: ReadonlyMap<number, NamedValue>;
}

type FlagRows<Name extends string> = { readonly [K in Name]: readonly [value: number, doc: string, mask?: number] };
type EnumRows<Name extends string> = { readonly [K in Name]: readonly [value: number, doc: string] };

/**
 * Rows are tried in their order, so a flag that contains another one comes before it. `onArm64`: the rows that have
 * other numbers there.
 */
export function flagTable<Name extends string>(
  prefix: string,
  doc: string,
  rows: FlagRows<Name>,
  onArm64?: Partial<{ readonly [K in Name]: number }>,
): FlagTable<Name> {
  const names = Object.keys(rows) as Name[];
  const bits = names.map((name) => {
    const [value, rowDoc, mask] = rows[name];
    return Object.freeze({ name, value, doc: rowDoc, mask: mask ?? value });
  });
  const table: FlagTable<Name> = { prefix, doc, bits: Object.freeze(bits), value: values(names, rows) };
  if (onArm64 !== undefined) {
    const others = names.map((name) => [name, [onArm64[name] ?? rows[name][0], rows[name][1], rows[name][2]]]);
    table.arm64 = flagTable(prefix, doc, Object.fromEntries(others) as unknown as FlagRows<Name>);
  }
  return Object.freeze(table);
}

export function enumTable<Name extends string>(prefix: string, doc: string, rows: EnumRows<Name>): EnumTable<Name> {
  const names = Object.keys(rows) as Name[];
  const list = names.map((name) => Object.freeze({ name, value: rows[name][0], doc: rows[name][1] }));
  const byValue = new Map(list.map((row) => [row.value, row]));
  return Object.freeze({ prefix, doc, rows: Object.freeze(list), value: values(names, rows), byValue });
}

function values<Name extends string>(
  names: readonly Name[],
  rows: { readonly [K in Name]: readonly [number, ...unknown[]] },
): { readonly [K in Name]: number } {
  const result = Object.fromEntries(names.map((name) => [name, rows[name][0]]));
  // Spread for a shape with constant fields, as in struct.ts.
  return Object.freeze({ ...result }) as { readonly [K in Name]: number };
}

/** The table that holds on a machine. */
export const tableOn = (table: FlagTable, machine: Machine): FlagTable =>
  machine === 'arm64' ? (table.arm64 ?? table) : table;

/** The rows that a value is made of, and the bits that no row names. A bigint is taken as unsigned, of 64 bits. */
export function splitFlags(table: FlagTable, value: number | bigint): { rows: FlagBit[]; rest: bigint } {
  const wide = BigInt.asUintN(64, BigInt(value));
  const low = Number(wide & 0xffff_ffffn) | 0;
  let rest = low;
  const rows: FlagBit[] = [];
  for (const bit of table.bits) {
    const wanted = bit.value | 0;
    if ((low & bit.mask) !== wanted || (wanted !== 0 && (rest & wanted) === 0)) continue;
    rows.push(bit);
    rest &= ~bit.mask;
  }
  return { rows, rest: (wide & ~0xffff_ffffn) | BigInt(rest >>> 0) };
}
