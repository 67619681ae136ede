/**
 * What the stories do not pass by, to be looked at in a review: states of the timeline and of the views, a large DAX
 * window, a workspace that is not trusted. Only shows; what has to be true of it is in test/workbench.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FrameLocator, type Page } from 'playwright-core';
import { CaptureBuilder } from '../../trace/captureBuilder';
import { sampleCapture } from '../../workbench/sampleCapture';
import { sampleWindow } from '../../workbench/sampleWindow';
import { openFile, openInViews, whenComplete } from '../../workbench/timelineWorkbench';
import { chooseInMenu, command, contributed, type Look, rows, settled, treeRow } from './steps';
import { type Told } from './tell';

async function makeStates(workspace: string): Promise<void> {
  const whole = sampleCapture().bytes();
  const captures = {
    'build.fuse.pcapng': whole,
    'cut.fuse.pcapng': whole.subarray(0, whole.length - 1001),
    'empty.fuse.pcapng': new CaptureBuilder().bytes(),
    'foreign.fuse.pcapng': new TextEncoder().encode('This was never a capture, whatever it is called.\n'),
  };
  for (const [name, bytes] of Object.entries(captures)) await writeFile(join(workspace, name), bytes);
}

const frameOf = (page: Page): FrameLocator =>
  page.frameLocator('iframe.webview.ready:visible').frameLocator('iframe#active-frame');

async function begin(page: Page): Promise<void> {
  await page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'fuse.pcapng' }).first().waitFor();
  await contributed(page);
  // Editors of extensions come a moment after their views.
  await page.waitForTimeout(4000);
}

/** The timeline of the sample, with all the room there is. */
async function openTimeline(page: Page): Promise<FrameLocator> {
  await begin(page);
  await openFile(page, 'build.fuse');
  const frame = frameOf(page);
  await whenComplete(frame);
  await page.keyboard.press('Control+b');
  return frame;
}

async function filterStates(page: Page, look: Look): Promise<void> {
  const frame = await openTimeline(page);
  const filter = frame.getByRole('combobox', { name: 'Filter requests' });
  await filter.fill('opcode == R');
  await frame.getByRole('option').first().waitFor();
  await filter.press('ArrowDown');
  await look('completions');
  await filter.fill('opcode == REED && latency > 5');
  await filter.press('Enter');
  await frame.locator('.filter-error').waitFor();
  await settled(page);
  await look('filter-wrong');
  await filter.fill('opcode == READ && latency > 5s');
  await filter.press('Enter');
  await settled(page);
  await look('nothing-passes');
  await frame.getByRole('tab', { name: 'Statistics' }).click();
  await settled(page);
  await look('no-figures');
  await frame.locator('#lanes').focus();
  await page.keyboard.press('Escape');
  await settled(page);
  await look('figures');
  await page.keyboard.press('ArrowRight');
  await settled(page);
  await look('figures-selected');
}

async function timelineStates(page: Page, look: Look): Promise<void> {
  const frame = await openTimeline(page);
  await frame.getByLabel('Color', { exact: true }).selectOption('latency');
  await frame.getByLabel('Height', { exact: true }).selectOption('latency');
  await frame.getByLabel('Lanes', { exact: true }).selectOption('opcode');
  await settled(page);
  await look('latency');
  await frame.getByLabel('Color', { exact: true }).selectOption('result');
  await frame.getByLabel('Height', { exact: true }).selectOption('overlap');
  await frame.getByLabel('Lanes', { exact: true }).selectOption('file');
  const surface = frame.locator('#lanes');
  await surface.focus();
  for (const key of ['Home', 'ArrowRight', 'ArrowRight', 'b']) await page.keyboard.press(key);
  await page.keyboard.type('why so slow?');
  await page.keyboard.press('Enter');
  await surface.focus();
  for (const key of ['End', 'b']) await page.keyboard.press(key);
  await page.keyboard.type('never answered');
  await page.keyboard.press('Enter');
  await settled(page);
  await look('notes');
  await surface.focus();
  await page.keyboard.press('?');
  await settled(page);
  await look('keys');
  await page.keyboard.press('Escape');
  await frame.getByRole('tab', { name: 'Requests' }).click();
  await frame.getByLabel('Color', { exact: true }).selectOption('opcode');
  await frame.getByLabel('Lanes', { exact: true }).selectOption('queue');
  await surface.focus();
  for (const key of ['Home', 'z', '-', '-', '-']) await page.keyboard.press(key);
  await page.waitForTimeout(800);
  const box = await surface.boundingBox();
  if (box === null) throw new Error('no lanes');
  await page.mouse.move(box.x + 260, box.y + 60);
  await page.mouse.move(box.x + 260, box.y + 108, { steps: 8 });
  await page.waitForTimeout(500);
  await look('hover');
  for (const name of ['cut', 'empty', 'foreign']) {
    await command(page, 'View: Close All Editors');
    await page.keyboard.press('Control+b');
    await openFile(page, `${name}.fuse`);
    await frame.locator('#timeline[data-complete="true"], .failure:visible').first().waitFor();
    await page.keyboard.press('Control+b');
    await settled(page);
    await look(name);
  }
}

/** From what else the view Requests offers. */
async function choose(page: Page, entry: string): Promise<void> {
  const header = page.locator('.pane-header', { hasText: 'Requests' }).first();
  await header.hover();
  await header.getByRole('button', { name: /More Actions/ }).click();
  await chooseInMenu(page, entry);
}

async function viewStates(page: Page, look: Look): Promise<void> {
  await begin(page);
  await openInViews(page, 'build.fuse');
  await treeRow(page, 'READ part').waitFor();
  const fold = (name: string): Promise<void> =>
    page
      .locator('.pane-header', { hasText: name })
      .first()
      .click({ position: { x: 20, y: 10 } });
  await fold('Shares');
  for (const by of ['File', 'Process', 'Opcode']) {
    await choose(page, `Group by ${by}`);
    await page.waitForTimeout(800);
    await page.locator('.pane-body .monaco-list-row').first().click();
    await page.keyboard.press('ArrowRight');
    await settled(page);
    await look(`by-${by.toLowerCase()}`);
  }
  await choose(page, 'Group by Time');
  await command(page, 'Filter Requests');
  await page.locator('.quick-input-title', { hasText: 'Filter Requests' }).waitFor();
  await page.keyboard.type('opcode == READ && lat');
  await page.waitForTimeout(600);
  await look('filter');
  await page.keyboard.press('Escape');
  await treeRow(page, 'READ part').click();
  await page.keyboard.press('ArrowRight');
  await page.waitForTimeout(600);
  await treeRow(page, 'READ part').hover();
  await page.waitForTimeout(1500);
  await look('opened');
  await fold('Requests');
  await fold('Inodes and Handles');
  await page.waitForTimeout(800);
  await page.locator('.pane-body .monaco-list-row:visible').nth(1).click();
  await page.keyboard.press('ArrowRight');
  await settled(page);
  await look('inodes');
  await fold('Inodes and Handles');
  await fold('Findings');
  await page.waitForTimeout(800);
  await page.locator('.pane-body .monaco-list-row:visible').first().click();
  await page.keyboard.press('ArrowRight');
  await settled(page);
  await look('findings');
  await fold('Findings');
  await fold('Requests');
  await choose(page, 'Show Requests as Text');
  await page.locator('.monaco-editor .view-line').first().waitFor();
  await settled(page);
  await look('text');
  await choose(page, 'Show Every Field as Text');
  await page.waitForTimeout(1500);
  await settled(page);
  await look('fields');
}

async function windowStates(page: Page, look: Look): Promise<void> {
  await begin(page);
  await openInViews(page, 'window.fuse');
  await page.locator('.pane-header', { hasText: 'DAX Window' }).waitFor();
  await command(page, 'Virtio-FS: Focus on DAX Window View');
  for (const name of ['Requests', 'Shares']) {
    await page
      .locator('.pane-header', { hasText: name })
      .first()
      .click({ position: { x: 20, y: 10 } });
  }
  const frame = frameOf(page);
  await frame.locator('#dax[data-ranges]').waitFor();
  await settled(page);
  await look('large');
  for (const by of ['access', 'age', 'churn', 'file']) {
    await frame.getByRole('combobox', { name: 'Color by' }).selectOption(by);
    await page.waitForTimeout(300);
    await look(by);
  }
  await frame.getByRole('searchbox').fill('photos');
  await frame.getByRole('searchbox').press('Enter');
  await settled(page);
  await look('found');
  await frame.getByRole('searchbox').fill('nothing of the kind');
  await settled(page);
  await look('not-found');
  await frame.getByRole('searchbox').press('Escape');
  await frame.getByRole('slider').focus();
  await page.keyboard.press('Home');
  await settled(page);
  await look('first-moment');
  await page.keyboard.press('End');
  const box = await frame.locator('#grid').boundingBox();
  if (box === null) throw new Error('no grid');
  await page.mouse.move(box.x + box.width - 4, box.y + 30);
  await page.mouse.move(box.x + box.width - 8, box.y + 30, { steps: 3 });
  await page.waitForTimeout(400);
  await look('hover');
  await frame.locator('#dax').evaluate((element) => {
    const page = (element as unknown as { ownerDocument: { scrollingElement: { scrollTop: number } } }).ownerDocument;
    page.scrollingElement.scrollTop = 100_000;
  });
  await page.mouse.move(200, 12);
  await page.waitForTimeout(400);
  await look('below');
}

async function untrustedStates(page: Page, look: Look): Promise<void> {
  await begin(page);
  await page.getByRole('tab', { name: 'Virtio-FS' }).first().click();
  await page.waitForTimeout(2500);
  await settled(page);
  await look('welcome');
  await command(page, 'Virtio-FS: Share Folder into VM');
  await page.waitForTimeout(2500);
  await settled(page);
  await look('refused');
}

/** A setting that cannot be. */
async function settingRefused(page: Page, look: Look): Promise<void> {
  await page.locator('.explorer-folders-view').getByText('notes.md').waitFor({ timeout: 60_000 });
  await contributed(page);
  await command(page, 'Virtio-FS: Share Folder into VM…');
  await rows(page).filter({ hasText: 'project' }).first().waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.notification-toast', { hasText: 'virtiofs.dax.size' }).waitFor();
  await settled(page);
  await look('refused');
}

export const sights = {
  filterStates: { story: filterStates, prepare: makeStates },
  timelineStates: { story: timelineStates, prepare: makeStates },
  viewStates: { story: viewStates, prepare: makeStates },
  windowStates: {
    story: windowStates,
    prepare: async (workspace: string) => {
      await writeFile(join(workspace, 'window.fuse.pcapng'), sampleWindow(4096, 9000));
    },
  },
  settingRefused: { story: settingRefused, settings: { 'virtiofs.dax.size': '48M' } },
  untrusted: { story: untrustedStates, prepare: makeStates, trusted: false },
} satisfies Readonly<Record<string, Told>>;
