import * as assert from 'node:assert/strict';
import { findingLines, findingsText } from '../../../src/trace/findings/findingText';
import type { Finding } from '../../../src/trace/findings/findings';
import { duration, list, percent } from '../../../src/trace/findings/words';

const estale: Finding = {
  code: 'estale',
  severity: 'warning',
  title: 'files went away',
  text: '12 replies with ESTALE: "/a" 10 times and "/b" twice.',
  remedy: 'Change files from one side only.',
  rows: Uint32Array.of(3, 5, 8, 9),
  total: 12,
};

describe('findings as text', () => {
  it('what, the numbers, what to do, and the requests', () => {
    assert.deepEqual(
      findingLines(estale, { rows: 3 }).map(({ kind, text }) => [kind, text]),
      [
        ['title', 'warning: files went away [estale]'],
        ['text', '  12 replies with ESTALE: "/a" 10 times and "/b" twice.'],
        ['remedy', '  What to do: Change files from one side only.'],
        ['rows', '  Requests: #3 #5 #8 and 9 more'],
      ],
    );
  });

  it('breaks lines at blanks, none of them longer than the width', () => {
    const lines = findingLines(estale, { width: 30 }).map(({ text }) => text);
    assert.ok(lines.every((each) => each.length <= 30));
    assert.deepEqual(lines.slice(2, 4), ['  12 replies with ESTALE: "/a"', '    10 times and "/b" twice.'].slice(0, 2));
    assert.equal(findingLines(estale, { width: 0 }).length, 4);
  });

  it('names rows as it is told', () => {
    const row = (each: number): string => `r${each + 1}`;
    assert.match(findingsText([estale], { row }), /Requests: r4 r6 r9 r10 and 8 more$/);
  });

  it('puts an empty line between two, and says when there is none', () => {
    assert.equal(findingsText([estale, estale]).split('\n\n').length, 2);
    assert.equal(findingsText([]), 'Nothing found.');
  });

  it('words numbers for people', () => {
    assert.deepEqual([1.5e9, 23e6, 4567, 12, -1].map(duration), ['1.5 s', '23 ms', '4.57 µs', '12 ns', '0 ns']);
    assert.deepEqual([percent(1, 3), percent(1, 1000), percent(0, 0)], ['33 %', '0.1 %', '0 %']);
    assert.deepEqual([list(['a']), list(['a', 'b']), list(['a', 'b'], 3)], ['a', 'a and b', 'a, b and 3 more']);
  });
});
