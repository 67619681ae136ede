import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';

const ID = 'virtiofs-studio.virtiofs-studio';

describe('the extension in VS Code', () => {
  const folder = () => vscode.Uri.joinPath((vscode.workspace.workspaceFolders ?? [])[0].uri, 'sample');

  afterEach(async () => {
    for (const terminal of vscode.window.terminals) {
      // One that has not started yet would stay in the list.
      await terminal.processId;
      terminal.dispose();
    }
    while (vscode.window.terminals.length > 0) await sleep(50);
  });

  it('sleeps until it is asked, then wakes quickly', async () => {
    const extension = vscode.extensions.getExtension(ID);
    assert.ok(extension);
    assert.equal(extension.isActive, false);
    const started = performance.now();
    await extension.activate();
    const took = performance.now() - started;
    assert.ok(took < 1000, `activation took ${took.toFixed(0)} ms`);
  });

  it('has its command', async () => {
    assert.ok((await vscode.commands.getCommands(true)).includes('virtiofs.shareFolder'));
  });

  it('shares the clicked folder in a terminal', async () => {
    const terminal = await vscode.commands.executeCommand<vscode.Terminal>('virtiofs.shareFolder', folder());
    assert.ok(vscode.window.terminals.includes(terminal));
    assert.equal(terminal.name, 'VM: sample');
    const { shellArgs = [] } = terminal.creationOptions as vscode.TerminalOptions;
    const cli = join(vscode.extensions.getExtension(ID)?.extensionPath ?? '', 'dist/cli.js');
    assert.deepEqual(shellArgs.slice(-5), [cli, 'share', '--guest', 'qemu', folder().fsPath]);
    assert.ok(await terminal.processId);
  });

  it('shares the only workspace folder when none is clicked', async () => {
    const terminal = await vscode.commands.executeCommand<vscode.Terminal>('virtiofs.shareFolder');
    const { shellArgs = [] } = terminal.creationOptions as vscode.TerminalOptions;
    assert.equal(shellArgs.at(-1), vscode.workspace.workspaceFolders?.[0].uri.fsPath);
  });

  it('opens no terminal for what is no folder, and none with a Node.js that is not there', async () => {
    const missing = vscode.Uri.joinPath(folder(), 'missing');
    assert.equal(await vscode.commands.executeCommand('virtiofs.shareFolder', missing), undefined);
    const elsewhere = vscode.Uri.parse('memfs:/sample');
    assert.equal(await vscode.commands.executeCommand('virtiofs.shareFolder', elsewhere), undefined);

    const settings = vscode.workspace.getConfiguration('virtiofs');
    await settings.update('nodePath', '/nonexistent/node', vscode.ConfigurationTarget.Global);
    try {
      assert.equal(await vscode.commands.executeCommand('virtiofs.shareFolder', folder()), undefined);
    } finally {
      await settings.update('nodePath', undefined, vscode.ConfigurationTarget.Global);
    }
    assert.equal(vscode.window.terminals.length, 0);
  });
});
