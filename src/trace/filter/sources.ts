/**
 * How the value of a field is read from a row: a function for each field, made once for a set of rows.
 *
 * A number that is not there is NaN, so that comparisons with it are false by themselves; a text that is not there is
 * undefined. Scalars come straight from their place in the bytes. The decoder is asked where the place depends on what
 * the session negotiated and that cannot be told at a glance, and for what has no fixed place.
 */
import { find, scalarAt, type Node, type Value } from '../../protocol/decode';
import { opcodeByNumber, type CompatSize, type OpcodeRow } from '../../protocol/fuse/opcodes';
import { GetxattrIn, InHeader, OutHeader } from '../../protocol/fuse/structs';
import type { ScalarType, StructTable } from '../../protocol/struct';
import { scalarSize } from '../../protocol/struct';
import { decodeText } from '../../protocol/text';
import { RowFlag } from '../capture';
import { i32, u32 } from './words';
import type { BytesSource, Field, FlagTest, Source } from './fields';
import type { Rows } from './rows';

export type ReadNumber = (row: number) => number;
export type ReadExact = (row: number) => number | bigint | undefined;
export type ReadText = (row: number) => string | undefined;

type PayloadSource = Extract<Source, { kind: 'payload' }>;
type NameSource = Extract<Source, { kind: 'name' }>;

const { REPLIED, ORPHAN } = RowFlag;

export function numberReader({ source }: Field, rows: Rows): ReadNumber {
  const { columns } = rows;
  const { flags } = columns;
  switch (source.kind) {
    case 'column': {
      const column = columns[source.column];
      const { mask, want } = source.present;
      if (mask === 0) return (row) => column[row];
      return (row) => ((flags[row] & mask) === want ? column[row] : NaN);
    }
    case 'daemon': {
      const { latency, host, writing, held } = columns;
      const { mask, want } = source.present;
      return (row) => ((flags[row] & mask) === want ? latency[row] - host[row] - writing[row] - held[row] : NaN);
    }
    case 'bytes':
      return bytesReader(source, rows);
    case 'flags':
    case 'path':
    case 'name':
    case 'payload':
      return () => NaN;
  }
}

/** The same with all 64 bits. */
export function exactReader({ source }: Field, rows: Rows): ReadExact | undefined {
  const bytes = source.kind === 'column' ? source.exact : source.kind === 'bytes' ? source : undefined;
  if (!bytes || scalarSize[bytes.type] < 8) return undefined;
  const place = placeOf(bytes, rows);
  return (row) => {
    const at = place.find(row);
    if (at === DECODE) return exact(decoded(bytes, rows, row));
    return at < 0 ? undefined : scalarAt(bytes.type, place.bytes, at);
  };
}

export const flagReader =
  ({ mask, want }: FlagTest, negated: boolean, { columns: { flags } }: Rows): ((row: number) => boolean) =>
  (row) =>
    ((flags[row] & mask) === want) !== negated;

const exact = (value: Value | undefined): number | bigint | undefined =>
  typeof value === 'number' || typeof value === 'bigint' ? value : undefined;

const ABSENT = -1;
const DECODE = -2;

const scalars: Readonly<Record<ScalarType, (bytes: Uint8Array, at: number) => number>> = {
  u8: (bytes, at) => bytes[at],
  char: (bytes, at) => bytes[at],
  u16: (bytes, at) => bytes[at] | (bytes[at + 1] << 8),
  u32,
  i32,
  u64: (bytes, at) => u32(bytes, at + 4) * 0x1_0000_0000 + u32(bytes, at),
  i64: (bytes, at) => i32(bytes, at + 4) * 0x1_0000_0000 + u32(bytes, at),
};

function bytesReader(source: BytesSource, rows: Rows): ReadNumber {
  const place = placeOf(source, rows);
  const scalar = scalars[source.type];
  return (row) => {
    const at = place.find(row);
    if (at === DECODE) {
      const value = exact(decoded(source, rows, row));
      return value === undefined ? NaN : Number(value);
    }
    return at < 0 ? NaN : scalar(place.bytes, at);
  };
}

/** Is a row one that can have the field: of its opcode, answered without an error, or that notification? */
export function guardOf(source: BytesSource | PayloadSource, { columns }: Rows): (row: number) => boolean {
  const { flags, opcode, error } = columns;
  const { side, notification } = source;
  const number = source.opcode?.number;
  if (notification !== undefined) {
    return (row) => (flags[row] & ORPHAN) !== 0 && error[row] > 0 && (notification < 0 || error[row] === notification);
  }
  if (number === undefined) return () => true;
  if (side === 'request') return (row) => opcode[row] === number;
  return (row) => opcode[row] === number && (flags[row] & (REPLIED | ORPHAN)) === REPLIED && error[row] === 0;
}

interface Place {
  /** The message that `find` has looked at. */
  bytes: Uint8Array;
  /** Where in it the value of the row is; ABSENT, or DECODE when the decoder has to say. */
  find: ReadNumber;
}

function placeOf(source: BytesSource, rows: Rows): Place {
  const { side, at, end, validIf, ifSizeZero } = source;
  const guard = guardOf(source, rows);
  const settled = source.varies && source.opcode ? settledTest(source, source.opcode, rows) : undefined;
  const sizeAt = InHeader.size + GetxattrIn.offset.size;
  const place: Place = { bytes: new Uint8Array(0), find };
  return place;

  function find(row: number): number {
    if (!guard(row)) return ABSENT;
    if (ifSizeZero !== undefined) {
      const request = rows.requestBytes(row);
      if (request.length < sizeAt + 4 || u32(request, 0) < sizeAt + 4) return ABSENT;
      if ((u32(request, sizeAt) === 0) !== ifSizeZero) return ABSENT;
    }
    const bytes = side === 'request' ? rows.requestBytes(row) : rows.replyBytes(row);
    if (bytes.length < 4) return ABSENT;
    const length = u32(bytes, 0);
    if (settled && !settled(row, length)) return DECODE;
    if (bytes.length < end || (length < end && source.index >= 0)) return ABSENT;
    if (validIf && (u32(bytes, validIf.at) & validIf.mask) === 0) return ABSENT;
    place.bytes = bytes;
    return at;
  }
}

/** Are the structures as long as the newest protocol has them? What message.ts decides, for the clear cases. */
function settledTest(source: BytesSource, opcode: OpcodeRow, rows: Rows): (row: number, length: number) => boolean {
  const of = source.side === 'request' ? 'in' : 'out';
  const alone =
    of === 'in' ? opcode.names.length === 0 && !opcode.inPayload : opcode.out.length === 1 && !opcode.outPayload;
  const whole = opcode[of].reduce((sum, table: StructTable) => sum + table.size, headerSize(source));
  const full = newest(opcode, of, rows);
  return (row, length) => (alone && length === whole) || (!alone && full(row));
}

const headerSize = ({ side }: { side: 'request' | 'reply' }): number =>
  side === 'request' ? InHeader.size : OutHeader.size;

/** Does the session use the full size of all structures? Without a session the newest protocol is assumed. */
function newest(opcode: OpcodeRow, of: CompatSize['of'], rows: Rows): (row: number) => boolean {
  const sizes = (opcode.compat ?? []).filter((c) => c.of === of);
  const flag = sizes.find((c) => c.without !== undefined)?.without;
  const below = Math.max(0, ...sizes.map((c) => c.below ?? 0));
  return (row) => {
    const session = rows.session(row);
    if (!session) return flag === undefined;
    return session.minor >= below && (flag === undefined || session.hasFlag(flag));
  };
}

function decoded(source: BytesSource, rows: Rows, row: number): Value | undefined {
  return decodedNode(source, rows, row)?.value;
}

function decodedNode(source: BytesSource, rows: Rows, row: number): Node | undefined {
  const message = source.side === 'request' ? rows.request(row) : rows.reply(row);
  const tree = source.index < 0 ? message?.header : message?.structs[source.index];
  const found = find(tree, source.path);
  if (!found || found.missing) return undefined;
  const word = found.field?.validIf;
  if (word) {
    const flags = find(tree, word[0])?.value;
    if (typeof flags !== 'number' || (flags & word[1]) === 0) return undefined;
  }
  return found;
}

/** The field as the decoder has it, to be printed. */
export function nodeReader(source: BytesSource, rows: Rows): (row: number) => Node | undefined {
  const guard = guardOf(source, rows);
  return (row) => (guard(row) ? decodedNode(source, rows, row) : undefined);
}

/** A text of a row other than its path, which bind.ts remembers. */
export function textReader({ source }: Field, rows: Rows): ReadText {
  if (source.kind === 'path') {
    const { path } = rows.columns;
    const part = source.part === 'path' ? (text: string): string => text : lastName;
    return (row) => (path[row] === 0 ? undefined : part(rows.path(path[row])));
  }
  return source.kind === 'name' ? nameReader(source, rows) : () => undefined;
}

/** The root's name is a slash. */
export const lastName = (path: string): string => path.slice(path.lastIndexOf('/', path.length - 2) + 1) || path;

function nameReader({ opcode, index, at, varies }: NameSource, rows: Rows): ReadText {
  const { number } = opcode;
  const { columns } = rows;
  const full = newest(opcode, 'in', rows);
  return (row) => {
    if (columns.opcode[row] !== number) return undefined;
    if (varies && !full(row)) return decodedName(opcode, index, rows, row);
    const bytes = rows.requestBytes(row);
    if (bytes.length < at) return undefined;
    const end = u32(bytes, 0);
    const there = Math.min(end, bytes.length);
    let from = at;
    for (let i = 0; ; i++) {
      if (from >= there) return undefined;
      let nul = from;
      while (nul < there && bytes[nul] !== 0) nul++;
      // Cut off by the capture: not the name. Without a NUL by its sender: what there is.
      if (nul === there && bytes.length < end) return undefined;
      if (i === index) return decodeText(bytes, from, nul - from);
      from = nul + 1;
    }
  };
}

function decodedName(opcode: OpcodeRow, index: number, rows: Rows, row: number): string | undefined {
  const label = opcode.names[index];
  const found = rows.request(row)?.nodes.find((each) => each.name === label && !each.field && !each.children);
  return found && !found.missing && found.length > 0 && typeof found.value === 'string' ? found.value : undefined;
}

/** Does any value of the payload pass the test? */
export function payloadReader(
  source: PayloadSource,
  rows: Rows,
  passes: (value: Value) => boolean,
): (row: number) => boolean {
  const guard = guardOf(source, rows);
  const { side, path } = source;
  return (row) => {
    if (!guard(row)) return false;
    const payload = (side === 'request' ? rows.request(row) : rows.reply(row))?.payload;
    if (!payload) return false;
    if (!payload.children) return !payload.missing && payload.value !== null && passes(payload.value);
    return payload.children.some((each) => {
      const value = valueIn(each, path);
      return value !== null && value !== undefined && passes(value);
    });
  };
}

function valueIn(record: Node, path: string): Value | undefined {
  // Names one after the other are nodes without fields in them.
  const found = record.children ? find(record, path) : record;
  return found && !found.missing ? found.value : undefined;
}

/** For ordering: what it costs to look. */
export function costOf({ source }: Field): number {
  switch (source.kind) {
    case 'column':
    case 'flags':
    case 'daemon':
      return 1;
    case 'path':
      return 3;
    case 'bytes':
      return opcodeByNumber(source.opcode?.number ?? 0) ? 10 : 12;
    case 'name':
      return 40;
    case 'payload':
      return 200;
  }
}
