/** A filtered capture opens again, with the chosen requests as they were. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Capture } from '../../../src/trace/capture';
import { CaptureReader } from '../../../src/trace/captureReader';
import { FilteredCapture } from '../../../src/trace/export/pcapng';
import { jsonRow } from '../../../src/trace/jsonRow';
import { whatOf } from '../../../src/trace/line';
import { CaptureBuilder } from '../captureBuilder';

const folder = { attr: { mode: 0o40755, nlink: 2 } };
const file = { attr: { mode: 0o100644, nlink: 1 } };

function filtered(
  builder: CaptureBuilder,
  choose: (capture: Capture, row: number) => boolean,
  chunk = 1 << 20,
): CaptureReader {
  const bytes = builder.bytes();
  const capture = builder.capture();
  const rows = Uint32Array.from({ length: capture.count }, (_, row) => row).filter((row) => choose(capture, row));
  const filter = new FilteredCapture(capture, rows, 'virtiofs-studio test');
  const reader = new CaptureReader();
  for (let at = 0; at < bytes.length; at += chunk) {
    for (const block of filter.push(bytes.subarray(at, at + chunk))) reader.push(block);
  }
  reader.end();
  assert.equal(reader.fault, undefined);
  return reader;
}

const lines = (capture: Capture): string[] => Array.from({ length: capture.count }, (_, row) => whatOf(capture, row));

describe('a filtered capture', () => {
  const everything = (): CaptureBuilder =>
    new CaptureBuilder({ tag: 'work', directory: '/srv' })
      .vhostUser(1)
      .init()
      .exchange('LOOKUP', { names: ['d'], out: { nodeid: 2, ...folder } })
      .exchange('READDIRPLUS', {
        nodeid: 2,
        in: { fh: 1, size: 4096 },
        entries: [{ name: 'x', out: { nodeid: 3, ...file } }],
      })
      .exchange('GETATTR', { nodeid: 3, hostCalls: [{ call: 'statx', arguments: [3], duration: 700 }] })
      .exchange('RENAME', { nodeid: 2, names: ['x', 'y'], in: { newdir: 1 } })
      .exchange('READ', { nodeid: 3, in: { fh: 4, size: 9000 }, outPayload: 9000, queued: 44 })
      .vhostUser(11, { payload: new Uint8Array(8) })
      .exchange('FORGET', { nodeid: 3, in: { nlookup: 1 } });

  it('with everything chosen is the same', () => {
    const original = everything().capture();
    const again = filtered(everything(), () => true);
    const json = (capture: Capture): string[] =>
      Array.from({ length: capture.count }, (_, row) => jsonRow(capture, row));
    assert.deepEqual(json(again), json(original));
    assert.deepEqual(again.share, original.share);
    assert.equal(again.control.length, 2);
  });

  it('has only the chosen requests with their replies and host calls, INIT, and all control messages', () => {
    const again = filtered(everything(), (capture, row) => capture.request(row)?.opcode?.name === 'GETATTR');
    assert.deepEqual(
      lines(again).map((line) => line.split(' ')[0]),
      ['INIT', 'GETATTR'],
    );
    assert.equal(again.control.length, 2);
    assert.deepEqual(
      again.hostCalls(1).map(({ duration }) => duration),
      [700],
    );
    assert.equal(again.session(1)?.minor, 46);
    assert.deepEqual(again.notes, []);
  });

  it('keeps paths that requests left out have told, also after a rename', () => {
    const again = filtered(everything(), (_, row) => [3, 5].includes(row));
    assert.match(lines(again)[1], /^GETATTR "\/d\/x"/);
    assert.match(lines(again)[2], /^READ "\/y"/);
  });

  it('keeps paths that were known before the capture', () => {
    const builder = new CaptureBuilder()
      .names([{ nodeid: 5, parent: 1, name: 'old' }])
      .exchange('STATFS')
      .exchange('GETATTR', { nodeid: 5 });
    assert.match(lines(filtered(builder, (_, row) => row === 1))[0], /^GETATTR "\/old"/);
  });

  it('keeps requests in flight, replies without a request, losses, and heads that come again', () => {
    const builder = new CaptureBuilder();
    builder.request('SETLKW', { in: { fh: 1 }, head: 6 });
    builder.lost(4);
    builder.reply(
      { row: undefined, queue: 1, head: 8, unique: 77, at: 9_000, queued: 0, asked: undefined },
      { error: 'EIO' },
    );
    builder.exchange('STATFS', { head: 10 }).exchange('STATFS', { head: 10, latency: 77 });
    const again = filtered(builder, (_, row) => row !== 2);
    assert.deepEqual(
      lines(again).map((line) => line.split(' ').slice(0, 2).join(' ')),
      ['SETLKW "/"', '(no request)', 'STATFS "/"'],
    );
    assert.equal(again.columns.latency[2], 77);
    assert.deepEqual(
      again.gaps.map(({ packets }) => packets),
      [4],
    );
  });

  it('is the same however its original is cut', () => {
    const whole = lines(filtered(everything(), (_, row) => row % 2 === 0));
    for (const chunk of [1, 7, 64, 1000]) {
      assert.deepEqual(lines(filtered(everything(), (_, row) => row % 2 === 0, chunk)), whole);
    }
  });

  it('comes of any bytes without a fault', () => {
    const good = everything().bytes();
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 10 }),
        fc.nat(good.length),
        (changes, length) => {
          const bytes = good.slice(0, length);
          for (const [at, value] of changes) if (at < length) bytes[at] = value;
          const capture = new CaptureReader();
          capture.push(bytes);
          capture.end();
          const filter = new FilteredCapture(
            capture,
            Uint32Array.from({ length: capture.count }, (_, row) => row),
            'test',
          );
          const reader = new CaptureReader();
          for (const block of filter.push(bytes)) reader.push(block);
          assert.equal(reader.count, capture.count);
        },
      ),
      { numRuns: 300 },
    );
  });
});
