/**
 * The commands, one row each: what a command needs, and what it does. Their titles and menus are in package.json; a
 * test sees to it that both have the same ones.
 *
 * What a row needs is checked before it runs, and told with the catalogue's words when it is not there. What takes more
 * than a few lines is loaded when it is first used.
 */
import * as vscode from 'vscode';
import { trouble } from '../base/catalogue';
import type { ShareFact } from '../control/launcher';
import { telling } from './followLaunch';
import { summary } from './launchOptions';
import { checkGuests } from './preflight';
import type { SharesNode } from './sharesTree';
import type { SharedVm } from './sharedVm';
import { type Studio, surroundings } from './studio';
import { shownPath } from './shownPath';

/** Checked in this order. */
type Need = 'linux' | 'guests' | 'vm' | 'runningVm' | 'share';

interface Row {
  readonly needs: readonly Need[];
  run(target: Target): Promise<unknown>;
}

interface Target {
  readonly studio: Studio;
  /** What VS Code gave with the command. */
  readonly args: readonly unknown[];
  /** There where a row needs 'vm' or 'runningVm'. */
  readonly vm: SharedVm;
  /** There where a row needs 'share'. */
  readonly share: ShareFact;
}

export const commands = {
  'virtiofs.shareFolder': {
    needs: ['guests'],
    run: async ({ studio, args }) => (await sharing()).shareFolder(studio, { ...fromExplorer(args), ask: false }),
  },
  'virtiofs.shareFolderWithOptions': {
    needs: ['guests'],
    run: async ({ studio, args }) => (await sharing()).shareFolder(studio, { ...fromExplorer(args), ask: true }),
  },
  'virtiofs.shareAnotherFolder': {
    needs: ['guests', 'runningVm'],
    run: async ({ studio, vm, args }) => (await sharing()).shareAnother(studio, vm, fromExplorer(args).clicked),
  },
  'virtiofs.changeOptions': {
    needs: ['guests', 'runningVm'],
    run: async ({ studio, vm }) => (await sharing()).changeOptions(studio, vm),
  },
  'virtiofs.restartVm': {
    needs: ['guests', 'vm'],
    run: async ({ studio, vm }) => (await sharing()).restart(studio, vm),
  },
  'virtiofs.stopVm': {
    needs: ['vm'],
    run: async ({ studio, vm }) => (vm.isAlive ? vm.stop() : studio.vms.dismiss(vm)),
  },
  'virtiofs.showConsole': { needs: ['vm'], run: async ({ vm }) => vm.terminal.show() },
  'virtiofs.vmActions': { needs: ['vm'], run: ({ vm }) => chooseAction(vm) },
  'virtiofs.copyMountCommand': { needs: ['share'], run: ({ share }) => copy(share.mountCommand, 'mount command') },
  'virtiofs.copyGuestCommandLine': {
    needs: ['vm'],
    run: async ({ vm }) => copy(line((vm.facts ?? notYet()).guest.argv), 'command line of the guest'),
  },
  'virtiofs.copyDaemonCommandLine': {
    needs: ['share'],
    run: ({ share }) => copy(line(share.daemon.argv), 'command line of the daemon'),
  },
  'virtiofs.revealSharedFolder': {
    needs: ['share'],
    run: async ({ share }) => vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(share.directory)),
  },
  'virtiofs.checkEnvironment': {
    needs: ['linux'],
    run: async ({ studio }) => (await import('./environment.js')).checkEnvironment(studio),
  },
  'virtiofs.openWalkthrough': {
    needs: [],
    run: async () =>
      vscode.commands.executeCommand('workbench.action.openWalkthrough', `${EXTENSION_ID}#virtiofs.start`, false),
  },
  'virtiofs.watchShare': {
    needs: ['linux'],
    run: async ({ args }) => vscode.commands.executeCommand('virtiofs.requests.watch', runningOf(args[0])?.pid),
  },
  'virtiofs.debugShare': {
    needs: ['linux'],
    run: async ({ studio, args }) => (await debugging()).debugShare(studio, runningOf(args[0])),
  },
  'virtiofs.debugCapture': {
    needs: [],
    run: async ({ args }) => (await debugging()).debugCapture(fromExplorer(args).clicked),
  },
  'virtiofs.showOpcodes': { needs: [], run: async () => (await debugging()).showOpcodes() },
  'virtiofs.openCapture': { needs: [], run: () => openCapture() },
  'virtiofs.openSettings': {
    needs: [],
    run: async () => vscode.commands.executeCommand('workbench.action.openSettings', `@ext:${EXTENSION_ID}`),
  },
  'virtiofs.showLog': { needs: [], run: async ({ studio }) => studio.log.show() },
} satisfies Record<string, Row>;

export type CommandId = keyof typeof commands;

const EXTENSION_ID = 'virtiofs-studio.virtiofs-studio';

const sharing = () => import('./shareFolder.js');
const debugging = () => import('./debug/commands.js');

/** Registers every row. */
export function registerCommands(studio: Studio): vscode.Disposable[] {
  return (Object.entries(commands) as [string, Row][]).map(([id, row]) =>
    vscode.commands.registerCommand(id, (...args: unknown[]) =>
      telling(async () => {
        const target = await targetOf(studio, row.needs, args);
        return target === undefined ? undefined : row.run(target);
      }),
    ),
  );
}

/** What a row needs; undefined when the person picked nothing. Throws a Trouble for what is not there. */
async function targetOf(studio: Studio, needs: readonly Need[], args: readonly unknown[]): Promise<Target | undefined> {
  if (needs.includes('linux') && process.platform !== 'linux') throw trouble('notLinux', process.platform);
  if (needs.includes('guests')) checkGuests(surroundings(studio));
  const target: { studio: Studio; args: readonly unknown[]; vm?: SharedVm; share?: ShareFact } = { studio, args };
  if (needs.includes('vm') || needs.includes('runningVm')) {
    const vm = vmOf(args[0]) ?? (await pickVm(studio, needs.includes('runningVm')));
    if (vm === undefined) return undefined;
    if (needs.includes('runningVm') && !vm.isUp) throw trouble('guestNotThere');
    target.vm = vm;
  }
  if (needs.includes('share')) {
    const share = shareOf(args[0]) ?? (await pickShare(studio, vmOf(args[0])));
    if (share === undefined) return undefined;
    target.share = share;
  }
  return target as Target;
}

/** A row of our own view, as VS Code gives it to commands of its menus. */
function nodeOf(value: unknown): SharesNode | undefined {
  return typeof value === 'object' && value !== null && 'kind' in value ? (value as SharesNode) : undefined;
}

function vmOf(value: unknown): SharedVm | undefined {
  const node = nodeOf(value);
  return node !== undefined && 'vm' in node ? node.vm : undefined;
}

function shareOf(value: unknown): ShareFact | undefined {
  const node = nodeOf(value);
  if (node?.kind === 'share') return node.share;
  return undefined;
}

/** A share of this window or of another one, as its daemon's process knows it. */
function runningOf(value: unknown): { tag: string; pid: number; directory: string } | undefined {
  const node = nodeOf(value);
  if (node?.kind === 'outsideShare') return node.share;
  if (node?.kind !== 'share') return undefined;
  const { tag, directory, daemon } = node.share;
  return { tag, directory, pid: daemon.pid };
}

async function pickVm(studio: Studio, running: boolean): Promise<SharedVm | undefined> {
  const vms = studio.vms.all.filter((vm) => !running || vm.isUp);
  if (vms.length === 0) throw trouble('noVm');
  if (vms.length === 1) return vms[0];
  const items = vms.map((vm) => ({ label: `$(vm) ${vm.name}`, description: shownPath(vm.plan.folder), vm }));
  return (await vscode.window.showQuickPick(items, { title: 'Which virtual machine?' }))?.vm;
}

async function pickShare(studio: Studio, vm?: SharedVm): Promise<ShareFact | undefined> {
  const vms = vm === undefined ? studio.vms.all : [vm];
  const items = vms.flatMap((one) =>
    (one.facts?.shares ?? []).map((share) => ({
      label: `$(folder-active) ${share.tag}`,
      description: `${one.name}: ${shownPath(share.directory)}`,
      share,
    })),
  );
  if (items.length === 0) throw trouble('noVm');
  if (items.length === 1) return items[0].share;
  return (await vscode.window.showQuickPick(items, { title: 'Which share?' }))?.share;
}

/** The folder that was clicked, all that are selected with it, and (for callers in code) options. */
function fromExplorer(args: readonly unknown[]): {
  clicked?: vscode.Uri;
  selected?: readonly vscode.Uri[];
  given?: unknown;
} {
  const [clicked, selected, given] = args;
  return {
    ...(clicked instanceof vscode.Uri ? { clicked } : {}),
    ...(Array.isArray(selected) ? { selected: selected.filter((one) => one instanceof vscode.Uri) } : {}),
    given,
  };
}

async function chooseAction(vm: SharedVm): Promise<void> {
  const rows: readonly [icon: string, title: string, id: CommandId, running: boolean][] = [
    ['terminal', 'Show Console', 'virtiofs.showConsole', false],
    ['debug-restart', 'Restart', 'virtiofs.restartVm', false],
    ['settings-gear', 'Change Options…', 'virtiofs.changeOptions', true],
    ['add', 'Share Another Folder…', 'virtiofs.shareAnotherFolder', true],
    ['copy', 'Copy Mount Command', 'virtiofs.copyMountCommand', true],
    ['copy', `Copy ${vm.facts?.kind === 'uml' ? 'Guest' : 'QEMU'} Command Line`, 'virtiofs.copyGuestCommandLine', true],
    ['copy', 'Copy Daemon Command Line', 'virtiofs.copyDaemonCommandLine', true],
    ['debug-stop', vm.isAlive ? 'Stop' : 'Dismiss', 'virtiofs.stopVm', false],
  ];
  const items = rows
    .filter(([, , , running]) => !running || vm.isUp)
    .map(([icon, title, id]) => ({ label: `$(${icon}) ${title}`, id }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: `Virtual machine ${vm.name}`,
    placeHolder: vm.isUp ? summary(vm.plan.options) : 'It is not up',
  });
  if (chosen !== undefined) await vscode.commands.executeCommand(chosen.id, { kind: 'vm', vm } satisfies SharesNode);
}

async function openCapture(): Promise<void> {
  const picked = await vscode.window.showOpenDialog({
    canSelectMany: false,
    openLabel: 'Open Capture',
    filters: { 'FUSE captures': ['pcapng'] },
  });
  if (picked?.[0] !== undefined) await vscode.commands.executeCommand('vscode.open', picked[0]);
}

function notYet(): never {
  throw trouble('guestNotThere');
}

/** As typed into a shell. */
function line(argv: readonly string[]): string {
  return argv
    .map((word) => (/^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}

async function copy(text: string, what: string): Promise<void> {
  await vscode.env.clipboard.writeText(text);
  vscode.window.setStatusBarMessage(`$(copy) The ${what} is copied.`, 3000);
}
