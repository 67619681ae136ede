/** What the debug console offers at a place of what is being written, and which range that replaces. */
import assert from 'node:assert/strict';
import { type Offer, offers } from '../../src/debug/completions';

/** `|` is the cursor. */
const at = (text: string): Offer[] => offers(text.replace('|', ''), text.indexOf('|'));
const offer = (text: string, label: string): Offer =>
  at(text).find((one) => one.label === label) ?? assert.fail(`${text}: no ${label}`);
const range = (text: string, label: string): number[] => {
  const { from, to } = offer(text, label);
  return [from, to];
};

describe('completions in the debug console', () => {
  it('are errnos behind "answer", in any case, for the word before the cursor', () => {
    assert.deepEqual(
      at('answer eac|').map(({ label, kind }) => [label, kind]),
      [['EACCES', 'value']],
    );
    assert.deepEqual(range('  answer EAC|', 'EACCES'), [9, 12]);
    assert.deepEqual(range('answer EAC| and more', 'EACCES'), [7, 10]);
  });

  it('are commands at the beginning, those that begin so', () => {
    assert.deepEqual(range(' he|ld', 'held'), [1, 3]);
    assert.deepEqual(
      at('he|')
        .filter(({ kind }) => kind === 'command')
        .map(({ label }) => label),
      ['held', 'hex', 'help'],
    );
    assert.ok(!at('size == he|').some(({ kind }) => kind === 'command'));
  });

  it('are the filter language’s behind "set" and in "hex(", where it stands in the text', () => {
    for (const [text, from] of [
      ['read.s|', 0],
      ['set read.s|', 4],
      ['  set   read.s|', 8],
      ['hex(read.s|', 4],
      ['hex ( read.s|', 6],
    ] as const) {
      assert.deepEqual(range(text, 'read.size'), [from, from + 6], text);
    }
    assert.deepEqual(range('set read.s| = 4K', 'read.size'), [4, 10]);
  });

  it('say of each what it is', () => {
    assert.equal(offer('read.s|', 'read.size').kind, 'field');
    assert.equal(offer('read|', 'READ').kind, 'field');
    assert.equal(offer('opcode == REA|', 'READ').kind, 'value');
    assert.equal(offer('size > 4|', '4K').kind, 'value');
    assert.equal(offer('size |', '==').kind, 'operator');
  });
});
