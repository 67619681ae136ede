/**
 * Bytes to a tree of fields, each with its byte range, driven by the structure tables.
 *
 * For viewers, logs and tests: it allocates, and 64-bit fields are bigint. Never throws: what is not there (a message
 * cut short, by its sender or by the capture) is a node with `value` null and `missing` set. Message shapes are in
 * message.ts.
 */
import { scalarSize, type Field, type ScalarType, type StructTable } from './struct';
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
 * peers; fields beyond it have no node.
 */
export function decodeStruct(table: StructTable, bytes: Uint8Array, at = 0, length = table.size): Node {
  const size = Math.min(length, table.size);
  const children = table.fields
    .filter((field) => field.at + field.size <= size)
    .map((field) => decodeField(field, bytes, at + field.at));
  return node({ name: table.name, at, length: size, value: null, doc: table.doc, children }, bytes);
}

function decodeField(field: Field, bytes: Uint8Array, at: number): Node {
  const base = { name: field.name, at, length: field.size, field, doc: field.doc };
  if (field.show === 'padding' || at + field.size > bytes.length) return node({ ...base, value: null }, bytes);
  const { type } = field;
  if (type === 'char') return { ...base, value: decodeText(bytes, at, textEnd(bytes, at, field.size) - at) };
  if (field.length === undefined) {
    if (typeof type === 'string') return { ...base, value: scalarAt(type, bytes, at) };
    return { ...base, value: null, children: decodeStruct(type, bytes, at).children ?? [] };
  }
  const one = field.size / field.length;
  const children = Array.from({ length: field.length }, (_, i) => {
    const name = `[${i}]`;
    if (typeof type !== 'string') return { ...decodeStruct(type, bytes, at + i * one), name };
    return { name, at: at + i * one, length: one, value: scalarAt(type, bytes, at + i * one), field };
  });
  return { ...base, value: null, children };
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
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, scalarSize[type]);
  switch (type) {
    case 'u8':
    case 'char':
      return view.getUint8(0);
    case 'u16':
      return view.getUint16(0, true);
    case 'u32':
      return view.getUint32(0, true);
    case 'i32':
      return view.getInt32(0, true);
    case 'u64':
      return view.getBigUint64(0, true);
    case 'i64':
      return view.getBigInt64(0, true);
  }
}

/** The node of a field of a decoded structure, by a path such as `attr.size`. */
export function find(tree: Node | undefined, path: string): Node | undefined {
  return path.split('.').reduce<Node | undefined>((at, name) => at?.children?.find((c) => c.name === name), tree);
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
