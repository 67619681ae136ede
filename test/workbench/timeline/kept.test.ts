/** What a timeline keeps: notes, in a file beside the capture, and over a reload how it looked. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { closeEditors, command, whenComplete } from '../timelineWorkbench';
import { type CaptureName, rotated } from './captures';
import { type SharedTimeline, sharedTimeline } from './sharedTimeline';

describe('the timeline in VS Code, and what it keeps', function () {
  this.timeout(180_000);
  let timeline: SharedTimeline;
  let page: Page;
  let frame: FrameLocator;

  before(async function () {
    timeline = await sharedTimeline(this);
    ({ page, frame } = timeline);
  });

  /** Notes something on the request in a row of the table. */
  async function note(row: number, text: string): Promise<void> {
    await frame.getByRole('tab', { name: 'Requests' }).click();
    await timeline.rows.nth(row).click();
    await frame.locator('#lanes').focus();
    await page.keyboard.press('b');
    await page.keyboard.type(text);
    await page.keyboard.press('Enter');
  }

  /** Waits until the file beside a capture has these notes and no others, in the order of their times. */
  async function written(name: CaptureName, ...texts: readonly string[]): Promise<void> {
    const file = join(timeline.folder, `${name}.notes.json`);
    await timeline.until(`${file} has ${texts.join(', ')}`, async () => {
      if (!existsSync(file)) return false;
      const { version, notes } = JSON.parse(await readFile(file, 'utf8')) as {
        version: number;
        notes: { text: string; row: number }[];
      };
      assert.equal(version, 1);
      return isDeepStrictEqual(
        notes.map(({ text }) => text),
        texts,
      );
    });
  }

  const tab = (name: string): Locator => frame.getByRole('tab', { name, exact: true });
  const focused = (): Promise<string | null> => frame.locator(':focus').getAttribute('aria-label');

  it('keeps notes beside the capture, which stays as it is, and writes through no link that lies there', async () => {
    const name = 'noted.fuse.pcapng';
    await timeline.begin(name);
    const before = await readFile(join(timeline.folder, name));
    const elsewhere = join(timeline.folder, `${name}.notes.json.elsewhere`);
    const link = join(timeline.folder, `${name}.notes.json.new`);
    await writeFile(elsewhere, 'as it was');
    await symlink(elsewhere, link);
    await note(2, 'why so slow?');
    await written(name, 'why so slow?');
    assert.deepEqual(await readFile(join(timeline.folder, name)), before);
    assert.equal(await readFile(elsewhere, 'utf8'), 'as it was');
    for (const each of [elsewhere, link]) await rm(each);
    await timeline.hasNames();
  });

  it('keeps the focus among the notes when one of them is removed', async () => {
    const name = 'noted-twice.fuse.pcapng';
    await timeline.begin(name);
    await note(2, 'stays');
    await note(5, 'gone soon');
    await written(name, 'stays', 'gone soon');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Remove the note');
    await page.keyboard.press('Enter');
    await tab('Notes (1)').waitFor();
    assert.match((await focused()) ?? '', /^Note at/);
    await written(name, 'stays');
  });

  it('gives up a change to a note, and the focus to the timeline, with Escape', async () => {
    const name = 'noted-twice.fuse.pcapng';
    await timeline.begin(name);
    const text = 'a note that is much longer than there is room for it in this list of notes, '.repeat(4).trim();
    await note(3, text);
    const input = frame.getByPlaceholder('What is to be seen here?').last();
    await input.press('End');
    await page.keyboard.type(' and more');
    await page.keyboard.press('Escape');
    await frame.locator('#lanes:focus').waitFor();
    assert.equal(await input.inputValue(), text);
    await input.hover();
    await frame.locator('.text-tip:visible', { hasText: text }).waitFor();
  });

  it('keeps a note on its request when the older file of the capture comes and goes', async () => {
    const name = 'rotated.fuse.pcapng';
    const older = join(timeline.folder, `${name}.old`);
    const isOnRequest = (row: number): Promise<void> =>
      frame
        .locator('.notes .where')
        .filter({ hasText: new RegExp(`^request ${row}$`) })
        .waitFor();
    const reopen = async (): Promise<void> => {
      await timeline.open(name);
      await tab('Notes (1)').click();
    };
    await timeline.begin(name);
    await note(1, 'this one');
    await isOnRequest(1);
    await written(name, 'this one');

    await closeEditors(page);
    await writeFile(older, rotated().older);
    await reopen();
    await timeline.shows(/^43 requests$/);
    await isOnRequest(41);
    await frame.locator('.notes .link').click();
    await frame
      .locator('.details .field', { hasText: /nodeid\s*3/ })
      .first()
      .waitFor();

    await closeEditors(page);
    await rm(older);
    await reopen();
    await isOnRequest(1);
  });

  it('is the same after the window is loaded anew', async () => {
    const lanes = frame.getByLabel('Lanes', { exact: true });
    const name = 'reloaded.fuse.pcapng';
    await timeline.begin(name);
    await note(2, 'still here');
    await written(name, 'still here');
    await lanes.selectOption('opcode');
    await timeline.filter('opcode == WRITE', /^20 of 533$/);
    await givenToVscode();
    const loaded = page.waitForEvent('load', { timeout: 60_000 });
    await command(page, 'Developer: Reload Window');
    await loaded;
    await whenComplete(frame);
    await timeline.shows(/^20 of 533$/);
    assert.equal(await timeline.filterInput.inputValue(), 'opcode == WRITE');
    assert.equal(await lanes.inputValue(), 'opcode');
    await tab('Notes (1)').waitFor();
    await timeline.filter('', /^533 requests$/);
  });

  /** The page gives its state to VS Code a moment after the last change: its timers end in the order of their times. */
  async function givenToVscode(): Promise<void> {
    await frame.locator('#timeline').evaluate(() => new Promise((resolve) => setTimeout(resolve, 400)));
  }
});
