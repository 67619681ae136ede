import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import { need } from '../support/need';
import { command, input, rows } from '../support/vscode/steps';
import { CHROMIUM } from '../support/vscode/workbench';
import { sampleCapture } from './sampleCapture';
import { openInViews, timelineWorkbench, type TimelineWorkbench } from './timelineWorkbench';

const ALL = '533';

describe('the box for a filter of the Requests view', function () {
  this.timeout(180_000);
  let workbench: TimelineWorkbench;
  let page: Page;

  before(async function () {
    need(this, 'a browser', existsSync(CHROMIUM), `no ${CHROMIUM}`);
    workbench = await timelineWorkbench({ 'build.fuse.pcapng': sampleCapture().bytes() });
    ({ page } = workbench);
    page.setDefaultTimeout(20_000);
    await openInViews(page, 'build.fuse.pcapng');
    await shows(ALL);
  });

  after(async () => {
    await workbench?.close();
  });

  afterEach(async () => {
    await page.keyboard.press('Escape');
    await command(page, 'Virtio-FS: Clear Filter');
    await shows(ALL);
  });

  /** What the view's title says of how many requests are shown. */
  async function shows(count: string): Promise<void> {
    const description = page.locator('.pane-header', { hasText: 'Requests' }).locator('.description');
    await description.getByText(count, { exact: true }).waitFor();
  }

  async function open(): Promise<void> {
    await command(page, 'Virtio-FS: Filter Requests…');
    await page.locator('.quick-input-title', { hasText: 'Filter Requests' }).waitFor();
    await rows(page).and(page.locator('.focused')).waitFor();
    await input(page).focus();
  }

  async function closed(): Promise<void> {
    await page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  }

  const labelled = (label: string): Locator =>
    rows(page).filter({ has: page.locator('.monaco-highlighted-label').getByText(label, { exact: true }) });

  /** Types; the list is then that of the whole text, of so many rows, and no longer that of a part of it. */
  async function write(text: string, length: number): Promise<void> {
    const before = await input(page).inputValue();
    await page.keyboard.type(text);
    await has(before + text);
    await page.locator(`.quick-input-list .monaco-list-row[aria-setsize="${length}"]`).first().waitFor();
  }

  /** What Enter would take. */
  async function first(label: string): Promise<void> {
    await labelled(label).and(page.locator('.focused')).waitFor();
  }

  /** Enter takes what is offered first; the box then has this text. */
  async function taken(label: string, text: string): Promise<void> {
    await first(label);
    await page.keyboard.press('Enter');
    await has(text);
  }

  async function has(text: string): Promise<void> {
    for (let turn = 0; turn < 100 && (await input(page).inputValue()) !== text; turn++) await page.waitForTimeout(50);
    assert.equal(await input(page).inputValue(), text);
  }

  it('offers fields, then operators, then values, and lets a whole filter be written by taking them', async () => {
    await open();
    await write('opc', 3);
    await taken('opcode', 'opcode ');
    for (const operator of ['==', '!=', 'in']) await labelled(operator).waitFor();
    await labelled('==').click();
    await has('opcode == ');
    await write('OPEND', 3);
    await taken('OPENDIR', 'opcode == OPENDIR');
    await first('Show only these');
    await page.keyboard.press('Enter');
    await closed();
    await shows(`1 of ${ALL}`);
  });

  it('says what a field means', async () => {
    await open();
    await write('laten', 3);
    const [text] = await labelled('latency').first().allInnerTexts();
    assert.match(text, /reply/);
  });

  it('says what is wrong with a filter and where, and does not take it', async () => {
    await open();
    await write('opcoed == READ && size > 1', 2);
    const said = rows(page).filter({ hasText: 'no field "opcoed"' });
    await said.and(page.locator('.focused')).waitFor();
    await said.getByText('▸opcoed◂ == READ && size > 1').waitFor();
    await page.keyboard.press('Enter');
    await said.waitFor();
    await page.keyboard.press('ArrowDown');
    await taken('opcode == READ && size > 1', 'opcode == READ && size > 1');
    await page.keyboard.press('Escape');
    await closed();
    await shows(ALL);
  });

  it('takes no filter that is not finished', async () => {
    await open();
    await write('opcode == READ && ', 61);
    await first('time');
    // What is missing is said last: it is no mistake yet.
    await page.keyboard.press('ArrowUp');
    const said = rows(page).filter({ hasText: 'a field is missing at the end' }).and(page.locator('.focused'));
    await said.getByText('opcode == READ && ▸ …').waitFor();
    await page.keyboard.press('Enter');
    await said.waitFor();
    await page.keyboard.press('Escape');
    await closed();
    await shows(ALL);
  });

  /** As one who does not wait for what is offered: the keys come before anything that follows from them. */
  async function hurry(text: string): Promise<void> {
    await Promise.all([page.keyboard.insertText(text), page.keyboard.press('Enter')]);
  }

  it('takes what is written, however quickly Enter follows', async () => {
    await open();
    await write('opc', 3);
    await first('opcode');
    await hurry('ode == READDIRPLUS');
    await closed();
    await shows(`1 of ${ALL}`);
  });

  it('takes what is written after a completion was looked at', async () => {
    await open();
    await write('opcode == READ', 5);
    await first('Show only these');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await first('READDIR');
    await hurry('DIRPLUS');
    await closed();
    await shows(`1 of ${ALL}`);
  });

  it('takes what is offered first for what is written, however quickly Enter follows', async () => {
    await open();
    await write('opcode == READDIRPLUS', 2);
    await first('Show only these');
    await hurry(' && ');
    await has('opcode == READDIRPLUS && time ');
  });

  it('takes what completes the last word, also behind a condition', async () => {
    await open();
    await page.keyboard.type('opcode == READDIRPLUS && siz');
    await taken('size', 'opcode == READDIRPLUS && size ');
  });

  it('begins with the filter that is there, and Escape leaves that as it is', async () => {
    await open();
    await write('opcode == READDIRPLUS', 2);
    await first('Show only these');
    await page.keyboard.press('Enter');
    await closed();
    await shows(`1 of ${ALL}`);
    await open();
    assert.equal(await input(page).inputValue(), 'opcode == READDIRPLUS');
    await input(page).fill('opcode == WRITE');
    await first('Show only these');
    await page.keyboard.press('Escape');
    await closed();
    await shows(`1 of ${ALL}`);
  });

  it('offers the filters of before where it is empty', async () => {
    await open();
    await write('opcode == FSYNC', 3);
    await first('Show only these');
    await page.keyboard.press('Enter');
    await closed();
    await command(page, 'Virtio-FS: Clear Filter');
    await open();
    const recent = labelled('opcode == FSYNC').filter({ hasText: 'recent' });
    await recent.click();
    await has('opcode == FSYNC');
  });
});
