/** What a guest is started with, and what there is of one that runs. */
import type { ChildProcess } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import type { BackEnd } from './backEnd';
import type { CommandOptions, CommandResult } from './commandChannel';
import type { InitPlan } from './guestInit';
import type { ExtraFile } from './initramfs';
import type { QmpClient } from './qmp';
import type { Kernel, Toolbox } from './toolbox';
import type { Workplace } from './workplace';

export interface GuestShare {
  readonly directory: string;
  readonly tag: string;
  readonly readOnly?: boolean;
  /** Options of the daemon beside those for folder, tag and socket, in virtiofsd's spelling. */
  readonly daemonOptions?: readonly string[];
  /** Our daemon's JavaScript can be debugged on this port of this machine. */
  readonly inspectorPort?: number;
  /** Options of `mount -o` in the guest. */
  readonly mountOptions?: string;
  /** A DAX window (QEMU only): see `daxChecks.ts` for what it needs. */
  readonly dax?: {
    readonly bytes: number;
    /** In the words of the daemon's --dax-policy. */
    readonly policy?: string;
    /** Which files the guest takes through it. Default inode: those that the daemon says can go that way. */
    readonly mount?: 'inode' | 'always' | 'never';
  };
  /**
   * Another daemon than ours: its whole command line, given the descriptor of the listening socket. `daemonOptions`
   * and `readOnly` are then its own business.
   */
  readonly daemon?: (socketFd: number) => readonly string[];
  /** Called with our daemon's capture (pcapng). It must be read to its end. */
  readonly onTrace?: (stream: Readable) => void;
}

export interface GuestOptions {
  readonly kind: 'qemu' | 'uml';
  readonly tools: Toolbox;
  /** Each has a daemon of its own and is mounted at `mountPoint(tag)`. */
  readonly shares: readonly GuestShare[];
  /** Another kernel than that of the tools (QEMU only). */
  readonly kernel?: Kernel;
  /** Default: no KVM. */
  readonly accelerator?: 'kvm' | 'tcg';
  /** Default: 512 for QEMU, 256 for UML. */
  readonly memoryMiB?: number;
  /** Default 2; UML has always 1. */
  readonly cpus?: number;
  /** Request queues of each share (QEMU only), default 1. */
  readonly queues?: number;
  readonly qemuArguments?: readonly string[];
  readonly kernelArguments?: readonly string[];
  readonly extraFiles?: readonly ExtraFile[];
  /** Give one more byte channel between the host and programs in the guest: `Guest.extra`. */
  readonly extraChannel?: boolean;
  /** Keep QEMU alive when the guest reboots, for `Guest.reboot`. */
  readonly reboot?: boolean;
  /** Give an interactive shell on the console. */
  readonly shell?: Omit<NonNullable<InitPlan['shell']>, 'terminal'>;
  /** How long until the folders are mounted; 0: however long that is. Default 60 s. */
  readonly bootTimeoutMs?: number;
  /** Told of each step in a few words. */
  readonly progress?: (line: string, step: 'daemons' | 'boot' | 'up') => void;
  /** Awaited when all daemons are there, before the guest starts. */
  readonly onDaemons?: (backEnds: readonly BackEnd[]) => Promise<void>;
  /** Called when all processes are there, before the guest is up. */
  readonly onStarted?: (guest: ChildProcess, backEnds: readonly BackEnd[]) => void;
}

export interface Guest {
  /** Release of the running kernel. */
  readonly release: string;
  readonly workplace: Workplace;
  readonly backEnds: readonly BackEnd[];
  /** QEMU or UML. */
  readonly process: ChildProcess;
  /** The serial console, from the moment the guest was ready. */
  readonly console: Duplex;
  /** Only with QEMU. */
  readonly qmp: QmpClient | undefined;
  /** The host's end of the extra channel, and its device in the guest as a shell pattern. */
  readonly extra: { readonly stream: Duplex; readonly device: string } | undefined;
  /** Runs a shell script in the guest, in the first share's folder. */
  run(script: string, options?: CommandOptions): Promise<CommandResult>;
  /** Reboots and waits until everything is mounted again. Needs `GuestOptions.reboot`. */
  reboot(): Promise<void>;
  /** Unmounts, powers off, waits, and removes everything. May be called again, and after the guest has ended. */
  stop(): Promise<void>;
  /** Resolves when the guest has powered itself off, or died. Its daemons may still be ending. */
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
}

/** Memory of a QEMU guest that nobody has said anything of. */
export const QEMU_MEMORY_MIB = 512;
