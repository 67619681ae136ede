/** fcntl and flock locks between processes. */
import assert from 'node:assert/strict';
import { type Context, fails, opened, put, test } from './case';
import { exact, type Lock, O, type Posix } from './posix';

const lock = (type: number, start: number | bigint = 0, length: number | bigint = 0): Lock => ({ type, start, length });
const READ = 0;
const WRITE = 1;
const NONE = 2;
const SH = 1;
const EX = 2;
const NB = 4;
const UN = 8;

/** One file, opened by two processes. */
async function contend(
  { fs, fork }: Context,
  work: (one: number, other: Posix, two: number) => Promise<void>,
): Promise<void> {
  await put(fs, 'a', '0123456789');
  const other = await fork();
  await opened(fs, 'a', O.RDWR, (one) => opened(other, 'a', O.RDWR, (two) => work(one, other, two)));
  await other.exit();
}

/** Whether a promise is still open after a while. */
async function waits(promise: Promise<unknown>, milliseconds = 60): Promise<boolean> {
  const timeout = new Promise((resolve) => setTimeout(resolve, milliseconds, 'waiting'));
  return (await Promise.race([promise.then(() => 'done'), timeout])) === 'waiting';
}

export const locks = [
  test(
    'a write lock keeps others out',
    async (context) =>
      contend(context, async (one, other, two) => {
        await context.fs.setLock(one, lock(WRITE));
        await fails('EAGAIN', other.setLock(two, lock(WRITE)));
        await fails('EAGAIN', other.setLock(two, lock(READ)));
        await context.fs.setLock(one, lock(NONE));
        await other.setLock(two, lock(WRITE));
      }),
    'posixLocks',
  ),
  test(
    'read locks are shared',
    async (context) =>
      contend(context, async (one, other, two) => {
        await context.fs.setLock(one, lock(READ));
        await other.setLock(two, lock(READ));
        await fails('EAGAIN', other.setLock(two, lock(WRITE)));
      }),
    'posixLocks',
  ),
  test(
    'ranges that do not touch do not hinder',
    async (context) =>
      contend(context, async (one, other, two) => {
        await context.fs.setLock(one, lock(WRITE, 0, 4));
        await other.setLock(two, lock(WRITE, 4, 4));
        await fails('EAGAIN', other.setLock(two, lock(WRITE, 3, 1)));
        await fails('EAGAIN', context.fs.setLock(one, lock(WRITE, 7, 1)));
      }),
    'posixLocks',
  ),
  test(
    'unlocking the middle leaves the ends',
    async (context) =>
      contend(context, async (one, other, two) => {
        await context.fs.setLock(one, lock(WRITE, 0, 10));
        await context.fs.setLock(one, lock(NONE, 4, 2));
        await other.setLock(two, lock(WRITE, 4, 2));
        await fails('EAGAIN', other.setLock(two, lock(WRITE, 3, 1)));
        await fails('EAGAIN', other.setLock(two, lock(WRITE, 6, 1)));
      }),
    'posixLocks',
  ),
  test(
    'a lock to the end of the file reaches what is not there yet',
    async (context) =>
      contend(context, async (one, other, two) => {
        await context.fs.setLock(one, lock(WRITE, 5, 0));
        await fails('EAGAIN', other.setLock(two, lock(WRITE, 1_000_000, 1)));
        await other.setLock(two, lock(WRITE, 0, 5));
      }),
    'posixLocks',
  ),
  test(
    'a process does not stand in its own way',
    async (context) =>
      contend(context, async (one) => {
        await context.fs.setLock(one, lock(WRITE));
        await opened(context.fs, 'a', O.RDWR, (again) => context.fs.setLock(again, lock(WRITE)));
      }),
    'posixLocks',
  ),
  test(
    'a lock can be made weaker and stronger',
    async (context) =>
      contend(context, async (one, other, two) => {
        await context.fs.setLock(one, lock(WRITE));
        await context.fs.setLock(one, lock(READ));
        await other.setLock(two, lock(READ));
        await fails('EAGAIN', context.fs.setLock(one, lock(WRITE)));
        await other.setLock(two, lock(NONE));
        await context.fs.setLock(one, lock(WRITE));
      }),
    'posixLocks',
  ),
  test(
    'F_GETLK shows the lock in the way',
    async (context) =>
      contend(context, async (one, other, two) => {
        await context.fs.setLock(one, lock(WRITE, 2, 3));
        assert.deepEqual(await other.getLock(two, lock(WRITE, 0, 0)), lock(WRITE, 2, 3));
        assert.equal((await other.getLock(two, lock(WRITE, 5, 0))).type, NONE);
        assert.equal((await context.fs.getLock(one, lock(WRITE))).type, NONE);
      }),
    'posixLocks',
  ),
  test(
    'locks of one type that touch are one, of two types are not',
    async (context) =>
      contend(context, async (one, other, two) => {
        for (const start of [4, 0, 2]) await context.fs.setLock(one, lock(READ, start, 2));
        await context.fs.setLock(one, lock(WRITE, 6, 2));
        assert.deepEqual(await other.getLock(two, lock(WRITE, 1, 9)), lock(READ, 0, 6));
        await context.fs.setLock(one, lock(WRITE, 2, 2));
        assert.deepEqual(await other.getLock(two, lock(WRITE, 1, 3)), lock(READ, 0, 2));
        assert.deepEqual(await other.getLock(two, lock(READ, 1, 3)), lock(WRITE, 2, 2));
        await context.fs.setLock(one, lock(READ, 2, 2));
        assert.deepEqual(await other.getLock(two, lock(WRITE, 1, 9)), lock(READ, 0, 6));
      }),
    'posixLocks',
  ),
  test(
    'closing any descriptor of the file drops the locks',
    async (context) =>
      contend(context, async (one, other, two) => {
        await context.fs.setLock(one, lock(WRITE));
        await opened(context.fs, 'a', O.RDONLY, async () => undefined);
        await other.setLock(two, lock(WRITE));
      }),
    'posixLocks',
  ),
  test(
    'a process that ends drops its locks',
    async ({ fs, fork }) => {
      await put(fs, 'a');
      const other = await fork();
      await other.setLock(await other.open('a', O.RDWR), lock(WRITE));
      await opened(fs, 'a', O.RDWR, async (fd) => {
        await fails('EAGAIN', fs.setLock(fd, lock(WRITE)));
        await other.exit();
        await fs.setLock(fd, lock(WRITE), true);
      });
    },
    'posixLocks',
  ),
  test(
    'F_SETLKW waits until the lock is free',
    async (context) =>
      contend(context, async (one, other, two) => {
        await context.fs.setLock(one, lock(WRITE));
        const waiting = other.setLock(two, lock(WRITE), true);
        assert.ok(await waits(waiting), 'the lock is held');
        await context.fs.pwrite(one, Buffer.from('x'), 0);
        await context.fs.setLock(one, lock(NONE));
        await waiting;
        await fails('EAGAIN', context.fs.setLock(one, lock(READ)));
      }),
    'posixLocks',
  ),
  test(
    'one that waits does not hinder the others',
    async (context) =>
      contend(context, async (one, other, two) => {
        await context.fs.setLock(one, lock(WRITE, 0, 1));
        const waiting = other.setLock(two, lock(WRITE, 0, 1), true);
        assert.ok(await waits(waiting), 'the lock is held');
        for (let i = 0; i < 50; i++) await put(context.fs, `b${i}`, 'work goes on');
        await context.fs.setLock(one, lock(WRITE, 5, 1));
        await context.fs.setLock(one, lock(NONE, 0, 1));
        await waiting;
      }),
    'posixLocks',
  ),
  test(
    'locks need a descriptor that fits',
    async ({ fs }) => {
      await put(fs, 'a');
      await opened(fs, 'a', O.RDONLY, async (fd) => {
        await fails('EBADF', fs.setLock(fd, lock(WRITE)));
        await fs.setLock(fd, lock(READ));
      });
    },
    'posixLocks',
  ),
  test(
    'a write lock through another descriptor leaves the read locks of the process as they are',
    async (context) =>
      contend(context, async (one, other, two) => {
        const { fs } = context;
        const reading = await fs.open('a', O.RDONLY);
        await fs.setLock(reading, lock(READ, 0, 10));
        await fs.setLock(reading, lock(NONE, 4, 2));
        await other.setLock(two, lock(READ, 8, 1));
        // Refused: and what was locked is so still.
        await fails('EAGAIN', fs.setLock(one, lock(WRITE, 0, 0)));
        for (const start of [0, 3, 6, 9]) await fails('EAGAIN', other.setLock(two, lock(WRITE, start, 1)));
        await other.setLock(two, lock(WRITE, 4, 2));
        await other.setLock(two, lock(NONE, 0, 0));
        await fs.setLock(one, lock(WRITE, 2, 1));
        await fails('EAGAIN', other.setLock(two, lock(READ, 2, 1)));
        await other.setLock(two, lock(READ, 0, 2));
        await fails('EAGAIN', other.setLock(two, lock(WRITE, 9, 1)));
        await fs.setLock(reading, lock(NONE, 0, 0));
        await other.setLock(two, lock(WRITE, 0, 0));
      }),
    'posixLocks',
  ),
  test(
    'locks up to the last place that a file can have, exact to the byte',
    async (context) =>
      contend(context, async (one, other, two) => {
        const { fs } = context;
        const last = 2n ** 63n - 1n;
        for (const start of [2n ** 32n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 62n + 5n, last - 2n]) {
          await fs.setLock(one, lock(WRITE, start, 2));
          await other.setLock(two, lock(WRITE, start - 1n, 1));
          await other.setLock(two, lock(WRITE, start + 2n, 1));
          await fails('EAGAIN', other.setLock(two, lock(READ, start, 1)));
          await fails('EAGAIN', other.setLock(two, lock(READ, start + 1n, 1)));
          assert.deepEqual(await other.getLock(two, lock(WRITE, start, 0)), lock(WRITE, exact(start), 2));
          await fs.setLock(one, lock(NONE, start + 1n, 1));
          await other.setLock(two, lock(WRITE, start + 1n, 0));
          assert.deepEqual(await fs.getLock(one, lock(WRITE, start + 2n, 1)), lock(WRITE, exact(start + 1n), 0));
          await fs.setLock(one, lock(NONE));
          await other.setLock(two, lock(NONE));
        }
        await fs.setLock(one, lock(WRITE, 0, last));
        await other.setLock(two, lock(WRITE, last, 1));
      }),
    'posixLocks',
  ),
  test(
    'flock keeps others out',
    async (context) =>
      contend(context, async (one, other, two) => {
        await context.fs.flock(one, EX);
        await fails('EAGAIN', other.flock(two, EX | NB));
        await fails('EAGAIN', other.flock(two, SH | NB));
        await context.fs.flock(one, UN);
        await other.flock(two, EX | NB);
      }),
    'flock',
  ),
  test(
    'shared flocks',
    async (context) =>
      contend(context, async (one, other, two) => {
        await context.fs.flock(one, SH);
        await other.flock(two, SH | NB);
        await fails('EAGAIN', other.flock(two, EX | NB));
      }),
    'flock',
  ),
  test(
    'flock belongs to the open file, not to the process',
    async ({ fs }) => {
      await put(fs, 'a');
      await opened(fs, 'a', O.RDWR, (one) =>
        opened(fs, 'a', O.RDWR, async (two) => {
          await fs.flock(one, EX);
          await fails('EAGAIN', fs.flock(two, EX | NB));
        }),
      );
    },
    'flock',
  ),
  test(
    'flock of a read-only descriptor can be exclusive',
    async ({ fs }) => {
      await put(fs, 'a');
      await opened(fs, 'a', O.RDONLY, (fd) => fs.flock(fd, EX | NB));
    },
    'flock',
  ),
  test(
    'closing drops the flock',
    async (context) =>
      contend(context, async (_one, other, two) => {
        const fd = await context.fs.open('a', O.RDWR);
        await context.fs.flock(fd, EX);
        await fails('EAGAIN', other.flock(two, EX | NB));
        await context.fs.close(fd);
        await other.flock(two, EX);
      }),
    'flock',
  ),
  test(
    'flock waits until the lock is free',
    async (context) =>
      contend(context, async (one, other, two) => {
        await context.fs.flock(one, EX);
        const waiting = other.flock(two, EX);
        assert.ok(await waits(waiting), 'the lock is held');
        await context.fs.flock(one, UN);
        await waiting;
        await fails('EAGAIN', context.fs.flock(one, SH | NB));
      }),
    'flock',
  ),
  test(
    'fcntl locks and flocks do not see each other',
    async (context) =>
      contend(context, async (one, other, two) => {
        await context.fs.setLock(one, lock(WRITE));
        await other.flock(two, EX | NB);
      }),
    'posixLocks',
    'flock',
  ),
];
