import assert from 'node:assert/strict';
import type { FrameLocator, Locator } from 'playwright-core';
import { type SharedTimeline, sharedTimeline } from './sharedTimeline';

describe('the timeline in VS Code, filtered', function () {
  this.timeout(180_000);
  let timeline: SharedTimeline;
  let frame: FrameLocator;

  before(async function () {
    timeline = await sharedTimeline(this);
    ({ frame } = timeline);
  });

  beforeEach(() => timeline.begin('build.fuse.pcapng'));

  /** Writes the beginning of a name, and goes to the first one that is offered. */
  async function chooseOffered(): Promise<void> {
    await timeline.filterInput.fill('opc');
    await frame
      .getByRole('option', { name: /^opcode/ })
      .first()
      .waitFor();
    await timeline.filterInput.press('ArrowDown');
  }

  it('completes a filter', async () => {
    await chooseOffered();
    await timeline.hasNames();
    await timeline.filterInput.press('Enter');
    assert.equal(await timeline.filterInput.inputValue(), 'opcode ');
  });

  it('takes what was typed, not what had been chosen of the offer before', async () => {
    await chooseOffered();
    // At once, before the offer for it has come.
    await timeline.filterInput.evaluate((input) => {
      (input as unknown as { value: string }).value = 'opcode == READ';
      for (const event of [new Event('input'), Object.assign(new Event('keydown'), { key: 'Enter' })]) {
        input.dispatchEvent(event);
      }
    });
    await timeline.shows(/ of 533$/);
    assert.equal(await timeline.filterInput.inputValue(), 'opcode == READ');
  });

  it('shows where a filter is wrong, and what was meant', async () => {
    await timeline.filterInput.fill('opcode == REED');
    await timeline.filterInput.press('Enter');
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
    await timeline.hasNames();
    await frame.getByRole('button', { name: /Use “READ”/ }).click();
    await timeline.shows(/^180 of 533$/);
    await timeline.filter('', /^533 requests$/);
  });

  const nothingPasses = (): Promise<void> => timeline.filter('opcode == READ && latency > 5s', /^0 of 533$/);
  const says = (where: string): Locator => frame.locator(where).getByText('No request passes the filter.');

  it('says wherever requests would be that none passes the filter, and clears it with a click or a key', async () => {
    const clear = frame.locator('.lanes').getByRole('button', { name: 'Clear the filter' });
    const lanes = frame.locator('#lanes');
    for (const leave of [
      () => clear.click(),
      () => lanes.press('Escape'),
      () => frame.getByRole('grid', { name: 'Requests' }).press('Escape'),
    ]) {
      await nothingPasses();
      await says('.lanes').waitFor();
      await says('.table-frame').waitFor();
      await clear.waitFor();
      await leave();
      await timeline.shows(/^533 requests$/);
      assert.equal(await timeline.filterInput.inputValue(), '');
      assert.equal(await frame.locator(':focus').getAttribute('id'), 'lanes');
      await says('.lanes').waitFor({ state: 'hidden' });
      await says('.table-frame').waitFor({ state: 'hidden' });
    }
  });

  it('says in the place of figures that no request passes the filter, and clears it there', async () => {
    await nothingPasses();
    await frame.getByRole('tab', { name: 'Statistics' }).click();
    await says('.statistics').waitFor();
    assert.ok(!(await frame.locator('.histogram').isVisible()));
    await timeline.hasNames();
    await frame.locator('.statistics').getByRole('button', { name: 'Clear the filter' }).click();
    await frame.locator('.statistics tr', { hasText: 'READ' }).first().waitFor();
  });
});
