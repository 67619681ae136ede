/** The view "Inodes and Handles": shows what `InodesModel` has; while it is looked at the countdowns go on. */
import * as vscode from 'vscode';
import { FileType, fopenFlags, openFlags } from '../../protocol/fuse/flags';
import { printFlags, printId } from '../../protocol/print';
import { visible } from '../../protocol/text';
import type { Handle } from '../../trace/inodes/handles';
import type { Inode, InodeOrder } from '../../trace/inodes/inodes';
import { type AskedLock, type HeldLock, TO_END } from '../../trace/inodes/locks';
import { WIDE_LEFT_OUT } from '../../trace/nodeNumbers';
import { pathParts } from '../../trace/pathParts';
import { printDuration } from '../../trace/times';
import type { Captures } from '../captures/captures';
import { Follower } from '../captures/follower';
import type { Stale } from '../findings/findingsModel';
import { paragraphs } from '../markdown';
import { sizeText } from '../../trace/sizeText';
import { cachedUntil, cachedWords } from './cachedUntil';
import { InodesModel, WINDOW } from './inodesModel';
import { thousands } from '../../trace/countText';

export type InodesNode =
  | { readonly kind: 'section'; readonly of: 'handles' | 'locks' | 'stale' | 'inodes' }
  | { readonly kind: 'inode'; readonly nodeid: number; readonly under: string }
  | { readonly kind: 'handle'; readonly handle: Handle; readonly under: string }
  | { readonly kind: 'lock'; readonly lock: HeldLock | AskedLock; readonly wanted: boolean; readonly under: string }
  | {
      readonly kind: 'fact';
      readonly id: string;
      readonly label: string;
      readonly text: string;
      readonly doc: string;
      readonly icon?: string;
      readonly row?: number;
    }
  | { readonly kind: 'more'; readonly text: string };

const REFRESH_MS = 500;
const COUNTDOWN_MS = 1000;
const SHARE_OF_TIME = 8;
const MOST_HANDLES = 200;

const orders: Readonly<Record<InodeOrder, string>> = {
  recent: 'used last first',
  bytes: 'most bytes first',
  age: 'known longest first',
  lookups: 'most lookups first',
  handles: 'most handles first',
};

export class InodesView implements vscode.TreeDataProvider<InodesNode>, vscode.Disposable {
  readonly model = new InodesModel(() => this.refresh());
  readonly view: vscode.TreeView<InodesNode>;
  readonly follower: Follower;
  private readonly changed = new vscode.EventEmitter<InodesNode | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private timer: NodeJS.Timeout | undefined;
  private spent = 0;

  /** `stale`: what the findings know of an inode. */
  constructor(
    captures: Captures,
    private readonly stale: () => ReadonlyMap<number, Stale>,
  ) {
    this.view = vscode.window.createTreeView('virtiofs.inodes', { treeDataProvider: this, showCollapseAll: true });
    this.follower = new Follower(captures, this.model, () => Math.max(REFRESH_MS, this.spent * SHARE_OF_TIME));
    this.tellOrder();
    this.view.onDidChangeVisibility(({ visible }) => this.look(visible));
    this.look(this.view.visible);
  }

  private look(visible: boolean): void {
    this.follower.look(visible);
    clearInterval(this.timer);
    if (visible) this.timer = setInterval(() => this.follower.ask(), COUNTDOWN_MS);
  }

  sortBy(order: InodeOrder): void {
    this.model.order = order;
    this.tellOrder();
    this.model.window = WINDOW;
    this.refresh();
  }

  /** For the check mark in its menu. */
  private tellOrder(): void {
    void vscode.commands.executeCommand('setContext', 'virtiofs.inodes.order', this.model.order);
  }

  more(): void {
    this.model.window += 1000;
    this.refresh();
  }

  private refresh(): void {
    this.spent = 0;
    const { inodes, capture } = this.model;
    const none = !inodes || !capture || capture.reader.count === 0;
    this.view.description = none ? '' : `${thousands(inodes.known)} known`;
    const told = capture && capture.reader.wideNodes > 0 ? [WIDE_LEFT_OUT] : [];
    if (none && capture?.phase === 'broken') told.push('Nothing could be read.');
    if (none && capture?.phase === 'ended') told.push('There are no inodes in this capture.');
    if (inodes?.full) told.push('More than is remembered: figures are of a part.');
    this.view.message = told.join(' ');
    this.changed.fire(undefined);
  }

  getChildren(node?: InodesNode): InodesNode[] {
    const started = performance.now();
    const children = this.childrenOf(node);
    this.spent += performance.now() - started;
    return children;
  }

  private childrenOf(node: InodesNode | undefined): InodesNode[] {
    const { model } = this;
    const { inodes, capture } = model;
    if (!inodes || !capture || capture.reader.count === 0) return [];
    if (node === undefined) {
      const sections: InodesNode[] = [{ kind: 'section', of: 'inodes' }];
      sections.unshift({ kind: 'section', of: 'handles' });
      if (inodes.held().length + inodes.wanted().length > 0) sections.unshift({ kind: 'section', of: 'locks' });
      if (this.staleNodes().length > 0) sections.unshift({ kind: 'section', of: 'stale' });
      return sections;
    }
    if (node.kind === 'section') return this.section(node.of);
    return node.kind === 'inode' ? this.insideOf(inodes.inodeOf(node.nodeid), node.under) : [];
  }

  private staleNodes(): number[] {
    return [...new Set([...this.model.differs.keys(), ...this.stale().keys()])].slice(0, WINDOW);
  }

  private section(of: 'handles' | 'locks' | 'stale' | 'inodes'): InodesNode[] {
    const { model } = this;
    const { inodes } = model;
    if (!inodes) return [];
    switch (of) {
      case 'stale':
        return this.staleNodes().map((nodeid) => ({ kind: 'inode', nodeid, under: 'stale' }));
      case 'locks':
        return [
          ...inodes.wanted().map((lock): InodesNode => ({ kind: 'lock', lock, wanted: true, under: 'locks' })),
          ...inodes
            .held()
            .slice(0, WINDOW)
            .map((lock): InodesNode => ({ kind: 'lock', lock, wanted: false, under: 'locks' })),
        ];
      case 'handles': {
        const handles = inodes.opened(MOST_HANDLES);
        const nodes = handles.map((handle): InodesNode => ({ kind: 'handle', handle, under: 'handles' }));
        const left = inodes.handles.count - handles.length;
        return left > 0 ? [...nodes, { kind: 'more', text: `${thousands(left)} more handles` }] : nodes;
      }
      case 'inodes': {
        const list = model.list();
        const nodes = list.map(({ nodeid }): InodesNode => ({ kind: 'inode', nodeid, under: 'inodes' }));
        const left = inodes.known - list.length;
        return left > 0 && list.length >= model.window
          ? [...nodes, { kind: 'more', text: `${thousands(list.length)} of ${thousands(inodes.known)}; more…` }]
          : nodes;
      }
    }
  }

  private insideOf(inode: Inode, under: string): InodesNode[] {
    const { model } = this;
    const { inodes } = model;
    if (!inodes) return [];
    const id = `${under}/${inode.nodeid}`;
    const dropped = model.capture?.dropped ?? 0;
    const facts: InodesNode[] = [];
    const fact = (label: string, text: string, doc: string, more: { icon?: string; row?: number } = {}): void => {
      facts.push({ kind: 'fact', id: `${id}/${facts.length}`, label, text, doc, ...more });
    };
    const differs = model.differs.get(inode.nodeid);
    if (differs) {
      fact(
        'differs now',
        differs.text,
        'The guest may still use what it was told, and something else has changed it.',
        {
          icon: 'warning',
        },
      );
    }
    const stale = this.stale().get(inode.nodeid);
    if (stale) {
      const text = `for ${printDuration(stale.nanoseconds)}, seen at #${stale.second}`;
      const doc = 'Changed by something other than this guest, which could still use what it had cached.';
      fact('was stale', text, doc, { icon: 'history', row: stale.second });
    }
    fact('nodeid', printId(inode.nodeid), 'As the server named it.');
    if (inode.facts) {
      if (inode.facts.parent !== undefined)
        fact('parent', printId(inode.facts.parent), 'nodeid of the folder of its name.');
      fact('lookups', thousands(inode.facts.lookups), 'Its lookup count: so often FORGET has to give it back.');
      for (const path of inode.facts.paths.slice(1, 10)) {
        fact('also called', visible(model.capture?.reader.path(path) ?? ''), 'Another name of it.');
      }
    }
    fact(
      'name cached',
      cachedUntil(inode.nameUntil, this.model.now),
      'For how long the guest need not ask whether the name is still so (entry_valid).',
    );
    fact(
      'attributes cached',
      cachedUntil(inode.attributesUntil, this.model.now),
      'For how long the guest need not ask for its attributes (attr_valid).',
    );
    if (inode.keepCache)
      fact('pages kept', 'FOPEN_KEEP_CACHE', 'What the page cache holds stays good when it is opened again.');
    if (inode.looked >= 0) {
      const text = `${thousands(inode.size)} bytes, mode 0${inode.mode.toString(8)}`;
      fact('told last', text, 'What the guest was told last.', { row: inode.looked + dropped });
    }
    fact('read', sizeText(inode.read), 'Bytes that the guest has read.');
    fact('written', sizeText(inode.written), 'Bytes that the guest has written.');
    fact('requests', thousands(inode.requests), 'So many were about it.');
    const handles = inodes
      .opened(MOST_HANDLES, inode.nodeid)
      .map((handle): InodesNode => ({ kind: 'handle', handle, under: id }));
    const wanted = inodes
      .wanted(inode.nodeid)
      .map((lock): InodesNode => ({ kind: 'lock', lock, wanted: true, under: id }));
    const held = inodes
      .held(inode.nodeid)
      .map((lock): InodesNode => ({ kind: 'lock', lock, wanted: false, under: id }));
    return [...facts, ...handles, ...wanted, ...held];
  }

  getTreeItem(node: InodesNode): vscode.TreeItem {
    const { None } = vscode.TreeItemCollapsibleState;
    switch (node.kind) {
      case 'section':
        return this.sectionItem(node.of);
      case 'inode':
        return this.inodeItem(node.nodeid, node.under);
      case 'handle':
        return this.handleItem(node.handle, node.under);
      case 'lock':
        return this.lockItem(node);
      case 'fact': {
        const item = new vscode.TreeItem(node.label, None);
        item.id = node.id;
        item.description = node.text;
        item.tooltip = paragraphs([node.doc]);
        const color = node.icon === 'warning' ? new vscode.ThemeColor('problemsWarningIcon.foreground') : undefined;
        if (node.icon !== undefined) item.iconPath = new vscode.ThemeIcon(node.icon, color);
        if (node.row !== undefined) item.command = revealing(node.row);
        return item;
      }
      case 'more': {
        const item = new vscode.TreeItem(node.text, None);
        item.iconPath = new vscode.ThemeIcon('ellipsis');
        item.command = { command: 'virtiofs.inodes.more', title: 'Show More' };
        return item;
      }
    }
  }

  private sectionItem(of: 'handles' | 'locks' | 'stale' | 'inodes'): vscode.TreeItem {
    const { inodes, order } = this.model;
    const { Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
    const texts = {
      handles: ['Open handles', 'folder-opened', thousands(inodes?.handles.count ?? 0)],
      locks: [
        'Locks',
        'lock',
        `${thousands(inodes?.held().length ?? 0)} held, ${thousands(inodes?.wanted().length ?? 0)} wanted`,
      ],
      stale: ['Stale in the guest', 'warning', thousands(this.staleNodes().length)],
      inodes: ['Inodes', 'list-tree', `${thousands(inodes?.known ?? 0)}, ${orders[order]}`],
    } as const;
    const [label, icon, text] = texts[of];
    const item = new vscode.TreeItem(label, of === 'handles' ? Collapsed : Expanded);
    item.id = of;
    item.description = text;
    const color = of === 'stale' ? new vscode.ThemeColor('problemsWarningIcon.foreground') : undefined;
    item.iconPath = new vscode.ThemeIcon(icon, color);
    item.contextValue = `section.${of}`;
    return item;
  }

  private nameOf(nodeid: number): string {
    const { capture } = this.model;
    const [path] = capture?.reader.node(BigInt(nodeid))?.paths ?? [];
    const name = path === undefined ? '' : visible(capture?.reader.path(path) ?? '');
    return name === '' ? `nodeid ${printId(nodeid)}` : name;
  }

  private inodeItem(nodeid: number, under: string): vscode.TreeItem {
    const { model } = this;
    const inode = model.inodes?.inodeOf(nodeid);
    const path = this.nameOf(nodeid);
    const { name, folder } = pathParts(path);
    const item = new vscode.TreeItem(name, vscode.TreeItemCollapsibleState.Collapsed);
    item.id = `${under}/${nodeid}`;
    item.contextValue = 'inode';
    item.tooltip = path;
    if (!inode) return item;
    const parts: string[] = [];
    const differs = model.differs.get(nodeid);
    if (differs) parts.push(differs.text);
    if (inode.handles > 0) parts.push(`${thousands(inode.handles)} open`);
    if (inode.read + inode.written > 0) parts.push(`${sizeText(inode.read + inode.written)} moved`);
    const cached = cachedWords(inode.attributesUntil, inode.nameUntil, model.now);
    if (cached !== undefined) parts.push(cached);
    if (model.order === 'lookups' && inode.facts) parts.push(`${thousands(inode.facts.lookups)} lookups`);
    item.accessibilityInformation = { label: `${path} ${parts.join(', ')}` };
    // Of a narrow view the end is cut off.
    if (folder !== '') parts.push(folder);
    item.description = parts.join(' · ');
    const isFolder = (inode.mode & 0o170000) === FileType.DIR || nodeid === 1;
    const icon = differs ? 'warning' : isFolder ? 'folder' : 'file';
    item.iconPath = new vscode.ThemeIcon(icon, differs && new vscode.ThemeColor('problemsWarningIcon.foreground'));
    return item;
  }

  private handleItem(handle: Handle, under: string): vscode.TreeItem {
    const own = under !== 'handles';
    const path = this.nameOf(handle.nodeid);
    const { name, folder } = pathParts(path);
    const item = new vscode.TreeItem(own ? `handle ${printId(handle.fh)}` : name);
    item.id = `${under}/fh${handle.fh}`;
    const flags = printFlags(openFlags, handle.flags);
    const bytes = handle.read + handle.written;
    const moved = bytes > 0 ? ` · ${sizeText(bytes)}` : '';
    item.description = `${own ? '' : `fh ${printId(handle.fh)} · `}${flags} · pid ${handle.pid}${moved}${own || folder === '' ? '' : ` · ${folder}`}`;
    item.iconPath = new vscode.ThemeIcon(handle.folder ? 'folder-opened' : 'go-to-file');
    item.contextValue = 'handle';
    const reply = handle.openFlags === 0 ? '' : `Answered with ${printFlags(fopenFlags, handle.openFlags)}.`;
    item.tooltip = paragraphs([
      path,
      `Opened by process ${handle.pid} of user ${handle.uid} with ${flags}. ${reply}`,
      `${sizeText(handle.read)} read, ${sizeText(handle.written)} written.`,
    ]);
    item.command = revealing(handle.row + (this.model.capture?.dropped ?? 0));
    return item;
  }

  private lockItem({ lock, wanted, under }: InodesNode & { kind: 'lock' }): vscode.TreeItem {
    const path = this.nameOf(lock.nodeid);
    const { name, folder } = pathParts(path);
    const own = under !== 'locks';
    const item = new vscode.TreeItem(!own ? name : wanted ? 'lock wanted' : 'lock');
    item.id = `${under}/${wanted ? 'wanted' : 'lock'}${lock.owner}/${lock.nodeid}/${lock.start}/${lock.flock}/${lock.row}`;
    const range = lock.flock ? 'flock' : `bytes ${lock.start} to ${lock.end === TO_END ? 'the end' : lock.end}`;
    item.description = `${wanted ? 'wanted · ' : ''}${lock.exclusive ? 'exclusive' : 'shared'} · ${range} · pid ${lock.pid}${own || folder === '' ? '' : ` · ${folder}`}`;
    item.tooltip = path;
    item.iconPath = new vscode.ThemeIcon(wanted ? 'watch' : 'lock');
    item.contextValue = 'lock';
    item.command = revealing(lock.row + (this.model.capture?.dropped ?? 0));
    return item;
  }

  dispose(): void {
    clearInterval(this.timer);
    this.follower.dispose();
    this.view.dispose();
    this.changed.dispose();
  }
}

const revealing = (at: number): vscode.Command => ({
  command: 'virtiofs.requests.reveal',
  title: 'Show in Requests',
  arguments: [at],
});
