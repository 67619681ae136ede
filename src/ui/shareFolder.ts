/**
 * "Share Folder into VM": which folder, how, and then the launcher in a terminal. The choices are one quick pick away
 * and are remembered for the workspace.
 */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { trouble } from '../base/catalogue';
import { chooseOptions } from './chooseOptions';
import { ControlHost } from './controlHost';
import { findNode } from './findNode';
import { followLaunch } from './followLaunch';
import {
  DEFAULT_OPTIONS,
  type LaunchOptions,
  type Profile,
  captureBeside,
  checkDaxWindows,
  freeTag,
  readOptions,
  readProfiles,
  summary,
} from './launchOptions';
import { showInformation } from './messages';
import { checkShareable } from './preflight';
import { checkSettings, givenOptions, type OptionSettings, profileTrouble } from './refusedOptions';
import type { LaunchPlan, SharedVm } from './sharedVm';
import { type Studio, surroundings } from './studio';
import { shownPath } from './shownPath';

const REMEMBERED = 'virtiofs.launchOptions';
const RECENT = 'virtiofs.recentFolders';
const MOST_RECENT = 5;

interface FolderItem extends vscode.QuickPickItem {
  readonly folder?: vscode.Uri;
  readonly profile?: Profile;
}

const gear: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('settings-gear'),
  tooltip: 'Choose guest, cache mode, read-only, … first',
};

function optionSettings(): OptionSettings {
  const settings = vscode.workspace.getConfiguration('virtiofs');
  const [guest, dax, daxPolicy, daxMount, daemonArgs] = [
    ...['guest', 'dax.size', 'dax.policy', 'dax.mount', 'daemonArgs'],
  ].map((name) => settings.get<unknown>(name));
  return { guest, dax, daxPolicy, daxMount, daemonArgs };
}

const remembered = (studio: Studio): Partial<LaunchOptions> =>
  readOptions(studio.memory.get(REMEMBERED), workspaceBase()).options;

/** The choices made last in this workspace, over the settings, over the defaults: to be shown. */
function usualOptions(studio: Studio): LaunchOptions {
  const set = readOptions(optionSettings(), workspaceBase()).options;
  return { ...DEFAULT_OPTIONS, ...set, ...remembered(studio) };
}

/** Those to start with, with `given` before them all. Throws a Trouble where a setting asks for what cannot be. */
export function startOptions(studio: Studio, given: Partial<LaunchOptions> = {}): LaunchOptions {
  checkSettings(optionSettings(), { ...remembered(studio), ...given });
  return { ...usualOptions(studio), ...given };
}

export function workspaceBase(): string {
  return vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri.fsPath ?? '/';
}

function profiles(): Profile[] {
  return readProfiles(vscode.workspace.getConfiguration('virtiofs').get('profiles'), workspaceBase());
}

/** What it leaves out is as by default, not as settings have it. */
const profileOptions = ({ options }: Profile): LaunchOptions => ({ ...DEFAULT_OPTIONS, ...options });

function profileRow(profile: Profile, { name, uri }: vscode.WorkspaceFolder): FolderItem {
  const bad = profile.faults.length > 0;
  return {
    label: `$(${bad ? 'warning' : 'vm'}) ${profile.name}`,
    description: `${name}, ${bad ? `cannot start with this ${profile.faults.join(', ')}` : summary(profileOptions(profile))}`,
    profile,
    folder: uri,
    buttons: [gear],
  };
}

/** Resolves to what was chosen, and whether its options are wanted first; undefined for nothing. */
async function chooseFolder(studio: Studio): Promise<{ item: FolderItem; options: boolean } | undefined> {
  const separator = (label: string): FolderItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const row = (folder: vscode.Uri, name: string): FolderItem => ({
    label: `$(folder) ${name}`,
    description: shownPath(dirname(folder.fsPath)),
    folder,
    buttons: [gear],
  });
  const open = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  const recent = studio.memory
    .get<unknown[]>(RECENT, [])
    .filter((path): path is string => typeof path === 'string')
    .map((path) => vscode.Uri.file(path))
    .filter(({ fsPath }) => !open.some(({ uri }) => uri.fsPath === fsPath));
  const named = profiles();
  const items: FolderItem[] = [
    ...(open.length > 0 ? [separator('in this workspace')] : []),
    ...open.map(({ uri, name }) => row(uri, name)),
    ...(recent.length > 0 ? [separator('shared lately')] : []),
    ...recent.map((uri) => row(uri, basename(uri.fsPath) || '/')),
    ...(named.length > 0 && open.length > 0 ? [separator('profiles')] : []),
    ...(open.length > 0 ? named : []).map((profile) => profileRow(profile, open[0])),
    separator(''),
    { label: '$(folder-opened) Browse…', description: 'any folder of this machine', buttons: [gear] },
  ];
  const pick = vscode.window.createQuickPick<FolderItem>();
  pick.title = 'Share Folder into VM';
  pick.placeholder = `Folder to share (${summary(usualOptions(studio))})`;
  pick.items = items;
  pick.buttons = [gear];
  pick.matchOnDescription = true;
  try {
    return await new Promise((resolve) => {
      pick.onDidAccept(() => resolve(pick.activeItems[0] && { item: pick.activeItems[0], options: false }));
      pick.onDidTriggerItemButton(({ item }) => resolve({ item, options: true }));
      pick.onDidTriggerButton(() => resolve(pick.activeItems[0] && { item: pick.activeItems[0], options: true }));
      pick.onDidHide(() => resolve(undefined));
      pick.show();
    });
  } finally {
    pick.dispose();
  }
}

export async function browseFolder(title: string, label: string): Promise<vscode.Uri | undefined> {
  const picked = await vscode.window.showOpenDialog({
    canSelectFiles: false,
    canSelectFolders: true,
    openLabel: label,
    title,
    defaultUri: vscode.Uri.file(workspaceBase()),
  });
  return picked?.[0];
}

/** Throws a Trouble where it cannot be shared from here. */
async function checked(studio: Studio, folder: vscode.Uri): Promise<string> {
  await checkShareable(surroundings(studio), folder);
  return folder.fsPath;
}

async function remember(studio: Studio, folder: string, options?: LaunchOptions): Promise<void> {
  const recent = [folder, ...studio.memory.get<unknown[]>(RECENT, []).filter((one) => one !== folder)];
  await studio.memory.update(RECENT, recent.slice(0, MOST_RECENT));
  // Extra folders and capture files belong to one folder: they are asked for anew each time. Words for the daemon are
  // not asked for, so that a setting which changes is not held up by what it was.
  if (options !== undefined)
    await studio.memory.update(REMEMBERED, { ...options, shares: [], capture: '', daemonArgs: undefined });
}

/** Starts a launcher for `plan`. Throws a Trouble when that is impossible. */
export async function launch(studio: Studio, plan: LaunchPlan): Promise<SharedVm> {
  checkDaxWindows(plan.options);
  const setting = vscode.workspace.getConfiguration('virtiofs').get('nodePath', '');
  const node = await findNode(setting, process.execPath);
  const cli = join(studio.extensionPath, 'dist', 'cli.js');
  await stat(cli).catch(() => {
    throw trouble('programMissing', cli);
  });
  const host = await ControlHost.open();
  const vm = studio.vms.start(plan, { ...node, cli }, host);
  studio.log.info(`starting ${vm.name}: ${summary(plan.options)}`);
  followLaunch(studio, vm);
  vm.terminal.show();
  return vm;
}

/**
 * The command. `clicked`: the folder of the Explorer's context menu, `selected` all that are selected there. Options
 * are asked for first where `ask`; `given` are those of a caller that knows them.
 */
export async function shareFolder(
  studio: Studio,
  {
    clicked,
    selected,
    ask,
    given,
  }: {
    clicked?: vscode.Uri | undefined;
    selected?: readonly vscode.Uri[] | undefined;
    ask: boolean;
    given?: unknown;
  },
): Promise<SharedVm | undefined> {
  let folder = clicked;
  let wantsOptions = ask;
  let profile: Profile | undefined;
  if (folder === undefined) {
    const chosen = await chooseFolder(studio);
    if (chosen === undefined) return undefined;
    wantsOptions ||= chosen.options;
    folder = chosen.item.folder ?? (await browseFolder('Folder to share into a virtual machine', 'Share'));
    if (folder === undefined) return undefined;
    ({ profile } = chosen.item);
  }
  const bad = profile && profileTrouble(profile);
  if (bad) throw bad;
  let options = profile ? profileOptions(profile) : startOptions(studio, givenOptions(given, workspaceBase()));
  const path = await checked(studio, folder);
  const more = (selected ?? []).filter((one) => one.fsPath !== path);
  for (const one of more) {
    const directory = await checked(studio, one);
    const taken = [options.tag, ...options.shares.map(({ tag }) => tag)];
    options = { ...options, shares: [...options.shares, { folder: directory, tag: freeTag(directory, taken) }] };
  }
  const chosen = wantsOptions ? await chooseOptions(path, options, 'Start') : options;
  if (chosen === undefined) return undefined;
  await remember(studio, path, wantsOptions ? chosen : undefined);
  return launch(studio, { folder: path, options: chosen });
}

/** "Share Another Folder": into the next boot of a VM that runs. */
export async function shareAnother(studio: Studio, vm: SharedVm, folder?: vscode.Uri): Promise<void> {
  const chosen = folder ?? (await browseFolder(`Another folder for ${vm.name}`, 'Share'));
  if (chosen === undefined) return;
  const path = await checked(studio, chosen);
  const { folder: first, options } = vm.nextPlan;
  const tag = freeTag(path, [options.tag, ...options.shares.map((share) => share.tag)]);
  vm.plans({ folder: first, options: { ...options, shares: [...options.shares, { folder: path, tag }] } });
  await offerRestart(studio, vm, `${path} will be at /mnt/${tag} when ${vm.name} boots next.`);
}

/** "Change Options": for the next boot. */
export async function changeOptions(studio: Studio, vm: SharedVm): Promise<void> {
  const { folder, options } = sparingPlan(vm);
  const chosen = await chooseOptions(folder, options, 'Restart with These');
  if (chosen === undefined) return;
  await remember(studio, folder, chosen);
  vm.plans({ folder, options: chosen });
  await boot(studio, vm);
}

/** For its next boot. A capture that was cut is the only one of its time, and is not written over so easily. */
function sparingPlan({ nextPlan, captureIsCut }: SharedVm): LaunchPlan {
  const { options } = nextPlan;
  return captureIsCut ? { ...nextPlan, options: { ...options, capture: captureBeside(options.capture) } } : nextPlan;
}

async function offerRestart(studio: Studio, vm: SharedVm, text: string): Promise<void> {
  const now = 'Restart Now';
  if ((await showInformation(text, now)) === now) await restart(studio, vm);
}

/** Boots it anew: in its terminal while its launcher lives, else in a new one. */
export async function restart(studio: Studio, vm: SharedVm): Promise<void> {
  vm.plans(sparingPlan(vm));
  await boot(studio, vm);
}

async function boot(studio: Studio, vm: SharedVm): Promise<void> {
  if (vm.isUp) {
    vm.terminal.show(true);
    await vm.restart();
    return;
  }
  const plan = vm.nextPlan;
  studio.vms.dismiss(vm);
  await checked(studio, vscode.Uri.file(plan.folder));
  await launch(studio, plan);
}
