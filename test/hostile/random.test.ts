/**
 * Anything at all: random bytes as requests, good requests with some of their bytes changed, and a guest that changes a
 * request while it is being served. On real files; the seed is in the name of each test and the number of requests is
 * fixed, so that a failure can be had again.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Worker } from 'node:worker_threads';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import * as wire from '../../src/protocol/fuse/structs';
import { pack } from '../driver/pack';
import { anyBytes, mutated, shaped } from './anyRequest';
import { Barrage, DAEMON_ARGUMENTS, DEVICE, MEMORY, QUEUE } from './barrage';
import { Cell, INSIDE, ROOT, type Victim, needCell } from './cell';
import type { FlipperData } from './flipper';
import { type Known, request } from './goodRequests';
import { until } from './patience';

const SEED = 35517;
const O_RDWR = 2;

/** A small file system of its own: what is made or allocated at random takes no space of the machine's. */
const SMALL = { tmpfs: '8m,nr_inodes=2000' };

function rough(name: string, options: readonly string[], share: number): void {
  describe(name, () => {
    let cell: Cell;
    let victim: Victim;
    let barrage: Barrage;

    before(async function () {
      needCell(this);
      cell = new Cell(SMALL);
      victim = await cell.attack({ arguments: [...DAEMON_ARGUMENTS, '--writeback', ...options], device: DEVICE });
      barrage = new Barrage(victim, begin);
    });
    after(() => cell?.close());

    /** What the share has in it may well be gone: that is the guest's to remove. */
    function begin(): Known {
      for (const one of fs.readdirSync(cell.inside(''))) fs.rmSync(cell.inside(one), { force: true, recursive: true });
      fs.writeFileSync(cell.inside('inside'), INSIDE);
      const { calls } = victim;
      calls.init();
      cell.checkHealth(victim);
      const file = calls.create(ROOT, 'file', O_RDWR, 0o644);
      const folder = calls.mkdir(ROOT, 'folder').nodeid;
      return { file: file.nodeid, fh: file.fh, folder, folderHandle: calls.opendir(ROOT).fh };
    }

    it(`bytes (seed ${SEED})`, () => barrage.run(() => anyBytes, SEED, 8 * share));

    it(`requests of the right shape with any numbers and names (seed ${SEED + 100})`, async () => {
      await barrage.run(shaped, SEED + 100, 24 * share);
      assert.ok(barrage.succeeded > 100 * share, `${barrage.succeeded} were done`);
    });

    it(`good requests with some bytes changed (seed ${SEED + 200})`, async () => {
      await barrage.run(mutated, SEED + 200, 32 * share);
      assert.ok(barrage.succeeded > 1000 * share, `${barrage.succeeded} were done`);
    });
  });
}

rough('anything at all', [], 1);
// Decoding and printing is done by other code, which must not stumble either.
rough('anything at all, printed as it comes', ['--log-level', 'debug'], 0.25);

describe('anything at all, to a read-only share', () => {
  let cell: Cell;

  before(function () {
    needCell(this);
    cell = new Cell();
  });
  after(() => cell?.close());

  /** Everything in the share but the times of reading. */
  const listing = (): string =>
    execFileSync('find', ['.', '-printf', '%p %y %m %n %U %G %s %T@ %C@ %l\n'], { cwd: cell.share, encoding: 'utf8' });

  it(`changes nothing (seed ${SEED + 300})`, async () => {
    fs.writeFileSync(path.join(cell.share, 'file'), 'x'.repeat(5000));
    fs.mkdirSync(path.join(cell.share, 'folder'));
    fs.symlinkSync('file', path.join(cell.share, 'link'));
    for (const name of ['node', 'made', 'new']) fs.writeFileSync(path.join(cell.share, name), name);
    const before = listing();
    const victim = await cell.attack({ arguments: [...DAEMON_ARGUMENTS, '--readonly'], device: DEVICE });
    const { calls } = victim;
    const barrage = new Barrage(victim, () => {
      calls.init();
      cell.checkHealth(victim);
      const file = calls.lookup(ROOT, 'file').nodeid;
      const folder = calls.lookup(ROOT, 'folder').nodeid;
      return { file, fh: calls.open(file, 0).fh, folder, folderHandle: calls.opendir(ROOT).fh };
    });
    await barrage.run(mutated, SEED + 300, 16);
    await barrage.run(shaped, SEED + 400, 8);
    assert.equal(listing(), before);
  });
});

describe('a request that another processor changes while it is served', () => {
  let cell: Cell;

  before(function () {
    needCell(this);
    cell = new Cell(SMALL);
  });
  after(() => cell?.close());

  for (const indirect of [false, true]) {
    const how = indirect ? 'by an indirect table' : 'by descriptors of the ring';
    it(`is served as one or the other, or stops its queue: ${how}`, () => flipped(indirect));
  }

  async function flipped(indirect: boolean): Promise<void> {
    const victim = await cell.attack({ arguments: DAEMON_ARGUMENTS, device: DEVICE });
    fs.writeFileSync(cell.inside('inside'), INSIDE);
    const { device, calls } = victim;
    const { arena } = device.memory[0];
    const ring = device.ring(QUEUE);
    const at = MEMORY - 65536;
    const file = calls.create(ROOT, `file${indirect}`, O_RDWR, 0o644);
    const args = pack(wire.WriteIn, { fh: file.fh, size: 64 });
    arena.u8.set(request(Opcode.WRITE, file.nodeid, args, new Uint8Array(64)), at);
    const length = wire.InHeader.size + args.length + 64;
    const table = at + 8192;
    if (indirect) {
      ring.rawEntry(table, at, length, 1, 1);
      ring.rawEntry(table + 16, at + 4096, 128, 2, 0);
      ring.setDescriptor(0, table, 32, 4, 0);
    } else {
      ring.setDescriptor(0, at, length, 1, 1);
      ring.setDescriptor(1, at + 4096, 128, 2, 0);
    }
    // The length, the opcode, the size of the data, and a descriptor's address, length, flags and successor.
    const descriptor = indirect ? table : ring.descriptors;
    const flips = [at, at + 4, at + 40 + wire.WriteIn.offset.size, descriptor, descriptor + 8, descriptor + 12];
    const workerData: FlipperData = { address: arena.base, flips, milliseconds: 1500 };
    const other = new Worker(path.join(__dirname, 'flipper.js'), { workerData });
    const ended = new Promise<void>((resolve) => other.once('exit', () => resolve()));
    let served = 0;
    let stopped = false;
    try {
      for (const end = Date.now() + 1200; Date.now() < end && !stopped;) {
        for (let i = 0; i < 64; i++) ring.offer(0);
        ring.publish();
        device.kick(QUEUE);
        let back = 0;
        await until('them to be served, or the queue to be stopped', () => {
          while (ring.take() >= 0) back++;
          return back === 64 || (stopped = victim.daemon.log().includes(`queue ${QUEUE} is stopped`));
        });
        served += back;
      }
    } finally {
      // It writes into memory that goes with the daemon.
      await ended;
    }
    assert.ok(served > 0);
    device.startQueue(QUEUE, device.stopQueue(QUEUE));
    cell.checkHealth(victim);
  }
});
