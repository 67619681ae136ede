import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseFindings } from '../../src/control/findings';

describe('the findings of doctor', () => {
  it('are read from its JSON', () => {
    const findings = [
      { subject: 'Linux', verdict: 'ok', found: 'linux x64' },
      { subject: 'KVM', verdict: 'warning', found: 'no', fix: 'Run: x', command: 'x' },
    ];
    assert.deepEqual(parseFindings(JSON.stringify(findings)), findings);
  });

  it('are not believed when they are something else', () => {
    for (const bad of ['', '{}', '[{}]', '[{"subject":"a","found":"b","verdict":"fine"}]', '[null]']) {
      assert.equal(parseFindings(bad), undefined);
    }
  });

  it('never throw, whatever comes', () =>
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseFindings(text))));
});
