/** Breakpoints, logpoints and exception filters: which requests they are about, and why some are refused. */
import assert from 'node:assert/strict';
import { Errno } from '../../../src/protocol/errno';
import { Opcode } from '../../../src/protocol/fuse/opcodes';
import { Debugged } from './debugged';

describe('rules', () => {
  let it_: Debugged;

  beforeEach(async () => {
    it_ = await Debugged.begin();
  });
  afterEach(() => it_.end());

  it('counts hits', async () => {
    await it_.breakOn({ opcodes: 'GETATTR', hitCondition: '% 3' });
    assert.equal(it_.errorOf(it_.getattr()), 0);
    assert.equal(it_.errorOf(it_.getattr()), 0);
    const third = it_.getattr();
    await it_.next('held');
    await it_.go();
    assert.equal(it_.errorOf(third), 0);
    // The same breakpoint sent again keeps its count.
    await it_.breakOn({ opcodes: 'GETATTR', hitCondition: '% 3' });
    assert.equal(it_.errorOf(it_.getattr()), 0);
    assert.equal(it_.errorOf(it_.getattr()), 0);
    it_.getattr();
    await it_.next('held');
  });

  it('counts hits of what it is about alone: path and condition as well', async () => {
    await it_.breakOn({ opcodes: 'LOOKUP', path: 'f*', condition: 'pid == 4711', hitCondition: '2' });
    for (const name of ['other', 'file', 'other']) it_.errorOf(it_.lookup(name));
    it_.session.client.pid = 1;
    assert.equal(it_.errorOf(it_.lookup('file')), 0);
    it_.session.client.pid = 4711;
    const second = it_.lookup('folder');
    assert.equal((await it_.next('held')).path, '/folder');
    await it_.go();
    assert.equal(it_.errorOf(second), 0);
  });

  it('tells what logpoints say, and holds nothing', async () => {
    await it_.breakOn({ opcodes: 'LOOKUP', logMessage: '{opcode} of {path} by {pid} {{size {read.size}}}' });
    const pending = it_.lookup('file');
    assert.equal(it_.errorOf(pending), 0);
    const said = await it_.next('logpoint');
    assert.equal(said.text, 'LOOKUP of "/file" by 4711 {size -}');
    assert.equal(said.unique, String(pending.unique));
    assert.deepEqual((await it_.client.ask('held', {})).held, []);
  });

  it('says what is wrong with a breakpoint, and where', async () => {
    const { verdicts } = await it_.client.ask('setBreakpoints', {
      breakpoints: [
        { id: 7, opcodes: 'REED', phase: 'entry' },
        { id: 8, opcodes: 'READ', phase: 'entry', condition: 'read.sise > 4' },
        { id: 9, opcodes: 'READ', phase: 'entry', hitCondition: 'often' },
        { id: 10, opcodes: 'READ', phase: 'entry', logMessage: 'so {what}' },
        { id: 11, opcodes: 'FORGET', phase: 'entry' },
        { id: 12, opcodes: 'READ', phase: 'entry' },
      ],
    });
    assert.deepEqual(
      verdicts.map(({ id, verified, part }) => [id, verified, part]),
      [
        [7, false, 'opcodes'],
        [8, false, 'condition'],
        [9, false, 'hitCondition'],
        [10, false, 'logMessage'],
        [11, false, 'opcodes'],
        [12, true, undefined],
      ],
    );
    assert.match(verdicts[1].message ?? '', /read\.size/);
    assert.deepEqual([verdicts[1].from, verdicts[1].to], [0, 9]);
    assert.deepEqual([verdicts[3].from, verdicts[3].to], [3, 9]);
  });

  describe('exceptions', () => {
    const filter = (kind: 'anyErrno' | 'errno' | 'violation' | 'slow' | 'unknownOpcode', more = {}) =>
      it_.client.ask('setExceptionFilters', { filters: [{ id: 3, kind, ...more }] });

    it('any errno', async () => {
      await filter('anyErrno');
      assert.equal(it_.errorOf(it_.lookup('file')), 0);
      const missing = it_.lookup('missing');
      const { why, phase } = await it_.next('held');
      assert.deepEqual([phase, why], ['reply', { kind: 'exception', ids: [3], text: 'ENOENT' }]);
      await it_.go();
      assert.equal(it_.errorOf(missing), -Errno.ENOENT);
    });

    it('chosen ones, with a condition', async () => {
      await filter('errno', { errnos: [Errno.EBADF, Errno.ENOENT], condition: 'path ~ "m*"' });
      assert.equal(it_.errorOf(it_.lookup('gone')), -Errno.ENOENT);
      const missing = it_.lookup('missing');
      await it_.next('held');
      await it_.go();
      assert.equal(it_.errorOf(missing), -Errno.ENOENT);
    });

    it('a protocol violation', async () => {
      await filter('violation');
      assert.equal(it_.errorOf(it_.start(99, 1n, [])), -Errno.ENOSYS, 'what nobody knows is none');
      const bad = it_.start(Opcode.GETATTR, 1n, [], { room: 104 });
      const { why } = await it_.next('held');
      assert.equal(why.text, 'shorter than its arguments');
      await it_.go();
      assert.equal(it_.errorOf(bad), -Errno.EINVAL);
    });

    it('an opcode that nobody knows', async () => {
      await filter('unknownOpcode');
      const strange = it_.start(99, 1n, []);
      const held = await it_.next('held');
      assert.equal(held.name, 'opcode 99');
      await it_.go();
      assert.equal(it_.errorOf(strange), -Errno.ENOSYS);
    });

    it('slower than it may be; time that it was held does not count', async () => {
      await filter('slow', { milliseconds: 200 });
      await it_.breakOn({ opcodes: 'GETATTR' });
      const held = it_.getattr();
      const { request } = await it_.next('held');
      await new Promise((resolve) => setTimeout(resolve, 300));
      await it_.go(request);
      assert.equal(it_.errorOf(held), 0);
      await filter('slow', { milliseconds: 0.000001 });
      it_.lookup('file');
      const { why } = await it_.next('held');
      assert.match(why.text, /^it took \d+\.\d ms$/);
    });

    it('without a time, or an errno, is refused', async () => {
      assert.equal((await filter('slow')).verdicts[0].verified, false);
      assert.equal((await filter('errno')).verdicts[0].verified, false);
      assert.equal((await filter('anyErrno', { condition: 'reply.' })).verdicts[0].part, 'condition');
    });
  });
});
