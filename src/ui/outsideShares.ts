/**
 * Shares of this user that this window has not started: from a terminal, libvirt, another window. Looked for only while
 * somebody looks at them.
 */
import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import { type RunningShare, runningShares } from '../control/runningShares';
import { CounterReader } from './counterReader';
import type { VirtualMachines } from './virtualMachines';

const LOOK_MS = 3000;

export class OutsideShares implements vscode.Disposable {
  private shares: readonly RunningShare[] = [];
  private readonly readers = new Map<number, CounterReader>();
  private timer: NodeJS.Timeout | undefined;
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly counted = new vscode.EventEmitter<number>();
  readonly onDidChange = this.changed.event;
  /** With the process id. */
  readonly onDidCount = this.counted.event;

  /** `faulty` is told, once, why the folder of shares is not believed. */
  constructor(
    private readonly vms: VirtualMachines,
    private readonly faulty: (why: string) => void,
  ) {}

  get all(): readonly RunningShare[] {
    return this.shares;
  }

  activity(pid: number): CounterReader['activity'] {
    return this.readers.get(pid)?.activity;
  }

  /** Looks now and then from here on, or not any more. */
  watch(on: boolean): void {
    clearInterval(this.timer);
    this.timer = undefined;
    if (!on) {
      this.readers.forEach((reader) => reader.dispose());
      this.readers.clear();
      return;
    }
    this.look();
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  look(): void {
    const own = this.vms.daemons;
    const found = this.read().filter(({ pid }) => !own.has(pid));
    for (const [pid, reader] of this.readers) {
      if (found.some((share) => share.pid === pid)) continue;
      reader.dispose();
      this.readers.delete(pid);
    }
    for (const { pid, counters } of found) {
      if (this.readers.has(pid) || !existsSync(counters)) continue;
      this.readers.set(pid, new CounterReader(counters, () => this.counted.fire(pid)));
    }
    const same = found.length === this.shares.length && found.every(({ pid }, index) => this.shares[index].pid === pid);
    this.shares = found;
    if (!same) this.changed.fire();
  }

  dispose(): void {
    this.watch(false);
    this.changed.dispose();
    this.counted.dispose();
  }

  private told = false;

  private read(): RunningShare[] {
    try {
      return runningShares();
    } catch (error) {
      if (!this.told) this.faulty(error instanceof Error ? error.message : String(error));
      this.told = true;
      return [];
    }
  }
}
