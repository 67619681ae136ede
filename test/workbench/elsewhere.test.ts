import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { need } from '../support/need';
import { stagedExtension } from '../support/stagedExtension';
import { CHROMIUM } from '../support/vscode/workbench';
import { sampleCapture } from './sampleCapture';
import {
  command,
  openFile,
  openInViews,
  timelineFrame,
  timelineWorkbench,
  type TimelineWorkbench,
  whenComplete,
} from './timelineWorkbench';

const places = [
  {
    name: 'on a system that is not Linux',
    // The extension host of this machine says that it is another one, before the extension looks.
    first: "Object.defineProperty(process, 'platform', { value: 'darwin' });",
    why: /needs Linux as the host, this is darwin.*Remote - SSH/,
    welcome: 'Guests run where virtio-fs does: on Linux',
  },
  {
    name: 'from the package without native parts',
    first: '',
    why: /This package of the extension has no native part for linux-.*Install the package for linux-x64/,
    welcome: 'Share a folder into a virtual machine',
  },
];

for (const { name, first, why, welcome } of places) {
  describe(`the extension ${name}`, function () {
    this.timeout(120_000);
    let scratch: string;
    let workbench: TimelineWorkbench;
    let page: Page;

    before(async function () {
      need(this, 'a browser', existsSync(CHROMIUM), `no ${CHROMIUM}`);
      scratch = await mkdtemp(join(tmpdir(), 'virtiofs-elsewhere-'));
      const extension = await stagedExtension('universal', scratch);
      const bundle = join(extension, 'dist/extension.js');
      writeFileSync(bundle, `${first}\n${readFileSync(bundle, 'utf8')}`);
      const files = { 'build.fuse.pcapng': sampleCapture().bytes() };
      workbench = await timelineWorkbench(files, { extension, installed: true });
      ({ page } = workbench);
      page.setDefaultTimeout(20_000);
    });

    after(async () => {
      await workbench?.close();
      await rm(scratch, { recursive: true, force: true });
    });

    it('opens captures in the timeline', async () => {
      await openFile(page, 'build.fuse.pcapng');
      const frame = timelineFrame(page);
      await whenComplete(frame);
      assert.equal(await frame.locator('.count').textContent(), '533 requests');
      await frame.locator('.table-row[data-row]:visible').nth(3).click();
      await frame.locator('.details .field').first().waitFor();
    });

    it('opens captures in the views', async () => {
      await openInViews(page, 'build.fuse');
      await page.locator('.pane-body .monaco-list-row', { hasText: 'READ part59.c' }).first().waitFor();
    });

    it('says of guests that there are none, and why', async () => {
      await page.getByText(welcome).first().waitFor();
      await command(page, 'Virtio-FS: Share Folder into VM…');
      await page.locator('.notification-toast').filter({ hasText: why }).first().waitFor();
      assert.equal(await page.locator('.terminal-wrapper').count(), 0);
    });
  });
}
