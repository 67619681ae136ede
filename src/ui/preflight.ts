/**
 * Whether guests can be started from here, and a folder be shared, asked before anything is started. Knows nothing of
 * vscode.
 */
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { trouble } from '../base/catalogue';

export interface Surroundings {
  /** As in `process.platform` and `process.arch`. */
  readonly platform: string;
  readonly arch: string;
  /** VS Code's workspace trust. */
  readonly trusted: boolean;
  /** Where the extension is installed. */
  readonly extensionPath: string;
}

export interface ChosenFolder {
  scheme: string;
  /** Path on this machine; means something only with the scheme "file". */
  fsPath: string;
  toString(): string;
}

/** Throws the Trouble that stands in the way of any guest. */
export function checkGuests({ platform, arch, trusted, extensionPath }: Surroundings): void {
  if (platform !== 'linux') throw trouble('notLinux', platform);
  if (!trusted) throw trouble('workspaceUntrusted');
  try {
    // Where the daemon would find it. The package without native parts has none.
    createRequire(join(extensionPath, 'dist', 'daemon.js')).resolve('koffi');
  } catch {
    throw trouble('nativePartMissing', `${platform}-${arch}`);
  }
}

/** Throws the Trouble that stands in the way of sharing this folder. */
export async function checkShareable(around: Surroundings, folder: ChosenFolder): Promise<void> {
  checkGuests(around);
  if (folder.scheme !== 'file') throw trouble('folderMissing', folder.toString());
  const isFolder = await stat(folder.fsPath).then(
    (status) => status.isDirectory(),
    () => false,
  );
  if (!isFolder) throw trouble('folderMissing', folder.fsPath);
}
