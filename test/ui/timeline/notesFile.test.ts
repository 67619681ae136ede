/** Where notes are kept, while several timelines of one capture change them. */
import assert from 'node:assert/strict';
import type { KeptNote } from '../../../src/ui/timeline/notePlaces';
import {
  NotesStore,
  parseNotes,
  printNotes,
  type SmallFile,
  type StoredNotes,
} from '../../../src/ui/timeline/notesFile';

const note = (id: string, text = id): KeptNote => ({ id, at: 1, text });
const texts = ({ notes }: Pick<StoredNotes, 'notes'>): string[] => notes.map(({ text }) => text).sort();

describe('notes on a capture', () => {
  let content: string | undefined;
  let kept: unknown;
  let unreadable: boolean;
  let unwritable: boolean;

  beforeEach(() => {
    content = kept = undefined;
    unreadable = unwritable = false;
  });

  const file: SmallFile = {
    name: 'a.fuse.pcapng.notes.json',
    read: () => (unreadable ? Promise.reject(new Error('it is no file')) : Promise.resolve(content)),
    write(text) {
      if (unwritable) return Promise.reject(new Error('read-only'));
      content = text;
      return Promise.resolve();
    },
  };
  const storage = {
    get: () => kept,
    set(value: unknown) {
      kept = value;
      return Promise.resolve();
    },
  };
  const opened = async (): Promise<NotesStore> => {
    const store = new NotesStore(file, storage);
    await store.load();
    return store;
  };
  const inFile = (): string[] => texts({ notes: parseNotes(content ?? '') ?? [] });

  it('are those of all timelines, whichever of them has changed which', async () => {
    const [one, other] = [await opened(), await opened()];
    assert.deepEqual(texts(await one.save([note('a'), note('b')], [])), ['a', 'b']);
    assert.deepEqual(texts(await other.save([note('c')], [])), ['a', 'b', 'c']);
    assert.deepEqual(texts(await one.save([note('a', 'changed')], ['b'])), ['c', 'changed']);
    assert.deepEqual(texts(await other.save([], ['c'])), ['changed']);
    assert.deepEqual(inFile(), ['changed']);
  });

  it('leave a file as it is that is none of theirs, or cannot be read, and are kept in VS Code', async () => {
    for (const [text, cannotBeRead] of [
      ['{"mine": true}', false],
      [printNotes([note('theirs')]), true],
    ] as const) {
      [content, unreadable, kept] = [text, cannotBeRead, undefined];
      const store = await opened();
      const { place } = await store.save([note('a')], []);
      assert.equal(place, 'workspace');
      assert.deepEqual(texts(await store.save([note('b')], ['a'])), ['b']);
      assert.equal(content, text);
    }
  });

  it('are kept in VS Code while they cannot be written beside it, and beside it afterwards', async () => {
    const store = await opened();
    unwritable = true;
    assert.deepEqual(await store.save([note('a')], []).then(({ place }) => place), 'workspace');
    unwritable = false;
    assert.deepEqual(await store.save([note('b')], []).then(({ place }) => place), 'beside');
    assert.deepEqual([inFile(), kept], [['a', 'b'], undefined]);
  });
});
