/** When the queue worker gives its CPU away before it sleeps: less and less often where that does not pay. */
import assert from 'node:assert/strict';
import { IdleYield } from '../../src/daemon/idleYield';

describe('idle yield', () => {
  /** Numbers of the attempts, out of `attempts`, at which the CPU was given away for nothing. */
  function yields(attempts: number): number[] {
    const idle = new IdleYield();
    const made: number[] = [];
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const queue = {
        // Only looked at after a yield.
        get pending(): boolean {
          made.push(attempt);
          return false;
        },
      };
      assert.equal(idle.attempt(queue), false);
    }
    return made;
  }

  it('each that brought nothing doubles the pause to the next', () => {
    assert.deepEqual(yields(80), [1, 3, 6, 11, 20, 37, 70]);
  });

  it('the pause has an end: it is tried again at some time', () => {
    const made = yields(40_000);
    const pauses = made.slice(1).map((attempt, index) => attempt - made[index]);
    assert.equal(Math.max(...pauses), 4097);
    assert.ok(pauses.filter((pause) => pause === 4097).length > 1);
  });

  it('what has come meanwhile is told', () => {
    assert.equal(new IdleYield().attempt({ pending: true }), true);
  });
});
