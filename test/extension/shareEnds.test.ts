import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { sharesFolder } from '../../src/control/runningShares';
import { until } from './machine';
import { Traffic } from './traffic/traffic';
import { closeAll, labels, run, viewsOf } from './views';

describe('a share that ends', () => {
  it('when its daemon is killed leaves what was seen, and nothing else', async function () {
    this.timeout(60_000);
    const views = await viewsOf();
    // What tests before have left.
    closeAll(views);
    const traffic = await Traffic.begin('doomed');
    try {
      await run('virtiofs.requests.focus');
      await run('virtiofs.requests.watch');
      await until('a live capture', 20, () => views.captures.active?.phase === 'live');
      const capture = views.captures.active;
      assert.ok(capture);
      await traffic.order({ kind: 'work' });
      await until('requests', 20, () => capture.reader.count > 20);
      await traffic.order({ kind: 'kill' });
      await until('the end', 20, () => capture.phase === 'ended');
      await views.requests.follower.catchUp();
      assert.ok(labels(views).includes('READ main.c'));
      assert.match(views.requests.view.message ?? '', /the share has ended/);
      await run('virtiofs.requests.close');
      assert.ok(views.captures.active === undefined);
      assert.deepEqual(labels(views), []);
    } finally {
      await traffic.end();
    }
    assert.equal(existsSync(traffic.folder), false);
    await until('no socket of it', 20, () => {
      views.captures.look();
      return (
        !existsSync(sharesFolder()) ||
        readdirSync(sharesFolder()).every((name) => !name.startsWith(`${traffic.pid}.json`))
      );
    });
  });
});
