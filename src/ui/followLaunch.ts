/**
 * What a person is told while a VM starts and when something goes wrong with it: progress while guest tools are
 * fetched, with a way out; a failure with its remedy; a daemon that died; a folder that has gone.
 */
import * as vscode from 'vscode';
import { Trouble, type TroubleCode } from '../base/catalogue';
import { isServed } from '../control/launcher';
import { showError, showInformation, showWarning } from './messages';
import type { SharedVm } from './sharedVm';
import type { Studio } from './studio';
import { type Offer, showTrouble } from './troubleMessage';
import { unlinked } from './unlinked';

export function followLaunch(studio: Studio, vm: SharedVm): void {
  let fetching: Fetching | undefined;
  let told: unknown;
  const problems = new Set<unknown>();
  const following = vm.onDidChange(() => {
    const { state } = vm;
    if (state.kind === 'preparing' && state.step === 'tools') {
      fetching ??= new Fetching(() => studio.vms.dismiss(vm));
      fetching.report(state.text);
    } else {
      fetching?.end();
      fetching = undefined;
    }
    if (state !== told) {
      told = state;
      tellState(studio, vm);
    }
    for (const problem of vm.problems.values()) {
      if (problems.has(problem)) continue;
      problems.add(problem);
      studio.log.error(`${vm.name}: ${problem.text}`);
      const act = (command: string) => () => vscode.commands.executeCommand(command, { kind: 'vm', vm });
      // Such a share goes on: whether and where it is captured from now on is chosen with the options.
      if (isServed(problem)) {
        const offer =
          problem.code === ('mappedFileShortened' satisfies TroubleCode)
            ? { title: 'Show DAX Window', act: act('virtiofs.dax.focus') }
            : { title: 'Change Options…', act: act('virtiofs.changeOptions') };
        void showTrouble(problem.text, problem.remedy, [offer], showWarning);
      } else {
        const again = { title: 'Restart VM', act: act('virtiofs.restartVm') };
        void showTrouble(problem.text, problem.remedy, [again, { title: 'Stop VM', act: () => vm.stop() }]);
      }
    }
    if (!vm.isAlive) following.dispose();
  });
}

function tellState(studio: Studio, vm: SharedVm): void {
  const { state } = vm;
  if (state.kind === 'preparing') studio.log.info(`${vm.name}: ${state.text}`);
  else if (state.kind === 'up') studio.log.info(`${vm.name}: Linux ${state.release} is up`);
  else if (state.kind === 'stopped') studio.log.info(`${vm.name}: ended (${state.status})`);
  else if (state.kind === 'failed') {
    studio.log.error(`${vm.name}: ${state.text}\n${state.remedy}`);
    void showTrouble(state.text, state.remedy, [
      { title: 'Check Environment', act: () => vscode.commands.executeCommand('virtiofs.checkEnvironment') },
      { title: 'Show Console', act: () => vm.terminal.show() },
      { title: 'Try Again', act: () => vscode.commands.executeCommand('virtiofs.restartVm', { kind: 'vm', vm }) },
    ]);
  }
}

/** A notification with a Cancel button, for as long as tools are fetched. */
class Fetching {
  private progress: vscode.Progress<{ message: string }> | undefined;
  private latest = '';
  private done!: () => void;

  constructor(cancelled: () => void) {
    const ended = new Promise<void>((resolve) => (this.done = resolve));
    void vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: 'Virtio-FS: guest tools', cancellable: true },
      (progress, token) => {
        this.progress = progress;
        progress.report({ message: this.latest });
        token.onCancellationRequested(cancelled);
        return ended;
      },
    );
  }

  report(text: string): void {
    this.latest = unlinked(text);
    this.progress?.report({ message: this.latest });
  }

  end(): void {
    this.done();
  }
}

/** Runs a command's body; what the catalogue has a row for is told, with the way to where it is mended. */
export async function telling<T>(body: () => Promise<T>): Promise<T | undefined> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof Trouble)) {
      // VS Code shows it, as a message of its own.
      if (error instanceof Error) error.message = unlinked(error.message);
      throw error;
    }
    const check = {
      title: 'Check Environment',
      act: () => vscode.commands.executeCommand('virtiofs.checkEnvironment'),
    };
    const trust = {
      title: 'Manage Trust',
      act: () => vscode.commands.executeCommand('workbench.trust.manage'),
    };
    const settings = {
      title: 'Open Settings',
      act: () => vscode.commands.executeCommand('virtiofs.openSettings'),
    };
    const share = {
      title: 'Share Folder into VM…',
      act: () => vscode.commands.executeCommand('virtiofs.shareFolder'),
    };
    const offered: Partial<Record<TroubleCode, Offer>> = {
      workspaceUntrusted: trust,
      nodeMissing: check,
      settingBad: settings,
      profileBad: settings,
      noVm: share,
    };
    const offer = offered[error.code];
    // Not awaited: the message stays until it is read, the command has ended.
    const show = error.code === 'noVm' ? showInformation : showError;
    void showTrouble(error.message, error.remedy, offer ? [offer] : [], show);
    return undefined;
  }
}
