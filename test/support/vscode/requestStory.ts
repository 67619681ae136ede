/**
 * The whole way of one request, as a person sees it: a folder is shared, `ls` typed in the guest, the request is in the
 * tree and in the timeline, is filtered for, opened to its bytes and exported; the guest is stopped. Checks what it
 * sees on the way; says when there is something to look at.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FrameLocator, type Page } from 'playwright-core';
import { command, input, type Look, prompt, rows, settled, terminalText, treeRow, type } from './steps';
import { processesAbout } from './processes';

/** The timeline that is shown. */
const timeline = (page: Page): FrameLocator =>
  page.frameLocator('iframe.webview.ready:visible').frameLocator('iframe#active-frame');

/** Numbers of a text such as "3 of 1,234 requests". */
const numbers = (text: string | null): number[] =>
  [...(text ?? '').matchAll(/[\d,]+/g)].map(([digits]) => Number(digits.replaceAll(',', '')));

async function until(what: string, ready: () => Promise<boolean>): Promise<void> {
  const last = Date.now() + 20_000;
  while (!(await ready())) {
    assert.ok(Date.now() < last, `waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function requestStory(page: Page, look: Look, workspace: string): Promise<void> {
  await share(page, look);
  await findInTree(page, look);
  const frame = timeline(page);
  await watchTimeline(page, frame, look);
  await zoom(page, frame, look);
  const shown = await filterAndSelect(page, frame, look);
  await exportShown(page, frame, look, join(workspace, 'reads.jsonl'), shown);
  await stop(page, frame, look, workspace);
}

/** From the palette to `ls` in the guest. */
async function share(page: Page, look: Look): Promise<void> {
  await page.locator('.explorer-folders-view').getByText('notes.md').waitFor({ timeout: 60_000 });
  await page.getByRole('tab', { name: 'Virtio-FS' }).first().click();
  await page.getByText('see what the guest does with it').first().waitFor({ timeout: 20_000 });
  await command(page, 'Virtio-FS: Share Folder into VM…');
  await rows(page).filter({ hasText: 'project' }).first().waitFor();
  await settled(page);
  await look('1-palette');
  await page.keyboard.press('Enter');
  await prompt(page);
  await type(page, 'ls');
  await terminalText(page).getByText('Makefile').first().waitFor();
  await settled(page);
  await look('2-guest');
}

async function findInTree(page: Page, look: Look): Promise<void> {
  const row = treeRow(page, 'READDIRPLUS');
  await row.waitFor();
  await row.click();
  await treeRow(page, 'Reply').waitFor();
  await treeRow(page, 'fuse_read_in').waitFor();
  await settled(page);
  await look('3-tree');
}

/** Live: what the guest does next is there without a word. */
async function watchTimeline(page: Page, frame: FrameLocator, look: Look): Promise<void> {
  await page.locator('.pane-header', { hasText: 'Requests' }).hover();
  await page.getByRole('button', { name: 'Show Timeline of This Capture' }).click();
  const count = frame.locator('.count');
  await count.filter({ hasText: /requests/ }).waitFor({ timeout: 30_000 });
  const [before] = numbers(await count.textContent());
  await page.locator('.terminal-wrapper.active').click();
  await type(page, 'for i in $(seq 60); do ls -l src >/dev/null; cat notes.md Makefile >/dev/null; done');
  await type(page, 'cat notes.md');
  await terminalText(page).getByText('run in the guest').waitFor({ timeout: 30_000 });
  await until('more requests', async () => numbers(await count.textContent())[0] > before + 500);
  await settled(page);
  await look('4-timeline');
}

/** With the wheel where the pointer is, then to a request that is chosen in the table. */
async function zoom(page: Page, frame: FrameLocator, look: Look): Promise<void> {
  const range = frame.locator('.range');
  const whole = (await range.textContent()) ?? '';
  const box = await frame.locator('#lanes').boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + box.width * 0.8, box.y + box.height / 4);
  for (let turn = 0; turn < 3; turn++) await page.mouse.wheel(0, -240);
  // In a narrow window it is there without being seen.
  await range.filter({ hasNotText: whole }).waitFor({ state: 'attached' });
  await frame.locator('.table-row[data-row]:visible', { hasText: 'READ' }).last().click();
  await frame.locator('#lanes').focus();
  for (const key of ['z', '-', '-', '-', '-']) {
    await page.keyboard.press(key);
    await page.waitForTimeout(250);
  }
  await settled(page);
  await look('5-zoom');
}

/** How many requests the filter lets pass. */
async function filterAndSelect(page: Page, frame: FrameLocator, look: Look): Promise<number> {
  await frame.getByRole('button', { name: 'Show everything' }).click();
  const filter = frame.getByRole('combobox', { name: 'Filter requests' });
  await filter.fill('opcode == READ && path ~ "*notes.md"');
  await filter.press('Enter');
  await frame.locator('.count').filter({ hasText: / of / }).waitFor();
  const [shown, all] = numbers(await frame.locator('.count').textContent());
  assert.ok(shown >= 1 && shown < all / 2, `${shown} of ${all}`);
  await frame.locator('.table-row[data-row]:visible').first().click();
  const details = frame.locator('.details');
  await details.getByRole('heading', { name: 'READ', exact: true }).waitFor();
  const size = details.locator('.field', { has: page.locator('.name', { hasText: /^size$/ }) }).first();
  await size.click();
  const marked = await details
    .locator('.byte.marked')
    .evaluateAll((cells) => cells.map((cell) => cell.getAttribute('data-at')));
  assert.deepEqual(marked, ['56', '57', '58', '59']);
  await page.waitForTimeout(400);
  await look('6-request');
  return shown;
}

async function exportShown(page: Page, frame: FrameLocator, look: Look, path: string, shown: number): Promise<void> {
  await frame.getByRole('button', { name: 'Export what is shown' }).click();
  await rows(page).filter({ hasText: 'JSON lines' }).click();
  await rows(page).filter({ hasText: 'notes.md' }).or(page.getByText('OK')).first().waitFor();
  await page.waitForTimeout(500);
  await look('7-export');
  await input(page).fill(path);
  await page.waitForTimeout(500);
  await page.keyboard.press('Enter');
  await page
    .getByText(/Exported \d+ requests? to/)
    .first()
    .waitFor({ timeout: 20_000 });
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  const exported = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.equal(exported.length, shown);
  assert.ok(exported.every(({ opcode, path: of }) => opcode === 'READ' && of === '/notes.md'));
}

/** Nothing is left, although VS Code goes on. */
async function stop(page: Page, frame: FrameLocator, look: Look, workspace: string): Promise<void> {
  await command(page, 'Virtio-FS: Stop VM');
  await page.getByText('see what the guest does with it').first().waitFor({ timeout: 30_000 });
  await settled(page);
  await look('8-stopped');
  assert.deepEqual(await processesAbout(workspace), []);
  assert.equal(existsSync(join(workspace, 'reads.jsonl')), true);
  // What was seen can still be looked at.
  assert.ok(numbers(await frame.locator('.count').textContent())[0] > 0);
}
