import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  checkedFacts,
  checkedProblem,
  checkedRestart,
  checkedScript,
  checkedState,
  isServed,
} from '../../src/control/launcher';

const facts = {
  launcher: 10,
  kind: 'uml',
  accelerator: 'none',
  guest: { pid: 12, argv: ['linux.uml', 'mem=256M'] },
  shares: [
    {
      tag: 'share',
      directory: '/srv',
      readOnly: false,
      mountPoint: '/mnt/share',
      mountCommand: 'mount -t virtiofs -o rw share /mnt/share',
      daemon: { pid: 11, argv: ['node', 'daemon.js'] },
      captureSocket: '/run/11.sock',
      countersSocket: '/run/11.counters',
    },
  ],
};

describe('what a launcher says', () => {
  it('is taken as it is when it is well formed', () => {
    const states = [
      { kind: 'preparing', step: 'tools', text: 'fetching' },
      { kind: 'up', release: '7.2.0' },
      { kind: 'failed', code: 'guestNotUp', text: 'no', remedy: 'try again' },
      { kind: 'stopped', reason: 'asked', status: 'exit code 0' },
    ];
    for (const state of states) assert.deepEqual(checkedState(state), state);
    assert.deepEqual(checkedFacts(facts), facts);
    const problem = { tag: 'a', code: 'daemonGone', text: 'b', remedy: 'c' };
    assert.equal(isServed(problem), false);
    assert.equal(isServed({ ...problem, code: 'captureStopped' }), true);
    assert.deepEqual(checkedProblem(problem), problem);
    assert.deepEqual(checkedRestart({}), {});
    assert.deepEqual(checkedRestart({ words: ['--guest', 'uml'] }), { words: ['--guest', 'uml'] });
    assert.equal(checkedScript({ script: 'true' }), 'true');
  });

  it('is dropped when it is not', () => {
    for (const state of [undefined, null, 7, {}, { kind: 'up' }, { kind: 'preparing', step: 'x', text: '' }]) {
      assert.equal(checkedState(state), undefined);
    }
    const [share] = facts.shares;
    const broken = [
      { ...facts, launcher: 0 },
      { ...facts, guest: { pid: 1.5, argv: [] } },
      { ...facts, guest: { pid: 1, argv: [1] } },
      { ...facts, accelerator: 'xen' },
      { ...facts, shares: [{ ...share, daemon: undefined }] },
      { ...facts, shares: Array.from({ length: 2000 }, () => share) },
    ];
    for (const one of broken) assert.equal(checkedFacts(one), undefined);
    assert.equal(checkedRestart({ words: 'all' }), undefined);
    assert.equal(checkedScript({ script: '' }), undefined);
    assert.equal(checkedScript({ script: 'x'.repeat(2 << 20) }), undefined);
  });

  it('never throws, whatever comes', () =>
    fc.assert(
      fc.property(fc.anything(), (value) => {
        for (const check of [checkedState, checkedFacts, checkedProblem, checkedRestart, checkedScript]) check(value);
      }),
    ));
});
