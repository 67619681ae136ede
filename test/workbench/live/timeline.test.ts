import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { need } from '../../support/need';
import { CHROMIUM } from '../../support/vscode/workbench';
import { read } from '../../trace/readWhole';
import { RunningShare } from './runningShare';

describe('the timeline of a running share in VS Code', function () {
  this.timeout(180_000);
  let share: RunningShare;
  let page: Page;
  let frame: FrameLocator;
  let range: Locator;
  /** What the timeline's page, and the pages around it, have asked for. */
  const asked: URL[] = [];

  before(async function () {
    need(this, 'a browser', existsSync(CHROMIUM), `no ${CHROMIUM}`);
    share = await RunningShare.start((page) => {
      page.on('request', (request) => {
        if (request.serviceWorker() === null && request.frame() !== page.mainFrame())
          asked.push(new URL(request.url()));
      });
    });
    ({ page, frame } = share);
    // In motion the text is behind the picture, and then is not this.
    range = frame.locator('.range:not([data-late])');
  });

  beforeEach(() => share.begin());

  after(async () => {
    await share?.end();
  });

  /** Seconds from the first request: where the view ends. */
  const viewEnd = async (): Promise<number> => {
    const text = (await range.textContent()) ?? '';
    const [, from, length, unit] = /^([\d.]+) s \+ ([\d.]+) (ns|µs|ms|s)$/.exec(text) ?? [];
    return Number(from) + Number(length) * { ns: 1e-9, µs: 1e-6, ms: 1e-3, s: 1 }[unit as 's'];
  };
  /** How much time is in view, as text. */
  const length = async (): Promise<string | undefined> => (await range.textContent())?.split('+')[1];
  const newest = async (): Promise<number> => {
    await frame.getByRole('grid', { name: 'Requests' }).focus();
    await page.keyboard.press('End');
    return Number(await frame.locator('.table-row.chosen .column-start').textContent());
  };

  it('has what came before it was opened, and what comes', async () => {
    await frame.locator('.table-row[data-row]', { hasText: 'src' }).first().waitFor();
    await share.work();
    await share.all();
  });

  it('goes on although a request is looked at in the tree, which stands still', async () => {
    await share.treeRow('WRITE out.o').click();
    await share.viewsAre('paused');
    await share.work();
    await share.all();
  });

  it('stands still while it is paused, and then has everything', async () => {
    const [, before] = await share.counts();
    await frame.getByRole('button', { name: 'Pause' }).click();
    await share.work();
    // What the views have, the timeline has been told of.
    await share.inViews();
    assert.equal((await share.counts())[1], before);
    await frame.getByRole('button', { name: 'Go on' }).click();
    await share.all();
  });

  it('follows the newest requests also when it is zoomed in', async () => {
    // Looked up before: that chooses it, and what is chosen stays in sight.
    const end = await newest();
    await frame.locator('#lanes').focus();
    for (const key of ['Escape', '0', '+', '+', '+']) await page.keyboard.press(key);
    await share.until('the zoom', async () => (await viewEnd()) < end);
    const zoomed = await length();
    // A person who has looked at something earlier goes on with the button.
    await frame.locator('#lanes').focus();
    await page.keyboard.press('Escape');
    await frame.getByRole('button', { name: 'Pause' }).click();
    await frame.getByRole('button', { name: 'Go on' }).click();
    await share.work();
    await share.all();
    await share.until('the newest', async () => (await viewEnd()) > end);
    assert.equal(await length(), zoomed);
  });

  it('filters what comes', async () => {
    const filter = frame.getByRole('combobox', { name: 'Filter requests' });
    await filter.fill('opcode == WRITE && path ~ "*out.o"');
    await filter.press('Enter');
    await share.until('the filter', async () => / of /.test(await share.countText()));
    const [shown] = await share.counts();
    assert.ok(shown > 0 && shown % 4 === 0, `${shown}`);
    await share.work();
    await share.until('four more', async () => (await share.counts()).join() === `${shown + 4},${share.requests}`);
    const opcodes = await frame.locator('.table-row[data-row]:visible .column-opcode').allTextContents();
    assert.ok(opcodes.length > 0 && opcodes.every((opcode) => opcode === 'WRITE'));
    await filter.fill('');
    await filter.press('Enter');
    await share.until('everything', async () => (await share.counts())[0] === share.requests);
  });

  it('keeps what is selected while more comes', async () => {
    await frame.getByRole('grid', { name: 'Requests' }).focus();
    await page.keyboard.press('Home');
    for (let press = 0; press < 3; press++) await page.keyboard.press('ArrowDown');
    const chosen = () => frame.locator('.table-row.chosen').getAttribute('data-row');
    const opcode = () => frame.locator('.details h2').textContent();
    await frame.locator('.details h2').waitFor();
    const before = [await chosen(), await opcode()];
    await share.work();
    await share.all();
    assert.deepEqual([await chosen(), await opcode()], before);
  });

  it('is exported as a capture, which has the same requests', async () => {
    await frame.getByRole('button', { name: 'Export what is shown' }).click();
    const input = page.locator('.quick-input-widget input').first();
    const picks = page.locator('.quick-input-list .monaco-list-row');
    await picks.filter({ hasText: 'CSV' }).waitFor();
    await input.fill('.fuse.pcapng');
    await picks.filter({ hasText: 'CSV' }).waitFor({ state: 'detached' });
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'OK', exact: true }).waitFor();
    // The name that is offered comes a moment later, and would take the place of another one.
    await share.until('a name', async () => /-export\./.test(await input.inputValue()));
    const path = join(share.folder, 'live.fuse.pcapng');
    await input.fill(path);
    await page.keyboard.press('Enter');
    await share.until('the file', async () => existsSync(path));
    const again = read(readFileSync(path));
    assert.deepEqual([again.fault, again.count], [undefined, share.requests]);
    const rows = frame.locator('.table-row[data-row]:visible');
    for (const row of await rows.all()) {
      const number = Number(await row.getAttribute('data-row'));
      assert.equal(await row.locator('.column-opcode').textContent(), again.request(number)?.opcode?.name);
    }
    const writes = Array.from({ length: share.requests }, (_, row) => row).filter(
      (row) => again.path(again.columns.path[row]) === '/out.o' && again.request(row)?.opcode?.name === 'WRITE',
    );
    assert.ok(writes.length > 0 && writes.every((row) => again.hostCalls(row).length > 0));
    assert.equal(again.session(writes[0])?.minor, again.session(share.requests - 1)?.minor);
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
});
