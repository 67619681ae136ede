/** Which requests faults strike, and how often: those of the daemon's options and those of the debugger. */
import assert from 'node:assert/strict';
import { Errno } from '../../../src/protocol/errno';
import { Debugged } from './debugged';

describe('faults', () => {
  let it_: Debugged;

  afterEach(() => it_.end());

  it('only where path and condition say so, after so many, so many times', async () => {
    it_ = await Debugged.withFaults('errno=EIO,after=1,times=2 LOOKUP f* if pid == 4711');
    const errors = ['file', 'folder', 'file', 'other', 'folder', 'file'].map((name) => it_.errorOf(it_.lookup(name)));
    assert.deepEqual(errors, [0, -Errno.EIO, -Errno.EIO, -Errno.ENOENT, 0, 0]);
    const { faults } = await it_.client.ask('faults', {});
    assert.deepEqual(
      faults.map(({ seen, done, fromOptions }) => [seen, done, fromOptions]),
      [[3, 2, true]],
    );
  });

  it('with a probability, the same in every run', async () => {
    it_ = await Debugged.withFaults('errno=EIO,p=0.3,seed=5 GETATTR');
    const run = (): string =>
      Array.from({ length: 200 }, () => (it_.errorOf(it_.getattr()) === 0 ? '.' : 'x')).join('');
    const first = run();
    const struck = first.split('x').length - 1;
    assert.ok(struck > 30 && struck < 90, `${struck} of 200`);
    await it_.end();
    it_ = await Debugged.withFaults('errno=EIO,p=0.3,seed=5 GETATTR');
    assert.equal(run(), first);
  });

  it('set by a debugger: they are its own, and go with it', async () => {
    it_ = await Debugged.withFaults('errno=EIO STATFS');
    await it_.setFaults('errno=EPERM LOOKUP');
    assert.equal(it_.errorOf(it_.lookup('file')), -Errno.EPERM);
    assert.throws(() => it_.session.calls.statfs(1n), { code: 'EIO' });
    it_.client.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await it_.connect();
    assert.equal((await it_.client.ask('faults', {})).faults.length, 1);
    assert.equal(it_.errorOf(it_.lookup('file')), 0);
    assert.throws(() => it_.session.calls.statfs(1n), { code: 'EIO' });
  });

  it('a bad one is told, with its place, and the good ones count', async () => {
    it_ = await Debugged.withFaults();
    const { verdicts } = await it_.client.ask('setFaults', { rules: ['errno=EIO READ', 'errno=NOPE READ'] });
    assert.equal(verdicts[0].verified, true);
    assert.deepEqual([verdicts[1].verified, verdicts[1].from, verdicts[1].to], [false, 0, 10]);
    assert.equal((await it_.client.ask('faults', {})).faults.length, 1);
  });
});
