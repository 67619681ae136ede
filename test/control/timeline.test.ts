import assert from 'node:assert/strict';
import fc from 'fast-check';
import { areNotes, isFromTimeline, LONGEST_FILTER, MOST_ASKED } from '../../src/control/timeline';

const ask = (question: unknown): unknown => ({ kind: 'question', id: 1, ask: question });

describe('what a timeline says', () => {
  it('is taken when it makes sense', () => {
    for (const message of [
      { kind: 'ready' },
      { kind: 'pause', paused: true },
      {
        kind: 'notes',
        notes: [
          { id: 'a', at: 1.5, text: 'here' },
          { id: 'b', at: 2, row: 3, text: '' },
        ],
        removed: ['c'],
        edition: 1,
      },
      { kind: 'export', side: 0, from: 0, to: 10 },
      ask({ about: 'request', side: 1, row: 7 }),
      ask({ about: 'lines', side: 0, rows: [1, 2] }),
      ask({ about: 'filter', filter: 1, text: 'opcode == READ' }),
      ask({ about: 'complete', text: 'op', cursor: 2 }),
      ask({ about: 'window', side: 0 }),
      ask({ about: 'comparison' }),
    ]) {
      assert.ok(isFromTimeline(message), JSON.stringify(message));
    }
  });

  it('is refused when it does not', () => {
    for (const message of [
      undefined,
      null,
      'ready',
      { kind: 'run', program: '/bin/sh' },
      { kind: 'pause' },
      { kind: 'notes', notes: [{ id: 'a', at: NaN, text: '' }], removed: [], edition: 1 },
      { kind: 'notes', notes: [], removed: [] },
      { kind: 'notes', notes: [], edition: 1 },
      { kind: 'notes', notes: [], removed: [7], edition: 1 },
      { kind: 'notes', notes: [], removed: ['x'.repeat(65)], edition: 1 },
      { kind: 'export', side: 2, from: 0, to: 1 },
      { kind: 'question', id: -1, ask: { about: 'comparison' } },
      ask({ about: 'request', side: 0, row: 1.5 }),
      ask({ about: 'request', side: 0, row: -1 }),
      ask({ about: 'lines', side: 0, rows: Array.from({ length: MOST_ASKED + 1 }, () => 0) }),
      ask({ about: 'filter', filter: 1, text: 'x'.repeat(LONGEST_FILTER + 1) }),
      ask({ about: 'window', side: 2 }),
      ask({ about: 'secrets' }),
    ]) {
      assert.ok(!isFromTimeline(message), JSON.stringify(message));
    }
  });

  it('may be anything', () => {
    fc.assert(fc.property(fc.anything(), (message) => typeof isFromTimeline(message) === 'boolean'));
    fc.assert(fc.property(fc.anything(), (notes) => typeof areNotes(notes) === 'boolean'));
  });
});
