/**
 * Sessions with our daemon as front-ends have them: negotiation, memory, rings that stop and start, many requests in
 * flight, guests that reboot.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import { AccessIn, GetattrIn } from '../../src/protocol/fuse/structs';
import { ProtocolFeature, Request } from '../../src/protocol/vhostUser/requests';
import { inElectron, whyNoElectron } from '../support/electron';
import { need } from '../support/need';
import { AttachedDevice, type DeviceOptions } from './attachedDevice';
import { type Daemon, type StartOptions, startDaemon, whyMissing } from './daemons';
import { FuseCalls } from './fuseCalls';
import { FuseClient } from './fuseClient';
import { words } from './frontEnd';
import { pack } from './pack';

const ROOT = 1n;

/** What our daemon runs on: this Node.js; and Electron, where guest memory is looked at in another way. */
const runtimes: readonly { readonly name: string; readonly options: () => Promise<StartOptions> }[] = [
  { name: 'our daemon', options: () => Promise.resolve({}) },
  { name: 'our daemon in Electron', options: inElectron },
];

for (const runtime of runtimes)
  describe(`a session with ${runtime.name}`, () => {
    let folder: string;
    let daemon: Daemon;
    let device: AttachedDevice;
    let calls: FuseCalls;

    let started: StartOptions;

    before(async function () {
      this.timeout(180_000);
      need(this, 'daemon', whyMissing('ours') === undefined, whyMissing('ours') ?? '');
      if (runtime.options === inElectron) {
        need(this, 'Electron', whyNoElectron === undefined, whyNoElectron ?? '');
      }
      started = await runtime.options();
    });

    async function begin(options: DeviceOptions = {}, ...args: readonly string[]): Promise<void> {
      daemon = await startDaemon('ours', folder, { ...started, arguments: args });
      device = new AttachedDevice(daemon.frontEnd, options);
      calls = new FuseCalls(new FuseClient(device));
      calls.init();
    }

    beforeEach(() => {
      folder = fs.mkdtempSync('/dev/shm/virtiofs-session-');
      for (let i = 0; i < 40; i++) fs.writeFileSync(`${folder}/f${i}`, `content of ${i}`);
    });
    afterEach(async () => {
      device.close();
      await daemon.stop();
      fs.rmSync(folder, { recursive: true, force: true });
    });

    /** The share works: a file of it can be read. */
    function works(): void {
      const { nodeid } = calls.lookup(ROOT, 'f7');
      const { fh } = calls.open(nodeid, 0);
      assert.equal(Buffer.from(calls.read(nodeid, fh, 0, 100)).toString(), 'content of 7');
      calls.release(nodeid, fh);
      calls.forget(nodeid);
    }

    it('offers a config space with tag and queue count when it has a tag', async () => {
      await begin({}, '--tag', 'my share');
      assert.ok(device.hasProtocol(ProtocolFeature.CONFIG));
      const config = Buffer.from(device.frontEnd.config(0, 40));
      assert.equal(config.toString('utf8', 0, 8), 'my share');
      assert.ok(config.subarray(8, 36).every((byte) => byte === 0));
      assert.ok(config.readUInt32LE(36) >= 1);
      // User Mode Linux reads it byte by byte.
      const bytes = Array.from({ length: 40 }, (_, i) => device.frontEnd.config(i, 1)[0]);
      assert.deepEqual(Buffer.from(bytes), config);
    });

    it('serves request queues side by side', async () => {
      await begin({ requestQueues: 3 }, '--queues', '3', '--tag', 't');
      const { client } = calls;
      const pending = [1, 2, 3, 1, 2, 3].map((queue) =>
        client.start(Opcode.GETATTR, ROOT, [pack(GetattrIn, {})], { room: 104, queue }),
      );
      for (const one of pending) assert.equal(client.wait(one).error, 0);
    });

    it('keeps 25 requests in flight apart', async () => {
      await begin();
      const { client } = calls;
      const nodes = Array.from({ length: 25 }, (_, i) => calls.lookup(ROOT, `f${i}`));
      const pending = Array.from({ length: 25 }, (_, i) =>
        client.start(Opcode.GETATTR, nodes[i].nodeid, [pack(GetattrIn, {})], { room: 104 }),
      );
      for (const [i, one] of pending.reverse().entries()) {
        const { error, body } = client.wait(one);
        assert.equal(error, 0);
        assert.equal(new DataView(body.buffer).getBigUint64(16, true), nodes[24 - i].attributes.ino);
      }
    });

    it('goes round the 16-bit indices of the rings', async function () {
      this.timeout(30_000);
      await begin({ queueSize: 64 });
      const args = pack(AccessIn, { mask: 4 });
      for (let i = 0; i < 70_000; i++) {
        if (calls.client.call(Opcode.ACCESS, ROOT, [args], { room: 0 }).error !== 0) assert.fail(`request ${i}`);
      }
    });

    it('stops a ring, says where, and goes on from there', async () => {
      await begin();
      works();
      const base = device.stopQueue(1);
      assert.ok(base > 0);
      device.startQueue(1, base);
      works();
      assert.equal(device.stopQueue(1) > base, true);
    });

    it('a ring that starts with requests in it serves them without a kick', async () => {
      await begin();
      const base = device.stopQueue(1);
      const pending = calls.client.start(Opcode.GETATTR, ROOT, [pack(GetattrIn, {})], { room: 104 });
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.equal(calls.client.done(pending), false, 'a stopped ring is left alone');
      device.resumeQueue(1, base);
      assert.equal(calls.client.wait(pending).error, 0);
    });

    it('a new INIT begins anew: old inodes and handles are gone, the share works', async () => {
      await begin();
      const { nodeid } = calls.lookup(ROOT, 'f1');
      const { fh } = calls.open(nodeid, 0);
      calls.init();
      assert.throws(() => calls.read(nodeid, fh, 0, 10), /ESTALE|EBADF/);
      works();
    });

    it('DESTROY and another INIT are a guest that mounts again', async () => {
      await begin();
      for (let i = 0; i < 3; i++) {
        works();
        calls.destroy();
        assert.throws(() => calls.getattr(ROOT), /EIO/);
        calls.init();
      }
    });

    it('a guest that reboots: rings are stopped, memory is told anew', async () => {
      await begin();
      for (const queue of [0, 1]) device.stopQueue(queue);
      device.announceMemory();
      for (const queue of [0, 1]) device.startQueue(queue, 0);
      calls.init();
      works();
    });

    it('memory is added and taken away by slots while the rings run', async () => {
      await begin({ memory: 'slots', regions: [32 << 20, 16 << 20, 16 << 20] });
      assert.ok(device.hasProtocol(ProtocolFeature.CONFIGURE_MEM_SLOTS));
      assert.ok(device.frontEnd.askWord(Request.GET_MAX_MEM_SLOTS) >= 8n);
      works();
      assert.equal(device.frontEnd.removeMemory(device.regions[2]), 0n);
      works();
      assert.equal(device.frontEnd.addMemory(device.regions[2]), 0n);
      works();
    });

    it('maps no more after all that has come and gone', async () => {
      await begin({ memory: 'slots', regions: [32 << 20, 16 << 20, 16 << 20] });
      const maps = (): number => fs.readFileSync(`/proc/${daemon.pid}/maps`, 'utf8').split('\n').length;
      const comeAndGo = (): void => {
        assert.equal(device.frontEnd.removeMemory(device.regions[2]), 0n);
        assert.equal(device.frontEnd.addMemory(device.regions[2]), 0n);
        device.startQueue(1, device.stopQueue(1));
        works();
      };
      for (let time = 0; time < 10; time++) comeAndGo();
      const before = maps();
      for (let time = 0; time < 100; time++) comeAndGo();
      // Node.js itself maps and unmaps now and then.
      assert.ok(maps() < before + 50, `${before} and then ${maps()} mappings`);
    });

    it('the memory table can be replaced while the rings run', async () => {
      await begin({ regions: [32 << 20, 16 << 20] });
      works();
      assert.equal(device.frontEnd.setMemoryTable(device.regions), 0n);
      works();
    });

    it('works without acknowledgements, EVENT_IDX and indirect descriptors', async () => {
      await begin({ acknowledge: false, eventIdx: false, indirect: false });
      works();
    });

    it('takes a request queue disabled and enabled again', async () => {
      await begin();
      device.frontEnd.setRingNumber(Request.SET_VRING_ENABLE, 1, 0);
      device.frontEnd.setRingNumber(Request.SET_VRING_ENABLE, 1, 1);
      works();
    });

    it('refuses features that it did not offer, and lives', async () => {
      await begin();
      device.frontEnd.tell(Request.SET_FEATURES, words(1n << 34n));
      assert.equal(daemon.running(), true);
    });

    it('ends with 0 when the front-end goes, and leaves nothing behind', async () => {
      await begin();
      const { nodeid } = calls.lookup(ROOT, 'f1');
      calls.open(nodeid, 0);
      device.frontEnd.close();
      assert.equal(await daemon.exit(3000), 0, daemon.log());
    });

    /** One handle has a lock, the other waits for it: the daemon has taken the request that does. */
    function waitForLock() {
      const { nodeid } = calls.lookup(ROOT, 'f1');
      const [one, two] = [calls.open(nodeid, 2), calls.open(nodeid, 2)];
      const lock = { type: 1, start: 0n, end: 10n, pid: 1 };
      calls.setlk(nodeid, one.fh, 1n, lock);
      const pending = calls.startSetlkw(nodeid, two.fh, 2n, lock);
      // What comes by the other queue may overtake it; by its own nothing does.
      calls.getattr(nodeid);
      return { nodeid, one, two, lock, pending };
    }

    it('ends with 0 while a lock is waited for', async () => {
      await begin();
      const { pending } = waitForLock();
      assert.equal(calls.client.done(pending), false);
      device.frontEnd.close();
      assert.equal(await daemon.exit(3000), 0, daemon.log());
    });

    it('INTERRUPT ends a lock that is waited for', async () => {
      await begin();
      const { nodeid, one, two, lock, pending } = waitForLock();
      calls.interrupt(pending.unique);
      assert.equal(calls.client.wait(pending).error, -4);
      calls.setlk(nodeid, one.fh, 1n, { ...lock, type: 2 });
      calls.setlk(nodeid, two.fh, 2n, lock);
    });

    it('BATCH_FORGET, which no Linux guest sends, frees what was looked up', async () => {
      await begin();
      // An inode takes a descriptor when it is used.
      const found = Array.from({ length: 40 }, (_, i) => {
        const entry = calls.lookup(ROOT, `f${i}`);
        calls.release(entry.nodeid, calls.open(entry.nodeid, 0).fh);
        return entry;
      });
      const descriptors = (): number => fs.readdirSync(`/proc/${daemon.pid}/fd`).length;
      const held = descriptors();
      calls.batchForget(found.map(({ nodeid }) => ({ nodeid, nlookup: 1 })));
      assert.ok(descriptors() <= held - 40, `${held} descriptors before, ${descriptors()} after`);
      works();
    });

    it('STATX tells what GETATTR tells', async () => {
      await begin();
      const { nodeid, attributes } = calls.lookup(ROOT, 'f3');
      const statx = calls.statx(nodeid, 0x7ff);
      assert.equal(statx.number('size'), attributes.size);
      assert.equal(statx.big('ino'), attributes.ino);
      assert.equal(statx.number('mode'), attributes.mode);
    });

    it('refuses a daemon whose share is read-only every change, with EROFS', async () => {
      await begin({}, '--readonly');
      works();
      const { nodeid } = calls.lookup(ROOT, 'f1');
      const { fh } = calls.open(nodeid, 0);
      const changes: readonly (() => unknown)[] = [
        () => calls.create(ROOT, 'new', 2, 0o644),
        () => calls.mkdir(ROOT, 'new'),
        () => calls.mknod(ROOT, 'new', 0o100644),
        () => calls.symlink(ROOT, 'new', 'f1'),
        () => calls.link(nodeid, ROOT, 'new'),
        () => calls.unlink(ROOT, 'f1'),
        () => calls.rename(ROOT, 'f1', ROOT, 'new'),
        () => calls.open(nodeid, 1),
        () => calls.open(nodeid, 2),
        () => calls.open(nodeid, 0o1000),
        () => calls.setattr(nodeid, { valid: 1, mode: 0o600 }),
        () => calls.setattr(nodeid, { valid: 8, size: 0 }),
        () => calls.fallocate(nodeid, fh, 0, 0, 10),
        () => calls.tmpfile(ROOT, 2, 0o600),
      ];
      for (const change of changes) assert.throws(change, /EROFS|EBADF/, change.toString());
      assert.equal(fs.readFileSync(`${folder}/f1`, 'utf8'), 'content of 1');
      assert.equal(fs.readdirSync(folder).length, 40);
    });
  });
