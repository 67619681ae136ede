/**
 * The view "Findings": what was found, what to do, and the requests that prove it. The badge counts errors and
 * warnings.
 */
import * as vscode from 'vscode';
import { capital } from '../../base/capital';
import type { Finding, Severity } from '../../trace/findings/findings';
import { findingTable, leftOut } from '../../trace/findings/findings';
import { requestLine } from '../../trace/line';
import { WIDE_LEFT_OUT } from '../../trace/nodeNumbers';
import type { Captures } from '../captures/captures';
import { Follower } from '../captures/follower';
import { paragraphs } from '../markdown';
import { rowText } from '../requests/rowText';
import { FindingsModel } from './findingsModel';
import { thousands } from '../../trace/countText';

export type FindingsNode =
  | { readonly kind: 'finding'; readonly finding: Finding }
  | {
      readonly kind: 'text';
      readonly icon: string;
      readonly label: string;
      readonly text: string;
      readonly tooltip: string;
    }
  | { readonly kind: 'proof'; readonly finding: Finding }
  /** `at`: the stable number. */
  | { readonly kind: 'row'; readonly at: number; readonly code: string }
  | { readonly kind: 'rest'; readonly text: string };

const LOOK_MS = 500;
const icons: Readonly<Record<Severity, [string, string | undefined]>> = {
  error: ['error', 'problemsErrorIcon.foreground'],
  warning: ['warning', 'problemsWarningIcon.foreground'],
  info: ['info', undefined],
};

export class FindingsView implements vscode.TreeDataProvider<FindingsNode>, vscode.Disposable {
  readonly model = new FindingsModel(() => this.refresh());
  readonly view: vscode.TreeView<FindingsNode>;
  readonly follower: Follower;
  private timer: NodeJS.Timeout | undefined;
  private readonly changed = new vscode.EventEmitter<FindingsNode | undefined>();
  readonly onDidChangeTreeData = this.changed.event;

  constructor(captures: Captures) {
    this.view = vscode.window.createTreeView('virtiofs.findings', { treeDataProvider: this, showCollapseAll: true });
    this.follower = new Follower(captures, this.model, () => LOOK_MS);
    this.model.later = (milliseconds) => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.follower.ask(), milliseconds);
    };
    // The badge is there also while the tree is not.
    this.follower.look(true);
    this.refresh();
  }

  private refresh(): void {
    const { model, view } = this;
    const { errors, warnings } = model;
    const told = [some(errors, 'error'), some(warnings, 'warning')].filter((text) => text !== '').join(', ');
    view.badge = told === '' ? undefined : { value: errors + warnings, tooltip: `Findings: ${told}` };
    const none = model.capture !== undefined && model.found.length === 0;
    const unread = model.capture?.phase === 'broken' && model.capture.reader.count === 0;
    const lines = none ? [unread ? 'Nothing could be read.' : 'Nothing found in this capture.'] : [];
    if ((model.capture?.reader.wideNodes ?? 0) > 0) lines.push(WIDE_LEFT_OUT);
    const left = leftOut(model.changed);
    if (left !== undefined) lines.push(`${capital(left)}.`);
    view.message = lines.join(' ');
    this.changed.fire(undefined);
  }

  getChildren(node?: FindingsNode): FindingsNode[] {
    const { model } = this;
    if (node === undefined) return model.found.map((finding) => ({ kind: 'finding', finding }));
    if (node.kind === 'finding') {
      const { finding } = node;
      const { means } = findingTable[finding.code];
      const texts: FindingsNode[] = [
        { kind: 'text', icon: 'eye', label: 'Seen', text: finding.text, tooltip: finding.text },
        { kind: 'text', icon: 'question', label: 'Means', text: means, tooltip: means },
        { kind: 'text', icon: 'lightbulb', label: 'To do', text: finding.remedy, tooltip: finding.remedy },
      ];
      return finding.rows.length > 0 ? [...texts, { kind: 'proof', finding }] : texts;
    }
    if (node.kind !== 'proof') return [];
    const { finding } = node;
    const rows = [...finding.rows].map((row): FindingsNode => ({
      kind: 'row',
      at: row + model.base,
      code: finding.code,
    }));
    const more = finding.total - rows.length;
    return more > 0 ? [...rows, { kind: 'rest', text: `${thousands(more)} more` }] : rows;
  }

  getTreeItem(node: FindingsNode): vscode.TreeItem {
    const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
    switch (node.kind) {
      case 'finding': {
        const { severity, title, code, path, total } = node.finding;
        const item = new vscode.TreeItem(capital(title), severity === 'error' ? Expanded : Collapsed);
        item.id = code;
        item.description = path ?? (total > 1 ? thousands(total) : '');
        const [icon, color] = icons[severity];
        item.iconPath = new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
        item.tooltip = paragraphs([node.finding.text, node.finding.remedy]);
        item.contextValue = 'finding';
        item.accessibilityInformation = { label: `${severity}: ${title}. ${node.finding.text}` };
        return item;
      }
      case 'text': {
        const item = new vscode.TreeItem(node.label, None);
        item.description = node.text;
        item.iconPath = new vscode.ThemeIcon(node.icon);
        item.tooltip = paragraphs([node.tooltip]);
        item.contextValue = 'findingText';
        return item;
      }
      case 'proof': {
        const item = new vscode.TreeItem('Requests that prove it', Collapsed);
        item.id = `${node.finding.code}/proof`;
        item.description = thousands(node.finding.total);
        item.iconPath = new vscode.ThemeIcon('list-unordered');
        return item;
      }
      case 'row':
        return this.rowItem(node.at, node.code);
      case 'rest':
        return new vscode.TreeItem(node.text, None);
    }
  }

  private rowItem(at: number, code: string): vscode.TreeItem {
    const { capture } = this.model;
    const row = at - (capture?.dropped ?? 0);
    const gone = capture === undefined || row < 0 || row >= capture.reader.count;
    const item = new vscode.TreeItem(`#${at}`);
    item.id = `${code}/${at}`;
    if (gone) {
      item.description = 'not kept any more';
      return item;
    }
    const { label, description, icon } = rowText(capture.reader, row, 'time');
    item.label = label;
    item.description = description;
    item.iconPath = new vscode.ThemeIcon(icon);
    item.tooltip = paragraphs([`#${at}`], requestLine(capture.reader, row).trim());
    item.command = { command: 'virtiofs.requests.reveal', title: 'Show in Requests', arguments: [at] };
    return item;
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.follower.dispose();
    this.view.dispose();
    this.changed.dispose();
  }
}

const some = (count: number, what: string): string => (count === 0 ? '' : `${count} ${what}${count === 1 ? '' : 's'}`);
