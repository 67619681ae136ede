import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameLocator, Page } from 'playwright-core';
import { Traffic } from '../extension/traffic/traffic';
import { need } from '../support/need';
import { CHROMIUM } from '../support/vscode/workbench';
import { read } from '../trace/readWhole';
import { timelineFrame, timelineWorkbench, type TimelineWorkbench } from './timelineWorkbench';

describe('the timeline of a running share in VS Code', function () {
  this.timeout(180_000);
  let workbench: TimelineWorkbench;
  let traffic: Traffic;
  let page: Page;
  let frame: FrameLocator;
  /** Requests of one order "work", once everything it looks for is known. */
  let each = 0;
  /** What the timeline's page, and the pages around it, have asked for. */
  const asked: URL[] = [];

  before(async function () {
    need(this, 'a browser', existsSync(CHROMIUM), `no ${CHROMIUM}`);
    workbench = await timelineWorkbench({});
    ({ page } = workbench);
    page.setDefaultTimeout(15_000);
    frame = timelineFrame(page);
    page.on('request', (request) => {
      if (request.serviceWorker() === null && request.frame() !== page.mainFrame()) asked.push(new URL(request.url()));
    });
    traffic = await Traffic.begin('work', ['--cache=always', '--trace-syscalls'], {
      ...process.env,
      XDG_RUNTIME_DIR: workbench.runtime,
    });
    await page.getByRole('tab', { name: 'Virtio-FS' }).first().click();
    await page.getByText('work · live').waitFor({ timeout: 30_000 });
    await traffic.order({ kind: 'work' });
    await treeRow('WRITE out.o').waitFor({ timeout: 30_000 });
  });

  after(async () => {
    await traffic?.end();
    await workbench?.close();
  });

  const treeRow = (text: string) => page.locator('.pane-body .monaco-list-row', { hasText: text }).first();
  const countText = async (): Promise<string> => (await frame.locator('.count').textContent()) ?? '';
  /** Of "3 of 1,234" and "1,234 requests": shown, all. */
  const counts = async (): Promise<[shown: number, all: number]> => {
    const [first, second = first] = [...(await countText()).matchAll(/[\d,]+/g)].map(([digits]) =>
      Number(digits.replaceAll(',', '')),
    );
    return [first, second];
  };
  const until = async (what: string, ready: () => Promise<boolean>): Promise<void> => {
    const last = Date.now() + 15_000;
    while (!(await ready())) {
      if (Date.now() > last) assert.fail(`waited in vain: ${what}; ${await countText()}`);
      await page.waitForTimeout(50);
    }
  };
  const all = async (expected: number): Promise<void> =>
    until(`${expected} requests`, async () => (await counts())[1] === expected);
  /** The views have so many as well. */
  const inViews = (count: number): Promise<void> =>
    page
      .locator('.pane-header', { hasText: 'Requests' })
      .filter({ hasText: String(count) })
      .waitFor();
  /** Seconds from the first request: where the view ends. */
  const viewEnd = async (): Promise<number> => {
    const text = (await frame.locator('.range').textContent()) ?? '';
    const [, from, length, unit] = /^([\d.]+) s \+ ([\d.]+) (ns|µs|ms|s)$/.exec(text) ?? [];
    return Number(from) + Number(length) * { ns: 1e-9, µs: 1e-6, ms: 1e-3, s: 1 }[unit as 's'];
  };
  /** How much time is in view, as text; it follows a little later than the picture. */
  const lengthAtRest = async (): Promise<string | undefined> => {
    for (let last: string | undefined; ;) {
      const now = (await frame.locator('.range').textContent())?.split('+')[1];
      if (now === last) return now;
      last = now;
      await page.waitForTimeout(700);
    }
  };
  const newest = async (): Promise<number> => {
    await frame.getByRole('grid', { name: 'Requests' }).focus();
    await page.keyboard.press('End');
    return Number(await frame.locator('.table-row.chosen .column-start').textContent());
  };
  async function work(): Promise<void> {
    await traffic.order({ kind: 'work' });
  }

  it('has what came before it was opened, and what comes', async () => {
    await page.locator('.pane-header', { hasText: 'Requests' }).hover();
    await page.getByRole('button', { name: 'Show Timeline of This Capture' }).click();
    await frame.locator('.table-row[data-row]', { hasText: 'out.o' }).first().waitFor();
    // The first two orders find other things than those after them.
    await work();
    await work();
    const settled = async (): Promise<number> => {
      for (let last = -1; ;) {
        const [, now] = await counts();
        if (now === last) return now;
        last = now;
        await page.waitForTimeout(700);
      }
    };
    const before = await settled();
    await work();
    each = (await settled()) - before;
    assert.ok(each > 30, `${each}`);
    await work();
    await all(before + 2 * each);
  });

  it('goes on although a request is looked at in the tree, which stands still', async () => {
    const [, before] = await counts();
    // A row that is still moving is not hit.
    await inViews(before);
    await treeRow('WRITE out.o').click();
    await page.getByText('work · paused').waitFor();
    await work();
    await all(before + each);
  });

  it('stands still while it is paused, and then has everything', async () => {
    const [, before] = await counts();
    await frame.getByRole('button', { name: 'Pause' }).click();
    await work();
    await page.locator('.pane-header', { hasText: 'Requests' }).hover();
    await page.getByRole('button', { name: 'Resume' }).click();
    await inViews(before + each);
    assert.equal((await counts())[1], before);
    await frame.getByRole('button', { name: 'Go on' }).click();
    await all(before + each);
  });

  it('follows the newest requests also when it is zoomed in', async () => {
    const [, before] = await counts();
    // Looked up before: that chooses it, and what is chosen stays in sight.
    const end = await newest();
    await frame.locator('#lanes').focus();
    for (const key of ['Escape', '0', '+', '+', '+']) await page.keyboard.press(key);
    await until('the zoom', async () => (await viewEnd()) < end);
    const zoomed = await lengthAtRest();
    // A person who has looked at something earlier goes on with the button.
    await frame.locator('#lanes').focus();
    await page.keyboard.press('Escape');
    await frame.getByRole('button', { name: 'Pause' }).click();
    await frame.getByRole('button', { name: 'Go on' }).click();
    await work();
    await all(before + each);
    await until('the newest', async () => (await viewEnd()) > end);
    assert.equal(await lengthAtRest(), zoomed);
    await frame.getByRole('button', { name: 'Show everything' }).click();
  });

  it('filters what comes', async () => {
    const filter = frame.getByRole('combobox', { name: 'Filter requests' });
    await filter.fill('opcode == WRITE && path ~ "*out.o"');
    await filter.press('Enter');
    await until('the filter', async () => / of /.test(await countText()));
    const [shown, before] = await counts();
    assert.equal(shown % 4, 0);
    await work();
    await until('four more', async () => (await counts()).join() === `${shown + 4},${before + each}`);
    const opcodes = await frame.locator('.table-row[data-row]:visible .column-opcode').allTextContents();
    assert.ok(opcodes.length > 0 && opcodes.every((opcode) => opcode === 'WRITE'));
    await filter.fill('');
    await filter.press('Enter');
    await until('everything', async () => (await counts())[0] === before + each);
  });

  it('keeps what is selected while more comes', async () => {
    await frame.getByRole('grid', { name: 'Requests' }).focus();
    await page.keyboard.press('Home');
    for (let press = 0; press < 3; press++) await page.keyboard.press('ArrowDown');
    const chosen = () => frame.locator('.table-row.chosen').getAttribute('data-row');
    const opcode = () => frame.locator('.details h2').textContent();
    await frame.locator('.details h2').waitFor();
    const before = [await chosen(), await opcode()];
    const [, count] = await counts();
    await work();
    await all(count + each);
    assert.deepEqual([await chosen(), await opcode()], before);
  });

  it('is exported as a capture, which has the same requests', async () => {
    const [, count] = await counts();
    await frame.getByRole('button', { name: 'Show everything' }).click();
    await lengthAtRest();
    await frame.getByRole('button', { name: 'Export what is shown' }).click();
    const input = page.locator('.quick-input-widget input').first();
    const picks = page.locator('.quick-input-list .monaco-list-row');
    await picks.filter({ hasText: 'CSV' }).waitFor();
    await input.fill('.fuse.pcapng');
    await picks.filter({ hasText: 'CSV' }).waitFor({ state: 'detached' });
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'OK', exact: true }).waitFor();
    // The name that is offered comes a moment later, and would take the place of another one.
    await until('a name', async () => /-export\./.test(await input.inputValue()));
    const path = join(workbench.folder, 'live.fuse.pcapng');
    await input.fill(path);
    await page.keyboard.press('Enter');
    await until('the file', async () => existsSync(path));
    const again = read(readFileSync(path));
    assert.deepEqual([again.fault, again.count], [undefined, count]);
    const rows = frame.locator('.table-row[data-row]:visible');
    for (const row of await rows.all()) {
      const number = Number(await row.getAttribute('data-row'));
      assert.equal(await row.locator('.column-opcode').textContent(), again.request(number)?.opcode?.name);
    }
    const writes = Array.from({ length: count }, (_, row) => row).filter(
      (row) => again.path(again.columns.path[row]) === '/out.o' && again.request(row)?.opcode?.name === 'WRITE',
    );
    assert.ok(writes.length > 0 && writes.every((row) => again.hostCalls(row).length > 0));
    assert.equal(again.session(writes[0])?.minor, again.session(count - 1)?.minor);
    assert.ok(again.control.length > 0);
  });

  it('has asked for nothing that is not of this machine', () => {
    assert.ok(asked.length > 0);
    for (const { protocol, hostname, href } of asked) {
      const isHere = ['data:', 'blob:'].includes(protocol) || ['127.0.0.1', 'localhost'].includes(hostname);
      // Files of the extension, which a service worker of VS Code gives under such a name.
      assert.ok(isHere || hostname.endsWith('.vscode-resource.vscode-cdn.net'), href);
    }
  });

  it('stays as it is when the share ends', async () => {
    const [, before] = await counts();
    await traffic.order({ kind: 'kill' });
    await page.getByText('the share has ended').first().waitFor();
    assert.equal((await counts())[1], before);
    await frame.locator('.table-row[data-row]:visible').nth(2).click();
    await frame.locator('.details .field').first().waitFor();
    assert.equal(await frame.getByRole('button', { name: 'Pause' }).isVisible(), false);
  });
});
