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
    const tree = decodeStruct(table, this.bytes, this.at, Math.min(size, this.left));
    this.structs.push(tree);
    this.nodes.push(tree);
    this.at += tree.length;
  }

  name(label: string): void {
    const nul = this.bytes.subarray(this.at, this.end).indexOf(0);
    const cut = nul < 0 && this.bytes.length < this.end;
    if (nul < 0 && !cut) this.problems.push(`${label} has no NUL`);
    const length = nul < 0 ? this.left : nul + 1;
    const text = decodeText(
      this.bytes,
      this.at,
      nul < 0 ? Math.max(0, Math.min(this.end, this.bytes.length) - this.at) : nul,
    );
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
    if (shape.kind === 'names') return nameNodes(bytes, at, size);
    if (shape.kind !== 'records') return undefined;
    const { record } = shape;
    const here = Math.min(size, Math.max(0, bytes.length - at));
    return Array.from({ length: Math.floor(here / record.size) }, (_, i) =>
      decodeStruct(record, bytes, at + i * record.size),
    );
  }

  rest(): void {
    if (this.left === 0) return;
    this.problems.push(`${this.left} bytes more than expected`);
    this.nodes.push(node({ name: 'rest', at: this.at, length: this.left, value: null }, this.bytes));
  }
}

const newest: SessionShape = { minor: Number.MAX_SAFE_INTEGER, hasFlag: () => true };

/**
 * Decodes a request. `bytes` starts at its header; `whole` is the length of the message as it was, when `bytes` has
 * been cut. Without a session the newest protocol is assumed, where the bytes do not say otherwise.
 */
export function decodeRequest(bytes: Uint8Array, session?: SessionShape): Request {
  const header = decodeStruct(InHeader, bytes);
  const number = numberAt(header, 'opcode') ?? 0;
  const reader = new Reader(bytes, header, numberAt(header, 'len') ?? bytes.length);
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
  const known = session ?? newest;
  opcode.in.forEach((table, i) => {
    let size = sizeInSession(opcode, 'in', i, known.minor, known.hasFlag);
    if (opcode.names.length === 0 && !opcode.inPayload && shortSizes(opcode, 'in').includes(reader.left)) {
      size = Math.min(size, reader.left);
    } else if (!session && opcode.name === 'SETXATTR' && shortSetxattr(reader)) {
      size = 8;
    }
    reader.struct(table, size);
  });
  for (const label of opcode.names) reader.name(label);
  if (opcode.inPayload) reader.data(opcode.inPayload, payloadLength(reader, opcode.inPayload));
  if (opcode.extensions && reader.left > 0) {
    const length = reader.left;
    reader.nodes.push(extensionNodes(reader.bytes, reader.at, length));
    reader.at += length;
  }
}

/** The sizes that a structure of this opcode has had in older versions. */
function shortSizes(opcode: OpcodeRow, of: 'in' | 'out'): number[] {
  return (opcode.compat ?? []).filter((c) => c.of === of).map((c) => c.size);
}

/** Without a session: a SETXATTR of 8 bytes is one where name and value fill the message exactly. */
function shortSetxattr(reader: Reader): boolean {
  const { bytes, at, end } = reader;
  if (at + 8 > bytes.length) return false;
  const nul = bytes.subarray(at + 8, end).indexOf(0);
  return nul > 0 && at + 8 + nul + 1 + Number(scalarAt('u32', bytes, at)) === end;
}

function payloadLength(reader: Reader, shape: PayloadShape): number {
  if (shape.kind === 'data' && shape.size) return numberAt(reader.structs[0], shape.size) ?? 0;
  if (shape.kind === 'records') return (numberAt(reader.structs[0], shape.count) ?? 0) * shape.record.size;
  return reader.left;
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

function replyBody(reader: Reader, opcode: OpcodeRow, asked: number | undefined, session = newest): void {
  const lengthOnly = asked === 0 && opcode.outIfSizeZero;
  const tables = lengthOnly || opcode.out;
  tables.forEach((table, i) => {
    let size = lengthOnly ? table.size : sizeInSession(opcode, 'out', i, session.minor, session.hasFlag);
    if (tables.length === 1 && shortSizes(opcode, 'out').includes(reader.left)) size = Math.min(size, reader.left);
    reader.struct(table, size);
  });
  if (opcode.outPayload && !lengthOnly) reader.data(opcode.outPayload, reader.left);
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
  for (let from = at; from < end;) {
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
