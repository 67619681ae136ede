import assert from 'node:assert/strict';
import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { need } from '../support/need';
import { CHROMIUM } from '../support/vscode/workbench';
import { CaptureBuilder } from '../trace/captureBuilder';
import { withoutName } from './accessibilityTree';
import { sampleCapture } from './sampleCapture';
import {
  closeEditors,
  command,
  openFile,
  timelineFrame,
  timelineWorkbench,
  type TimelineWorkbench,
  whenComplete,
} from './timelineWorkbench';

const { nameless } = createRequire(__filename)(resolve(__dirname, '../../../test/workbench/labelsInPage.cjs')) as {
  nameless(root: unknown): string[];
};

/** A capture in two files: 40 requests in the older one, 3 in the newer one. */
function rotated(): { readonly older: Uint8Array; readonly newer: Uint8Array } {
  const builder = new CaptureBuilder({ facts: { id: 'x', piece: 0 } });
  for (let i = 0; i < 40; i++) builder.exchange('STATFS');
  const older = builder.bytes();
  builder.section({ piece: 1 });
  for (const nodeid of [2, 3, 4]) builder.exchange('GETATTR', { nodeid });
  return { older, newer: builder.bytes().slice(older.length) };
}

describe('the timeline in VS Code', function () {
  this.timeout(180_000);
  let workbench: TimelineWorkbench;
  let page: Page;
  let frame: FrameLocator;

  before(async function () {
    need(this, 'a browser', existsSync(CHROMIUM), `no ${CHROMIUM}`);
    const whole = sampleCapture().bytes();
    const { newer } = rotated();
    workbench = await timelineWorkbench({
      'rotated.fuse.pcapng': newer,
      'build.fuse.pcapng': whole,
      'slower.fuse.pcapng': sampleCapture({ slower: 1.6, files: 50 }).bytes(),
      'cut.fuse.pcapng': whole.subarray(0, whole.length - 1001),
      'damaged.fuse.pcapng': damaged(whole),
      'foreign.fuse.pcapng': new TextEncoder().encode('This was never a capture, whatever it is called.\n'),
      'empty.fuse.pcapng': new CaptureBuilder().bytes(),
      'zero.fuse.pcapng': new Uint8Array(0),
    });
    ({ page } = workbench);
    page.setDefaultTimeout(12_000);
    frame = timelineFrame(page);
  });

  after(async () => {
    await workbench?.close();
  });

  async function open(name: string): Promise<void> {
    await closeEditors(page);
    await openFile(page, name);
    await whenComplete(frame);
  }

  const count = (): Locator => frame.locator('.count');
  const filterInput = (): Locator => frame.getByRole('combobox', { name: 'Filter requests' });
  const rows = (): Locator => frame.locator('.table-row[data-row]:visible');
  const column = (name: string): Promise<string[]> =>
    frame.locator(`.table-row[data-row]:visible .column-${name}`).allTextContents();

  async function filter(text: string, expected: RegExp): Promise<void> {
    await filterInput().fill(text);
    await filterInput().press('Enter');
    await count().filter({ hasText: expected }).waitFor();
  }

  it('opens a capture with a double click', async () => {
    await open('build.fuse.pcapng');
    await count()
      .filter({ hasText: /^533 requests$/ })
      .waitFor();
    assert.equal(await frame.locator('#lanes').getAttribute('data-lanes'), '3');
    assert.ok((await rows().count()) > 5);
  });

  /** Of the page as it is now: in the elements, and in what the browser makes of them. */
  async function hasNames(least = 3): Promise<void> {
    assert.deepEqual(await frame.locator('#timeline').evaluate(nameless), []);
    const tree = await withoutName(page);
    assert.ok(tree.looked >= least, `only ${tree.looked} things take the focus`);
    assert.deepEqual(tree.nameless, []);
  }

  it('says to a screen reader what everything is', async () => {
    await hasNames();
    assert.equal(await frame.getByRole('grid', { name: 'Requests' }).getAttribute('aria-rowcount'), '534');
  });

  it('zooms with the wheel, where the pointer is, and pans with a drag', async () => {
    const range = frame.locator('.range');
    const before = await range.textContent();
    const surface = frame.locator('#lanes');
    const box = await surface.boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    for (let i = 0; i < 5; i++) await page.mouse.wheel(0, -200);
    await frame
      .locator('.range')
      .filter({ hasNotText: before ?? '' })
      .waitFor();
    // In motion the text is behind the picture.
    const rested = async (): Promise<string | null> => {
      await frame.locator('.range:not([data-late])').waitFor();
      return range.textContent();
    };
    const zoomed = await rested();
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2 - 150, box.y + box.height / 2, { steps: 4 });
    await page.mouse.up();
    const moved = await rested();
    assert.notEqual(moved, zoomed);
    assert.equal(moved?.split('+')[1], zoomed?.split('+')[1]);
    await frame.getByRole('button', { name: 'Show everything' }).click();
    await range.filter({ hasText: before ?? '' }).waitFor();
  });

  it('moves and stretches the part in view in the overview, whose pointer says what a drag does', async () => {
    const overview = frame.locator('.overview');
    const place = await overview.boundingBox();
    assert.ok(place);
    const at = (part: number): number => place.x + place.width * part;
    const y = place.y + place.height / 2;
    const rested = async (): Promise<readonly string[]> => {
      await frame.locator('.range:not([data-late])').waitFor();
      return ((await frame.locator('.range').textContent()) ?? '').split(' + ');
    };
    const cursor = (): Promise<string> => overview.evaluate((element) => element.style.cursor);
    const drag = async (from: number, to: number): Promise<string> => {
      await page.mouse.move(at(from), y);
      const shown = await cursor();
      await page.mouse.down();
      await page.mouse.move(at(to), y, { steps: 3 });
      await page.mouse.up();
      return shown;
    };
    assert.equal(await drag(0.3, 0.5), 'crosshair');
    const [start, length] = await rested();
    assert.equal(await drag(0.4, 0.6), 'grab');
    const [moved, same] = await rested();
    assert.notEqual(moved, start);
    assert.equal(same, length);
    assert.equal(await drag(0.7, 0.9), 'ew-resize');
    const [unmoved, longer] = await rested();
    assert.equal(unmoved, moved);
    assert.notEqual(longer, length);
    await frame.getByRole('button', { name: 'Show everything' }).click();
  });

  it('shows the fields of a request and their bytes, each from the other', async () => {
    await filter('opcode == READ && path ~ "*part3.c"', /^3 of 533$/);
    await rows().first().click();
    const details = frame.locator('.details');
    await details.getByRole('heading', { name: 'READ', exact: true }).waitFor();
    const tree = details.getByRole('tree', { name: 'Fields of the request' });
    await tree
      .locator('.field', { has: page.locator('.name', { hasText: /^size$/ }) })
      .first()
      .click();
    // fuse_in_header is 40 bytes; size is at 16 of fuse_read_in.
    const marked = (): Promise<(string | null)[]> =>
      details.locator('.byte.marked').evaluateAll((cells) => cells.map((cell) => cell.getAttribute('data-at')));
    assert.deepEqual(await marked(), ['56', '57', '58', '59']);
    await details.locator('.byte[data-at="16"]').first().click();
    assert.equal(await tree.locator('.field.chosen .name').textContent(), 'nodeid');
    assert.deepEqual(await marked(), ['16', '17', '18', '19', '20', '21', '22', '23']);
    assert.match((await details.locator('.calls').textContent()) ?? '', /preadv2\(12.*EAGAIN/);
    assert.match((await details.locator('.phases').textContent()) ?? '', /queued.*in daemon.*host system calls.*reply/);
    await hasNames();
  });

  it('completes a filter', async () => {
    await filterInput().fill('opc');
    await frame
      .getByRole('option', { name: /^opcode/ })
      .first()
      .waitFor();
    await filterInput().press('ArrowDown');
    await hasNames();
    await filterInput().press('Enter');
    assert.equal(await filterInput().inputValue(), 'opcode ');
  });

  it('takes what was typed, not what had been chosen of the offer before', async () => {
    await filterInput().fill('opc');
    await frame
      .getByRole('option', { name: /^opcode/ })
      .first()
      .waitFor();
    await filterInput().press('ArrowDown');
    // At once, before the offer for it has come.
    await filterInput().evaluate((input) => {
      (input as unknown as { value: string }).value = 'opcode == READ';
      for (const event of [new Event('input'), Object.assign(new Event('keydown'), { key: 'Enter' })]) {
        input.dispatchEvent(event);
      }
    });
    await count()
      .filter({ hasText: / of 533$/ })
      .waitFor();
    assert.equal(await filterInput().inputValue(), 'opcode == READ');
  });

  it('shows where a filter is wrong, and what was meant', async () => {
    await filterInput().fill('opcode == REED');
    await filterInput().press('Enter');
    await frame
      .locator('.filter-error')
      .filter({ hasText: /REED|opcode/ })
      .waitFor();
    const mark = frame.locator('.squiggle');
    assert.equal(
      await mark.evaluate((element) =>
        (element as unknown as { style: { getPropertyValue(name: string): string } }).style.getPropertyValue('--from'),
      ),
      '10',
    );
    await hasNames();
    await frame.getByRole('button', { name: /Use “READ”/ }).click();
    await count()
      .filter({ hasText: /^180 of 533$/ })
      .waitFor();
    await filter('', /^533 requests$/);
  });

  it('says wherever requests would be that none passes the filter, and clears it with a click or a key', async () => {
    const says = (where: string): Locator => frame.locator(where).getByText('No request passes the filter.');
    const clear = frame.locator('.lanes').getByRole('button', { name: 'Clear the filter' });
    const lanes = frame.locator('#lanes');
    for (const leave of [
      () => clear.click(),
      () => lanes.press('Escape'),
      () => frame.getByRole('grid', { name: 'Requests' }).press('Escape'),
    ]) {
      await filter('opcode == READ && latency > 5s', /^0 of 533$/);
      await says('.lanes').waitFor();
      await says('.table-frame').waitFor();
      await clear.waitFor();
      await leave();
      await count()
        .filter({ hasText: /^533 requests$/ })
        .waitFor();
      assert.equal(await filterInput().inputValue(), '');
      assert.equal(await frame.locator(':focus').getAttribute('id'), 'lanes');
      await says('.lanes').waitFor({ state: 'hidden' });
      await says('.table-frame').waitFor({ state: 'hidden' });
    }
    await filter('opcode == READ && latency > 5s', /^0 of 533$/);
    await frame.getByRole('tab', { name: 'Statistics' }).click();
    await says('.statistics').waitFor();
    assert.ok(!(await frame.locator('.histogram').isVisible()));
    await hasNames();
    await frame.locator('.statistics').getByRole('button', { name: 'Clear the filter' }).click();
    await frame.locator('.statistics tr', { hasText: 'READ' }).first().waitFor();
    await frame.getByRole('tab', { name: 'Requests' }).click();
  });

  it('sorts by a column, and back', async () => {
    await frame.getByRole('columnheader', { name: 'Latency' }).getByRole('button').click();
    await frame.getByRole('columnheader', { name: 'Latency' }).getByRole('button').click();
    await frame.locator('[role=columnheader][aria-sort=descending]').waitFor();
    await page.waitForTimeout(400);
    const latencies = (await column('latency')).map(inMicroseconds);
    assert.ok(latencies.length > 5 && latencies[0] > 2000);
    assert.deepEqual(
      latencies,
      [...latencies].sort((a, b) => b - a),
    );
    await frame.getByRole('columnheader', { name: 'Path' }).getByRole('button').click();
    await frame.locator('.column-path[role=columnheader][aria-sort=ascending]').waitFor();
    await page.waitForTimeout(400);
    const paths = await column('path');
    assert.deepEqual(paths, [...paths].sort());
    await frame.getByRole('columnheader', { name: '#' }).getByRole('button').click();
  });

  it('works by keyboard alone', async () => {
    await filterInput().focus();
    const reached = new Set<string>();
    for (let i = 0; i < 40 && !reached.has('Fields of the request'); i++) {
      await page.keyboard.press('Tab');
      reached.add(
        await frame.locator(':focus').evaluate((element) => {
          const node = element as unknown as {
            id: string;
            getAttribute(name: string): string | null;
            textContent: string;
          };
          return node.id === 'lanes' ? 'lanes' : (node.getAttribute('aria-label') ?? node.textContent);
        }),
      );
    }
    for (const name of [
      'Lanes',
      'Show everything',
      'Time in view',
      'lanes',
      'Requests',
      'Fields of the request',
      'Width of the details',
    ]) {
      assert.ok(reached.has(name), `${name} is not among ${[...reached].join(' | ')}`);
    }
    const surface = frame.locator('#lanes');
    await surface.focus();
    await page.keyboard.press('Escape');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('End');
    await frame
      .locator('[aria-live]')
      .filter({ hasText: /at 0\.\d{6} seconds/ })
      .waitFor({ state: 'attached' });
    await page.keyboard.press('z');
    await page.waitForTimeout(400);
    await page.keyboard.press('Enter');
    assert.equal(await frame.locator(':focus').getAttribute('role'), 'tree');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    assert.ok((await frame.locator('.byte.marked').count()) > 0);
    await surface.focus();
    await page.keyboard.press('/');
    assert.ok(
      await filterInput().evaluate((element) =>
        (element as unknown as { matches(selector: string): boolean }).matches(':focus'),
      ),
    );
    await frame.getByRole('grid', { name: 'Requests' }).focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('PageDown');
    assert.ok((await frame.locator('.table-row.chosen').count()) === 1);
  });

  it('has figures and a histogram by opcode', async () => {
    await frame.getByRole('tab', { name: 'Statistics' }).click();
    const read = frame.locator('.statistics tr', { hasText: 'READ' }).first();
    await read.click();
    assert.deepEqual((await read.locator('td').allTextContents()).slice(0, 3), ['READ', '180', '–']);
    await frame
      .getByRole('img', { name: /Histogram of the latency of READ/ })
      .locator('canvas')
      .waitFor();
    await hasNames();
    await frame.getByRole('tab', { name: 'Requests' }).click();
  });

  it('has room for figures in a narrow window, with a request selected and without', async () => {
    const seen = (): Promise<number> =>
      frame.locator('.tabs-frame').evaluate((part) => {
        interface Box {
          readonly top: number;
          readonly bottom: number;
        }
        interface Part {
          getBoundingClientRect(): Box;
          querySelectorAll(selector: string): ArrayLike<Part>;
        }
        // A row that the histogram covers, or what is below, is not seen.
        const [table] = Array.from((part as unknown as Part).querySelectorAll('.statistics-table'));
        const whole = (part as unknown as Part).getBoundingClientRect();
        const end = Math.min(whole.bottom, table.getBoundingClientRect().bottom);
        const rows = Array.from(table.querySelectorAll('tbody tr'), (row) => row.getBoundingClientRect());
        return rows.filter(({ top, bottom }) => top >= whole.top && bottom <= end).length;
      });
    const histogram = frame.getByRole('img', { name: /Histogram of the latency of READ/ }).locator('canvas');
    await frame.getByRole('tab', { name: 'Statistics' }).click();
    const wide = page.viewportSize();
    assert.ok(wide);
    await frame.locator('#lanes').press('Escape');
    await page.setViewportSize({ width: 900, height: 1000 });
    await frame.locator('.details').waitFor({ state: 'hidden' });
    assert.ok((await seen()) >= 6, `${await seen()} rows`);
    await histogram.waitFor();
    await frame.locator('#lanes').press('ArrowRight');
    await frame.locator('.details .details-head').waitFor();
    assert.ok((await seen()) >= 5, `${await seen()} rows beside a request`);
    await histogram.scrollIntoViewIfNeeded();
    await histogram.waitFor();
    await page.setViewportSize(wide);
    await frame.getByRole('tab', { name: 'Requests' }).click();
  });

  it('keeps notes beside the capture, which stays as it is, and writes through no link that lies there', async () => {
    const before = await readFile(join(workbench.folder, 'build.fuse.pcapng'));
    const elsewhere = join(workbench.folder, 'elsewhere');
    await writeFile(elsewhere, 'as it was');
    await symlink(elsewhere, join(workbench.folder, 'build.fuse.pcapng.notes.json.new'));
    await rows().nth(2).click();
    await frame.locator('#lanes').focus();
    await page.keyboard.press('b');
    await page.keyboard.type('why so slow?');
    await page.keyboard.press('Enter');
    const file = join(workbench.folder, 'build.fuse.pcapng.notes.json');
    const written = async (): Promise<boolean> =>
      existsSync(file) && (await readFile(file, 'utf8')).includes('why so slow?');
    for (let i = 0; i < 50 && !(await written()); i++) await page.waitForTimeout(100);
    const { version, notes } = JSON.parse(await readFile(file, 'utf8')) as {
      version: number;
      notes: { text: string; row: number }[];
    };
    assert.equal(version, 1);
    assert.deepEqual(
      notes.map(({ text }) => text),
      ['why so slow?'],
    );
    assert.deepEqual(await readFile(join(workbench.folder, 'build.fuse.pcapng')), before);
    assert.equal(await readFile(elsewhere, 'utf8'), 'as it was');
    await hasNames();
    await frame.getByRole('tab', { name: 'Requests' }).click();
  });

  it('keeps the focus among the notes when one of them is removed', async () => {
    const focused = (): Promise<string | null> => frame.locator(':focus').getAttribute('aria-label');
    await rows().nth(5).click();
    await frame.locator('#lanes').focus();
    await page.keyboard.press('b');
    await page.keyboard.type('gone soon');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Remove the note');
    await page.keyboard.press('Enter');
    await frame.getByRole('tab', { name: 'Notes (1)' }).waitFor();
    assert.match((await focused()) ?? '', /^Note at/);
    await frame.getByRole('tab', { name: 'Requests' }).click();
  });

  it('keeps a note on its request when the older file of the capture comes and goes', async () => {
    const file = join(workbench.folder, 'rotated.fuse.pcapng');
    const where = frame.locator('.notes .where');
    await open('rotated.fuse.pcapng');
    await rows().nth(1).click();
    await frame.locator('#lanes').focus();
    await page.keyboard.press('b');
    await page.keyboard.type('this one');
    await page.keyboard.press('Enter');
    await where.filter({ hasText: /^request 1$/ }).waitFor();
    for (let i = 0; i < 50 && !existsSync(`${file}.notes.json`); i++) await page.waitForTimeout(100);

    await closeEditors(page);
    await writeFile(`${file}.old`, rotated().older);
    await open('rotated.fuse.pcapng');
    await count()
      .filter({ hasText: /^43 requests$/ })
      .waitFor();
    await frame.getByRole('tab', { name: 'Notes (1)' }).click();
    await where.filter({ hasText: /^request 41$/ }).waitFor();
    await frame.locator('.notes .link').click();
    await frame
      .locator('.details .field', { hasText: /nodeid\s*3/ })
      .first()
      .waitFor();

    await closeEditors(page);
    await rm(`${file}.old`);
    await open('rotated.fuse.pcapng');
    await frame.getByRole('tab', { name: 'Notes (1)' }).click();
    await where.filter({ hasText: /^request 1$/ }).waitFor();
    await closeEditors(page);
    await open('build.fuse.pcapng');
  });

  it('shows its keys, and gives the focus back', async () => {
    await frame.locator('#lanes').focus();
    await page.keyboard.press('?');
    await frame.getByRole('dialog', { name: 'Keys and pointer' }).waitFor();
    await hasNames(1);
    await page.keyboard.press('Escape');
    await frame.getByRole('dialog').waitFor({ state: 'hidden' });
    assert.equal(await frame.locator(':focus').getAttribute('id'), 'lanes');
  });

  it('goes to both ends of the time with the keys of a scroll bar', async () => {
    const range = frame.locator('.range:not([data-late])');
    const bar = frame.getByRole('scrollbar', { name: 'Time in view' });
    await frame.locator('#lanes').focus();
    for (const key of ['0', '+', '+', '+']) await page.keyboard.press(key);
    await page.waitForTimeout(400);
    await bar.focus();
    const at = async (key: string): Promise<number> => {
      const before = (await range.textContent()) ?? '';
      await page.keyboard.press(key);
      await range.filter({ hasNotText: before }).waitFor();
      return parseFloat((await range.textContent()) ?? '');
    };
    const end = await at('End');
    const start = await at('Home');
    assert.ok(start < end && start <= 0.0001, `${start} to ${end}`);
    await frame.getByRole('button', { name: 'Show everything' }).click();
  });

  it('is the same after the window is loaded anew', async () => {
    await frame.getByLabel('Lanes', { exact: true }).selectOption('opcode');
    await filter('opcode == WRITE', /^20 of 533$/);
    await page.waitForTimeout(1500);
    const loaded = page.waitForEvent('load', { timeout: 60_000 });
    await command(page, 'Developer: Reload Window');
    await loaded;
    await frame.locator('#timeline[data-complete="true"]').waitFor({ timeout: 60_000 });
    await count()
      .filter({ hasText: /^20 of 533$/ })
      .waitFor();
    assert.equal(await filterInput().inputValue(), 'opcode == WRITE');
    assert.equal(await frame.getByLabel('Lanes', { exact: true }).inputValue(), 'opcode');
    await frame.getByRole('tab', { name: 'Notes (1)' }).waitFor();
    await filter('', /^533 requests$/);
    await frame.getByLabel('Lanes', { exact: true }).selectOption('queue');
  });

  it('shows what is there of a capture that was cut off, and says so', async () => {
    await open('cut.fuse.pcapng');
    await frame
      .locator('.banner')
      .filter({ hasText: /byte \d+/ })
      .waitFor();
    assert.ok((await rows().count()) > 5);
    await hasNames();
  });

  it('shows what comes before the damage, and says where that is', async () => {
    await open('damaged.fuse.pcapng');
    await frame
      .locator('.banner')
      .filter({ hasText: /byte \d+/ })
      .waitFor();
    assert.ok((await rows().count()) > 5);
  });

  it('says of a file that is no capture that it is none, and what to do', async () => {
    await open('foreign.fuse.pcapng');
    const failure = frame.locator('.failure');
    await failure.getByRole('heading', { name: 'This is no capture' }).waitFor();
    assert.match((await failure.textContent()) ?? '', /foreign\.fuse\.pcapng.*byte 0.*Name a file/s);
  });

  it('never shows an empty page', async () => {
    await open('zero.fuse.pcapng');
    assert.match(
      (await frame.locator('.failure:visible, .table-frame .empty:visible').first().textContent()) ?? '',
      /\S/,
    );
    await open('empty.fuse.pcapng');
    for (const where of ['.lanes', '.table-frame']) {
      await frame.locator(where).getByText('There are no requests in this capture.').waitFor();
    }
    assert.equal(await frame.getByRole('button', { name: 'Clear the filter' }).count(), 0);
  });

  it('compares two captures side by side', async () => {
    const pairs = async (): Promise<number> => Number(await frame.locator('#lanes').getAttribute('data-pairs'));
    await open('build.fuse.pcapng');
    await command(page, 'Virtio-FS: Compare Captures');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'slower.fuse.pcapng' }).first().click();
    await page.getByRole('tab', { name: /build\.fuse\.pcapng ↔ slower/ }).waitFor();
    await whenComplete(frame);
    await count()
      .filter({ hasText: /^9\d\d requests$/ })
      .waitFor();
    assert.equal(await frame.locator('#lanes').getAttribute('data-lanes'), '6');
    assert.equal(await frame.locator('#lanes').getAttribute('data-pairs'), '3');
    // Each numbers its files for itself: they are paired by their paths. 50 sources and 17 objects are in both.
    await frame.getByLabel('Lanes', { exact: true }).selectOption('file');
    for (let turn = 0; turn < 100 && (await pairs()) < 67; turn++) await page.waitForTimeout(50);
    assert.ok((await pairs()) >= 67, `${await pairs()}`);
    assert.ok(2 * (await pairs()) < Number(await frame.locator('#lanes').getAttribute('data-lanes')));
    await frame.getByLabel('Lanes', { exact: true }).selectOption('process');
    await frame.locator('#lanes[data-pairs="6"]').waitFor();
    await frame.getByLabel('Lanes', { exact: true }).selectOption('queue');
    await frame.getByRole('tab', { name: 'Comparison' }).click();
    const read = frame.locator('.comparison tr', { hasText: 'READ' }).first();
    await read.waitFor({ timeout: 60_000 });
    assert.deepEqual((await read.locator('td').allTextContents()).slice(0, 3), ['READ', '180', '150']);
    await hasNames();
  });
});

/** With a block in the middle that is longer than any can be. */
function damaged(whole: Uint8Array): Uint8Array {
  const bytes = whole.slice();
  const view = new DataView(bytes.buffer);
  let at = 0;
  while (at < bytes.length / 2) at += view.getUint32(at + 4, true);
  view.setUint32(at + 4, 0xffff_fff0, true);
  return bytes;
}

function inMicroseconds(text: string): number {
  const [, number, unit] = /^([\d.]+) (ns|µs|ms|s)$/.exec(text) ?? [];
  return Number(number) * ({ ns: 1e-3, µs: 1, ms: 1e3, s: 1e6 }[unit] ?? NaN);
}
