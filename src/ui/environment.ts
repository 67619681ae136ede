/**
 * "Check Environment": what `doctor` finds, as a list with the fix beside each finding, and a button that does it or
 * copies it. Runs only this extension's own command line, in its own folder.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { type Finding, parseFindings } from '../control/findings';
import { trouble } from '../base/catalogue';
import { findNode } from './findNode';
import { telling } from './followLaunch';
import { showError, showInformation, showWarning } from './messages';
import { remedyHere } from './remedyHere';
import type { Studio } from './studio';

interface FindingItem extends vscode.QuickPickItem {
  readonly finding?: Finding;
}

const LIMIT_MS = 120_000;

const marks = {
  ok: new vscode.ThemeIcon('pass', new vscode.ThemeColor('testing.iconPassed')),
  warning: new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground')),
  missing: new vscode.ThemeIcon('error', new vscode.ThemeColor('list.errorForeground')),
} as const;

const runIt: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('play'), tooltip: 'Do it in a terminal' };
const copyIt: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('copy'), tooltip: 'Copy' };
const again: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon('refresh'), tooltip: 'Check again' };
const copyAll: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('clippy'),
  tooltip: 'Copy everything, for a bug report',
};

async function doctor(studio: Studio): Promise<Finding[]> {
  const setting = vscode.workspace.getConfiguration('virtiofs').get('nodePath', '');
  const { program, env } = await findNode(setting, process.execPath);
  const cli = join(studio.extensionPath, 'dist', 'cli.js');
  const options = { cwd: studio.extensionPath, env: { ...process.env, ...env }, timeout: LIMIT_MS };
  const { output, said } = await new Promise<{ output: string; said: string }>((resolve) => {
    // Its exit code is 3 when something is missing: the output says what.
    execFile(program, [cli, 'doctor', '--json'], options, (_error, stdout, stderr) =>
      resolve({ output: stdout, said: stderr }),
    );
  });
  const findings = parseFindings(output);
  if (findings === undefined)
    throw trouble('unexpected', `the check of the environment failed: ${said.slice(0, 2000)}`);
  return findings.map((finding) =>
    finding.fix === undefined || finding.command !== undefined ? finding : { ...finding, fix: remedyHere(finding.fix) },
  );
}

/** Resolves to what was found, once the list is shown. */
export async function checkEnvironment(studio: Studio): Promise<readonly Finding[]> {
  const pick = vscode.window.createQuickPick<FindingItem>();
  pick.title = 'Virtio-FS: this machine';
  pick.ignoreFocusOut = true;
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  pick.buttons = [copyAll, again];
  pick.onDidHide(() => pick.dispose());
  let findings: Finding[] = [];
  const look = async (): Promise<void> => {
    pick.busy = true;
    pick.placeholder = 'Looking at this machine…';
    findings = await doctor(studio);
    pick.busy = false;
    const missing = findings.filter(({ verdict }) => verdict === 'missing').length;
    const notes = findings.filter(({ verdict }) => verdict === 'warning').length;
    pick.placeholder =
      missing > 0
        ? `${missing} missing: without it no guest runs here`
        : notes > 0
          ? `Ready. ${notes} ${notes === 1 ? 'note' : 'notes'}: guests run, some things could be better`
          : 'Ready: everything is there';
    pick.items = rows(findings);
  };
  pick.onDidTriggerButton((button) => {
    if (button === again) void telling(look).finally(() => (pick.busy = false));
    else void copy(report(findings), 'The findings are copied.');
  });
  pick.onDidTriggerItemButton(({ item, button }) => {
    if (item.finding !== undefined) act(studio, item.finding, button === copyIt);
  });
  pick.onDidAccept(() => {
    const finding = pick.activeItems[0]?.finding;
    if (finding !== undefined) void explain(studio, finding);
  });
  pick.show();
  try {
    await look();
  } catch (error) {
    pick.dispose();
    throw error;
  }
  return findings;
}

/** What is missing first, then notes, then what is well. */
function rows(findings: readonly Finding[]): FindingItem[] {
  const group = (verdict: Finding['verdict'], title: string): FindingItem[] => {
    const items = findings.filter((finding) => finding.verdict === verdict).map(row);
    return items.length === 0 ? [] : [{ label: title, kind: vscode.QuickPickItemKind.Separator }, ...items];
  };
  return [...group('missing', 'missing'), ...group('warning', 'notes'), ...group('ok', 'as it should be')];
}

function row(finding: Finding): FindingItem {
  const { subject, verdict, found, fix, command } = finding;
  return {
    label: subject,
    description: found,
    iconPath: marks[verdict],
    ...(fix === undefined ? {} : { detail: fix }),
    buttons: fix === undefined ? [] : command === undefined ? [copyIt] : [runIt, copyIt],
    finding,
  };
}

/** The whole of a finding, whose row may be too narrow for it. */
async function explain(studio: Studio, finding: Finding): Promise<void> {
  const { subject, verdict, found, fix, command } = finding;
  const doIt = 'Do It in a Terminal';
  const actions = [...(command === undefined ? [] : [doIt]), ...(fix === undefined ? [] : ['Copy'])];
  const text = `${subject}: ${found}${fix === undefined ? '' : `. ${fix}`}`;
  const show = verdict === 'ok' ? showInformation : verdict === 'warning' ? showWarning : showError;
  const chosen = await show(text, ...actions);
  if (chosen !== undefined) act(studio, finding, chosen === 'Copy');
}

function act(studio: Studio, { fix = '', command }: Finding, copying: boolean): void {
  if (copying || command === undefined) {
    void copy(command ?? fix, 'Copied.');
    return;
  }
  const terminal = vscode.window.createTerminal({ name: 'Virtio-FS: fix', cwd: studio.extensionPath });
  terminal.show();
  // Typed, not run: it may ask for a password or change the machine, so Enter is the person's.
  terminal.sendText(command, false);
}

function report(findings: readonly Finding[]): string {
  return findings
    .map(
      ({ subject, verdict, found, fix }) =>
        `${verdict.padEnd(8)} ${subject}: ${found}${fix ? `\n         ${fix}` : ''}`,
    )
    .join('\n');
}

async function copy(text: string, told: string): Promise<void> {
  await vscode.env.clipboard.writeText(text);
  vscode.window.setStatusBarMessage(told, 3000);
}
