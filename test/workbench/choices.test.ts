import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { need } from '../support/need';
import { getVscode } from '../support/vscode/install';
import { command, input, prompt, rows, terminalText, type } from '../support/vscode/steps';
import { CHROMIUM, openWorkbench, type Workbench } from '../support/vscode/workbench';
import { extensionIsKnown } from './timelineWorkbench';

const CHOICES = ['Guest', 'Cache mode', 'Read-only', 'Tag', 'More folders', 'DAX window', 'Capture to a file'];

const project = resolve(__dirname, '../../..');

describe('the choices of a share', function () {
  this.timeout(180_000);
  let scratch: string;
  let workbench: Workbench;
  let page: Page;

  before(async function () {
    need(this, 'a browser', existsSync(CHROMIUM), `no ${CHROMIUM}`);
    scratch = await mkdtemp(join(tmpdir(), 'virtiofs-choices-'));
    for (const name of ['one', 'other', 'window']) await mkdir(join(scratch, name));
    workbench = await openWorkbench({
      server: await getVscode(),
      workspace: join(scratch, 'one'),
      extensions: [project],
      installed: true,
    });
    ({ page } = workbench);
    page.setDefaultTimeout(30_000);
  });

  after(async () => {
    await workbench?.close();
    if (scratch !== undefined) await rm(scratch, { recursive: true });
  });

  const row = (name: string): Locator => rows(page).filter({ hasText: name }).first();

  /** The list of choices for the folder that is open. */
  async function ask(folder: string): Promise<void> {
    await extensionIsKnown(page);
    await command(page, 'Virtio-FS: Share Folder into VM with Options…');
    await row(folder).waitFor();
    await pick('Share Folder into VM', folder);
    await page.locator('.quick-input-title', { hasText: `Share ${folder}` }).waitFor();
    await row('Cache mode').waitFor();
  }

  /** Until all rows of the list of choices are there. They come one after the other, into the list before. */
  async function allRows(): Promise<void> {
    await page.locator('.quick-input-title', { hasText: /^Share / }).waitFor();
    const turns = 100;
    for (let turn = 1; ; turn++) {
      const all = Number(await rows(page).first().getAttribute('aria-setsize'));
      const there = await rows(page).count();
      if (there === all) return;
      assert.ok(turn < turns, `${there} rows of a list of ${all}`);
      await page.waitForTimeout(50);
    }
  }

  /** What is chosen of each that is offered. */
  async function chosen(): Promise<Record<string, string>> {
    const descriptions: Record<string, string> = {};
    await allRows();
    for (const name of CHOICES) {
      if ((await row(name).count()) > 0) descriptions[name] = await row(name).locator('.label-description').innerText();
    }
    return descriptions;
  }

  /** A row of the list of this title. No pointer: what it points at is explained over the rows below. */
  async function pick(title: string, label: string): Promise<void> {
    await page.locator('.quick-input-title', { hasText: title }).waitFor();
    await row(label).waitFor();
    await input(page).fill(label);
    await row(label).and(page.locator('.focused')).waitFor();
    await page.keyboard.press('Enter');
  }

  async function name(folder: string, tag: string): Promise<void> {
    await pick(`Share ${folder}`, 'Tag');
    await page.locator('.quick-input-title', { hasText: 'Tag' }).waitFor();
    await input(page).fill(tag);
    await page.keyboard.press('Enter');
    await row(`mounted at /mnt/${tag}`).waitFor();
  }

  /** Starts a guest with what is chosen. */
  async function start(folder: string): Promise<void> {
    await pick(`Share ${folder}`, 'Start');
    await page.locator('.statusbar-item[id*="virtiofs.vm"]').waitFor();
  }

  async function open(folder: string): Promise<void> {
    const there = new URL(page.url());
    there.searchParams.set('folder', join(scratch, folder));
    await page.goto(there.href);
  }

  it('say in each question what is chosen now, or holds where nothing is written', async () => {
    await ask('one');
    const asked: Record<string, string | null> = {};
    for (const name of ['Guest', 'Cache mode', 'Memory', 'Processors', 'DAX window', 'Capture to a file']) {
      await pick('Share one', name);
      await page.locator('.quick-input-title', { hasNotText: 'Share one' }).waitFor();
      asked[name] = await input(page).getAttribute('placeholder');
      await page.keyboard.press('Escape');
      await page.locator('.quick-input-title', { hasText: 'Share one' }).waitFor();
    }
    await page.keyboard.press('Escape');
    assert.deepEqual(asked, {
      Guest: 'now: QEMU',
      'Cache mode': 'now: auto',
      Memory: 'empty: 512M',
      Processors: 'empty: 2',
      'DAX window': 'now: off',
      'Capture to a file': 'now: no capture',
    });
  });

  it('are there again after the window was loaded anew, and in no other folder', async () => {
    await ask('one');
    const usual = await chosen();
    await pick('Share one', 'Guest');
    await pick('Guest', 'User Mode Linux');
    await pick('Share one', 'Cache mode');
    await pick('Cache mode', 'metadata');
    await pick('Share one', 'Read-only');
    await row('yes: the guest may change nothing').waitFor();
    await name('one', 'mine');
    const made = await chosen();
    assert.deepEqual(made, {
      Guest: 'User Mode Linux',
      'Cache mode': 'metadata',
      'Read-only': 'yes: the guest may change nothing',
      Tag: 'mine, mounted at /mnt/mine',
      'More folders': 'none',
      'Capture to a file': 'no',
    });
    await start('one');
    await page.reload();
    await ask('one');
    assert.deepEqual(await chosen(), made);
    await page.keyboard.press('Escape');
    await open('other');
    await ask('other');
    assert.deepEqual(await chosen(), usual);
    await page.keyboard.press('Escape');
  });

  it('have the DAX window among them; a capture file is of one start', async () => {
    await open('window');
    await ask('window');
    await pick('Share window', 'DAX window');
    await pick('DAX window: parts of files', '8M');
    await pick('DAX window: for which files', 'all');
    await row('8M, dax=always').waitFor();
    await pick('Share window', 'Capture to a file');
    await pick('Capture every request', 'fuse.pcapng');
    await row('window-DATE-TIME.fuse.pcapng').waitFor();
    const made = await chosen();
    await start('window');
    await prompt(page);
    await type(page, 'grep -o dax=always /proc/mounts');
    await terminalText(page)
      .getByText(/^dax=always/)
      .waitFor();
    const captures = (await readdir(scratch)).filter((file) => file.startsWith('window-'));
    assert.match(captures.join(), /^window-\d{8}-\d{6}\.fuse\.pcapng$/);
    await page.reload();
    await ask('window');
    assert.deepEqual(await chosen(), { ...made, 'Capture to a file': 'no' });
    await page.keyboard.press('Escape');
  });

  it('that do not go together say so where they are made, and neither start anything nor are remembered', async () => {
    await open('other');
    await ask('other');
    const usual = await chosen();
    const window = row('DAX window');
    await pick('Share other', 'DAX window');
    await pick('DAX window: parts of files', '8M');
    await pick('DAX window: for which files', 'all');
    await window.filter({ hasText: '8M, dax=always' }).waitFor();
    assert.doesNotMatch(await window.innerText(), /do not go together/);
    await pick('Share other', 'Cache mode');
    await pick('Cache mode', 'metadata');
    const apart = 'A DAX window and the cache mode metadata do not go together';
    await window.filter({ hasText: apart }).waitFor();
    await pick('Share other', 'Start');
    await page.locator('.notifications-toasts').getByText(apart).waitFor();
    await window.and(page.locator('.focused')).waitFor();
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('.statusbar-item[id*="virtiofs.vm"]').count(), 0);
    await ask('other');
    assert.deepEqual(await chosen(), usual);
    await page.keyboard.press('Escape');
  });
});
