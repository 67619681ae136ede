/** The books of a DAX window, over sessions, resets and pauses; front-ends that refuse, are silent, lie or go. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { Opcode } from '../../../src/protocol/fuse/opcodeNumbers';
import { GetattrIn } from '../../../src/protocol/fuse/structs';
import { pack } from '../../driver/pack';
import { WINDOW_ADDRESS } from '../../driver/window';
import { letters, O_RDWR, PAGE, RANGE, windowCase } from './windowCase';

const EIO = -5;
const EAGAIN = -11;
const EINVAL = -22;

describe('the DAX window', function () {
  this.timeout(20_000);
  const { begin, dax, host, log, node, put, remove, seen, setup, until } = windowCase();

  describe('keeps its books', () => {
    it('of what is mapped twice, over, and removed in one go', async () => {
      put('a', letters(RANGE));
      put('b', Buffer.alloc(RANGE, 'B'));
      const { window, client } = await begin();
      const [a, b] = [node('a'), node('b')];
      assert.equal(setup(a, { flags: 2 }), 0);
      const orders = window.orders.length;
      assert.equal(setup(a, { flags: 3 }), 0, 'for reading, then for writing');
      assert.equal(window.orders.length, orders, 'it was for both from the start');
      window.store(0, 'written');
      assert.equal(host('a').slice(0, 7), 'written');
      assert.equal(setup(b), 0, 'over it');
      assert.equal(seen(0, 2), 'BB');
      assert.equal(setup(a, { moffset: RANGE }), 0);
      assert.equal(setup(a, { moffset: RANGE / 2 }), EINVAL, 'across two');
      assert.equal(remove(a, RANGE, PAGE), EINVAL, 'a part of one');
      assert.equal(window.mappings.length, 2);
      const whole = [
        { moffset: 0, len: RANGE },
        { moffset: RANGE, len: RANGE },
        { moffset: 2 * RANGE, len: RANGE },
      ];
      assert.equal(window.remove(client, a, whole), 0);
      assert.equal(window.mappings.length, 0);
      assert.equal(seen(0, 2), '\0\0');
    });

    it('and forgets them with the session: a new one begins with nothing mapped', async () => {
      put('a', letters(PAGE + 9));
      const { window, calls } = await begin();
      assert.equal(setup(node('a')), 0);
      window.store(PAGE, 'kept');
      calls.destroy();
      await until('all is unmapped', () => window.mappings.length === 0);
      assert.equal(host('a').slice(PAGE, PAGE + 4), 'kept');
      calls.init();
      assert.equal(setup(node('a')), 0);
      assert.equal(seen(PAGE, 4), 'kept');
    });

    it('and does not trust them after a reset, of which nobody tells', async () => {
      put('a', letters(PAGE + 9));
      const { window, calls, device } = await begin();
      assert.equal(setup(node('a')), 0);
      for (const queue of [0, 1]) device.stopQueue(queue);
      window.reset();
      for (const queue of [0, 1]) device.startQueue(queue, 0);
      calls.init();
      assert.equal(setup(node('a')), 0);
      assert.equal(seen(0, 4), 'abcd');
      assert.equal(
        seen(PAGE, 4),
        letters(PAGE + 9)
          .toString()
          .slice(PAGE, PAGE + 4),
      );
    });

    it('but keeps them while the machine is only stopped for a while', async () => {
      put('a', letters(PAGE + 9));
      const { window, device } = await begin();
      const nodeid = node('a');
      assert.equal(setup(nodeid), 0);
      const bases = [0, 1].map((queue) => device.stopQueue(queue));
      window.store(PAGE, 'still');
      for (const queue of [0, 1]) device.startQueue(queue, bases[queue]);
      assert.equal(setup(nodeid), 0, 'asked again');
      assert.equal(seen(PAGE, 5), 'still');
      assert.equal(remove(nodeid), 0);
      assert.equal(host('a').slice(PAGE, PAGE + 5), 'still');
    });

    it('gives every descriptor back', async () => {
      put('a', letters(RANGE + 9));
      const { daemon, window, client } = await begin();
      const a = node('a');
      const held = (): number => fs.readdirSync(`/proc/${daemon.pid}/fd`).length;
      setup(a);
      remove(a);
      const before = held();
      for (let round = 0; round < 30; round++) {
        assert.equal(setup(a), 0);
        assert.equal(setup(a, { foffset: RANGE, moffset: RANGE }), 0);
        assert.equal(window.remove(client, a, [{ moffset: 0, len: 2 * RANGE }]), 0);
      }
      await until('all is closed', () => held() <= before);
    });
  });

  describe('with a front-end that', () => {
    it('refuses: the guest gets EIO, and the file is not offered again; the reason is told', async () => {
      put('a', letters(PAGE + 9));
      const { window } = await begin();
      const nodeid = node('a');
      for (const refused of [0, 1]) {
        let order = 0;
        window.answer = ({ map }) => (map && order++ === refused ? 'refuse' : 'well');
        assert.equal(setup(nodeid), EIO);
        await until('nothing stays mapped', () => window.mappings.length === 0);
      }
      assert.equal(dax('a'), false);
      await until('it is told', () => /DAX window: a: the front-end did not map it/.test(log()));
    });

    it('refuses every time: that is said once of a file, and of so many files that no guest can fill a disk', async () => {
      const names = Array.from({ length: 260 }, (_, i) => `file${i}`);
      for (const name of names) put(name, letters(PAGE));
      const { window } = await begin('pages');
      window.answer = ({ map }) => (map ? 'refuse' : 'well');
      for (const name of names) {
        const nodeid = node(name);
        for (let times = name === 'file0' ? 3 : 1; times > 0; times--) assert.equal(setup(nodeid), EIO);
      }
      await until('it is said', () => /nothing more is said/.test(log()));
      const lines = log().split('\n');
      assert.equal(lines.filter((line) => line.includes('did not map it')).length, 256);
      assert.equal(lines.filter((line) => line.includes('DAX window: file0: ')).length, 1);
    });

    it('is slow: everything else goes on, GET_VRING_BASE does not wait, and no mapping stays behind', async () => {
      put('a', letters(PAGE));
      const { window, client, calls, device } = await begin('pages');
      const nodeid = node('a');
      window.answer = () => 'silent';
      const pending = window.startSetup(client, nodeid, { len: RANGE });
      await until('it is asked', () => window.orders.length > 0);
      assert.equal(calls.getattr(nodeid).size, PAGE);
      assert.equal(client.done(pending), false);
      assert.equal(
        device.frontEnd.addMemory({ ...device.regions[0], guestAddress: 2 ** 41, userAddress: 2 ** 42 }),
        0n,
      );
      const base = device.stopQueue(1);
      assert.equal(client.wait(pending).error, EAGAIN);
      device.startQueue(1, base);
      window.answer = () => 'well';
      // The answer comes after all.
      window.reply(9, 0n);
      await until('it is undone', () => window.orders.some(({ map }) => !map));
      assert.equal(setup(nodeid), 0);
      assert.equal(seen(0, 4), 'abcd');
    });

    for (const way of ['close', 'nonsense'] as const) {
      it(`${way === 'close' ? 'hangs up' : 'answers what was not asked'}: EIO, then ENODEV, and requests go on`, async () => {
        put('a', letters(PAGE));
        const { window, calls } = await begin();
        const nodeid = node('a');
        window.answer = () => way;
        assert.equal(setup(nodeid), EIO);
        assert.equal(setup(nodeid), -19);
        const { fh } = calls.open(nodeid, 0);
        assert.equal(Buffer.from(calls.read(nodeid, fh, 0, 4)).toString(), 'abcd');
      });
    }

    it('goes while things are mapped: what was stored is on the host', async () => {
      put('a', letters(PAGE + 9));
      const { window, daemon, device } = await begin();
      assert.equal(setup(node('a')), 0);
      window.store(PAGE, 'goodbye');
      device.frontEnd.close();
      assert.equal(await daemon.exit(3000), 0, daemon.log());
      assert.equal(host('a').slice(PAGE, PAGE + 7), 'goodbye');
    });
  });

  it('is data for requests, and no place for rings and headers, which a shortened file would make deadly', async () => {
    put('a', letters(2 * PAGE));
    put('b', '');
    const { calls, device, window } = await begin();
    const [a, b] = [node('a'), node('b')];
    assert.equal(setup(a), 0);
    assert.equal(window.mappings.length > 0, true);
    const file = calls.open(b, O_RDWR);
    const args = pack(GetattrIn, {});
    assert.equal(calls.client.call(Opcode.GETATTR, b, [args], { room: 104 }).error, 0);
    const ring = device.ring(1);
    // A header in the window: not served, and nothing is touched there.
    ring.offer(
      ring.chain([
        { address: WINDOW_ADDRESS, length: 56, write: false },
        { address: WINDOW_ADDRESS + 100, length: 120, write: true },
      ]),
    );
    ring.armCalls();
    ring.publish();
    device.kick(1);
    device.wait(1, 1000);
    const head = ring.take();
    assert.ok(head >= 0);
    assert.equal(ring.usedLength, 0);
    ring.free(head);
    assert.equal(seen(100, 4), letters(104).toString().slice(100));
    calls.release(b, file.fh);
  });
});
