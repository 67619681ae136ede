/** The extension's entry: construct, register, dispose. What a command does is `ui/`'s business. */
import * as vscode from 'vscode';
import { registerCommands } from './ui/commands';
import { registerDebugger } from './ui/debug/register';
import { LazyViews } from './ui/lazyViews';
import { OutsideShares } from './ui/outsideShares';
import { SharesTree } from './ui/sharesTree';
import { StatusBar } from './ui/statusBar';
import type { Studio } from './ui/studio';
import { registerTimeline } from './ui/timeline/register';
import type { Views } from './ui/views';
import { VirtualMachines } from './ui/virtualMachines';

/** For this project's own tests; nothing here is promised to other extensions. */
export interface Insides {
  /** Milliseconds that `activate` took. */
  readonly activation: number;
  readonly vms: VirtualMachines;
  readonly outside: OutsideShares;
  readonly shares: SharesTree;
  readonly views: () => Promise<Views>;
}

export function activate(context: vscode.ExtensionContext): Insides {
  const began = performance.now();
  const log = vscode.window.createOutputChannel('Virtio-FS', { log: true });
  const vms = new VirtualMachines();
  const outside = new OutsideShares(vms, (why) => log.warn(why));
  const studio: Studio = {
    extensionPath: context.extensionPath,
    vms,
    outside,
    debugged: new Map(),
    log,
    memory: context.workspaceState,
  };
  void vscode.commands.executeCommand('setContext', 'virtiofs.noGuests', process.platform !== 'linux');
  const shares = new SharesTree(studio);
  const view = vscode.window.createTreeView('virtiofs.shares', { treeDataProvider: shares });
  view.onDidChangeVisibility(({ visible }) => shares.show(visible));
  shares.show(view.visible);
  context.subscriptions.push(log, view, shares, outside, new StatusBar(studio), ...registerCommands(studio), vms);
  const views = new LazyViews(context, vms);
  context.subscriptions.push(views, registerTimeline(context), ...registerDebugger(studio));
  return { activation: performance.now() - began, vms, outside, shares, views: () => views.load() };
}
