import assert from 'node:assert/strict';
import fc from 'fast-check';
import { copyShort, isShort } from '../../src/base/words';

const SIZE = 512;

describe('a copy of a few bytes', () => {
  it('is right from anywhere to anywhere, and touches nothing else', () => {
    const place = fc.nat({ max: SIZE / 2 });
    fc.assert(
      fc.property(place, place, fc.nat({ max: SIZE / 2 }), (from, to, length) => {
        const source = Uint8Array.from({ length: SIZE }, (_, index) => index * 7);
        const target = new Uint8Array(SIZE).fill(0xee);
        const expected = target.slice();
        expected.set(source.subarray(from, from + length), to);
        copyShort(source, new Uint32Array(source.buffer), from, target, new Uint32Array(target.buffer), to, length);
        assert.deepEqual(target, expected);
      }),
    );
  });

  it('is worth it for short ones, and the sooner not where words cannot be copied', () => {
    assert.deepEqual([isShort(0, 40), isShort(3, 40)], [true, true]);
    assert.deepEqual([isShort(4, 128), isShort(6, 128)], [true, false]);
    assert.equal(isShort(0, 4096), false);
  });
});
