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

  it('is longer where it has paid', () => {
    const watch = new ShortWatch();
    assert.equal(watch.attempt(new Arriving(2000)), false);
    for (let i = 0; i < 20; i++) watch.attempt(new Arriving(1));
    assert.equal(watch.attempt(new Arriving(2000)), true);
  });

  it('becomes rare where it brings nothing', () => {
    const watch = new ShortWatch();
    let looks = 0;
    for (let sleep = 0; sleep < 10_000; sleep++) {
      const queue = new Arriving(Infinity);
      assert.equal(watch.attempt(queue), false);
      looks += queue.looks;
    }
    assert.ok(looks < 10_000, `${looks} looks`);
  });
});
