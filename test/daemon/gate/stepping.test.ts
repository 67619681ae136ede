/** A held request stepped through, host call by host call, over the debug socket of a real daemon. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Held } from '../../../src/control/debug';
import { Opcode } from '../../../src/protocol/fuse/opcodes';
import * as wire from '../../../src/protocol/fuse/structs';
import { pack } from '../../driver/pack';
import { needSlowDisk, slowDisk } from '../slowDisk';
import { Debugged } from './debugged';

const O_RDWR = 2;

describe('stepping', () => {
  let it_: Debugged;

  /** From its entry to its reply, one step in after the other; what it stood at. */
  async function walk(request: number): Promise<Held[]> {
    const stops: Held[] = [];
    for (;;) {
      const stop = await it_.step('stepIn', request);
      stops.push(stop);
      if (stop.phase === 'reply') return stops;
      if (stop.phase === 'waiting') stops.push(await it_.next('stepped'));
    }
  }

  const shown = (stops: readonly Held[]): string[] =>
    stops.map(({ phase, call }) => {
      if (!call) return phase;
      const text = call.texts.length > 0 ? ` ${call.texts.join(' ')}` : '';
      const result = call.result === undefined ? '' : call.result < 0 ? ` ${call.result}` : ' ok';
      return `${phase} ${call.name}${text}${result}`;
    });

  describe('on a quick disk', () => {
    beforeEach(async () => {
      it_ = await Debugged.begin();
    });
    afterEach(() => it_.end());

    it('OPEN: before and after each host call, then the reply', async () => {
      const { nodeid } = it_.session.calls.lookup(1n, 'file');
      await it_.breakOn({ opcodes: 'OPEN' });
      const open = it_.start(Opcode.OPEN, nodeid, [pack(wire.OpenIn, { flags: O_RDWR })], { room: wire.OpenOut.size });
      const { request } = await it_.next('held');
      const stops = await walk(request);
      const lines = shown(stops);
      assert.equal(lines.at(-1), 'reply');
      const opens = stops.filter(({ call }) => call?.name === 'openat');
      assert.ok(opens.length >= 2, lines.join('\n'));
      assert.deepEqual([opens[0].phase, opens[0].call?.result], ['call', undefined]);
      assert.equal(opens[1].phase, 'called');
      assert.ok((opens[1].call?.result ?? -1) >= 0);
      assert.ok(stops.slice(0, -1).every(({ inHandler }) => inHandler));
      assert.equal(stops.at(-1)?.inHandler, false);
      // Each call is stopped at twice, and is in the list of calls.
      const { calls } = await it_.client.ask('request', { request });
      assert.equal(stops.length, 2 * calls.length + 1);
      await it_.client.ask('stepIn', { request });
      assert.equal((await it_.next('released')).why, 'stepped');
      assert.equal(it_.errorOf(open), 0);
    });

    it('CREATE: the names that it gives to the host', async () => {
      await it_.breakOn({ opcodes: 'CREATE' });
      const parts = [pack(wire.CreateIn, { flags: O_RDWR | 0o100, mode: 0o100644 }), Buffer.from('fresh\0')];
      const create = it_.start(Opcode.CREATE, 1n, parts, { room: wire.EntryOut.size + wire.OpenOut.size });
      const { request, path: about } = await it_.next('held');
      assert.equal(about, '/fresh');
      const stops = await walk(request);
      const made = stops.find(({ call, phase }) => call?.name === 'openat' && phase === 'called');
      assert.deepEqual(made?.call?.texts, ['fresh']);
      await it_.go(request);
      assert.equal(it_.errorOf(create), 0);
      assert.ok(fs.existsSync(path.join(it_.home, 'share/fresh')));
    });

    it('READ: a call that is cached is made at once', async () => {
      const { nodeid, fh } = it_.open();
      await it_.breakOn({ opcodes: 'READ' });
      const read = it_.read(nodeid, fh, 4096);
      const { request } = await it_.next('held');
      assert.deepEqual(shown(await walk(request)), ['call preadv2', 'called preadv2 ok', 'reply']);
      const facts = await it_.client.ask('request', { request });
      assert.equal(facts.replyBytes, 16 + 4096);
      assert.equal(facts.calls[0].result, 4096);
      await it_.go(request);
      assert.equal(it_.bodyOf(read).length, 4096);
    });

    it('step over: the whole handler from its entry, one call at a time within it', async () => {
      await it_.breakOn({ opcodes: 'LOOKUP' });
      it_.lookup('file');
      const first = await it_.next('held');
      assert.equal((await it_.step('stepOver', first.request)).phase, 'reply');
      await it_.go();
      const { nodeid } = await (async () => {
        await it_.breakOn();
        return it_.session.calls.lookup(1n, 'file');
      })();
      await it_.breakOn({ opcodes: 'OPEN' });
      it_.start(Opcode.OPEN, nodeid, [pack(wire.OpenIn, { flags: O_RDWR })], { room: wire.OpenOut.size });
      const { request } = await it_.next('held');
      assert.equal((await it_.step('stepIn', request)).phase, 'call');
      let stop = await it_.step('stepOver', request);
      while (stop.phase !== 'reply') {
        assert.equal(stop.phase, 'call');
        stop = await it_.step('stepOver', request);
      }
    });

    it('step out: to the reply', async () => {
      await it_.breakOn({ opcodes: 'LOOKUP' });
      const lookup = it_.lookup('file');
      const { request } = await it_.next('held');
      await it_.step('stepIn', request, 'call');
      assert.equal((await it_.step('stepOut', request)).phase, 'reply');
      assert.ok(!it_.done(lookup));
      await it_.go();
      assert.equal(it_.errorOf(lookup), 0);
    });

    it('no queue is served while one stands in its handler; those told to go on do so after it', async () => {
      await it_.breakOn({ opcodes: 'LOOKUP' });
      const [one, other] = [it_.lookup('file'), it_.lookup('folder')];
      const [first, second] = [await it_.next('held'), await it_.next('held')];
      await it_.step('stepIn', first.request, 'call');
      const getattr = it_.getattr();
      await it_.go(second.request);
      assert.equal((await it_.client.ask('held', {})).held.length, 2);
      assert.ok(!it_.done(getattr) && !it_.done(other));
      await it_.go(first.request);
      assert.equal(it_.errorOf(one), 0);
      assert.equal(it_.errorOf(other), 0);
      assert.equal(it_.errorOf(getattr), 0);
    });

    it('while one stands in its handler others can be looked at and answered', async () => {
      await it_.breakOn({ opcodes: 'LOOKUP' });
      const [one, other] = [it_.lookup('file'), it_.lookup('folder')];
      const [first, second] = [await it_.next('held'), await it_.next('held')];
      await it_.step('stepIn', first.request, 'call');
      assert.equal((await it_.client.ask('request', { request: second.request })).held.path, '/folder');
      await it_.client.ask('answer', { request: second.request, errno: 13 });
      await it_.go(second.request);
      assert.equal(it_.errorOf(other), -13);
      await it_.go();
      assert.equal(it_.errorOf(one), 0);
    });

    it('a request that another user makes is stepped with that user', async () => {
      if (process.getuid?.() !== 0) return;
      await it_.breakOn({ opcodes: 'MKDIR' });
      it_.session.client.uid = it_.session.client.gid = 1234;
      fs.chmodSync(path.join(it_.home, 'share'), 0o777);
      const parts = [pack(wire.MkdirIn, { mode: 0o755 }), Buffer.from('theirs\0')];
      const mkdir = it_.start(Opcode.MKDIR, 1n, parts, { room: wire.EntryOut.size });
      const held = await it_.next('held');
      assert.equal(held.uid, 1234);
      const names = (await walk(held.request)).filter(({ phase }) => phase === 'call').map(({ call }) => call?.name);
      assert.deepEqual(names.slice(0, 3), ['setresuid', 'mkdirat', 'setresuid']);
      await it_.go();
      assert.equal(it_.errorOf(mkdir), 0);
      assert.equal(fs.statSync(path.join(it_.home, 'share/theirs')).uid, 1234);
    });
  });

  describe('through calls that other threads make', () => {
    beforeEach(async function () {
      needSlowDisk(this);
      it_ = await Debugged.begin({ wrap: slowDisk(100) });
    });
    afterEach(() => it_.end());

    it('a cold READ: handed over, waited for, its result, the reply', async () => {
      const { nodeid, fh } = it_.open();
      await it_.breakOn({ opcodes: 'READ' });
      const read = it_.read(nodeid, fh, 4096);
      const { request } = await it_.next('held');
      const stops = await walk(request);
      assert.deepEqual(shown(stops), [
        'call preadv2',
        'called preadv2 -11',
        'call preadv',
        'waiting preadv',
        'called preadv ok',
        'reply',
      ]);
      assert.deepEqual(
        stops.map(({ inHandler }) => inHandler),
        [true, true, true, false, false, false],
      );
      assert.equal(stops[4].call?.otherThread, true);
      await it_.go();
      assert.equal(it_.bodyOf(read).length, 4096);
    });

    it('others are served while it waits, and while its result is looked at', async () => {
      const { nodeid, fh } = it_.open();
      await it_.breakOn({ opcodes: 'FSYNC' });
      const fsync = it_.start(Opcode.FSYNC, nodeid, [pack(wire.FsyncIn, { fh })], { room: 0 });
      const { request } = await it_.next('held');
      await it_.step('stepIn', request, 'call');
      await it_.step('stepIn', request, 'waiting');
      assert.equal(it_.errorOf(it_.getattr()), 0);
      await assert.rejects(it_.client.ask('stepIn', { request }), /waits/);
      const called = await it_.next('stepped');
      assert.deepEqual([called.phase, called.call?.result], ['called', 0]);
      assert.equal(it_.errorOf(it_.getattr()), 0);
      assert.ok(!it_.done(fsync));
      assert.equal((await it_.step('stepIn', request)).phase, 'reply');
      await it_.go();
      assert.equal(it_.errorOf(fsync), 0);
    });

    it('one whose result is looked at goes on after another that stands in its handler', async () => {
      const { nodeid, fh } = it_.open();
      await it_.breakOn({ opcodes: 'FSYNC,LOOKUP' });
      const fsync = it_.start(Opcode.FSYNC, nodeid, [pack(wire.FsyncIn, { fh })], { room: 0 });
      const waiting = await it_.next('held');
      await it_.step('stepIn', waiting.request, 'call');
      await it_.step('stepIn', waiting.request, 'waiting');
      assert.equal((await it_.next('stepped')).phase, 'called');
      const lookup = it_.lookup('folder');
      const standing = await it_.next('held');
      await it_.step('stepIn', standing.request, 'call');
      // What that one has in its hands is the worker's only set of tables and areas.
      await it_.client.ask('stepIn', { request: waiting.request });
      await it_.client.ask('continue', { request: waiting.request });
      assert.equal((await it_.client.ask('held', {})).held.length, 2);
      assert.ok(!it_.done(fsync));
      const { calls } = await it_.client.ask('request', { request: standing.request });
      assert.equal(calls.length, 1);
      await it_.go(standing.request);
      assert.equal(it_.errorOf(lookup), 0);
      assert.equal(it_.errorOf(fsync), 0);
    });

    it('step out of one that waits stops at its reply', async () => {
      const { nodeid, fh } = it_.open();
      await it_.breakOn({ opcodes: 'FSYNC' });
      const fsync = it_.start(Opcode.FSYNC, nodeid, [pack(wire.FsyncIn, { fh })], { room: 0 });
      const { request } = await it_.next('held');
      assert.equal((await it_.step('stepOut', request)).phase, 'waiting');
      assert.equal((await it_.next('stepped')).phase, 'reply');
      assert.ok(!it_.done(fsync));
      await it_.go();
      assert.equal(it_.errorOf(fsync), 0);
    });

    it('a queue that is stopped while a result is looked at has its reply', async () => {
      const { nodeid, fh } = it_.open();
      await it_.breakOn({ opcodes: 'FSYNC' });
      const fsync = it_.start(Opcode.FSYNC, nodeid, [pack(wire.FsyncIn, { fh })], { room: 0 });
      const { request } = await it_.next('held');
      await it_.step('stepIn', request, 'call');
      await it_.step('stepIn', request, 'waiting');
      await it_.next('stepped');
      const base = it_.session.device.stopQueue(1);
      assert.equal(it_.errorOf(fsync), 0);
      it_.session.device.startQueue(1, base);
      assert.equal(it_.errorOf(it_.getattr()), 0);
    });
  });
});
