/** What the demo shows of its requests. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { TraceLog } from '../../src/cli/traceLog';
import { CaptureBuilder } from '../trace/captureBuilder';

describe('the log of the demo', () => {
  async function shown(builder: CaptureBuilder, width = 200): Promise<{ lines: string[]; log: TraceLog }> {
    const lines: string[] = [];
    const log = new TraceLog(
      (line) => lines.push(line),
      () => width,
    );
    const stream = new PassThrough();
    log.follow(stream);
    const bytes = builder.bytes();
    for (let at = 0; at < bytes.length; at += 100) stream.write(bytes.subarray(at, at + 100));
    await log.endSection();
    return { lines, log };
  }

  it('shows the first requests of each kind and each error with their paths, and counts the others', async () => {
    const builder = new CaptureBuilder().exchange('LOOKUP', { names: ['a'], out: { nodeid: 5 } });
    for (let i = 0; i < 4; i++) builder.exchange('GETATTR', { nodeid: 5, latency: 12_000 });
    for (let i = 0; i < 3; i++) builder.exchange('LOOKUP', { names: [`no${i}`], error: 'ENOENT' });
    builder.lost(2);
    const { lines, log } = await shown(builder);
    assert.deepEqual(
      lines.map((line) => line.replace(/ size=.*/, '')),
      [
        '   10.0 µs  LOOKUP "/a" -> nodeid=5',
        '   12.0 µs  GETATTR "/a" ->',
        '   12.0 µs  GETATTR "/a" ->',
        '   10.0 µs  LOOKUP "/no0" -> ENOENT',
        '   10.0 µs  LOOKUP "/no1" -> ENOENT',
        '    … and 2 GETATTR, 1 LOOKUP (ENOENT)',
      ],
    );
    assert.deepEqual([log.total, log.dropped], [8, 2]);
    assert.deepEqual(log.table(), [
      'opcode   count  errors      p50      p95      max',
      'GETATTR      4       0  12.0 µs  12.0 µs  12.0 µs',
      'LOOKUP       4       3  10.0 µs  10.0 µs  10.0 µs',
    ]);
  });

  it('keeps to the width it is given', async () => {
    const { lines } = await shown(
      new CaptureBuilder().exchange('LOOKUP', { names: ['日'.repeat(60)], error: 'ENOENT' }),
      40,
    );
    assert.match(lines[0], /^ {3}10\.0 µs {2}LOOKUP "\/日+…$/);
    assert.ok(lines[0].length < 40);
  });
});
