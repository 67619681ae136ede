/**
 * A file that appears under its name when it is whole, and replaces what was there only then. Folders come from
 * anybody: what is written first has a name that nobody can have put there before, so that it goes through no link of
 * theirs. Knows nothing of vscode.
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What `write` resolves to; where that is false or it fails, nothing is left of it. */
export async function replaceFile(path: string, write: (file: FileHandle) => Promise<boolean>): Promise<boolean> {
  // Short, whatever the name is.
  const fresh = join(dirname(path), `.virtiofs-${randomUUID()}.part`);
  const file = await open(fresh, 'wx');
  try {
    const whole = await write(file).finally(() => file.close());
    if (whole) await rename(fresh, path);
    return whole;
  } finally {
    await rm(fresh, { force: true });
  }
}
