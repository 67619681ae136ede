import assert from 'node:assert/strict';
import type { BreakpointRule, RuleVerdict } from '../../src/debug/breakpoints';
import { Breakpoints } from '../../src/debug/standingBreakpoints';
import type { Target } from '../../src/debug/target';

const rule = (id: number): BreakpointRule => ({ id, opcodes: 'READ', phase: 'entry' });

describe('the breakpoints of a session', () => {
  const given: number[][] = [];
  let verdict: (id: number) => boolean;
  const target: Pick<Target, 'setBreakpoints'> = {
    setBreakpoints: (rules): Promise<RuleVerdict[]> => {
      given.push(rules.map(({ id }) => id));
      return Promise.resolve(rules.map(({ id }) => ({ id, verified: verdict(id) })));
    },
  };
  const set = (of: 'lines' | 'functions', ...ids: number[]): Promise<readonly RuleVerdict[]> =>
    breakpoints.set(target as Target, of, ids.map(rule));
  let breakpoints: Breakpoints;

  beforeEach(() => {
    breakpoints = new Breakpoints();
    given.length = 0;
    verdict = () => true;
  });

  it('are given to the target all together, whichever of them are set', async () => {
    await set('lines', 1, 2);
    await set('functions', 3);
    await set('lines', 4);
    await set('functions');
    assert.deepEqual(given, [[1, 2], [1, 2, 3], [4, 3], [4]]);
  });

  it('that were refused, or not searched for to the end, are not set again beside others', async () => {
    verdict = (id) => id !== 2;
    await set('lines', 1, 2);
    verdict = () => true;
    await set('functions', 3);
    assert.deepEqual(given, [
      [1, 2],
      [1, 3],
    ]);
  });

  it('are those that were set last, also when the verdicts on others come later', async () => {
    verdict = (id) => id !== 1;
    await Promise.all([set('lines', 1, 2), set('lines', 4)]);
    await set('functions', 3);
    assert.deepEqual(given.at(-1), [4, 3]);
  });
});
