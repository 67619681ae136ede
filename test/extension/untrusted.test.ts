/** Runs in a window of its own, whose workspace is not trusted and brings settings that nobody should follow. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Finding } from '../../src/control/findings';
import { CaptureBuilder } from '../trace/captureBuilder';
import { insides, sample, until } from './machine';

describe('in a workspace that is not trusted', () => {
  const trap = (): string => join(sample().fsPath, '..', 'sprung');

  it('is what this window is', () => assert.equal(vscode.workspace.isTrusted, false));

  it('no guest is started, and no terminal opened', async () => {
    const started = ['virtiofs.shareFolder', 'virtiofs.shareFolderWithOptions'].map((id) =>
      vscode.commands.executeCommand(id, sample()),
    );
    assert.deepEqual(await Promise.all(started), [undefined, undefined]);
    assert.equal(vscode.window.terminals.length, 0);
    assert.equal((await insides()).vms.all.length, 0);
  });

  it('its settings are not followed', () => {
    const settings = vscode.workspace.getConfiguration('virtiofs');
    assert.deepEqual(settings.get('profiles'), []);
    assert.equal(settings.get('guest'), 'qemu');
    assert.equal(settings.get('nodePath'), '');
    assert.deepEqual(settings.get('daemonArgs'), []);
  });

  it('captures open, in the timeline and in the views', async () => {
    const path = join(sample().fsPath, '..', 'some.fuse.pcapng');
    writeFileSync(path, new CaptureBuilder().init().exchange('GETATTR', { nodeid: 1 }).bytes());
    await vscode.commands.executeCommand('vscode.openWith', vscode.Uri.file(path), 'virtiofs.capture');
    const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
    assert.ok(input instanceof vscode.TabInputCustom && input.viewType === 'virtiofs.capture');
    await vscode.commands.executeCommand('virtiofs.requests.openFile', vscode.Uri.file(path));
    const { captures } = await (await insides()).views();
    await until('the end of the file', 10, () => captures.active?.phase === 'ended');
    assert.equal(captures.active?.reader.count, 2);
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
  });

  it('the environment can be checked: only what came with the extension runs', async () => {
    const findings = await vscode.commands.executeCommand<Finding[]>('virtiofs.checkEnvironment');
    await vscode.commands.executeCommand('workbench.action.closeQuickOpen');
    assert.ok(findings.length > 8);
    assert.equal(existsSync(trap()), false);
  });
});
