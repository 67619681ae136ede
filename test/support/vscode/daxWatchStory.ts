/**
 * A person's way through a DAX window: chosen with a share, where that can be; then the view DAX Window beside a guest
 * that is at work in it: live, back in time, and what is not in it and why.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { command, interrupt, type Look, prompt, rows, settled, terminalText, toTerminal, type } from './steps';

const MIB = 1 << 20;
/** Eight ranges: fewer than the files have. */
const SIZE = '16M';
const NUMBER = /[\d,]+/;

/** By its label. The list uses its rows again, and some have the hidden words of an earlier one. */
const row = (page: Page, label: string): Locator =>
  rows(page)
    .filter({ hasText: new RegExp(`^\\W*${label}`) })
    .first();
const said = (page: Page, words: string | RegExp): Locator =>
  rows(page).getByText(words).filter({ visible: true }).first();
const shown = (page: Page, words: string | RegExp): Promise<void> => said(page, words).waitFor();

async function chooseOptions(page: Page): Promise<void> {
  await command(page, 'Virtio-FS: Share Folder into VM with Options…');
  await row(page, 'project').waitFor();
  await page.keyboard.press('Enter');
  await row(page, 'Cache mode').waitFor();
}

/** Of what is chosen one after the other: the first list has `first`. */
async function pick(page: Page, first: string, ...then: readonly string[]): Promise<void> {
  for (const text of [first, ...then]) await row(page, text).click();
}

export async function daxWatchStory(page: Page, look: Look, folder: string): Promise<void> {
  await writeFile(join(folder, 'data.bin'), Buffer.alloc(20 * MIB, 'd'));
  await writeFile(join(folder, 'model.bin'), Buffer.alloc(6 * MIB, 'm'));
  await writeFile(join(folder, 'empty.lock'), '');
  await page.locator('.explorer-folders-view').getByText('notes.md').waitFor({ timeout: 60_000 });
  await page.getByRole('tab', { name: 'Virtio-FS' }).first().click();

  await chooseOptions(page);
  // The guest of this workspace is User Mode Linux, which has no such window: the row comes with QEMU.
  await shown(page, 'User Mode Linux');
  await row(page, 'DAX window').waitFor({ state: 'hidden' });
  await pick(page, 'Guest', 'QEMU');
  await shown(page, /^off$/);
  await pick(page, 'DAX window');
  await row(page, '256M').waitFor();
  await settled(page);
  await look('dax-sizes');
  await pick(page, SIZE, 'as the policy says');
  await page.getByText('Policy: pages or tails').waitFor();
  await page.keyboard.press('Enter');
  await pick(page, 'Guest', 'User Mode Linux');
  await shown(page, 'User Mode Linux has no DAX window. Use "virtiofs.guest": "qemu"');
  await settled(page);
  await look('dax-not-here');
  await pick(page, 'Guest', 'QEMU');
  await shown(page, /^16M, dax=inode$/);
  await said(page, 'has no DAX window').waitFor({ state: 'hidden' });
  await pick(page, 'Read-only');
  await shown(page, 'what is mapped can always be written to');
  await pick(page, 'Read-only');
  await said(page, 'can always be written to').waitFor({ state: 'hidden' });
  await row(page, 'Start').click();
  await prompt(page);

  await type(page, 'cat data.bin notes.md empty.lock model.bin | wc -c');
  await command(page, 'Virtio-FS: Focus on DAX Window View');
  const frame = page.frameLocator('iframe.webview.ready:visible').frameLocator('iframe#active-frame');
  const sums = frame.locator('.sums');
  await sums.filter({ hasText: /^[1-9]\d* MiB of 16 MiB in use/ }).waitFor();
  await frame.locator('.state', { hasText: 'live' }).waitFor();
  await frame.locator('.legend li', { hasText: '/model.bin' }).waitFor();
  await frame.locator('.reasons', { hasText: /notes\.md.*not a multiple of 4096/ }).waitFor();
  await frame.locator('.reasons', { hasText: /empty\.lock.*it is empty/ }).waitFor();

  const mapped = async (): Promise<number> => {
    const text = await frame.locator('.figures dd').first().textContent();
    return Number((NUMBER.exec(text ?? '')?.[0] ?? '0').replaceAll(',', ''));
  };
  const more = async (than: number): Promise<void> => {
    for (const end = Date.now() + 30_000; (await mapped()) <= than; await page.waitForTimeout(100)) {
      if (Date.now() > end) throw new Error(`no more than ${than} ranges have been mapped`);
    }
  };
  const before = await mapped();
  await toTerminal(page);
  await type(page, 'while true; do cat data.bin model.bin >/dev/null; usleep 200000; done');
  await more(before + 16);
  await settled(page);
  await look('dax-live');

  await frame.getByRole('slider').fill('0');
  await sums.filter({ hasText: '0 bytes of 16 MiB' }).waitFor();
  const moment = frame.locator('.moment');
  const then = (await moment.textContent()) ?? '';
  // The guest goes on, and so does the scale; what is looked at stays.
  await moment.filter({ hasNotText: then }).waitFor();
  await sums.filter({ hasText: '0 bytes of 16 MiB' }).waitFor();
  await frame.getByRole('slider').fill('1400');
  await settled(page);
  await look('dax-back');
  await frame.getByRole('button', { name: 'Follow' }).click();
  await frame.locator('.moment', { hasText: /^live/ }).waitFor();
  await more(await mapped());

  await toTerminal(page);
  await interrupt(page);
  await type(page, 'cat data.bin model.bin | wc -c');
  await terminalText(page)
    .getByText(String(26 * MIB))
    .waitFor();
  await frame.getByRole('searchbox').fill('model');
  // The view is a second behind at most: until then the ranges found may be gone already.
  const place = frame.locator('#cell-words', { hasText: 'model.bin' });
  for (let turn = 0; turn < 20 && (await place.count()) === 0; turn++) {
    await frame.getByRole('searchbox').press('Enter');
    await page.waitForTimeout(500);
  }
  await frame.locator('.details', { hasText: 'model.bin' }).waitFor();
  await settled(page);
  await look('dax-found');

  await chooseOptions(page);
  await shown(page, /^16M, dax=inode$/);
  await page.keyboard.press('Escape');
}
