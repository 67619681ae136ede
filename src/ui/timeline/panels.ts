/**
 * Timelines in VS Code: a capture file's editor, two captures side by side, a guest at work. Loaded when the first one
 * is opened.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import * as vscode from 'vscode';
import { trouble } from '../../base/catalogue';
import { CaptureFiles } from '../../control/captureFiles';
import { type ComparisonView, isFromTimeline } from '../../control/timeline';
import type { CaptureSource } from './captureSource';
import { comparisonOf } from './comparison';
import { exportRows } from './exportRows';
import { bytesInMemory, FileCapture } from './fileCapture';
import { notesInMemory, notesOf } from './notesInWorkspace';
import { sizeText } from '../../trace/sizeText';
import { webviewOptions, webviewPage } from '../webviewPage';
import { TimelineSession, type SessionParts } from './session';

/** Editors of files elsewhere take the file into memory as a whole. */
const MOST_ELSEWHERE = 512 << 20;

/** Opens a capture; one that cannot be read is a capture without rows that says why. */
export async function openCapture(uri: vscode.Uri): Promise<FileCapture> {
  try {
    if (uri.scheme === 'file') return new FileCapture(uri.path, new CaptureFiles(uri.fsPath), uri.fsPath);
    const { size } = await vscode.workspace.fs.stat(uri);
    if (size > MOST_ELSEWHERE) throw trouble('captureTooLarge', sizeText(size), sizeText(MOST_ELSEWHERE));
    return new FileCapture(uri.path, bytesInMemory(await vscode.workspace.fs.readFile(uri)));
  } catch (error) {
    return new FileCapture(uri.path, {
      ...bytesInMemory(new Uint8Array(0)),
      next() {
        throw error;
      },
    });
  }
}

type Rest = Pick<SessionParts, 'sources' | 'live' | 'notes'> & {
  readonly uris: readonly vscode.Uri[];
};

/** Fills a panel; what is returned drives it. */
function fill(context: vscode.ExtensionContext, panel: vscode.WebviewPanel, rest: Rest): TimelineSession {
  const { webview } = panel;
  const { sources, uris } = rest;
  const session = new TimelineSession({
    ...rest,
    post: (message) => webview.postMessage(message),
    compare: () => compareSources(context, sources),
    exportRows: (side, rows) => {
      const source = sources[side];
      if (source) void exportRows(source, rows, uris[side] ?? inWorkspace());
    },
    compareWith: () => {
      void vscode.commands.executeCommand('virtiofs.compareCaptures', uris[0]);
    },
  });
  webview.options = webviewOptions(context.extensionUri);
  const ending = vscode.Disposable.from(
    webview.onDidReceiveMessage((message: unknown) => {
      if (isFromTimeline(message)) void session.take(message);
    }),
    panel.onDidChangeViewState(() => session.show(panel.visible)),
  );
  panel.onDidDispose(() => {
    ending.dispose();
    session.end();
  });
  webview.html = webviewPage(webview, context.extensionUri, 'timeline', 'Virtio-FS Timeline');
  return session;
}

/** Where an export of a running share is offered to be: a file in the first folder of the workspace has this place. */
function inWorkspace(): vscode.Uri | undefined {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  return folder && vscode.Uri.joinPath(folder, 'share');
}

async function compareSources(
  context: vscode.ExtensionContext,
  [a, b]: SessionParts['sources'],
): Promise<ComparisonView> {
  if (!b) throw new Error('there is only one capture');
  if (a.path === undefined || b.path === undefined) return comparisonOf(a.capture, b.capture);
  const worker = new Worker(join(context.extensionPath, 'dist', 'compareWorker.js'), { workerData: [a.path, b.path] });
  try {
    return await new Promise((resolve, reject) => {
      worker.once('message', (comparison: ComparisonView) => resolve(comparison));
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`the comparison ended with ${code}`)));
    });
  } finally {
    await worker.terminate();
  }
}

/** A capture file that is open in an editor. */
export class CaptureDocument implements vscode.CustomDocument {
  constructor(
    readonly uri: vscode.Uri,
    readonly source: FileCapture,
  ) {}

  dispose(): void {
    this.source.close();
  }
}

export function fillEditor(
  context: vscode.ExtensionContext,
  { uri, source }: CaptureDocument,
  panel: vscode.WebviewPanel,
): TimelineSession {
  const notes = notesOf(uri, context.workspaceState);
  return fill(context, panel, { sources: [source], live: false, notes, uris: [uri] });
}

const VIEW = 'virtiofs.timeline';

export async function openComparison(
  context: vscode.ExtensionContext,
  uris: readonly [vscode.Uri, vscode.Uri],
): Promise<void> {
  const [a, b] = await Promise.all([openCapture(uris[0]), openCapture(uris[1])]);
  const title = `${a.state().title} ↔ ${b.state().title}`;
  const panel = vscode.window.createWebviewPanel(VIEW, title, vscode.ViewColumn.Active, {
    retainContextWhenHidden: true,
  });
  panel.onDidDispose(() => {
    a.close();
    b.close();
  });
  const notes = notesOf(uris[0], context.workspaceState);
  fill(context, panel, { sources: [a, b], live: false, notes, uris });
}

/** A timeline of a capture that grows. The caller ends the source. */
export function openLive(context: vscode.ExtensionContext, source: CaptureSource): TimelineSession {
  const panel = vscode.window.createWebviewPanel(VIEW, source.state().title, vscode.ViewColumn.Active, {
    retainContextWhenHidden: true,
  });
  return fill(context, panel, { sources: [source], live: true, notes: notesInMemory(), uris: [] });
}
