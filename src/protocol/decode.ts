/**
 * Bytes to a tree of fields, each with its byte range, driven by the structure tables.
 *
 * For viewers, logs and tests: it allocates, and 64-bit fields are bigint. Never throws: what is not there (a message
 * cut short, by its sender or by the capture) is a node with `value` null and `missing` set. Message shapes are in
 * message.ts.
 */
import type { Machine } from './machine';
import { type Field, type ScalarType, type StructTable } from './struct';
import { decodeText } from './text';

export type Value = number | bigint | string | null;

export interface Node {
  name: string;
  /** Byte range in the message. */
  at: number;
  length: number;
  /** Of a scalar or a text; null of a group, of padding, and of what is missing. */
  value: Value;
  /** The structure's row, where there is one. */
  field?: Field;
  doc?: string;
  children?: readonly Node[];
  /** Not all of its bytes are there. */
  missing?: true;
}

/**
 * Decodes one structure at `at`. `length`: the bytes that it takes in this message, less than `table.size` for older
 * peers; fields beyond it have no node. `machine`: whose flags they are.
 */
export function decodeStruct(
  table: StructTable,
  bytes: Uint8Array,
  at = 0,
  length = table.size,
  machine: Machine = 'x86-64',
): Node {
  const size = Math.min(length, table.size);
  const tree: Node = { name: table.name, at, length: size, value: null, doc: table.doc };
  tree.children = decodeFields(table, bytes, at, size, machine);
  return node(tree, bytes);
}

function decodeFields(table: StructTable, bytes: Uint8Array, at: number, size: number, machine: Machine): Node[] {
  const children: Node[] = [];
  for (const field of table.fields) {
    if (field.at + field.size > size) break;
    children.push(decodeField(field, bytes, at + field.at, machine));
  }
  return children;
}

function decodeField(of: Field, bytes: Uint8Array, at: number, machine: Machine): Node {
  const field = machine === 'arm64' ? (of.arm64 ?? of) : of;
  const { type, size } = field;
  const tree: Node = { name: field.name, at, length: size, value: null, field, doc: field.doc };
  if (at + size > bytes.length) tree.missing = true;
  if (tree.missing || field.show === 'padding') return tree;
  if (type === 'char') tree.value = decodeText(bytes, at, textEnd(bytes, at, size) - at);
  else if (field.length !== undefined) tree.children = decodeArray(field, field.length, bytes, at);
  else if (typeof type === 'string') tree.value = scalarAt(type, bytes, at);
  else tree.children = decodeFields(type, bytes, at, size, machine);
  return tree;
}

function decodeArray(field: Field, count: number, bytes: Uint8Array, at: number): Node[] {
  const { type } = field;
  const one = field.size / count;
  return Array.from({ length: count }, (_, i) => {
    const name = `[${i}]`;
    const place = at + i * one;
    if (typeof type !== 'string') return { ...decodeStruct(type, bytes, place), name };
    return { name, at: place, length: one, value: scalarAt(type, bytes, place), field };
  });
}

/** Marks a node whose bytes are not all there. */
export function node(of: Node, bytes: Uint8Array): Node {
  return of.at + of.length > bytes.length ? { ...of, missing: true } : of;
}

/** Where a fixed array of characters ends: at its first NUL. */
function textEnd(bytes: Uint8Array, at: number, size: number): number {
  const nul = bytes.subarray(at, at + size).indexOf(0);
  return nul < 0 ? at + size : at + nul;
}

/** One scalar, little-endian; all of its bytes have to be there. */
export function scalarAt(type: ScalarType, bytes: Uint8Array, at: number): number | bigint {
  switch (type) {
    case 'u8':
    case 'char':
      return bytes[at];
    case 'u16':
      return bytes[at] | (bytes[at + 1] << 8);
    case 'u32':
      return word(bytes, at) >>> 0;
    case 'i32':
      return word(bytes, at);
    case 'u64':
      return (BigInt(word(bytes, at + 4) >>> 0) << 32n) | BigInt(word(bytes, at) >>> 0);
    case 'i64':
      return (BigInt(word(bytes, at + 4)) << 32n) | BigInt(word(bytes, at) >>> 0);
  }
}

const word = (bytes: Uint8Array, at: number): number =>
  bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);

/** The node of a field of a decoded structure, by a path such as `attr.size`. */
export function find(tree: Node | undefined, path: string): Node | undefined {
  const dot = path.indexOf('.');
  const name = dot < 0 ? path : path.slice(0, dot);
  const child = tree?.children?.find((each) => each.name === name);
  return dot < 0 ? child : find(child, path.slice(dot + 1));
}

/** The number in a field, for sizes and counts; undefined when it is not there. Above 2^53 it is rounded. */
export function numberAt(tree: Node | undefined, path: string): number | undefined {
  const value = find(tree, path)?.value;
  return value === null || value === undefined || typeof value === 'string' ? undefined : Number(value);
}

export type Plain = number | bigint | string | null | readonly Plain[] | { readonly [name: string]: Plain };

/** A decoded structure as a plain object, without padding: what `encodeStruct` takes. */
export function plain(tree: Node): Plain {
  if (tree.children === undefined) return tree.value;
  if (tree.field?.length !== undefined) return tree.children.map(plain);
  const useful = tree.children.filter((child) => child.field?.show !== 'padding');
  return Object.fromEntries(useful.map((child) => [child.name, plain(child)]));
}
