/**
 * Requests that are in progress when their queue stops, their memory goes or the front-end disappears. What can end is
 * answered before the stop is; after it nothing is written into guest memory any more, and the daemon is well.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { Request } from '../../src/protocol/vhostUser/requests';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import * as wire from '../../src/protocol/fuse/structs';
import { close, eventfd } from '../driver/host';
import type { Entry, Opened } from '../driver/fuseCalls';
import type { Pending } from '../driver/fuseClient';
import { pack } from '../driver/pack';
import { type AttackOptions, Cell, ROOT, type Victim, needCell } from './cell';
import { settled, sleep, until } from './patience';

const O_RDWR = 2;
const MEMORY = 32 << 20;
const EINTR = -4;
const WRITE_LOCK = { type: 1, start: 0n, end: 99n, pid: 1 };

describe('requests in progress', () => {
  let cell: Cell;

  before(function () {
    needCell(this);
  });
  beforeEach(() => {
    cell = new Cell();
  });
  afterEach(() => cell.close());

  const open = (options: AttackOptions = {}): Promise<Victim> =>
    cell.attack({ largest: 65536, ...options, device: { regions: [MEMORY], ...options.device } });

  /** A lock that is held, and requests by other owners that wait for it. */
  function waitingLocks(victim: Victim, count: number): { file: Entry & Opened; waiting: Pending[] } {
    const { calls } = victim;
    const file = calls.create(ROOT, 'locked', O_RDWR, 0o644);
    calls.setlk(file.nodeid, file.fh, 1n, WRITE_LOCK);
    const waiting = Array.from({ length: count }, (_, i) =>
      calls.startSetlkw(file.nodeid, file.fh, BigInt(i + 2), WRITE_LOCK),
    );
    return { file, waiting };
  }

  /** Writes and syncs that are on their way. */
  function slowRequests(victim: Victim, file: Entry & Opened, count: number): Pending[] {
    const data = new Uint8Array(65536).fill(1);
    return Array.from({ length: count }, (_, i) => {
      if (i % 2 === 0) {
        return victim.client.start(Opcode.FSYNC, file.nodeid, [pack(wire.FsyncIn, { fh: file.fh })], { room: 0 });
      }
      const args = pack(wire.WriteIn, { fh: file.fh, offset: i * data.length, size: data.length });
      return victim.client.start(Opcode.WRITE, file.nodeid, [args, data], { room: wire.WriteOut.size });
    });
  }

  /** All of guest memory, to see whether it changes. */
  const snapshot = (victim: Victim): Buffer => Buffer.from(victim.device.memory[0].arena.u8.slice());

  async function staysUntouched(victim: Victim): Promise<void> {
    const before = snapshot(victim);
    await sleep(120);
    assert.ok(before.equals(snapshot(victim)), 'guest memory was written to after the stop');
  }

  function newKick(victim: Victim): void {
    const fd = eventfd();
    victim.device.frontEnd.setRingDescriptor(Request.SET_VRING_KICK, 1, fd);
    close(fd);
  }

  const unlock = ({ calls }: Victim, file: Entry & Opened, owner: bigint): void =>
    calls.setlk(file.nodeid, file.fh, owner, { ...WRITE_LOCK, type: 2 });

  it('a queue that stops: locks go on waiting, the rest ends with what it is, and nothing comes afterwards', async () => {
    const victim = await open();
    const { client, device } = victim;
    const { file, waiting } = waitingLocks(victim, 5);
    const slow = slowRequests(victim, file, 20);
    // Answered when all before it have been taken from the ring, in which they would else stay.
    victim.calls.getattr(ROOT);
    const base = device.stopQueue(1);
    await staysUntouched(victim);
    for (const one of slow) assert.ok(client.done(one), 'answered before the stop was');
    for (const one of slow) assert.equal(one.reply?.error, 0);
    assert.ok(waiting.every((one) => !client.done(one)));
    // A guest that was paused: its programs know nothing of it.
    device.resumeQueue(1, base);
    unlock(victim, file, 1n);
    assert.equal(client.wait(waiting[0]).error, 0);
    unlock(victim, file, 2n);
    assert.equal(client.wait(waiting[1]).error, 0);
    victim.calls.release(file.nodeid, file.fh);
    for (const one of waiting.slice(2)) assert.equal(client.wait(one).error, EINTR);
    cell.checkHealth(victim);
  });

  it('a queue that stops: what ends a lock that waits meanwhile is told when it goes on, and not before', async () => {
    const victim = await open({ arguments: ['--queues', '2'], device: { requestQueues: 2 } });
    const { calls, client, device } = victim;
    const { file, waiting } = waitingLocks(victim, 2);
    calls.getattr(ROOT);
    const base = device.stopQueue(1);
    calls.interrupt(waiting[0].unique);
    const unlocked = client.start(Opcode.FLUSH, file.nodeid, [pack(wire.FlushIn, { fh: file.fh, lock_owner: 1n })], {
      room: 0,
      queue: 2,
    });
    assert.equal(client.wait(unlocked).error, 0);
    await staysUntouched(victim);
    assert.ok(waiting.every((one) => !client.done(one)));
    device.resumeQueue(1, base);
    assert.equal(client.wait(waiting[0]).error, EINTR);
    assert.equal(client.wait(waiting[1]).error, 0);
    calls.release(file.nodeid, file.fh);
    cell.checkHealth(victim);
  });

  it('a queue that begins anew where it stopped: what waited before is nobody’s, and is not answered', async () => {
    const victim = await open();
    const { file, waiting } = waitingLocks(victim, 3);
    victim.calls.getattr(ROOT);
    victim.device.startQueue(1, victim.device.stopQueue(1));
    unlock(victim, file, 1n);
    await staysUntouched(victim);
    assert.ok(waiting.every((one) => !victim.client.done(one)));
    // None of them has the lock.
    victim.calls.setlk(file.nodeid, file.fh, 9n, WRITE_LOCK);
    victim.calls.release(file.nodeid, file.fh);
    cell.checkHealth(victim);
  });

  for (const [name, again] of [
    ['the memory is told of once more', (v: Victim) => v.device.announceMemory()],
    ['a ring has a new kick', newKick],
  ] as const) {
    it(`${name}: locks go on waiting`, async () => {
      const victim = await open();
      const { file, waiting } = waitingLocks(victim, 2);
      victim.calls.getattr(ROOT);
      again(victim);
      await staysUntouched(victim);
      if (again === newKick) victim.device.resumeQueue(1, victim.device.stopQueue(1));
      unlock(victim, file, 1n);
      assert.equal(victim.client.wait(waiting[0]).error, 0);
      victim.calls.release(file.nodeid, file.fh);
      cell.checkHealth(victim);
    });
  }

  for (const [name, stop] of [
    ['a ring that is disabled', (v: Victim) => v.device.frontEnd.setRingNumber(Request.SET_VRING_ENABLE, 1, 0)],
    ['a reset of the device', (v: Victim) => v.device.frontEnd.tell(Request.RESET_DEVICE, new Uint8Array(0))],
    ['a new kick, which starts the ring anew', newKick],
  ] as const) {
    it(name, async () => {
      const victim = await open();
      const { file } = waitingLocks(victim, 3);
      slowRequests(victim, file, 10);
      stop(victim);
      if (stop !== newKick) await staysUntouched(victim);
      victim.device.stopQueue(1);
      await staysUntouched(victim);
      for (const index of [0, 1]) {
        victim.device.stopQueue(index);
        victim.device.startQueue(index, 0);
      }
      victim.calls.init();
      cell.checkHealth(victim);
    });
  }

  it('memory that goes: nothing is written to where it was', async () => {
    const victim = await open();
    const { file } = waitingLocks(victim, 3);
    slowRequests(victim, file, 30);
    const nowhere = { ...victim.device.regions[0], guestAddress: 2 ** 40, userAddress: 2 ** 41, size: 4096 };
    victim.device.frontEnd.setMemoryTable([nowhere]);
    await staysUntouched(victim);
    assert.ok(victim.daemon.running());
    victim.device.announceMemory();
    for (const index of [0, 1]) victim.device.startQueue(index, victim.device.stopQueue(index));
    victim.calls.release(file.nodeid, file.fh);
    cell.checkHealth(victim);
  });

  it('reads from the disk that are in progress when memory goes', async () => {
    const victim = await open({ largest: 1 << 20, device: { queueSize: 4096 } });
    const { calls, client } = victim;
    const made = calls.create(ROOT, 'big', O_RDWR, 0o644);
    for (let at = 0; at < 12; at++) calls.write(made.nodeid, made.fh, at << 20, new Uint8Array(1 << 20).fill(9));
    calls.fsync(made.nodeid, made.fh, false);
    // No page of it in the host's cache: reads go to the other threads.
    execFileSync('dd', [`if=${cell.inside('big')}`, 'iflag=nocache', 'count=0', 'status=none']);
    for (let i = 0; i < 12; i++) {
      const args = pack(wire.ReadIn, { fh: made.fh, offset: i << 20, size: 1 << 20 });
      client.start(Opcode.READ, made.nodeid, [args], { room: 1 << 20 });
    }
    victim.device.frontEnd.setMemoryTable([]);
    await staysUntouched(victim);
    victim.device.announceMemory();
    for (const index of [0, 1]) victim.device.startQueue(index, victim.device.stopQueue(index));
    calls.release(made.nodeid, made.fh);
    cell.checkHealth(victim);
  });

  it('a front-end that goes: the daemon ends, and quickly', async () => {
    const victim = await open();
    const { file } = waitingLocks(victim, 8);
    slowRequests(victim, file, 40);
    victim.device.frontEnd.close();
    assert.equal(await victim.daemon.exit(), 0, victim.daemon.log());
    await staysUntouched(victim);
    cell.checkOutside();
  });

  it('a front-end that goes while requests are on their way in', async () => {
    const victim = await open();
    for (let i = 0; i < 100; i++) {
      victim.client.start(Opcode.GETATTR, ROOT, [pack(wire.GetattrIn, {})], { room: wire.AttrOut.size });
    }
    victim.device.frontEnd.close();
    assert.equal(await victim.daemon.exit(), 0, victim.daemon.log());
    cell.checkOutside();
  });

  it('a signal: the daemon ends as well while requests wait', async () => {
    const victim = await open();
    const { file } = waitingLocks(victim, 3);
    slowRequests(victim, file, 10);
    process.kill(victim.daemon.pid, 'SIGTERM');
    assert.equal(await victim.daemon.exit(), 0, victim.daemon.log());
    await staysUntouched(victim);
  });

  it('a guest that starts again in the middle: INIT forgets and releases everything', async () => {
    const victim = await open();
    const { calls, client } = victim;
    const { file, waiting } = waitingLocks(victim, 3);
    slowRequests(victim, file, 10);
    calls.init();
    for (const one of waiting) assert.ok(client.wait(one).error < 0);
    assert.throws(() => calls.read(file.nodeid, file.fh, 0, 1), /ESTALE|EBADF/);
    const again = calls.lookup(ROOT, 'locked');
    const handle = calls.open(again.nodeid, O_RDWR);
    calls.setlk(again.nodeid, handle.fh, 77n, WRITE_LOCK);
    calls.release(again.nodeid, handle.fh);
    calls.forget(again.nodeid);
    cell.checkHealth(victim);
  });

  it('interrupts of requests that are not there, are done or wait: each lock ends once', async () => {
    const victim = await open();
    const { calls, client } = victim;
    const { file, waiting } = waitingLocks(victim, 4);
    await settled();
    for (const unique of [0, 1, 2 ** 32, 2 ** 52, waiting[0].unique, waiting[0].unique]) calls.interrupt(unique);
    assert.equal(client.wait(waiting[0]).error, EINTR);
    assert.ok(waiting.slice(1).every((one) => !client.done(one)));
    calls.setlk(file.nodeid, file.fh, 1n, { ...WRITE_LOCK, type: 2 });
    assert.equal(client.wait(waiting[1]).error, 0);
    calls.release(file.nodeid, file.fh);
    for (const one of waiting.slice(2)) assert.ok(client.wait(one).error <= 0);
    cell.checkHealth(victim);
  });

  it('a thousand locks that wait do not keep others waiting, nor the stop', async () => {
    const victim = await open({ arguments: ['--queues', '2'], device: { queueSize: 4096, requestQueues: 2 } });
    const { calls, device } = victim;
    const file = calls.create(ROOT, 'locked', O_RDWR, 0o644);
    calls.setlk(file.nodeid, file.fh, 1n, WRITE_LOCK);
    // By hand, for the client has memory for fewer at a time: one request, offered again and again.
    const ring = device.ring(2);
    const at = MEMORY - 65536;
    const { arena } = device.memory[0];
    const args = pack(wire.LkIn, { fh: file.fh, owner: 5 });
    args.set(pack(wire.FileLock, WRITE_LOCK), wire.LkIn.offset.lk);
    const header = { len: 40 + args.length, opcode: Opcode.SETLKW, unique: 3, nodeid: file.nodeid };
    arena.u8.set(pack(wire.InHeader, header), at);
    arena.u8.set(args, at + 40);
    const request = { address: at, length: header.len, write: false };
    const reply = { address: at + 4096, length: 16, write: true };
    for (let i = 0; i < 1000; i++) ring.offer(ring.chain([request, reply]));
    if (ring.publish()) device.kick(2);
    let answered = 0;
    await settled();
    assert.equal(ring.take(), -1, 'they wait');
    for (let i = 0; i < 100; i++) cell.checkHealth(victim);
    const base = device.stopQueue(2);
    assert.equal(ring.take(), -1, 'they still do');
    device.resumeQueue(2, base);
    unlock(victim, file, 1n);
    await until('each has been answered', () => {
      while (ring.take() >= 0) answered++;
      return answered === 1000;
    });
    cell.checkHealth(victim);
  });
});
