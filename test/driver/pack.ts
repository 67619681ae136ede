/**
 * Structures of the wire tables, to and from bytes: the driver's own few lines, so that it does not share the product's
 * encoder and a mistake there shows.
 */
import { scalarSize, type StructTable } from '../../src/protocol/struct';

export type Values<Name extends string> = { readonly [K in Name]?: number | bigint };

/** A structure's bytes; fields not named are 0. Nested structures are set through their own `pack` at their offset. */
export function pack<Name extends string>(table: StructTable<Name>, values: Values<Name>): Uint8Array {
  const bytes = new Uint8Array(table.size);
  const view = new DataView(bytes.buffer);
  for (const field of table.fields) {
    const value = values[field.name as Name];
    if (value === undefined) continue;
    if (typeof field.type !== 'string') throw new Error(`${table.name}.${field.name} is a structure`);
    const wide = BigInt.asUintN(64, BigInt(value));
    if (scalarSize[field.type] === 8) view.setBigUint64(field.at, wide, true);
    else if (scalarSize[field.type] === 4) view.setUint32(field.at, Number(BigInt.asUintN(32, wide)), true);
    else view.setUint16(field.at, Number(BigInt.asUintN(16, wide)), true);
  }
  return bytes;
}

/** Reads fields of a structure that lies in bytes. */
export class Fields<Name extends string> {
  private readonly view: DataView;

  constructor(
    private readonly table: StructTable<Name>,
    bytes: Uint8Array,
    at = 0,
  ) {
    if (bytes.length < at + table.size) throw new Error(`${table.name}: ${bytes.length - at} of ${table.size} bytes`);
    this.view = new DataView(bytes.buffer, bytes.byteOffset + at, table.size);
  }

  /** Exact up to 2^53; signed where the table says so. */
  number(name: Name): number {
    return Number(this.big(name));
  }

  big(name: Name): bigint {
    const field = this.table.fields.find((row) => row.name === name);
    if (!field || typeof field.type !== 'string') throw new Error(`${this.table.name}.${name} is no number`);
    switch (field.type) {
      case 'u64':
        return this.view.getBigUint64(field.at, true);
      case 'i64':
        return this.view.getBigInt64(field.at, true);
      case 'u32':
        return BigInt(this.view.getUint32(field.at, true));
      case 'i32':
        return BigInt(this.view.getInt32(field.at, true));
      case 'u16':
        return BigInt(this.view.getUint16(field.at, true));
      default:
        return BigInt(this.view.getUint8(field.at));
    }
  }
}

/** A name on the wire. */
export const text = (name: string | Uint8Array): Uint8Array => Buffer.concat([Buffer.from(name), Buffer.of(0)]);
