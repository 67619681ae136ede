import assert from 'node:assert/strict';
import { HIT_FORMS, parseHitCondition } from '../../../src/control/rules/hitCondition';

describe('hit conditions', () => {
  const hits = (text: string): number[] => {
    const test = parseHitCondition(text);
    assert.ok(test);
    return [1, 2, 3, 4, 5, 6].filter(test);
  };

  it('name the hits that count', () => {
    assert.deepEqual(hits('3'), [3]);
    assert.deepEqual(hits(' == 3'), [3]);
    assert.deepEqual(hits('=3'), [3]);
    assert.deepEqual(hits('>= 3'), [3, 4, 5, 6]);
    assert.deepEqual(hits('>3'), [4, 5, 6]);
    assert.deepEqual(hits('< 3'), [1, 2]);
    assert.deepEqual(hits('<=3'), [1, 2, 3]);
    assert.deepEqual(hits('% 2'), [2, 4, 6]);
  });

  for (const text of ['', '0', '% 0', 'x', '3 4', '-1', '>', '=== 3', '1.5', '3x', '>=', '9'.repeat(20)]) {
    it(`not ${JSON.stringify(text)}`, () => assert.equal(parseHitCondition(text), undefined));
  }

  it('say which forms there are, all of which are taken', () => {
    for (const form of HIT_FORMS.split(/, | or /)) assert.ok(parseHitCondition(form), form);
  });
});
