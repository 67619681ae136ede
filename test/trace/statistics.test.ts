/** Tables by opcode, path and process: counts, errors, bytes, exact percentiles, over any rows. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { percentile, statistics } from '../../src/trace/statistics';
import { CaptureBuilder } from './captureBuilder';

describe('trace statistics', () => {
  it('an empty capture has no rows', () => {
    for (const by of ['opcode', 'path', 'process'] as const) {
      assert.deepEqual(statistics(new CaptureBuilder().capture(), undefined, by), []);
    }
  });

  it('by opcode: counts, errors, bytes, times; the busiest first', () => {
    const builder = new CaptureBuilder();
    builder.exchange('OPEN', { nodeid: 2, latency: 10_000 });
    for (let i = 1; i <= 100; i++) {
      const outcome = i <= 3 ? ({ error: 'EIO' } as const) : { outPayload: 10 };
      builder.exchange('READ', { nodeid: 2, in: { size: 4096 }, latency: i * 1000, ...outcome });
    }
    const rows = statistics(builder.capture(), undefined, 'opcode');
    assert.deepEqual(rows, [
      {
        key: Opcode.READ,
        name: 'READ',
        count: 100,
        errors: 3,
        bytes: 970,
        p50: 50_000,
        p95: 95_000,
        p99: 99_000,
        max: 100_000,
        total: 5_050_000,
      },
      {
        key: Opcode.OPEN,
        name: 'OPEN',
        count: 1,
        errors: 0,
        bytes: 0,
        p50: 10_000,
        p95: 10_000,
        p99: 10_000,
        max: 10_000,
        total: 10_000,
      },
    ]);
  });

  it('what has no reply has no times, and is counted', () => {
    const builder = new CaptureBuilder().exchange('FORGET', { nodeid: 2, in: { nlookup: 1 } });
    builder.request('GETATTR');
    const rows = statistics(builder.capture(), undefined, 'opcode');
    assert.deepEqual(
      rows.map(({ name, count, p50, max, total }) => [name, count, p50, max, total]),
      [
        ['FORGET', 1, undefined, undefined, 0],
        ['GETATTR', 1, undefined, undefined, 0],
      ],
    );
  });

  it('unknown opcodes, notifications and replies without a request have rows of their own', () => {
    const builder = new CaptureBuilder().exchange(4242, { error: 'ENOSYS' }).notification(2, new Uint8Array(24));
    const gone = builder.request('GETATTR');
    builder.reply(gone, { replyUnique: 999 });
    assert.deepEqual(
      statistics(builder.capture(), undefined, 'opcode').map(({ name, key, errors }) => [name, key, errors]),
      [
        ['(reply without a request)', 0, 0],
        ['GETATTR', Opcode.GETATTR, 0],
        ['NOTIFY_INVAL_INODE', -2, 0],
        ['opcode 4242', 4242, 1],
      ],
    );
  });

  it('by path and by process, over the rows that are asked for', () => {
    const capture = new CaptureBuilder()
      .init({ pid: 1 })
      .exchange('LOOKUP', { names: ['a'], out: { nodeid: 2 }, pid: 7 })
      .exchange('WRITE', { nodeid: 2, payload: 100, pid: 7 })
      .exchange('WRITE', { nodeid: 2, payload: 50, pid: 0xffff_fff0 })
      .exchange('GETATTR', { nodeid: 1, pid: 7 })
      .exchange('GETATTR', { nodeid: 99, pid: 7 })
      .capture();
    const brief = (by: 'path' | 'process', rows?: number[]) =>
      statistics(capture, rows, by).map(({ name, count, bytes }) => [name, count, bytes]);
    assert.deepEqual(brief('path', [1, 2, 3, 4, 5]), [
      ['/a', 3, 150],
      ['(unknown)', 1, 0],
      ['/', 1, 0],
    ]);
    assert.deepEqual(brief('process'), [
      ['7', 4, 100],
      ['1', 1, 0],
      ['4294967280', 1, 50],
    ]);
    assert.deepEqual(brief('process', [3]), [['4294967280', 1, 50]]);
    assert.deepEqual(brief('process', []), []);
  });

  it('is what counting by hand gives, whatever the rows', () => {
    const op = fc.constantFrom('READ', 'WRITE', 'GETATTR', 'OPEN');
    const row = fc.record({ op, latency: fc.nat(1_000_000), fails: fc.boolean() });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), fc.infiniteStream(fc.boolean()), (rows, chosen) => {
        const builder = new CaptureBuilder();
        for (const { op: opcode, latency, fails } of rows) {
          builder.exchange(opcode, { latency, error: fails ? 'EIO' : 0, payload: opcode === 'WRITE' ? 10 : 0 });
        }
        const choice = rows.flatMap((_, i) => (chosen.next().value ? [i] : []));
        const table = statistics(builder.capture(), Uint32Array.from(choice), 'opcode');
        assert.equal(
          table.reduce((sum, each) => sum + each.count, 0),
          choice.length,
        );
        for (const { name, count, errors, p50, p95, p99, max, total } of table) {
          const mine = choice.map((i) => rows[i]).filter((each) => each.op === name);
          const times = mine.map((each) => each.latency).sort((a, b) => a - b);
          const rank = (part: number) => times[Math.ceil(Number((part * times.length).toFixed(6))) - 1];
          assert.deepEqual([count, errors], [mine.length, mine.filter((each) => each.fails).length]);
          assert.deepEqual([p50, p95, p99, max], [rank(0.5), rank(0.95), rank(0.99), times[times.length - 1]]);
          assert.equal(
            total,
            times.reduce((a, b) => a + b, 0),
          );
        }
      }),
    );
  });

  it('the percentile is the smallest value that the part does not exceed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1000), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 100 }),
        (values, percent) => {
          const sorted = Float64Array.from(values).sort();
          const found = percentile(sorted, percent / 100) ?? NaN;
          assert.ok(values.includes(found));
          assert.ok(values.filter((value) => value <= found).length * 100 >= percent * values.length - 1e-6);
          assert.ok(values.filter((value) => value < found).length * 100 < percent * values.length);
        },
      ),
    );
    assert.equal(percentile(new Float64Array(0), 0.5), undefined);
    assert.equal(
      percentile(
        Float64Array.from({ length: 100 }, (_, i) => i + 1),
        0.07,
      ),
      7,
    );
  });
});
