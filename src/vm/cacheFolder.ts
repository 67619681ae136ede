/**
 * Where large things that can be fetched again are kept between runs, and how two runs at a time share it.
 *
 * Owns the place and the "made whole or not at all" rule. Knows nothing of what is kept; the lock is `fileLock.ts`.
 */
import { execFile } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { trouble } from '../base/catalogue';
import { systemReason } from '../base/systemReason';
import { type FileLock, lockFile } from './fileLock';

/**
 * `$XDG_CACHE_HOME/virtiofs-studio`, or under `~/.cache`. Everything in it may be removed at any time. Undefined where
 * this user has no home.
 */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const base = environment['XDG_CACHE_HOME'];
  if (base?.startsWith('/')) return join(base, 'virtiofs-studio');
  const home = homeFolder(environment);
  return home === undefined ? undefined : join(home, '.cache', 'virtiofs-studio');
}

/**
 * This user's, if any. Not os.homedir(): that takes an empty HOME for a place, and throws for a user whom this machine
 * does not know.
 */
export function homeFolder({ HOME: home }: NodeJS.ProcessEnv = process.env): string | undefined {
  if (home !== undefined && isAbsolute(home)) return home;
  try {
    const { homedir } = userInfo();
    return isAbsolute(homedir) ? homedir : undefined;
  } catch {
    return undefined; // No entry in the password file, as in a container that runs under any number.
  }
}

/** With its parents. Not Node's `recursive`: that says ENOENT of a read-only file system, and never ends in /proc. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    // A link that leads nowhere is there, and no folder can be made of it.
    if (code !== 'ENOENT' || lstatSync(dirname(path), { throwIfNoEntry: false })) throw error;
    makeFolder(dirname(path));
    makeFolder(path);
  }
}

/**
 * The folder `name` in the cache. Where it is not there yet `make` fills a scratch folder, which is then renamed into
 * place, so that nobody ever sees half of it, also after a power cut. Of several runs at a time one makes it and the
 * others wait for it; `make` gives the lock to the programs that it starts, to keep others out while they run.
 * `waiting` is told that another makes it, and that one's process id where it is known; `signal` ends the wait. Throws
 * a Trouble where nothing can be kept.
 */
export async function cached(
  name: string,
  make: (scratch: string, lock: FileLock) => Promise<void>,
  {
    waiting = () => {},
    root = cacheFolder(),
    signal,
  }: {
    waiting?: (owner: number | undefined) => void;
    root?: string | undefined;
    signal?: AbortSignal | undefined;
  } = {},
): Promise<string> {
  if (root === undefined) throw trouble('cacheNowhere');
  const folder = join(root, name);
  try {
    if (existsSync(folder)) return folder;
    makeFolder(root);
    const lock = await lockFile(`${folder}.lock`, waiting, signal);
    try {
      if (!existsSync(folder)) await fill(folder, make, lock);
    } finally {
      lock.release();
    }
    return folder;
  } catch (error) {
    const why = systemReason(error);
    throw why === undefined ? error : trouble('cacheUnusable', root, why);
  }
}

/** Whoever calls has the lock; a process that exits in the middle releases it here. */
async function fill(
  folder: string,
  make: (scratch: string, lock: FileLock) => Promise<void>,
  lock: FileLock,
): Promise<void> {
  const [root, name] = [dirname(folder), basename(folder)];
  // Whoever left these has died.
  const partial = (await readdir(root)).filter((entry) => entry.startsWith(`${name}.partial-`));
  for (const entry of partial) await rm(join(root, entry), { recursive: true, force: true });
  const scratch = await mkdtemp(`${folder}.partial-`);
  const dropped = (): void => {
    rmSync(scratch, { recursive: true, force: true });
    lock.release();
  };
  process.once('exit', dropped);
  try {
    await make(scratch, lock);
    // All of it is on the disk before its name is: a file system may keep a rename and lose what was written before it.
    await syncFileSystem(scratch);
    await rename(scratch, folder);
    await syncFolder(root);
  } finally {
    process.off('exit', dropped);
    await rm(scratch, { recursive: true, force: true });
  }
}

/** syncfs(2) by a program: Node syncs one file at a time, and these are thousands. */
async function syncFileSystem(path: string): Promise<void> {
  try {
    await promisify(execFile)('sync', ['-f', path]);
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw trouble('cacheUnusable', path, (stderr || message).trim());
  }
}

/** So that the name lasts as well. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  await folder.sync().finally(() => folder.close());
}
