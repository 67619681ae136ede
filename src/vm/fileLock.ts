/**
 * A lock file that one run at a time has, by a lock of the kernel's: it ends with its owner, however that ends, so none
 * is ever left over and nobody judges from a process id whether an owner lives.
 *
 * Node has no flock(2). flock(1) takes the lock on a descriptor that it inherits from us, and what has the lock is the
 * open file behind it, which stays ours when that program has ended. No other child inherits it unless it is given it.
 * Knows nothing of what is locked.
 */
import { spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { trouble } from '../base/catalogue';
import { reasonOf } from '../protocol/errno';

/** Where flock(1) finds the descriptor. */
const LOCK_FD = 3;
/** It is written to: what a link leads to is another's. */
const OPEN_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
/** Who may read a file may lock it, and need never let go. */
const OWNER_ONLY = 0o600;

export class FileLock {
  private held = true;

  constructor(
    private readonly path: string,
    /** A child that inherits it has the lock as well, if need be for longer than this process lives. */
    readonly fd: number,
  ) {}

  /** Lets the next one have it. The file goes first: who gets the lock of a removed file tries again. */
  release(): void {
    if (!this.held) return;
    this.held = false;
    if (isAt(this.path, this.fd)) rmSync(this.path, { force: true });
    closeSync(this.fd);
  }
}

/**
 * Waits for the lock file `path`, which is made. `waiting` is told once that another has it, and that one's process id
 * where it is known. Rejects when `signal` is aborted, with nothing left of the wait.
 */
export async function lockFile(
  path: string,
  waiting: (owner: number | undefined) => void,
  signal: AbortSignal | undefined,
): Promise<FileLock> {
  let told = false;
  for (;;) {
    const fd = openSync(path, OPEN_FLAGS, OWNER_ONLY);
    try {
      if (!(await flock(path, fd, ['-n'], signal))) {
        if (!told) waiting(ownerIn(path));
        told = true;
        await flock(path, fd, [], signal);
      }
      // Its last owner may have removed the file that was waited for: then the lock that counts is another file's.
      if (isAt(path, fd)) {
        ftruncateSync(fd);
        writeSync(fd, `${process.pid}\n`);
        return new FileLock(path, fd);
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
  }
}

function isAt(path: string, fd: number): boolean {
  const [there, ours] = [statSync(path, { throwIfNoEntry: false }), fstatSync(fd)];
  return there?.ino === ours.ino && there.dev === ours.dev;
}

/** For people only; undefined where it has not written it yet. */
function ownerIn(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8')) || undefined;
  } catch {
    return undefined; // Released in this moment.
  }
}

/** Whether the lock is ours now: without `-n` it is. The short words are those that busybox knows as well. */
async function flock(
  path: string,
  fd: number,
  words: readonly '-n'[],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  signal?.throwIfAborted();
  const child = spawn('flock', ['-x', ...words, String(LOCK_FD)], { stdio: ['ignore', 'ignore', 'pipe', fd] });
  const end = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', end);
  process.once('exit', end);
  try {
    const complaint = text(child.stderr as Readable);
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT'
        ? trouble('toolMissing', 'the program flock', 'Run: sudo apt-get install util-linux')
        : trouble('programNotRun', 'flock', reasonOf(error));
    });
    signal?.throwIfAborted();
    if (status === 0) return true;
    const said = (await complaint).trim();
    if (words.includes('-n') && status === 1 && said === '') return false;
    throw trouble('lockUnusable', path, said || `flock ended with ${status}`);
  } finally {
    signal?.removeEventListener('abort', end);
    process.off('exit', end);
  }
}
