/** Texts of all pages, in each kind of theme: what can be seen can be read. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { FrameLocator, Page } from 'playwright-core';
import { need } from '../support/need';
import { THEMES } from '../support/vscode/tell';
import { CHROMIUM } from '../support/vscode/workbench';
import { textsIn } from './contrast';
import { sampleCapture } from './sampleCapture';
import { sampleWindow } from './sampleWindow';
import {
  command,
  openFile,
  openInViews,
  timelineFrame,
  timelineWorkbench,
  type TimelineWorkbench,
  whenComplete,
} from './timelineWorkbench';

/** `least`: the contrast that WCAG asks of texts: at its usual level, at its strictest for who asks for contrast. */
const pairs = [
  { name: 'usual', least: 4.5, dark: ['dark', 'vscode-dark'], light: ['light', 'vscode-light'] },
  {
    name: 'high contrast',
    least: 7,
    dark: ['contrast', 'vscode-high-contrast:not(.vscode-high-contrast-light)'],
    light: ['contrastLight', 'vscode-high-contrast-light'],
  },
] as const;

for (const { name, least, dark, light } of pairs) {
  describe(`pages in the ${name} themes`, function () {
    this.timeout(180_000);
    let workbench: TimelineWorkbench;
    let page: Page;
    let frame: FrameLocator;

    before(async function () {
      need(this, 'a browser', existsSync(CHROMIUM), `no ${CHROMIUM}`);
      workbench = await timelineWorkbench(
        {
          'window.fuse.pcapng': sampleWindow(),
          'build.fuse.pcapng': sampleCapture().bytes(),
          'slower.fuse.pcapng': sampleCapture({ slower: 3 }).bytes(),
        },
        {
          settings: {
            'window.autoDetectColorScheme': true,
            'workbench.preferredDarkColorTheme': THEMES[dark[0]],
            'workbench.preferredLightColorTheme': THEMES[light[0]],
          },
        },
      );
      ({ page } = workbench);
      page.setDefaultTimeout(15_000);
      frame = timelineFrame(page);
    });

    after(async () => {
      await workbench?.close();
    });

    /** In both themes of the pair. `some`: how many texts there are at least, so that the look is one. */
    async function canBeRead(some: number, below: string): Promise<void> {
      for (const [scheme, [, kind]] of Object.entries({ dark, light })) {
        await page.emulateMedia({ colorScheme: scheme as 'dark' | 'light' });
        await frame.locator(`body.${kind}`).waitFor();
        const texts = await textsIn(frame.locator('body'), below);
        assert.ok(texts.length >= some, `${texts.length} texts`);
        const poor = texts.filter(({ contrast }) => contrast < least);
        assert.deepEqual(poor, [], `${scheme}: ${poor.length} of ${texts.length}`);
      }
    }

    afterEach(() => command(page, 'View: Close All Editors'));

    it('is a timeline that can be read', async () => {
      await openFile(page, 'build.fuse.pcapng');
      await whenComplete(frame);
      await frame.locator('.table-row[data-row]').first().click();
      await frame.locator('.details .field').first().waitFor();
      await canBeRead(100, 'editor-background');
    });

    for (const [one, other, changes] of [
      ['build', 'slower', 'worse'],
      ['slower', 'build', 'better'],
    ] as const) {
      it(`is a comparison that can be read, of what became ${changes}`, async () => {
        await openFile(page, `${one}.fuse.pcapng`);
        await whenComplete(frame);
        await command(page, 'Virtio-FS: Compare Captures');
        await page
          .locator('.quick-input-list .monaco-list-row', { hasText: `${other}.fuse.pcapng` })
          .first()
          .click();
        await page.getByRole('tab', { name: new RegExp(`${one}\\.fuse\\.pcapng ↔ ${other}`) }).waitFor();
        await whenComplete(frame);
        await frame.getByRole('tab', { name: 'Comparison' }).click();
        await frame.locator(`.comparison .${changes}`).first().waitFor();
        await canBeRead(60, 'editor-background');
      });
    }

    it('is a DAX window that can be read', async () => {
      await openInViews(page, 'window.fuse');
      await page.locator('.pane-header', { hasText: 'DAX Window' }).waitFor();
      await command(page, 'Virtio-FS: Focus on DAX Window View');
      await frame.locator('#dax[data-ranges]').waitFor();
      await frame.locator('#grid').focus();
      await page.keyboard.press('Home');
      await frame.locator('.details').waitFor();
      await canBeRead(60, 'sideBar-background');
    });
  });
}
