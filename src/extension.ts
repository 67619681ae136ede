/** The extension's entry: construct, register, dispose. What a command does is `ui/`'s business. */
import * as vscode from 'vscode';
import { shareFolder } from './ui/shareFolder';
import { registerTimeline } from './ui/timeline/register';

export function activate(context: vscode.ExtensionContext): void {
  context.subscriptions.push(
    vscode.commands.registerCommand('virtiofs.shareFolder', (folder?: vscode.Uri) =>
      shareFolder(context.extensionPath, folder),
    ),
    registerTimeline(context),
  );
}
