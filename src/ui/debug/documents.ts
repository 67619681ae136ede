/**
 * The documents that the debugger shows: *FUSE opcodes*, which takes breakpoints, and the decoded text of each stopped
 * request, which changes while it is stepped. When its request has gone on a document keeps its last text.
 */
import * as vscode from 'vscode';
import type { DebugAdapter } from '../../debug/adapter';

const OPCODES = 'virtiofs-opcodes';
const REQUEST = 'virtiofs-request';

export const opcodesUri = vscode.Uri.from({ scheme: OPCODES, path: '/FUSE opcodes.fuse-opcodes' });

/** Documents whose request has gone on are kept, the latest of them. */
const MOST_KEPT = 100;

export class DebugDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly adapters = new Map<string, DebugAdapter>();
  private readonly uris = new Map<string, vscode.Uri>();
  private readonly texts = new Map<string, string>();
  private readonly registrations = [OPCODES, REQUEST].map((scheme) =>
    vscode.workspace.registerTextDocumentContentProvider(scheme, this),
  );

  /** `session`: a name that no other session of this window has. */
  add(session: string, adapter: DebugAdapter): void {
    this.adapters.set(session, adapter);
  }

  remove(session: string): void {
    this.adapters.delete(session);
  }

  uri(session: string, what: 'opcodes' | { readonly thread: number; readonly title: string }): string {
    if (what === 'opcodes') return opcodesUri.toString();
    // What is a name in the guest is none of a folder here.
    const name = what.title.replace(/ \/(?:.*\/)?/, ' ').replaceAll('/', '\u2215');
    const uri = vscode.Uri.from({ scheme: REQUEST, path: `/${session}/${what.thread}/${name}.fuse-request` });
    this.uris.set(`${session}/${what.thread}`, uri);
    return uri.toString();
  }

  /** The text of a stopped request is another one. */
  refresh(session: string, thread: number): void {
    const uri = this.uris.get(`${session}/${thread}`);
    if (uri !== undefined) this.changed.fire(uri);
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    if (uri.scheme === OPCODES) return (await import('../../debug/opcodeDocument.js')).opcodeDocument();
    const [, session, thread] = uri.path.split('/');
    const key = uri.toString();
    const text = await this.adapters.get(session)?.requestText(Number(thread));
    if (text === undefined) return this.texts.get(key) ?? '# This request has gone on.\n';
    this.texts.delete(key);
    this.texts.set(key, text);
    for (const oldest of this.texts.keys()) {
      if (this.texts.size <= MOST_KEPT) break;
      this.texts.delete(oldest);
    }
    return text;
  }

  dispose(): void {
    for (const registration of this.registrations) registration.dispose();
    this.changed.dispose();
  }
}
