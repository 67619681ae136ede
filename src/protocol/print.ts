/**
 * A field's value in kernel terms: `O_RDWR|O_CREAT`, `0100644`, `128K`, `ENOENT`.
 *
 * Owns the wording of single values; whole lines are in summary.ts. Printing never loses a bit: what no table names is
 * added as a hexadecimal number.
 */
import { errnoName } from './errno';
import { splitFlags, type EnumTable, type FlagTable } from './flagTable';
import type { Node, Value } from './decode';
import type { Field } from './struct';
import { quote } from './text';

/** The value of a node; '' for a group or padding, '?' for what is missing. */
export function printNode(node: Node): string {
  if (node.missing) return '?';
  if (node.value === null) return '';
  return node.field ? printValue(node.field, node.value) : printPlain(node.value);
}

export function printValue(field: Field, value: Value): string {
  if (value === null || typeof value === 'string') return printPlain(value);
  if (field.flags) return printFlags(field.flags, value);
  if (field.enum) return printEnum(field.enum, value, field.show === 'hex');
  switch (field.show) {
    case 'octal':
      return `0${value.toString(8)}`;
    case 'mode':
      return `0${value.toString(8).padStart(3, '0')}`;
    case 'hex':
      return printHex(value);
    case 'id':
      return printId(value);
    case 'size':
      return printSize(value);
    case 'errno':
      return Number(value) === 0 ? '0' : errnoName(Number(value));
    case 'device':
      return printDevice(Number(value));
    default:
      return value > Number.MAX_SAFE_INTEGER ? printHex(value) : value.toString();
  }
}

function printPlain(value: Value): string {
  return typeof value === 'string' ? quote(value) : value === null ? '' : value.toString();
}

export function printHex(value: number | bigint): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

/** nodeid and fh: a number, or beyond 32 bits (a generation beside an index, or somebody's pointer) hexadecimal. */
export function printId(value: number | bigint): string {
  return value > 0xffff_ffff ? printHex(value) : value.toString();
}

/** `|`-joined names with the table's prefix; '0' for none. Negative values are taken as the unsigned 64-bit ones. */
export function printFlags(table: FlagTable, value: number | bigint): string {
  const { rows, rest } = splitFlags(table, value);
  const names = rows.map((row) => table.prefix + row.name);
  if (rest !== 0n) names.push(printHex(rest));
  return names.length === 0 ? '0' : names.join('|');
}

/** The name with the table's prefix, or the number. */
export function printEnum(table: EnumTable, value: number | bigint, hex = false): string {
  const row = table.byValue.get(Number(value));
  return row ? table.prefix + row.name : hex ? printHex(value) : value.toString();
}

const units = ['', 'K', 'M', 'G', 'T', 'P'];

/** An exact multiple of 1024 with the largest unit that keeps it exact, else all digits. */
export function printSize(bytes: number | bigint): string {
  const exact = Number(bytes);
  if (!Number.isSafeInteger(exact)) return bytes.toString();
  let rest = exact;
  let unit = 0;
  while (rest >= 1024 && rest % 1024 === 0) {
    rest /= 1024;
    unit++;
  }
  return `${rest}${units[unit]}`;
}

/** major:minor, from the kernel's 32-bit encoding (new_encode_dev). */
export function printDevice(device: number): string {
  const major = (device >>> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  return `${major}:${minor}`;
}
