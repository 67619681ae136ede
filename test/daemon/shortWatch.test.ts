import assert from 'node:assert/strict';
import { ShortWatch } from '../../src/daemon/shortWatch';

/** Rings in which something arrives at the look with this number; it counts the looks. */
class Arriving {
  looks = 0;
  constructor(private readonly at: number) {}
  look(): boolean {
    return ++this.looks >= this.at;
  }
}

describe('watching before sleep', () => {
  it('sees what arrives in time', () => {
    assert.equal(new ShortWatch().attempt(new Arriving(100)), true);
  });

  it('is at first as long as a CPU takes to wake up, and longer where that has paid', () => {
    const watch = new ShortWatch();
    assert.equal(watch.attempt(new Arriving(2048)), true);
    assert.equal(watch.attempt(new Arriving(4096)), true);
    assert.equal(watch.attempt(new Arriving(4097)), false);
  });

  it('is shorter after one in vain, and not done at all after some', () => {
    const watch = new ShortWatch();
    const looks = Array.from({ length: 5 }, () => {
      const rings = new Arriving(Infinity);
      watch.attempt(rings);
      return rings.looks;
    });
    assert.deepEqual(looks, [2048, 1024, 512, 0, 2048]);
  });

  it('becomes rare where it brings nothing', () => {
    const watch = new ShortWatch();
    let looks = 0;
    for (let sleep = 0; sleep < 10_000; sleep++) {
      const rings = new Arriving(Infinity);
      assert.equal(watch.attempt(rings), false);
      looks += rings.looks;
    }
    // A fifth of a microsecond for each sleep.
    assert.ok(looks < 200_000, `${looks} looks`);
  });
});
