/** The timeline's page by itself, when all rows are others while it is open: a live capture has dropped its oldest. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { FromTimeline } from '../../../src/control/timeline';
import { lonePage } from './lonePage';

type Filter = Extract<Extract<FromTimeline, { kind: 'question' }>['ask'], { about: 'filter' }>;

describe('a page of the timeline, when its capture begins anew', function () {
  this.timeout(60_000);
  const lone = lonePage();
  let page: Page;

  const begin = (): Promise<void> => lone.give({ kind: 'begin', sides: 1, live: true, first: 0 });
  const box = () => page.getByRole('combobox', { name: 'Filter requests' });

  async function filters(): Promise<Filter[]> {
    const asks = (await lone.taken()).flatMap((message) => (message.kind === 'question' ? [message.ask] : []));
    return asks.filter((ask) => ask.about === 'filter');
  }

  const asked = async (...texts: string[]): Promise<Filter[]> => {
    await page.waitForFunction(
      `window.taken.filter(({ ask }) => ask?.about === 'filter').length >= ${texts.length}`,
      undefined,
      { polling: 20 },
    );
    const all = await filters();
    assert.deepEqual(
      all.map(({ text }) => text),
      texts,
    );
    return all;
  };

  it('asks what is in the box of the rows that are there now, with another number', async () => {
    page = await lone.open();
    await begin();
    await box().fill('opcode == READ');
    await box().press('Enter');
    await asked('opcode == READ');
    await begin();
    const [first, second] = await asked('opcode == READ', 'opcode == READ');
    assert.ok(second.filter > first.filter);
    assert.equal(await box().inputValue(), 'opcode == READ');
  });

  it('begins with the filter of before it was loaded, and not with that again when another was written', async () => {
    page = await lone.open({ filter: 'error' });
    await begin();
    await asked('error');
    assert.equal(await box().inputValue(), 'error');
    await box().fill('opcode == WRITE');
    await box().press('Enter');
    await asked('error', 'opcode == WRITE');
    await begin();
    await asked('error', 'opcode == WRITE', 'opcode == WRITE');
    assert.equal(await box().inputValue(), 'opcode == WRITE');
  });
});
