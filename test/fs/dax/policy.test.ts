/** Which files go through the DAX window, in the words of --dax-policy. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DEFAULT_DAX_POLICY } from '../../../src/base/daxSize';
import { type DaxPolicy, PAGES_ONLY, parsePolicy, pathMatcher, sizeFault } from '../../../src/fs/dax/policy';

const policy = (text: string): DaxPolicy => parsePolicy(text) ?? assert.fail(text);

describe('the policy of the DAX window', () => {
  it('of pages: whole pages, and not empty', () => {
    assert.deepEqual(policy('pages'), PAGES_ONLY);
    const taken = [0, 1, 4095, 4096, 4097, 8192].filter((size) => sizeFault(PAGES_ONLY, size) === undefined);
    assert.deepEqual(taken, [4096, 8192]);
    assert.match(sizeFault(PAGES_ONLY, 0) ?? '', /empty/);
    assert.match(sizeFault(PAGES_ONLY, 5) ?? '', /not a multiple of 4096/);
  });

  it('takes sizes, with and without their bounds', () => {
    const sizes = [0, 1, 1023, 1024, 1025, 2048, 2049];
    const taken = (text: string): number[] =>
      sizes.filter((size) => sizeFault(policy(`tails,${text}`), size) === undefined);
    assert.deepEqual(taken('>=1K'), [1024, 1025, 2048, 2049]);
    assert.deepEqual(taken('>1k,<=2K'), [1025, 2048]);
    assert.deepEqual(taken('<1K'), [1, 1023]);
    assert.equal(sizeFault(policy('tails,>=1M'), 5), 'it is smaller than 1M (--dax-policy)');
    assert.equal(sizeFault(policy('tails,>1K'), 5), 'it is smaller than 1025 bytes (--dax-policy)');
    assert.equal(sizeFault(policy('tails,<=3K'), 4096), 'it is larger than 3K (--dax-policy)');
  });

  it('leaves small files out where nothing is said', () => {
    const taken = [4096, 61_440, 65_536, 65_537, 69_632].filter(
      (size) => sizeFault(policy(DEFAULT_DAX_POLICY), size) === undefined,
    );
    assert.deepEqual(taken, [65_536, 69_632]);
  });

  it('takes globs: of names, or of paths where they have a slash', () => {
    const matches = (text: string, path: string): boolean => pathMatcher(policy(text))(path);
    for (const [text, yes, no] of [
      ['*.db', ['a.db', 'x/y/a.db'], ['a.dbx', 'a.db/x']],
      ['data/*.bin', ['data/a.bin'], ['data/x/a.bin', 'x/data/a.bin', 'a.bin']],
      ['data/**', ['data/a', 'data/x/y'], ['datax/a', 'x/data/a']],
      ['**/cache/*', ['cache/a', 'x/y/cache/a'], ['cache', 'cache/a/b']],
      ['/top', ['top'], ['x/top']],
      ['a?[0-9].[!x]', ['ab3.y', 'q/ab3.y'], ['ab3.x', 'a/3.y', 'abc.y']],
      ['a.b', ['a.b'], ['axb']],
      ['(a|b)+', ['(a|b)+'], ['a', 'b']],
      ['[', ['['], ['x']],
      ['*.a,*.b', ['1.a', '1.b'], ['1.c']],
    ] as const) {
      for (const path of yes) assert.ok(matches(text, path), `${text} names ${path}`);
      for (const path of no) assert.ok(!matches(text, path), `${text} does not name ${path}`);
    }
    assert.ok(matches('pages', 'anything/at all'));
  });

  it('refuses what is none of these', () => {
    for (const text of ['', 'pages,', '>', '>=', '>=x', '<1Q', '>=99999999999999', '>=999999999999T', 'a\0b']) {
      assert.equal(parsePolicy(text), undefined, text);
    }
  });

  it('never throws, and what it takes can be asked', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat(), (text, path, size) => {
        const parsed = parsePolicy(text);
        if (!parsed) return;
        sizeFault(parsed, size);
        pathMatcher(parsed)(path);
      }),
    );
  });
});
