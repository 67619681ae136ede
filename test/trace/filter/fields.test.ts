/** Every field of the tables: it has a name and a sentence, compiles, and finds its value in a message that has it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { concatenate, encodeReply, encodeRequest, encodeStruct, type Values } from '../../../src/protocol/encode';
import { notifyCodes } from '../../../src/protocol/fuse/flags';
import { notifications, opcodes, type OpcodeRow, type PayloadShape } from '../../../src/protocol/fuse/opcodes';
import { scalarSize, type StructTable } from '../../../src/protocol/struct';
import { encodeText } from '../../../src/protocol/text';
import { anyFields, builtIn, fields, findOpcode, messageFields } from '../../../src/trace/filter/fields';
import { compileFilter, select } from '../../../src/trace/filter/filter';
import { fieldList } from '../../../src/trace/filter/fieldList';
import { printText } from '../../../src/trace/filter/print';
import { valuesIn } from './reference';
import { tableRows, type Line } from './tableRows';

/** All bits in words that say which fields count, and a number of its own in each other field. */
function valuesOf(table: StructTable, next: () => number): Values {
  const words = table.fields.flatMap((field) => field.validIf?.[0] ?? []);
  const entries = table.fields
    .filter((field) => field.show !== 'padding')
    .map((field) => {
      if (typeof field.type !== 'string') return [field.name, valuesOf(field.type, next)];
      return [field.name, words.includes(field.name) ? 2 ** (8 * scalarSize[field.type]) - 1 : next()];
    });
  return Object.fromEntries(entries) as Values;
}

function payloadOf(shape: PayloadShape, next: () => number): Uint8Array {
  if (shape.kind === 'text') return encodeText('../target');
  if (shape.kind === 'names') return Uint8Array.from([...encodeText('user.a'), 0, ...encodeText('user.b'), 0]);
  if (shape.kind === 'data') return new Uint8Array(8);
  const record = encodeStruct(shape.record, valuesOf(shape.record, next));
  if (shape.kind === 'records') return concatenate([record, record]);
  new DataView(record.buffer).setUint32(shape.record.size - 8, 8, true);
  return concatenate([record, encodeText('name.txt')]);
}

/** A request with everything and its reply; `zero`: one that asks for nothing but a size. */
function lineOf(opcode: OpcodeRow, zero: boolean): Line {
  let last = 1;
  const next = (): number => (last = (last % 120) + 1);
  const structs = opcode.in.map((table) => {
    const values: Record<string, Values[string]> = { ...valuesOf(table, next) };
    if (zero) values.size = 0;
    if (opcode.inPayload?.kind === 'records') values[opcode.inPayload.count] = 2;
    if (opcode.inPayload?.kind === 'data' && opcode.inPayload.size) values[opcode.inPayload.size] = 8;
    return encodeStruct(table, values);
  });
  const data = opcode.inPayload ? [payloadOf(opcode.inPayload, next)] : [];
  const names = opcode.names.map((name) => `a ${name}`);
  const request = encodeRequest({ opcode: opcode.number, unique: 4, nodeid: 2 }, ...structs, ...names, ...data);
  if (!opcode.reply) return { request };
  const out = (zero ? (opcode.outIfSizeZero ?? []) : opcode.out).map((table) =>
    encodeStruct(table, valuesOf(table, next)),
  );
  const outData = opcode.outPayload && !zero ? [payloadOf(opcode.outPayload, next)] : [];
  return { request, reply: encodeReply(4, 0, ...out, ...outData) };
}

const lines = opcodes.flatMap((opcode) =>
  opcode.outIfSizeZero ? [lineOf(opcode, false), lineOf(opcode, true)] : [lineOf(opcode, false)],
);
const rows = tableRows(lines);

const selected = (text: string, from = rows): number[] => {
  const filter = compileFilter(text);
  assert.ok(filter.ok, filter.ok ? '' : `${text}: ${filter.error.message}`);
  return [...select(from, filter.value)];
};

describe('fields of the filter language', () => {
  it('are all those of the tables, each under one name and with a sentence', () => {
    assert.ok(messageFields.length > 300, `${messageFields.length} fields`);
    assert.equal(new Set(fields.map(({ name }) => name)).size, fields.length);
    for (const { name, doc } of fields) {
      assert.match(name, /^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*$/);
      assert.match(doc, /\.$/, `${name}: ${doc}`);
    }
    const scalars = (table: StructTable): number =>
      table.fields.reduce((sum, field) => {
        if (field.show === 'padding') return sum;
        return sum + (typeof field.type === 'string' ? 1 : scalars(field.type));
      }, 0);
    for (const opcode of opcodes) {
      const tables = [...opcode.in, ...opcode.out, ...(opcode.outIfSizeZero ?? [])];
      for (const payload of [opcode.inPayload, opcode.outPayload])
        if (payload && 'record' in payload) tables.push(payload.record);
      const texts = [opcode.outPayload, opcode.inPayload].filter(
        (p) => p && ['text', 'names', 'dirents'].includes(p.kind),
      );
      const own = messageFields.filter(({ name }) => name.startsWith(`${opcode.name.toLowerCase()}.`));
      const expected = tables.reduce((sum, table) => sum + scalars(table), 0) + opcode.names.length + texts.length;
      assert.equal(own.length, expected, opcode.name);
    }
  });

  it('find their values: each in exactly the rows whose message has it', () => {
    for (const { name, type } of messageFields) {
      if (name.startsWith('notify.')) continue;
      const found = lines.map((line) => valuesIn(line, name));
      assert.ok(
        found.some((values) => values.length > 0),
        `${name} is in no message`,
      );
      const [value] = found.flat();
      const written = typeof value === 'string' ? printText(value) : value.toString();
      const expected = found.flatMap((values, row) => (values.some((each) => each === value) ? [row] : []));
      assert.deepEqual(selected(`${name} == ${written}`), expected, name);
      if (typeof value !== 'string') continue;
      assert.equal(type.kind, 'text');
      assert.deepEqual(selected(`${name} ~ ${printText(`${value.slice(0, -1)}?`)}`), expected, name);
    }
  });

  it('of notifications find theirs', () => {
    for (const { code, out } of notifications) {
      const name = `notify.${notifyCodes.byValue.get(code)?.name.toLowerCase()}.`;
      const own = messageFields.filter((field) => field.name.startsWith(name) && field.type.kind === 'number');
      let last = 10;
      const body = out.map((table) =>
        encodeStruct(
          table,
          valuesOf(table, () => ++last),
        ),
      );
      const table = tableRows([lines[0], { reply: encodeReply(0, code, ...body) }]);
      assert.deepEqual(selected(`notification == ${code}`, table), [1]);
      assert.deepEqual(selected('notification', table), [1]);
      assert.deepEqual(selected('orphan', table), [1]);
      own.forEach((field, i) => assert.deepEqual(selected(`${field.name} == ${11 + i}`, table), [1], field.name));
    }
  });

  it('without an opcode mean that field of whichever opcode the row has', () => {
    const handles = messageFields.filter(({ name }) => /^[a-z0-9_]+\.fh$/.test(name)).map(({ name }) => name);
    const expected = new Set(handles.flatMap((name) => selected(`${name} >= 0`)));
    assert.ok(expected.size > 10);
    assert.deepEqual(
      selected('fh >= 0'),
      [...expected].sort((a, b) => a - b),
    );
    assert.deepEqual(selected('reply.attr.size >= 0').length, selected('reply.attr.size >= 0 && replied').length);
    // Of SETXATTR these are other flags; the name says which opcodes are meant.
    assert.deepEqual(
      selected('flags has O_CREAT').filter((row) => selected('setxattr.flags >= 0').includes(row)),
      [],
    );
  });

  it('a name that is built in is never an abbreviation, and no field has the name of an opcode', () => {
    for (const { name } of builtIn) assert.equal(anyFields.has(name), false, name);
    for (const name of [...builtIn.map((field) => field.name), ...anyFields.keys()])
      assert.equal(findOpcode(name), undefined, name);
    for (const { variants } of anyFields.values()) assert.equal(new Set(variants.map(({ type }) => type.kind)).size, 1);
  });

  it('are listed in docs/filter-language.md (UPDATE_DOCS=1 writes the list)', () => {
    const file = join(__dirname, '../../../../docs/filter-language.md');
    const page = readFileSync(file, 'utf8');
    const start = '<!-- fields -->\n';
    const at = page.indexOf(start) + start.length;
    assert.ok(at >= start.length);
    if (process.env.UPDATE_DOCS) writeFileSync(file, `${page.slice(0, at)}\n${fieldList()}`);
    assert.equal(readFileSync(file, 'utf8').slice(at), `\n${fieldList()}`);
  });
});
