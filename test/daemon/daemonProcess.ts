/**
 * The daemon as a process of its own, started with any arguments and descriptors: what `startDaemon` of the driver is
 * for sessions that work, this is for the ways in which a daemon begins and ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { AttachedDevice, type DeviceOptions } from '../driver/attachedDevice';
import { FrontEnd } from '../driver/frontEnd';
import { FuseCalls } from '../driver/fuseCalls';
import { FuseClient } from '../driver/fuseClient';
import { connectUnix } from '../driver/host';

export const ROOT = 1n;

const program = path.resolve(__dirname, '../../../dist/daemon.js');

export interface DaemonOptions {
  /** Descriptors that the daemon gets from number 3 on. */
  readonly descriptors?: readonly number[];
  /** A command in front of the daemon's. */
  readonly wrap?: readonly string[];
}

export class DaemonProcess {
  private readonly child: ChildProcess;
  private readonly wrapped: boolean;
  private text = '';
  private printed = '';

  constructor(argv: readonly string[], { descriptors = [], wrap = [] }: DaemonOptions = {}) {
    const [command, ...rest] = [...wrap, process.execPath, program, ...argv];
    // The command in front may end without the daemon: the two have a group of their own.
    this.wrapped = wrap.length > 0;
    const stdio = ['ignore', 'pipe', 'pipe', ...descriptors] as const;
    this.child = spawn(command, rest, { stdio: [...stdio], cwd: '/', detached: this.wrapped });
    this.child.stdout?.on('data', (data: Buffer) => (this.printed += data.toString()));
    this.child.stderr?.on('data', (data: Buffer) => (this.text += data.toString()));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** What it has written to standard error and to standard output. */
  get log(): string {
    return this.text;
  }

  get output(): string {
    return this.printed;
  }

  get running(): boolean {
    return this.status === undefined;
  }

  /** Its exit code (128 + the signal's number), once it has ended and all it wrote has been read. */
  async exit(milliseconds = 8000): Promise<number> {
    if (!this.closed) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`still running:\n${this.text}`)), milliseconds);
        this.child.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.status ?? -1;
  }

  /** Until its log matches. */
  async says(pattern: RegExp, milliseconds = 8000): Promise<void> {
    for (let waited = 0; !pattern.test(this.text); waited += 5) {
      if (waited > milliseconds || !this.running) throw new Error(`did not say ${String(pattern)}:\n${this.text}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Nobody reads its messages any more. */
  closeLog(): void {
    this.child.stderr?.destroy();
  }

  /** For the end of a test, however it went. */
  async stop(): Promise<void> {
    if (this.running) process.kill(this.wrapped ? -this.pid : this.pid, 'SIGKILL');
    await this.exit();
  }

  private get closed(): boolean {
    return this.status !== undefined && (this.child.stderr?.closed ?? true);
  }

  private get status(): number | undefined {
    const { exitCode, signalCode } = this.child;
    if (exitCode !== null) return exitCode;
    return signalCode === null ? undefined : 128 + os.constants.signals[signalCode];
  }
}

/** Connects to a socket as soon as there is one that listens. */
export async function connect(socket: string): Promise<FrontEnd> {
  for (let waited = 0; ; waited += 5) {
    try {
      if (existsSync(socket)) return new FrontEnd(connectUnix(socket));
    } catch (error) {
      if (waited > 8000) throw error;
    }
    if (waited > 8000) throw new Error(`nobody listens on ${socket}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A guest that has started its driver and said INIT. */
export class Session {
  readonly device: AttachedDevice;
  readonly client: FuseClient;
  readonly calls: FuseCalls;

  constructor(frontEnd: FrontEnd, options: DeviceOptions = {}) {
    this.device = new AttachedDevice(frontEnd, options);
    this.client = new FuseClient(this.device, 128 * 1024);
    this.calls = new FuseCalls(this.client);
    this.calls.init();
  }

  static async begin(socket: string, options?: DeviceOptions): Promise<Session> {
    return new Session(await connect(socket), options);
  }

  end(): void {
    this.device.close();
  }
}
