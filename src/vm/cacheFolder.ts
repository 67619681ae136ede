/**
 * Where large things that can be fetched again are kept between runs, and how two runs at a time share it.
 *
 * Owns the place and the "made whole or not at all" rule. Knows nothing of what is kept.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** `$XDG_CACHE_HOME/virtiofs-studio`, or under `~/.cache`. Everything in it may be removed at any time. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment['XDG_CACHE_HOME'];
  return join(base !== undefined && base.startsWith('/') ? base : join(homedir(), '.cache'), 'virtiofs-studio');
}

/**
 * The folder `name` in the cache. Where it is not there yet `make` fills a scratch folder, which is then renamed into
 * place, so that nobody ever sees half of it. Of several runs at a time one makes it and the others wait for it; the
 * lock of a run that died is taken over. `waiting` is told that another makes it; `signal` ends that wait.
 */
export async function cached(
  name: string,
  make: (scratch: string) => Promise<void>,
  {
    waiting = () => {},
    root = cacheFolder(),
    signal,
  }: { waiting?: () => void; root?: string; signal?: AbortSignal | undefined } = {},
): Promise<string> {
  const folder = join(root, name);
  if (existsSync(folder)) {
    return folder;
  }
  await mkdir(root, { recursive: true });
  const release = await lock(`${folder}.lock`, waiting, signal);
  try {
    if (!existsSync(folder)) {
      // Ours is the lock: whoever left these has died.
      const partial = (await readdir(root)).filter((entry) => entry.startsWith(`${name}.partial-`));
      for (const entry of partial) await rm(join(root, entry), { recursive: true, force: true });
      const scratch = await mkdtemp(`${folder}.partial-`);
      const dropped = (): void => {
        rmSync(scratch, { recursive: true, force: true });
        rmSync(`${folder}.lock`, { force: true });
      };
      process.once('exit', dropped);
      try {
        await make(scratch);
        await rename(scratch, folder);
      } finally {
        process.off('exit', dropped);
        await rm(scratch, { recursive: true, force: true });
      }
    }
  } finally {
    await release();
  }
  return folder;
}

/** A lock file that holds its owner's process id. */
async function lock(path: string, waiting: () => void, signal: AbortSignal | undefined): Promise<() => Promise<void>> {
  for (let attempt = 0; ; attempt++) {
    try {
      const file = await open(path, 'wx');
      await file.writeFile(`${process.pid}\n`);
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
        throw error;
      }
    }
    if (attempt === 0) {
      waiting();
    }
    if (await isAbandoned(path)) {
      await rm(path, { force: true });
    } else {
      await sleep(200, undefined, { signal });
    }
  }
}

/** Its owner is gone; or, written by nobody, older than the moment between making a lock and writing to it. */
async function isAbandoned(path: string): Promise<boolean> {
  try {
    const owner = Number(readFileSync(path, 'utf8'));
    if (owner > 0) {
      return !existsSync(`/proc/${owner}`);
    }
    return Date.now() - (await stat(path)).mtimeMs > 5_000;
  } catch {
    return false; // Gone already: the next attempt finds out.
  }
}
