/**
 * What is debugged: a share that runs (`liveTarget.ts`) or a capture (`recordedTarget.ts`). The adapter asks, the
 * target tells through `TargetEvents`.
 */
import type { BreakpointRule, ExceptionRule, RuleVerdict } from './breakpoints';
import type { Fact, Picture } from './picture';
import type { Shown } from './turns';

export type StopReason =
  'breakpoint' | 'function breakpoint' | 'exception' | 'pause' | 'step' | 'goto' | 'restart' | 'entry';

export interface Stop {
  readonly thread: number;
  readonly reason: StopReason;
  readonly description: string;
  readonly text?: string;
  /** Breakpoints or exception filters, by the numbers their rules have. */
  readonly rules: readonly number[];
  /** Stopped by another thread's stop, which is the one to look at. */
  readonly aside?: true;
}

export interface TargetEvents {
  stopped(stop: Stop): void;
  /** It goes on by itself: waits for a lock or another thread. */
  running(thread: number): void;
  threadBegan(thread: number): void;
  threadEnded(thread: number): void;
  output(category: 'console' | 'stdout' | 'stderr' | 'important', text: string): void;
  /** Shows how long work goes on; `cancel` is called when it is not wanted any more. */
  progress(title: string, cancel: () => void): Shown;
  /** The share is over. */
  ended(text: string): void;
}

export type Move = 'continue' | 'next' | 'stepIn' | 'stepOut' | 'stepBack' | 'reverseContinue';

export interface ThreadFacts {
  readonly id: number;
  readonly name: string;
}

export interface HeldLine {
  readonly thread: number;
  readonly title: string;
  readonly phase: string;
  /** Milliseconds. */
  readonly waited: number;
}

export interface Target {
  readonly recorded: boolean;
  threads(): readonly ThreadFacts[];
  /** It has a request, which is held. */
  isStopped(thread: number): boolean;
  /** Of a thread without a request: what keeps it, where something does. */
  waitsFor(thread: number): string | undefined;
  /** Throws a Trouble for a thread that is not stopped. */
  picture(thread: number): Promise<Picture>;
  setBreakpoints(rules: readonly BreakpointRule[]): Promise<readonly RuleVerdict[]>;
  setExceptions(rules: readonly ExceptionRule[]): Promise<readonly RuleVerdict[]>;
  /** Breakpoints are set: it may begin. */
  begin(): Promise<void>;
  move(thread: number, how: Move): Promise<void>;
  pause(thread: number): Promise<void>;
  answer(thread: number, errno: number): Promise<void>;
  rerun(thread: number): Promise<void>;
  /** Problems that the server will have with it. */
  write(thread: number, side: Side, at: number, bytes: Uint8Array, replace: number): Promise<readonly string[]>;
  read(thread: number, side: Side, at: number, count: number): Promise<Uint8Array>;
  readGuest(address: bigint, count: number): Promise<Uint8Array>;
  held(): Promise<readonly HeldLine[]>;
  inode(nodeid: string): Promise<readonly Fact[] | undefined>;
  handle(fh: string, nodeid: string): Promise<readonly Fact[] | undefined>;
  /** The rules that are set, after `change`. */
  faults(change?: { readonly add: string } | 'clear'): Promise<readonly string[]>;
  close(): void;
}

export type Side = 'request' | 'reply';
