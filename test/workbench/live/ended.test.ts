import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { need } from '../../support/need';
import { CHROMIUM } from '../../support/vscode/workbench';
import { RunningShare } from './runningShare';

/** In a VS Code of its own: there is no share afterwards. */
describe('the timeline of a share that ends while it is open', function () {
  this.timeout(180_000);
  let share: RunningShare;

  before(async function () {
    need(this, 'a browser', existsSync(CHROMIUM), `no ${CHROMIUM}`);
    share = await RunningShare.start();
    await share.begin();
  });

  after(async () => {
    await share?.end();
  });

  it('stays as it is, and there is nothing to pause any more', async () => {
    const { page, frame } = share;
    await share.traffic.order({ kind: 'kill' });
    await page.getByText('the share has ended').first().waitFor();
    assert.equal((await share.counts())[1], share.requests);
    await frame.locator('.table-row[data-row]:visible').nth(2).click();
    await frame.locator('.details .field').first().waitFor();
    assert.equal(await frame.getByRole('button', { name: 'Pause' }).isVisible(), false);
  });
});
