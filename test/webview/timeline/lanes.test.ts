import assert from 'node:assert/strict';
import { Errno } from '../../../src/protocol/errno';
import { Opcode } from '../../../src/protocol/fuse/opcodeNumbers';
import fc from 'fast-check';
import { packRange, packRows } from '../../../src/control/timelineRows';
import { TimelineCapture } from '../../../src/webview/timeline/model/capture';
import {
  busiestKeys,
  type Lane,
  Lanes,
  MOST_LANES,
  MOST_TRACKS,
  REST,
} from '../../../src/webview/timeline/model/lanes';
import { FINEST } from '../../../src/webview/timeline/model/levels';
import { columnsOf, type RowOptions, rowsOf } from './columns';

const listOf = (lane: Lane): number[] => [...lane.list.subarray(0, lane.count)];
const tracksOf = (lane: Lane): number[] => [...lane.track.subarray(0, lane.count)];

const anyRow = fc.record({
  start: fc.integer({ min: 0, max: 1e7 }),
  latency: fc.option(fc.integer({ min: 0, max: 200_000 }), { nil: undefined }),
  queue: fc.integer({ min: 0, max: 2 }),
  error: fc.constantFrom(0, 0, -2),
});
const anyRows = fc.array(anyRow, { maxLength: 200 });

function lanesOf(rows: readonly RowOptions[]): readonly Lane[] {
  const lanes = new Lanes(rowsOf(rows), 'queue');
  lanes.takeAll();
  return lanes.list;
}

describe('lanes of a timeline', () => {
  it('are one a queue, by number, their rows by start', () => {
    const lanes = lanesOf([
      { start: 30, latency: 1, queue: 2 },
      { start: 20, latency: 1, queue: 1 },
      { start: 10, latency: 1, queue: 2 },
    ]);
    assert.deepEqual(
      lanes.map(({ key }) => key),
      [1, 2],
    );
    assert.deepEqual(listOf(lanes[1]), [2, 0]);
  });

  it('are otherwise the busiest first', () => {
    const lanes = new Lanes(
      rowsOf([
        { start: 1, pid: 5 },
        { start: 2, pid: 9 },
        { start: 3, pid: 9 },
      ]),
      'process',
    );
    lanes.takeAll();
    assert.deepEqual(
      lanes.list.map(({ key, count }) => [key, count]),
      [
        [9, 2],
        [5, 1],
      ],
    );
  });

  it('put what overlaps on different tracks', () => {
    const [lane] = lanesOf([
      { start: 0, latency: 100 },
      { start: 50, latency: 100 },
      { start: 120, latency: 10 },
      { start: 130 },
      { start: 140, latency: 5 },
    ]);
    assert.deepEqual(tracksOf(lane), [0, 1, 0, 0, 2]);
    assert.equal(lane.tracks, 3);
  });

  it('never have two rows at a time on one track, while there are tracks', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        for (const lane of lanesOf(rows)) {
          const until = new Float64Array(MOST_TRACKS);
          listOf(lane).forEach((row, i) => {
            const track = lane.track[i];
            if (track < MOST_TRACKS - 1) assert.ok(until[track] <= rows[row].start);
            until[track] = rows[row].latency === undefined ? Infinity : rows[row].start + rows[row].latency;
          });
        }
      }),
    );
  });

  it('are the same whether rows come at once or bit by bit', () => {
    fc.assert(
      fc.property(anyRows, fc.integer({ min: 1, max: 50 }), (options, step) => {
        const columns = columnsOf(options);
        const capture = new TimelineCapture('queue');
        for (let from = 0; from < options.length; from += step) {
          const to = Math.min(options.length, from + step);
          assert.ok(capture.append(from, to - from, packRange(columns, from, to)));
        }
        const whole = lanesOf(options);
        assert.deepEqual(capture.lanes.list.map(listOf), whole.map(listOf));
        for (const [i, lane] of capture.lanes.list.entries()) {
          for (let power = FINEST; power < 30; power++) {
            const [bitByBit, atOnce] = [lane, whole[i]].map(({ levels }) => levels.atMost(2 ** power));
            assert.equal(bitByBit?.count, atOnce?.count);
            for (let b = 0; b < (atOnce?.count ?? 0); b++) {
              assert.equal(bitByBit?.index[b], atOnce?.index[b]);
              assert.equal(bitByBit?.rows[b], atOnce?.rows[b]);
              assert.equal(bitByBit?.failed[b], atOnce?.failed[b]);
            }
          }
        }
      }),
    );
  });

  it('count in each level every row once, and know the longest', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        for (const lane of lanesOf(rows)) {
          for (const width of [2 ** FINEST, 2 ** 16, 2 ** 22]) {
            const level = lane.levels.atMost(width);
            assert.ok(level);
            let total = 0;
            for (let b = 0; b < level.count; b++) {
              total += level.rows[b];
              const inside: number[] = listOf(lane).filter(
                (row) => Math.floor(rows[row].start / level.width) === level.index[b],
              );
              const longest = Math.max(-1, ...inside.map((row) => rows[row].latency ?? -1));
              assert.equal(level.rows[b], inside.length);
              assert.equal(rows[level.longest[b]].latency ?? -1, longest);
            }
            assert.equal(total, lane.count);
          }
        }
      }),
    );
  });

  it('take replies that come later', () => {
    const open = [
      { start: 10, latency: undefined },
      { start: 20, latency: 5 },
    ];
    const capture = new TimelineCapture('queue');
    capture.append(0, 2, packRange(columnsOf(open), 0, 2));
    const [lane] = capture.lanes.list;
    assert.equal(lane.before(1, 1e9), 1);
    const answered = columnsOf([{ start: 10, latency: 5000, error: -5 }, open[1]]);
    capture.change(Uint32Array.of(0), packRows(answered, Uint32Array.of(0)));
    assert.equal(lane.failed, 1);
    assert.equal(lane.before(1, 1e9), -1);
    const level = lane.levels.atMost(2 ** 20);
    assert.deepEqual([level?.rows[0], level?.failed[0], level?.longest[0]], [2, 1, 0]);
  });

  it('count a reply that a fault drops, at once or later, as failed', () => {
    const rows = [{ start: 10 }, { start: 20, dropped: true }];
    const capture = new TimelineCapture('queue');
    capture.append(0, 2, packRange(columnsOf(rows), 0, 2));
    const [lane] = capture.lanes.list;
    assert.equal(lane.failed, 1);
    capture.change(Uint32Array.of(0), packRows(columnsOf([{ start: 10, dropped: true }, rows[1]]), Uint32Array.of(0)));
    assert.equal(lane.failed, 2);
    assert.equal(lane.levels.atMost(2 ** 20)?.failed[0], 2);
  });

  it('do not count answers that guests expect as failed', () => {
    const [lane] = lanesOf([
      { start: 10, latency: 5, opcode: Opcode.LOOKUP, error: -Errno.ENOENT },
      { start: 20, latency: 5, opcode: Opcode.GETXATTR, error: -Errno.ENODATA },
      { start: 30, latency: 5, opcode: Opcode.LOOKUP, error: -Errno.ESTALE },
    ]);
    assert.equal(lane.failed, 1);
    assert.equal(lane.levels.atMost(2 ** 20)?.failed[0], 1);
  });

  it('leave the rest to one lane when there are too many files', () => {
    const options = Array.from({ length: MOST_LANES + 50 }, (_, i) => [
      { start: 2 * i, latency: 1, path: i },
      ...(i < 3 ? [{ start: 2 * i + 1, latency: 1, path: i }] : []),
    ]).flat();
    const rows = rowsOf(options);
    const lanes = new Lanes(rows, 'file', busiestKeys(rows, 'file', undefined));
    lanes.takeAll();
    assert.equal(lanes.list.length, MOST_LANES + 1);
    assert.deepEqual(
      lanes.list.slice(0, 3).map(({ key }) => key),
      [0, 1, 2],
    );
    assert.equal(lanes.list.at(-1)?.key, REST);
    assert.equal(lanes.list.at(-1)?.count, 50);
  });

  it('count keys of any size', () => {
    const rows = rowsOf(Array.from({ length: 500 }, (_, i) => ({ start: i, pid: 0xffff_ff00 + (i % 2) })));
    assert.equal(busiestKeys(rows, 'process', undefined), undefined);
  });
});

describe('a filtered timeline', () => {
  const options = Array.from({ length: 20 }, (_, i) => ({ start: i * 10, latency: 5, queue: i % 2 }));
  const capture = new TimelineCapture('queue');
  capture.append(0, 20, packRange(columnsOf(options), 0, 20));

  it('has the rows whose bits are set', () => {
    capture.filter({ count: 20, bits: Uint8Array.of(0b101, 0, 0b1000) });
    assert.deepEqual([...(capture.passed ?? [])], [0, 2, 19]);
    assert.deepEqual(capture.lanes.list.map(listOf), [[0, 2], [19]]);
    assert.equal(capture.shown, 3);
  });

  it('takes more rows, also ones from before', () => {
    capture.pass(Uint32Array.of(5, 7));
    assert.deepEqual([...(capture.passed ?? [])], [0, 2, 5, 7, 19]);
    assert.deepEqual(capture.lanes.list.map(listOf), [
      [0, 2],
      [5, 7, 19],
    ]);
  });

  it('has everything again without a filter', () => {
    capture.filter(undefined);
    assert.equal(capture.passed, undefined);
    assert.equal(capture.shown, 20);
    assert.equal(
      capture.lanes.list.reduce((sum, { count }) => sum + count, 0),
      20,
    );
  });

  it('refuses rows that do not follow', () => {
    assert.equal(capture.append(30, 1, packRange(columnsOf([{ start: 0 }]), 0, 1)), false);
  });
});
