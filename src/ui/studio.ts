/** What the parts of the extension share. Made once, in `extension.ts`. */
import type * as vscode from 'vscode';
import type { OutsideShares } from './outsideShares';
import type { VirtualMachines } from './virtualMachines';

export interface Studio {
  readonly extensionPath: string;
  readonly vms: VirtualMachines;
  readonly outside: OutsideShares;
  readonly log: vscode.LogOutputChannel;
  /** Of this workspace. */
  readonly memory: vscode.Memento;
}
