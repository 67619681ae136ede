/** What the debugger's commands do. */
import * as vscode from 'vscode';
import { trouble } from '../../base/catalogue';
import type { RunningShare } from '../../control/runningShares';
import { debugSocketOf, runningShares } from '../../control/runningShares';
import { shownPath } from '../shownPath';
import type { Studio } from '../studio';
import { attachTo, TYPE } from './configurations';
import { opcodesUri } from './documents';

/** "Debug Share": the one given, the only one, or the one that is picked. One that is debugged here is shown. */
export async function debugShare(
  { debugged }: Studio,
  given: Pick<RunningShare, 'tag' | 'pid' | 'directory'> | undefined,
): Promise<boolean> {
  const share = given ?? (await pickShare());
  if (share === undefined) return false;
  const already = [...debugged.values()].includes(debugSocketOf(share.pid));
  return already ? showDebugger() : start(undefined, attachTo(share));
}

/** VS Code opens the view by itself at a breakpoint, and at nothing else. */
async function showDebugger(): Promise<true> {
  await vscode.commands.executeCommand('workbench.view.debug');
  return true;
}

async function start(
  folder: vscode.WorkspaceFolder | undefined,
  configuration: vscode.DebugConfiguration,
): Promise<boolean> {
  return (await vscode.debug.startDebugging(folder, configuration)) && showDebugger();
}

async function pickShare(): Promise<RunningShare | undefined> {
  const shares = runningShares();
  if (shares.length === 0) throw trouble('noVm');
  if (shares.length === 1) return shares[0];
  const items = shares.map((share) => ({
    label: `$(folder-active) ${share.tag}`,
    description: shownPath(share.directory),
    share,
  }));
  return (await vscode.window.showQuickPick(items, { title: 'Debug which share?' }))?.share;
}

/** "Debug this Capture": a file, or the one in the active editor, or the one that is picked. */
export async function debugCapture(given: vscode.Uri | undefined): Promise<boolean> {
  const capture = given ?? (await pickCapture());
  if (capture === undefined) return false;
  const name = capture.path.slice(capture.path.lastIndexOf('/') + 1);
  return start(vscode.workspace.getWorkspaceFolder(capture), {
    type: TYPE,
    request: 'launch',
    name: `Debug ${name}`,
    capture: capture.fsPath,
  });
}

async function pickCapture(): Promise<vscode.Uri | undefined> {
  const picked = await vscode.window.showOpenDialog({
    canSelectMany: false,
    openLabel: 'Debug Capture',
    filters: { 'FUSE captures': ['pcapng'] },
  });
  return picked?.[0];
}

export async function showOpcodes(): Promise<void> {
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(opcodesUri));
}
