/**
 * Notes on a capture, in `FILE.notes.json` beside it; the capture itself is never touched. Where the folder cannot be
 * written, or the file there is none of ours, they are kept in VS Code's storage. Several timelines may show one
 * capture, of this window and of others: what each has changed is done to what is kept by then. Knows nothing of
 * vscode.
 */
import { MOST_NOTES, type NotesPlace } from '../../control/timeline';
import { areKeptNotes, type KeptNote } from './notePlaces';

/** A file that may not be there. */
export interface SmallFile {
  readonly name: string;
  /** undefined: there is none. */
  read(): Promise<string | undefined>;
  /** Replaces it in one step. */
  write(text: string): Promise<void>;
}

export interface Storage {
  get(): unknown;
  set(value: unknown): Promise<void>;
}

export interface StoredNotes {
  readonly notes: readonly KeptNote[];
  readonly place: NotesPlace;
  readonly problem?: string;
}

const VERSION = 1;

/** The notes in a text; undefined: it is no file of notes. */
export function parseNotes(text: string): readonly KeptNote[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { version, notes } = value as Record<string, unknown>;
  return version === VERSION && areKeptNotes(notes) ? notes : undefined;
}

export function printNotes(notes: readonly KeptNote[]): string {
  const ordered = [...notes].sort((a, b) => a.at - b.at);
  return `${JSON.stringify({ version: VERSION, notes: ordered }, null, 2)}\n`;
}

export class NotesStore {
  /** The file is not ours, or nobody can say: it is left as it is. */
  private foreign = false;

  constructor(
    private readonly file: SmallFile,
    private readonly storage: Storage,
  ) {}

  async load(): Promise<StoredNotes> {
    this.foreign = false;
    const kept = this.storage.get();
    const stored = areKeptNotes(kept) ? kept : undefined;
    let text: string | undefined;
    try {
      text = await this.file.read();
    } catch (error) {
      this.foreign = true;
      return { notes: stored ?? [], place: 'workspace', problem: `${this.file.name} cannot be read: ${said(error)}` };
    }
    const notes = text === undefined ? undefined : parseNotes(text);
    if (text !== undefined && notes === undefined) {
      this.foreign = true;
      const problem = `${this.file.name} is no file of notes; it is left as it is, and notes are kept in VS Code`;
      return { notes: stored ?? [], place: 'workspace', problem };
    }
    if (stored && stored.length > 0) return { notes: merged(notes ?? [], stored), place: 'workspace' };
    return { notes: notes ?? [], place: 'beside' };
  }

  /** Resolves to all that are kept then. */
  async save(changed: readonly KeptNote[], removed: readonly string[]): Promise<StoredNotes> {
    const notes = withChanges((await this.load()).notes, changed, removed);
    if (this.foreign) {
      await this.storage.set(notes);
      return { notes, place: 'workspace' };
    }
    try {
      await this.file.write(printNotes(notes));
      await this.storage.set(undefined);
      return { notes, place: 'beside' };
    } catch (error) {
      await this.storage.set(notes);
      const problem = `${this.file.name} cannot be written (${said(error)}): notes are kept in VS Code`;
      return { notes, place: 'workspace', problem };
    }
  }
}

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function withChanges(
  now: readonly KeptNote[],
  changed: readonly KeptNote[],
  removed: readonly string[],
): KeptNote[] {
  const gone = new Set(removed);
  return merged(now, changed)
    .filter(({ id }) => !gone.has(id))
    .slice(0, MOST_NOTES);
}

/** Both, the second one's where both have it. */
function merged(first: readonly KeptNote[], second: readonly KeptNote[]): KeptNote[] {
  return [...new Map([...first, ...second].map((note) => [note.id, note])).values()];
}
