/**
 * What the shared folder's files are like on the host now, against what the guest was told last: where they differ
 * while the guest may still use what it was told, it believes something that is no longer so.
 *
 * Only looks (lstat), never opens; a file that the guest may have changed itself since is not judged. Knows nothing of
 * vscode.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CaptureReader } from '../../trace/captureReader';
import type { Inode } from '../../trace/inodes/inodes';

export interface Differs {
  /** One sentence: what the guest believes and what is so. */
  readonly text: string;
}

/** Times are kept as doubles relative to the capture's origin: less than that is no difference. */
const ROUNDING_NS = 1000;
const TYPE = 0o170000;
const DIRECTORY = 0o040000;

/** Undefined: no difference, or none that can be told. */
export async function lookAtHost(folder: string, reader: CaptureReader, inode: Inode): Promise<Differs | undefined> {
  const [path] = inode.facts?.paths ?? [];
  const text = path === undefined ? '' : reader.path(path);
  // Only what has a known name from the root on, and is not changed by the guest at any time.
  if (!text.startsWith('/') || text.includes('\\') || text.endsWith(' (deleted)')) return undefined;
  if (inode.looked < 0 || inode.changed > inode.looked) return undefined;
  try {
    const { size, mtimeNs, ctimeNs, mode } = await lstat(join(folder, text), { bigint: true });
    if ((Number(mode) & TYPE) !== (inode.mode & TYPE)) return { text: 'on the host it is something of another type' };
    const folderNow = (inode.mode & TYPE) === DIRECTORY;
    if (!folderNow && Number(size) !== inode.size) {
      return { text: `the guest believes ${inode.size} bytes, on the host it has ${size}` };
    }
    const after = (time: bigint): number => Number(time - reader.origin);
    if (Math.abs(after(mtimeNs) - inode.mtime) > ROUNDING_NS) return { text: 'its content was changed on the host' };
    if (!folderNow && Math.abs(after(ctimeNs) - inode.ctime) > ROUNDING_NS) {
      return { text: 'its attributes were changed on the host' };
    }
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? { text: 'on the host it has gone' } : undefined;
  }
}
