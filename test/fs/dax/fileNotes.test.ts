import assert from 'node:assert/strict';
import { FileNotes, MOST_NOTES } from '../../../src/fs/dax/fileNotes';
import { DaxNote, type NoteFacts } from '../../../src/fs/dax/frontEnd';

describe('notes of files and the DAX window', () => {
  let told: string[];
  let notes: FileNotes;

  beforeEach(() => {
    told = [];
    notes = new FileNotes(({ text }) => told.push(text));
  });

  const place = { nodeid: [2, 0] as const, fileOffset: 0, length: 0, windowOffset: 0, path: 'a' };
  const note = (text: string): NoteFacts => ({ ...place, what: DaxNote.Failed, text });

  it('are told each, counted, and kept as long as they are of the newest', () => {
    for (let i = 0; i <= MOST_NOTES; i++) notes.add(note(String(i)));
    assert.deepEqual([told.length, notes.count, notes.newest.length], [MOST_NOTES + 1, MOST_NOTES + 1, MOST_NOTES]);
    assert.deepEqual([notes.newest[0].text, notes.newest.at(-1)?.text], ['1', String(MOST_NOTES)]);
  });

  it('say why a file is refused when that is new, and again once it was accepted', () => {
    const refused = (reason: string): void => notes.refused(2, reason, () => place);
    for (const reason of ['empty', 'empty', 'large', 'empty']) refused(reason);
    assert.deepEqual(told, ['empty', 'large', 'empty']);
    notes.accepted(2);
    refused('empty');
    assert.equal(told.length, 4);
    notes.refused(3, 'empty', () => place);
    assert.equal(told.length, 5, 'another file');
  });
});
