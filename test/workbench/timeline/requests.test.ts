import assert from 'node:assert/strict';
import type { FrameLocator, Page } from 'playwright-core';
import { inMicroseconds, type SharedTimeline, sharedTimeline } from './sharedTimeline';

describe('the timeline in VS Code, request by request', function () {
  this.timeout(180_000);
  let timeline: SharedTimeline;
  let page: Page;
  let frame: FrameLocator;

  before(async function () {
    timeline = await sharedTimeline(this);
    ({ page, frame } = timeline);
  });

  beforeEach(() => timeline.begin('build.fuse.pcapng'));

  it('shows the fields of a request and their bytes, each from the other', async () => {
    await timeline.filter('opcode == READ && path ~ "*part3.c"', /^3 of 533$/);
    await timeline.rows.first().click();
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
    await details.locator('.byte.marked').first().waitFor();
    assert.deepEqual(await marked(), ['56', '57', '58', '59']);
    await details.locator('.byte[data-at="16"]').first().click();
    await tree.locator('.field.chosen', { hasText: 'nodeid' }).waitFor();
    assert.equal(await tree.locator('.field.chosen .name').textContent(), 'nodeid');
    assert.deepEqual(await marked(), ['16', '17', '18', '19', '20', '21', '22', '23']);
    assert.match((await details.locator('.calls').textContent()) ?? '', /preadv2\(12.*EAGAIN/);
    assert.match((await details.locator('.phases').textContent()) ?? '', /queued.*in daemon.*host system calls.*reply/);
    await timeline.hasNames();
  });

  /** What the rows in view have in a column, from the top. */
  const column = (name: string): Promise<string[]> => timeline.rows.locator(`.column-${name}`).allTextContents();

  async function sortBy(title: string): Promise<void> {
    await frame.getByRole('columnheader', { name: title }).getByRole('button').click();
  }

  async function isSortedBy(name: string, way: 'ascending' | 'descending'): Promise<void> {
    await frame.locator(`.column-${name}[role=columnheader][aria-sort=${way}]`).waitFor();
  }

  it('sorts by a column, and back', async () => {
    await sortBy('Latency');
    await sortBy('Latency');
    await isSortedBy('latency', 'descending');
    const latencies = async (): Promise<number[]> => (await column('latency')).map(inMicroseconds);
    await timeline.until('slow ones are first', async () => (await latencies())[0] > 2000);
    const found = await latencies();
    assert.ok(found.length > 5);
    assert.deepEqual(
      found,
      [...found].sort((a, b) => b - a),
    );
    await sortBy('#');
    await isSortedBy('row', 'ascending');
    await timeline.until('the first request is first', async () => (await column('row'))[0] === '0');
    const rows = (await column('row')).map(Number);
    assert.deepEqual(
      rows,
      rows.map((_, i) => i),
    );
  });

  it('sorts by paths, of which it has only those that are seen', async () => {
    await sortBy('Path');
    await isSortedBy('path', 'ascending');
    let paths: string[] = [];
    // INIT is first, and has none. The order before has none of this file in view.
    await timeline.until('the paths of the new order are there', async () => {
      paths = await column('path');
      return paths.includes('/src/old.o') && paths.slice(1).every((path) => path !== '');
    });
    assert.deepEqual(paths, [...paths].sort());
  });
});
