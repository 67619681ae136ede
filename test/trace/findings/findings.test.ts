import * as assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { Errno } from '../../../src/protocol/errno';
import { Opcode } from '../../../src/protocol/fuse/opcodes';
import { EntryOut, InHeader, OutHeader, ReadIn } from '../../../src/protocol/fuse/structs';
import { type Capture, RowFlag } from '../../../src/trace/capture';
import { findingCodes, findingJson, findings, findingTable } from '../../../src/trace/findings/findings';
import { CaptureBuilder } from '../captureBuilder';
import { healthyTraffic } from './healthyGuest';
import { found, only, read, silent, usualFlags } from './scene';

describe('findings', () => {
  it('are silent about a guest that is well: boot, ls -lR, cp -r, a build', () => {
    const built = healthyTraffic();
    assert.ok(read(built).count > 5000, 'the fixture has traffic');
    silent(built);
  });

  it('find the one file that the host changes under it', () => {
    const built = healthyTraffic((guest) => guest.hostAppends('src/mod3/file3.c'));
    const { total, path } = only(built, 'stale-cache');
    assert.deepEqual([total, path], [1, '/src/mod3/file3.c']);
  });

  it('are silent about a capture without rows', () => silent(new CaptureBuilder()));

  /** A guest with many troubles. */
  const troubled = (): CaptureBuilder => {
    const built = new CaptureBuilder().init({ flags: usualFlags });
    for (let i = 0; i < 300; i++) built.exchange('OPEN', { nodeid: 2, error: i % 2 ? 'EACCES' : 'ESTALE' });
    return built.exchange('LOOKUP', { names: ['a'], error: 'EMFILE' });
  };

  it('come with the worst first, and in the order of the table', () => {
    assert.deepEqual(
      found(troubled()).map(({ severity, code }) => [severity, code]),
      [
        ['error', 'descriptors-exhausted'],
        ['warning', 'estale'],
        ['warning', 'permission-errors'],
      ],
    );
  });

  it('name as many rows as asked for, and count all', () => {
    const [, estale] = findings(read(troubled()), { rows: 5 });
    assert.deepEqual([...estale.rows], [1, 3, 5, 7, 9]);
    assert.equal(estale.total, 150);
  });

  it('look only for what is asked for', () => {
    const codes = findings(read(troubled()), { codes: ['estale', 'small-io'] }).map((each) => each.code);
    assert.deepEqual(codes, ['estale']);
  });

  it('go through JSON', () => {
    const [, estale] = found(troubled());
    const json: unknown = JSON.parse(JSON.stringify(findingJson(estale)));
    const { title, means, remedy } = findingTable.estale;
    const rows = [...estale.rows];
    assert.deepEqual(json, {
      code: 'estale',
      severity: 'warning',
      title,
      means,
      text: estale.text,
      remedy,
      rows,
      total: 150,
    });
  });

  it('have a row in the table each, with whole sentences to do', () => {
    for (const code of findingCodes) {
      const { title, means, remedy } = findingTable[code];
      assert.match(code, /^[a-z]+(-[a-z]+)*$/);
      assert.match(title, /^[^.]+$/);
      for (const sentence of [means, remedy]) assert.match(sentence, /^.+\.$/);
    }
  });

  describe('whatever the rows are', () => {
    const u32 = fc.nat(0xffff_ffff);
    /** Small numbers, so that rows are about the same things, and some that are not. */
    const id = fc.oneof(
      { weight: 5, arbitrary: fc.nat(6) },
      { weight: 1, arbitrary: fc.double({ noNaN: true, min: 0 }) },
    );
    const bytes = (header: number) =>
      fc.oneof(
        fc.uint8Array({ maxLength: header + EntryOut.size + 200 }),
        fc.uint8Array({ minLength: header + EntryOut.size, maxLength: header + EntryOut.size + 64 }),
      );
    const row = fc.record({
      opcode: fc.oneof({ weight: 20, arbitrary: fc.nat(55) }, { weight: 1, arbitrary: fc.nat(0xffff) }),
      error: fc.oneof(
        { weight: 3, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: -133, max: 9 }) },
      ),
      start: fc.oneof(fc.nat(1e9), fc.double()),
      latency: fc.oneof(fc.nat(1e9), fc.double(), fc.constant(NaN)),
      queued: fc.oneof(fc.nat(1e8), fc.float()),
      nodeid: id,
      path: fc.nat(12),
      pid: fc.nat(4),
      uid: u32,
      flags: fc.oneof({ weight: 4, arbitrary: fc.constant(RowFlag.REPLIED) }, { weight: 1, arbitrary: fc.nat(1023) }),
      request: bytes(InHeader.size),
      reply: bytes(OutHeader.size),
    });
    type AnyRow = typeof row extends fc.Arbitrary<infer T> ? T : never;

    function captureOf(rows: readonly AnyRow[], gaps: readonly number[], control: readonly Uint8Array[]): Capture {
      const numbers = (of: (each: AnyRow) => number): Float64Array => Float64Array.from(rows, of);
      const zeros = new Uint32Array(rows.length);
      const floats = new Float32Array(rows.length);
      return {
        count: rows.length,
        columns: {
          start: numbers((each) => each.start),
          latency: numbers((each) => each.latency),
          queued: Float32Array.from(rows, (each) => each.queued),
          host: floats,
          writing: floats,
          held: floats,
          opcode: Uint16Array.from(rows, (each) => each.opcode),
          queue: new Uint16Array(rows.length),
          error: Int16Array.from(rows, (each) => each.error),
          nodeid: numbers((each) => each.nodeid),
          uid: Uint32Array.from(rows, (each) => each.uid),
          gid: zeros,
          pid: Uint32Array.from(rows, (each) => each.pid),
          requestLength: zeros,
          replyLength: zeros,
          payload: zeros,
          path: Uint32Array.from(rows, (each) => each.path),
          otherPath: zeros,
          calls: new Uint16Array(rows.length),
          flags: Uint16Array.from(rows, (each) => each.flags),
        },
        origin: 1_700_000_000_123_456_789n,
        path: (index) => (index === 0 ? '' : `/p${index}\n`),
        paths: 10,
        requestBytes: (index) => rows[index].request,
        replyBytes: (index) => rows[index].reply,
        request: () => undefined,
        reply: () => undefined,
        session: () => undefined,
        hostCalls: () => [],
        control: control.map((each) => ({ start: 0, fromFrontEnd: true, descriptors: 0, bytes: each })),
        gaps: gaps.map((each) => ({ row: each, packets: 1 })),
        share: {},
        notes: [],
      };
    }

    const capture = fc
      .tuple(
        fc.array(row, { maxLength: 60 }),
        fc.array(fc.nat(70), { maxLength: 2 }),
        fc.array(fc.uint8Array({ maxLength: 24 }), { maxLength: 4 }),
      )
      // Many times over: thresholds are met.
      .chain(([rows, gaps, control]) =>
        fc
          .constantFrom(1, 30)
          .map((times) => captureOf(Array.from({ length: times }, () => rows).flat(), gaps, control)),
      );

    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const heldBytes = (): number => {
      collect();
      return process.memoryUsage().arrayBuffers;
    };

    it('memory has an end: ids that never come again', () => {
      const rows = 700_000;
      const opcodes = [Opcode.LOOKUP, Opcode.FORGET, Opcode.OPEN, Opcode.READ, Opcode.GETXATTR, Opcode.READDIR];
      const reply = new Uint8Array(OutHeader.size + EntryOut.size);
      const request = new Uint8Array(InHeader.size + ReadIn.size);
      const node = new DataView(reply.buffer);
      const handle = new DataView(request.buffer);
      const errors = [0, 0, 0, 0, -Errno.ENODATA, -Errno.EACCES];
      const one: AnyRow = { ...fc.sample(row, 1)[0], flags: RowFlag.REPLIED, start: 5, latency: 5, request, reply };
      const plain = captureOf([one], [], []);
      const column = (of: (index: number) => number): Float64Array =>
        Float64Array.from({ length: rows }, (_, i) => of(i));
      const filled = column((i) => i);
      let most = 0;
      let sampled = 0;
      const { columns } = plain;
      const capture: Capture = {
        ...plain,
        count: rows,
        paths: rows,
        columns: {
          ...columns,
          start: column((i) => i * 1000),
          latency: column(() => 5),
          queued: Float32Array.from(filled.fill(0)),
          host: Float32Array.from(filled),
          writing: Float32Array.from(filled),
          nodeid: column((i) => i + 1),
          path: Uint32Array.from(column((i) => i)),
          opcode: Uint16Array.from(column((i) => opcodes[i % opcodes.length])),
          error: Int16Array.from(column((i) => errors[i % errors.length])),
          flags: Uint16Array.from(column(() => RowFlag.REPLIED)),
          queue: new Uint16Array(rows),
          uid: new Uint32Array(rows),
          gid: new Uint32Array(rows),
          pid: new Uint32Array(rows),
        },
        requestBytes: (index) => {
          handle.setUint32(InHeader.size, index + 1, true);
          return request;
        },
        replyBytes: (index) => {
          if (index >= sampled + 65_536) {
            sampled = index;
            most = Math.max(most, heldBytes());
          }
          node.setUint32(OutHeader.size, index + 1, true);
          return reply;
        },
      };
      const before = heldBytes();
      findings(capture);
      assert.ok(most > before, 'it was measured');
      assert.ok(most - before < 120e6, `${Math.round((most - before) / 1e6)} MB`);
    });

    it('nothing throws, and every finding is whole', () => {
      const met = new Set<string>();
      fc.assert(
        fc.property(capture, (random) => {
          for (const each of findings(random, { rows: 7 })) {
            met.add(each.code);
            assert.ok(each.rows.length <= 7 && each.rows.length <= Math.max(each.total * 2, 1));
            for (const [i, index] of each.rows.entries()) {
              assert.ok(index < random.count && (i === 0 || index > each.rows[i - 1]));
            }
            assert.doesNotMatch(each.text, /undefined|NaN|\n/);
          }
        }),
        { numRuns: 200 },
      );
      assert.ok(met.size >= 4, `only ${[...met].join()} were met`);
    });
  });
});
