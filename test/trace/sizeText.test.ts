import assert from 'node:assert/strict';
import { sizeText } from '../../src/trace/sizeText';

describe('amounts of bytes', () => {
  it('are exact below 1 KiB, and beyond in the unit that a person reads, whatever they are multiples of', () => {
    assert.deepEqual([0, 1, 1023, 4096, 128 << 10].map(sizeText), [
      '0 bytes',
      '1 byte',
      '1023 bytes',
      '4 KiB',
      '128 KiB',
    ]);
    assert.deepEqual([300_000, 1.5 * 2 ** 20, 15.1 * 2 ** 20].map(sizeText), ['293 KiB', '1.50 MiB', '15.1 MiB']);
    assert.deepEqual([2 ** 40, 2 ** 60].map(sizeText), ['1 TiB', '1024 PiB']);
  });

  it('have no fourth digit where there is a larger unit', () => {
    assert.deepEqual([1000 << 10, 1023 * 1024].map(sizeText), ['0.977 MiB', '0.999 MiB']);
    for (let bytes = 1024; bytes < 2 ** 50; bytes = Math.ceil(bytes * 1.013)) {
      assert.match(sizeText(bytes), /^(\d{1,3}|0\.9\d\d|[1-9]\.\d\d|\d\d\.\d) [KMGTP]iB$/);
    }
  });
});
