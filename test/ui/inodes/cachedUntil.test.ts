import assert from 'node:assert/strict';
import { cachedUntil, cachedWords } from '../../../src/ui/inodes/cachedUntil';

const SECOND = 1e9;

describe('how long a guest believes what it was told', () => {
  it('counts down to nothing, in tenths for the last ten seconds', () => {
    const until = 100 * SECOND;
    const at = (left: number): string => cachedUntil(until, until - left * SECOND);
    assert.deepEqual([60, 10, 9.96, 0.84, 0, -5].map(at), [
      '60 s more',
      '10 s more',
      '10.0 s more',
      '0.8 s more',
      'no more',
      'no more',
    ]);
  });

  it('is for good where nobody would wait for it, and is not told where nobody has', () => {
    assert.equal(cachedUntil(86_400 * SECOND, 0), 'for good');
    assert.equal(cachedUntil(Infinity, 5), 'for good');
    assert.equal(cachedUntil(NaN, 5), 'not told');
  });

  it('of a row is what runs out first, and which one where only one is left', () => {
    const words = (attributes: number, name: number): string | undefined => cachedWords(attributes, name, 10 * SECOND);
    assert.equal(words(12 * SECOND, 11 * SECOND), 'cached 1.0 s more');
    assert.equal(words(11 * SECOND, 12 * SECOND), 'cached 1.0 s more');
    assert.equal(words(11 * SECOND, NaN), 'cached 1.0 s more');
    assert.equal(words(11 * SECOND, 10 * SECOND), 'attributes cached 1.0 s more');
    assert.equal(words(10 * SECOND, 11 * SECOND), 'name cached 1.0 s more');
    assert.equal(words(Infinity, 86_400 * SECOND), 'cached');
    assert.equal(words(Infinity, 9 * SECOND), 'attributes cached');
    for (const [attributes, name] of [
      [9 * SECOND, 10 * SECOND],
      [9 * SECOND, NaN],
      [NaN, NaN],
    ]) {
      assert.equal(words(attributes, name), undefined);
    }
  });
});
