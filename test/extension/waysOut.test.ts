import assert from 'node:assert/strict';
import { connections } from './connections';
import { loaded } from './loaded';
import { until } from './machine';
import { Traffic } from './traffic/traffic';
import { closeAll, run, viewsOf } from './views';

describe('the extension at work', () => {
  it('has connected to the sockets of shares, and to nothing else', async () => {
    const views = await viewsOf();
    const traffic = await Traffic.begin('near', []);
    try {
      await run('virtiofs.requests.watch');
      await until('a live capture', 20, () => views.captures.active?.phase === 'live');
      assert.ok(connections.length > 0);
      for (const target of connections) assert.match(target, /^\//);
    } finally {
      closeAll(views);
      await traffic.end();
    }
  });

  it('has loaded no native code, which is the daemon’s', () => {
    assert.ok(loaded.some(({ name }) => name === 'vscode'));
    assert.deepEqual(
      loaded.filter(({ name }) => /koffi|\.node$/.test(name)),
      [],
    );
  });
});
