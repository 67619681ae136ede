/** The views of captures as the suites read them: what a tree shows, and what is selected in it. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { Views } from '../../src/ui/views';
import type { RequestsNode } from '../../src/ui/requests/requestsView';
import { insides, until } from './machine';

export const run = (command: string, ...args: unknown[]): Thenable<unknown> =>
  vscode.commands.executeCommand(command, ...args);

export const viewsOf = async (): Promise<Views> => (await insides()).views();

export const labelOf = ({ label }: vscode.TreeItem): string =>
  typeof label === 'string' ? label : (label?.label ?? '');

/** Labels of the tree of requests under a node. */
export function labels({ requests }: Views, node?: RequestsNode): string[] {
  return requests.getChildren(node).map((child) => labelOf(requests.getTreeItem(child)));
}

export function child(views: Views, label: string, node?: RequestsNode): RequestsNode {
  const { requests } = views;
  const found = requests.getChildren(node).find((each) => labelOf(requests.getTreeItem(each)).startsWith(label));
  assert.ok(found, `${label} is not in ${labels(views, node).join(', ')}`);
  return found;
}

/** VS Code tells of a selection some time after it was asked for. */
export function selects({ requests }: Views, at: number): Promise<void> {
  return until(`request ${at} is selected`, 20, () => {
    const [selected] = requests.view.selection;
    return selected?.kind === 'row' && selected.at === at;
  });
}

export function closeAll({ captures }: Views): void {
  for (const capture of [...captures.all]) captures.close(capture);
}
