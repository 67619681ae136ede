/** What the parts of the extension share. Made once, in `extension.ts`. */
import * as vscode from 'vscode';
import type { Surroundings } from './preflight';
import type { OutsideShares } from './outsideShares';
import type { VirtualMachines } from './virtualMachines';

export interface Studio {
  readonly extensionPath: string;
  readonly vms: VirtualMachines;
  readonly outside: OutsideShares;
  /** The daemon's debug socket of each debug session of this window, however it was started. */
  readonly debugged: Map<string, string>;
  readonly log: vscode.LogOutputChannel;
  /** Of this workspace. */
  readonly memory: vscode.Memento;
}

export function surroundings({ extensionPath }: Studio): Surroundings {
  const { platform, arch } = process;
  return { platform, arch, trusted: vscode.workspace.isTrusted, extensionPath };
}
