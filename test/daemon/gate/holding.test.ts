/** Requests held at their entry and at their reply, over the debug socket of a real daemon. */
import assert from 'node:assert/strict';
import { Errno } from '../../../src/protocol/errno';
import { Debugged } from './debugged';

describe('holding', () => {
  let it_: Debugged;

  beforeEach(async () => {
    it_ = await Debugged.begin();
  });
  afterEach(() => it_.end());

  it('says what share it is', () => {
    const { hello } = it_;
    assert.equal(hello.tag, 'work');
    assert.equal(hello.pid, it_.daemon.pid);
    assert.equal(hello.queues, 2);
    assert.deepEqual([...hello.neverHeld].sort(), ['BATCH_FORGET', 'DESTROY', 'FORGET', 'INTERRUPT']);
    assert.ok(hello.rerunnable.includes('READ') && !hello.rerunnable.includes('LOOKUP'));
  });

  it('holds what a breakpoint names while other requests go on', async () => {
    await it_.breakOn({ opcodes: 'FUSE_LOOKUP', path: 'fi*' });
    const lookup = it_.lookup('file');
    const held = await it_.next('held');
    assert.equal(held.name, 'LOOKUP');
    assert.equal(held.path, '/file');
    assert.equal(held.phase, 'entry');
    assert.equal(held.unique, String(lookup.unique));
    assert.equal(held.pid, 4711);
    assert.deepEqual(held.why, { kind: 'breakpoint', ids: [1], text: '' });
    assert.equal(it_.errorOf(it_.getattr()), 0);
    assert.equal(it_.errorOf(it_.lookup('folder')), 0);
    assert.ok(!it_.done(lookup));
    await it_.go(held.request);
    assert.deepEqual(await it_.next('released'), { request: held.request, why: 'continued' });
    assert.equal(it_.errorOf(lookup), 0);
  });

  it('holds at the reply, with the reply in sight', async () => {
    await it_.breakOn({ opcodes: 'LOOKUP', phase: 'reply', condition: 'reply.error == ENOENT' });
    assert.equal(it_.errorOf(it_.lookup('file')), 0);
    const missing = it_.lookup('missing');
    const held = await it_.next('held');
    assert.equal(held.phase, 'reply');
    const facts = await it_.client.ask('request', { request: held.request });
    assert.equal(facts.error, Errno.ENOENT);
    assert.equal(facts.replyBytes, 16);
    await it_.go();
    assert.equal(it_.errorOf(missing), -Errno.ENOENT);
  });

  for (const [order, pick] of [
    ['in order', (ids: number[]) => ids],
    ['the last one first', (ids: number[]) => [...ids].reverse()],
    ['in no order', (ids: number[]) => [...ids].sort((a, b) => ((a * 7) % 20) - ((b * 7) % 20))],
  ] as const) {
    it(`twenty held requests are released ${order}`, async () => {
      await it_.breakOn({ opcodes: 'GETATTR' });
      const pending = Array.from({ length: 20 }, () => it_.getattr());
      const ids: number[] = [];
      while (ids.length < 20) ids.push((await it_.next('held')).request);
      const { held } = await it_.client.ask('held', {});
      assert.equal(held.length, 20);
      assert.ok(held.every(({ waited, phase }) => waited >= 0 && phase === 'entry'));
      for (const id of pick(ids)) {
        const mine = pending[ids.indexOf(id)];
        assert.ok(!it_.done(mine));
        await it_.go(id);
        assert.equal(it_.errorOf(mine), 0);
      }
      assert.deepEqual((await it_.client.ask('held', {})).held, []);
    });
  }

  it('holds the next request when it is told to pause, and only that one', async () => {
    await it_.client.ask('pause', {});
    const first = it_.getattr();
    const held = await it_.next('held');
    assert.equal(held.why.kind, 'pause');
    assert.equal(it_.errorOf(it_.getattr()), 0);
    await it_.go();
    assert.equal(it_.errorOf(first), 0);
  });

  it('pauses one queue only, where it is asked to', async () => {
    await it_.client.ask('pause', { queue: 0 });
    assert.equal(it_.errorOf(it_.getattr()), 0);
    assert.deepEqual((await it_.client.ask('held', {})).held, []);
  });

  it('stops the whole share, where that is wanted', async () => {
    await it_.client.ask('setOptions', { stopWorld: true });
    await it_.breakOn({ opcodes: 'LOOKUP' });
    const [lookup, getattr] = [it_.lookup('file'), it_.getattr()];
    const held = await it_.next('held');
    await it_.client.ask('session', {});
    assert.ok(!it_.done(getattr));
    await it_.go(held.request);
    assert.equal(it_.errorOf(getattr), 0);
    assert.equal(it_.errorOf(lookup), 0);
  });

  it('never holds FORGET and its like', async () => {
    const { nodeid } = it_.session.calls.lookup(1n, 'file');
    await it_.breakOn({ opcodes: '*' });
    it_.session.calls.forget(nodeid);
    it_.session.calls.batchForget([{ nodeid: 99n, nlookup: 1 }]);
    assert.deepEqual((await it_.client.ask('held', {})).held, []);
    assert.equal((await it_.client.ask('inode', { nodeid: String(nodeid) })).inode, undefined);
  });
});
