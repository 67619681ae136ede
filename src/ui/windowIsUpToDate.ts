import * as vscode from 'vscode';

/** Resolves when VS Code's window has taken in what it was told so far, and has told what came of that. */
export async function windowIsUpToDate(): Promise<void> {
  // What is set of a quick pick is sent by a timer that is due at once.
  await new Promise((resolve) => setTimeout(resolve, 0));
  // Runs in the window, and both ways keep their order.
  await vscode.commands.executeCommand('setContext', 'virtiofs.upToDate', true);
}
