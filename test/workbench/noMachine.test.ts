import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { need } from '../support/need';
import { command, rows } from '../support/vscode/steps';
import { CHROMIUM } from '../support/vscode/workbench';
import { timelineWorkbench, type TimelineWorkbench } from './timelineWorkbench';

describe('a window in which no virtual machine runs', function () {
  this.timeout(180_000);
  let workbench: TimelineWorkbench;
  let page: Page;

  before(async function () {
    need(this, 'a browser', existsSync(CHROMIUM), `no ${CHROMIUM}`);
    workbench = await timelineWorkbench({ 'notes.md': Buffer.from('# Notes\n') }, { installed: true });
    ({ page } = workbench);
    await page.locator('.explorer-folders-view').getByText('notes.md').waitFor({ timeout: 60_000 });
    await page.getByRole('tab', { name: 'Virtio-FS' }).first().click();
    await page.getByText('see what the guest does with it').first().waitFor({ timeout: 20_000 });
  });

  after(async () => {
    await workbench?.close();
  });

  it('has no commands about one in the palette', async () => {
    await page.keyboard.press('F1');
    await page.locator('.quick-input-widget input').first().fill('>Virtio-FS: ');
    await rows(page).filter({ hasText: 'Share Folder into VM…' }).waitFor();
    await page.locator('.quick-input-widget input').first().fill('>Virtio-FS: VM');
    await rows(page).filter({ hasText: 'Share Folder into VM…' }).waitFor();
    assert.deepEqual(
      (await rows(page).allInnerTexts()).filter((text) => /(Stop|Restart) VM/.test(text)),
      [],
    );
    await page.keyboard.press('Escape');
  });

  it('says so where one is asked for, as no error, and offers to start it', async () => {
    await command(page, 'Virtio-FS: Debug Share');
    const said = page.locator('.notification-toast', { hasText: 'No virtual machine of this window runs' });
    await said.locator('.codicon-info').waitFor();
    await said.getByRole('button', { name: 'Share Folder into VM…' }).click();
    await page.locator('.quick-input-title', { hasText: 'Share Folder into VM' }).waitFor();
  });
});
