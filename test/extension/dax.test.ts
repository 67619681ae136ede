import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { Insides } from '../../src/extension';
import type { Views } from '../../src/ui/views';
import { CaptureBuilder } from '../trace/captureBuilder';
import { sampleWindow } from '../workbench/sampleWindow';

async function until(what: string, happened: () => boolean, seconds = 20): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!happened()) {
    if (Date.now() > end) assert.fail(`not within ${seconds} s: ${what}`);
    await sleep(50);
  }
}

describe('the DAX Window view', () => {
  let views: Views;
  let folder: string;

  before(async function () {
    this.timeout(60_000);
    const extension = vscode.extensions.getExtension<Insides>('virtiofs-studio.virtiofs-studio');
    assert.ok(extension);
    views = await (await extension.activate()).views();
    folder = mkdtempSync(join(tmpdir(), 'virtiofs-dax-'));
  });

  after(async () => {
    for (const capture of [...views.captures.all]) views.captures.close(capture);
    rmSync(folder, { recursive: true, force: true });
  });

  it('is not loaded before there is a window', async () => {
    const path = join(folder, 'without.fuse.pcapng');
    writeFileSync(path, new CaptureBuilder().init().bytes());
    views.captures.openFile(path);
    await sleep(300);
    assert.equal(views.dax.model, undefined);
  });

  it('opens on a capture with a window', async function () {
    this.timeout(60_000);
    const path = join(folder, 'window.fuse.pcapng');
    writeFileSync(path, sampleWindow(64));
    await views.captures.openFile(path).done;
    await until('the view', () => {
      void vscode.commands.executeCommand('virtiofs.dax.focus');
      return views.dax.model !== undefined;
    });
    await views.dax.follower?.catchUp();
  });

  it('takes nothing from its page that is no message', () => {
    for (const message of [null, 'ready', { kind: 'run', command: 'x' }, { kind: 'file', nodeid: '1 || true' }]) {
      assert.equal(views.dax.take(message), false);
    }
    assert.equal(views.dax.take({ kind: 'at', time: -1 }), true);
    assert.equal(views.dax.take({ kind: 'reveal', request: 2 ** 40, where: 'timeline' }), true);
  });

  it('shows the requests of a file', async () => {
    for (const nodeid of ['10', '1152921504606846977']) {
      assert.equal(views.dax.take({ kind: 'file', nodeid }), true);
      await until('a filter', () => views.requests.model.filter?.text === `nodeid == ${nodeid}`);
    }
    await vscode.commands.executeCommand('virtiofs.requests.clearFilter');
  });
});
