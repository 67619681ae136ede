/** Limits of this process. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { descriptorLimit, limitDescriptors, yieldCpu } from '../../src/native/process';

describe('native process', () => {
  const limits = (): number[] =>
    /^Max open files\s+(\d+)\s+(\d+)/m.exec(fs.readFileSync('/proc/self/limits', 'latin1'))?.slice(1).map(Number) ?? [];
  let before: number;

  beforeEach(() => (before = descriptorLimit()));
  afterEach(() => limitDescriptors(before));

  it('knows how many descriptors it may have', () => assert.equal(descriptorLimit(), limits()[0]));

  it('lowers and raises that, within the hard limit', () => {
    const hard = limits()[1];
    assert.equal(limitDescriptors(256), 256);
    assert.deepEqual(limits(), [256, hard], 'the hard limit stays');
    assert.equal(limitDescriptors(300), 300);
  });

  it('asked for more than there can be, takes what there is', () => {
    const got = limitDescriptors(2 ** 40);
    assert.equal(got, limits()[0]);
    assert.equal(got, limits()[1]);
    assert.equal(descriptorLimit(), got);
  });

  it('gives the CPU away and gets it back', () => yieldCpu());
});
