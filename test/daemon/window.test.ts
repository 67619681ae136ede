/**
 * The DAX window as a front-end and a guest of ours use it: what is mapped is what is in the file, whatever the guest
 * and the host do to it meanwhile; what cannot be served safely is not, and it is said why.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AttrFlag, InitFlag, InitFlag2, FopenFlag } from '../../src/protocol/fuse/flags';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import { GetattrIn } from '../../src/protocol/fuse/structs';
import { ProtocolFeature, Request } from '../../src/protocol/vhostUser/requests';
import { CaptureReader } from '../../src/trace/captureReader';
import { controlLine } from '../../src/trace/controlLine';
import { WindowHistory } from '../../src/trace/dax/windowHistory';
import { AttachedDevice, type DeviceOptions } from '../driver/attachedDevice';
import { type Daemon, startDaemon, whyMissing } from '../driver/daemons';
import { FuseCalls, LINUX_FLAGS, LINUX_FLAGS_2 } from '../driver/fuseCalls';
import { FuseClient } from '../driver/fuseClient';
import { pack } from '../driver/pack';
import { DriverWindow, WINDOW_ADDRESS, type SetupValues } from '../driver/window';
import { need } from '../support/need';

const ROOT = 1n;
const PAGE = 4096;
const RANGE = 2 << 20;
const O_RDWR = 2;
const EIO = -5;
const EAGAIN = -11;
const EINVAL = -22;
const ENOSYS = -38;

interface Guest {
  readonly daemon: Daemon;
  readonly device: AttachedDevice;
  readonly client: FuseClient;
  readonly calls: FuseCalls;
  readonly window: DriverWindow;
}

describe('the DAX window', function () {
  this.timeout(20_000);
  let folder: string;
  let all: Guest[];
  let guest: Guest;

  before(function () {
    need(this, 'daemon', whyMissing('ours') === undefined, whyMissing('ours') ?? '');
  });
  beforeEach(() => {
    folder = fs.mkdtempSync('/dev/shm/virtiofs-window-');
    all = [];
  });
  afterEach(async () => {
    for (const { window, device, daemon } of all) {
      device.close();
      window.close();
      assert.equal(await daemon.exit(3000), 0, daemon.log());
      await daemon.stop();
    }
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const at = (name: string): string => `${folder}/${name}`;
  const host = (name: string): string => fs.readFileSync(at(name), 'latin1');
  const put = (name: string, bytes: string | Buffer): void => fs.writeFileSync(at(name), bytes);
  const letters = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => 97 + (i % 23)));

  async function begin(policy = 'tails', options: DeviceOptions = {}, ...args: readonly string[]): Promise<Guest> {
    const words = ['--tag', 'dax', '--dax', '8M', '--dax-policy', policy, ...args];
    const daemon = await startDaemon('ours', folder, { arguments: words });
    const device = new AttachedDevice(daemon.frontEnd, {
      memory: 'slots',
      window: true,
      regions: [32 << 20],
      ...options,
    });
    const window = new DriverWindow(device);
    const client = new FuseClient(device, 1 << 16, 32);
    const calls = new FuseCalls(client);
    calls.init();
    guest = { daemon, device, client, calls, window };
    all.push(guest);
    return guest;
  }

  const node = (name: string): bigint => guest.calls.lookup(ROOT, name).nodeid;
  const setup = (nodeid: bigint, values: Partial<SetupValues> = {}): number =>
    guest.window.setup(guest.client, nodeid, { len: RANGE, ...values });
  const remove = (nodeid: bigint, moffset = 0, len = RANGE): number =>
    guest.window.remove(guest.client, nodeid, [{ moffset, len }]);
  const seen = (offset: number, length: number): string => guest.window.load(offset, length).toString('latin1');
  const dax = (name: string): boolean => (guest.calls.lookup(ROOT, name).attributes.flags & AttrFlag.DAX) !== 0;
  /** Serves the back-end channel until `is`. */
  async function until(what: string, is: () => boolean): Promise<void> {
    for (const end = Date.now() + 3000; !is(); await sleep(10)) {
      guest.window.serve();
      assert.ok(Date.now() < end, `${what}: ${guest.daemon.log()}`);
    }
  }

  describe('is agreed on', () => {
    it('with its size and, in INIT, its alignment', async () => {
      const { window, calls } = await begin();
      assert.equal(window.size, 8 << 20);
      assert.equal(calls.mapAlignment, 12);
      assert.ok(calls.flags & InitFlag.MAP_ALIGNMENT && calls.flags2 & InitFlag2.HAS_INODE_DAX);
    });

    it('only when it was asked for: without, nothing of it is offered', async () => {
      const daemon = await startDaemon('ours', folder, { arguments: ['--tag', 'plain'] });
      const device = new AttachedDevice(daemon.frontEnd, { memory: 'slots', window: true, regions: [32 << 20] });
      const calls = new FuseCalls(new FuseClient(device, 1 << 16, 32));
      calls.init();
      for (const feature of [ProtocolFeature.SHMEM_MAP, ProtocolFeature.BACKEND_SEND_FD])
        assert.ok(!device.hasProtocol(feature));
      assert.notEqual(device.frontEnd.tell(Request.GET_SHMEM_CONFIG, new Uint8Array(0)), 0n);
      assert.equal(calls.mapAlignment, 0);
      put('a', Buffer.alloc(PAGE));
      assert.equal(calls.lookup(ROOT, 'a').attributes.flags, 0);
      assert.equal(calls.client.call(Opcode.SETUPMAPPING, ROOT, [new Uint8Array(40)], { room: 0 }).error, ENOSYS);
      device.close();
      await daemon.stop();
    });

    it('with a guest that decides by itself (dax=always): no file is told to be one', async () => {
      const { calls } = await begin();
      put('a', letters(PAGE));
      calls.init(45, LINUX_FLAGS, LINUX_FLAGS_2 & ~InitFlag2.HAS_INODE_DAX);
      assert.equal(dax('a'), false);
      assert.equal(setup(node('a')), 0);
      assert.equal(seen(0, 4), 'abcd');
    });
  });

  describe('is for the files that its policy names', () => {
    it('pages: those of whole pages, and what has been opened keeps its cache', async () => {
      const { calls } = await begin('pages');
      put('empty', '');
      put('odd', letters(PAGE + 1));
      put('whole', letters(2 * PAGE));
      assert.deepEqual(['empty', 'odd', 'whole'].map(dax), [false, false, true]);
      const flags = ['odd', 'whole'].map((name) => calls.open(node(name), O_RDWR).flags & FopenFlag.KEEP_CACHE);
      assert.deepEqual(flags, [0, FopenFlag.KEEP_CACHE]);
      fs.appendFileSync(at('whole'), 'x');
      assert.equal(dax('whole'), false, 'not any more');
    });

    it('sizes and globs', async () => {
      await begin('tails,>=1K,<=8K,*.db,data/**');
      fs.mkdirSync(at('data/deep'), { recursive: true });
      put('a.db', letters(2000));
      put('small.db', letters(1000));
      put('large.db', letters(9000));
      put('a.txt', letters(2000));
      put('data/deep/a.txt', letters(2000));
      assert.deepEqual(['a.db', 'small.db', 'large.db', 'a.txt'].map(dax), [true, false, false, false]);
      const deep = guest.calls.lookup(guest.calls.lookup(node('data'), 'deep').nodeid, 'a.txt');
      assert.ok(deep.attributes.flags & AttrFlag.DAX);
    });

    it('not one that the disk could not hold when its holes are filled', async () => {
      await begin();
      put('holes', '');
      fs.truncateSync(at('holes'), 2 ** 46);
      put('few', 'some');
      fs.truncateSync(at('few'), 3 * PAGE);
      assert.deepEqual(['holes', 'few'].map(dax), [false, true]);
    });
  });

  it('is in captures: what is asked on both sides, which files are not in it and why, what the host did', async () => {
    put('empty', '');
    put('odd', letters(PAGE + 1));
    put('large', letters(4 * PAGE));
    put('other', letters(PAGE));
    put('a.bin', letters(2 * PAGE));
    const file = `${folder}.fuse.pcapng`;
    const { device, window, daemon } = await begin('pages,<=8K,*.bin,odd,empty,large', {}, '--capture', file);
    for (const name of ['empty', 'odd', 'large', 'other', 'a.bin']) dax(name);
    dax('odd');
    assert.equal(setup(node('a.bin')), 0);
    fs.truncateSync(at('a.bin'), PAGE);
    await until('it is said', () => daemon.log().includes('shortened'));
    assert.equal(remove(node('a.bin')), 0);
    device.frontEnd.close();
    assert.equal(await daemon.exit(3000), 0);
    const capture = new CaptureReader();
    capture.push(fs.readFileSync(file));
    capture.end();
    fs.rmSync(file);
    assert.deepEqual(capture.notes, []);
    const said = capture.windowNotes.map(({ what, path, text }) => `${what} ${path}: ${text}`);
    assert.match(said[0], /^1 empty: it is empty$/);
    assert.match(said[1], /^1 odd: its size is not a multiple of 4096/);
    assert.match(said[2], /^1 large: its size is not among those of --dax-policy$/);
    assert.match(said[3], /^1 other: no pattern of --dax-policy names it$/);
    assert.match(said[4], /^3 a.bin: the host has shortened it from 8192 to 4096 bytes/);
    assert.equal(said.length, 5, 'each once');
    const own = capture.control.filter((message) => message.backEndChannel === true).map(controlLine);
    assert.equal(own.length, 2 * window.orders.length);
    assert.match(own[0], /^<- BACKEND_SHMEM_MAP shmid=0 .*_NEED_REPLY fds=1$/);
    assert.match(own[1], /^-> BACKEND_SHMEM_MAP answer u64=/);
    const history = WindowHistory.of(capture);
    assert.deepEqual([history.size, history.after(2).mappedBytes, history.after(3).mappedBytes], [8 << 20, RANGE, 0]);
  });

  describe('shows', () => {
    for (const size of [1, 100, PAGE, PAGE + 1, RANGE - 1, RANGE, RANGE + 5000]) {
      it(`a file of ${size} bytes, to its last byte, and zeros behind`, async () => {
        const bytes = letters(size);
        put('a', bytes);
        const { window } = await begin();
        const nodeid = node('a');
        for (let from = 0; from < size; from += RANGE) {
          assert.equal(setup(nodeid, { foffset: from, moffset: from }), 0);
        }
        assert.ok(window.load(0, size).equals(bytes));
        const end = Math.min(window.size, Math.ceil(size / PAGE) * PAGE);
        assert.ok(window.load(size, end - size).every((byte) => byte === 0));
        assert.equal(fs.statSync(at('a')).size, size, 'the host’s file is as long as before');
        assert.equal(window.grown, 0);
      });
    }

    it('an empty file as zeros, and never makes it longer on the host', async () => {
      put('a', '');
      const { window } = await begin();
      assert.equal(setup(node('a')), 0);
      assert.deepEqual([window.grown, fs.statSync(at('a')).size, seen(0, 3)], [0, 0, '\0\0\0']);
    });

    it('what is stored, on the host: at once in whole pages, soon or at fsync in the last one', async () => {
      put('a', letters(PAGE + 10));
      const { window, calls } = await begin();
      const nodeid = node('a');
      const { fh } = calls.open(nodeid, O_RDWR);
      assert.equal(setup(nodeid), 0);
      window.store(100, 'WHOLE');
      window.store(PAGE + 2, 'LAST');
      assert.equal(host('a').slice(100, 105), 'WHOLE');
      calls.fsync(nodeid, fh, true);
      assert.equal(
        host('a').slice(PAGE),
        `${letters(PAGE + 10)
          .toString()
          .slice(PAGE, PAGE + 2)}LAST${letters(PAGE + 10)
          .toString()
          .slice(PAGE + 6)}`,
      );
      window.store(PAGE + 2, 'SOON');
      await until('it is on the host', () => host('a').includes('SOON'));
      window.store(PAGE + 2, 'READ');
      assert.ok(
        Buffer.from(calls.read(nodeid, fh, PAGE, 10))
          .toString()
          .includes('READ'),
        'and in every read',
      );
    });

    it('what the host writes: in whole pages at once, in the last one soon', async () => {
      put('a', letters(PAGE + 10));
      const { window } = await begin();
      assert.equal(setup(node('a')), 0);
      window.store(PAGE, 'G');
      const fd = fs.openSync(at('a'), 'r+');
      fs.writeSync(fd, 'HOST', 0);
      fs.writeSync(fd, 'HOST', PAGE + 4);
      fs.closeSync(fd);
      assert.equal(seen(0, 4), 'HOST');
      await until('it is in the window', () => seen(PAGE + 4, 4) === 'HOST');
      assert.equal(seen(PAGE, 1), 'G', 'what the guest has stored beside it stays');
      await until('both are on the host', () => host('a').slice(PAGE, PAGE + 1) === 'G');
      assert.match(guest.daemon.log(), /DAX window: a: the host changes it while it is mapped/);
    });
  });

  describe('follows a file that', () => {
    it('the guest makes longer: nothing is mapped anew, and the reply comes when it can be seen', async () => {
      put('a', letters(10));
      const { window, calls } = await begin();
      const nodeid = node('a');
      const { fh } = calls.open(nodeid, O_RDWR);
      assert.equal(setup(nodeid), 0);
      const orders = window.orders.length;
      window.store(4, 'mapped');
      for (const [offset, text] of [
        [10, 'ten'],
        [13, 'x'.repeat(5000)],
        [100_000, 'far'],
        [RANGE - 3, 'end'],
        [RANGE, 'next'],
      ] as const) {
        calls.write(nodeid, fh, offset, Buffer.from(text));
        const there = Math.min(text.length, RANGE - offset);
        assert.equal(seen(offset, there), text.slice(0, there));
      }
      assert.equal(seen(0, 13), 'abcdmappedten');
      assert.equal(host('a').slice(0, 13), 'abcdmappedten');
      window.store(50_000, 'between');
      calls.fsync(nodeid, fh, false);
      assert.equal(host('a').slice(50_000, 50_007), 'between');
      assert.equal(window.orders.length, orders);
      assert.equal(fs.statSync(at('a')).size, RANGE + 4);
    });

    it('the guest truncates and makes longer again: what was cut off does not come back', async () => {
      put('a', letters(3 * PAGE + 100));
      const { window, calls } = await begin();
      const nodeid = node('a');
      assert.equal(setup(nodeid), 0);
      window.store(3 * PAGE + 200, 'behind the end');
      calls.setattr(nodeid, { valid: 8, size: 3 * PAGE + 50 });
      assert.equal(
        seen(3 * PAGE + 48, 4),
        `${letters(3 * PAGE + 50)
          .toString()
          .slice(-2)}\0\0`,
      );
      calls.setattr(nodeid, { valid: 8, size: 5 * PAGE });
      assert.ok(window.load(3 * PAGE + 50, 2 * PAGE - 50).every((byte) => byte === 0));
      calls.setattr(nodeid, { valid: 8, size: 100 });
      calls.setattr(nodeid, { valid: 8, size: 2 * PAGE });
      assert.ok(window.load(100, 2 * PAGE - 100).every((byte) => byte === 0));
      assert.equal(fs.statSync(at('a')).size, 2 * PAGE);
    });

    it('the guest punches holes into, copies into, opens with O_TRUNC', async () => {
      put('a', letters(PAGE + 500));
      put('b', Buffer.alloc(PAGE + 500, 'B'));
      const { calls } = await begin();
      const [a, b] = [node('a'), node('b')];
      const [one, two] = [calls.open(a, O_RDWR), calls.open(b, O_RDWR)];
      assert.equal(setup(a), 0);
      calls.fallocate(a, one.fh, 3, PAGE + 100, 50);
      assert.equal(seen(PAGE + 99, 3).slice(1), '\0\0');
      calls.copyFileRange({ nodeid: b, fh: two.fh, offset: 0 }, { nodeid: a, fh: one.fh, offset: PAGE }, 500);
      assert.equal(seen(PAGE, 500), 'B'.repeat(500));
      calls.release(a, calls.open(a, O_RDWR | 0o1000).fh);
      calls.write(a, one.fh, 0, Buffer.from('new'));
      assert.equal(seen(0, 5), 'new\0\0');
      assert.equal(host('a'), 'new');
    });

    it('the host makes longer: before the guest learns of the size', async () => {
      put('a', letters(PAGE));
      const { calls } = await begin('pages');
      const nodeid = node('a');
      assert.equal(setup(nodeid), 0);
      fs.appendFileSync(at('a'), 'appended by the host');
      assert.equal(calls.getattr(nodeid).size, PAGE + 20);
      assert.equal(seen(PAGE, 21), 'appended by the host\0');
    });

    it('the host makes shorter: that is said, and what it costs; the copy is never longer than the file', async () => {
      put('a', letters(4 * PAGE + 100));
      const { window, calls, daemon } = await begin();
      const nodeid = node('a');
      assert.equal(setup(nodeid), 0);
      window.store(4 * PAGE + 50, 'lost');
      fs.truncateSync(at('a'), PAGE);
      await until('it is said', () => /shortened it from 16484 to 4096 bytes.*SIGBUS/.test(daemon.log()));
      assert.equal(calls.getattr(nodeid).size, PAGE);
      assert.throws(() => window.load(2 * PAGE, 1), /EIO/, 'as QEMU would die');
      calls.syncfs(ROOT);
      assert.equal(remove(nodeid), 0);
      assert.equal(fs.statSync(at('a')).size, PAGE);
    });

    it('is renamed over, unlinked, forgotten', async () => {
      put('a', letters(2 * PAGE + 9));
      put('b', Buffer.alloc(PAGE, 'B'));
      const { window, calls } = await begin();
      const nodeid = node('a');
      const fd = fs.openSync(at('a'), 'r');
      assert.equal(setup(nodeid), 0);
      calls.rename(ROOT, 'b', ROOT, 'a');
      const b = node('a');
      assert.notEqual(b, nodeid);
      assert.equal(setup(b, { moffset: RANGE }), 0);
      assert.equal(seen(RANGE, 2), 'BB');
      calls.unlink(ROOT, 'a');
      calls.forget(nodeid);
      window.store(2 * PAGE, 'stays');
      assert.equal(window.remove(guest.client, b, [{ moffset: 0, len: 2 * RANGE }]), 0);
      const last = Buffer.alloc(5);
      fs.readSync(fd, last, 0, 5, 2 * PAGE);
      assert.equal(last.toString(), 'stays');
      assert.equal(window.mappings.length, 0);
      fs.closeSync(fd);
    });

    it('two guests have mapped', async () => {
      put('a', letters(PAGE + 100));
      const one = await begin();
      const first = node('a');
      assert.equal(setup(first), 0);
      const two = await begin();
      const second = node('a');
      assert.equal(setup(second), 0);
      one.window.store(10, 'from one');
      assert.equal(two.window.load(10, 8).toString(), 'from one');
      one.window.store(PAGE + 10, 'from one');
      two.window.store(PAGE + 50, 'from two');
      await until('each sees the other’s', () => {
        one.window.serve();
        const both = [one, two].map(({ window }) => window.load(PAGE, 100).toString());
        return both.every((text) => text.includes('from one') && text.includes('from two'));
      });
      const handle = one.calls.open(first, O_RDWR);
      one.calls.write(first, handle.fh, PAGE + 100, Buffer.from('longer'));
      guest = two;
      assert.equal(two.calls.getattr(second).size, PAGE + 106);
      assert.equal(two.window.load(PAGE + 100, 6).toString(), 'longer');
    });
  });

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
      const { window, daemon } = await begin();
      const nodeid = node('a');
      for (const refused of [0, 1]) {
        let order = 0;
        window.answer = ({ map }) => (map && order++ === refused ? 'refuse' : 'well');
        assert.equal(setup(nodeid), EIO);
        await until('nothing stays mapped', () => window.mappings.length === 0);
      }
      assert.equal(dax('a'), false);
      assert.match(daemon.log(), /DAX window: a: the front-end did not map it/);
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
