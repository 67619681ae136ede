import assert from 'node:assert/strict';
import { Tidings } from '../../src/daemon/tidings';

/** How many replies of a batch go untold each time, when all are quick. */
function groups(batch: number): number[] {
  const tidings = new Tidings();
  const sizes: number[] = [];
  let untold = 0;
  for (let left = batch - 1; left >= 0; left--) {
    untold++;
    if (!tidings.due({ backlog: left, asksToBeTold: false })) continue;
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
    let time = 0;
    const tidings = new Tidings(() => time);
    const slowly = (backlog: number): boolean => {
      time += 0.5;
      return tidings.due({ backlog, asksToBeTold: false });
    };
    while (!slowly(60));
    tidings.told();
    assert.equal(slowly(60), true);
  });

  describe('when the driver seems to wait', () => {
    /** One that knows from two batches how long each request takes, and has begun another with a first reply. */
    function experienced(milliseconds: number): Tidings {
      let time = 0;
      const tidings = new Tidings(() => time);
      for (let batch = 0; batch < 3; batch++) {
        time += 100;
        tidings.begin();
        for (let left = batch < 2 ? 32 : 0; left >= 0; left--) {
          time += milliseconds;
          if (tidings.due({ backlog: left, asksToBeTold: false })) tidings.told();
        }
      }
      return tidings;
    }

    it('is done at once if all will be done before it is awake', () => {
      const tidings = experienced(0.001);
      assert.equal(tidings.due({ backlog: 8, asksToBeTold: false }), false);
      assert.equal(tidings.due({ backlog: 7, asksToBeTold: true }), true);
    });

    it('is not while there is more to do than it takes to wake up', () => {
      const tidings = experienced(0.004);
      assert.equal(tidings.due({ backlog: 60, asksToBeTold: true }), false);
    });
  });
});
