import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { Trouble, type TroubleCode } from '../../src/base/catalogue';
import { checkShareable } from '../../src/ui/preflight';

describe('checkShareable', () => {
  const good = { platform: 'linux', arch: 'x64', trusted: true, extensionPath: resolve(__dirname, '../../..') };
  const folder = { scheme: 'file', fsPath: tmpdir() };
  const refuses = (around: typeof good, which: typeof folder, code: TroubleCode) =>
    assert.rejects(checkShareable(around, which), (error) => error instanceof Trouble && error.code === code);

  it('has nothing against a folder on Linux in a trusted workspace', () => checkShareable(good, folder));

  it('refuses other systems, with a way to go on', () => refuses({ ...good, platform: 'darwin' }, folder, 'notLinux'));

  it('refuses where the package has no native part', () =>
    refuses({ ...good, extensionPath: tmpdir() }, folder, 'nativePartMissing'));

  it('starts nothing from a workspace that is not trusted', () =>
    refuses({ ...good, trusted: false }, folder, 'workspaceUntrusted'));

  it('refuses what is no folder of this machine', async () => {
    await refuses(good, { ...folder, fsPath: '/nonexistent' }, 'folderMissing');
    await refuses(good, { ...folder, fsPath: process.execPath }, 'folderMissing');
    await refuses(good, { ...folder, scheme: 'vscode-vfs' }, 'folderMissing');
  });
});
