/**
 * What a person writes as the new value of a field, to the bytes of it: numbers, sizes, modes, flags and names of the
 * tables, errnos, quoted texts, hexadecimal bytes. The opposite of protocol/print.ts. Errors are values.
 */
import { errnos } from '../protocol/errno';
import type { Node } from '../protocol/decode';
import { scalarSize, type Field, type ScalarType } from '../protocol/struct';
import { encodeText } from '../protocol/text';

export type Parsed = { readonly bytes: Uint8Array } | { readonly wanted: string };

const UNITS = 'KMGTP';

/** Bytes for a node; names get their NUL. */
export function parseNode(node: Node, text: string): Parsed {
  const words = text.trim();
  const { field } = node;
  if (field === undefined) return typeof node.value === 'string' ? nameBytes(node, words) : dataBytes(words);
  if (node.children !== undefined || field.show === 'padding') return { wanted: 'a group: set the fields in it' };
  if (field.type === 'char') return nameBytes(node, words);
  const { type } = field;
  if (typeof type !== 'string') return { wanted: 'a group: set the fields in it' };
  const value = parseScalar(field, words);
  if (value === undefined || !fits(type, value)) return { wanted: wantedOf(field, type) };
  return { bytes: scalarBytes(type, value) };
}

function wantedOf({ flags, enum: names, show }: Field, type: ScalarType): string {
  if (show === 'errno') return 'an errno such as ENOENT, or 0';
  if (flags) return `flags such as ${flags.prefix}${flags.bits[0]?.name ?? ''}, joined with |`;
  if (names)
    return `one of ${names.rows
      .slice(0, 5)
      .map(({ name }) => names.prefix + name)
      .join(', ')}…`;
  return `a number that a ${type} holds${show === 'size' ? ', such as 4096 or 128K' : show === 'mode' ? ', such as 0644' : ''}`;
}

function parseScalar(field: Field, words: string): bigint | undefined {
  const number = parseNumber(words);
  if (field.show === 'errno') {
    const named = Object.hasOwn(errnos.value, words.replace(/^-/, ''))
      ? errnos.value[words.replace(/^-/, '') as keyof typeof errnos.value]
      : undefined;
    if (named !== undefined) return BigInt(-named);
    return number !== undefined && number > 0n ? -number : number;
  }
  if (number !== undefined) return number;
  const { flags, enum: names } = field;
  if (flags) {
    let bits = 0n;
    for (const word of words.split('|')) {
      const name = word.trim();
      const row = flags.bits.find((bit) => bit.name === name || flags.prefix + bit.name === name);
      const plain = row === undefined ? parseNumber(name) : BigInt(row.value >>> 0);
      if (plain === undefined) return undefined;
      bits |= plain;
    }
    return bits;
  }
  const row = names?.rows.find(({ name }) => name === words || names.prefix + name === words);
  return row === undefined ? undefined : BigInt(row.value);
}

/** Decimal, `0x`, `0b`, octal with a 0 in front, and with K, M, G, T or P. */
function parseNumber(words: string): bigint | undefined {
  const match = /^(-?)(0x[0-9a-f][0-9a-f_]*|0b[01][01_]*|[0-9][0-9_]*)([KMGTP]?)(?:i?B)?$/i.exec(words);
  if (!match || words.length > 40) return undefined;
  const digits = match[2].replaceAll('_', '');
  if (/^0[0-9]*[89]/.test(digits)) return undefined;
  const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const scaled = match[3] === '' ? value : value << BigInt(10 * (UNITS.indexOf(match[3].toUpperCase()) + 1));
  return match[1] === '-' ? -scaled : scaled;
}

function fits(type: ScalarType, value: bigint): boolean {
  const bits = scalarSize[type] * 8;
  const signed = type === 'i32' || type === 'i64';
  return (signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)) === value;
}

function scalarBytes(type: ScalarType, value: bigint): Uint8Array {
  return Uint8Array.from({ length: scalarSize[type] }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

/** A name with or without quotes. Bytes that are no text are `\xNN`, as they are shown. */
function nameBytes(node: Node, words: string): Parsed {
  const quoted = /^"(.*)"$/s.exec(words);
  const bytes = encodeText(quoted ? unquoted(quoted[1]) : words);
  if (bytes.includes(0)) return { wanted: 'a text without NUL' };
  if (node.field?.type === 'char') {
    if (bytes.length > node.length) return { wanted: `a text of at most ${node.length} bytes` };
    return { bytes: Uint8Array.from({ length: node.length }, (_, i) => bytes[i] ?? 0) };
  }
  // A link's target has no NUL; names do.
  return { bytes: node.name === 'data' ? bytes : Uint8Array.from([...bytes, 0]) };
}

const MARKS: Readonly<Record<string, string>> = { '"': '"', n: '\n', t: '\t' };

/** What `quote` has made of a text, back. A doubled backslash and `\xNN` stay: they are `encodeText`'s. */
const unquoted = (text: string): string =>
  text.replace(
    /\\(?:\\|x[0-9a-f]{2}|(["nt])|u([0-9a-f]{4}))/g,
    (whole, mark: string | undefined, code: string | undefined) =>
      mark !== undefined ? MARKS[mark] : code !== undefined ? String.fromCharCode(parseInt(code, 16)) : whole,
  );

/** Hexadecimal bytes, or a quoted text. */
function dataBytes(words: string): Parsed {
  const quoted = /^"(.*)"$/s.exec(words);
  if (quoted) return { bytes: encodeText(unquoted(quoted[1])) };
  const digits = words.replace(/^0x/, '').replaceAll(/[\s,]/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) return { wanted: 'bytes such as "6f 6b", or a text in quotes' };
  return { bytes: Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16)) };
}
