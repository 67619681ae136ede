/**
 * The views of captures, loaded behind activation: they bring all tables of the protocol with them. Their commands are
 * there at once (package.json names them) and wait for the rest.
 */
import * as vscode from 'vscode';
import type { Views } from './views';
import type { VirtualMachines } from './virtualMachines';

const OWN = /^virtiofs\.(?:requests|inodes|trace|timeline)\./;

export class LazyViews implements vscode.Disposable {
  private readonly commands: vscode.Disposable[];
  private views: Promise<Views> | undefined;
  private readonly timer: NodeJS.Immediate;

  constructor(
    private readonly extension: vscode.ExtensionContext,
    private readonly vms: VirtualMachines,
  ) {
    const { commands } = (extension.extension.packageJSON as Manifest).contributes;
    this.commands = commands
      .filter(({ command }) => OWN.test(command))
      .map(({ command }) =>
        vscode.commands.registerCommand(command, async (...args: unknown[]) => (await this.load()).run(command, args)),
      );
    // VS Code asks for what is in a view as soon as it is shown.
    this.timer = setImmediate(() => void this.load());
  }

  load(): Promise<Views> {
    this.views ??= import(/* webpackChunkName: "views" */ './views.js').then(({ createViews }) =>
      createViews(this.extension, this.vms),
    );
    return this.views;
  }

  dispose(): void {
    clearImmediate(this.timer);
    for (const one of this.commands) one.dispose();
    void this.views?.then((views) => views.dispose());
  }
}

interface Manifest {
  readonly contributes: { readonly commands: readonly { readonly command: string }[] };
}
