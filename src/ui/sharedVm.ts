/**
 * One virtual machine that this window has started: its terminal, what its launcher says of it, what its shares are
 * doing.
 *
 * The terminal is the guest's console; closing it ends everything. Knows nothing of views.
 */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { TroubleCode } from '../base/catalogue';
import type { ShareActivity } from '../control/counters';
import { isServed } from '../control/launcher';
import type { LauncherFacts, LauncherState, RunResult, ShareFact, ShareProblem } from '../control/launcher';
import type { ControlHost } from './controlHost';
import { CounterReader } from './counterReader';
import { type LaunchOptions, shareWords } from './launchOptions';

/** Runs "$@"; when it fails, its last lines stay to be read. */
const KEEP_OPEN =
  '"$@"; status=$?; ' +
  '[ $status -eq 0 ] || { printf "\\n(ended with exit code %s, press Enter to close) " $status; read -r _; }; ' +
  'exit $status';

export type VmState =
  | { readonly kind: 'starting' }
  | LauncherState
  /** The launcher has gone without a word: its terminal was closed, or it was killed. */
  | { readonly kind: 'gone' };

export interface LaunchPlan {
  readonly folder: string;
  readonly options: LaunchOptions;
  /** More words for the launcher. */
  readonly words?: readonly string[];
  /** Its daemons start; the guest only when it is told to: `letStart`. */
  readonly held?: boolean;
}

/** How to start the launcher: Node.js, its variables, the command line's file. */
export interface LauncherProgram {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  readonly cli: string;
}

export class SharedVm implements vscode.Disposable {
  state: VmState = { kind: 'starting' };
  /** Of the daemons that are there, before the guest is. */
  shares: readonly ShareFact[] = [];
  facts: LauncherFacts | undefined;
  /** By tag. */
  readonly problems = new Map<string, ShareProblem>();
  /** The capture of a share is not whole. */
  captureIsCut = false;
  readonly terminal: vscode.Terminal;
  private readonly readers = new Map<string, CounterReader>();
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly counted = new vscode.EventEmitter<void>();
  /** State, facts or problems are others. */
  readonly onDidChange = this.changed.event;
  /** There are new readings of counters. */
  readonly onDidCount = this.counted.event;
  private readonly subscriptions: vscode.Disposable[] = [this.changed, this.counted];
  /** What runs, and what the next boot is to be. */
  private running: LaunchPlan;
  private next: LaunchPlan;
  /** The guest ends only to be booted anew. */
  private restarting = false;

  constructor(
    readonly id: number,
    plan: LaunchPlan,
    program: LauncherProgram,
    private readonly host: ControlHost,
  ) {
    this.running = this.next = plan;
    const { folder, held = false } = plan;
    if (!held) host.letStart();
    const command = [program.program, program.cli, 'share', '--control', host.path, ...shareWordsOf(plan)];
    this.terminal = vscode.window.createTerminal({
      name: `VM: ${this.name}`,
      iconPath: new vscode.ThemeIcon('vm'),
      shellPath: '/bin/sh',
      shellArgs: ['-c', KEEP_OPEN, 'virtiofs-studio', ...command],
      env: { ...program.env },
      cwd: folder,
      // A guest does not survive the window: never revived with its old text.
      isTransient: true,
    });
    host.events.on('state', (state) => this.enter(state));
    host.events.on('daemons', (shares) => {
      this.shares = shares;
      this.changed.fire();
    });
    host.events.on('facts', (facts) => this.learn(facts));
    host.events.on('problem', (problem) => {
      this.captureIsCut ||= problem.code === ('captureStopped' satisfies TroubleCode);
      const before = this.problems.get(problem.tag);
      // A share that answers no more does not become one that only lacks its capture.
      if (before === undefined || isServed(before)) this.problems.set(problem.tag, problem);
      this.changed.fire();
    });
    host.events.on('gone', () => this.enter({ kind: 'gone' }));
    this.subscriptions.push(
      vscode.window.onDidCloseTerminal((closed) => {
        if (closed !== this.terminal) return;
        host.dispose();
        this.enter({ kind: 'gone' });
      }),
    );
  }

  /** For a guest that is held; a later boot is not. */
  letStart(): void {
    this.host.letStart();
  }

  get name(): string {
    return basename(this.plan.folder) || this.plan.folder;
  }

  get plan(): LaunchPlan {
    return this.running;
  }

  /** What the next boot shares; it may be another folder than this one's. */
  get nextPlan(): LaunchPlan {
    return this.next;
  }

  get isUp(): boolean {
    return this.state.kind === 'up';
  }

  /** Whether a guest is there or on its way. */
  get isAlive(): boolean {
    return this.state.kind === 'starting' || this.state.kind === 'preparing' || this.isUp;
  }

  /** What is wrong with its shares; first what has ended one. */
  get worstProblem(): ShareProblem | undefined {
    const all = [...this.problems.values()];
    return all.find((problem) => !isServed(problem)) ?? all[0];
  }

  activity(tag: string): ShareActivity | undefined {
    return this.readers.get(tag)?.activity;
  }

  /** Of all shares together. */
  get requestsPerSecond(): number {
    return [...this.readers.values()].reduce((sum, { activity }) => sum + (activity?.perSecond ?? 0), 0);
  }

  /** What the next boot is to be like. */
  plans(next: LaunchPlan): void {
    this.next = next;
  }

  /** Boots it anew in the same terminal. Throws a Trouble when there is nothing to restart. */
  async restart(): Promise<void> {
    const { folder, options } = this.next;
    this.restarting = true;
    try {
      await this.host.restart(shareWords(folder, options));
    } catch (error) {
      this.restarting = false;
      throw error;
    }
    this.running = this.next;
    this.problems.clear();
    this.captureIsCut = false;
    this.changed.fire();
  }

  async stop(): Promise<void> {
    if (this.host.connected) await this.host.stop();
    else this.terminal.dispose();
  }

  run(script: string): Promise<RunResult> {
    return this.host.run(script);
  }

  /** Ends the guest, with everything of it. */
  dispose(): void {
    this.forgetReaders();
    this.host.dispose();
    this.terminal.dispose();
    this.subscriptions.splice(0).forEach((one) => one.dispose());
  }

  private enter(told: VmState): void {
    const again = this.restarting && told.kind === 'stopped';
    const state: VmState = again ? { kind: 'starting' } : told;
    if (told.kind !== 'stopped' && told.kind !== 'preparing') this.restarting = false;
    // What the launcher said last stays true when it has gone.
    if (state.kind === 'gone' && (this.state.kind === 'failed' || this.state.kind === 'stopped')) return;
    if (state.kind === 'gone' && this.state.kind === 'gone') return;
    const wasUp = this.isUp;
    this.state = state;
    if (!this.isAlive) this.forgetReaders();
    if (state.kind === 'up' && !wasUp && this.plan.options.command !== '') {
      this.terminal.sendText(this.plan.options.command);
    }
    this.changed.fire();
  }

  private learn(facts: LauncherFacts): void {
    this.forgetReaders();
    this.facts = facts;
    for (const { tag, countersSocket } of facts.shares) {
      this.readers.set(tag, new CounterReader(countersSocket, () => this.counted.fire()));
    }
    this.changed.fire();
  }

  private forgetReaders(): void {
    this.readers.forEach((reader) => reader.dispose());
    this.readers.clear();
  }
}

function shareWordsOf({ folder, options, words = [] }: LaunchPlan): string[] {
  return [...words, ...shareWords(folder, options)];
}
