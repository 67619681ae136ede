/**
 * One file of exported requests: it appears under its name when it is whole, and what was there is replaced only then
 * (it may be the capture that is read). Knows nothing of vscode.
 */
import type { FileHandle } from 'node:fs/promises';
import { trouble } from '../../base/catalogue';
import { requestsText } from '../../trace/countText';
import { Slice } from './breathe';
import { replaceFile } from './replaceFile';

const PIECE = 256 << 10;

/** What is in the file. `missing`: the oldest of the requests, which are not. */
export function exportedText(requests: number, missing: number, path: string): string {
  const without = ` without the oldest ${requestsText(missing)}, of which the messages were not kept (setting virtiofs.live.memory)`;
  return `Exported ${requestsText(requests - missing)} to ${path}${missing === 0 ? '' : without}`;
}

/** False when it was cancelled; nothing is then left of it. Throws `outputUnusable` where the file cannot be. */
export async function writeExport(
  path: string,
  pieces: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
  cancelled: () => boolean,
): Promise<boolean> {
  try {
    return await replaceFile(path, (file) => write(file, pieces, cancelled));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw trouble('outputUnusable', path, reasons[code] ?? message);
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no room is left',
  ENOENT: 'its folder is not there',
  ENOTDIR: 'its folder is a file',
  EISDIR: 'it is a folder',
  ENAMETOOLONG: 'its name is too long',
};

async function write(
  file: FileHandle,
  pieces: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
  cancelled: () => boolean,
): Promise<boolean> {
  const slice = new Slice();
  let text = '';
  for await (const piece of pieces) {
    if (typeof piece === 'string') text += piece;
    else await file.write(piece);
    if (text.length >= PIECE) {
      await file.write(text);
      text = '';
    }
    if (slice.over) await slice.breathe();
    if (cancelled()) return false;
  }
  await file.write(text);
  return true;
}
