import assert from 'node:assert/strict';
import type { FrameLocator, Page } from 'playwright-core';
import { inMicroseconds, type SharedTimeline, sharedTimeline } from './sharedTimeline';

describe('the timeline in VS Code, moved and zoomed', function () {
  this.timeout(180_000);
  let timeline: SharedTimeline;
  let page: Page;
  let frame: FrameLocator;

  before(async function () {
    timeline = await sharedTimeline(this);
    ({ page, frame } = timeline);
  });

  beforeEach(() => timeline.begin('build.fuse.pcapng'));

  /** In words: where the view begins, and how long it is. */
  async function inView(): Promise<readonly [start: string, length: string]> {
    const [start, length] = ((await timeline.range.textContent()) ?? '').split(' + ');
    return [start, length];
  }

  const isEverything = (everything: readonly string[]): Promise<void> =>
    timeline.range.filter({ hasText: everything.join(' + ') }).waitFor();

  it('zooms with the wheel, where the pointer is, and pans with a drag', async () => {
    const everything = await inView();
    const box = await frame.locator('#lanes').boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    for (let i = 0; i < 5; i++) await page.mouse.wheel(0, -200);
    await timeline.range.filter({ hasNotText: everything.join(' + ') }).waitFor();
    const zoomed = await inView();
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2 - 150, box.y + box.height / 2, { steps: 4 });
    await page.mouse.up();
    const moved = await inView();
    assert.notEqual(moved[0], zoomed[0]);
    assert.equal(moved[1], zoomed[1]);
    await frame.getByRole('button', { name: 'Show everything' }).click();
    await isEverything(everything);
  });

  it('moves and stretches the part in view in the overview, whose pointer says what a drag does', async () => {
    const overview = frame.locator('.overview');
    const place = await overview.boundingBox();
    assert.ok(place);
    const at = (part: number): number => place.x + place.width * part;
    const y = place.y + place.height / 2;
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
    const [start, length] = await inView();
    assert.equal(await drag(0.4, 0.6), 'grab');
    const [moved, same] = await inView();
    assert.notEqual(moved, start);
    assert.equal(same, length);
    assert.equal(await drag(0.7, 0.9), 'ew-resize');
    const [unmoved, longer] = await inView();
    assert.equal(unmoved, moved);
    assert.notEqual(longer, length);
  });

  it('goes to both ends of the time with the keys of a scroll bar', async () => {
    const everything = inMicroseconds((await inView())[1]);
    await frame.locator('#lanes').focus();
    for (let press = 0; press < 3; press++) await page.keyboard.press('+');
    await timeline.until('an eighth of the time is in view', async () => {
      const part = inMicroseconds((await inView())[1]) / everything;
      return Math.abs(part - 1 / 8) < 0.001;
    });
    await frame.getByRole('scrollbar', { name: 'Time in view' }).focus();
    const startAfter = async (key: string): Promise<number> => {
      const before = (await inView()).join(' + ');
      await page.keyboard.press(key);
      await timeline.range.filter({ hasNotText: before }).waitFor();
      return parseFloat((await inView())[0]);
    };
    const end = await startAfter('End');
    const start = await startAfter('Home');
    assert.ok(start < end && start <= 0.0001, `${start} to ${end}`);
  });

  it('shows everything again with a key', async () => {
    const everything = await inView();
    await frame.locator('#lanes').focus();
    for (const key of ['+', '+']) await page.keyboard.press(key);
    await timeline.range.filter({ hasNotText: everything.join(' + ') }).waitFor();
    await page.keyboard.press('0');
    await isEverything(everything);
  });
});
