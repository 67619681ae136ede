/** What a timeline says is said whole, in a window of any width: legend, numbers of requests, totals and their bars. */
import assert from 'node:assert/strict';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { contrast } from '../contrast';
import { inMicroseconds, type SharedTimeline, sharedTimeline } from './sharedTimeline';

const WIDTHS = [900, 1600] as const;

/** As much of the DOM as is asked here, where there is none. */
interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly width: number;
}
interface Part {
  readonly scrollWidth: number;
  readonly clientWidth: number;
  readonly textContent: string;
  getBoundingClientRect(): Box & { toJSON(): Box };
}

const boxes = (parts: Locator): Promise<Box[]> =>
  parts.evaluateAll((all) => (all as unknown as Part[]).map((part) => part.getBoundingClientRect().toJSON()));

const cut = (parts: Locator): Promise<string[]> =>
  parts.evaluateAll((all) =>
    (all as unknown as Part[])
      .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
      .map(({ textContent }) => textContent),
  );

/** Red, green, blue. */
const colourOf = async (part: Locator, of: 'color' | 'background'): Promise<readonly number[]> => {
  const property = of === 'color' ? 'color' : 'backgroundColor';
  const text = await part.evaluate(
    (element, name) =>
      (globalThis as unknown as { getComputedStyle(of: unknown): Record<string, string> }).getComputedStyle(element)[
        name
      ],
    property,
  );
  return [...text.matchAll(/[\d.]+/g)].slice(0, 3).map(Number);
};

describe('the timeline in VS Code, in windows of several widths', function () {
  this.timeout(180_000);
  let timeline: SharedTimeline;
  let page: Page;
  let frame: FrameLocator;

  before(async function () {
    timeline = await sharedTimeline(this);
    ({ page, frame } = timeline);
  });

  /** The page has some 60 pixels less than the window then. */
  async function withoutSideBar(run: () => Promise<void>): Promise<void> {
    await page.keyboard.press('Control+B');
    try {
      await run();
    } finally {
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.keyboard.press('Control+B');
    }
  }

  // With the side bar the page has some 600, 900 and 1300 of these: the legend has two lines in the first two.
  for (const width of [900, 1200, 1600]) {
    it(`has a whole legend, ${width} pixels wide`, async () => {
      await timeline.begin('build.fuse.pcapng');
      await page.setViewportSize({ width, height: 900 });
      // At once: the page may still be taking its new width.
      const [bar, ...items] = await boxes(frame.locator('.legend-bar, .legend-bar .legend-item, .legend-bar .range'));
      const range = items.pop() ?? bar;
      assert.ok(items.length > 10, `${items.length} items`);
      for (const { top, bottom, right } of items) {
        assert.ok(top >= bar.top && bottom <= bar.bottom + 0.5, `${top} to ${bottom} in ${bar.top} to ${bar.bottom}`);
        const end = range.width > 0 ? range.left : bar.right;
        assert.ok(right <= end, `${right} before ${end}`);
      }
    });
  }

  it('has all its tools in a window of 600 pixels', async () => {
    await timeline.begin('build.fuse.pcapng');
    await withoutSideBar(async () => {
      await page.setViewportSize({ width: 600, height: 800 });
      const tools = frame.getByRole('toolbar', { name: 'Timeline' });
      await timeline.until('the page has taken its width', async () => {
        const [around, ...all] = [...(await boxes(tools)), ...(await boxes(tools.getByRole('button')))];
        return around.right < 600 && all.every(({ left, right }) => left >= around.left && right <= around.right);
      });
      for (const name of ['Zoom out', 'Zoom in', 'Show everything', 'Keys']) {
        assert.ok(await tools.getByRole('button', { name }).isVisible(), name);
      }
      await tools.getByRole('button', { name: 'Zoom in' }).click();
    });
  });

  // Three steps of what is left out.
  it('has in narrow windows those columns that there is room for, and the one that requests are sorted by', async () => {
    await timeline.begin('build.fuse.pcapng');
    const grid = frame.getByRole('grid', { name: 'Requests' });
    const shown: Record<string, string> = {};
    await withoutSideBar(async () => {
      for (const width of [600, 470, 410]) {
        await page.setViewportSize({ width, height: 800 });
        await timeline.until('the page has taken its width', async () => (await boxes(grid))[0].right < width);
        for (const keys of [['2'], ['3'], ['4'], ['7'], ['9'], ['1', '1']]) {
          for (const key of keys) await grid.press(`Alt+${key}`);
          const heads = frame.getByRole('columnheader').and(frame.locator(':visible'));
          const sorted = frame.locator('[aria-sort]:visible');
          const name = (await sorted.getAttribute('data-column')) ?? '';
          const [around, head] = [...(await boxes(grid)), ...(await boxes(sorted))];
          assert.ok(head.left >= around.left && head.right <= around.right, `${name}, ${width} pixels wide`);
          const whole = sorted.locator('button').or(timeline.rows.locator(`.column-${name}`));
          assert.deepEqual(await cut(whole), [], `${name}, ${width} pixels wide`);
          shown[`${width} ${name}`] = (await heads.allTextContents()).join(' ');
        }
      }
    });
    assert.deepEqual(shown, {
      '600 start': '# Time (s) Opcode Path Latency Result',
      '600 queue': '# Time (s) Queue Opcode Path Latency Result',
      '600 pid': '# Time (s) PID Opcode Path Latency Result',
      '600 latency': '# Time (s) Opcode Path Latency Result',
      '600 payload': '# Time (s) Opcode Path Latency Result Bytes',
      '600 row': '# Time (s) Opcode Path Latency Result',
      '470 start': 'Time (s) Opcode Path Latency Result',
      '470 queue': 'Time (s) Queue Opcode Path Result',
      '470 pid': 'Time (s) PID Opcode Path Result',
      '470 latency': 'Time (s) Opcode Path Latency Result',
      '470 payload': 'Time (s) Opcode Path Result Bytes',
      '470 row': '# Time (s) Opcode Path Result',
      '410 start': 'Time (s) Opcode Path Result',
      '410 queue': 'Queue Opcode Path Result',
      '410 pid': 'PID Opcode Path Result',
      '410 latency': 'Opcode Path Latency Result',
      '410 payload': 'Opcode Path Result Bytes',
      '410 row': '# Opcode Path Result',
    });
  });

  for (const width of WIDTHS) {
    it(`has numbers of requests beyond 10,000 whole, ${width} pixels wide, and in the details`, async () => {
      await timeline.begin('long.fuse.pcapng');
      await page.setViewportSize({ width, height: 900 });
      await frame.getByRole('grid', { name: 'Requests' }).press('End');
      await timeline.rows.locator('.column-row', { hasText: '11999' }).waitFor();
      assert.deepEqual(await cut(timeline.rows.locator('.column-row')), []);
      await timeline.rows.filter({ hasText: '11999' }).click();
      await frame.locator('.details-number', { hasText: /^#11999$/ }).waitFor();
    });

    it(`has the names of files that lie deep whole, ${width} pixels wide, and says where they are`, async () => {
      await timeline.begin('deep.fuse.pcapng');
      await page.setViewportSize({ width, height: 900 });
      await frame.getByRole('grid', { name: 'Requests' }).press('End');
      const row = timeline.rows.filter({ hasText: 'package.json' });
      await row.waitFor();
      assert.deepEqual(await cut(timeline.rows.locator('.column-pid:visible')), []);
      assert.match((await row.locator('.column-start').textContent()) ?? '', /^12345\.\d{6}$/);
      assert.deepEqual(await cut(timeline.rows.locator('.column-start')), []);
      const path = `${'/node_modules'.repeat(29)}/package.json`;
      const places = [row.locator('.column-path'), frame.locator('.details-path', { hasText: 'package.json' })];
      for (const place of places) {
        assert.equal(await place.textContent(), path);
        assert.equal((await cut(place.locator('.path-folder'))).length, 1);
        assert.deepEqual(await cut(place.locator('.path-name')), []);
        const [around, name] = [...(await boxes(place)), ...(await boxes(place.locator('.path-name')))];
        assert.ok(name.left >= around.left && name.right <= around.right, `${name.right} in ${around.right}`);
        await place.hover();
        await frame.locator('.text-tip:visible', { hasText: path }).waitFor();
      }
    });

    it(`has whole totals, with bars as long as they are where there is room, ${width} pixels wide`, async () => {
      await timeline.begin('build.fuse.pcapng');
      await page.setViewportSize({ width, height: 900 });
      await frame.getByRole('tab', { name: 'Statistics' }).click();
      await frame.locator('.statistics tbody tr').first().waitFor();
      const aBar = frame.locator('td.figure-total .share').first();
      await aBar.waitFor({ state: width === 900 ? 'hidden' : 'visible' });
      assert.deepEqual(await cut(frame.locator('.statistics-table')), []);
      const totals = (await frame.locator('td.figure-total').allTextContents()).map(inMicroseconds);
      const bars = (await boxes(frame.locator('td.figure-total .share'))).map((box) => box.width);
      assert.equal(bars.length, totals.length);
      const most = Math.max(...bars);
      if (width === 900) return;
      assert.ok(most > 30, `${most} pixels`);
      bars.forEach((bar, i) => {
        const expected = (totals[i] / Math.max(...totals)) * most;
        assert.ok(Math.abs(bar - expected) < 1, `a bar of ${bar} pixels for one of ${expected}`);
      });
    });
  }

  // With the side bar the page has some 900 and 1550 of these.
  for (const width of [1280, 1920]) {
    it(`gives figures all room until something is selected, where both have not enough, ${width} pixels wide`, async () => {
      await timeline.begin('build.fuse.pcapng');
      await page.setViewportSize({ width, height: 900 });
      const figures = frame.locator('.statistics');
      const details = frame.locator('.details');
      await frame.getByRole('tab', { name: 'Statistics' }).click();
      await figures.locator('tbody tr').first().waitFor();
      await details.waitFor({ state: width === 1280 ? 'hidden' : 'visible' });
      const alone = async (): Promise<boolean> => {
        const [lower, part] = await boxes(frame.locator('.lower, .statistics'));
        return Math.abs(lower.right - part.right) < 2;
      };
      assert.equal(await alone(), width === 1280);
      await frame.getByRole('tab', { name: 'Requests' }).click();
      await timeline.rows.first().click();
      await frame.getByRole('tab', { name: 'Statistics' }).click();
      await details.waitFor();
      assert.equal(await alone(), false);
    });
  }

  it('has the names of structures whole', async () => {
    await timeline.begin('build.fuse.pcapng');
    await timeline.filter('opcode == RELEASE', /^\d+ of 533$/);
    await timeline.rows.first().click();
    const names = frame.locator('.details [aria-expanded] > .field > .name');
    await names.filter({ hasText: 'fuse_release_in' }).waitFor();
    assert.deepEqual(await cut(names), []);
  });

  it('has values of structures and of their fields below each other', async () => {
    await timeline.begin('build.fuse.pcapng');
    await page.setViewportSize({ width: 1600, height: 900 });
    await timeline.filter('opcode == RELEASE', /^\d+ of 533$/);
    await timeline.rows.first().click();
    const values = frame.locator('.details .fields .value');
    await values.filter({ hasText: /^40 bytes$/ }).waitFor();
    const lefts = (await boxes(values)).map(({ left }) => left);
    assert.ok(lefts.length > 8, `${lefts.length} values`);
    assert.ok(Math.max(...lefts) - Math.min(...lefts) < 0.5, `from ${Math.min(...lefts)} to ${Math.max(...lefts)}`);
  });

  for (const theme of ['light', 'dark'] as const) {
    it(`says what failed in a red that can be read, ${theme}`, async () => {
      await timeline.begin('build.fuse.pcapng');
      await page.emulateMedia({ colorScheme: theme });
      await frame.locator(`body.vscode-${theme}`).waitFor();
      await timeline.filter('opcode == UNLINK', /^7 of 533$/);
      const result = timeline.rows.locator('.column-result', { hasText: 'EACCES' }).first();
      const [text, back] = await Promise.all([
        colourOf(result, 'color'),
        colourOf(frame.locator('body'), 'background'),
      ]);
      assert.ok(contrast(text, back) >= 4.5, `${contrast(text, back)}: ${text} on ${back}`);
    });
  }

  it('shows as failed what guests do not expect, and has all errors where errors are asked for', async () => {
    await timeline.begin('build.fuse.pcapng');
    await timeline.filter('error', /^\d+ of 533$/);
    await frame.getByRole('columnheader', { name: 'Result' }).getByRole('button').click();
    const results = async (failed: boolean): Promise<string[]> => {
      const rows = frame.locator(`.table-row[data-row]:visible${failed ? '.failed' : ':not(.failed)'}`);
      return [...new Set(await rows.locator('.column-opcode, .column-result').allTextContents())];
    };
    await timeline.until(
      'both are there',
      async () => (await results(true)).length * (await results(false)).length > 0,
    );
    assert.deepEqual(await results(true), ['UNLINK', 'EACCES']);
    assert.deepEqual(await results(false), ['LOOKUP', 'ENOENT']);
  });
});
