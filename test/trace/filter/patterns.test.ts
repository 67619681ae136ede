/** Patterns of paths, and regular expressions that cannot be made slow. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { globLiteral, globMatcher } from '../../../src/trace/filter/glob';
import { regexMatcher } from '../../../src/trace/filter/regex';

function glob(pattern: string, path: string): boolean {
  const match = globMatcher(pattern);
  assert.ok(match, pattern);
  return match(path);
}

describe('patterns of paths', () => {
  const holds = (pattern: string, yes: string[], no: string[]): void => {
    it(`${pattern} matches ${yes.join(', ')} and not ${no.join(', ')}`, () => {
      for (const path of yes) assert.equal(glob(pattern, path), true, path);
      for (const path of no) assert.equal(glob(pattern, path), false, path);
    });
  };
  holds('*.db', ['a.db', '/a.db', '/x/y/a.db', '.db'], ['a.dbx', '/a.db/x']);
  holds('a?c', ['abc', '/x/aäc', 'a😀c'], ['ac', 'abbc']);
  holds('/x/*', ['/x/a', 'x/.a'], ['/x/a/b', '/y/x/a', '/x']);
  holds('x/**', ['/x/a', '/x/a/b'], ['/x', '/y/x/a']);
  holds('**/b', ['/b', '/a/b', '/a/c/b'], ['/ab', '/b/a']);
  holds('a/**/b', ['/a/b', '/a/x/b', '/a/x/y/b'], ['/ab', '/a/xb']);
  holds('[a-c]x', ['ax', '/q/cx'], ['dx', 'x']);
  holds('[!a-c]x', ['dx', ']x'], ['ax', 'x']);
  holds('[]a]', [']', 'a'], ['b']);
  holds('a/[+-9]', ['a/5'], ['a//']);
  holds('*.{c,h}', ['a.c', 'a.h'], ['a.cc', 'a.{c,h}']);
  holds('{a,b{c,d}}', ['a', 'bc', 'bd'], ['b', 'bcd']);
  holds('{a', ['{a'], ['a']);
  holds('[a', ['[a'], ['a']);
  holds('\\*', ['*'], ['a']);
  holds('/', ['/'], ['/a']);

  it('any pattern compiles or is too long, and any path is answered', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[a{},[\]*?!/\\-]{0,30}$/));
    fc.assert(fc.property(text, text, (pattern, path) => typeof (globMatcher(pattern)?.(path) ?? false) === 'boolean'));
    assert.equal(globMatcher('?'.repeat(5000)), undefined);
  });

  it('stars alone and the machine for all patterns agree', () => {
    const stars = fc.stringMatching(/^[ab*]{0,8}$/);
    // A set of one character is that character, and needs the machine.
    const asSets = (pattern: string): string => pattern.replace(/[ab]/g, '[$&]').replace(/^$/, '{,}');
    fc.assert(
      fc.property(stars, fc.stringMatching(/^[ab]{0,8}$/), (pattern, name) => {
        assert.equal(glob(pattern, name), glob(asSets(pattern), name), `${pattern} on ${name}`);
      }),
      { numRuns: 1000 },
    );
  });

  it('a pattern without signs matches itself only', () => {
    const name = fc.stringMatching(/^[a-z.]{1,5}$/);
    fc.assert(fc.property(name, name, (one, other) => assert.equal(glob(one, other), one === other)));
  });
});

describe('a text as a pattern', () => {
  it('stands for itself only, whatever is in it', () => {
    const name = fc.stringMatching(/^[ab*?[\]{},\\!^-]{1,6}$/);
    fc.assert(
      fc.property(name, name, (one, other) => {
        assert.ok(glob(globLiteral(one), one), one);
        assert.equal(glob(globLiteral(one), other), one === other, `${one} and ${other}`);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('regular expressions', () => {
  it('agree with those of JavaScript', () => {
    const atom = fc.constantFrom(
      'a',
      'b',
      'c',
      '.',
      '[ab]',
      '[^a]',
      '[a-b_]',
      '[\\d-_]',
      '[a-\\d]',
      '[\\w-]',
      '\\w',
      '\\W',
      '\\d',
      '\\s',
      '\\.',
      '\\b',
      '$',
      '^',
      'é',
    );
    const { tree } = fc.letrec<{ tree: string; item: string }>((tie) => ({
      item: fc.oneof(
        { maxDepth: 4 },
        atom,
        tie('tree').map((inside) => `(${inside})`),
        tie('tree').map((inside) => `(?:${inside})`),
        fc
          .tuple(tie('tree'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '{0,}', '*?', '+?'))
          .map(([inside, count]) => `(?:${inside})${count}`),
      ),
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.array(tie('item'), { maxLength: 4 }).map((items) => items.join('')),
        fc.tuple(tie('tree'), tie('tree')).map(([one, other]) => `${one}|${other}`),
      ),
    }));
    const subject = fc.stringMatching(/^[abcABé ._1\n]{0,8}$/);
    fc.assert(
      fc.property(tree, subject, fc.boolean(), (pattern, text, fold) => {
        const match = regexMatcher(pattern, fold);
        if (typeof match === 'string') return assert.match(match, /too long/);
        assert.equal(match(text), new RegExp(pattern, fold ? 'i' : '').test(text), `/${pattern}/ on ${text}`);
      }),
      { numRuns: 500 },
    );
  });

  it('say what is wrong with them', () => {
    for (const wrong of [
      '(',
      ')',
      '[',
      '*',
      'a**',
      '(?=a)',
      '(?<n>a)',
      '\\1',
      '\\k',
      'a{2000}',
      'a{3,1}',
      '[b-a]',
      '\\',
      '^*',
    ]) {
      assert.equal(typeof regexMatcher(wrong, false), 'string', wrong);
    }
    assert.equal(typeof regexMatcher('(((a{100}){100}){100})', false), 'string');
    assert.equal(typeof regexMatcher('('.repeat(5000), false), 'string');
  });

  it('any text is a regular expression or not, without an exception or a long wait', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[a(){}[\]|*+?\\^$.,0-9-]{0,30}$/));
    fc.assert(
      fc.property(text, fc.string(), (pattern, subject) => {
        const match = regexMatcher(pattern, true);
        assert.ok(typeof match === 'string' || typeof match(subject) === 'boolean');
      }),
    );
    assert.notEqual(typeof regexMatcher('((){1000}){1000}', false), 'string');
  });

  it('take their time in proportion to the text where JavaScript would not come back', () => {
    const match = regexMatcher('^(a+)+$', false);
    assert.ok(typeof match !== 'string');
    assert.equal(match(`${'a'.repeat(20_000)}b`), false);
    const stars = globMatcher(`${'*a'.repeat(30)}b`);
    assert.equal(stars?.('a'.repeat(5000)), false);
  });
});
