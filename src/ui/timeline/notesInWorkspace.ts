/**
 * Where notes on a capture are kept: by VS Code's own file systems and storage, and by Node where those would follow
 * links to wherever they lead.
 */
import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import type { KeptNote } from './notePlaces';
import { NotesStore, type StoredNotes, withChanges } from './notesFile';
import { replaceFile } from './replaceFile';
import { readSmallFile } from './smallFile';

const MOST_BYTES = 64 << 20;

export function notesOf(capture: vscode.Uri, memento: vscode.Memento): NotesStore {
  const uri = capture.with({ path: `${capture.path}.notes.json` });
  const key = `notes:${capture.toString()}`;
  const { fs } = vscode.workspace;
  return new NotesStore(
    {
      name: uri.path.split('/').at(-1) ?? '',
      async read() {
        if (uri.scheme === 'file') return readSmallFile(uri.fsPath, MOST_BYTES);
        try {
          const { size } = await fs.stat(uri);
          if (size > MOST_BYTES) throw new Error(`${size} bytes are too many`);
          return new TextDecoder().decode(await fs.readFile(uri));
        } catch (error) {
          if (error instanceof vscode.FileSystemError && error.code === 'FileNotFound') return undefined;
          throw error;
        }
      },
      async write(text) {
        if (uri.scheme === 'file') {
          await replaceFile(uri.fsPath, async (file) => {
            await file.writeFile(text);
            return true;
          });
          return;
        }
        const fresh = uri.with({ path: `${uri.path}.${randomUUID()}.new` });
        try {
          await fs.writeFile(fresh, new TextEncoder().encode(text));
          await fs.rename(fresh, uri, { overwrite: true });
        } catch (error) {
          // There may be nothing yet; what is told is why it could not be written.
          await fs.delete(fresh).then(undefined, () => undefined);
          throw error;
        }
      },
    },
    { get: () => memento.get(key), set: async (value) => memento.update(key, value) },
  );
}

/** Of a live capture, which has no file to lie beside. */
export function notesInMemory(): {
  load(): Promise<StoredNotes>;
  save(changed: readonly KeptNote[], removed: readonly string[]): Promise<StoredNotes>;
} {
  let notes: readonly KeptNote[] = [];
  return {
    load: () => Promise.resolve({ notes, place: 'memory' }),
    save(changed, removed) {
      notes = withChanges(notes, changed, removed);
      return Promise.resolve({ notes, place: 'memory' });
    },
  };
}
