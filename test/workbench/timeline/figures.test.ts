import assert from 'node:assert/strict';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { command, whenComplete } from '../timelineWorkbench';
import { type SharedTimeline, sharedTimeline } from './sharedTimeline';

describe('the timeline in VS Code, in figures', function () {
  this.timeout(180_000);
  let timeline: SharedTimeline;
  let page: Page;
  let frame: FrameLocator;

  before(async function () {
    timeline = await sharedTimeline(this);
    ({ page, frame } = timeline);
  });

  beforeEach(() => timeline.begin('build.fuse.pcapng'));

  const figuresOfReads = (): Locator => frame.locator('.statistics tr', { hasText: 'READ' }).first();
  const histogramOfReads = (): Locator =>
    frame.getByRole('img', { name: /Histogram of the latency of READ/ }).locator('canvas');

  async function showReads(): Promise<void> {
    await frame.getByRole('tab', { name: 'Statistics' }).click();
    await figuresOfReads().click();
    await histogramOfReads().waitFor();
  }

  it('has them, and a histogram, by opcode', async () => {
    await showReads();
    assert.deepEqual((await figuresOfReads().locator('td').allTextContents()).slice(0, 3), ['READ', '180', '–']);
    await timeline.hasNames();
  });

  it('has room for them in a narrow window, with a request selected and without', async () => {
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
    await showReads();
    await frame.locator('#lanes').press('Escape');
    await page.setViewportSize({ width: 900, height: 1000 });
    await frame.locator('.details').waitFor({ state: 'hidden' });
    assert.ok((await seen()) >= 6, `${await seen()} rows`);
    await histogramOfReads().waitFor();
    await frame.locator('#lanes').press('ArrowRight');
    await frame.locator('.details .details-head').waitFor();
    assert.ok((await seen()) >= 5, `${await seen()} rows beside a request`);
    await histogramOfReads().scrollIntoViewIfNeeded();
    await histogramOfReads().waitFor();
  });

  for (const width of [900, 1280]) {
    it(`has the histogram in view in a low window, ${width} pixels wide, beside rows`, async () => {
      await showReads();
      await page.setViewportSize({ width, height: 600 });
      await timeline.until('the page has taken its size', async () => {
        const [frameBox, table, chart] = await Promise.all(
          ['.tabs-frame', '.statistics-table', '.histogram canvas'].map((part) => frame.locator(part).boundingBox()),
        );
        if (!frameBox || !table || !chart) return false;
        const end = frameBox.y + frameBox.height;
        return chart.x >= table.x + table.width && chart.y + chart.height <= end + 1 && chart.height >= 80;
      });
      for (const name of ['Opcode', 'Count', 'p50']) {
        assert.ok(await frame.getByRole('columnheader', { name }).isVisible(), name);
      }
    });

    it(`has no number cut there, beside a selected request and without side bar too, ${width} pixels wide`, async () => {
      const table = frame.locator('.statistics-table');
      const isWhole = (): Promise<boolean> =>
        table.evaluate((part) => {
          const { scrollWidth, clientWidth } = part as unknown as { scrollWidth: number; clientWidth: number };
          return clientWidth > 0 && scrollWidth <= clientWidth;
        });
      await showReads();
      await page.setViewportSize({ width, height: 600 });
      await timeline.until('all columns that are shown are whole', isWhole);
      await page.keyboard.press('Control+B');
      await frame.locator('#lanes').press('ArrowRight');
      await frame.locator('.details .details-head').waitFor();
      await timeline.until('so are they beside a request', isWhole);
      await histogramOfReads().waitFor();
      await page.keyboard.press('Control+B');
    });
  }

  for (const [sorted, other] of [
    ['Max', 'Total'],
    ['Total', 'Max'],
  ] as const) {
    it(`keeps ${sorted} there, whole, where figures are sorted by it`, async () => {
      const header = (name: string): Locator => frame.getByRole('columnheader', { name: new RegExp(`^${name}`) });
      await showReads();
      await header(sorted).getByRole('button').click();
      await page.setViewportSize({ width: 900, height: 600 });
      await header(other).waitFor({ state: 'hidden' });
      await header('p99').waitFor({ state: 'hidden' });
      const [table, head, ...cells] = await Promise.all(
        [
          frame.locator('.statistics-table'),
          header(sorted),
          ...(await frame.locator(`.statistics td.figure-${sorted.toLowerCase()}`).all()),
        ].map((part) => part.boundingBox()),
      );
      assert.ok(table && head && cells.length > 5);
      for (const cell of cells) {
        assert.equal(cell?.x, head.x);
        assert.ok(cell.width === head.width && head.x + head.width <= table.x + table.width + 1);
      }
    });
  }

  it('compares two captures side by side', async () => {
    const pairs = async (): Promise<number> => Number(await frame.locator('#lanes').getAttribute('data-pairs'));
    await command(page, 'Virtio-FS: Compare Captures');
    const other = page.locator('.quick-input-list .monaco-list-row', { hasText: 'slower.fuse.pcapng' }).first();
    await other.waitFor();
    // The page gets the focus back from the list of commands late, on a busy machine: the choice stays.
    await frame.locator('#lanes').focus();
    await frame.locator('#lanes:focus').waitFor();
    await other.click();
    await page.getByRole('tab', { name: /build\.fuse\.pcapng ↔ slower/ }).waitFor();
    await whenComplete(frame);
    await timeline.shows(/^9\d\d requests$/);
    assert.equal(await frame.locator('#lanes').getAttribute('data-lanes'), '6');
    assert.equal(await frame.locator('#lanes').getAttribute('data-pairs'), '3');
    // Each numbers its files for itself: they are paired by their paths. 50 sources and 17 objects are in both.
    await frame.getByLabel('Lanes', { exact: true }).selectOption('file');
    await timeline.until('files are paired', async () => (await pairs()) >= 67);
    assert.ok(2 * (await pairs()) < Number(await frame.locator('#lanes').getAttribute('data-lanes')));
    await frame.getByLabel('Lanes', { exact: true }).selectOption('process');
    await frame.locator('#lanes[data-pairs="6"]').waitFor();
    await frame.getByLabel('Lanes', { exact: true }).selectOption('queue');
    const which = frame.getByLabel('Capture', { exact: true });
    await which.waitFor();
    await frame.getByRole('tab', { name: 'Comparison' }).click();
    // It has both.
    await which.waitFor({ state: 'hidden' });
    const read = frame.locator('.comparison tr', { hasText: 'READ' }).first();
    await read.waitFor({ timeout: 60_000 });
    assert.deepEqual((await read.locator('td').allTextContents()).slice(0, 4), ['READ', '180', '150', '−17 %']);
    const lefts = await frame.locator('.comparison').evaluate((part) => {
      interface Part {
        querySelector(selector: string): Part;
        readonly firstChild: unknown;
        readonly ownerDocument: { createRange(): { selectNodeContents(of: unknown): void } & Part };
        getBoundingClientRect(): { readonly left: number };
      }
      return ['th', 'td'].map((cell) => {
        const first = (part as unknown as Part).querySelector(cell);
        const text = first.ownerDocument.createRange();
        text.selectNodeContents(first);
        return text.getBoundingClientRect().left;
      });
    });
    assert.equal(lefts[0], lefts[1], 'names begin where their title does');
    await page.setViewportSize({ width: 760, height: 800 });
    const moved = await frame.locator('.comparison .statistics-table').evaluate((part) => {
      interface Table {
        scrollLeft: number;
        querySelector(selector: string): Table;
        getBoundingClientRect(): { readonly left: number };
      }
      const table = part as unknown as Table;
      table.scrollLeft = 1000;
      const left = (each: Table): number => each.getBoundingClientRect().left;
      return [table.scrollLeft > 0, left(table.querySelector('td')) - left(table)];
    });
    assert.deepEqual(moved, [true, 0], 'names stay where figures are scrolled');
    await timeline.hasNames();
  });
});
