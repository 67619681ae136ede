/** What VS Code is told of timelines at activation; everything else is loaded when one is opened. */
import * as vscode from 'vscode';
import type { CaptureSource } from './captureSource';
import type { CaptureDocument } from './panels';
import type { TimelineSession } from './session';

export const CAPTURE_EDITOR = 'virtiofs.capture';
const SUFFIX = '.fuse.pcapng';

/** The sessions of open editors, for commands that point into them. */
const sessions = new Map<string, TimelineSession>();

export function registerTimeline(context: vscode.ExtensionContext): vscode.Disposable {
  const provider: vscode.CustomReadonlyEditorProvider<CaptureDocument> = {
    async openCustomDocument(uri) {
      const { CaptureDocument, openCapture } = await import(/* webpackChunkName: "timeline" */ './panels.js');
      return new CaptureDocument(uri, await openCapture(uri));
    },
    async resolveCustomEditor(document, panel) {
      const { fillEditor } = await import(/* webpackChunkName: "timeline" */ './panels.js');
      const session = fillEditor(context, document, panel);
      const key = document.uri.toString();
      sessions.set(key, session);
      panel.onDidDispose(() => {
        if (sessions.get(key) === session) sessions.delete(key);
      });
    },
  };
  return vscode.Disposable.from(
    vscode.window.registerCustomEditorProvider(CAPTURE_EDITOR, provider, {
      webviewOptions: { retainContextWhenHidden: true },
      supportsMultipleEditorsPerDocument: true,
    }),
    vscode.commands.registerCommand('virtiofs.compareCaptures', (clicked?: vscode.Uri, chosen?: vscode.Uri[]) =>
      compareCaptures(context, clicked, chosen),
    ),
  );
}

/** A timeline of a capture that grows; for the views of a running share. */
export async function openLiveTimeline(
  context: vscode.ExtensionContext,
  source: CaptureSource,
): Promise<TimelineSession> {
  const { openLive } = await import(/* webpackChunkName: "timeline" */ './panels.js');
  return openLive(context, source);
}

/** Opens a capture and shows one of its requests. */
export async function revealRequest(uri: vscode.Uri, row: number): Promise<void> {
  await vscode.commands.executeCommand('vscode.openWith', uri, CAPTURE_EDITOR);
  sessions.get(uri.toString())?.reveal(0, row);
}

/** Two that are selected in the Explorer, or those that the person picks. */
async function compareCaptures(
  context: vscode.ExtensionContext,
  clicked: vscode.Uri | undefined,
  chosen: readonly vscode.Uri[] = [],
): Promise<void> {
  const given = chosen.filter((uri) => uri.path.endsWith(SUFFIX)).slice(0, 2);
  if (given.length < 2 && clicked) given.splice(0, given.length, clicked);
  const first = given[0] ?? openedCapture() ?? (await pickCapture('First capture'));
  if (!first) return;
  const second =
    given[1] ?? (await pickCapture(`Capture to compare with ${vscode.workspace.asRelativePath(first)}`, first));
  if (!second) return;
  const { openComparison } = await import(/* webpackChunkName: "timeline" */ './panels.js');
  await openComparison(context, [first, second]);
}

function openedCapture(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputCustom && input.viewType === CAPTURE_EDITOR ? input.uri : undefined;
}

async function pickCapture(title: string, except?: vscode.Uri): Promise<vscode.Uri | undefined> {
  const found = await vscode.workspace.findFiles(`**/*${SUFFIX}`, undefined, 200);
  const items = found
    .filter((uri) => uri.toString() !== except?.toString())
    .map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri }))
    .sort((a, b) => a.label.localeCompare(b.label, undefined, { numeric: true }));
  const elsewhere = { label: '$(folder-opened) Another file…', uri: undefined };
  // The page that the command was called from may get the focus back only now, which would close the choice.
  const options = { title, ignoreFocusOut: true };
  const picked = items.length === 0 ? elsewhere : await vscode.window.showQuickPick([...items, elsewhere], options);
  if (picked !== elsewhere) return picked?.uri;
  const opened = await vscode.window.showOpenDialog({ title, filters: { Captures: ['pcapng'] } });
  return opened?.[0];
}
