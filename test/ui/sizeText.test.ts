import assert from 'node:assert/strict';
import { sizeText } from '../../src/ui/sizeText';

describe('sizes in the views', () => {
  it('are exact below 1 KiB, and beyond in the unit that a person reads, whatever they are multiples of', () => {
    assert.equal(sizeText(0), '0 bytes');
    assert.equal(sizeText(1), '1 byte');
    assert.equal(sizeText(1023), '1023 bytes');
    assert.equal(sizeText(4096), '4.0 KiB');
    assert.equal(sizeText(300_000), '293.0 KiB');
    assert.equal(sizeText(15.1 * 2 ** 20), '15.1 MiB');
    assert.equal(sizeText(2 ** 40), '1024.0 GiB');
  });

  it('have no fourth digit before the point', () => {
    assert.equal(sizeText(1023 * 1024), '1.0 MiB');
  });
});
