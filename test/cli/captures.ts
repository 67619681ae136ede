/** Captures in a folder, the command line as a child process, and a share that gives a capture to whoever connects. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { announceShare, openSharesFolder, socketOf } from '../../src/control/runningShares';
import { CaptureBuilder } from '../trace/captureBuilder';

const MAIN = 'out/src/cli/main.js';

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'virtiofs-cli-test-'));
  private readonly env = { ...process.env, XDG_RUNTIME_DIR: this.folder, NO_COLOR: '', TERM: 'xterm' };
  private readonly ends: (() => void)[] = [];

  remove(): void {
    for (const end of this.ends) end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  file(name: string, content: Uint8Array | string): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Runs a command to its end. */
  run(args: readonly string[], options: { input?: Uint8Array; stdin?: number; env?: NodeJS.ProcessEnv } = {}): Outcome {
    const env = { ...this.env, ...options.env };
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
      env,
      timeout: 30_000,
      maxBuffer: 64 << 20,
      ...(options.input && { input: options.input }),
      ...(options.stdin !== undefined && { stdio: [options.stdin, 'pipe', 'pipe'] }),
    });
    return { status, stdout: stdout.toString(), stderr: stderr.toString() };
  }

  /** Its output, when it has ended well. */
  good(...args: string[]): string {
    const { status, stdout, stderr } = this.run(args);
    assert.equal(status, 0, stderr);
    return stdout;
  }

  /** Starts a command; `Running` watches it. */
  start(...args: string[]): Running {
    const running = new Running(spawn(process.execPath, [MAIN, ...args], { env: this.env, stdio: 'pipe' }));
    this.ends.push(() => void running.child.kill('SIGKILL'));
    return running;
  }

  /** A share of this process (or `pid`'s) that gives `begin` to whoever connects; resolves with the connections. */
  async share(tag: string, begin: Uint8Array, pid = process.pid): Promise<Socket[]> {
    const run = openSharesFolder(join(this.folder, 'virtiofs-studio'));
    const directory = this.path(`shared-${tag}`);
    mkdirSync(directory, { recursive: true });
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined).resume();
      socket.write(begin);
    });
    await new Promise<void>((resolve) => server.listen(socketOf(pid, run), resolve));
    this.ends.push(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    announceShare({ pid, tag, directory, started: '2026-01-01T00:00:00.000Z' }, run);
    return sockets;
  }
}

export class Running {
  stdout = '';
  stderr = '';
  readonly ended: Promise<number | null>;

  constructor(readonly child: ChildProcess) {
    child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.ended = new Promise((resolve) => child.once('close', resolve));
  }

  /** Waits until the output has it. */
  async shows(pattern: RegExp): Promise<void> {
    for (let i = 0; i < 1500; i++) {
      if (pattern.test(this.stdout)) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.match(this.stdout, pattern, this.stderr);
  }
}

/** A few requests of every kind that matters here. */
export function sample(): CaptureBuilder {
  return new CaptureBuilder({ tag: 'work', directory: '/srv/work' })
    .vhostUser(1)
    .init({ pid: 0 })
    .exchange('LOOKUP', {
      names: ['a.db'],
      out: { nodeid: 2, attr: { mode: 0o100644 } },
      hostCalls: [{ call: 'statx', arguments: [3, 0, 256, 2047, 0], texts: ['a.db'] }],
    })
    .exchange('OPEN', { nodeid: 2, in: { flags: 2 }, out: { fh: 7 }, pid: 200 })
    .exchange('READ', { nodeid: 2, in: { fh: 7, size: 4096 }, outPayload: 4096, latency: 90_000, pid: 200 })
    .exchange('LOOKUP', { names: ['missing'], error: 'ENOENT' })
    .exchange('FORGET', { nodeid: 2, in: { nlookup: 1 } });
}
