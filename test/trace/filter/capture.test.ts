/** Filters over captures as the reader gives them: every field of every opcode, and a capture that grows. */
import assert from 'node:assert/strict';
import type { Plain } from '../../../src/protocol/decode';
import { opcodes, type OpcodeRow } from '../../../src/protocol/fuse/opcodes';
import { scalarSize, type StructTable } from '../../../src/protocol/struct';
import { CaptureReader } from '../../../src/trace/captureReader';
import { messageFields } from '../../../src/trace/filter/fields';
import { compileFilter, followFilter, select } from '../../../src/trace/filter/filter';
import { printText } from '../../../src/trace/filter/print';
import { CaptureBuilder, type ExchangeOptions, type FieldValues } from '../captureBuilder';
import { valuesIn } from './reference';
import type { Line } from './tableRows';

function read(builder: CaptureBuilder): CaptureReader {
  const reader = new CaptureReader();
  reader.push(builder.bytes());
  reader.end();
  return reader;
}

function rowsOf(reader: CaptureReader, text: string): number[] {
  const filter = compileFilter(text);
  assert.ok(filter.ok, filter.ok ? '' : `${text}: ${filter.error.message}`);
  return [...select(reader, filter.value)];
}

/** All bits in words that say which fields count, and a number of its own in each other field. */
function valuesOf(table: StructTable, next: () => number): FieldValues {
  const words = table.fields.flatMap((field) => field.validIf?.[0] ?? []);
  const entries = table.fields
    .filter((field) => field.show !== 'padding')
    .map((field): [string, Plain] => {
      if (typeof field.type !== 'string') return [field.name, valuesOf(field.type, next)];
      return [field.name, words.includes(field.name) ? 2 ** (8 * scalarSize[field.type]) - 1 : next()];
    });
  return Object.fromEntries(entries);
}

function full(opcode: OpcodeRow): ExchangeOptions {
  let last = 10;
  const next = (): number => ++last;
  const [args] = opcode.in;
  const data = opcode.inPayload?.kind;
  const counted = opcode.inPayload?.kind === 'records' ? { [opcode.inPayload.count]: 2 } : {};
  const asked = args === undefined ? {} : valuesOf(args, next);
  return {
    in: {
      ...asked,
      ...counted,
      ...(data === 'data' && 'size' in asked ? { size: 16 } : {}),
      ...(data === 'data' && 'in_size' in asked ? { in_size: 16 } : {}),
    },
    names: opcode.names.map((name) => `the ${name}`),
    ...(data === 'data' ? { payload: 16 } : data === 'records' ? { payload: new Uint8Array(32).fill(5) } : {}),
    out: opcode.out.map((table) => valuesOf(table, next)),
    ...(opcode.outPayload?.kind === 'names' ? { outPayload: 'user.a\0user.b\0' } : { outPayload: 'text' }),
    entries: [
      { name: 'one.db', ino: 7, out: opcode.name === 'READDIRPLUS' ? { nodeid: 9, attr: { size: 77 } } : {} },
      { name: 'two', ino: 8 },
    ],
  };
}

describe('filters over captures', () => {
  const builder = new CaptureBuilder().init({ flags: ['SETXATTR_EXT'] });
  for (const opcode of opcodes) {
    if (opcode.name === 'INIT' || opcode.name === 'DESTROY') continue;
    builder.exchange(opcode.name, full(opcode));
    if (opcode.outIfSizeZero) builder.exchange(opcode.name, { ...full(opcode), in: { size: 0 }, out: { size: 99 } });
  }
  const reader = read(builder);
  const lines = Array.from({ length: reader.count }, (_, row): Line => {
    const session = reader.session(row);
    const reply = reader.replyBytes(row).slice();
    return {
      request: reader.requestBytes(row).slice(),
      ...(reply.length > 0 ? { reply } : {}),
      ...(session ? { session } : {}),
    };
  });

  it('every field of every opcode is found in the rows that have it', () => {
    for (const { name } of messageFields) {
      if (name.startsWith('notify.')) continue;
      const found = lines.map((line) => valuesIn(line, name));
      const [value] = found.flat();
      assert.notEqual(value, undefined, `${name} is in no row`);
      const expected = found.flatMap((values, row) => (values.includes(value) ? [row] : []));
      const written = typeof value === 'string' ? printText(value) : value.toString();
      assert.deepEqual(rowsOf(reader, `${name} == ${written}`), expected, `${name} == ${written}`);
    }
  });

  it('opcodes, paths and phases come from the columns', () => {
    const small = read(
      new CaptureBuilder()
        .init()
        .exchange('LOOKUP', { names: ['a.db'], out: { nodeid: 2, attr: { mode: 0o100644, size: 5 } } })
        .exchange('READ', {
          nodeid: 2,
          in: { fh: 1, size: 4096 },
          outPayload: 4096,
          latency: 7_000_000,
          host: 6_000_000,
        })
        .exchange('LOOKUP', { names: ['b'], error: 'ENOENT', pid: 7 })
        .exchange('FORGET', { nodeid: 2, in: { nlookup: 1 } }),
    );
    assert.deepEqual(rowsOf(small, 'opcode == READ && latency > 5ms && path ~ "*.db"'), [2]);
    assert.deepEqual(rowsOf(small, 'path == "/a.db"'), [1, 2, 4]);
    assert.deepEqual(rowsOf(small, 'daemon == 1ms'), [2]);
    assert.deepEqual(rowsOf(small, 'error == ENOENT and pid == 7 and lookup.name == name'), [3]);
    assert.deepEqual(rowsOf(small, 'lookup.reply.attr.mode has S_IFREG'), [1]);
    assert.deepEqual(rowsOf(small, 'silent'), [4]);
    assert.deepEqual(rowsOf(small, 'cut'), [2]);
    assert.deepEqual(rowsOf(small, 'payload == 4K'), [2]);
    assert.deepEqual(rowsOf(small, 'time < "2023-11-14T22:13:21Z"').length, 5);
  });

  it('a capture that has grown is selected from where it was', () => {
    const growing = new CaptureReader();
    const bytes = new CaptureBuilder();
    for (let i = 0; i < 3000; i++)
      bytes.exchange(i % 3 === 0 ? 'LOOKUP' : 'GETATTR', { names: i % 3 === 0 ? [`f${i}`] : [] });
    const all = bytes.bytes();
    const filter = compileFilter('LOOKUP && path ~ "f*"');
    assert.ok(filter.ok);
    const found: number[] = [];
    const followed: number[] = [];
    const passes = followFilter(filter.value, growing);
    let seen = 0;
    for (let at = 0; at < all.length; at += 5000) {
      growing.push(all.subarray(at, at + 5000));
      found.push(...select(growing, filter.value, seen));
      for (; seen < growing.count; seen++) if (passes(seen)) followed.push(seen);
    }
    assert.deepEqual(
      found,
      Array.from({ length: 1000 }, (_, i) => 3 * i),
    );
    assert.deepEqual(followed, found);
  });
});
