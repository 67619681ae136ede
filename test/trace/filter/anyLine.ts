/** Requests and replies with random contents: of any session, some cut short, some lying about their length. */
import fc from 'fast-check';
import { concatenate, encodeReply, encodeRequest, encodeStruct, type Values } from '../../../src/protocol/encode';
import { opcodes, sizeInSession, type OpcodeRow, type PayloadShape } from '../../../src/protocol/fuse/opcodes';
import { recordAlign } from '../../../src/protocol/fuse/structs';
import type { SessionShape } from '../../../src/protocol/message';
import { scalarSize, type StructTable } from '../../../src/protocol/struct';
import { encodeText } from '../../../src/protocol/text';
import type { Line } from './tableRows';

const session: fc.Arbitrary<SessionShape | undefined> = fc.option(
  fc.record({ minor: fc.constantFrom(3, 4, 8, 11, 12, 22, 31, 38, 46), all: fc.boolean() }).map(({ minor, all }) => ({
    minor,
    hasFlag: () => all,
  })),
  { nil: undefined },
);

/** Small numbers more often than large ones, so that flags are off now and then. */
function valuesOf(table: StructTable): fc.Arbitrary<Values> {
  const useful = table.fields.filter((field) => field.show !== 'padding');
  const entries = useful.map((field) => {
    if (typeof field.type !== 'string') return [field.name, valuesOf(field.type)] as const;
    const bits = scalarSize[field.type] * 8 - (field.type.startsWith('i') ? 1 : 0);
    const wide = fc.bigInt(0n, (1n << BigInt(bits)) - 1n);
    return [field.name, fc.oneof(fc.bigInt(0n, 3n), wide)] as const;
  });
  return fc.record(Object.fromEntries(entries), { noNullPrototype: true }) as fc.Arbitrary<Values>;
}

const name = fc.stringMatching(/^[a-zäß.\\]{1,8}$/);

function payload(shape: PayloadShape | undefined): fc.Arbitrary<Uint8Array> {
  if (shape?.kind === 'text') return name.map(encodeText);
  if (shape?.kind === 'names') {
    return fc.array(name, { maxLength: 3 }).map((names) => concatenate(names.map((each) => withNul(each))));
  }
  if (shape?.kind === 'dirents') {
    const { record } = shape;
    const one = fc.tuple(valuesOf(record), name).map(([values, text]) => {
      const bytes = encodeText(text);
      const entry = new Uint8Array(recordAlign(record.size + bytes.length));
      entry.set(encodeStruct(record, values));
      new DataView(entry.buffer).setUint32(record.size - 8, bytes.length, true);
      entry.set(bytes, record.size);
      return entry;
    });
    return fc.array(one, { maxLength: 3 }).map(concatenate);
  }
  const minLength = shape?.kind === 'records' ? 32 : 0;
  return fc.uint8Array({ minLength, maxLength: 40 }).map((bytes) => Uint8Array.from(bytes));
}

const withNul = (text: string): Uint8Array => Uint8Array.from([...encodeText(text), 0]);

const wholes = (tables: readonly StructTable[]): fc.Arbitrary<Uint8Array[]> =>
  fc.tuple(...tables.map((table) => valuesOf(table).map((values) => encodeStruct(table, values))));

export function lineOf(opcode: OpcodeRow): fc.Arbitrary<Line> {
  const parts = fc.record({
    session,
    structs: wholes(opcode.in),
    names: fc.tuple(...opcode.names.map(() => name)),
    data: payload(opcode.inPayload),
    out: wholes(opcode.out),
    outZero: wholes(opcode.outIfSizeZero ?? []),
    outData: payload(opcode.outPayload),
    error: fc.constantFrom(0, 0, 0, 0, -2),
    answered: fc.constantFrom(true, true, true, false),
    harm: fc.record({
      cut: fc.option(fc.nat(200), { freq: 4, nil: undefined }),
      cutReply: fc.option(fc.nat(200), { freq: 4, nil: undefined }),
      length: fc.option(fc.nat(300), { freq: 9, nil: undefined }),
      count: fc.nat(2),
    }),
  });
  return parts.map(({ session: shape, structs, names, data, out, outZero, outData, error, answered, harm }) => {
    const sized = (of: 'in' | 'out', bytes: Uint8Array[]): Uint8Array[] =>
      bytes.map((each, i) => {
        const size = shape ? sizeInSession(opcode, of, i, shape.minor, shape.hasFlag) : each.length;
        return each.slice(0, size);
      });
    const header = { opcode: opcode.number, unique: 7, nodeid: 1, uid: 1000, gid: 1000, pid: 1 };
    let request = encodeRequest(header, ...sized('in', structs), ...names, ...(opcode.inPayload ? [data] : []));
    if (opcode.inPayload?.kind === 'records') new DataView(request.buffer).setUint32(40, harm.count, true);
    if (harm.length !== undefined) new DataView(request.buffer).setUint32(0, harm.length, true);
    if (harm.cut !== undefined) request = request.slice(0, Math.max(40, harm.cut));
    const line: Line = { request, ...(shape ? { session: shape } : {}) };
    if (!answered || !opcode.reply) return line;
    const body = outZero.length > 0 && structs[0]?.[0] === 0 ? outZero : sized('out', out);
    const reply =
      error === 0 ? encodeReply(7, 0, ...body, ...(opcode.outPayload ? [outData] : [])) : encodeReply(7, error);
    return { ...line, reply: harm.cutReply === undefined ? reply : reply.slice(0, Math.max(16, harm.cutReply)) };
  });
}

export const anyLine: fc.Arbitrary<Line> = fc.constantFrom(...opcodes).chain(lineOf);
