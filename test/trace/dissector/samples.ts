/**
 * Captures that have everything in them: each opcode, notification, host call and vhost-user message, with values that
 * differ from field to field.
 */
import type { Plain } from '../../../src/protocol/decode';
import { concatenate, encodeStruct, type Values } from '../../../src/protocol/encode';
import { notifications, opcodes, type OpcodeRow } from '../../../src/protocol/fuse/opcodes';
import { ExtHeader, Secctx, SecctxHeader, SuppGroups } from '../../../src/protocol/fuse/structs';
import { hostCalls } from '../../../src/protocol/hostCalls';
import type { Machine } from '../../../src/protocol/machine';
import { scalarSize, type Field, type StructTable } from '../../../src/protocol/struct';
import { backendRequests, requests } from '../../../src/protocol/vhostUser/requests';
import { CaptureBuilder, type Entry, type FieldValues } from '../captureBuilder';

/** How values are chosen: different ones, every bit set, or nothing. */
export type Filling = 'different' | 'ones' | 'zero';

class Chosen {
  private next = 1;

  constructor(private readonly filling: Filling) {}

  of(table: StructTable): FieldValues {
    const useful = table.fields.filter((field) => field.show !== 'padding');
    return Object.fromEntries(useful.map((field) => [field.name, this.field(field)]));
  }

  private field(field: Field): Plain {
    if (typeof field.type !== 'string') return this.of(field.type);
    if (field.length !== undefined) return Array.from({ length: field.length }, () => this.number(field));
    return this.number(field);
  }

  private number(field: Field): number | bigint {
    const bits = 8 * scalarSize[field.type as keyof typeof scalarSize];
    const signed = field.type === 'i32' || field.type === 'i64';
    if (this.filling === 'zero') return 0;
    const value = this.filling === 'ones' ? -1n : BigInt(this.next++) * 0x0123_4567_89ab_cdefn;
    const wide = signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
    return bits === 64 ? wide : Number(wide);
  }
}

const NAMES = ['first.db', 'second name', 'drei ä€𝄞', 'back\\slash', '"quoted"\n', '*'.repeat(255)];

/** Fields that say how much follows are left to the builder. */
const sizes = (row: OpcodeRow): FieldValues => {
  const shape = row.inPayload;
  if (shape?.kind === 'data' && shape.size) return { [shape.size]: 24 };
  return shape?.kind === 'records' ? { [shape.count]: 2 } : {};
};

function entries(values: Chosen, record: StructTable): Entry[] {
  const out = record.fields[0].type;
  return NAMES.map((name, i) => {
    const more = typeof out === 'string' ? {} : { out: values.of(out) };
    return { name, ino: 1000 + i, off: i + 1, type: [8, 4, 10, 2, 99, 0][i], ...more };
  });
}

function addOpcode(builder: CaptureBuilder, row: OpcodeRow, filling: Filling): void {
  const values = new Chosen(filling);
  const payload = row.inPayload?.kind === 'records' ? 2 * row.inPayload.record.size : row.inPayload ? 24 : undefined;
  const first = row.in.length > 0 ? values.of(row.in[0]) : {};
  const dirents = row.outPayload?.kind === 'dirents' ? row.outPayload.record : undefined;
  const text = row.outPayload?.kind === 'names' ? 'user.a\0user.b\0' : 'a target\\ä';
  const outPayload = row.outPayload && !dirents ? (row.outPayload.kind === 'data' ? 4096 : text) : undefined;
  builder.exchange(row.name, {
    nodeid: 7,
    uid: 1,
    gid: 2,
    pid: 3,
    names: row.names.map((_, i) => NAMES[(row.number + i) % NAMES.length]),
    in: { ...first, ...sizes(row), ...(row.name === 'GETXATTR' || row.name === 'LISTXATTR' ? { size: 64 } : {}) },
    ...(payload === undefined ? {} : { payload }),
    out: row.out.map((table) => values.of(table)),
    ...(outPayload === undefined ? {} : { outPayload }),
    ...(dirents ? { entries: entries(values, dirents) } : {}),
    queued: 1234,
    host: 2345,
    writing: 345,
    latency: 12_345,
    later: row.number % 2 === 0,
    held: row.number % 3 === 0 ? 7000 : 0,
    changed: row.number % 5 === 0,
  });
}

/** Each opcode with its reply, with an error, and those that ask for a size only; in a session with everything. */
export function everyOpcode(filling: Filling, machine: Machine = 'x86-64'): CaptureBuilder {
  const builder = new CaptureBuilder({ tag: 'every', snaplen: 4096, machine });
  builder.init({ flags: ['SETXATTR_EXT', 'SECURITY_CTX', 'CREATE_SUPP_GROUP'] });
  // INIT would make another session of whatever the values are.
  const rows = opcodes.filter((row) => row.name !== 'INIT');
  for (const row of rows) addOpcode(builder, row, filling);
  for (const row of rows.filter((each) => each.outIfSizeZero)) {
    builder.exchange(row.name, { names: row.names.map(() => 'user.x'), in: { size: 0 }, out: { size: 77 } });
  }
  for (const row of rows.filter((each) => each.extensions)) builder.exchange(row.name, withExtensions(row));
  for (const row of rows.filter((each) => each.reply)) builder.exchange(row.name, { error: 'ENOENT' });
  builder.exchange('INIT', {
    in: new Chosen(filling).of(opcodes.find((row) => row.name === 'INIT')?.in[0] as StructTable),
  });
  return builder;
}

function withExtensions(row: OpcodeRow): { names: string[]; payload: Uint8Array } {
  const names = row.names.map((label) => `new ${label}`);
  const context = concatenate([
    encodeStruct(SecctxHeader, { size: 8 + 8 + 17 + 7, nr_secctx: 1 }),
    encodeStruct(Secctx, { size: 8 } as Values),
    new TextEncoder().encode('security.selinux\0'),
    new TextEncoder().encode('label_t\0'),
  ]);
  const groups = concatenate([
    encodeStruct(ExtHeader, { size: 8 + 4 + 8, type: 32 }),
    encodeStruct(SuppGroups, { nr_groups: 2 }),
    Uint8Array.of(10, 0, 0, 0, 20, 0, 0, 0),
  ]);
  const unknown = encodeStruct(ExtHeader, { size: 8, type: 4711 });
  const padded = (bytes: Uint8Array): Uint8Array => concatenate([bytes, new Uint8Array(-bytes.length & 7)]);
  return { names, payload: concatenate([padded(context), padded(groups), unknown]) };
}

export function everyNotification(filling: Filling): CaptureBuilder {
  const builder = new CaptureBuilder().init();
  for (const { code, out, outPayload } of notifications) {
    const values = new Chosen(filling);
    const body = out.map((table) => encodeStruct(table, values.of(table) as Values));
    const data = outPayload?.kind === 'names' ? 'gone.txt\0' : outPayload ? '16 bytes of data' : '';
    builder.notification(code, concatenate([...body, new TextEncoder().encode(data)]));
  }
  return builder.notification(77, new Uint8Array(5));
}

/** Each host call three times: well, failed, and on another thread, of no request. */
export function everyHostCall(machine: Machine = 'x86-64'): CaptureBuilder {
  const builder = new CaptureBuilder({ machine }).init();
  for (const row of hostCalls) {
    builder.request('GETATTR', { nodeid: 1 });
    const args = row.arguments.map((_, i) => BigInt(i + 3) * 0x0101_0101n);
    const texts = row.arguments.filter(({ kind }) => kind === 'path').map((_, i) => NAMES[(row.number + i) % 4]);
    builder.hostCall(row.name, { arguments: args, texts, result: 5, duration: 1500 });
    builder.hostCall(row.name, { arguments: args.map(() => -100n), texts, result: -2, duration: 5_000_000_000 });
    builder.reply(undefined, { calls: 2 });
    builder.hostCall(row.name, { arguments: args.map(() => 0), texts, of: null, otherThread: true });
  }
  return builder;
}

/** Each vhost-user request and each answer. */
export function everyVhostUser(): CaptureBuilder {
  const builder = new CaptureBuilder();
  const values = new Chosen('different');
  for (const [rows, backend] of [
    [requests, false],
    [backendRequests, true],
  ] as const) {
    for (const row of rows) {
      const body = (table: StructTable | null): Uint8Array =>
        table ? encodeStruct(table, values.of(table) as Values) : new Uint8Array(0);
      builder.vhostUser(row.id, { payload: body(row.payload), toFrontEnd: backend, descriptors: 1 });
      builder.vhostUser(row.id, { payload: body(row.reply), toFrontEnd: !backend, flags: 5 });
    }
  }
  return builder;
}

/** A recorded conversation (test/vhostUser/transcripts). */
export function transcript(text: string): CaptureBuilder {
  const builder = new CaptureBuilder();
  const messages: { hex: string; toFrontEnd: boolean; descriptors: number }[] = [];
  for (const line of text.split('\n').map((each) => each.split(';')[0].trim())) {
    const said = /^(>|<)(?:\+(\d+))? ([0-9a-f ]+)$/.exec(line);
    if (said) messages.push({ hex: said[3], toFrontEnd: said[1] === '<', descriptors: Number(said[2] ?? 0) });
    else if (/^[0-9a-f ]+$/.test(line) && messages.length > 0) messages[messages.length - 1].hex += line;
  }
  for (const { hex, toFrontEnd, descriptors } of messages) {
    const bytes = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    const view = new DataView(bytes.buffer);
    const options = { flags: view.getUint32(4, true), payload: bytes.slice(12), toFrontEnd, descriptors };
    builder.vhostUser(view.getUint32(0, true), options);
  }
  return builder;
}
