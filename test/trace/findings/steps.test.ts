import assert from 'node:assert/strict';
import { findings, FindingsPass } from '../../../src/trace/findings/findings';
import { CaptureBuilder } from '../captureBuilder';

const made = (): CaptureBuilder => {
  const builder = new CaptureBuilder().init();
  for (let i = 0; i < 5000; i++) {
    builder.exchange('GETATTR', { nodeid: 2 + (i % 9), ...(i % 700 === 0 ? { error: 'ESTALE' } : {}) });
  }
  return builder;
};

describe('findings in steps', () => {
  it('are the same as in one go', () => {
    const capture = made().capture();
    const pass = new FindingsPass(capture);
    let steps = 0;
    while (!pass.advance(() => true)) {
      // Rows are looked at between two looks at the clock; the first look is before the first row.
      if (++steps > 3) break;
    }
    let more = 0;
    while (!pass.advance(() => more++ % 2 === 1)) steps++;
    assert.ok(steps > 3);
    assert.deepEqual(pass.found(), findings(capture));
  });

  it('are of the rows that there were when the pass began, and of those from a row on', () => {
    const capture = made().capture();
    const all = findings(capture).find(({ code }) => code === 'estale');
    const some = new FindingsPass(capture, { codes: ['estale'] }, 701);
    assert.ok(some.advance(() => false));
    const [late] = some.found();
    assert.ok(all && late && late.total < all.total);
    assert.ok(late.rows.every((row) => row >= 701));
  });
});
