/**
 * Whether a folder can be shared from here, asked before anything is started. Knows nothing of vscode.
 */
import { stat } from 'node:fs/promises';
import { trouble } from '../base/catalogue';

export interface Surroundings {
  platform: string;
  /** VS Code's workspace trust. */
  trusted: boolean;
}

export interface ChosenFolder {
  scheme: string;
  /** Path on this machine; means something only with the scheme "file". */
  fsPath: string;
  toString(): string;
}

/** Throws the Trouble that stands in the way. */
export async function checkShareable(around: Surroundings, folder: ChosenFolder): Promise<void> {
  if (around.platform !== 'linux') throw trouble('notLinux', around.platform);
  if (!around.trusted) throw trouble('workspaceUntrusted');
  if (folder.scheme !== 'file') throw trouble('folderMissing', folder.toString());
  const isFolder = await stat(folder.fsPath).then(
    (status) => status.isDirectory(),
    () => false,
  );
  if (!isFolder) throw trouble('folderMissing', folder.fsPath);
}
