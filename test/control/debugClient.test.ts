import assert from 'node:assert/strict';
import { DebugClient } from '../../src/control/debugClient';
import { ScriptedDaemon } from '../debug/scriptedDaemon';

describe('a debugger’s connection to a daemon', () => {
  it('that is over says so of whatever is asked, then and later', async () => {
    const daemon = await new ScriptedDaemon().listen();
    try {
      const { client } = await DebugClient.connect(daemon.path, 'test');
      const asked = client.ask('held', {});
      daemon.close();
      // Either the answer came before the end, or there is none.
      await asked.catch((error: unknown) => assert.equal((error as { code?: unknown }).code, 'debugShareOver'));
      await client.over;
      await assert.rejects(client.ask('held', {}), { name: 'Trouble', code: 'debugShareOver' });
      client.close();
      await assert.rejects(client.ask('held', {}), { name: 'Trouble', code: 'debugShareOver' });
    } finally {
      daemon.close();
    }
  });
});
