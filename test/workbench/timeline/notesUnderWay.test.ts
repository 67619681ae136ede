/** The timeline's page by itself: what VS Code would give to it comes when the test says so. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { FromTimeline, Note, ToTimeline } from '../../../src/control/timeline';
import { lonePage } from './lonePage';

describe('a page of the timeline, while notes are under way to it', function () {
  this.timeout(60_000);
  const lone = lonePage();
  let page: Page;

  beforeEach(async () => {
    page = await lone.open();
    await lone.give({ kind: 'begin', sides: 1, live: false, first: 0 });
  });

  type Given = Extract<ToTimeline, { kind: 'notes' }>;
  const giveNotes = ({ notes, edition }: Pick<Given, 'notes' | 'edition'>): Promise<void> =>
    lone.give({ kind: 'notes', notes, edition, place: 'beside' });

  /** What the page has given to be kept. */
  async function changes(): Promise<Extract<FromTimeline, { kind: 'notes' }>[]> {
    return (await lone.taken()).flatMap((message) => (message.kind === 'notes' ? [message] : []));
  }

  const texts = async (): Promise<string[][]> => (await changes()).map(({ notes }) => notes.map(({ text }) => text));
  const older: Note = { id: 'older', at: 7, text: 'older' };

  it('keeps one that is made before those that are kept have come, and them', async () => {
    await page.locator('#lanes').press('b');
    await page.keyboard.type('ne');
    assert.deepEqual(await texts(), []);
    await giveNotes({ notes: [older], edition: 0 });
    await page.getByRole('tab', { name: 'Notes (2)' }).waitFor();
    await page.keyboard.type('wer');
    await page.keyboard.press('Enter');
    assert.deepEqual(await texts(), [[''], ['newer']]);
    await page
      .getByRole('textbox', { name: /^Note at/ })
      .nth(1)
      .waitFor();
  });

  it('keeps one that is being written when an answer about those before it comes', async () => {
    await giveNotes({ notes: [older], edition: 0 });
    await page.getByRole('tab', { name: 'Notes (1)' }).click();
    await page.getByRole('textbox', { name: /^Note at/ }).fill('changed');
    await page.locator('#lanes').press('b');
    await page.keyboard.type('ne');
    const [changed, , ...rest] = await changes();
    assert.deepEqual(rest, []);
    await giveNotes(changed);
    await page.keyboard.type('wer');
    await page.keyboard.press('Enter');
    assert.deepEqual(await texts(), [['changed'], [''], ['newer']]);
    // The answer about the newest change is taken: another timeline has removed the older one.
    const newest = (await changes()).at(-1);
    assert.ok(newest);
    await giveNotes(newest);
    const written = page.getByRole('textbox', { name: /^Note at/ });
    await written.nth(1).waitFor({ state: 'detached' });
    await page.getByRole('tab', { name: 'Notes (1)' }).waitFor();
    assert.equal(await written.count(), 1);
    await page.getByRole('button', { name: 'Remove the note' }).click();
    assert.deepEqual((await changes()).at(-1), { kind: 'notes', notes: [], removed: [newest.notes[0].id], edition: 4 });
  });
});
