/**
 * Debug configurations: what F5 does without a launch.json, what a new one has in it, and what can be picked without
 * one.
 */
import * as vscode from 'vscode';
import { trouble, Trouble } from '../../base/catalogue';
import { runningShares, type RunningShare } from '../../control/runningShares';
import { showError } from '../messages';

export const TYPE = 'virtiofs';

/** Shares of this user that run; none where that cannot be known. */
function shares(): RunningShare[] {
  try {
    return runningShares();
  } catch (error) {
    if (error instanceof Trouble) return [];
    throw error;
  }
}

export const attachTo = ({
  tag,
  pid,
  directory,
}: Pick<RunningShare, 'tag' | 'pid' | 'directory'>): vscode.DebugConfiguration => ({
  type: TYPE,
  request: 'attach',
  name: `Debug share ${tag || directory}`,
  pid,
});

const launchWorkspace: vscode.DebugConfiguration = {
  type: TYPE,
  request: 'launch',
  name: 'Share this folder and debug its requests',
  directory: '${workspaceFolder}',
};

export class DebugConfigurations implements vscode.DebugConfigurationProvider {
  /** What a new launch.json begins with. */
  provideDebugConfigurations(): vscode.DebugConfiguration[] {
    return [launchWorkspace, { type: TYPE, request: 'attach', name: 'Debug a share that runs', share: 'share' }];
  }

  resolveDebugConfiguration(
    folder: vscode.WorkspaceFolder | undefined,
    configuration: vscode.DebugConfiguration,
  ): vscode.DebugConfiguration | undefined {
    if (configuration.type !== undefined && configuration.type !== '') return configuration;
    // No launch.json at all: the share that runs, else this folder in a new guest. Without debugging one that runs has
    // nothing to gain.
    const noDebug = configuration.noDebug === true;
    const running = noDebug ? [] : shares();
    if (running.length === 1) return attachTo(running[0]);
    if (folder !== undefined) return { ...launchWorkspace, ...(noDebug && { noDebug }) };
    void showError('Open a folder to share it and debug its requests.');
    return undefined;
  }

  resolveDebugConfigurationWithSubstitutedVariables(
    _folder: vscode.WorkspaceFolder | undefined,
    configuration: vscode.DebugConfiguration,
  ): vscode.DebugConfiguration {
    if (configuration.request === 'launch' && configuration['capture'] === undefined && !vscode.workspace.isTrusted) {
      throw trouble('workspaceUntrusted');
    }
    return configuration;
  }
}

/** Each share that runs, in "Select and Start Debugging". */
export const runningConfigurations: vscode.DebugConfigurationProvider = {
  provideDebugConfigurations: () => [launchWorkspace, ...shares().map(attachTo)],
};
