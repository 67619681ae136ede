/**
 * "Virtio-FS: Share Folder into VM": picks a folder and runs the launcher on it in a terminal. The guest's console is
 * that terminal; closing it ends the guest and the daemon. Knows nothing of how a guest is started.
 */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { Trouble, trouble } from '../base/catalogue';
import { findNode } from './findNode';
import { checkShareable } from './preflight';

/** Runs "$@"; when it fails, its last lines stay to be read. */
const KEEP_OPEN =
  '"$@"; status=$?; ' +
  '[ $status -eq 0 ] || { printf "\\n(ended with exit code %s, press Enter to close) " $status; read -r _; }; ' +
  'exit $status';

/** The folder that was clicked, the workspace's only one, or what the user picks; undefined when they pick none. */
async function chooseFolder(): Promise<vscode.Uri | undefined> {
  const open = vscode.workspace.workspaceFolders ?? [];
  if (open.length === 1) return open[0].uri;
  if (open.length > 1) return (await vscode.window.showWorkspaceFolderPick({ placeHolder: 'Folder to share' }))?.uri;
  const picked = await vscode.window.showOpenDialog({
    canSelectFiles: false,
    canSelectFolders: true,
    openLabel: 'Share',
    title: 'Folder to share into a virtual machine',
  });
  return picked?.[0];
}

async function openTerminal(extensionPath: string, folder: string): Promise<vscode.Terminal> {
  const settings = vscode.workspace.getConfiguration('virtiofs');
  const node = await findNode(settings.get('nodePath', ''), process.execPath);
  const launcher = join(extensionPath, 'dist', 'cli.js');
  await stat(launcher).catch(() => {
    throw trouble('programMissing', launcher);
  });
  const command = [node.program, launcher, 'share', '--guest', settings.get('guest', 'qemu'), folder];
  return vscode.window.createTerminal({
    name: `VM: ${basename(folder) || folder}`,
    iconPath: new vscode.ThemeIcon('vm'),
    shellPath: '/bin/sh',
    shellArgs: ['-c', KEEP_OPEN, 'virtiofs-studio', ...command],
    env: node.env,
    cwd: folder,
    // A guest does not survive the window: never revived with its old text.
    isTransient: true,
  });
}

/** The command. Resolves to the terminal, or undefined when nothing was picked or the user has been told why not. */
export async function shareFolder(extensionPath: string, clicked?: vscode.Uri): Promise<vscode.Terminal | undefined> {
  const folder = clicked ?? (await chooseFolder());
  if (!folder) return undefined;
  try {
    const around = { platform: process.platform, trusted: vscode.workspace.isTrusted };
    await checkShareable(around, folder);
    const terminal = await openTerminal(extensionPath, folder.fsPath);
    terminal.show();
    return terminal;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    // Not awaited: the message stays until it is read, the command has ended.
    void vscode.window.showErrorMessage(`${error.message}. ${error.remedy}`);
    return undefined;
  }
}
