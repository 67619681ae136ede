/**
 * A whole FUSE request, reply or notification: its header, structures, names and payload, as trees of fields.
 *
 * Reads the opcode table and nothing else. Never throws, and takes whatever bytes there are: a message cut by the snap
 * length of a capture, an opcode nobody knows, nonsense from a hostile guest. What is wrong is in `problems`.
 */
import { decodeStruct, find, node, numberAt, scalarAt, type Node } from './decode';
import { notifyCodes } from './fuse/flags';
import { notifications, opcodeByNumber, sizeInSession, type OpcodeRow, type PayloadShape } from './fuse/opcodes';
import { extensionNodes } from './extensions';
import { direntNodes } from './dirents';
import type { Machine } from './machine';
import { InHeader, OutHeader } from './fuse/structs';
import type { StructTable } from './struct';
import { decodeText } from './text';

/** What INIT has negotiated, as far as it changes the shape of messages. */
export interface SessionShape {
  minor: number;
  /** Was this INIT flag (without FUSE_) negotiated? */
  hasFlag(name: string): boolean;
}

export interface Message {
  /** The opcode's row; undefined for a number that means nothing. */
  opcode: OpcodeRow | undefined;
  header: Node;
  /** The structures after the header. */
  structs: readonly Node[];
  /** The names, in order; empty texts for those missing. */
  names: readonly string[];
  /** The bytes that follow; their range counts from the start of the message, and may go beyond what is there. */
  payload: Node | undefined;
  /** Everything, for a tree view: header, structures, names, payload, extensions. */
  nodes: readonly Node[];
  /** Bytes that the whole message has (its header's len), however many of them are here. */
  length: number;
  problems: readonly string[];
}

export interface Request extends Message {
  kind: 'request';
  number: number;
  unique: bigint;
  nodeid: bigint;
}

export interface Reply extends Message {
  kind: 'reply' | 'notification';
  /** 0, or a negative errno. */
  error: number;
  unique: bigint;
  /** The request's `size` field, where it has one. */
  asked: number | undefined;
}

/** XATTR_LIST_MAX of the kernel is as many bytes; a message that says it is one may be of millions of empty names. */
const MOST_NAMES = 65536;

/** A cursor over the message: everything it takes becomes nodes. */
class Reader {
  readonly nodes: Node[] = [];
  readonly structs: Node[] = [];
  readonly names: string[] = [];
  readonly problems: string[] = [];
  payload: Node | undefined;
  at: number;

  constructor(
    readonly bytes: Uint8Array,
    readonly header: Node,
    /** Where the message ends, as its header says. */
    readonly end: number,
    readonly machine: Machine = 'x86-64',
  ) {
    this.at = header.length;
    this.nodes.push(header);
    if (header.missing) this.problems.push(`${bytes.length} bytes are no ${header.name}`);
    else if (end < header.length) this.problems.push(`len is ${end}, less than its header`);
    else if (end < bytes.length) this.problems.push(`len is ${end}, but there are ${bytes.length} bytes`);
  }

  get left(): number {
    return Math.max(0, this.end - this.at);
  }

  struct(table: StructTable, size: number): void {
    if (size === 0) return;
    if (this.left < size) this.problems.push(`${table.name} needs ${size} bytes, ${this.left} are left`);
    const tree = decodeStruct(table, this.bytes, this.at, Math.min(size, this.left), this.machine);
    this.structs.push(tree);
    this.nodes.push(tree);
    this.at += tree.length;
  }

  name(label: string): void {
    const here = this.bytes.subarray(this.at, this.end);
    const nul = here.indexOf(0);
    if (nul < 0 && this.bytes.length >= this.end) this.problems.push(`${label} has no NUL`);
    const length = nul < 0 ? this.left : nul + 1;
    const text = decodeText(here, 0, nul < 0 ? here.length : nul);
    this.names.push(text);
    this.nodes.push(node({ name: label, at: this.at, length, value: text }, this.bytes));
    this.at += length;
  }

  data(shape: PayloadShape, length: number): void {
    if (length > this.left) this.problems.push(`${length} bytes are announced, ${this.left} are left`);
    const size = Math.min(length, this.left);
    const children = this.children(shape, size);
    const value =
      shape.kind === 'text' && this.at + size <= this.bytes.length ? decodeText(this.bytes, this.at, size) : null;
    const base: Node = { name: 'data', at: this.at, length: size, value, doc: shape.doc };
    this.payload = node(children ? { ...base, children } : base, this.bytes);
    this.nodes.push(this.payload);
    this.at += size;
  }

  private children(shape: PayloadShape, size: number): Node[] | undefined {
    const { bytes, at } = this;
    if (shape.kind === 'dirents') return direntNodes(shape.record, bytes, at, size);
    if (shape.kind === 'names') return this.list(nameNodes(bytes, at, size));
    if (shape.kind !== 'records') return undefined;
    const { record } = shape;
    const here = Math.min(size, Math.max(0, bytes.length - at));
    return Array.from({ length: Math.floor(here / record.size) }, (_, i) =>
      decodeStruct(record, bytes, at + i * record.size),
    );
  }

  private list(names: Node[]): Node[] {
    if (names.length === MOST_NAMES) this.problems.push(`only the first ${MOST_NAMES} names are decoded`);
    return names;
  }

  rest(): void {
    if (this.left === 0) return;
    this.problems.push(`${this.left} bytes more than expected`);
    this.nodes.push(node({ name: 'rest', at: this.at, length: this.left, value: null }, this.bytes));
  }
}

/**
 * Decodes a request. `bytes` starts at its header, and may be cut short of what that header's len says. Without a
 * session the newest protocol is assumed, where the bytes do not say otherwise. `machine`: the guest's.
 */
export function decodeRequest(bytes: Uint8Array, session?: SessionShape, machine?: Machine): Request {
  const header = decodeStruct(InHeader, bytes);
  const number = numberAt(header, 'opcode') ?? 0;
  const reader = new Reader(bytes, header, numberAt(header, 'len') ?? bytes.length, machine);
  const opcode = opcodeByNumber(number);
  if (opcode) requestBody(reader, opcode, session);
  else if (!header.missing) reader.problems.push(`${number} is no opcode`);
  reader.rest();
  return {
    kind: 'request',
    number,
    unique: wide(header, 'unique'),
    nodeid: wide(header, 'nodeid'),
    ...message(reader, opcode),
  };
}

function requestBody(reader: Reader, opcode: OpcodeRow, session: SessionShape | undefined): void {
  const alone = opcode.names.length === 0 && !opcode.inPayload;
  opcode.in.forEach((table, i) => {
    const short = !session && opcode.name === 'SETXATTR' && shortSetxattr(reader);
    reader.struct(table, short ? 8 : structSize(opcode, 'in', i, alone ? reader.left : undefined, session));
  });
  for (const label of opcode.names) reader.name(label);
  if (opcode.inPayload) reader.data(opcode.inPayload, payloadLength(reader, opcode.inPayload));
  if (opcode.extensions && reader.left > 0) {
    const length = reader.left;
    reader.nodes.push(extensionNodes(reader.bytes, reader.at, length));
    reader.at += length;
  }
}

/**
 * Bytes of a structure in this message. Where nothing else is in it (`left` is given), the message itself says so, as
 * far as the session allows; that is how INIT, which makes the session, is understood.
 */
function structSize(
  opcode: OpcodeRow,
  of: 'in' | 'out',
  index: number,
  left: number | undefined,
  session: SessionShape | undefined,
): number {
  const full = opcode[of][index].size;
  const possible = (opcode.compat ?? []).filter(
    (c) => c.of === of && c.index === index && (c.below === undefined || !session || session.minor < c.below),
  );
  if (left !== undefined && (left === full || possible.some((c) => c.size === left))) return left;
  return session ? sizeInSession(opcode, of, index, session.minor, session.hasFlag) : full;
}

/** Without a session: a SETXATTR of 8 bytes is one where name and value fill the message exactly. */
function shortSetxattr(reader: Reader): boolean {
  const { bytes, at, end } = reader;
  if (at + 8 > bytes.length) return false;
  const nul = bytes.subarray(at + 8, end).indexOf(0);
  return nul > 0 && at + 8 + nul + 1 + Number(scalarAt('u32', bytes, at)) === end;
}

/** What the request's own field announces; all that is left where there is none, or the capture has cut it off. */
function payloadLength(reader: Reader, shape: PayloadShape): number {
  const [args] = reader.structs;
  if (shape.kind === 'data' && shape.size) return numberAt(args, shape.size) ?? reader.left;
  if (shape.kind !== 'records') return reader.left;
  const count = numberAt(args, shape.count);
  return count === undefined ? reader.left : count * shape.record.size;
}

/** Decodes the reply to `request`, or a notification, which has no request (`unique` 0). */
export function decodeReply(bytes: Uint8Array, request?: Request, session?: SessionShape): Reply {
  const header = decodeStruct(OutHeader, bytes);
  const error = numberAt(header, 'error') ?? 0;
  const unique = wide(header, 'unique');
  const reader = new Reader(bytes, header, numberAt(header, 'len') ?? bytes.length);
  const asked = numberAt(request?.structs[0], 'size');
  const isNotification = unique === 0n && error > 0;
  if (isNotification) notificationBody(reader, error);
  else if (error > 0 || error <= -4096) reader.problems.push(`${error} is no errno`);
  else if (error === 0 && request?.opcode) replyBody(reader, request.opcode, asked, session);
  if (request && !header.missing && unique !== request.unique)
    reader.problems.push('unique is not that of the request');
  reader.rest();
  return {
    kind: isNotification ? 'notification' : 'reply',
    error,
    unique,
    asked,
    ...message(reader, request?.opcode),
  };
}

function replyBody(reader: Reader, opcode: OpcodeRow, asked: number | undefined, session?: SessionShape): void {
  if (asked === 0 && opcode.outIfSizeZero) {
    for (const table of opcode.outIfSizeZero) reader.struct(table, table.size);
    return;
  }
  const alone = opcode.out.length === 1 && !opcode.outPayload;
  opcode.out.forEach((table, i) => {
    reader.struct(table, structSize(opcode, 'out', i, alone ? reader.left : undefined, session));
  });
  if (opcode.outPayload) reader.data(opcode.outPayload, reader.left);
}

function notificationBody(reader: Reader, code: number): void {
  const row = notifications.find((each) => each.code === code);
  if (!row) return void reader.problems.push(`${code} is no notification`);
  for (const table of row.out) reader.struct(table, table.size);
  if (row.outPayload) reader.data(row.outPayload, reader.left);
}

function nameNodes(bytes: Uint8Array, at: number, size: number): Node[] {
  const nodes: Node[] = [];
  const end = Math.min(at + size, bytes.length);
  for (let from = at; from < end && nodes.length < MOST_NAMES;) {
    const nul = bytes.subarray(from, end).indexOf(0);
    const length = nul < 0 ? end - from : nul;
    nodes.push({ name: `[${nodes.length}]`, at: from, length: length + 1, value: decodeText(bytes, from, length) });
    from += length + 1;
  }
  return nodes;
}

function wide(header: Node, field: string): bigint {
  const value = find(header, field)?.value;
  return typeof value === 'bigint' ? value : 0n;
}

function message(reader: Reader, opcode: OpcodeRow | undefined): Message {
  const { header, structs, names, payload, nodes, problems, end } = reader;
  return { opcode, header, structs, names, payload, nodes, length: end, problems };
}

/** The name of a notification, without its prefix. */
export const notificationName = (code: number): string => notifyCodes.byValue.get(code)?.name ?? `code ${code}`;
