import assert from 'node:assert/strict';
import { askAgain } from '../../../src/ui/requests/askAgain';

describe('what VS Code is asked to select', () => {
  /** How often it is asked when it does so the `at`th time. */
  async function timesAsked(at: number): Promise<number> {
    let times = 0;
    const ask = (): Promise<void> => Promise.resolve(void times++);
    await askAgain(ask, () => times >= at);
    return times;
  }

  it('is asked for once where it is selected', async () => {
    assert.equal(await timesAsked(1), 1);
  });

  it('is asked for again where that was forgotten', async () => {
    assert.equal(await timesAsked(3), 3);
  });

  it('is not asked for without end', async () => {
    assert.equal(await timesAsked(Infinity), 8);
  });
});
