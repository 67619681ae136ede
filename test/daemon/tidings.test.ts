/** When the driver is told of replies, on a clock of its own. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Tidings } from '../../src/daemon/tidings';

/** How many replies go untold each time while a batch is dealt with, each in so many milliseconds. */
function groups(batch: number, milliseconds: number): number[] {
  let time = 0;
  const tidings = new Tidings(() => time);
  const sizes: number[] = [];
  let untold = 0;
  tidings.begin();
  for (let left = batch - 1; left >= 0; left--) {
    time += milliseconds;
    untold++;
    if (!tidings.due({ backlog: left })) continue;
    sizes.push(untold);
    untold = 0;
    tidings.told();
  }
  return sizes;
}

/** The same where each reply that the driver is told of is followed by a new request, as long as that goes on. */
function steady(depth: number, milliseconds: number): number {
  let time = 0;
  const tidings = new Tidings(() => time);
  let untold = 0;
  let size = 0;
  tidings.begin();
  for (let reply = 0; reply < 20 * depth; reply++) {
    time += milliseconds;
    untold++;
    if (!tidings.due({ backlog: depth - untold })) continue;
    size = untold;
    untold = 0;
    tidings.told();
  }
  return size;
}

const QUICK = 0.0005;
const SLOW = 0.2;

describe('telling the driver', () => {
  it('is done for a single reply at once', () => {
    assert.deepEqual(groups(1, QUICK), [1]);
    assert.deepEqual(groups(1, SLOW), [1]);
  });

  it('is done for every reply of a short batch', () => {
    assert.deepEqual(groups(2, QUICK), [1, 1]);
    assert.deepEqual(groups(4, SLOW), [1, 1, 1, 1]);
  });

  it('is done for the first reply after a pause, and then never later than half of what was waiting', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1024 }), fc.double({ min: 1e-4, max: 2, noNaN: true }), (batch, each) => {
        const sizes = groups(batch, each);
        assert.equal(sizes[0], 1);
        let left = batch;
        for (const size of sizes) {
          assert.ok(size <= Math.max(1, left >>> 1), `${size} of ${left}`);
          left -= size;
        }
      }),
    );
  });

  it('is done at half of what waits while requests are quick', () => {
    assert.equal(steady(16, QUICK), 7);
  });

  it('is done after as many quick ones as are made in 15 microseconds', () => {
    assert.equal(steady(64, 0.00058), 25);
  });

  it('is done at a quarter of what waits where requests are slow and many, and at once where they are few', () => {
    assert.equal(steady(64, SLOW), 15);
    assert.equal(steady(16, SLOW), 3);
    for (const few of [2, 3, 4]) assert.equal(steady(few, SLOW), 1);
  });
});
