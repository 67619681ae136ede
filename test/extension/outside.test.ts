import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as vscode from 'vscode';
import { endAll, extension, insides, sample, until } from './machine';

describe('shares that were started elsewhere', () => {
  let daemon: ChildProcess | undefined;
  let scratch: string;
  before(async () => (scratch = await mkdtemp(join(tmpdir(), 'virtiofs-outside-'))));
  after(async () => {
    if (daemon?.exitCode === null && daemon.signalCode === null) {
      daemon.kill('SIGTERM');
      await once(daemon, 'exit');
    }
    const { captures } = await (await insides()).views();
    for (const capture of [...captures.all]) captures.close(capture);
    await rm(scratch, { recursive: true });
    await endAll();
  });

  it('are shown as such, with what goes on, and watched from there', async () => {
    const { outside, shares, views } = await insides();
    shares.show(true);
    const bundle = join(extension().extensionPath, 'dist/daemon.js');
    const words = [`--shared-dir=${sample().fsPath}`, `--socket-path=${join(scratch, 'fs.sock')}`, '--tag=theirs'];
    const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
    daemon = spawn(process.execPath, [bundle, ...words], { stdio: 'ignore', env });
    const { pid = 0 } = daemon;
    await until('it is found', 15, () => outside.all.some((share) => share.pid === pid));
    await until('its counters come', 15, () => outside.activity(pid) !== undefined);
    const parent = shares.getChildren().find(({ kind }) => kind === 'outside');
    assert.ok(parent);
    const node = shares.getChildren(parent).find((one) => one.kind === 'outsideShare' && one.share.pid === pid);
    assert.ok(node);
    const item = shares.getTreeItem(node);
    assert.equal(item.label, 'theirs');
    assert.match(String(item.description), /^idle · .*sample$/);
    await vscode.commands.executeCommand('virtiofs.watchShare', node);
    const { captures } = await views();
    assert.equal(captures.active?.title, 'theirs');
    daemon.kill('SIGTERM');
    await until('it goes', 15, () => !outside.all.some((share) => share.pid === pid));
  });
});
