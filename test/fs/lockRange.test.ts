import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import * as ranges from '../../src/fs/lockRange';

type Range = ranges.LockRange;

const LAST = 2n ** 63n - 1n;
const WORD = 0xffff_ffffn;
const make = (start: bigint, end: bigint): Range => ({
  startLow: Number(start & WORD),
  startHigh: Number(start >> 32n),
  endLow: Number(end & WORD),
  endHigh: Number(end >> 32n),
});
const bounds = (range: Range): [start: bigint, end: bigint] => [
  (BigInt(range.startHigh) << 32n) | BigInt(range.startLow),
  (BigInt(range.endHigh) << 32n) | BigInt(range.endLow),
];

/** Places, many of them where a word or a double ends. */
const place = fc.oneof(
  fc.bigInt(0n, LAST),
  fc
    .tuple(fc.constantFrom(0n, 2n ** 32n, 2n ** 53n, 2n ** 62n, LAST), fc.bigInt(-3n, 3n))
    .map(([at, by]) => (at + by < 0n ? 0n : at + by > LAST ? LAST : at + by)),
);
const pair = fc.tuple(place, place).map(([a, b]): [bigint, bigint] => (a < b ? [a, b] : [b, a]));

describe('ranges of locks', () => {
  it('compare as the numbers that they stand for', () => {
    fc.assert(
      fc.property(pair, pair, ([a, b], [c, d]) => {
        const [one, other] = [make(a, b), make(c, d)];
        assert.equal(ranges.startsBefore(one, other), a < c);
        assert.equal(ranges.endsAfter(one, other), b > d);
        assert.equal(ranges.overlap(one, other), a <= d && c <= b);
        assert.equal(ranges.isApart(one, other), b + 1n < c);
        assert.equal(ranges.isSame(one, other), a === c && b === d);
        assert.equal(ranges.isTurned(make(b, a)), b > a);
      }),
    );
  });

  it('are cut before and after another', () => {
    fc.assert(
      fc.property(pair, pair, ([a, b], [c, d]) => {
        if (a < c) assert.deepEqual(bounds(ranges.partBefore(make(a, b), make(c, d))), [a, c - 1n]);
        if (b > d) assert.deepEqual(bounds(ranges.partAfter(make(a, b), make(c, d))), [d + 1n, b]);
      }),
    );
  });

  it('have a length, and are had back from it', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const range = make(a, b);
        const [low, high] = [ranges.lengthLow(range), ranges.lengthHigh(range)];
        assert.equal((BigInt(high) << 32n) | BigInt(low), b === LAST ? 0n : b - a + 1n);
        const back = make(a, 0n);
        ranges.setLength(back, low, high);
        assert.deepEqual(bounds(back), [a, b]);
      }),
    );
  });

  it('know the end of a file that is not told', () => {
    assert.equal(ranges.isToTheEnd(make(5n, LAST)), true);
    assert.equal(ranges.isToTheEnd(make(5n, LAST - 1n)), false);
    assert.equal(ranges.isWholeFile(make(0n, LAST)), true);
    assert.equal(ranges.isWholeFile(make(2n ** 32n, LAST)), false);
  });
});
