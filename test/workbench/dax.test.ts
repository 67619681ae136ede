import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { need } from '../support/need';
import { pageWith } from '../support/vscode/steps';
import { CHROMIUM } from '../support/vscode/workbench';
import { hasNames } from './accessibilityTree';
import { sampleWindow } from './sampleWindow';
import { capital } from '../../src/base/capital';
import { windowEvents } from '../../src/trace/dax/windowEvents';
import { WindowHistory } from '../../src/trace/dax/windowHistory';
import { read } from '../trace/readWhole';
import { command, openInViews, timelineFrame, timelineWorkbench, type TimelineWorkbench } from './timelineWorkbench';

const capture = read(sampleWindow());
const model = new WindowHistory(windowEvents(capture), 0).at(Infinity);

describe('the DAX Window view in VS Code', function () {
  this.timeout(120_000);
  let workbench: TimelineWorkbench;
  let page: Page;
  let frame: FrameLocator;
  const problems: string[] = [];

  before(async function () {
    need(this, 'a browser', existsSync(CHROMIUM), `no ${CHROMIUM}`);
    workbench = await timelineWorkbench({ 'window.fuse.pcapng': sampleWindow() });
    ({ page } = workbench);
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => problems.push(String(error)));
    frame = timelineFrame(page);
    await openInViews(page, 'window.fuse');
    await page.locator('.pane-header', { hasText: 'DAX Window' }).waitFor();
    await command(page, 'Virtio-FS: Focus on DAX Window View');
    await frame.locator('#dax[data-ranges]').waitFor();
  });

  after(async () => {
    await workbench?.close();
  });

  const size = { width: 1280, height: 800 };
  afterEach(() => page?.setViewportSize(size));

  const words = (): Promise<string | null> => frame.locator('#cell-words').textContent();
  const said = (pattern: RegExp): Promise<void> =>
    frame.locator('#cell-words', { hasText: pattern }).waitFor({ state: 'attached' });

  it('says how full the window is', async () => {
    assert.match(
      (await frame.locator('.sums').textContent()) ?? '',
      /^\d+ MiB of 256 MiB in use \(\d+ %\), \d+ ranges$/,
    );
    const [, ranges] = /(\d+) ranges$/.exec((await frame.locator('.sums').textContent()) ?? '') ?? [];
    assert.equal(await frame.locator('#dax').getAttribute('data-ranges'), ranges);
  });

  it('counts what was mapped, removed and refused', async () => {
    assert.ok(model.maps > model.unmaps && model.unmaps > 0 && model.refusals > 0);
    for (const [name, count] of Object.entries({
      Mapped: model.maps,
      Removed: model.unmaps,
      Refused: model.refusals,
    })) {
      const figure = frame.locator(`.figures dt:has-text("${name}") + dd`);
      assert.match((await figure.textContent()) ?? '', new RegExp(`^${count}(, |$)`), name);
    }
  });

  it('is walked through with the arrow keys, and says what is there', async () => {
    await frame.locator('#grid').focus();
    await page.keyboard.press('Home');
    await said(/^Range 1 of 128: file \//);
    for (let press = 0; press < 3; press++) await page.keyboard.press('ArrowRight');
    await said(/^Range 4 of 128/);
    await page.keyboard.press('End');
    await said(/^Range 128 of 128/);
    assert.equal(await frame.locator('.details').isVisible(), true);
  });

  it('finds a file, and goes from range to range of it', async () => {
    await frame.getByRole('searchbox').fill('photos');
    const found = frame.locator('.hits', { hasText: /^[1-9]/ });
    const hits = Number(/\d+/.exec((await found.textContent()) ?? '')?.[0]);
    assert.ok(hits > 0);
    const places = new Set<string>();
    for (let turn = 0; turn < hits; turn++) {
      const before = await words();
      await frame.getByRole('searchbox').press('Enter');
      await said(/photos\.tar/);
      for (let wait = 0; wait < 50 && (await words()) === before; wait++) await page.waitForTimeout(20);
      places.add(/Range \d+/.exec((await words()) ?? '')?.[0] ?? '');
    }
    assert.equal(places.size, hits);
    await frame.getByRole('searchbox').press('Escape');
  });

  it('tells of a range under the pointer, and keeps telling of the one that is clicked', async () => {
    // Its cells are drawn: where one is follows from the width of all.
    const canvas = frame.locator('#grid canvas');
    const tooltip = frame.locator('.tooltip');
    await canvas.hover({ position: { x: 4, y: 4 } });
    const told = async (parts: Locator): Promise<string> => (await parts.allTextContents()).join(' | ');
    const facts =
      /^File\/\S+ \| File range\d+ MiB to \d+ MiB \| Window0 bytes to 2 MiB \| Accessread(, write)? \| Mappedby process \d+, [\d.]+ \S+ ago \| Reclaimed(never|once|twice|\d+ times)$/;
    const hovered = await told(tooltip.locator('> div'));
    assert.match(hovered, facts);
    await canvas.click({ position: { x: 4, y: 4 } });
    await said(/^Range 1 of 128/);
    const selected = async (name: string): Promise<string | null> =>
      frame.locator(`.details dd[data-name="${name}"]`).textContent();
    for (const name of ['File', 'File range', 'Access', 'Reclaimed']) {
      assert.ok(hovered.includes(`${name}${await selected(name)}`), name);
    }
    assert.match((await selected('This part')) ?? '', /^mapped (once|twice|\d+ times) in all$/);
    const before = await frame.locator('.details .uses li').count();
    assert.equal((await selected('Reclaimed')) !== 'never', before > 0, `${before} files were here before`);
    await frame.locator('.sums').hover();
    await tooltip.waitFor({ state: 'hidden' });
    await frame.locator('.details').waitFor();
    await frame.locator('#grid').press('Escape');
    await frame.locator('.details').waitFor({ state: 'hidden' });
  });

  it('tells of the range that keys have come to, which is in sight in a low window too', async () => {
    const tooltip = frame.locator('.tooltip');
    const grid = frame.locator('#grid');
    /** How much of the grid is above and below what is in sight. */
    const beyond = (): Promise<readonly [above: number, below: number]> =>
      grid.locator('canvas').evaluate((element) => {
        const canvas = element as unknown as {
          getBoundingClientRect(): { readonly top: number; readonly bottom: number };
          readonly ownerDocument: { readonly defaultView: { readonly innerHeight: number } };
        };
        const { top, bottom } = canvas.getBoundingClientRect();
        return [-top, bottom - canvas.ownerDocument.defaultView.innerHeight] as const;
      });
    await page.setViewportSize({ ...size, height: 700 });
    await grid.press('End');
    await said(/^Range 128 of 128/);
    await tooltip.filter({ hasText: /Window254 MiB to 256 MiB/ }).waitFor();
    assert.ok((await beyond())[1] <= 2, `${(await beyond())[1]} pixels are below`);
    await grid.press('Home');
    await tooltip.filter({ hasText: /Window0 bytes to 2 MiB/ }).waitFor();
    assert.ok((await beyond())[0] <= 2, `${(await beyond())[0]} pixels are above`);
    await grid.press('Tab');
    await tooltip.waitFor({ state: 'hidden' });
    await grid.press('Home');
    await tooltip.waitFor();
    await grid.press('Escape');
    await tooltip.waitFor({ state: 'hidden' });
  });

  it('goes back in time, and to the newest moment', async () => {
    await frame.getByRole('slider').fill('0');
    await frame.locator('.sums', { hasText: '0 bytes of 256 MiB' }).waitFor();
    await frame.getByRole('button', { name: 'Newest' }).click();
    await frame.locator('.sums', { hasText: /[1-9]\d+ MiB of 256/ }).waitFor();
  });

  it('explains its colours, whatever they are by', async () => {
    for (const [by, word] of [
      ['access', 'read, write'],
      ['age', 'below 1 s'],
      ['churn', 'first use'],
      ['file', '/orders.db'],
    ]) {
      const choice = frame.getByRole('combobox', { name: 'Color by' });
      await choice.selectOption({ label: capital(by) });
      assert.equal(await choice.inputValue(), by);
      await frame.locator('.legend li', { hasText: word }).first().waitFor();
    }
  });

  it('says why files are not in the window, or not safely, the newest first', async () => {
    const reasons = await frame.locator('.reasons li').allTextContents();
    assert.match(reasons[0], /orders\.db.*shortened by the host.*from 8192 to 4096 bytes/);
    assert.match(reasons[1], /model\.bin.*changed by the host.*while it is mapped/);
    assert.match(reasons[3], /empty\.lock.*without the window.*it is empty/);
  });

  it('works by keyboard alone, and shows where the focus is', async () => {
    await frame.getByRole('searchbox').focus();
    const reached: string[] = [];
    for (let turn = 0; turn < 30 && !reached.includes('Not, or not safely, in the window4'); turn++) {
      await page.keyboard.press('Tab');
      const { name, outline } = await frame.locator(':focus').evaluate((element) => {
        const node = element as unknown as {
          id: string;
          labels?: ArrayLike<{ readonly textContent: string }>;
          getAttribute(name: string): string | null;
          textContent: string;
          ownerDocument: { defaultView: { getComputedStyle(of: unknown): { outlineStyle: string } } };
        };
        const label = node.getAttribute('aria-label') ?? node.labels?.[0]?.textContent ?? node.textContent;
        return {
          name: node.id || label.trim(),
          outline: node.ownerDocument.defaultView.getComputedStyle(node).outlineStyle,
        };
      });
      assert.notEqual(outline, 'none', name);
      reached.push(name);
    }
    for (const name of ['grid', 'Moment', 'Files7', '/orders.db', 'Round trip of MAP']) {
      assert.ok(reached.includes(name), `${name} is not among ${reached.join(' | ')}`);
    }
    await frame.locator('#grid').focus();
    await page.keyboard.press('Home');
    await frame.locator('.details').waitFor();
    await page.keyboard.press('Escape');
    await frame.locator('.details').waitFor({ state: 'hidden' });
  });

  it('leads to the request that mapped a range', async () => {
    await frame.locator('#grid').focus();
    await page.keyboard.press('Home');
    await said(/^Range 1 of/);
    await frame.getByRole('button', { name: 'Show Request' }).click();
    await page.locator('.monaco-list-row.selected', { hasText: 'SETUPMAPPING' }).waitFor();
  });

  it('leads to all requests of the file in a range', async () => {
    await frame.locator('#grid').press('Home');
    await said(/^Range 1 of/);
    const path = await frame.locator('.details dd[data-name="File"]').textContent();
    await frame.getByRole('button', { name: 'Requests of This File' }).click();
    const requests = page.locator('.pane', { has: page.locator('.pane-header', { hasText: 'Requests' }) });
    await requests.getByText(/filter: nodeid == \d+$/).waitFor();
    const listed = requests.locator('.monaco-list-row:visible', { hasText: /[A-Z]{4}/ });
    await listed.first().waitFor();
    // Rows have paths as they are from the share's root.
    const name = (path ?? '?').replace(/^\//, '');
    await listed.filter({ hasNotText: name }).first().waitFor({ state: 'detached' });
    assert.ok((await listed.filter({ hasText: name }).count()) > 0);
    await command(page, 'Virtio-FS: Clear Filter');
  });

  it('leads to a range in the timeline', async () => {
    await frame.locator('#grid').press('Home');
    await said(/^Range 1 of/);
    await frame.getByRole('button', { name: 'Show in Timeline' }).click();
    const timeline = await pageWith(page, '#timeline');
    const details = timeline.locator('.details', { hasText: 'SETUPMAPPING' });
    const mappedBy = model.all.find(({ windowOffset }) => windowOffset === 0)?.row;
    await details.locator('.details-number').getByText(`#${mappedBy}`, { exact: true }).waitFor();
    await command(page, 'View: Close All Editors');
    await page.locator('iframe.webview.ready:visible').nth(1).waitFor({ state: 'detached' });
  });

  it('has a name for everything that can be operated, and no errors', async () => {
    await hasNames(page, frame.locator('#dax'), 6);
    assert.deepEqual(problems, []);
  });
});
