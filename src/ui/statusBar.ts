/** A status bar item for each virtual machine: requests a second; a click shows what can be done with it. */
import * as vscode from 'vscode';
import { isServed } from '../control/launcher';
import type { SharedVm } from './sharedVm';
import { rateText } from './sharesTree';
import type { Studio } from './studio';
import { sentence } from './sentence';

export class StatusBar implements vscode.Disposable {
  private readonly items = new Map<SharedVm, vscode.StatusBarItem>();
  private readonly subscriptions: vscode.Disposable[];

  constructor(private readonly studio: Studio) {
    const { vms } = studio;
    this.subscriptions = [
      vms.onDidChange((vm) => (vm === undefined ? this.renew() : this.draw(vm))),
      vms.onDidCount((vm) => this.draw(vm)),
    ];
  }

  dispose(): void {
    this.subscriptions.forEach((one) => one.dispose());
    this.items.forEach((item) => item.dispose());
    this.items.clear();
  }

  private renew(): void {
    const { all } = this.studio.vms;
    for (const [vm, item] of this.items) {
      if (all.includes(vm)) continue;
      item.dispose();
      this.items.delete(vm);
    }
    for (const vm of all) {
      if (this.items.has(vm)) continue;
      const item = vscode.window.createStatusBarItem(`virtiofs.vm${vm.id}`, vscode.StatusBarAlignment.Left, -vm.id);
      item.name = `Virtio-FS: ${vm.name}`;
      item.command = { command: 'virtiofs.vmActions', title: 'Actions', arguments: [{ kind: 'vm', vm }] };
      this.items.set(vm, item);
      this.draw(vm);
      item.show();
    }
  }

  private draw(vm: SharedVm): void {
    const item = this.items.get(vm);
    if (item === undefined) return;
    const { state } = vm;
    const problem = vm.worstProblem;
    const warned = problem !== undefined && isServed(problem);
    const failed = state.kind === 'failed' || (problem !== undefined && !warned);
    const icon = failed ? '$(error)' : warned ? '$(warning)' : vm.isUp ? '$(vm-running)' : '$(loading~spin)';
    const colour = failed ? 'errorBackground' : warned ? 'warningBackground' : undefined;
    item.text = `${icon} ${vm.name}${vm.isUp && !failed ? ` ${rateText(vm.requestsPerSecond)}` : ''}`;
    item.backgroundColor = colour && new vscode.ThemeColor(`statusBarItem.${colour}`);
    item.tooltip =
      state.kind === 'failed'
        ? sentence(state.text, state.remedy)
        : problem !== undefined
          ? sentence(problem.text, problem.remedy)
          : `${vm.name}: ${vm.isUp ? 'requests a second of its shares' : state.kind === 'preparing' ? state.text : state.kind}`;
    item.accessibilityInformation = { label: `Virtual machine ${vm.name}: ${item.tooltip}`, role: 'button' };
  }
}
