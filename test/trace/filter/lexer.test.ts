/** The words of a filter, by themselves: how each is cut, and what is said of what is none. */
import assert from 'node:assert/strict';
import { type Token, tokens } from '../../../src/trace/filter/lexer';

/** Each token in short: its kind, what it holds, where it is. */
const cut = (text: string): string[] =>
  tokens(text).map(({ kind, text: held, from, to, fold }) => `${kind} ${held}${fold ? ' folded' : ''} ${from}-${to}`);

const only = (text: string): Token => {
  const [token, end] = tokens(text);
  assert.deepEqual(end, { kind: 'end', text: '', from: text.length, to: text.length });
  return token;
};

describe('the words of a filter', () => {
  it('have their places, whatever is between them', () => {
    assert.deepEqual(cut('a.b_1>=-5ms #x\n&&c'), [
      'word a.b_1 0-5',
      'symbol >= 5-7',
      'number -5ms 7-11',
      'symbol && 15-17',
      'word c 17-18',
      'end  18-18',
    ]);
    assert.deepEqual(cut(''), ['end  0-0']);
    assert.deepEqual(cut('1..2.5'), ['number 1 0-1', 'symbol .. 1-3', 'number 2.5 3-6', 'end  6-6']);
  });

  it('are regular expressions behind =~ and !~ alone, with slashes escaped in them', () => {
    assert.deepEqual(cut('a =~ /x\\/y/ b'), [
      'word a 0-1',
      'symbol =~ 2-4',
      'regex x\\/y 5-11',
      'word b 12-13',
      'end  13-13',
    ]);
    assert.deepEqual(cut('a !~ /x/i')[2], 'regex x folded 5-9');
    assert.deepEqual(cut('a =~ //')[2], 'regex  5-7');
    // The parser says what is meant by these.
    assert.deepEqual(cut('a ~ /x/i')[2], 'regex x folded 4-8');
    assert.deepEqual(cut('(a ~ /x/)')[3], 'regex x 5-8');
    for (const other of ['a ~ /x y/', 'a ~ /x/y', 'a !~ /x', 'a == /x/'])
      assert.equal(tokens(other)[2].kind, 'error', other);
  });

  it('are texts in either quotes, with the other in them', () => {
    assert.deepEqual(only(`"it's"`), { kind: 'text', text: "it's", from: 0, to: 6 });
    assert.deepEqual(only(`'"'`), { kind: 'text', text: '"', from: 0, to: 3 });
    assert.deepEqual(cut(`"a""b"`), ['text a 0-3', 'text b 3-6', 'end  6-6']);
  });

  it('have quotes, control characters and characters by number escaped; any other backslash stays', () => {
    const cases: readonly [written: string, text: string][] = [
      ['\\"', '"'],
      ["\\'", "'"],
      ['a\\nb\\tc\\rd\\0e', 'a\nb\tc\rd\0e'],
      ['\\u0041B\\u20aC', 'AB€'],
      ['\\u41', '\\u41'],
      ['\\u00g1', '\\u00g1'],
      ['\\*', '\\*'],
      ['\\\\x80', '\\\\x80'],
      ['\\\\', '\\\\'],
    ];
    for (const [written, text] of cases) {
      assert.deepEqual(only(`"${written}"`), { kind: 'text', text, from: 0, to: written.length + 2 }, written);
    }
  });

  it('end with the first that is none, which says why and where', () => {
    const cases: readonly [text: string, place: string, why: string, suggestion?: string][] = [
      ['a =~ /xyz', '/xyz', 'the regular expression has no end'],
      ['a =~ /x\ny/', '/x\ny/', 'the regular expression has no end'],
      ['a =~ /x\\\n/', '/x\\\n/', 'the regular expression has no end'],
      ['a =~ /x/ii b', '/x/ii', '"ii" behind a regular expression is not known, only i is'],
      ['a === b', '===', '"===" is no operator', '=='],
      ['a !== b', '!==', '"!==" is no operator', '!='],
      ['a <> b', '<>', '"<>" is no operator', '!='],
      ['a = b', '=', '"=" is no operator', '=='],
      ['a in [ b, c ] d', '[ b, c ]', 'values are listed in parentheses', '(b, c)'],
      ['a in [b', '[', 'values are listed in parentheses'],
      ['a [b] c', '[b]', 'a pattern is written in quotes', '"[b]"'],
      ['a == [b] c', '[b]', 'a pattern is written in quotes', '"[b]"'],
      ['a ~ *.b) c', '*.b', 'a pattern is written in quotes', '"*.b"'],
      ['a ~ }x c', '}x', 'a pattern is written in quotes', '"}x"'],
      ['a ~ ]x c', ']x', 'a pattern is written in quotes', '"]x"'],
      [`a ~ /${'x'.repeat(300)}`, `/${'x'.repeat(199)}`, 'a pattern is written in quotes', `"/${'x'.repeat(199)}"`],
      ['a @ b', '@', '"@" means nothing here'],
      ['a 😀 b', '😀', '"😀" means nothing here'],
      ['a == "b c', '"b c', 'the text has no end: " is missing'],
      ["a == 'b\\'", "'b\\'", "the text has no end: ' is missing"],
      ['a == "b\\', '"b\\', 'the text has no end: " is missing'],
    ];
    for (const [text, place, why, suggestion] of cases) {
      const [error, end] = tokens(text).slice(-2);
      const from = text.indexOf(place);
      const wanted = { kind: 'error', text: why, from, to: from + place.length };
      assert.deepEqual(error, suggestion === undefined ? wanted : { ...wanted, suggestion }, text);
      assert.equal(end.from, text.length);
    }
  });
});
