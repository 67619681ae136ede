/** What holds for any values and any bytes. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeStruct, plain, type Node, type Plain } from '../../src/protocol/decode';
import { encodeStruct } from '../../src/protocol/encode';
import { opcodes } from '../../src/protocol/fuse/opcodes';
import * as fuse from '../../src/protocol/fuse/structs';
import { decodeReply, decodeRequest } from '../../src/protocol/message';
import { printNode, printSize } from '../../src/protocol/print';
import { scalarSize, type Field, type StructTable } from '../../src/protocol/struct';
import { replyLine, requestLine } from '../../src/protocol/summary';
import { decodeText, encodeText, quote } from '../../src/protocol/text';
import { Config } from '../../src/protocol/virtio/fs';
import * as ring from '../../src/protocol/virtio/ring';
import * as vhostUser from '../../src/protocol/vhostUser/structs';

const tables = [...Object.values(fuse), ...Object.values(vhostUser), ...Object.values(ring), Config].filter(
  (value): value is StructTable => typeof value === 'object' && 'fields' in value && value !== vhostUser.ShmemConfig,
);

function valuesOf(table: StructTable): fc.Arbitrary<Record<string, Plain>> {
  const useful = table.fields.filter((field) => field.show !== 'padding');
  return fc.record(Object.fromEntries(useful.map((field) => [field.name, valueOf(field)])), { noNullPrototype: true });
}

function valueOf(field: Field): fc.Arbitrary<Plain> {
  const { type } = field;
  if (typeof type !== 'string') return valuesOf(type);
  if (type === 'char') return fc.stringMatching(/^[a-zä]{0,18}$/);
  const bits = scalarSize[type] * 8;
  const signed = type.startsWith('i');
  const one: fc.Arbitrary<Plain> =
    bits === 64
      ? fc.bigInt(signed ? -(1n << 63n) : 0n, (1n << (signed ? 63n : 64n)) - 1n)
      : fc.integer(signed ? { min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 } : { min: 0, max: 2 ** bits - 1 });
  return field.length === undefined ? one : fc.array(one, { minLength: field.length, maxLength: field.length });
}

function everyNode(nodes: readonly Node[], visit: (node: Node) => void): void {
  for (const node of nodes) {
    visit(node);
    everyNode(node.children ?? [], visit);
  }
}

describe('properties of encode and decode', () => {
  it('decoding what was encoded gives the values again, for every structure', () => {
    for (const table of tables) {
      fc.assert(
        fc.property(valuesOf(table), (values) => {
          assert.deepEqual(plain(decodeStruct(table, encodeStruct(table, values))), { ...values });
        }),
        { numRuns: 10 },
      );
    }
  });

  it('values that do not fit are refused', () => {
    assert.throws(() => encodeStruct(fuse.MkdirIn, { mode: 2 ** 32 }), RangeError);
    assert.throws(() => encodeStruct(fuse.MkdirIn, { mode: -1 }), RangeError);
    assert.throws(() => encodeStruct(fuse.MkdirIn, { mode: 1.5 }), RangeError);
    assert.throws(() => encodeStruct(fuse.MkdirIn, { mode: 'x' }), RangeError);
    assert.throws(() => encodeStruct(fuse.StatfsOut, { st: 5 }), RangeError);
    assert.throws(() => encodeStruct(fuse.MkdirIn as StructTable, { umode: 1 }), /no field umode/);
    assert.throws(() => encodeStruct(Config, { tag: 'x'.repeat(37) }), RangeError);
  });

  it('any bytes decode, print and summarise without an exception, and no node lies outside of its message', () => {
    const body = fc.uint8Array({ maxLength: 200 });
    const opcode = fc.oneof(fc.constantFrom(...opcodes.map((row) => row.number)), fc.nat(0xffff_ffff));
    fc.assert(
      fc.property(opcode, body, body, fc.nat(300), fc.boolean(), (number, requestBytes, replyBytes, len, honest) => {
        const bytes = Uint8Array.from(requestBytes);
        if (bytes.length >= 8) {
          const view = new DataView(bytes.buffer);
          view.setUint32(4, number, true);
          view.setUint32(0, honest ? bytes.length : len, true);
        }
        const request = decodeRequest(bytes);
        const reply = Uint8Array.from(replyBytes);
        if (honest && reply.length >= 16) {
          const view = new DataView(reply.buffer);
          view.setUint32(0, reply.length, true);
          view.setInt32(4, 0, true);
        }
        const answer = decodeReply(reply, request);
        assert.equal(typeof requestLine(request) + typeof replyLine(answer), 'stringstring');
        for (const message of [request, answer]) {
          everyNode(message.nodes, (node) => {
            assert.equal(typeof printNode(node), 'string');
            if (node !== message.header)
              assert.ok(node.at + node.length <= Math.max(message.length, message.header.length));
          });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('properties of text', () => {
  it('any bytes survive being shown as text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) =>
        assert.deepEqual(encodeText(decodeText(bytes)), Uint8Array.from(bytes)),
      ),
    );
  });

  it('text is decoded as UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
        assert.equal(decodeText(new TextEncoder().encode(text)), text.replaceAll('\\', '\\\\'));
      }),
    );
    assert.equal(decodeText(Uint8Array.of(0x61, 0xff, 0xc3)), 'a\\xff\\xc3');
    assert.equal(decodeText(Uint8Array.of(0xed, 0xa0, 0x80)), '\\xed\\xa0\\x80');
  });

  it('quoted text stays on one line, and cannot turn the reading direction', () => {
    assert.equal(quote('a\tb\n"c"\u001b[31m\u202e'), '"a\\tb\\n\\"c\\"\\u001b[31m\\u202e"');
  });

  it('sizes lose nothing', () => {
    assert.deepEqual([0, 1023, 1024, 131072, 131073, 2 ** 40].map(printSize), [
      '0',
      '1023',
      '1K',
      '128K',
      '131073',
      '1T',
    ]);
  });
});
