/** The stable shape of a request as JSON (docs/export-formats.md). */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { jsonLines } from '../../src/trace/export/jsonl';
import { jsonControl, jsonRow } from '../../src/trace/jsonRow';
import { rowText } from '../../src/trace/rowText';
import { csv } from '../../src/trace/export/csv';
import { coloured } from '../../src/trace/palette';
import { chromeTrace } from '../../src/trace/export/chrome';
import { CaptureReader } from '../../src/trace/captureReader';
import { CaptureBuilder } from './captureBuilder';

type Json = Record<string, unknown>;
const rowOf = (builder: CaptureBuilder, row = 0): Json => JSON.parse(jsonRow(builder.capture(), row)) as Json;

describe('a request as JSON', () => {
  it('has every field under the kernel’s name, and integers of 64 bits as strings', () => {
    const row = rowOf(
      new CaptureBuilder().exchange('CREATE', {
        ...{
          names: ['new'],
          unique: 6,
          nodeid: 1,
          queued: 2_000,
          latency: 12_000,
          host: 5_000,
          writing: 1_000,
          calls: 2,
        },
        in: { flags: 0o102, mode: 0o100644, umask: 0o22 },
        out: [{ nodeid: 1n << 40n, attr: { ino: (1n << 64n) - 1n, mode: 0o100644 } }, { fh: 9 }],
      }),
    );
    const { request, reply, ...rest } = row as { request: Json; reply: Json & { fuse_entry_out: Json } } & Json;
    assert.deepEqual(rest, {
      ...{ kind: 'request', row: 0, time: '2023-11-14T22:13:20.000020000Z', start: 0, queue: 1, unique: '6' },
      ...{ opcode: 'CREATE', nodeid: '1', uid: 1000, gid: 1000, pid: 100, path: '/new', inFlight: false, error: null },
      ...{ latency: 12_000, phases: { queued: 2_000, daemon: 6_000, host: 5_000, writing: 1_000 } },
      ...{ payload: 0, later: false, hostCalls: 2 },
    });
    assert.deepEqual(request, {
      length: 60,
      fuse_create_in: { flags: 66, mode: 0o100644, umask: 18, open_flags: 0 },
      names: { name: 'new' },
    });
    assert.equal(reply.fuse_entry_out['nodeid'], '1099511627776');
    assert.equal((reply.fuse_entry_out['attr'] as Json)['ino'], '18446744073709551615');
    assert.deepEqual(reply['fuse_open_out'], { fh: '9', open_flags: 0, backing_id: 0 });
  });

  it('says which a debugger or a fault held or changed, and for how long', () => {
    const held = rowOf(
      new CaptureBuilder().exchange('STATFS', { error: 'EIO', latency: 9_000, held: 5_000, changed: true }),
    );
    assert.deepEqual([held['held'], held['changed']], [5_000, true]);
    assert.equal((held['phases'] as Json)['daemon'], 4_000);
    const plain = rowOf(new CaptureBuilder().exchange('STATFS'));
    assert.deepEqual(['held' in plain, 'changed' in plain], [false, false]);
  });

  it('names errors, and has null where there is none, no latency, no path, or nobody knows how many host calls', () => {
    const error = rowOf(new CaptureBuilder().exchange('GETATTR', { nodeid: 50, error: 'ESTALE' }));
    assert.equal(error['error'], 'ESTALE');
    const builder = new CaptureBuilder();
    builder.request('STATFS');
    const open = rowOf(builder);
    assert.deepEqual(
      [open['inFlight'], open['latency'], open['reply'], open['error'], open['hostCalls']],
      [true, null, undefined, undefined, null],
    );
  });

  it('lists entries, link targets, xattr names and host calls', () => {
    const builder = new CaptureBuilder()
      .exchange('READDIR', { in: { fh: 1, size: 999 }, entries: [{ name: 'a', type: 4 }] })
      .exchange('READLINK', { outPayload: '../x' })
      .exchange('LISTXATTR', { in: { size: 99 }, outPayload: 'user.a\u0000user.b\u0000' })
      .exchange('STATFS', { hostCalls: [{ call: 'fstatfs', arguments: [7, 1], result: -5, duration: 40 }] });
    const reply = (row: number): Json => rowOf(builder, row)['reply'] as Json;
    assert.deepEqual(reply(0)['data'], {
      bytes: 32,
      entries: [{ ino: '1', off: '1', namelen: 1, type: 4, name: 'a' }],
    });
    assert.equal(reply(1)['data'], '../x');
    assert.deepEqual(reply(2)['data'], { bytes: 14, entries: ['user.a', 'user.b'] });
    assert.deepEqual(rowOf(builder, 3)['calls'], [
      {
        call: 'fstatfs',
        start: 60_000,
        duration: 40,
        arguments: { fd: '7', buf: '1' },
        result: -5,
        text: 'fstatfs(7, …) = -1 EIO',
        error: 'EIO',
      },
    ]);
  });

  it('is a line of JSON each', () => {
    const capture = new CaptureBuilder()
      .init()
      .exchange('LOOKUP', { names: ['a\nb'], error: 'ENOENT' })
      .capture();
    const lines = [...jsonLines(capture, [0, 1])].join('').split('\n');
    assert.equal(lines.pop(), '');
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as Json)['opcode']),
      ['INIT', 'LOOKUP'],
    );
  });

  it('has vhost-user messages in the same manner', () => {
    const capture = new CaptureBuilder().vhostUser(8, { payload: Uint8Array.of(1, 0, 0, 0, 0, 4, 0, 0) }).capture();
    const { time: _time, ...rest } = JSON.parse(jsonControl(capture, capture.control[0])) as Json;
    assert.deepEqual(rest, {
      ...{ kind: 'control', start: 0, fromFrontEnd: true, message: 'SET_VRING_NUM', answer: false, descriptors: 0 },
      payload: [{ vhost_vring_state: { index: 1, num: 1024 } }],
    });
  });
});

describe('captures that anybody may have made', () => {
  const good = new CaptureBuilder()
    .vhostUser(5, { payload: new Uint8Array(40) })
    .init()
    .exchange('LOOKUP', {
      names: ['a'],
      out: { nodeid: 2, attr: { mode: 0o40755 } },
      hostCalls: [{ call: 'statx', arguments: [1, 0, 2, 3, 4], texts: ['a'] }],
    })
    .exchange('READDIRPLUS', {
      nodeid: 2,
      in: { fh: 1, size: 4096 },
      entries: [{ name: 'x', out: { nodeid: 3 } }, { name: 'y' }],
    })
    .exchange('CREATE', { nodeid: 2, names: ['new'], out: [{ nodeid: 4 }, { fh: 3 }] })
    .exchange('WRITE', { nodeid: 4, in: { fh: 3 }, payload: 100, out: { size: 100 } })
    .exchange('BATCH_FORGET', { forgets: [{ nodeid: 3, nlookup: 1 }] })
    .exchange('SETXATTR', { nodeid: 4, names: ['user.x'], in: { size: 3 }, payload: 'abc' })
    .lost(2)
    .bytes();

  it('are shown and exported whatever bytes are changed in them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 12 }),
        (changes) => {
          const bytes = good.slice();
          for (const [at, value] of changes) bytes[at] = value;
          const capture = new CaptureReader();
          capture.push(bytes);
          capture.end();
          const options = { time: 'absolute', palette: coloured, hex: true, syscalls: true } as const;
          const rows = Uint32Array.from({ length: capture.count }, (_, row) => row);
          for (const row of rows) {
            const text = rowText(capture, row, options)
              .join('\n')
              .replace(/\u001b\[[0-9;]*m|\n/g, '');
            assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f]/);
            JSON.parse(jsonRow(capture, row));
          }
          for (const message of capture.control) JSON.parse(jsonControl(capture, message));
          JSON.parse([...chromeTrace(capture, rows)].join(''));
          assert.equal([...csv(capture, rows)].length, rows.length + 1);
        },
      ),
      { numRuns: 300 },
    );
  });
});
