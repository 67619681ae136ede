/** Sleeping on the daemon's calls, as the benchmarks do it. */
import assert from 'node:assert/strict';
import { close, eventfd, setNonBlocking, signal } from '../../src/native/descriptors';
import { sleepOn, watchSleeps } from './sleep';

describe('sleeping until a call', () => {
  let fd = -1;

  before(() => void watchSleeps(30));

  beforeEach(() => {
    fd = eventfd();
  });

  afterEach(() => close(fd));

  it('says how often the daemon has called', () => {
    signal(fd);
    assert.equal(sleepOn(fd), 1);
    for (let times = 0; times < 3; times++) signal(fd);
    assert.equal(sleepOn(fd), 3);
  });

  it('ends when that takes too long', () => {
    assert.throws(() => sleepOn(fd), /the daemon does not answer/);
    // And can be done again.
    signal(fd);
    assert.equal(sleepOn(fd), 1);
  });

  it('sleeps also on a call that the daemon has made non-blocking', () => {
    setNonBlocking(fd);
    assert.throws(() => sleepOn(fd), /the daemon does not answer/);
  });
});
