/** A guest with a DAX window: files are read in it, and the view shows which file has which range. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FrameLocator, type Page } from 'playwright-core';
import { command, type Look, prompt, rows, settled, type } from './steps';

/** QEMU is needed: User Mode Linux has no window. */
export const daxSettings = { 'virtiofs.guest': 'qemu', 'virtiofs.dax.size': '64M' };

/** Files of different sizes, all of whole pages. */
export async function makeData(workspace: string): Promise<void> {
  const sizes = { 'orders.db': 9, 'model.weights': 17, 'photos.tar': 12, 'index.bin': 5 };
  for (const [name, mebibytes] of Object.entries(sizes)) {
    await writeFile(join(workspace, name), Buffer.alloc(mebibytes << 20, name));
  }
}

const window = (page: Page): FrameLocator =>
  page.frameLocator('iframe.webview.ready:visible').frameLocator('iframe#active-frame');

export async function daxStory(page: Page, look: Look): Promise<void> {
  await page.locator('.explorer-folders-view').getByText('notes.md').waitFor({ timeout: 60_000 });
  await page.getByRole('tab', { name: 'Virtio-FS' }).first().click();
  await command(page, 'Virtio-FS: Share Folder into VM…');
  await rows(page).filter({ hasText: 'project' }).first().waitFor();
  await page.keyboard.press('Enter');
  await prompt(page);
  await type(page, 'cat orders.db model.weights photos.tar index.bin >/dev/null; head -c 4194304 model.weights >/dev/null');
  await type(page, 'dd if=/dev/zero of=orders.db bs=4k count=600 conv=notrunc; cat photos.tar notes.md >/dev/null');
  await page.locator('.pane-header', { hasText: 'DAX Window' }).waitFor({ timeout: 30_000 });
  await command(page, 'Virtio-FS: Focus on DAX Window View');
  // Folded, so that the window has their room.
  for (const name of ['Requests', 'Shares']) await page.locator('.pane-header', { hasText: name }).first().click();
  const frame = window(page);
  await frame.locator('#dax[data-ranges]').waitFor({ timeout: 30_000 });
  await frame.locator('.legend li', { hasText: 'model.weights' }).first().waitFor();
  await settled(page);
  await look('dax');
  await frame.locator('#grid').focus();
  await page.keyboard.press('Home');
  for (let press = 0; press < 6; press++) await page.keyboard.press('ArrowRight');
  await settled(page);
  await look('dax-range');
}
