/**
 * The view "Shares": virtual machines, their shares, and of each the daemon, the guest and the queues, with live
 * counters; below them shares that others have started.
 *
 * Refreshes only while it is looked at, and only the rows that have changed.
 */
import * as vscode from 'vscode';
import type { ShareActivity } from '../control/counters';
import { type ProcessFacts, type ShareFact, isServed } from '../control/launcher';
import type { RunningShare } from '../control/runningShares';
import { escapeMarkdown } from './markdown';
import type { SharedVm } from './sharedVm';
import { remedyHere } from './remedyHere';
import { sentence } from './sentence';
import type { Studio } from './studio';
import { shownPath } from './shownPath';
import { shownTime } from './shownTime';

export type SharesNode =
  | { readonly kind: 'vm'; readonly vm: SharedVm }
  | { readonly kind: 'share'; readonly vm: SharedVm; readonly share: ShareFact }
  | { readonly kind: 'guest'; readonly vm: SharedVm }
  | { readonly kind: 'daemon'; readonly id: string; readonly process: ProcessFacts | { readonly pid: number } }
  | { readonly kind: 'queue'; readonly parent: string; readonly index: number; activity(): ShareActivity | undefined }
  | { readonly kind: 'outside' }
  | { readonly kind: 'outsideShare'; readonly share: RunningShare };

/** Counters come each second; a row that changes more seldom can be read. */
const REDRAW_MS = 1900;

const numbers = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** `1,234/s`; slow ones with a decimal; nothing where nothing goes on. */
export function rateText(perSecond: number): string {
  if (perSecond <= 0) return 'idle';
  return perSecond < 10 ? `${perSecond.toFixed(1)}/s` : `${numbers.format(perSecond)}/s`;
}

export function activityText(activity: ShareActivity | undefined): string {
  if (activity === undefined) return '';
  const inFlight = activity.inFlight > 0 ? ` · ${activity.inFlight} in flight` : '';
  return `${rateText(activity.perSecond)}${inFlight}`;
}

const icon = (name: string, colour?: string): vscode.ThemeIcon =>
  new vscode.ThemeIcon(name, colour === undefined ? undefined : new vscode.ThemeColor(colour));

/** Markdown whose facts are text, whatever is in them. */
function tooltip(...lines: readonly (readonly [name: string, fact: string])[]): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString();
  for (const [name, fact] of lines) markdown.appendMarkdown(`**${name}:** ${escapeMarkdown(fact)}\n\n`);
  return markdown;
}

function troubleTooltip(text: string, remedy: string, sign: 'error' | 'warning'): vscode.MarkdownString {
  const [first, ...rest] = text.split('\n');
  const markdown = new vscode.MarkdownString();
  markdown.supportThemeIcons = true;
  markdown.appendMarkdown(`$(${sign}) ${escapeMarkdown(sentence(first, ''))}`);
  if (rest.length > 0) markdown.appendCodeblock(rest.map((line) => line.replace(/^ {2}\| /, '')).join('\n'), 'text');
  return markdown.appendMarkdown(`\n\n$(lightbulb) ${escapeMarkdown(remedyHere(remedy))}`);
}

export class SharesTree implements vscode.TreeDataProvider<SharesNode>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<SharesNode | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly subscriptions: vscode.Disposable[] = [this.changed];
  /** The same element for the same thing, so that one row can be told to have changed. */
  private readonly nodes = new Map<string, SharesNode>();
  /** When rows were last drawn for their counters, and with what. */
  private readonly drawn = new Map<string, { readonly at: number; readonly perSecond: number }>();
  private visible = false;

  constructor(private readonly studio: Studio) {
    const { vms, outside } = studio;
    this.subscriptions.push(
      vms.onDidChange(() => {
        outside.look();
        this.changed.fire(undefined);
      }),
      vms.onDidCount((vm) => {
        for (const { tag } of vm.facts?.shares ?? []) {
          this.refresh(`vm${vm.id}/${tag}`, vm.activity(tag)?.perSecond ?? 0);
        }
      }),
      outside.onDidChange(() => {
        this.tellContext();
        this.changed.fire(undefined);
      }),
      outside.onDidCount((pid) => this.refresh(`outside/${pid}`, outside.activity(pid)?.perSecond ?? 0)),
    );
  }

  /** Whether somebody looks. */
  show(visible: boolean): void {
    this.visible = visible;
    this.studio.outside.watch(visible);
    if (visible) this.changed.fire(undefined);
  }

  dispose(): void {
    this.subscriptions.splice(0).forEach((one) => one.dispose());
  }

  getChildren(node?: SharesNode): SharesNode[] {
    const { vms, outside } = this.studio;
    if (node === undefined) {
      this.nodes.clear();
      this.drawn.clear();
      const own = vms.all.map((vm) => this.keep(`vm${vm.id}`, { kind: 'vm', vm }));
      const others = outside.all.length > 0 ? [this.keep('outside', { kind: 'outside' })] : [];
      return [...own, ...others];
    }
    switch (node.kind) {
      case 'vm':
        return this.childrenOfVm(node.vm);
      case 'share': {
        const { vm, share } = node;
        const id = `vm${vm.id}/${share.tag}`;
        return this.childrenOfShare(id, share.daemon, () => vm.activity(share.tag));
      }
      case 'outside':
        return outside.all.map((share) => this.keep(`outside/${share.pid}`, { kind: 'outsideShare', share }));
      case 'outsideShare': {
        const { pid } = node.share;
        return this.childrenOfShare(`outside/${pid}`, { pid }, () => outside.activity(pid));
      }
      case 'guest':
      case 'daemon':
      case 'queue':
        return [];
    }
  }

  getTreeItem(node: SharesNode): vscode.TreeItem {
    switch (node.kind) {
      case 'vm':
        return vmItem(node.vm);
      case 'share':
        return shareItem(node.vm, node.share);
      case 'guest':
        return guestItem(node.vm);
      case 'daemon':
        return daemonItem(node.id, node.process);
      case 'queue':
        return queueItem(node.parent, node.index, node.activity());
      case 'outside': {
        const item = new vscode.TreeItem('Started elsewhere', vscode.TreeItemCollapsibleState.Expanded);
        item.id = 'outside';
        item.iconPath = icon('link-external');
        item.contextValue = 'outside';
        item.tooltip = 'Shares of yours that this window has not started.';
        return item;
      }
      case 'outsideShare':
        return outsideItem(node.share, this.studio.outside.activity(node.share.pid));
    }
  }

  private childrenOfVm(vm: SharedVm): SharesNode[] {
    const { facts } = vm;
    if (facts === undefined || !vm.isAlive) return [];
    const shares = facts.shares.map((share) => this.keep(`vm${vm.id}/${share.tag}`, { kind: 'share', vm, share }));
    return [...shares, this.keep(`vm${vm.id}/#guest`, { kind: 'guest', vm })];
  }

  private childrenOfShare(
    id: string,
    process: ProcessFacts | { readonly pid: number },
    activity: () => ShareActivity | undefined,
  ): SharesNode[] {
    const daemon = this.keep(`${id}/#daemon`, { kind: 'daemon', id, process });
    const queues = (activity()?.queues ?? []).map((_, index) =>
      this.keep(`${id}/#queue${index}`, { kind: 'queue', parent: id, index, activity }),
    );
    return [daemon, ...queues];
  }

  private keep(id: string, node: SharesNode): SharesNode {
    this.nodes.set(id, node);
    return node;
  }

  /**
   * The row and those below it, unless they were drawn a moment ago or nothing goes on: each drawing ends a tooltip.
   */
  private refresh(id: string, perSecond: number): void {
    const node = this.visible ? this.nodes.get(id) : undefined;
    const last = this.drawn.get(id);
    if (node === undefined || (last !== undefined && last.perSecond === 0 && perSecond === 0)) return;
    const now = performance.now();
    if (last !== undefined && now - last.at < REDRAW_MS) return;
    this.drawn.set(id, { at: now, perSecond });
    this.changed.fire(node);
  }

  private tellContext(): void {
    const any = this.studio.outside.all.length > 0;
    void vscode.commands.executeCommand('setContext', 'virtiofs.hasOutsideShares', any);
  }
}

function vmItem(vm: SharedVm): vscode.TreeItem {
  const { state } = vm;
  const item = new vscode.TreeItem(vm.name, vscode.TreeItemCollapsibleState.Expanded);
  item.id = `vm${vm.id}`;
  item.contextValue = `vm.${vm.isUp ? 'up' : vm.isAlive ? 'starting' : 'ended'}`;
  switch (state.kind) {
    case 'starting':
    case 'preparing':
      item.iconPath = icon('loading~spin');
      item.description = state.kind === 'starting' ? 'starting' : state.text;
      item.tooltip = item.description;
      break;
    case 'up': {
      const worst = vm.worstProblem;
      item.iconPath =
        worst === undefined
          ? icon('vm-running', 'testing.iconPassed')
          : icon('vm', isServed(worst) ? 'list.warningForeground' : 'list.errorForeground');
      // Without numbers that change: each drawing of a row ends its tooltip.
      item.description = `Linux ${state.release}`;
      item.tooltip =
        worst === undefined
          ? tooltip(
              ['Guest', `Linux ${state.release} in ${vm.facts?.kind === 'uml' ? 'User Mode Linux' : 'QEMU'}`],
              ['Folder', shownPath(vm.plan.folder)],
            )
          : troubleTooltip(worst.text, worst.remedy, isServed(worst) ? 'warning' : 'error');
      break;
    }
    case 'failed':
      item.collapsibleState = vscode.TreeItemCollapsibleState.None;
      item.iconPath = icon('error', 'list.errorForeground');
      item.description = sentence(state.text, '').trim();
      item.tooltip = troubleTooltip(state.text, state.remedy, 'error');
      break;
    case 'stopped':
    case 'gone':
      item.collapsibleState = vscode.TreeItemCollapsibleState.None;
      item.iconPath = icon('vm-outline');
      item.description = 'ended';
  }
  item.accessibilityInformation = { label: `Virtual machine ${vm.name}, ${item.description}` };
  return item;
}

function shareItem(vm: SharedVm, share: ShareFact): vscode.TreeItem {
  const problem = vm.problems.get(share.tag);
  const activity = vm.activity(share.tag);
  const item = new vscode.TreeItem(share.tag, vscode.TreeItemCollapsibleState.Collapsed);
  item.id = `vm${vm.id}/${share.tag}`;
  item.contextValue = problem === undefined ? 'share' : 'share.troubled';
  const traffic = [activityText(activity), shownPath(share.directory)].filter(Boolean).join(' · ');
  if (problem === undefined) {
    item.iconPath = icon(share.readOnly ? 'lock' : 'folder-active');
    item.description = traffic;
  } else if (isServed(problem)) {
    item.iconPath = icon('warning', 'list.warningForeground');
    item.description = `capture incomplete · ${traffic}`;
  } else {
    item.iconPath = icon('error', 'list.errorForeground');
    item.description = sentence(problem.text, '').trim();
  }
  item.tooltip =
    problem === undefined
      ? tooltip(
          ['Folder', shownPath(share.directory)],
          ['In the guest', `${share.mountPoint}${share.readOnly ? ' (read-only)' : ''}`],
          ...countedLines(activity),
        )
      : troubleTooltip(problem.text, problem.remedy, isServed(problem) ? 'warning' : 'error');
  return item;
}

function countedLines(activity: ShareActivity | undefined): [string, string][] {
  if (activity === undefined) return [];
  return [
    ['Requests', `${numbers.format(activity.total)} (${rateText(activity.perSecond)}), ${activity.inFlight} in flight`],
    ['Error replies', `${numbers.format(activity.errors)} (a name that is not there counts as one)`],
  ];
}

function guestItem(vm: SharedVm): vscode.TreeItem {
  const { facts, state } = vm;
  const item = new vscode.TreeItem('Guest');
  item.id = `vm${vm.id}/#guest`;
  item.contextValue = 'guest';
  item.iconPath = icon('server-process');
  const program =
    facts?.kind === 'uml' ? 'User Mode Linux' : facts?.accelerator === 'kvm' ? 'QEMU, KVM' : 'QEMU, emulated';
  item.description = `${program} · process ${facts?.guest.pid ?? '?'}`;
  item.tooltip = tooltip(
    ['Kernel', state.kind === 'up' ? state.release : 'not up yet'],
    ['Process', String(facts?.guest.pid ?? '')],
  );
  return item;
}

function daemonItem(id: string, process: ProcessFacts | { readonly pid: number }): vscode.TreeItem {
  const item = new vscode.TreeItem('Daemon');
  item.id = `${id}/#daemon`;
  item.contextValue = 'argv' in process ? 'daemon' : 'daemon.outside';
  item.iconPath = icon('gear');
  item.description = `process ${process.pid}`;
  return item;
}

function queueItem(parent: string, index: number, activity: ShareActivity | undefined): vscode.TreeItem {
  const queue = activity?.queues[index];
  const item = new vscode.TreeItem(`Queue ${index}`);
  item.id = `${parent}/#queue${index}`;
  item.contextValue = 'queue';
  item.iconPath = icon('list-ordered');
  if (queue !== undefined) {
    const inFlight = queue.inFlight > 0 ? ` · ${queue.inFlight} in flight` : '';
    const kind = index === 0 ? 'hiprio · ' : '';
    item.description = `${kind}${rateText(queue.perSecond)}${inFlight} · ${numbers.format(queue.total)} in all`;
  }
  item.tooltip =
    index === 0
      ? 'The high priority queue (hiprio): FORGET, INTERRUPT and the like, which must not wait behind others.'
      : 'All other requests.';
  return item;
}

function outsideItem(share: RunningShare, activity: ShareActivity | undefined): vscode.TreeItem {
  const item = new vscode.TreeItem(share.tag || shownPath(share.directory), vscode.TreeItemCollapsibleState.Collapsed);
  item.id = `outside/${share.pid}`;
  item.contextValue = 'share.outside';
  item.iconPath = icon('folder-library');
  item.description = [activityText(activity), shownPath(share.directory)].filter(Boolean).join(' · ');
  item.tooltip = tooltip(
    ['Folder', shownPath(share.directory)],
    ['Process', String(share.pid)],
    ['Since', shownTime(share.started)],
    ...countedLines(activity),
  );
  return item;
}
