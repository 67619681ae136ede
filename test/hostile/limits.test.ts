/**
 * What the host runs out of: descriptors and space. The guest gets the errno, and all goes on when there is some again.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { WriteFlag } from '../../src/protocol/fuse/flags';
import { FuseError } from '../driver/fuseCalls';
import { eventfd, close } from '../driver/host';
import { Request } from '../../src/protocol/vhostUser/requests';
import { Cell, ROOT, type Victim, needCell } from './cell';

const O_RDWR = 2;
const MANY = 600;

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof FuseError) return error.code;
    throw error;
  }
  return '';
}

describe('a guest that holds as many inodes as it can', () => {
  let cell: Cell;
  let victim: Victim;

  before(async function () {
    needCell(this);
    cell = new Cell();
    for (let i = 0; i < MANY; i++) fs.writeFileSync(`${cell.share}/file${i}`, '');
    victim = await cell.attack({ arguments: ['--rlimit-nofile', '300'] });
  });
  after(() => cell?.close());

  /** Looks files up and uses them, which is what takes a descriptor of each, until that is refused. */
  function takeAll(): bigint[] {
    const { calls } = victim;
    const held: bigint[] = [];
    for (let i = 0; i < MANY; i++) {
      const { nodeid } = calls.lookup(ROOT, `file${i}`);
      const code = codeOf(() => calls.getattr(nodeid));
      if (code === '') {
        held.push(nodeid);
        continue;
      }
      assert.equal(code, 'EMFILE');
      calls.forget(nodeid);
      return held;
    }
    throw new Error('there was room for all');
  }

  it('gets EMFILE, keeps what it has, and goes on after FORGET', () => {
    const { calls } = victim;
    for (let round = 0; round < 3; round++) {
      const held = takeAll();
      assert.ok(held.length > 50, `${held.length} inodes`);
      assert.equal(
        codeOf(() => calls.mkdir(ROOT, 'new')),
        'EMFILE',
      );
      assert.ok(!fs.existsSync(`${cell.share}/new`), 'nothing was made that cannot be told of');
      // Known inodes stay usable: they can be looked up again, asked about and opened.
      assert.equal(calls.lookup(ROOT, 'file0').nodeid, held[0]);
      assert.equal(calls.getattr(held[0]).nlink, 1);
      const file = calls.open(held[0], O_RDWR);
      calls.write(held[0], file.fh, 0, Buffer.from('still'));
      calls.release(held[0], file.fh);
      calls.forget(held[0]);
      for (const nodeid of held) calls.forget(nodeid);
      cell.checkHealth(victim);
    }
  });

  it('opens one file until that is refused', () => {
    const { calls } = victim;
    const { nodeid } = calls.lookup(ROOT, 'file1');
    const handles: bigint[] = [];
    while (codeOf(() => handles.push(calls.open(nodeid, O_RDWR).fh)) === '');
    assert.ok(handles.length > 50 && handles.length < 300, `${handles.length} handles`);
    for (const attempt of [
      () => calls.open(nodeid, O_RDWR),
      () => calls.opendir(ROOT),
      () => calls.create(ROOT, 'new', O_RDWR, 0o644),
      () => calls.setlk(nodeid, handles[0], 1n, { type: 1, start: 0n, end: 9n, pid: 1 }),
    ]) {
      assert.equal(codeOf(attempt), 'EMFILE');
    }
    // Needs one only until it is over, which is kept for such.
    calls.syncfs(ROOT);
    handles.forEach((fh) => calls.release(nodeid, fh));
    calls.forget(nodeid);
    cell.checkHealth(victim);
  });

  it('takes locks until that is refused', () => {
    const { calls } = victim;
    const { nodeid } = calls.lookup(ROOT, 'file2');
    const { fh } = calls.open(nodeid, O_RDWR);
    const lock = (owner: number): void =>
      calls.setlk(nodeid, fh, BigInt(owner), { type: 0, start: BigInt(owner), end: BigInt(owner), pid: owner });
    let owner = 1;
    while (codeOf(() => lock(owner)) === '') owner++;
    assert.ok(owner > 50 && owner < 300, `${owner} owners`);
    calls.release(nodeid, fh);
    calls.forget(nodeid);
    cell.checkHealth(victim);
  });

  it('takes ranges of one lock owner until that is refused', () => {
    const { calls } = victim;
    const { nodeid } = calls.lookup(ROOT, 'file2');
    const { fh } = calls.open(nodeid, O_RDWR);
    const lock = (place: number): void =>
      calls.setlk(nodeid, fh, 1n, { type: 0, start: BigInt(place), end: BigInt(place), pid: 1 });
    for (let taken = 0; taken < 4096; taken++) lock(2 * taken);
    assert.equal(
      codeOf(() => lock(10_000)),
      'ENOLCK',
    );
    calls.release(nodeid, fh);
    calls.forget(nodeid);
    cell.checkHealth(victim);
  });

  it('cannot keep the front-end from being heard', () => {
    const held = takeAll();
    const { device, calls } = victim;
    assert.equal(device.frontEnd.setMemoryTable(device.regions), 0n);
    device.startQueue(0, device.stopQueue(0));
    const fd = eventfd();
    assert.equal(device.frontEnd.setRingDescriptor(Request.SET_VRING_ERR, 1, fd), 0n);
    close(fd);
    // A slow call needs threads, which need descriptors of their own.
    const file = calls.open(held[0], O_RDWR);
    calls.fsync(held[0], file.fh, false);
    calls.release(held[0], file.fh);
    for (const nodeid of held) calls.forget(nodeid);
    cell.checkHealth(victim);
  });
});

describe('a host without space', () => {
  let cell: Cell;
  let victim: Victim;

  before(async function () {
    needCell(this);
    cell = new Cell({ tmpfs: '4m,nr_inodes=64' });
    victim = await cell.attack();
    fs.writeFileSync(cell.inside('inside'), 'what the guest may see');
  });
  after(() => cell?.close());
  afterEach(() => cell.checkHealth(victim));

  it('a write says ENOSPC, or how much there was room for; and goes on when there is some', () => {
    const { calls } = victim;
    const made = calls.create(ROOT, 'big', O_RDWR, 0o644);
    const piece = new Uint8Array(1 << 20).fill(7);
    let written = 0;
    let code = '';
    while (code === '' && written < 8 << 20) {
      code = codeOf(() => (written += calls.write(made.nodeid, made.fh, written, piece)));
    }
    assert.equal(code, 'ENOSPC');
    assert.equal(calls.getattr(made.nodeid).size, written, 'what was said to be written is there');
    const full = calls.statfs(ROOT);
    assert.deepEqual([full.number('bfree'), full.number('bavail')], [0, 0]);
    assert.ok(full.number('blocks') * full.number('frsize') === 4 << 20 && full.number('ffree') > 0);
    assert.equal(
      codeOf(() => calls.fallocate(made.nodeid, made.fh, 0, 0, 64 << 20)),
      'ENOSPC',
    );
    assert.equal(
      codeOf(() => calls.fallocate(made.nodeid, made.fh, 0, 0, 2 ** 52)),
      'ENOSPC',
    );
    calls.setattr(made.nodeid, { valid: 8, size: 0 });
    assert.ok(calls.statfs(ROOT).number('bavail') * full.number('frsize') >= piece.length);
    assert.equal(calls.write(made.nodeid, made.fh, 0, piece), piece.length);
    calls.release(made.nodeid, made.fh);
    calls.unlink(ROOT, 'big');
    calls.forget(made.nodeid);
  });

  it('pages that a kernel writes back are all there, or ENOSPC: it would take a short count for success', () => {
    const { calls } = victim;
    const made = calls.create(ROOT, 'mapped', O_RDWR, 0o644);
    const piece = new Uint8Array(1 << 20).fill(7);
    const writeBack = (at: number): number => calls.write(made.nodeid, made.fh, at, piece, WriteFlag.CACHE);
    assert.equal(writeBack(0), piece.length);
    assert.equal(writeBack(1 << 20), piece.length);
    assert.equal(writeBack(2 << 20), piece.length);
    // Room is left for some of one more.
    assert.equal(calls.write(made.nodeid, made.fh, 4 << 20, piece.subarray(0, 65536)), 65536);
    assert.equal(
      codeOf(() => writeBack(3 << 20)),
      'ENOSPC',
    );
    calls.setattr(made.nodeid, { valid: 8, size: 0 });
    assert.equal(writeBack(3 << 20), piece.length);
    calls.release(made.nodeid, made.fh);
    calls.unlink(ROOT, 'mapped');
    calls.forget(made.nodeid);
  });

  it('new inodes say ENOSPC', () => {
    const { calls } = victim;
    let count = 0;
    while (count < 200 && codeOf(() => calls.forget(calls.mkdir(ROOT, `d${count}`).nodeid)) === '') count++;
    assert.ok(count < 200);
    for (const attempt of [
      () => calls.mkdir(ROOT, 'new'),
      () => calls.create(ROOT, 'new', O_RDWR, 0o644),
      () => calls.mknod(ROOT, 'new', 0o100644),
      () => calls.symlink(ROOT, 'new', 'target'),
      () => calls.tmpfile(ROOT, O_RDWR, 0o644),
    ]) {
      assert.equal(codeOf(attempt), 'ENOSPC');
    }
    for (let i = 0; i < count; i++) calls.rmdir(ROOT, `d${i}`);
  });
});

describe('a host that limits the size of files', () => {
  let cell: Cell;

  before(function () {
    needCell(this);
    cell = new Cell();
  });
  after(() => cell?.close());

  it('the guest gets EFBIG; the signal that comes with it does not end the daemon', async () => {
    const victim = await cell.attack({ wrap: ['prlimit', '--fsize=1000000'] });
    const { calls } = victim;
    const made = calls.create(ROOT, 'big', O_RDWR, 0o644);
    assert.equal(
      codeOf(() => calls.write(made.nodeid, made.fh, 2_000_000, Buffer.from('x'))),
      'EFBIG',
    );
    assert.equal(
      codeOf(() => calls.setattr(made.nodeid, { valid: 8, size: 3_000_000 })),
      'EFBIG',
    );
    assert.equal(
      codeOf(() => calls.fallocate(made.nodeid, made.fh, 0, 0, 3_000_000)),
      'EFBIG',
    );
    calls.release(made.nodeid, made.fh);
    cell.checkHealth(victim);
  });
});
