/**
 * A temporary folder and the processes that work in it, which end together.
 *
 * However the launcher ends, nothing stays: `close()` ends it in order; where the launcher dies without a word (an
 * uncaught error, SIGKILL), a janitor does the same. The janitor is a shell in a session of its own that reads from a
 * pipe which processes there are, and sees the end of that pipe when the launcher dies. It needs no privileges and no
 * program beyond a POSIX shell. Knows nothing of what the processes do.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { trouble } from '../base/catalogue';
import { systemReason } from '../base/systemReason';
import { reasonOf } from '../protocol/errno';

/**
 * `+ PID`, `- PID` and `/ FOLDER` lines in; at the end, kills the process groups that are left and removes the folders.
 */
const JANITOR = `
groups=' '
while read -r change group; do
  case $change in
    +) groups="$groups$group " ;;
    -) groups="\${groups% $group *} \${groups#* $group }" ;;
    /) set -- "$@" "$group" ;;
  esac
done
for group in $groups; do kill -9 "-$group" 2>/dev/null; done
exec rm -rf -- "$@"
`;

/**
 * A Unix socket's path has at most 107 bytes; the folder's own name takes 23 of them and `/share10.sock.new`, the
 * longest inside it, 17.
 */
const LONGEST_BASE = 66;

export class Workplace {
  private readonly children = new Set<ChildProcess>();
  private readonly folders: string[];
  private closing: Promise<void> | undefined;

  private constructor(
    /** Absolute path of the temporary folder, readable only by its user. */
    readonly folder: string,
    private readonly janitor: ChildProcess,
    private readonly tell: Writable,
  ) {
    this.folders = [folder];
  }

  /** Throws a Trouble where no temporary folder can be made. */
  static async open(): Promise<Workplace> {
    const folder = temporary(join(temporaryFolder(), 'virtiofs-studio-'));
    const janitor = spawn('/bin/sh', ['-c', JANITOR, 'virtiofs-studio-janitor', folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
    });
    try {
      await once(janitor, 'spawn');
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
    janitor.stdin.on('error', () => {}); // A killed janitor must not end the launcher.
    janitor.unref();
    return new Workplace(folder, janitor, janitor.stdin);
  }

  /** Writes a file in the folder. Throws a Trouble where there is no room. */
  write(name: string, content: Uint8Array): string {
    const file = join(this.folder, name);
    orTrouble(dirname(this.folder), () => writeFileSync(file, content));
    return file;
  }

  /** Makes a folder in the folder. Throws a Trouble where there is no room. */
  makeRoom(name: string): string {
    const room = join(this.folder, name);
    orTrouble(dirname(this.folder), () => mkdirSync(room));
    return room;
  }

  /**
   * Makes a temporary folder elsewhere, which goes with the workplace. `prefix`: an absolute path up to the characters
   * that are made up.
   */
  makeFolder(prefix: string): string {
    // The janitor reads a line for it, and removes what the line says.
    if (!/^\/\S+$/.test(prefix)) throw new Error(`not the beginning of a folder for the janitor: ${prefix}`);
    const folder = temporary(prefix);
    this.tell.write(`/ ${folder}\n`);
    this.folders.push(folder);
    return folder;
  }

  /**
   * Starts a program in a session of its own, so that the terminal's Ctrl-C reaches only the launcher. Rejects with a
   * Trouble when it cannot be started. `stdio` is as for Node's `spawn`.
   */
  async spawn(argv: readonly string[], stdio: StdioOptions, environment = process.env): Promise<ChildProcess> {
    if (this.closing !== undefined) {
      throw new Error('nothing is started in a workplace that is closing');
    }
    const child = spawn(argv[0], argv.slice(1), { stdio, detached: true, env: environment, cwd: this.folder });
    const started = once(child, 'spawn');
    if (child.pid !== undefined) {
      // Registered before anything else can happen: the write reaches the pipe at once.
      this.tell.write(`+ ${child.pid}\n`);
      this.children.add(child);
      child.once('exit', () => {
        // What it started in its own group goes with it (User Mode Linux leaves its address spaces behind).
        signalGroup(child, 'SIGKILL');
        this.children.delete(child);
        this.tell.write(`- ${child.pid}\n`);
      });
    }
    await started.catch((error: NodeJS.ErrnoException) => {
      throw trouble('programNotRun', argv[0], reasonOf(error));
    });
    return child;
  }

  /** Ends every process (SIGTERM, after `graceMs` SIGKILL) and removes the folder. May be called again. */
  close(graceMs = 500): Promise<void> {
    this.closing ??= this.end(graceMs);
    return this.closing;
  }

  private async end(graceMs: number): Promise<void> {
    const children = [...this.children];
    const gone = Promise.all(children.map((child) => exited(child)));
    children.forEach((child) => signalGroup(child, 'SIGTERM'));
    const timer = new AbortController();
    await Promise.race([gone, sleep(graceMs, undefined, { signal: timer.signal }).catch(() => {})]);
    timer.abort();
    children.forEach((child) => signalGroup(child, 'SIGKILL'));
    await gone;
    const janitorGone = exited(this.janitor);
    this.janitor.ref();
    this.tell.end();
    await janitorGone;
    this.folders.forEach((folder) => rmSync(folder, { recursive: true, force: true }));
  }
}

function temporary(prefix: string): string {
  return orTrouble(dirname(prefix), () => mkdtempSync(prefix));
}

/** What the system says of temporary files in `base` becomes a Trouble. */
function orTrouble<T>(base: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const why = systemReason(error);
    throw why === undefined ? error : trouble('temporaryUnusable', base, why);
  }
}

/**
 * `$TMPDIR` where every guest can be given its path: User Mode Linux wants a whole one, and cuts words at some signs.
 */
function temporaryFolder(): string {
  const base = tmpdir();
  return /^\/[^\s,:"]*$/.test(base) && Buffer.byteLength(base) <= LONGEST_BASE ? base : '/tmp';
}

/** Resolves when `child` has ended, at once if it has. */
export async function exited(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  if (child.exitCode === null && child.signalCode === null) {
    await once(child, 'exit');
  }
  return { code: child.exitCode, signal: child.signalCode };
}

function signalGroup(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) {
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) {
      throw error;
    }
  }
}
