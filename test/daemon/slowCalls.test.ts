/** Slow system calls on real blocking workers: results find their jobs, and a call that waits holds up nobody else. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { BlockingWorkerData } from '../../src/daemon/blockingWorker';
import { SLOTS, SlowCallBoard, SlowCalls } from '../../src/daemon/slowCalls';
import { EPOLLIN, Epoll, close, drain, eventfd } from '../../src/native/descriptors';
import { pinnedArena } from '../../src/native/memory';
import { MissingMemory } from '../support/missingMemory';
import { need } from '../support/need';

const EBADF = 9;
const EFAULT = 14;
const WORKERS = 4;

/** One iovec for `length` bytes at an offset of `data`; its address. */
const data = pinnedArena(1 << 20);
const vectors = pinnedArena(1024);
function vector(at: number, length: number): number {
  vectors.setU64(0, data.address(at));
  vectors.setU64(8, length);
  return vectors.address(0);
}

describe('slow calls', () => {
  const doneFd = eventfd();
  const epoll = new Epoll();
  const board = new SlowCallBoard();
  const workers: Worker[] = [];
  let starts = 0;
  let calls: SlowCalls;
  let folder: string;

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'slow-'));
    epoll.add(doneFd, EPOLLIN, 0);
    calls = new SlowCalls(board, () => {
      starts++;
      const workerData: BlockingWorkerData = { board: board.block, doneFd };
      for (let index = 0; index < WORKERS; index++) {
        workers.push(new Worker(path.join(__dirname, '../../src/daemon/blockingWorker.js'), { workerData }));
      }
    });
  });

  after(async () => {
    // They wait in Atomics.wait, out of which Node can end them.
    for (const worker of workers) await worker.terminate();
    close(doneFd);
    epoll.close();
    fs.rmSync(folder, { recursive: true });
  });

  /** As the queue worker's loop, but with turns for Node, whose workers start by it. */
  async function settle(until: () => boolean): Promise<void> {
    for (const end = Date.now() + 10_000; !until();) {
      assert.ok(Date.now() < end, 'the calls come back');
      await new Promise((resolve) => setImmediate(resolve));
      if (epoll.wait(5) === 0) continue;
      drain(doneFd);
      calls.collect();
    }
  }

  const result = (make: (done: (value: number) => void) => void): Promise<number> => {
    const got: number[] = [];
    make((value) => got.push(value));
    return settle(() => got.length > 0).then(() => got[0]);
  };

  const file = (name: string, content = ''): number => {
    fs.writeFileSync(path.join(folder, name), content);
    return fs.openSync(path.join(folder, name), 'r+');
  };

  it('starts the workers at the first call', async () => {
    assert.equal(starts, 0);
    const fd = file('first');
    assert.equal(await result((done) => calls.fsync(fd, false, done)), 0);
    assert.equal(await result((done) => calls.fsync(fd, true, done)), 0);
    assert.equal(starts, 1);
    fs.closeSync(fd);
  });

  it('makes each kind of call', async () => {
    const [from, to] = [file('from', 'abcdefghij'), file('to')];
    data.u8.fill(0, 0, 64);
    assert.equal(await result((done) => calls.preadv(from, vector(0, 4), 1, 3, done)), 4);
    assert.equal(Buffer.from(data.bytes(0, 5)).toString(), 'defg\0');
    assert.equal(await result((done) => calls.pwritev2(to, vector(0, 4), 1, 2, 0, done)), 4);
    assert.equal(fs.readFileSync(path.join(folder, 'to'), 'latin1'), '\0\0defg');
    assert.equal(await result((done) => calls.pwritev2(to, vector(0, 1), 1, 0, 0x10, done)), 1, 'RWF_APPEND');
    assert.equal(fs.readFileSync(path.join(folder, 'to'), 'latin1'), '\0\0defgd');
    assert.equal(await result((done) => calls.fallocate(to, 0, 0, 100, done)), 0);
    assert.equal(fs.fstatSync(to).size, 100);
    assert.equal(await result((done) => calls.copyFileRange(from, 1, to, 50, 3, 0, done)), 3);
    assert.equal(fs.readFileSync(path.join(folder, 'to'), 'latin1').slice(50, 53), 'bcd');
    const root = fs.openSync(folder, 'r');
    assert.equal(await result((done) => calls.syncfs(root, done)), 0);
    for (const fd of [from, to, root]) assert.equal(await result((done) => calls.close(fd, done)), 0);
    assert.throws(() => fs.fstatSync(root), { code: 'EBADF' });
  });

  it('offsets and lengths beyond 4 GiB arrive whole', async () => {
    const fd = file('large');
    const far = 5 * 2 ** 30 + 3;
    data.u8.set([1, 2, 3]);
    assert.equal(await result((done) => calls.pwritev2(fd, vector(0, 3), 1, far, 0, done)), 3);
    assert.equal(fs.fstatSync(fd).size, far + 3);
    assert.equal(await result((done) => calls.preadv(fd, vector(64, 8), 1, far + 1, done)), 2);
    assert.deepEqual([...data.bytes(64, 2)], [2, 3]);
    // PUNCH_HOLE | KEEP_SIZE
    assert.equal(await result((done) => calls.fallocate(fd, 3, 4096, 5 * 2 ** 30, done)), 0);
    fs.closeSync(fd);
  });

  it('gives a failure back as a negative errno', async () => {
    assert.equal(await result((done) => calls.fsync(-1, false, done)), -EBADF);
    const fd = file('bad', 'x');
    vectors.setU64(0, 1); // an address that no process has
    vectors.setU64(8, 1);
    assert.equal(await result((done) => calls.preadv(fd, vectors.address(0), 1, 0, done)), -EFAULT);
    fs.closeSync(fd);
  });

  it('keeps the iovecs: the arena’s may be overwritten at once', async () => {
    const fd = file('kept', 'right');
    data.u8.fill(0, 0, 128);
    const got: number[] = [];
    calls.preadv(fd, vector(0, 5), 1, 0, (value) => got.push(value));
    vector(64, 5);
    await settle(() => got.length > 0);
    assert.equal(Buffer.from(data.bytes(0, 5)).toString(), 'right');
    assert.equal(data.u8[64], 0);
    fs.closeSync(fd);
  });

  it('knows which memory is in use, of those that wait for a slot too', async () => {
    const file = path.join(folder, 'used');
    fs.writeFileSync(file, 'abc');
    const fd = fs.openSync(file, 'r');
    let left = 2 * SLOTS;
    for (let i = 0; i < 2 * SLOTS; i++) calls.preadv(fd, vector(8192 + i * 16, 16), 1, 0, () => left--);
    const used = (at: number, length: number): boolean => calls.uses(data.address(at), length);
    const end = 8192 + 2 * SLOTS * 16;
    assert.deepEqual([used(0, 8192), used(0, 8193), used(8193, 1)], [false, true, true]);
    assert.deepEqual([used(end - 1, 100), used(end, 100)], [true, false]);
    await settle(() => left === 0);
    assert.ok(!used(0, 1 << 20));
    fs.closeSync(fd);
  });

  it('more jobs than slots: each gets its own result', async () => {
    const fd = file('many', String.fromCharCode(...Array.from({ length: 128 }, (_, index) => index)));
    const jobs = 4 * SLOTS;
    const results: number[] = [];
    data.u8.fill(0xff, 0, jobs);
    for (let job = 0; job < jobs; job++) {
      // Job n reads one byte, or fails.
      const target = job % 3 === 2 ? -1 : fd;
      calls.preadv(target, vector(job, 1), 1, job % 128, (value) => {
        assert.equal(results[job], undefined, 'answered once');
        results[job] = value;
      });
    }
    assert.equal(calls.inProgress, jobs);
    await settle(() => calls.inProgress === 0);
    for (let job = 0; job < jobs; job++) {
      assert.equal(results[job], job % 3 === 2 ? -EBADF : 1);
      assert.equal(data.u8[job], job % 3 === 2 ? 0xff : job % 128, `job ${job}`);
    }
    fs.closeSync(fd);
  });

  it('a job may hand in the next one when it is done', async () => {
    const fd = file('chain');
    let left = 3 * SLOTS;
    const next = (): void => {
      if (left-- > 0) calls.fsync(fd, true, next);
    };
    next();
    await settle(() => left < 0 && calls.inProgress === 0);
    fs.closeSync(fd);
  });

  it('a call that waits stops no other', async function () {
    const memory = MissingMemory.make();
    need(this, 'userfaultfd', typeof memory !== 'number', `errno ${String(memory)}`);
    const fd = file('waits', 'x'.repeat(8192));
    const waiting: number[] = [];
    for (let index = 0; index < WORKERS - 1; index++) {
      vectors.setU64(0, memory.address);
      vectors.setU64(8, 16);
      calls.preadv(fd, vectors.address(0), 1, 0, (value) => waiting.push(value));
    }
    let others = 0;
    for (let index = 0; index < 2 * SLOTS; index++) calls.fsync(fd, true, () => others++);
    await settle(() => others === 2 * SLOTS);
    assert.deepEqual([waiting, calls.inProgress], [[], WORKERS - 1], 'those still wait');
    memory.provide();
    await settle(() => calls.inProgress === 0);
    assert.deepEqual(waiting, Array<number>(WORKERS - 1).fill(16));
    memory.close();
    fs.closeSync(fd);
  });
});
