/** Guest memory that changes while the share is in use: new tables, added and removed regions, buffers that go. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { FsyncIn, InHeader, OutHeader, ReadIn } from '../../src/protocol/fuse/structs';
import type { DeviceOptions } from '../driver/attachedDevice';
import { pack } from '../driver/pack';
import { DaemonProcess, type DaemonOptions, ROOT, Session } from './daemonProcess';
import { needSlowDisk, slowDisk } from './slowDisk';

const MIB = 1 << 20;
const DATA = 8192;

describe('memory changes', () => {
  let home: string;
  let daemon: DaemonProcess;
  let session: Session;

  async function begin(device: DeviceOptions, options?: DaemonOptions): Promise<void> {
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'memory-'));
    fs.mkdirSync(path.join(home, 'share'));
    fs.writeFileSync(path.join(home, 'share', 'file'), Buffer.alloc(MIB, 3));
    const socket = path.join(home, 'socket');
    daemon = new DaemonProcess([`--socket-path=${socket}`, `--shared-dir=${home}/share`], options);
    session = await Session.begin(socket, device);
  }

  afterEach(async () => {
    await daemon?.stop();
    fs.rmSync(home, { recursive: true, force: true });
  });

  async function end(): Promise<void> {
    session.end();
    assert.equal(await daemon.exit(), 0, daemon.log);
  }

  /** Starts a READ whose data go to an offset of region `region`; the chain's head. The request lies in region 0. */
  function startRead(region: number, at: number): number {
    const { device, calls } = session;
    const { nodeid } = calls.lookup(ROOT, 'file');
    const { fh } = calls.open(nodeid, 0);
    const [main] = device.memory;
    const other = device.memory[region];
    const requestAt = main.end - 65536;
    const request = Buffer.concat([
      pack(InHeader, { len: InHeader.size + ReadIn.size, opcode: Opcode.READ, unique: 99, nodeid }),
      pack(ReadIn, { fh, size: DATA }),
    ]);
    main.arena.u8.set(request, requestAt);
    const ring = device.ring(1);
    const head = ring.chain([
      { address: main.guestBase + requestAt, length: request.length, write: false },
      { address: main.guestBase + requestAt + 4096, length: OutHeader.size, write: true },
      { address: other.guestBase + at, length: DATA, write: true },
    ]);
    ring.offer(head);
    if (ring.publish()) device.kick(1);
    return head;
  }

  /** Waits for that READ; its used length and errno. */
  function finishRead(head: number): { used: number; error: number } {
    const { device } = session;
    const ring = device.ring(1);
    for (let taken = ring.take(); ; taken = ring.take()) {
      if (taken === head) break;
      assert.equal(taken, -1);
      ring.armCalls();
      device.wait(1, 1000);
    }
    ring.free(head);
    const main = device.memory[0];
    return { used: ring.usedLength, error: main.arena.getI32(main.end - 65536 + 4096 + 4) };
  }

  it('the same table again, while it is in use: everything goes on', async () => {
    await begin({ regions: [64 * MIB] });
    for (let round = 0; round < 20; round++) {
      assert.equal(session.calls.lookup(ROOT, 'file').attributes.size, MIB);
      session.device.announceMemory();
    }
    await end();
  });

  it('a region at another place in its file, as User Mode Linux has it', async () => {
    await begin({ regions: [64 * MIB], mapOffset: 3 * MIB });
    assert.equal(session.calls.lookup(ROOT, 'file').attributes.size, MIB);
    await end();
  });

  it('data land in any region; in one that has been removed they cost the request an error, not the queue', async () => {
    await begin({ regions: [64 * MIB, 16 * MIB, 16 * MIB], memory: 'slots' });
    const { device } = session;
    const whole = { used: OutHeader.size + DATA, error: 0 };
    for (const region of [0, 1, 2]) {
      const at = region === 0 ? device.memory[0].end - 32768 : 4096;
      assert.deepEqual(finishRead(startRead(region, at)), whole);
      assert.ok(device.memory[region].arena.bytes(at, DATA).every((byte) => byte === 3));
    }
    assert.equal(device.frontEnd.removeMemory(device.regions[1]), 0n);
    assert.deepEqual(finishRead(startRead(1, 4096)), { used: OutHeader.size, error: -14 });
    assert.deepEqual(finishRead(startRead(2, 4096)), whole);
    assert.equal(device.frontEnd.addMemory(device.regions[1]), 0n);
    assert.deepEqual(finishRead(startRead(1, 4096)), whole);
    await end();
  });

  it('a read that runs over the end of a region', async () => {
    await begin({ regions: [64 * MIB, 16 * MIB] });
    assert.deepEqual(finishRead(startRead(1, 16 * MIB - 4096)), { used: OutHeader.size, error: -14 });
    session.calls.getattr(ROOT);
    await end();
  });

  it('a region may go while a slow read is on its way into it', async function () {
    needSlowDisk(this);
    await begin({ regions: [64 * MIB, 16 * MIB], memory: 'slots' }, { wrap: slowDisk(300) });
    const { device } = session;
    const head = startRead(1, 4096);
    session.calls.getattr(ROOT);
    const began = Date.now();
    assert.equal(device.frontEnd.removeMemory(device.regions[1]), 0n);
    assert.ok(Date.now() - began > 100, 'its addresses are not given back before the read is over');
    assert.deepEqual(finishRead(head), { used: OutHeader.size, error: -14 });
    session.calls.getattr(ROOT);
    await end();
  });

  it('what needs nothing of a region that goes is neither ended nor waited for', async function () {
    needSlowDisk(this);
    await begin({ regions: [64 * MIB, 16 * MIB], memory: 'slots' }, { wrap: slowDisk(60_000) });
    const { device, calls, client } = session;
    const lock = { type: 1, start: 0n, end: 9n, pid: 1 };
    const { nodeid } = calls.lookup(ROOT, 'file');
    const { fh } = calls.open(nodeid, 2);
    calls.setlk(nodeid, fh, 1n, lock);
    const waiting = calls.startSetlkw(nodeid, fh, 2n, lock);
    const slow = client.start(Opcode.FSYNC, nodeid, [pack(FsyncIn, { fh })], { room: 0 });
    calls.getattr(ROOT);
    assert.equal(device.frontEnd.removeMemory(device.regions[1]), 0n);
    assert.ok(!client.done(slow), 'the disk goes on being slow');
    assert.ok(!client.done(waiting), 'the lock goes on waiting');
    calls.setlk(nodeid, fh, 1n, { ...lock, type: 2 });
    assert.equal(client.wait(waiting).error, 0);
    session.end();
  });

  it('the front-end may go in the middle of a slow read', async function () {
    needSlowDisk(this);
    await begin({ regions: [64 * MIB] }, { wrap: slowDisk(300) });
    startRead(0, session.device.memory[0].end - 32768);
    await end();
  });
});
