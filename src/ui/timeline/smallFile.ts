/**
 * Reads a file that anybody may have put where it is looked for: a link to a device that never ends, or a FIFO that
 * nobody writes to, is no file. Knows nothing of vscode.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** The whole of it, as text; undefined where there is none. Throws for what is no file, or one of more bytes. */
export async function readSmallFile(path: string, most: number): Promise<string | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!file) return undefined;
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error('it is no file');
    if (stat.size > most) throw new Error(`${stat.size} bytes are too many`);
    const bytes = new Uint8Array(stat.size);
    // One that grows meanwhile is read as it was.
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return new TextDecoder().decode(bytes.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}
