import assert from 'node:assert/strict';
import { LastSelected } from '../../../src/ui/requests/lastSelected';

describe('the request that was selected last', () => {
  let last: LastSelected;
  beforeEach(() => (last = new LastSelected()));

  it('is the one that a person selected, in this capture', () => {
    assert.equal(last.in('one'), undefined);
    last.heard('one', 7);
    assert.deepEqual([last.in('one'), last.in('other'), last.in(undefined)], [7, undefined, undefined]);
  });

  it('is the one that a command asked for, before and after VS Code says so', () => {
    last.asked('one', 7);
    assert.equal(last.in('one'), 7);
    last.heard('one', 7);
    assert.equal(last.in('one'), 7);
  });

  it('is no earlier one of which VS Code says so late', () => {
    last.asked('one', 7);
    last.asked('one', 9);
    last.heard('one', 7);
    assert.equal(last.in('one'), 9);
    last.heard('one', 9);
    last.heard('one', 7);
    assert.equal(last.in('one'), 7, 'a person has gone back');
  });

  it('is what a person selects while VS Code says nothing of what was asked for', () => {
    last.asked('one', 7);
    last.heard('one', 3);
    assert.equal(last.in('one'), 3);
  });
});
