/** Whatever ends while requests are held (debugger, queue, front-end, daemon) lets them go and holds up nothing. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { connect as connectTo } from 'node:net';
import { DebugClient } from '../../../src/control/debugClient';
import { Opcode } from '../../../src/protocol/fuse/opcodes';
import * as wire from '../../../src/protocol/fuse/structs';
import { pack } from '../../driver/pack';
import { Debugged } from './debugged';

describe('endings while requests are held', () => {
  let it_: Debugged;

  beforeEach(async () => {
    it_ = await Debugged.begin();
  });
  afterEach(() => it_.end());

  const holdThree = async (): Promise<ReturnType<Debugged['lookup']>[]> => {
    await it_.breakOn({ opcodes: 'LOOKUP' }, { opcodes: 'GETATTR', phase: 'reply' });
    const pending = [it_.lookup('file'), it_.getattr(), it_.lookup('folder')];
    for (const one of pending) assert.equal((await it_.next('held')).unique, String(one.unique));
    return pending;
  };
  /** One at its entry, one at its reply, one in the middle of its handler. */
  const holdEverywhere = async (): Promise<ReturnType<Debugged['lookup']>[]> => {
    const pending = await holdThree();
    const { held } = await it_.client.ask('held', {});
    await it_.step('stepIn', held[2].request, 'call');
    return pending;
  };

  it('a debugger that closes its connection', async () => {
    const pending = await holdEverywhere();
    it_.client.close();
    for (const one of pending) assert.equal(it_.errorOf(one), 0);
    assert.equal(it_.errorOf(it_.lookup('file')), 0);
    await it_.connect();
    assert.deepEqual((await it_.client.ask('held', {})).held, []);
  });

  it('a debugger that stops the whole share and goes', async () => {
    await it_.client.ask('setOptions', { stopWorld: true });
    await it_.breakOn({ opcodes: 'LOOKUP' });
    const [lookup, getattr] = [it_.lookup('file'), it_.getattr()];
    await it_.next('held');
    it_.client.close();
    assert.equal(it_.errorOf(lookup), 0);
    assert.equal(it_.errorOf(getattr), 0);
    // The next one has not asked for that.
    await it_.connect();
    await it_.breakOn({ opcodes: 'LOOKUP' });
    const held = it_.lookup('file');
    await it_.next('held');
    assert.equal(it_.errorOf(it_.getattr()), 0);
    await it_.go();
    assert.equal(it_.errorOf(held), 0);
  });

  it('a debugger that waits for the next request and goes: nothing is held for the one after it', async () => {
    await it_.client.ask('pause', {});
    it_.client.close();
    // The daemon may not have seen yet that it has gone.
    for (const end = Date.now() + 5000; ;) {
      const refused = await it_.connect().then(
        () => undefined,
        (error: unknown) => error,
      );
      if (refused === undefined) break;
      assert.ok(Date.now() < end, String(refused));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(it_.errorOf(it_.getattr()), 0);
  });

  it('a debugger that sends nonsense', async () => {
    const pending = await holdThree();
    it_.client.close();
    const socket = connectTo(it_.socket);
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write('Content-Length: zwölf\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    for (const one of pending) assert.equal(it_.errorOf(one), 0);
  });

  it('a second debugger is refused, and changes nothing', async () => {
    const pending = await holdThree();
    await assert.rejects(DebugClient.connect(it_.socket, 'other'), /another debugger/);
    assert.equal((await it_.client.ask('held', {})).held.length, 3);
    await it_.go();
    for (const one of pending) assert.equal(it_.errorOf(one), 0);
  });

  it('a queue that is stopped: what was held is answered before', async () => {
    const pending = await holdThree();
    const base = it_.session.device.stopQueue(1);
    assert.deepEqual(
      [await it_.next('released'), await it_.next('released'), await it_.next('released')].map(({ why }) => why),
      ['queueStopped', 'queueStopped', 'queueStopped'],
    );
    for (const one of pending) assert.equal(it_.errorOf(one), 0);
    it_.session.device.startQueue(1, base);
    it_.lookup('file');
    await it_.next('held');
  });

  it('a front-end that says something while one stands in its handler: it runs to its reply', async () => {
    await it_.breakOn({ opcodes: 'LOOKUP' });
    const lookup = it_.lookup('file');
    const { request } = await it_.next('held');
    await it_.step('stepIn', request, 'call');
    assert.ok(it_.session.device.frontEnd.askWord(1) > 0n);
    assert.equal((await it_.next('stepped')).phase, 'reply');
    await it_.go();
    assert.equal(it_.errorOf(lookup), 0);
  });

  it('a queue that is stopped while one stands in its handler', async () => {
    const pending = await holdEverywhere();
    const base = it_.session.device.stopQueue(1);
    for (const one of pending) assert.equal(it_.errorOf(one), 0);
    it_.session.device.startQueue(1, base);
  });

  for (const [name, hold] of [
    ['at entry and reply', holdThree],
    ['in the middle of a handler', holdEverywhere],
  ] as const) {
    it(`a front-end that goes, ${name}`, async () => {
      await hold();
      it_.session.end();
      assert.equal(await it_.daemon.exit(), 0, it_.daemon.log);
      await it_.next('ended');
    });

    it(`a daemon that is told to end, ${name}`, async () => {
      await hold();
      it_.daemon.signal('SIGTERM');
      assert.equal(await it_.daemon.exit(), 0, it_.daemon.log);
      assert.doesNotMatch(it_.daemon.log, /ends without it/);
      await it_.next('ended');
      assert.equal(await it_.client.over, '');
    });
  }

  it('leaves no socket behind', async () => {
    const folder = path.join(it_.home, 'run/virtiofs-studio');
    const kinds = fs.readdirSync(folder).map((name) => path.extname(name));
    assert.deepEqual(kinds.sort(), ['.counters', '.debug', '.json', '.sock']);
    it_.session.end();
    await it_.daemon.exit();
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  it('a guest that begins anew while requests of its former life are held', async () => {
    const { nodeid } = it_.session.calls.lookup(1n, 'file');
    await it_.breakOn({ opcodes: 'OPEN' });
    const open = it_.start(Opcode.OPEN, nodeid, [pack(wire.OpenIn, {})], { room: wire.OpenOut.size });
    await it_.next('held');
    it_.session.calls.init();
    await it_.go();
    assert.equal(it_.errorOf(open), -116);
  });

  it('--no-debug: there is no socket', async () => {
    const quiet = Debugged.begin({ arguments: ['--no-debug'] });
    await assert.rejects(quiet, /there is a debug socket/);
  });
});
