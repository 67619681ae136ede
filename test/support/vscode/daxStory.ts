/** A guest with a DAX window: files are read in it, and the view shows which file has which range. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { command, type Look, pageWith, prompt, rows, settled, terminalText, type } from './steps';

/** QEMU is needed: User Mode Linux has no window. */
export const daxSettings = { 'virtiofs.guest': 'qemu', 'virtiofs.dax.size': '64M' };

/** Files of different sizes, all of whole pages. */
export async function makeData(workspace: string): Promise<void> {
  const sizes = { 'orders.db': 9, 'model.weights': 17, 'photos.tar': 12, 'index.bin': 5 };
  for (const [name, mebibytes] of Object.entries(sizes)) {
    await writeFile(join(workspace, name), Buffer.alloc(mebibytes << 20, name));
  }
}

export async function daxStory(page: Page, look: Look): Promise<void> {
  await page.locator('.explorer-folders-view').getByText('notes.md').waitFor({ timeout: 120_000 });
  await page.getByRole('tab', { name: 'Virtio-FS' }).first().click();
  await command(page, 'Virtio-FS: Share Folder into VM…');
  await rows(page).filter({ hasText: 'project' }).first().waitFor();
  await page.keyboard.press('Enter');
  await prompt(page);
  await type(page, 'cat orders.db model.weights photos.tar index.bin | wc -c');
  await terminalText(page).getByText('45088768').waitFor({ timeout: 120_000 });
  await type(page, 'dd if=/dev/zero of=orders.db bs=4k count=600 conv=notrunc');
  await terminalText(page).getByText('600+0 records out').waitFor({ timeout: 120_000 });
  await type(page, 'cat photos.tar notes.md | tail -1');
  await terminalText(page).getByText('run in the guest').waitFor({ timeout: 120_000 });
  // Its occupancy is a lane of the timeline.
  await page.locator('.pane-header', { hasText: 'Requests' }).hover();
  await page.getByRole('button', { name: 'Show Timeline of This Capture' }).click();
  await page.locator('.pane-header', { hasText: 'DAX Window' }).waitFor({ timeout: 60_000 });
  // Folded, so that the window has their room; the middle of a header has buttons in a narrow window.
  for (const name of ['Requests', 'Shares']) {
    await page
      .locator('.pane-header', { hasText: name })
      .first()
      .click({ position: { x: 20, y: 10 } });
  }
  const frame = await pageWith(page, '#dax[data-ranges]');
  await frame.locator('.legend li', { hasText: 'model.weights' }).first().waitFor();
  await settled(page);
  await look('dax');
  await frame.locator('#grid').focus();
  await page.keyboard.press('Home');
  for (let press = 0; press < 6; press++) await page.keyboard.press('ArrowRight');
  await settled(page);
  await look('dax-range');
}
