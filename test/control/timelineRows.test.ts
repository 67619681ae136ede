import assert from 'node:assert/strict';
import fc from 'fast-check';
import { packRange, packRows, PART, queuedTime, unpackRows } from '../../src/control/timelineRows';
import { columnsOf } from '../webview/timeline/columns';

describe('rows on their way to a timeline', () => {
  it('come out as they went in', () => {
    const columns = columnsOf([
      {
        start: 5_000_000_123,
        latency: 1000,
        queue: 1,
        pid: 7,
        path: 3,
        opcode: 15,
        error: -2,
        host: 500,
        writing: 100,
        held: 250,
      },
      { start: 5_000_000_050, queue: 2, pid: 4_000_000_000, path: 9, opcode: 4096 },
    ]);
    const rows = unpackRows(packRange(columns, 0, 2), 2);
    assert.ok(rows);
    assert.deepEqual([...rows.start], [5_000_000_123, 5_000_000_050]);
    assert.deepEqual([...rows.latency], [1000, NaN]);
    assert.deepEqual([...rows.queue], [1, 2]);
    assert.deepEqual([...rows.pid], [7, 4_000_000_000]);
    assert.deepEqual([...rows.path], [3, 9]);
    assert.deepEqual([...rows.opcode], [15, 4096]);
    assert.deepEqual([...rows.error], [-2, 0]);
    assert.deepEqual([...rows.host], [Math.round(PART / 2), 0]);
    assert.deepEqual([...rows.held], [Math.round(PART / 4), 0]);
    assert.deepEqual([...rows.flags], [1, 0]);
  });

  it('keep starts exactly, near and far from each other', () => {
    const starts = fc.array(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(starts, fc.constantFrom(1, 2 ** 22), (list, divisor) => {
        const exact = list.map((start) => Math.floor(start / divisor));
        const columns = columnsOf(exact.map((start) => ({ start, latency: 1 })));
        const rows = unpackRows(packRange(columns, 0, exact.length), exact.length);
        assert.deepEqual([...(rows?.start ?? [])], exact);
      }),
    );
  });

  it('keep the time in the queue to a thousandth', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0xffff_ffff }), (queued) => {
        const rows = unpackRows(packRange(columnsOf([{ start: 0, queued }]), 0, 1), 1);
        const kept = queuedTime(rows?.queued[0] ?? 0);
        assert.ok(Math.abs(kept - queued) <= 1 + queued / 1000, `${queued} became ${kept}`);
      }),
    );
  });

  it('are chosen by number', () => {
    const columns = columnsOf([{ start: 1 }, { start: 2 }, { start: 3 }]);
    const rows = unpackRows(packRows(columns, Uint32Array.of(2, 0)), 2);
    assert.deepEqual([...(rows?.start ?? [])], [3, 1]);
  });

  it('keep latencies to the last digit that 32 bits have', () => {
    const latencies = [0, 1, 999, 123_457, 16_777_215];
    const rows = unpackRows(packRange(columnsOf(latencies.map((latency) => ({ start: 1, latency }))), 0, 5), 5);
    assert.deepEqual([...(rows?.latency ?? [])], latencies);
  });

  it('are a dozen bytes for a request of a quick guest', () => {
    const many = Array.from({ length: 1000 }, (_, i) => ({
      start: 1e12 + 9000 * i + ((i * 7919) % 4000),
      latency: 4000 + ((i * 7919) % 60_000),
      queue: 1 + (i % 2),
      pid: 1000 + (i % 16),
      path: 70_000 + i,
      opcode: 15,
    }));
    assert.ok(packRange(columnsOf(many), 0, many.length).byteLength < 12 * many.length);
  });

  it('are refused where the buffer has not their size', () => {
    const buffer = packRange(columnsOf([{ start: 1 }]), 0, 1);
    assert.equal(unpackRows(buffer, 2), undefined);
    assert.equal(unpackRows(new ArrayBuffer(3), 1), undefined);
    assert.equal(unpackRows(packRange(columnsOf([]), 0, 0), 0)?.start.length, 0);
  });
});
