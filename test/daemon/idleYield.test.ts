import assert from 'node:assert/strict';
import { IdleYield } from '../../src/daemon/idleYield';

/** A queue that is asked once for every yield. */
class Watched {
  yields = 0;
  constructor(private readonly busy: boolean) {}
  get pending(): boolean {
    this.yields++;
    return this.busy;
  }
}

describe('yielding before sleep', () => {
  it('becomes rare where it brings nothing', () => {
    const idle = new IdleYield();
    const queue = new Watched(false);
    for (let sleep = 0; sleep < 10_000; sleep++) assert.equal(idle.attempt(queue), false);
    assert.ok(queue.yields >= 1 && queue.yields <= 16, `${queue.yields} yields`);
  });

  it('says so when a request has come meanwhile', () => {
    assert.equal(new IdleYield().attempt(new Watched(true)), true);
  });
});
