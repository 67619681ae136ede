/** The DAX window's books: ranges stay apart, in order, and countable. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Range, RangeState, WindowRanges } from '../../../src/fs/dax/ranges';

const range = (windowOffset: number, length: number): Range => ({
  windowOffset,
  length,
  state: RangeState.Mapped,
  pieces: 1 + (length % 2),
});

describe('ranges of the DAX window', () => {
  it('never overlap: one that would is not taken', () => {
    const step = fc.record({ add: fc.boolean(), at: fc.nat(40), length: fc.integer({ min: 1, max: 9 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const ranges = new WindowRanges<Range>();
        const kept: Range[] = [];
        const touches = (one: Range, at: number, length: number): boolean =>
          one.windowOffset < at + length && at < one.windowOffset + one.length;
        for (const { add, at, length } of steps) {
          const wanted = kept.filter((one) => touches(one, at, length)).sort((a, b) => a.windowOffset - b.windowOffset);
          assert.deepEqual(ranges.touching(at, length), wanted);
          if (add) {
            const fresh = range(at, length);
            assert.equal(ranges.add(fresh), wanted.length === 0);
            if (wanted.length === 0) kept.push(fresh);
          } else if (wanted.length > 0) {
            assert.equal(ranges.remove(wanted[0]), true);
            assert.equal(ranges.remove(wanted[0]), false);
            kept.splice(kept.indexOf(wanted[0]), 1);
          }
          assert.equal(ranges.count, kept.length);
          assert.equal(
            ranges.bytes,
            kept.reduce((sum, one) => sum + one.length, 0),
          );
          assert.equal(
            ranges.pieces,
            kept.reduce((sum, one) => sum + one.pieces, 0),
          );
        }
      }),
    );
  });
});
