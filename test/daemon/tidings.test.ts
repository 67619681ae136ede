import assert from 'node:assert/strict';
import { Tidings } from '../../src/daemon/tidings';

/** How many replies of a batch go untold each time, when all are quick. */
function groups(batch: number): number[] {
  const tidings = new Tidings();
  const sizes: number[] = [];
  let untold = 0;
  for (let left = batch - 1; left >= 0; left--) {
    untold++;
    if (!tidings.due({ backlog: left })) continue;
    sizes.push(untold);
    untold = 0;
    tidings.told();
  }
  return sizes;
}

describe('telling the driver', () => {
  it('is done for a single reply at once', () => {
    assert.deepEqual(groups(1), [1]);
  });

  it('is done for every reply of a short batch', () => {
    assert.deepEqual(groups(2), [1, 1]);
  });

  it('is never later than half of what was waiting', () => {
    let left = 64;
    for (const size of groups(64)) {
      assert.ok(size <= Math.max(1, left >>> 1), `${size} of ${left}`);
      left -= size;
    }
  });

  it('does not wait for slow requests, once it has seen how slow they are', () => {
    const tidings = new Tidings();
    const slowly = (backlog: number): boolean => {
      for (const begun = performance.now(); performance.now() - begun < 0.5;);
      return tidings.due({ backlog });
    };
    while (!slowly(60));
    tidings.told();
    assert.equal(slowly(60), true);
  });
});
