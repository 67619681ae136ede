import * as assert from 'node:assert/strict';
import { MOST_WARNINGS, Warnings } from '../../src/daemon/warnings';

describe('the warnings of a session', () => {
  it('are bounded, with a last line that says so, and begin anew with another session', () => {
    const lines: string[] = [];
    const warnings = new Warnings((text) => lines.push(text));
    for (let round = 0; round < MOST_WARNINGS + 50; round++) warnings.say(`ring ${round}`);
    assert.equal(lines.length, MOST_WARNINGS + 1);
    assert.deepEqual(lines.slice(-2), [`ring ${MOST_WARNINGS - 1}`, 'no more warnings of this session are logged']);
    warnings.begin();
    warnings.say('anew');
    assert.equal(lines.at(-1), 'anew');
  });
});
