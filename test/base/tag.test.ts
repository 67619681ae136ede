import assert from 'node:assert/strict';
import { tagFault } from '../../src/base/tag';

describe('tagFault', () => {
  it('has nothing against what a guest can name', () => {
    for (const tag of ['a', 'work', 'my share', 'x'.repeat(36), 'é'.repeat(18), '/dev/root']) {
      assert.equal(tagFault(tag), undefined, tag);
    }
  });

  it('says what is wrong with the others', () => {
    assert.equal(tagFault(''), 'is empty');
    assert.equal(tagFault('x'.repeat(37)), 'is 37 bytes long');
    assert.equal(tagFault('é'.repeat(19)), 'is 38 bytes long');
    assert.equal(tagFault('a\nb'), 'has a newline in it');
    assert.equal(tagFault('a\0b'), 'has a NUL byte in it');
  });
});
