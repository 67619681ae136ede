import assert from 'node:assert/strict';
import { ShortWatch } from '../../src/daemon/shortWatch';

/** A queue in which something arrives at the look with this number; it counts the looks. */
class Arriving {
  looks = 0;
  constructor(private readonly at: number) {}
  get pending(): boolean {
    return ++this.looks >= this.at;
  }
}

describe('watching before sleep', () => {
  it('sees what arrives in time', () => {
    assert.equal(new ShortWatch().attempt(new Arriving(100)), true);
  });

  it('is at first as long as a CPU takes to wake up, and longer where that has paid', () => {
    const watch = new ShortWatch();
    assert.equal(watch.attempt(new Arriving(4096)), true);
    assert.equal(watch.attempt(new Arriving(8192)), true);
    assert.equal(watch.attempt(new Arriving(8193)), false);
  });

  it('is shorter after one in vain, and not done at all after some', () => {
    const watch = new ShortWatch();
    const looks = Array.from({ length: 5 }, () => {
      const queue = new Arriving(Infinity);
      watch.attempt(queue);
      return queue.looks;
    });
    assert.deepEqual(looks, [4096, 2048, 1024, 0, 4096]);
  });

  it('becomes rare where it brings nothing', () => {
    const watch = new ShortWatch();
    let looks = 0;
    for (let sleep = 0; sleep < 10_000; sleep++) {
      const queue = new Arriving(Infinity);
      assert.equal(watch.attempt(queue), false);
      looks += queue.looks;
    }
    // A fifth of a microsecond for each sleep.
    assert.ok(looks < 200_000, `${looks} looks`);
  });
});
