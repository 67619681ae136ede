/** A capture that is opened with a double click: the timeline as a person goes through it. */
import { type FrameLocator, type Page } from 'playwright-core';
import { openInViews } from '../../workbench/timelineWorkbench';
import { command, contributed, type Look, rows, settled } from './steps';

const timeline = (page: Page): FrameLocator =>
  page.frameLocator('iframe.webview.ready:visible').frameLocator('iframe#active-frame');

/** `build.fuse.pcapng` and `slower.fuse.pcapng` are in the folder. */
export async function captureStory(page: Page, look: Look): Promise<void> {
  const file = page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'build.fuse' }).first();
  await file.waitFor({ timeout: 60_000 });
  await contributed(page);
  // VS Code opens a file in the editor that it knows by then: editors of extensions come a moment after their views.
  await page.waitForTimeout(4000);
  await file.dblclick();
  const frame = timeline(page);
  await frame.locator('#timeline[data-complete="true"]').waitFor({ timeout: 60_000 });
  // Its room is the timeline's.
  await page.keyboard.press('Control+b');
  await settled(page);
  await look('whole');

  await frame.getByLabel('Lanes', { exact: true }).selectOption('process');
  // The eighth is the first READ; in a low window it is not in sight.
  await frame.getByRole('grid', { name: 'Requests' }).focus();
  await page.keyboard.press('Home');
  for (let press = 0; press < 7; press++) await page.keyboard.press('ArrowDown');
  await frame.locator('.details').getByRole('heading', { name: 'READ', exact: true }).waitFor();
  await frame.locator('#lanes').focus();
  for (const key of ['z', '-', '-', '-', '-']) await page.keyboard.press(key);
  await page.waitForTimeout(600);
  await frame
    .locator('.details .field', { has: page.locator('.name', { hasText: /^size$/ }) })
    .first()
    .click();
  await settled(page);
  await look('zoomed');

  await frame.getByRole('tab', { name: 'Statistics' }).click();
  await frame.locator('.statistics tr', { hasText: 'READ' }).first().click();
  await settled(page);
  await look('statistics');
  await frame.getByRole('tab', { name: 'Requests' }).click();

  await command(page, 'Virtio-FS: Compare Captures');
  await rows(page).filter({ hasText: 'slower.fuse.pcapng' }).first().click();
  await page.getByRole('tab', { name: /build\.fuse\.pcapng ↔ slower/ }).waitFor();
  await frame.locator('#timeline[data-complete="true"]').waitFor({ timeout: 60_000 });
  await frame.getByLabel('Lanes', { exact: true }).selectOption('file');
  await settled(page);
  await look('compared');
  await frame.getByRole('tab', { name: 'Comparison' }).click();
  await frame.locator('.comparison tr', { hasText: 'READ' }).first().waitFor();
  await settled(page);
  await look('comparison');

  await command(page, 'View: Close All Editors');
  await page.keyboard.press('Control+b');
  await openInViews(page, 'build.fuse');
  // The views come by themselves.
  await page.locator('.pane-body .monaco-list-row', { hasText: 'READ part' }).first().waitFor();
  await page.locator('.pane-header', { hasText: 'Findings' }).click();
  await page.locator('.pane-header', { hasText: 'Inodes and Handles' }).click();
  await page.waitForTimeout(1500);
  await settled(page);
  await look('views');
}
