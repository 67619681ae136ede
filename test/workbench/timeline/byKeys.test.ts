import assert from 'node:assert/strict';
import type { FrameLocator, Page } from 'playwright-core';
import { inMicroseconds, type SharedTimeline, sharedTimeline } from './sharedTimeline';

describe('the timeline in VS Code, without a mouse or a screen', function () {
  this.timeout(180_000);
  let timeline: SharedTimeline;
  let page: Page;
  let frame: FrameLocator;

  before(async function () {
    timeline = await sharedTimeline(this);
    ({ page, frame } = timeline);
  });

  beforeEach(() => timeline.begin('build.fuse.pcapng'));

  /** What Tab comes to, from the filter on, by name. */
  async function reachedByTab(last: string): Promise<ReadonlySet<string>> {
    const reached = new Set<string>();
    await timeline.filterInput.focus();
    for (let i = 0; i < 40 && !reached.has(last); i++) {
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
    return reached;
  }

  it('says to a screen reader what everything is', async () => {
    await timeline.hasNames();
    assert.equal(await frame.getByRole('grid', { name: 'Requests' }).getAttribute('aria-rowcount'), '534');
  });

  it('comes to every part with Tab', async () => {
    await frame.locator('#lanes').press('ArrowRight');
    await frame.locator('.details .field').first().waitFor();
    const reached = await reachedByTab('Fields of the request');
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
    // What has no name gives all of its text.
    const nameless = [...reached].filter((name) => name.length > 50);
    assert.deepEqual(nameless, []);
  });

  it('goes from request to request, into its fields, and to the filter', async () => {
    const surface = frame.locator('#lanes');
    const lengthInView = async (): Promise<number> =>
      inMicroseconds(((await timeline.range.textContent()) ?? '').split(' + ')[1]);
    const everything = await lengthInView();
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
    await timeline.until('the request fills the view', async () => (await lengthInView()) < everything / 10);
    await page.keyboard.press('Enter');
    await frame.locator('[role=tree]:focus').waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    assert.ok((await frame.locator('.byte.marked').count()) > 0);
    await surface.focus();
    await page.keyboard.press('/');
    assert.ok(
      await timeline.filterInput.evaluate((element) =>
        (element as unknown as { matches(selector: string): boolean }).matches(':focus'),
      ),
    );
  });

  it('goes to the last and the first request of a lane, with nothing selected as well', async () => {
    const number = frame.locator('.details-number');
    await frame.locator('#lanes').press('End');
    await number.waitFor();
    const last = (await number.textContent()) ?? '';
    await page.keyboard.press('Escape');
    await number.waitFor({ state: 'detached' });
    await page.keyboard.press('Home');
    await number.filter({ hasNotText: last }).waitFor();
    const first = (await number.textContent()) ?? '';
    assert.ok(Number(first.slice(1)) < Number(last.slice(1)), `${first} to ${last}`);
    await page.keyboard.press('End');
    await number.filter({ hasText: last }).waitFor();
  });

  it('has the selected request in sight when its lanes are others, and else the first of them', async () => {
    const scrolled = (): Promise<number> => frame.locator('#lanes').getAttribute('data-scroll').then(Number);
    const lanes = frame.getByLabel('Lanes', { exact: true });
    for (const key of ['End', 'ArrowUp']) await frame.getByRole('grid', { name: 'Requests' }).press(key);
    await frame.locator('.details-path', { hasText: 'part59.c' }).waitFor();
    await lanes.selectOption('file');
    await timeline.until('the lane of the selected request', async () => (await scrolled()) > 0);
    await frame.locator('#lanes').press('Escape');
    await lanes.selectOption('queue');
    await lanes.selectOption('file');
    await timeline.until('the first lane', async () => (await scrolled()) === 0);
  });

  it('goes into the fields of a request that is still on its way, the first one and those after it', async () => {
    const line = frame.locator('.details-head .line');
    let before = 'none yet';
    for (const select of ['ArrowRight', 'End']) {
      // Both keys before anything can have come.
      await frame.locator('#lanes').evaluate(
        (element, keys) => {
          for (const key of keys)
            element.dispatchEvent(Object.assign(new Event('keydown', { bubbles: true }), { key }));
        },
        [select, 'Enter'],
      );
      await line.filter({ hasNotText: before }).waitFor();
      before = (await line.textContent()) ?? '';
      assert.equal(await frame.locator(':focus').getAttribute('role'), 'tree');
      await page.keyboard.press('ArrowDown');
      assert.ok((await frame.locator('.byte.marked').count()) > 0);
    }
  });

  it('goes through the table by the page', async () => {
    await frame.getByRole('grid', { name: 'Requests' }).focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('PageDown');
    await frame.locator('.table-row.chosen').waitFor();
    assert.equal(await frame.locator('.table-row.chosen').count(), 1);
  });

  it('shows its keys, and gives the focus back', async () => {
    await frame.locator('#lanes').focus();
    await page.keyboard.press('?');
    await frame.getByRole('dialog', { name: 'Keys and pointer' }).waitFor();
    await timeline.hasNames(1);
    await page.keyboard.press('Escape');
    await frame.getByRole('dialog').waitFor({ state: 'hidden' });
    assert.equal(await frame.locator(':focus').getAttribute('id'), 'lanes');
  });
});
