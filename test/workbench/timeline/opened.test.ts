/** Captures of every kind are opened, and never leave a person before an empty page. */
import assert from 'node:assert/strict';
import type { FrameLocator } from 'playwright-core';
import { type SharedTimeline, sharedTimeline } from './sharedTimeline';

/** As much of the DOM as is asked here, where there is none. */
interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly clientWidth: number;
  getContext(kind: '2d'): {
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
  };
}

describe('the timeline in VS Code, opened', function () {
  this.timeout(180_000);
  let timeline: SharedTimeline;
  let frame: FrameLocator;

  before(async function () {
    timeline = await sharedTimeline(this);
    ({ frame } = timeline);
  });

  const saysWhere = (): Promise<void> =>
    frame
      .locator('.banner')
      .filter({ hasText: /byte \d+/ })
      .waitFor();

  async function hasRows(): Promise<void> {
    await timeline.rows.first().waitFor();
    assert.ok((await timeline.rows.count()) > 5);
  }

  /** How many pixels the frame and the handles of the part in view have. */
  const drawnOverOverview = (): Promise<number> =>
    frame
      .locator('.overview canvas')
      .last()
      .evaluate((element) => {
        const canvas = element as unknown as Canvas;
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return data.filter((byte, i) => i % 4 === 3 && byte > 0).length;
      });

  it('opens a capture with a double click', async () => {
    await timeline.begin('build.fuse.pcapng');
    await timeline.shows(/^533 requests$/);
    assert.equal(await frame.locator('#lanes').getAttribute('data-lanes'), '3');
    await hasRows();
  });

  it('shows what is there of a capture that was cut off, and says so', async () => {
    await timeline.begin('cut.fuse.pcapng');
    await saysWhere();
    await hasRows();
    await timeline.hasNames();
  });

  it('shows what comes before the damage, and says where that is', async () => {
    await timeline.begin('damaged.fuse.pcapng');
    await saysWhere();
    await hasRows();
  });

  it('says of a file that is no capture that it is none, and what to do', async () => {
    await timeline.begin('foreign.fuse.pcapng');
    const failure = frame.locator('.failure');
    await failure.getByRole('heading', { name: 'This is no capture' }).waitFor();
    assert.match(
      (await failure.textContent()) ?? '',
      /foreign\.fuse\.pcapng.*Open a file that a share with the option/s,
    );
  });

  it('shows words in the place of a file without a byte', async () => {
    await timeline.begin('zero.fuse.pcapng');
    assert.match(
      (await frame.locator('.failure:visible, .table-frame .empty:visible').first().textContent()) ?? '',
      /\S/,
    );
  });

  it('says wherever requests would be that a capture has none', async () => {
    await timeline.begin('empty.fuse.pcapng');
    for (const where of ['.lanes', '.table-frame']) {
      await frame.locator(where).getByText('There are no requests in this capture.').waitFor();
    }
    assert.equal(await frame.getByRole('button', { name: 'Clear the filter' }).count(), 0);
    assert.equal(await drawnOverOverview(), 0, 'a part in view of nothing');
    await timeline.begin('build.fuse.pcapng');
    await timeline.until('the part in view is drawn', async () => (await drawnOverOverview()) > 0);
  });

  it('shows in the overview where one request among thousands is slow', async () => {
    await timeline.begin('long.fuse.pcapng');
    /** Where something is above the bars, as parts of the width. */
    const above = (): Promise<number[]> =>
      frame
        .locator('.overview canvas')
        .first()
        .evaluate((element) => {
          const canvas = element as unknown as Canvas;
          const { data } = canvas.getContext('2d').getImageData(0, 3, canvas.width, 1);
          return Array.from({ length: canvas.width }, (_, x) => x)
            .filter((x) => data[4 * x + 3] > 0)
            .map((x) => x / canvas.width);
        });
    await timeline.until('it is drawn', async () => (await above()).length > 0);
    const places = await above();
    for (const place of places) assert.ok(Math.abs(place - 0.75) < 0.01, `${place}`);
  });

  it('tells no time on the ruler of a capture without requests', async () => {
    // Right of the names' border and above the line below, which are not of it.
    const coloursOnRuler = (): Promise<number> =>
      frame.locator('.lanes canvas.base').evaluate((element) => {
        const canvas = element as unknown as Canvas;
        const height = Math.floor((22 * canvas.width) / canvas.clientWidth);
        const { data } = canvas.getContext('2d').getImageData(canvas.width / 2, 0, canvas.width / 2, height);
        return new Set(new Uint32Array(data.buffer)).size;
      });
    await timeline.begin('build.fuse.pcapng');
    await timeline.until('times are on the ruler', async () => (await coloursOnRuler()) > 1);
    await timeline.begin('empty.fuse.pcapng');
    await frame.locator('.lanes').getByText('There are no requests in this capture.').waitFor();
    assert.equal(await coloursOnRuler(), 1);
  });
});
