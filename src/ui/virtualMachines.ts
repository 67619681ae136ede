/**
 * The virtual machines of this window, several at a time: started, looked up, told of, ended with it.
 *
 * A machine that ended in order leaves the list; one that failed stays until it is dismissed or started again.
 */
import * as vscode from 'vscode';
import type { ControlHost } from './controlHost';
import { type LaunchPlan, type LauncherProgram, SharedVm } from './sharedVm';

export class VirtualMachines implements vscode.Disposable {
  private readonly list: SharedVm[] = [];
  private count = 0;
  private readonly changed = new vscode.EventEmitter<SharedVm | undefined>();
  private readonly counted = new vscode.EventEmitter<SharedVm>();
  /** One of them is in another state; undefined: the list is another. */
  readonly onDidChange = this.changed.event;
  readonly onDidCount = this.counted.event;

  get all(): readonly SharedVm[] {
    return this.list;
  }

  /** The processes that serve its shares. */
  get daemons(): ReadonlySet<number> {
    return new Set(this.list.flatMap(({ shares }) => shares.map(({ daemon }) => daemon.pid)));
  }

  start(plan: LaunchPlan, program: LauncherProgram, host: ControlHost): SharedVm {
    const vm = new SharedVm(++this.count, plan, program, host);
    this.list.push(vm);
    vm.onDidChange(() => {
      if (vm.state.kind === 'stopped' || vm.state.kind === 'gone') this.remove(vm);
      else this.changed.fire(vm);
    });
    vm.onDidCount(() => this.counted.fire(vm));
    this.listChanged();
    return vm;
  }

  /** Ends it, and takes it off the list. */
  dismiss(vm: SharedVm): void {
    vm.dispose();
    this.remove(vm);
  }

  dispose(): void {
    this.list.splice(0).forEach((vm) => vm.dispose());
    this.changed.dispose();
    this.counted.dispose();
  }

  private remove(vm: SharedVm): void {
    const at = this.list.indexOf(vm);
    if (at < 0) return;
    this.list.splice(at, 1);
    this.listChanged();
  }

  private listChanged(): void {
    void vscode.commands.executeCommand('setContext', 'virtiofs.hasVms', this.list.length > 0);
    this.changed.fire(undefined);
  }
}
