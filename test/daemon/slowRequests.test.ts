/**
 * A request that waits, for a lock or for a disk, never stops the others of the share.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { LinuxCalls } from '../../src/native/linuxCalls';
import { pinnedArena } from '../../src/native/memory';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import * as wire from '../../src/protocol/fuse/structs';
import type { Pending } from '../driver/fuseClient';
import { Fields, pack } from '../driver/pack';
import { DaemonProcess, type DaemonOptions, ROOT, Session } from './daemonProcess';
import { needSlowDisk, slowDisk } from './slowDisk';

const DELAY = 500;
const F_WRLCK = 1;
const F_UNLCK = 2;
const F_OFD_SETLK = 37;
const F_SETLEASE = 1024;
const TO_THE_END = 0x7fff_ffff_ffff_ffffn;
const EINTR = 4;

describe('slow requests', () => {
  let home: string;
  let daemon: DaemonProcess;
  let session: Session;

  async function begin(options?: DaemonOptions): Promise<void> {
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'slow-'));
    const socket = path.join(home, 'socket');
    fs.mkdirSync(path.join(home, 'share'));
    fs.writeFileSync(path.join(home, 'share', 'file'), Buffer.alloc(1 << 20, 1));
    daemon = new DaemonProcess([`--socket-path=${socket}`, `--shared-dir=${home}/share`], options);
    session = await Session.begin(socket, { requestQueues: 1 });
  }

  async function end(): Promise<void> {
    session.end();
    assert.equal(await daemon.exit(), 0, daemon.log);
    fs.rmSync(home, { recursive: true });
  }

  const open = (flags = 2): { nodeid: bigint; fh: bigint } => {
    const { nodeid } = session.calls.lookup(ROOT, 'file');
    return { nodeid, fh: session.calls.open(nodeid, flags).fh };
  };

  /** Whole GETATTRs, one after the other, that were served before `pending` was. */
  function servedBefore(pending: Pending, most: number): number {
    let served = 0;
    while (served < most && !session.client.done(pending)) {
      session.calls.getattr(ROOT);
      served++;
    }
    return served;
  }

  it('for a lease of a program of the host: OPEN waits while others go on, until it is given up or interrupted', async () => {
    const told = (): void => undefined;
    process.on('SIGIO', told);
    await begin();
    const { calls, client } = session;
    const host = new LinuxCalls();
    const fd = fs.openSync(path.join(home, 'share', 'file'), 'r+');
    assert.equal(host.fcntlLock(fd, F_SETLEASE, F_WRLCK), 0);
    const { nodeid } = calls.lookup(ROOT, 'file');
    const start = (): Pending =>
      client.start(Opcode.OPEN, nodeid, [pack(wire.OpenIn, { flags: 2 })], { room: wire.OpenOut.size });
    const interrupted = start();
    const waiting = start();
    assert.equal(servedBefore(waiting, 200), 200);
    calls.interrupt(interrupted.unique);
    assert.equal(client.wait(interrupted).error, -EINTR);
    assert.equal(host.fcntlLock(fd, F_SETLEASE, F_UNLCK), 0);
    const opened = client.wait(waiting);
    assert.equal(opened.error, 0);
    const fh = new Fields<string>(wire.OpenOut, opened.body).big('fh');
    assert.equal(calls.read(nodeid, fh, 0, 4).length, 4);
    fs.closeSync(fd);
    process.off('SIGIO', told);
    await end();
  });

  describe('for a lock', () => {
    const lock = (type = F_WRLCK) => ({ type, start: 0n, end: TO_THE_END, pid: 1 });

    beforeEach(() => begin());
    afterEach(end);

    it('held in this share: waits while others go on, and gets it when it is given up', () => {
      const { nodeid, fh } = open();
      const { calls, client } = session;
      calls.setlk(nodeid, fh, 1n, lock());
      const waiting = calls.startSetlkw(nodeid, fh, 2n, lock());
      assert.equal(servedBefore(waiting, 200), 200);
      calls.setlk(nodeid, fh, 1n, lock(F_UNLCK));
      assert.equal(client.wait(waiting).error, 0);
    });

    it('held by a program of the host', () => {
      const { nodeid, fh } = open();
      const host = new LinuxCalls();
      const flock = pinnedArena(64);
      flock.setU16(0, F_WRLCK);
      const fd = fs.openSync(path.join(home, 'share', 'file'), 'r+');
      assert.equal(host.fcntlLock(fd, F_OFD_SETLK, flock.address(0)), 0);
      const waiting = session.calls.startSetlkw(nodeid, fh, 2n, lock());
      assert.equal(servedBefore(waiting, 200), 200);
      fs.closeSync(fd);
      assert.equal(session.client.wait(waiting).error, 0);
    });

    it('flock as well', () => {
      const [one, other] = [open(), open()];
      const { calls, client } = session;
      calls.setlk(one.nodeid, one.fh, 1n, lock(), true);
      const waiting = calls.startSetlkw(other.nodeid, other.fh, 2n, lock(), true);
      assert.equal(servedBefore(waiting, 100), 100);
      calls.setlk(one.nodeid, one.fh, 1n, lock(F_UNLCK), true);
      assert.equal(client.wait(waiting).error, 0);
    });

    it('many at a time: each gets it in turn, and INTERRUPT takes one out', () => {
      const { nodeid, fh } = open();
      const { calls, client } = session;
      calls.setlk(nodeid, fh, 1n, lock());
      const waiting = Array.from({ length: 50 }, (_, i) => calls.startSetlkw(nodeid, fh, BigInt(i + 2), lock()));
      assert.equal(servedBefore(waiting[0], 50), 50);
      calls.interrupt(waiting[7].unique);
      assert.equal(client.wait(waiting[7]).error, -EINTR);
      calls.setlk(nodeid, fh, 1n, lock(F_UNLCK));
      waiting.forEach((one, i) => {
        if (i === 7) return;
        assert.equal(client.wait(one).error, 0);
        calls.setlk(nodeid, fh, BigInt(i + 2), lock(F_UNLCK));
      });
    });

    it('the queue may be stopped meanwhile: who waits goes on waiting when it goes on', () => {
      const { nodeid, fh } = open();
      const { calls, client, device } = session;
      calls.setlk(nodeid, fh, 1n, lock());
      const waiting = calls.startSetlkw(nodeid, fh, 2n, lock());
      calls.getattr(ROOT);
      device.resumeQueue(1, device.stopQueue(1));
      assert.equal(calls.lookup(ROOT, 'file').nodeid, nodeid);
      assert.equal(client.done(waiting), false);
      calls.setlk(nodeid, fh, 1n, { ...lock(), type: F_UNLCK });
      assert.equal(client.wait(waiting).error, 0);
    });
  });

  describe('for a disk', () => {
    before(async function () {
      needSlowDisk(this);
      await begin({ wrap: slowDisk(DELAY) });
    });
    after(async () => {
      if (session) await end();
    });

    const start: [name: string, start: (nodeid: bigint, fh: bigint) => Pending, flags?: number][] = [
      ['FSYNC', (id, fh) => session.client.start(Opcode.FSYNC, id, [pack(wire.FsyncIn, { fh })], { room: 0 })],
      [
        'FSYNC of data',
        (id, fh) => session.client.start(Opcode.FSYNC, id, [pack(wire.FsyncIn, { fh, fsync_flags: 1 })], { room: 0 }),
      ],
      ['SYNCFS', (id) => session.client.start(Opcode.SYNCFS, id, [pack(wire.SyncfsIn, {})], { room: 0 })],
      [
        'FALLOCATE',
        (id, fh) =>
          session.client.start(Opcode.FALLOCATE, id, [pack(wire.FallocateIn, { fh, length: 65536 })], { room: 0 }),
      ],
      [
        'COPY_FILE_RANGE',
        (id, fh) =>
          session.client.start(
            Opcode.COPY_FILE_RANGE,
            id,
            [pack(wire.CopyFileRangeIn, { fh_in: fh, nodeid_out: id, fh_out: fh, off_out: 1 << 19, len: 1 << 18 })],
            { room: 8 },
          ),
      ],
      [
        'a cold READ',
        (id, fh) => session.client.start(Opcode.READ, id, [pack(wire.ReadIn, { fh, size: 4096 })], { room: 4096 }),
      ],
      [
        'a WRITE of a synchronous file',
        (id, fh) =>
          session.client.start(Opcode.WRITE, id, [pack(wire.WriteIn, { fh, size: 4 }), Uint8Array.of(1, 2, 3, 4)], {
            room: 8,
          }),
        2 | 0o4010000,
      ],
    ];

    for (const [name, begins, flags] of start) {
      it(name, () => {
        const { nodeid, fh } = open(flags);
        const began = Date.now();
        const slow = begins(nodeid, fh);
        const served = servedBefore(slow, 100_000);
        assert.equal(session.client.wait(slow).error, 0);
        assert.ok(Date.now() - began >= DELAY * 0.8, 'it was slow');
        assert.ok(served > 20, `${served} served meanwhile`);
        session.calls.release(nodeid, fh);
      });
    }

    it('more of them than there are threads', () => {
      const { nodeid, fh } = open();
      const [, fsync] = start[0];
      const many = Array.from({ length: 12 }, () => fsync(nodeid, fh));
      assert.ok(servedBefore(many[0], 100_000) > 20);
      for (const one of many) assert.equal(session.client.wait(one).error, 0);
    });

    it('a file that is released, and a queue that is stopped, wait for what is in progress', () => {
      const { nodeid, fh } = open();
      const [, read] = start[5];
      const slow = read(nodeid, fh);
      session.calls.release(nodeid, fh);
      const { device, client } = session;
      const base = device.stopQueue(1);
      assert.equal(client.wait(slow).error, 0);
      device.startQueue(1, base);
      session.calls.getattr(ROOT);
    });
  });
});
