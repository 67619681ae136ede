/** The extension's entry: construct, register, dispose. What a command does is `ui/`'s business. */
import * as vscode from 'vscode';
import { shareFolder } from './ui/shareFolder';
import { createViews, type Views } from './ui/views';

/** For this project's own tests; nothing here is promised to other extensions. */
export interface Insides {
  readonly views: Views;
}

export function activate(context: vscode.ExtensionContext): Insides {
  const views = createViews(context.workspaceState);
  context.subscriptions.push(
    vscode.commands.registerCommand('virtiofs.shareFolder', (folder?: vscode.Uri) =>
      shareFolder(context.extensionPath, folder),
    ),
    views,
  );
  return { views };
}
