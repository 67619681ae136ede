/**
 * The view "DAX Window": there while the active capture has a window; its page and model come with the first look.
 */
import * as vscode from 'vscode';
import { checkFromDaxWindow, type FromDaxWindow, type ToDaxWindow } from '../../control/daxWindow';
import { Follower } from '../captures/follower';
import type { Captures } from '../captures/captures';
import { DaxModel } from './daxModel';
import { webviewOptions, webviewPage } from '../webviewPage';
import { DaxPresence } from './daxPresence';

export const DAX_VIEW = 'virtiofs.dax';
const EVERY_MS = 1000;

export class DaxView implements vscode.WebviewViewProvider, vscode.Disposable {
  /** Of the page that is open. */
  model: DaxModel | undefined;
  follower: Follower | undefined;
  private view: vscode.WebviewView | undefined;
  private readonly owned: vscode.Disposable[];

  constructor(
    private readonly extension: vscode.ExtensionContext,
    private readonly captures: Captures,
  ) {
    const presence = new DaxPresence(captures, (there) => {
      void vscode.commands.executeCommand('setContext', 'virtiofs.dax.there', there);
    });
    this.owned = [vscode.window.registerWebviewViewProvider(DAX_VIEW, this), presence];
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.close();
    const { webview } = view;
    this.view = view;
    const model = new DaxModel((message: ToDaxWindow) => void webview.postMessage(message));
    const follower = new Follower(this.captures, model, () => EVERY_MS);
    this.model = model;
    this.follower = follower;
    webview.options = webviewOptions(this.extension.extensionUri);
    const heard = vscode.Disposable.from(
      webview.onDidReceiveMessage((message: unknown) => this.take(message)),
      view.onDidChangeVisibility(() => follower.look(view.visible)),
    );
    view.onDidDispose(() => {
      heard.dispose();
      if (this.view === view) this.close();
    });
    webview.html = webviewPage(webview, this.extension.extensionUri, 'dax', 'DAX Window');
    follower.look(view.visible);
  }

  /** What a page sends, whatever it is. False: it is nothing that this view's page says. */
  take(message: unknown): boolean {
    const read = checkFromDaxWindow(message);
    if (!read.ok) return false;
    this.model?.take(read.value);
    void this.go(read.value);
    return true;
  }

  private async go(message: FromDaxWindow): Promise<void> {
    if (message.kind === 'file') {
      await vscode.commands.executeCommand('virtiofs.requests.setFilter', `nodeid == ${message.nodeid}`);
      await vscode.commands.executeCommand('virtiofs.requests.focus');
    } else if (message.kind === 'reveal') {
      const place = this.model?.place(message.request);
      if (message.where === 'requests') {
        await vscode.commands.executeCommand('virtiofs.requests.reveal', message.request);
      } else if (place) await vscode.commands.executeCommand('virtiofs.timeline.reveal', place);
    }
  }

  private close(): void {
    this.follower?.dispose();
    this.model?.dispose();
    this.model = this.follower = this.view = undefined;
  }

  dispose(): void {
    this.close();
    for (const one of this.owned) one.dispose();
  }
}
