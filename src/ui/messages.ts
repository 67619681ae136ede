/**
 * Messages to a person. The only file that has VS Code show one (lint sees to it), since what it shows must hold no
 * links of others.
 */
import * as vscode from 'vscode';
import { unlinked } from './unlinked';

/** Resolves to the action that was chosen; not before the message is gone. */
export type Show = (text: string, ...actions: readonly string[]) => Thenable<string | undefined>;

export const showInformation: Show = (text, ...actions) =>
  vscode.window.showInformationMessage(unlinked(text), ...actions);

export const showWarning: Show = (text, ...actions) => vscode.window.showWarningMessage(unlinked(text), ...actions);

export const showError: Show = (text, ...actions) => vscode.window.showErrorMessage(unlinked(text), ...actions);
