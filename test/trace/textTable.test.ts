import assert from 'node:assert/strict';
import fc from 'fast-check';
import { alignColumns, cutToWidth, textWidth } from '../../src/trace/textTable';
import { printDuration, printInstant, printSeconds } from '../../src/trace/times';

describe('columns on a terminal', () => {
  it('are aligned, the first to the left, the others to the right', () => {
    assert.deepEqual(
      alignColumns([
        ['name', 'count'],
        ['a', '1'],
        ['longer', '100000'],
      ]),
      ['name     count', 'a            1', 'longer  100000'],
    );
  });

  it('count wide characters twice and combining ones not at all', () => {
    assert.equal(textWidth('abc'), 3);
    assert.equal(textWidth('日本'), 4);
    assert.equal(textWidth('e\u0301'), 1);
    assert.equal(textWidth('😀'), 2);
    assert.deepEqual(
      alignColumns([
        ['日本', '1'],
        ['abcd', '2'],
      ]),
      ['日本  1', 'abcd  2'],
    );
  });

  it('are cut to a width with an ellipsis, never in the middle of a character', () => {
    assert.equal(cutToWidth('abcdef', 6), 'abcdef');
    assert.equal(cutToWidth('abcdefg', 6), 'abcde…');
    assert.equal(cutToWidth('日本語', 5), '日本…');
    assert.equal(cutToWidth('日本語', 4), '日…');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 40 }), (text, width) => {
        const cut = cutToWidth(text, width);
        assert.ok(textWidth(cut) <= width);
        assert.ok(cut === text || (cut.endsWith('…') && text.startsWith(cut.slice(0, -1))));
        assert.doesNotMatch(cut, /[\ud800-\udbff](?![\udc00-\udfff])/);
      }),
    );
  });
});

describe('times', () => {
  it('have three digits that count', () => {
    for (const [nanoseconds, text] of [
      [0, '0 ns'],
      [999, '999 ns'],
      [999.6, '1.00 µs'],
      [1_234, '1.23 µs'],
      [9_999, '10.0 µs'],
      [130_000, '130 µs'],
      [999_600, '1.00 ms'],
      [45_600_000, '45.6 ms'],
      [3_000_000_000, '3.00 s'],
      [5_400_000_000_000, '5400 s'],
      [NaN, '–'],
    ] as const) {
      assert.equal(printDuration(nanoseconds), text);
    }
  });

  it('are in UTC with nanoseconds, also where no calendar has them', () => {
    assert.equal(printInstant(1_700_000_000_123_456_789n), '2023-11-14T22:13:20.123456789Z');
    assert.equal(printInstant(0n), '1970-01-01T00:00:00.000000000Z');
    assert.equal(printInstant((1n << 64n) - 1n), '2554-07-21T23:34:33.709551615Z');
    assert.match(printInstant(10n ** 30n), /^\d+\.0{9}$/);
    assert.equal(printInstant(-500_000_000n), '-0.500000000');
    assert.equal(printInstant(-1_250_000_000n), '-1.250000000');
  });

  it('are seconds with microseconds, with a sign only where there is something before the origin', () => {
    assert.deepEqual([1_234_567_899, -1_500, -499, -0].map(printSeconds), [
      '1.234568',
      '-0.000002',
      '0.000000',
      '0.000000',
    ]);
  });
});
