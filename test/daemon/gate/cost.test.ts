/** What conditions that never hold do to a guest: nothing. Counted, not timed. */
import assert from 'node:assert/strict';
import { Debugged } from './debugged';

describe('a million requests with a condition that never holds', function () {
  this.timeout(120_000);

  it('are all served, and none is held', async () => {
    const it_ = await Debugged.begin();
    await it_.breakOn({ opcodes: 'GETATTR', condition: 'pid == 1 && nodeid == 77' });
    const batch = 100;
    for (let served = 0; served < 1_000_000; served += batch) {
      const pending = Array.from({ length: batch }, () => it_.getattr());
      for (const one of pending) if (it_.session.client.wait(one).error !== 0) assert.fail('an error');
    }
    assert.deepEqual((await it_.client.ask('held', {})).held, []);
    assert.deepEqual(it_.told, []);
    await it_.end();
  });
});
