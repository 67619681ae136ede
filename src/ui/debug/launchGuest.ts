/**
 * Shares a folder into a guest for the debugger: the same launcher in a terminal as "Share Folder into VM", told to the
 * debug adapter as it needs it.
 */
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';
import { trouble } from '../../base/catalogue';
import { debugSocketOf } from '../../control/runningShares';
import type { LaunchPlan } from '../../debug/configuration';
import type { Launched } from '../../debug/surroundings';
import { checkShareable } from '../preflight';
import { remedyHere } from '../remedyHere';
import { launch, startOptions } from '../shareFolder';
import type { SharedVm } from '../sharedVm';
import { type Studio, surroundings } from '../studio';

/**
 * Resolves as soon as the daemon takes debuggers; the guest waits until breakpoints are set. Throws a Trouble when it
 * does not come to that.
 */
export async function launchGuest(studio: Studio, plan: LaunchPlan, told: (text: string) => void): Promise<Launched> {
  await checkShareable(surroundings(studio), vscode.Uri.file(plan.directory));
  const usual = startOptions(studio, plan.guest === undefined ? {} : { guest: plan.guest });
  const inspectorPort = plan.inspectDaemon ? await freePort() : undefined;
  const vm = await launch(studio, {
    folder: plan.directory,
    options: {
      ...usual,
      shares: [],
      command: '',
      readOnly: plan.readOnly,
      tag: plan.tag ?? usual.tag,
    },
    held: true,
    words: [...plan.options, ...(inspectorPort === undefined ? [] : ['--inspect-daemon', String(inspectorPort)])],
  });
  const telling = vm.onDidChange(() => {
    if (vm.state.kind === 'preparing') told(vm.state.text);
  });
  try {
    await until(vm, () => vm.shares.length > 0);
    const [share] = vm.shares;
    const debugSocket = debugSocketOf(share.daemon.pid);
    // It listens a moment after its process has begun.
    while (!existsSync(debugSocket)) {
      if (!vm.isAlive) throw trouble('debugGuestEnded', endOf(vm));
      await sleep(50);
    }
    const up = until(vm, () => vm.isUp);
    // Whoever runs no command in it does not wait for that.
    up.catch(() => undefined);
    const ended = until(vm, () => !vm.isAlive).then(() => endOf(vm));
    void ended.then(() => telling.dispose());
    return {
      tag: share.tag,
      debugSocket,
      inspectorPort,
      up,
      ended,
      begin: () => vm.letStart(),
      run: (script) => vm.run(script),
      stop: async () => (vm.isAlive ? vm.stop() : undefined),
    };
  } catch (error) {
    telling.dispose();
    studio.vms.dismiss(vm);
    throw error;
  }
}

/** Rejects with a Trouble when the VM ends before that. */
function until(vm: SharedVm, happened: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): boolean => {
      if (happened()) resolve();
      else if (!vm.isAlive) reject(trouble('debugGuestEnded', endOf(vm)));
      else return false;
      return true;
    };
    if (look()) return;
    const watching = vm.onDidChange(() => {
      if (look()) watching.dispose();
    });
  });
}

function endOf({ state }: SharedVm): string {
  if (state.kind === 'failed') return `${state.text}. ${remedyHere(state.remedy)}`;
  return state.kind === 'stopped' ? state.status : 'its terminal was closed';
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
