/**
 * `virtiofs-studio share` of the bundle in a process of its own, with a fresh folder to share, and on a terminal.
 *
 * Owns that nothing of a test stays, also of one that fails half way.
 */
import * as assert from 'node:assert/strict';
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exited } from '../../src/vm/workplace';
import { needGuests } from './bootGuest';

export const CLI = path.resolve(__dirname, '../../../dist/cli.js');

/** To be called in a `describe`. */
export function useShare(): ShareProcesses {
  const at = new ShareProcesses();
  before(async function () {
    await needGuests(this);
    assert.ok(fs.existsSync(CLI), 'dist/cli.js is not built');
  });
  beforeEach(() => at.begin());
  afterEach(() => at.end());
  return at;
}

class ShareProcesses {
  /** Of this test. */
  base!: string;
  shared!: string;
  /** What TMPDIR is. */
  temporary!: string;
  private started: ChildProcess[] = [];

  begin(): void {
    this.base = fs.mkdtempSync('/tmp/virtiofs-share-');
    [this.shared, this.temporary] = ['shared', 'temporary'].map((name) => path.join(this.base, name));
    fs.mkdirSync(this.shared);
    fs.mkdirSync(this.temporary);
  }

  /** Whatever still runs belongs to a test that has failed. */
  async end(): Promise<void> {
    for (const child of this.started.splice(0)) {
      try {
        process.kill(-(child.pid ?? assert.fail('not started')), 'SIGKILL');
      } catch {
        // Nobody of its group is left, as it should be.
      }
      await exited(child);
    }
    fs.rmSync(this.base, { recursive: true, force: true, maxRetries: 10 });
  }

  environment(): NodeJS.ProcessEnv {
    return { ...process.env, TMPDIR: this.temporary, TERM: 'xterm' };
  }

  /** In a group of its own, which goes with the test. */
  spawn(program: string, words: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn(program, words, { env: this.environment(), detached: true, ...options });
    this.started.push(child);
    return child;
  }

  share(...words: string[]): ChildProcess {
    const accelerator = words.includes('uml') ? [] : ['--accel', 'tcg'];
    return this.spawn(process.execPath, [CLI, 'share', this.shared, ...accelerator, ...words]);
  }

  /** Command lines of processes that name the test's folder: the guest, the daemon, the janitor. */
  processes(): string[] {
    return fs
      .readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .map((pid) => {
        try {
          return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        } catch {
          return ''; // It has just ended.
        }
      })
      .filter((line) => line.includes(this.base));
  }

  async nothingIsLeft(): Promise<void> {
    const temporary = (): string[] => fs.readdirSync(this.temporary);
    for (let tries = 0; tries < 200 && (this.processes().length > 0 || temporary().length > 0); tries++) {
      await sleep(25);
    }
    assert.deepEqual(this.processes(), []);
    assert.deepEqual(temporary(), []);
  }
}

export async function finished(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
  let [out, err] = ['', ''];
  child.stdout?.on('data', (chunk) => (out += String(chunk)));
  child.stderr?.on('data', (chunk) => (err += String(chunk)));
  const { code } = await exited(child);
  return { code, out, err };
}

/** A terminal on which `share` runs. Needs the program `script`. */
export class Terminal {
  /** All that was on it. */
  screen = '';
  private seenUpTo = 0;
  private readonly script: ChildProcess;

  /** `before`: commands of a shell. */
  constructor(at: ShareProcesses, words: string, before = '') {
    const command = `${before}exec ${process.execPath} ${CLI} share ${at.shared} ${words}`;
    this.script = at.spawn('script', ['-qec', command, '/dev/null']);
    this.script.stdout?.on('data', (chunk) => (this.screen += String(chunk)));
  }

  type(keys: string): void {
    this.script.stdin?.write(keys);
  }

  /** Waits for what was not seen before; types `again` now and then. */
  async seen(text: RegExp, again?: string): Promise<void> {
    for (let tries = 0; !text.test(this.screen.slice(this.seenUpTo)); tries++) {
      assert.ok(tries < 1200, `"${text}" does not come:\n${this.screen}`);
      if (again !== undefined && tries % 10 === 0) this.type(again);
      await sleep(25);
    }
    this.seenUpTo = this.screen.length;
  }

  /** With which exit code it has ended. */
  async left(): Promise<number | null> {
    return (await exited(this.script)).code;
  }
}
