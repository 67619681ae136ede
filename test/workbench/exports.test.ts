import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameLocator, Page } from 'playwright-core';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import { need } from '../support/need';
import { CHROMIUM } from '../support/vscode/workbench';
import { read } from '../trace/readWhole';
import { CaptureBuilder } from '../trace/captureBuilder';
import { sampleCapture } from './sampleCapture';
import { openFile, timelineFrame, timelineWorkbench, type TimelineWorkbench, whenComplete } from './timelineWorkbench';

describe('exports from the timeline in VS Code', function () {
  this.timeout(180_000);
  let workbench: TimelineWorkbench;
  let page: Page;
  let frame: FrameLocator;

  before(async function () {
    need(this, 'a browser', existsSync(CHROMIUM), `no ${CHROMIUM}`);
    const whole = sampleCapture().bytes();
    const half = (piece: number): Uint8Array => {
      const builder = new CaptureBuilder({ tag: 'work', directory: '/srv/work', facts: { id: 'x', piece } });
      for (let i = 0; i < 10; i++) builder.exchange('GETATTR', { pid: i, at: (piece * 10 + i) * 50_000 });
      return builder.bytes();
    };
    const files = {
      'build.fuse.pcapng': whole,
      'cut.fuse.pcapng': whole.subarray(0, whole.length - 1001),
      'rotated.fuse.pcapng': half(1),
      'rotated.fuse.pcapng.old': half(0),
    };
    workbench = await timelineWorkbench(files, { installed: true });
    ({ page } = workbench);
    page.setDefaultTimeout(15_000);
    frame = timelineFrame(page);
    await openFile(page, 'build.fuse.pcapng');
    await whenComplete(frame);
    const filter = frame.getByRole('combobox', { name: 'Filter requests' });
    await filter.fill('opcode == READ && path ~ "*part3.c"');
    await filter.press('Enter');
    await shows(/^3 of 533$/);
  });

  after(async () => {
    await workbench?.close();
  });

  const shows = (count: RegExp): Promise<void> => frame.locator('.count').filter({ hasText: count }).waitFor();
  const picks = () => page.locator('.quick-input-list .monaco-list-row');
  const input = () => page.locator('.quick-input-widget input').first();
  const said = (text: RegExp | string) => page.locator('.notification-toast').filter({ hasText: text }).first();

  /** Picks the format; the dialog then asks for a name. */
  async function begin(format: string): Promise<void> {
    await frame.getByRole('button', { name: 'Export what is shown' }).click();
    await picks().filter({ hasText: format }).first().click();
    await page.getByRole('button', { name: 'OK', exact: true }).waitFor();
    // The name that is offered comes a moment later, and would take the place of another one.
    for (let turn = 0; turn < 100 && !/-export\./.test(await input().inputValue()); turn++)
      await page.waitForTimeout(50);
  }

  /** The file, when VS Code has said that it is there. */
  async function exported(format: string, name: string, requests = 3): Promise<Buffer> {
    await begin(format);
    const path = join(workbench.folder, name);
    await input().fill(path);
    await page.keyboard.press('Enter');
    const done = said(`Exported ${requests} requests to ${path}`);
    await done.waitFor();
    await done.hover();
    await done.locator('.codicon-notifications-clear').click();
    return readFileSync(path);
  }

  it('are offered a name beside the capture', async () => {
    await begin('CSV');
    assert.equal(await input().inputValue(), join(workbench.folder, 'build-export.csv'));
    await page.keyboard.press('Escape');
  });

  it('have the requests that are shown, as JSON lines', async () => {
    const lines = (await exported('JSON lines', 'reads.jsonl')).toString().trimEnd().split('\n');
    const rows = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      rows.map(({ opcode, path }) => [opcode, path]),
      [0, 1, 2].map(() => ['READ', '/src/part3.c']),
    );
  });

  it('as CSV', async () => {
    const [head, ...rows] = (await exported('CSV', 'reads.csv')).toString().trimEnd().split('\n');
    assert.match(head, /opcode.*path/);
    assert.equal(rows.length, 3);
    assert.ok(rows.every((row) => row.includes('READ') && row.includes('/src/part3.c')));
  });

  it('as a Chrome trace', async () => {
    const { traceEvents } = JSON.parse((await exported('Chrome trace', 'reads.json')).toString()) as {
      traceEvents: { name: string; ph: string }[];
    };
    assert.equal(traceEvents.filter(({ name, ph }) => ph === 'X' && /^READ\b/.test(name)).length, 3);
  });

  it('as a capture, which opens again', async () => {
    const { columns, count, fault } = read(await exported('Capture', 'reads.fuse.pcapng'));
    assert.equal(fault, undefined);
    const reads = columns.opcode.subarray(0, count).filter((opcode) => opcode === Opcode.READ);
    assert.equal(reads.length, 3);
  });

  it('that are cancelled leave nothing, neither at the format nor at the name', async () => {
    const before = readdirSync(workbench.folder);
    await frame.getByRole('button', { name: 'Export what is shown' }).click();
    await picks().first().waitFor();
    await page.keyboard.press('Escape');
    await begin('CSV');
    await page.keyboard.press('Escape');
    await page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
    assert.deepEqual(readdirSync(workbench.folder), before);
  });

  it('that cannot be written say why, and what to do', async () => {
    const before = readdirSync(workbench.folder);
    await begin('CSV');
    // Longer in bytes than any file system takes, and not in letters.
    await input().fill(join(workbench.folder, `${'ä'.repeat(200)}.csv`));
    await page.keyboard.press('Enter');
    await said(/cannot be written: its name is too long\. Name a file in a folder that you may write to/).waitFor();
    assert.deepEqual(readdirSync(workbench.folder), before);
  });

  it('of nothing say so', async () => {
    const filter = frame.getByRole('combobox', { name: 'Filter requests' });
    await filter.fill('opcode == MKNOD');
    await filter.press('Enter');
    await shows(/^0 of 533$/);
    await frame.getByRole('button', { name: 'Export what is shown' }).click();
    await said('No request is shown').waitFor();
  });

  it('of a capture that was cut off make one that is whole', async () => {
    await openFile(page, 'cut.fuse.pcapng');
    await whenComplete(frame);
    await frame.locator('.banner', { hasText: 'export it as a capture' }).waitFor();
    const shown = parseInt((await frame.locator('.count').textContent()) ?? '');
    const { count, fault } = read(await exported('Capture', 'whole.fuse.pcapng', shown));
    assert.equal(fault, undefined);
    assert.ok(count > 500);
    assert.equal(count, shown);
  });

  it('of a capture in two files have both halves', async () => {
    await openFile(page, 'rotated.fuse.pcapng');
    await whenComplete(frame);
    await frame.locator('.banner', { hasText: 'rotated.fuse.pcapng.old", which is read first' }).waitFor();
    await shows(/^20 requests$/);
    const both = read(await exported('Capture', 'both.fuse.pcapng', 20));
    assert.deepEqual([both.count, both.columns.pid[0], both.columns.pid[19]], [20, 0, 9]);
  });
});
