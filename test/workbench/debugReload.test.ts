/** A window of VS Code that is reloaded, or closed, while its debugger holds a request of a guest. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { exited } from '../../src/vm/workplace';
import { needGuests } from '../guest/bootGuest';
import { need } from '../support/need';
import { getVscode } from '../support/vscode/install';
import { CHROMIUM, openWorkbench, type Workbench } from '../support/vscode/workbench';

const project = resolve(__dirname, '../../..');

async function until(what: string, happened: () => boolean): Promise<void> {
  for (let tries = 0; !happened(); tries++) {
    assert.ok(tries < 600, what);
    await sleep(100);
  }
}

describe('a window that goes while a request is held', function () {
  this.timeout(180_000);
  let scratch: string;
  let shared: string;
  let share: ChildProcess;
  let workbench: Workbench;
  let page: Page;

  before(async function () {
    need(this, 'a browser', existsSync(CHROMIUM), `no ${CHROMIUM}`);
    await needGuests(this);
  });

  const text = (name: string): string | undefined =>
    existsSync(join(shared, name)) ? readFileSync(join(shared, name), 'utf8') : undefined;

  beforeEach(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'virtiofs-reload-'));
    shared = join(scratch, 'shared');
    const workspace = join(scratch, 'project');
    mkdirSync(shared);
    mkdirSync(join(workspace, '.vscode'), { recursive: true });
    writeFileSync(join(shared, 'notes'), 'notes of the host\n');
    // The share is nobody's in VS Code: only its debugger goes.
    const work = 'touch up; while ! [ -e go ]; do sleep 0.1; done; cat notes >copy';
    share = spawn(
      process.execPath,
      [join(project, 'dist/cli.js'), 'share', shared, '--guest', 'uml', '--command', work],
      { stdio: 'ignore' },
    );
    const attach = { type: 'virtiofs', request: 'attach', name: 'the share', share: shared };
    writeFileSync(
      join(workspace, '.vscode/launch.json'),
      JSON.stringify({ version: '0.2.0', configurations: [attach] }),
    );
    await until('the guest is up', () => text('up') !== undefined);
    workbench = await openWorkbench({ server: await getVscode(), workspace, extensions: [project], alone: false });
    ({ page } = workbench);
    page.setDefaultTimeout(30_000);
    await page.locator('.explorer-folders-view').waitFor({ timeout: 60_000 });
  });

  afterEach(async () => {
    await workbench?.close();
    share?.kill('SIGKILL');
    rmSync(scratch, { recursive: true, force: true });
  });

  /** Opens the opcodes, sets a breakpoint on OPEN, attaches, and lets the guest come to it. */
  async function hold(): Promise<void> {
    const title = 'Virtio-FS: Show FUSE Opcodes';
    const found = page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first();
    // Commands of extensions come a moment after the workbench.
    for (let turn = 0; turn < 20 && !(await found.isVisible()); turn++) {
      await page.keyboard.press('Escape');
      await page.keyboard.press('F1');
      await page.locator('.quick-input-widget input').first().fill(`>${title}`);
      await found.waitFor({ timeout: 1500 }).catch(() => undefined);
    }
    await page.keyboard.press('Enter');
    await page.locator('.monaco-editor .view-line', { hasText: 'Opens a file' }).first().click();
    await page.keyboard.press('F9');
    await page.keyboard.press('Control+Shift+D');
    await page.keyboard.press('F5');
    await page.locator('.debug-pane .monaco-list-row', { hasText: 'queue 1' }).first().waitFor();
    writeFileSync(join(shared, 'go'), '');
    await page.locator('.debug-pane .monaco-list-row', { hasText: 'entry' }).first().waitFor();
    assert.equal(text('copy'), '', 'the guest waits for its open');
  }

  for (const [how, go] of [
    ['reloaded', () => page.reload({ waitUntil: 'domcontentloaded' })],
    ['closed', () => page.close({ runBeforeUnload: true })],
  ] as const) {
    it(`lets go of it: ${how}`, async () => {
      await hold();
      await go();
      assert.equal((await exited(share)).code, 0);
      assert.equal(text('copy'), 'notes of the host\n');
    });
  }
});
