/**
 * What the suites look at from outside of the extension: processes, sockets, and its own parts as it hands them out.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { LauncherFacts } from '../../src/control/launcher';
import { runningShares } from '../../src/control/runningShares';
import type { Insides } from '../../src/extension';
import type { SharedVm } from '../../src/ui/sharedVm';

export const ID = 'virtiofs-studio.virtiofs-studio';

export function extension(): vscode.Extension<Insides> {
  const found = vscode.extensions.getExtension<Insides>(ID);
  assert.ok(found);
  return found;
}

export const insides = (): Promise<Insides> => Promise.resolve(extension().activate());

/** The folder `sample` of the workspace, which has hello.txt. */
export const sample = (): vscode.Uri => vscode.Uri.joinPath((vscode.workspace.workspaceFolders ?? [])[0].uri, 'sample');

/** Processes that name `text` on their command line. */
export function processesNaming(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return ''; // it has just ended
      }
    })
    .filter((line) => line.includes(text));
}

export async function until(
  what: string,
  seconds: number,
  happened: () => boolean,
  hopeless: () => string | undefined = () => undefined,
): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!happened()) {
    const why = hopeless();
    if (why !== undefined) assert.fail(`${what}: ${why}`);
    if (Date.now() > end) assert.fail(`not within ${seconds} s: ${what}`);
    await sleep(100);
  }
}

/** Shares `folder` with these choices, in a UML guest unless they say otherwise. */
export async function share(given: Record<string, unknown> = {}, folder = sample()): Promise<SharedVm> {
  const options = { guest: 'uml', ...given };
  const vm = await vscode.commands.executeCommand<SharedVm>('virtiofs.shareFolder', folder, [], options);
  assert.ok(vm, 'nothing was started');
  return vm;
}

export function isUp(vm: SharedVm): Promise<void> {
  return until(
    'the guest is up',
    150,
    () => vm.isUp,
    () => {
      const { state } = vm;
      return state.kind === 'failed'
        ? `${state.text}\n${state.remedy}`
        : state.kind === 'gone'
          ? 'it is gone'
          : undefined;
    },
  );
}

function processesOf({ launcher, guest, shares }: LauncherFacts): string[] {
  const pids = [launcher, guest.pid, ...shares.map(({ daemon }) => daemon.pid)];
  return pids.filter((pid) => existsSync(`/proc/${pid}`)).map((pid) => `process ${pid}`);
}

function foldersOf({ guest }: LauncherFacts): string[] {
  const folders = [...guest.argv.join(' ').matchAll(/[^\s=,:]*\/virtiofs-studio-[A-Za-z0-9]{6}(?=\/)/g)];
  assert.ok(folders.length > 0, 'no temporary folder on the command line of the guest');
  return folders.map(([folder]) => folder);
}

/** What must be gone when the VM has ended: its processes, its sockets, its temporary folder. */
export function belongings(vm: SharedVm): () => string[] {
  const { facts } = vm;
  assert.ok(facts);
  const sockets = facts.shares.flatMap(({ captureSocket, countersSocket }) => [captureSocket, countersSocket]);
  const files = [...sockets, ...foldersOf(facts)];
  return () => [...processesOf(facts), ...files.filter((file) => existsSync(file))];
}

/**
 * What of a VM could disturb the next one: its processes, the launcher's also before that has said anything, and the
 * shares that others find. Sockets are not counted: a daemon that a test has killed leaves them.
 */
function remains({ facts, terminal }: SharedVm): string[] {
  const { shellArgs = [] } = terminal.creationOptions as vscode.TerminalOptions;
  const launchers = processesNaming(`--control ${shellArgs[shellArgs.indexOf('--control') + 1]}`);
  if (facts === undefined) return launchers;
  const shares = facts.shares.flatMap(({ daemon, captureSocket }) =>
    runningShares(dirname(captureSocket)).filter(({ pid }) => pid === daemon.pid),
  );
  return [
    ...launchers,
    ...processesOf(facts),
    ...shares.map(({ tag }) => `share ${tag}`),
    ...foldersOf(facts).filter((folder) => existsSync(folder)),
  ];
}

export async function nothingLeft(left: () => string[]): Promise<void> {
  await until('nothing is left behind', 20, () => left().length === 0).catch(() => assert.deepEqual(left(), []));
}

/**
 * Has those closed that are there; true when none is. No process ids are waited for: VS Code never settles that of a
 * terminal that was disposed before it had a process. Nor is once enough: where such a one was the first to be shown,
 * the panel comes up empty and opens a shell of its own.
 */
function noTerminals(): boolean {
  for (const terminal of vscode.window.terminals) terminal.dispose();
  return vscode.window.terminals.length === 0;
}

/** Ends what a test may have left, and waits until it is gone, so that the next one starts afresh. */
export async function endAll(): Promise<void> {
  const { vms } = await insides();
  const ending = [...vms.all];
  for (const vm of ending) vms.dismiss(vm);
  await until('all terminals are closed', 10, noTerminals);
  await nothingLeft(() => ending.flatMap(remains));
  await vscode.commands.executeCommand('notifications.clearAll');
}
