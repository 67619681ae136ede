/**
 * The view "Requests": the live tree. Shows what `RequestsModel` has in windows, at most four times a second and less
 * often when showing takes long; what is kept is the capture's business.
 */
import * as vscode from 'vscode';
import type { Capture } from '../../trace/capture';
import { requestLine } from '../../trace/line';
import { opcodeByNumber } from '../../protocol/fuse/opcodes';
import { visible } from '../../protocol/text';
import { ALL, type Group } from '../../trace/requestGroups';
import { printDuration } from '../../trace/times';
import type { Captures } from '../captures/captures';
import { Follower } from '../captures/follower';
import { paragraphs } from '../markdown';
import { askAgain } from './askAgain';
import { type ColorRule, colorsOf } from './colorRules';
import { type Detail, requestDetails } from './details';
import { LastSelected } from './lastSelected';
import { RequestsModel } from './requestsModel';
import { opcodeIcon, rowText } from './rowText';
import { thousands } from '../../trace/countText';

export type RequestsNode =
  | { readonly kind: 'waiting'; readonly rows: readonly number[] }
  | { readonly kind: 'group'; readonly id: number; readonly parent: RequestsNode | undefined }
  /** `at`: the stable number. */
  | { readonly kind: 'row'; readonly at: number; readonly parent: RequestsNode | undefined }
  | { readonly kind: 'detail'; readonly id: string; readonly detail: Detail; readonly parent: RequestsNode }
  | { readonly kind: 'newer' | 'older' | 'rest'; readonly of: number; readonly text: string };

/** The stable number of the row that a node is, or is in. */
export function numberOf(node: unknown): number | undefined {
  let at = node as RequestsNode | undefined;
  while (at?.kind === 'detail') at = at.parent;
  return at?.kind === 'row' ? at.at : undefined;
}

const REFRESH_MS = 250;
/** Showing takes no more than this part of the time; nobody waits longer than that for what is new. */
const SHARE_OF_TIME = 8;
const MOST_REFRESH_MS = 2000;
export const COLOR_SCHEME = 'virtiofs-color';

export class RequestsView implements vscode.TreeDataProvider<RequestsNode>, vscode.Disposable {
  readonly model = new RequestsModel(() => this.refresh());
  readonly view: vscode.TreeView<RequestsNode>;
  readonly follower: Follower;
  private readonly changed = new vscode.EventEmitter<RequestsNode | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly subscriptions: vscode.Disposable[] = [this.changed];
  private rules: readonly ColorRule[] = [];
  private colors: { readonly capture: Capture; readonly of: (row: number) => string | undefined } | undefined;
  /** Milliseconds that this showing has taken so far, and the one before. */
  private spent = 0;
  private spentBefore = 0;
  private readonly lastSelected = new LastSelected();
  /** Nodes of the rows shown, so that one that is revealed is the one that the tree knows. */
  private readonly nodes = new Map<string, RequestsNode>();

  constructor(captures: Captures) {
    this.follower = new Follower(captures, this.model, () => this.pause);
    this.view = vscode.window.createTreeView('virtiofs.requests', {
      treeDataProvider: this,
      showCollapseAll: true,
      canSelectMany: true,
    });
    this.subscriptions.push(
      this.view,
      this.view.onDidChangeVisibility(({ visible }) => this.follower.look(visible)),
      // A list that runs away from under the pointer cannot be read.
      this.view.onDidExpandElement(({ element }) => this.hold(element)),
      this.view.onDidChangeSelection(({ selection: [node] }) => {
        const at = numberOf(node);
        if (at !== undefined) this.lastSelected.heard(this.model.capture?.id ?? '', at);
        this.hold(node);
      }),
    );
    this.follower.look(this.view.visible);
  }

  /** From one showing to the next, milliseconds. The tree asks for what it shows a while after it was told to. */
  private get pause(): number {
    const wanted = Math.max(this.spent, this.spentBefore) * SHARE_OF_TIME;
    return Math.min(MOST_REFRESH_MS, Math.max(REFRESH_MS, wanted));
  }

  /** The request that was selected last, or is about to be. */
  get selected(): number | undefined {
    return this.lastSelected.in(this.model.capture?.id);
  }

  private hold(node: RequestsNode | undefined): void {
    const { capture } = this.model;
    if (node?.kind === 'row' && capture?.phase === 'live' && !capture.paused) capture.pause(true);
  }

  setRules(rules: readonly ColorRule[]): void {
    this.rules = rules;
    this.colors = undefined;
    this.refresh();
  }

  refresh(): void {
    this.spentBefore = this.spent;
    this.spent = 0;
    this.tell();
    this.changed.fire(undefined);
  }

  /** What is above the tree. */
  private tell(): void {
    const { model, view } = this;
    const { capture, filter } = model;
    const { passing, looked } = model.counts;
    const filtered = filter !== undefined && filter.text.trim() !== '';
    const shown = filtered ? `${thousands(passing)} of ${thousands(looked)}` : thousands(looked);
    view.description = capture ? (model.grouping === 'time' ? shown : `${shown}, by ${model.grouping}`) : '';
    const lines: string[] = [];
    if (capture) {
      const states = { connecting: 'connecting…', live: 'live', reading: 'reading…', ended: '', broken: '' };
      const state = capture.paused && capture.phase === 'live' ? 'paused' : states[capture.phase];
      lines.push([capture.title, state].filter((part) => part !== '').join(' · '));
      if (filtered) lines.push(`filter: ${filter.text}`);
      lines.push(...capture.notes.slice(0, 3));
      if (looked === 0 && capture.phase === 'live') lines.push('waiting for the first request');
      if (looked === 0 && capture.phase === 'ended' && capture.notes.length === 0) lines.push('no requests in it');
    }
    // VS Code shows it as one paragraph.
    view.message = lines.join(' · ');
    const set = (key: string, value: unknown): void =>
      void vscode.commands.executeCommand('setContext', `virtiofs.requests.${key}`, value);
    const state = `${capture?.id} ${capture?.phase} ${capture?.paused} ${filtered} ${model.grouping}`;
    if (state === this.told) return;
    this.told = state;
    set('capture', capture?.kind ?? '');
    set('phase', capture?.phase ?? '');
    set('paused', capture?.paused ?? false);
    set('filtered', filtered);
    set('grouping', model.grouping);
  }
  private told = '';

  getChildren(node?: RequestsNode): RequestsNode[] {
    const started = performance.now();
    const children = this.childrenOf(node);
    this.spent += performance.now() - started;
    return children;
  }

  getParent(node: RequestsNode): RequestsNode | undefined {
    return 'parent' in node ? node.parent : undefined;
  }

  private childrenOf(node: RequestsNode | undefined): RequestsNode[] {
    const { model } = this;
    if (node === undefined) {
      this.nodes.clear();
      const waiting = this.waiting();
      const first: RequestsNode[] = waiting.rows.length > 0 ? [waiting] : [];
      return [...first, ...(model.grouping === 'time' ? this.list(ALL, undefined) : this.groups(ALL, undefined))];
    }
    switch (node.kind) {
      case 'waiting':
        return node.rows.map((at) => ({ kind: 'row', at, parent: node }));
      case 'group':
        return [...this.groups(node.id, node), ...this.list(node.id, node)];
      case 'row': {
        const row = model.rowOf(node.at);
        if (row === undefined || !model.capture) return [];
        return this.details(requestDetails(model.capture.reader, row), String(node.at), node);
      }
      case 'detail':
        return this.details(node.detail.children ?? [], node.id, node);
      case 'newer':
      case 'older':
      case 'rest':
        return [];
    }
  }

  private waiting(): RequestsNode & { kind: 'waiting' } {
    return { kind: 'waiting', rows: this.model.waiting(BigInt(Date.now()) * 1_000_000n) };
  }

  private details(details: readonly Detail[], before: string, parent: RequestsNode): RequestsNode[] {
    return details.map((detail, i) => ({ kind: 'detail', id: `${before}.${i}`, detail, parent }));
  }

  private groups(of: number, parent: RequestsNode | undefined): RequestsNode[] {
    const { groups, left } = this.model.groups(of);
    const nodes = groups.map(({ id }): RequestsNode => ({ kind: 'group', id, parent }));
    return left > 0 ? [...nodes, { kind: 'rest', of, text: `${thousands(left)} more: a filter shows them` }] : nodes;
  }

  private list(of: number, parent: RequestsNode | undefined): RequestsNode[] {
    const { rows, newer, older } = this.model.rows(of);
    const nodes = rows.map((at): RequestsNode => {
      const node: RequestsNode = { kind: 'row', at, parent };
      this.nodes.set(`${at}`, node);
      return node;
    });
    const above: RequestsNode[] = newer > 0 ? [{ kind: 'newer', of, text: `${thousands(newer)} newer…` }] : [];
    const text = `${thousands(rows.length)} ${newer > 0 ? '' : 'newest '}of ${thousands(rows.length + newer + older)}; older…`;
    return [...above, ...nodes, ...(older > 0 ? [{ kind: 'older', of, text } as const] : [])];
  }

  getTreeItem(node: RequestsNode): vscode.TreeItem {
    const started = performance.now();
    const item = this.itemOf(node);
    this.spent += performance.now() - started;
    return item;
  }

  private itemOf(node: RequestsNode): vscode.TreeItem {
    switch (node.kind) {
      case 'waiting':
        return waitingItem(this.idOf('waiting'), node.rows.length, this.model.capture?.phase === 'live');
      case 'group':
        return this.groupItem(node.id);
      case 'row':
        return this.rowItem(node);
      case 'detail':
        return detailItem(this.idOf(`detail/${node.id}`), node.detail);
      case 'newer':
      case 'older':
      case 'rest': {
        const item = new vscode.TreeItem(node.text);
        item.id = `${node.kind}${node.of}`;
        item.iconPath = new vscode.ThemeIcon(node.kind === 'newer' ? 'chevron-up' : 'ellipsis');
        if (node.kind !== 'rest') {
          item.command = { command: 'virtiofs.requests.more', title: 'Show More', arguments: [node] };
        }
        return item;
      }
    }
  }

  /** VS Code takes what has the same id for the same, selected and open as it was: another capture has others. */
  private idOf(node: string): string {
    return `${this.model.capture?.id}/${node}`;
  }

  private groupItem(id: number): vscode.TreeItem {
    const { model } = this;
    const group = model.groupFacts(id);
    const item = new vscode.TreeItem(visible(group?.name ?? ''), vscode.TreeItemCollapsibleState.Collapsed);
    item.id = this.idOf(`${model.grouping}/${id}`);
    if (!group) return item;
    item.description = groupText(group);
    item.contextValue = `group.${model.grouping}`;
    const color = group.failed > 0 ? new vscode.ThemeColor('virtiofs.requestFailed') : undefined;
    if (model.grouping === 'file') {
      const folder = group.groups > 0 || group.name === '/';
      item.iconPath = new vscode.ThemeIcon(folder ? 'folder' : 'file');
      item.tooltip = visible(model.pathOf(id));
    } else if (model.grouping === 'process') {
      // What no process asked for, such as FORGET, has pid 0.
      const kernel = group.name === '0';
      item.label = kernel ? 'Kernel' : `Process ${group.name}`;
      item.iconPath = new vscode.ThemeIcon(kernel ? 'chip' : 'person');
    } else {
      const row = opcodeByNumber(opcodeOf(group.name));
      item.iconPath = new vscode.ThemeIcon(opcodeIcon(row?.number ?? -1), color);
      if (row) item.tooltip = paragraphs([`${row.name}: ${row.doc}`]);
    }
    return item;
  }

  private rowItem(node: RequestsNode & { kind: 'row' }): vscode.TreeItem {
    const { model } = this;
    const row = model.rowOf(node.at);
    const capture = model.capture?.reader;
    if (row === undefined || !capture) return new vscode.TreeItem('(dropped)');
    const within = node.parent?.kind === 'waiting' ? 'time' : model.grouping;
    const { label, description, icon, mood } = rowText(capture, row, within);
    const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.Collapsed);
    item.id = this.idOf(`${node.parent?.kind === 'waiting' ? 'waiting' : model.grouping}/row${node.at}`);
    item.description = description;
    item.contextValue = 'row';
    item.accessibilityInformation = { label: `${label} ${description}` };
    if (this.colors?.capture !== capture) this.colors = { capture, of: colorsOf(capture, this.rules) };
    const rule = this.rules.length > 0 ? this.colors.of(row) : undefined;
    const moods = { fine: undefined, expected: 'Expected', failed: 'Failed', waiting: 'Waiting' } as const;
    const own = moods[mood] && `virtiofs.request${moods[mood]}`;
    const color = rule ?? own;
    item.iconPath = new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
    const text = rule ?? (mood === 'fine' || mood === 'expected' ? undefined : own);
    if (text !== undefined) item.resourceUri = vscode.Uri.from({ scheme: COLOR_SCHEME, path: `/${text}` });
    return item;
  }

  resolveTreeItem(item: vscode.TreeItem, node: RequestsNode): vscode.TreeItem {
    if (node.kind === 'row') {
      const row = this.model.rowOf(node.at);
      const capture = this.model.capture?.reader;
      if (row === undefined || !capture) return item;
      const doc = opcodeByNumber(capture.columns.opcode[row])?.doc;
      const latency = capture.columns.latency[row];
      const texts = [`#${node.at}`, ...(doc ? [doc] : []), ...(Number.isNaN(latency) ? [] : [printDuration(latency)])];
      item.tooltip = paragraphs(texts, requestLine(capture, row).trim());
    } else if (node.kind === 'detail' && node.detail.doc) item.tooltip = paragraphs(node.detail.doc);
    return item;
  }

  /**
   * Shows one request, without a filter that hides it, selected. False: it is gone, or in flight and not yet listed.
   */
  async reveal(at: number): Promise<boolean> {
    const { model } = this;
    if (model.capture?.phase === 'live') model.capture.pause(true);
    await this.follower.catchUp();
    let node = this.listed(at);
    if (!node) {
      if (model.rowOf(at) === undefined) return false;
      model.setFilter(undefined);
      await this.follower.catchUp();
      node = this.listed(at);
    }
    if (!node) return false;
    if (numberOf(this.view.selection[0]) !== at) this.lastSelected.asked(model.capture?.id ?? '', at);
    await askAgain(
      () => this.view.reveal(node, { select: true, focus: true, expand: true }),
      () => numberOf(this.view.selection[0]) === at || this.selected !== at,
    );
    return true;
  }

  /**
   * A request's node, among those in flight or by time, in a tree that has it; undefined: it is not among what passes.
   */
  private listed(at: number): RequestsNode | undefined {
    const waiting = this.waiting();
    const inFlight = waiting.rows.includes(at);
    if (!inFlight && !this.model.turnTo(at)) return undefined;
    this.refresh();
    if (inFlight) return { kind: 'row', at, parent: waiting };
    this.getChildren();
    return this.nodes.get(`${at}`);
  }

  dispose(): void {
    this.follower.dispose();
    for (const one of this.subscriptions.splice(0)) one.dispose();
  }
}

function groupText({ count, errors, time, timed }: Group): string {
  const failed = errors > 0 ? ` · ${thousands(errors)} ${errors === 1 ? 'error' : 'errors'}` : '';
  // Requests that want no reply, or have none yet, take no time that is known.
  const each = time > 0 ? ` · ${printDuration(time / timed)} each` : '';
  return `${thousands(count)}${failed}${each}`;
}

const opcodeOf = (name: string): number => opcodesByName.get(name) ?? -1;
const opcodesByName = new Map(
  Array.from({ length: 64 }, (_, number) => opcodeByNumber(number))
    .filter((row) => row !== undefined)
    .map((row) => [row.name as string, row.number]),
);

function waitingItem(id: string, rows: number, live: boolean): vscode.TreeItem {
  const label = live ? 'Waiting for a reply' : 'Never answered';
  const item = new vscode.TreeItem(label, vscode.TreeItemCollapsibleState.Collapsed);
  item.id = id;
  item.description = thousands(rows);
  item.iconPath = new vscode.ThemeIcon('watch', new vscode.ThemeColor('virtiofs.requestWaiting'));
  return item;
}

function detailItem(id: string, { label, text, icon, bad, open, children }: Detail): vscode.TreeItem {
  const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(label, children?.length ? (open ? Expanded : Collapsed) : None);
  item.id = id;
  item.description = text;
  item.contextValue = 'detail';
  const color = bad === true ? new vscode.ThemeColor('virtiofs.requestFailed') : undefined;
  if (icon !== undefined) item.iconPath = new vscode.ThemeIcon(icon, color);
  return item;
}
