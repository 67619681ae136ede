import assert from 'node:assert/strict';
import fc from 'fast-check';
import { sortByKeys, sortByNumber, sortByStart } from '../../../src/webview/timeline/model/sorting';
import { figuresOf, histogramOf, percentile, withRoom } from '../../../src/webview/timeline/model/statistics';
import {
  panned,
  seconds,
  spanWords,
  showing,
  tickBase,
  tickText,
  ticksOf,
  within,
  zoomed,
} from '../../../src/webview/timeline/model/timeScale';
import { usefulRange } from '../../../src/webview/timeline/model/rows';
import { familyIndex, opcodeName } from '../../../src/webview/timeline/model/families';
import { opcodes } from '../../../src/protocol/fuse/opcodes';
import { rowsOf } from './columns';

describe('sorting rows', () => {
  const stable = (rows: readonly number[], key: (row: number) => number) => [...rows].sort((a, b) => key(a) - key(b));

  it('does as a stable sort does', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff_ffff), { maxLength: 300 }), (keys) => {
        const rows = Uint32Array.from(keys, (_, i) => i);
        assert.deepEqual(
          [...sortByKeys(rows, Uint32Array.from(keys))],
          stable([...rows], (row) => keys[row]),
        );
      }),
    );
  });

  it('puts rows without a number first, negative ones before positive ones', () => {
    const values = [5, NaN, -2, 0, 1e-9];
    assert.deepEqual([...sortByNumber(Uint32Array.of(0, 1, 2, 3, 4), (row) => values[row])], [1, 2, 3, 4, 0]);
  });

  it('keeps all digits of starts, of those before the origin as well', () => {
    const start = fc.oneof(fc.nat(Number.MAX_SAFE_INTEGER), fc.integer({ min: -1_000_000, max: 1_000_000 }));
    fc.assert(
      fc.property(fc.array(start, { maxLength: 100 }), (starts) => {
        const rows = Uint32Array.from(starts, (_, i) => i);
        assert.deepEqual(
          [...sortByStart(rows, Float64Array.from(starts))],
          stable([...rows], (row) => starts[row]),
        );
      }),
    );
  });
});

describe('figures by opcode', () => {
  const rows = rowsOf([
    ...Array.from({ length: 100 }, (_, i) => ({ start: i, latency: i + 1, opcode: 15 })),
    { start: 200, latency: 7, opcode: 1, error: -2 },
    { start: 201, opcode: 1 },
    { start: 202, latency: 3, opcode: 1, error: -5 },
    { start: 203, opcode: 1, dropped: true },
  ]);

  it('are exact percentiles', () => {
    const [read, lookup] = figuresOf(rows, undefined);
    assert.deepEqual([read.opcode, read.count, read.errors], [15, 100, 0]);
    assert.deepEqual([read.p50, read.p95, read.p99, read.max], [50, 95, 99, 100]);
    assert.deepEqual([lookup.count, lookup.errors, lookup.failed, lookup.max], [4, 2, 2, 7]);
  });

  it('are of the rows that are shown', () => {
    assert.deepEqual(
      figuresOf(rows, Uint32Array.of(0, 1)).map(({ count, max }) => [count, max]),
      [[2, 2]],
    );
  });

  it('are not there without replies', () => {
    assert.ok(Number.isNaN(percentile(new Float32Array(0), 0.5)));
  });

  it('fall into a histogram that leaves none out', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ min: 0, max: Math.fround(1e10), noNaN: true }), { maxLength: 100 }), (list) => {
        const { edges, counts } = histogramOf(Float32Array.from(list).sort());
        assert.equal(
          counts.reduce((sum, count) => sum + count, 0),
          list.length,
        );
        assert.equal(edges.length, list.length === 0 ? 0 : counts.length + 1);
      }),
    );
  });

  it('are drawn with room on both sides, each in its bucket', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1, max: 1e10, noNaN: true }), { minLength: 1, maxLength: 20 }), (list) => {
        const sorted = Float32Array.from(list).sort();
        const { edges, counts } = withRoom(histogramOf(sorted));
        assert.ok(counts.length >= 12);
        assert.deepEqual([counts[0], counts[counts.length - 1]], [0, 0]);
        const near = 1 + 1e-6;
        counts.forEach((count, i) => {
          const inside = sorted.filter((value) => value * near >= edges[i] && value < edges[i + 1] * near);
          assert.ok(
            inside.length >= count,
            `${count} from ${edges[i]} to ${edges[i + 1]}, of which ${inside.length} are`,
          );
        });
      }),
    );
    const { counts } = withRoom(histogramOf(Float32Array.of(10_000)));
    assert.ok(Math.abs(counts.indexOf(1) - (counts.length - 1) / 2) < 1, 'one alone is in the middle');
  });
});

describe('the time in view', () => {
  const whole = { from: 0, to: 1e9 };

  it('is zoomed around a moment that stays where it is', () => {
    assert.deepEqual(zoomed({ from: 4e8, to: 6e8 }, 0.5, 5e8, whole), { from: 4.5e8, to: 5.5e8 });
    const { from, to } = zoomed({ from: 4e8, to: 6e8 }, 0.1, 4e8, whole);
    assert.equal(from, 4e8);
    assert.equal(to, 4.2e8);
  });

  it('never leaves the capture, never has no length', () => {
    const time = fc.double({ min: -1e12, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(time, time, fc.double({ min: 1e-9, max: 1e9, noNaN: true }), (from, by, factor) => {
        for (const span of [
          zoomed({ from, to: from + 1e6 }, factor, by, whole),
          panned({ from, to: from + 1e6 }, by, whole),
        ]) {
          assert.ok(span.from >= -0.02e9 - 1 && span.to <= 1.02e9 + 1);
          assert.ok(span.to - span.from >= 199);
        }
      }),
    );
  });

  it('moves only when what is to be seen is not', () => {
    const span = { from: 0, to: 1000 };
    assert.equal(showing(span, 400, 450, whole), span);
    const moved = showing(span, 5000, 5010, whole);
    assert.ok(moved.from < 5000 && moved.to > 5010 && moved.to - moved.from === 1000);
    assert.notEqual(showing({ from: 5000, to: 6000 }, 5000, 5010, whole).from, 5000);
    // At the ends there is nothing further to be seen: everything stays in view.
    const everything = { from: -0.01e9, to: 1.01e9 };
    for (const at of [0, 0.5e9, 1e9 - 10]) assert.equal(showing(everything, at, at + 10, whole), everything);
    assert.equal(showing(everything, 0, 1e9, whole), everything);
    assert.deepEqual(within({ from: 5e8, to: 6e8 }, whole), { from: 5e8, to: 6e8 });
  });

  it('has ticks at round numbers', () => {
    const ticks = ticksOf({ from: 0, to: 1e9 }, 1000, 100);
    assert.deepEqual(ticks, { step: 1e8, first: 0, count: 11 });
    assert.equal(ticksOf({ from: 3, to: 1003 }, 1000, 90).first, 100);
  });

  it('has ticks with as many digits as they need', () => {
    assert.equal(tickText(1.5e9, 5e8).text, '1.5 s');
    assert.equal(tickText(12e9, 1e9).text, '12 s');
    assert.equal(tickText(1_234_500_000, 1e5).text, '+234.5 ms');
    assert.equal(tickText(1_234_000_700, 100).text, '+0.7 µs');
    assert.equal(tickText(2e9, 1e5).text, '2.000 s');
    assert.equal(seconds(8_900_000), '0.008900 s');
    for (const [from, length, words] of [
      [74_286_975_200, 3.28e9, '74.287 s, 3.28 s'],
      [-5, 2_440_000, '0.000 s, 2.44 ms'],
      [74_286_975_234, 250, '74.286975234 s, 250 ns'],
      [8_899_999, 40_000, '0.008900 s, 40.0 µs'],
    ] as const) {
      assert.equal(Object.values(spanWords({ from, to: from + length })).join(', '), words);
    }
  });

  it('has ticks that, added to what they are counted from, are the moment where they are', () => {
    assert.equal(tickBase(7_272_420_000, 2e4), 7e9);
    assert.equal(tickText(7_272_420_000, 2e4).text, '+272.42 ms');
    assert.equal(tickBase(1_234_000_700, 100), 1_234_000_000);
    assert.equal(tickBase(1.5e9, 1e6), undefined, 'that tick says it itself');
    const sizes: Readonly<Record<string, number>> = { ms: 1e6, µs: 1e3, ns: 1 };
    const factors = fc.tuple(fc.constantFrom(1, 2, 5), fc.integer({ min: 0, max: 5 }));
    fc.assert(
      fc.property(fc.nat(1e9), factors, (place, [factor, power]) => {
        const step = factor * 10 ** power;
        const at = place * step;
        const { text, whole } = tickText(at, step);
        const base = tickBase(at, step) ?? NaN;
        if (whole) return assert.equal(base, at);
        const [, number, unit] = /^\+([\d.]+) (ms|µs|ns)$/.exec(text) ?? [];
        assert.equal(base + Math.round(Number(number) * sizes[unit]), at);
      }),
    );
  });

  it('begins where the traffic does, not at an INIT of long ago', () => {
    assert.deepEqual(
      usefulRange(
        rowsOf([
          { start: 0, latency: 5 },
          { start: 9e9, latency: 5 },
          { start: 9.1e9, latency: 5 },
        ]),
      ),
      [9e9, 9.1e9 + 5],
    );
    assert.deepEqual(
      usefulRange(
        rowsOf([
          { start: 0, latency: 5 },
          { start: 4e8, latency: 5 },
          { start: 1e9, latency: 0 },
        ]),
      ),
      [0, 1e9],
    );
    assert.deepEqual(usefulRange(rowsOf([])), [0, 1e6]);
  });
});

describe('families of opcodes', () => {
  it('name every opcode of the table', () => {
    for (const { name, number } of opcodes) {
      assert.equal(opcodeName(number), name);
      assert.ok(familyIndex(number) < 8);
    }
    assert.equal(opcodeName(999), 'opcode 999');
    assert.equal(familyIndex(4096), 7);
  });
});
