/** Texts of fault rules, and what is said of wrong ones. Pure. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { parseFault } from '../../../src/control/rules/faultRule';
import { Opcode } from '../../../src/protocol/fuse/opcodes';

describe('fault rules', () => {
  const rule = (text: string) => {
    const parsed = parseFault(text);
    if ('problem' in parsed) assert.fail(parsed.problem);
    return parsed;
  };
  const wrong = (text: string): [string, string] => {
    const parsed = parseFault(text);
    if (!('problem' in parsed)) return assert.fail(`taken: ${text}`);
    return [parsed.problem, text.slice(parsed.from, parsed.to)];
  };

  it('say what is done', () => {
    assert.deepEqual(rule('errno=EIO READ').action, { kind: 'errno', errno: 5 });
    assert.deepEqual(rule('errno=enospc READ').action, { kind: 'errno', errno: 28 });
    assert.deepEqual(rule('errno=511 READ').action, { kind: 'errno', errno: 511 });
    assert.deepEqual(rule('delay=20ms *').action, { kind: 'delay', milliseconds: 20 });
    assert.deepEqual(rule('delay=1.5s *').action, { kind: 'delay', milliseconds: 1500 });
    assert.deepEqual(rule('delay=250us *').action, { kind: 'delay', milliseconds: 0.25 });
    assert.deepEqual(rule('short READ').action, { kind: 'short', bytes: undefined });
    assert.deepEqual(rule('short=0 WRITE').action, { kind: 'short', bytes: 0 });
    assert.deepEqual(rule('length=-8 *').action, { kind: 'length', by: -8 });
    assert.deepEqual(rule('twice *').action, { kind: 'twice' });
    assert.deepEqual(rule('drop *').action, { kind: 'drop' });
  });

  it('say to what, and how often', () => {
    const one = rule('errno=EIO,p=0.25,seed=7,after=10,times=3 READ,WRITE *.db if read.size > 4K && pid != 1');
    assert.deepEqual([one.probability, one.seed, one.after, one.times], [0.25, 7, 10, 3]);
    assert.equal(one.condition?.text, 'read.size > 4K && pid != 1');
    assert.ok(one.path);
    assert.equal(rule('errno=EIO READ if pid == 1').path, undefined);
    assert.equal(rule('errno=EIO READ').times, Infinity);
  });

  it('leave alone what has no reply', () => assert.equal(rule('drop *').opcodes[Opcode.FORGET], 0));

  for (const [text, place] of [
    ['', ''],
    ['errno=EIO', 'errno=EIO'],
    ['errno=ENOPE READ', 'errno=ENOPE'],
    ['errno=0 READ', 'errno=0'],
    ['errno=512 READ', 'errno=512'],
    ['delay READ', 'delay'],
    ['delay=5h READ', 'delay=5h'],
    ['delay=4000s READ', 'delay=4000s'],
    ['short LOOKUP', 'LOOKUP'],
    ['short=-1 READ', 'short=-1'],
    ['length=0 *', 'length=0'],
    ['length=8 *', 'length=8'],
    ['twice=2 *', 'twice=2'],
    ['explode *', 'explode'],
    ['drop,p=0 *', 'p=0'],
    ['drop,p=2 *', 'p=2'],
    ['drop,times=0 *', 'times=0'],
    ['drop,often *', 'often'],
    ['drop REED', 'REED'],
    ['drop READ *.db pid == 1', 'drop READ *.db pid == 1'],
    ['drop READ if read.sise > 1', 'read.sise'],
    ['drop READ if pid ==', ''],
  ] as const) {
    it(`not ${JSON.stringify(text)}`, () => {
      const [problem, at] = wrong(text);
      assert.notEqual(problem, '');
      assert.equal(at, place);
    });
  }

  it('never throw, and take their time for nothing', () => {
    const words = fc.constantFrom(
      'errno=EIO',
      'delay=1ms',
      'READ',
      '*',
      'if',
      'pid',
      '==',
      '1',
      ' ',
      ',',
      '{a,b}',
      '[',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(words).map((all) => all.join(' ')),
        ),
        (text) => {
          const parsed = parseFault(text);
          if ('problem' in parsed) assert.ok(parsed.from >= 0 && parsed.from <= parsed.to && parsed.to <= text.length);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
