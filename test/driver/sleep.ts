/**
 * Sleeping until the daemon calls, for benchmarks: one blocking read of the call's eventfd and nothing else.
 *
 * The sleeper stands in the eventfd's own wait queue, as KVM's irqfd does. An epoll between them costs a quarter of a
 * microsecond at each call, on the daemon's side as well, which a guest does not cost it. A blocking read has no limit
 * in time, so a thread looks now and then whether a sleep has lasted too long, and ends it.
 */
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { INT, LONG, declare, failure } from '../../src/native/libc';
import { pinnedArena } from '../../src/native/memory';
import { Errno } from '../../src/protocol/errno';
import { setBlocking } from './host';

/** Milliseconds between two looks. */
const PATIENCE = 10_000;
/** What the watching thread adds: more than a daemon ever does. */
const TOO_LONG = 2 ** 40;

const FD = 0;
const SLEEPS = 1;
const AWAKE = -1;

const read = declare('read', INT, [INT, LONG, LONG]);
const write = declare('write', INT, [INT, LONG, LONG]);
const word = pinnedArena(64);
const wordAddress = word.address(0);

/** The descriptor slept on, and the number of sleeps so far. */
let state: Int32Array | undefined;

interface Watch {
  readonly sleeps: Int32Array;
  readonly patience: number;
}

/** Ends each sleep after one to two times `patience` milliseconds. */
export function watchSleeps(patience: number): Int32Array {
  const sleeps = new Int32Array(new SharedArrayBuffer(8));
  sleeps[FD] = AWAKE;
  const watchOfSleeps: Watch = { sleeps, patience };
  new Worker(__filename, { workerData: { watchOfSleeps } }).unref();
  return (state = sleeps);
}

/** Sleeps until `fd`, an eventfd, has been signalled; how often it was. Throws when that takes too long. */
export function sleepOn(fd: number): number {
  state ??= watchSleeps(PATIENCE);
  state[SLEEPS]++;
  state[FD] = fd;
  while (read(fd, wordAddress, 8) !== 8) {
    const error = failure();
    // The daemon has made it non-blocking, for both of us: a call must not make it wait.
    if (error !== -Errno.EAGAIN) throw new Error(`read: errno ${-error}`);
    setBlocking(fd);
  }
  state[FD] = AWAKE;
  const times = word.getU64(0);
  if (times >= TOO_LONG) throw new Error('the daemon does not answer');
  return times;
}

function watch({ sleeps, patience }: Watch): void {
  word.setU64(0, TOO_LONG);
  let before = -1;
  setInterval(() => {
    const count = Atomics.load(sleeps, SLEEPS);
    const fd = Atomics.load(sleeps, FD);
    if (fd !== AWAKE && count === before) write(fd, wordAddress, 8);
    before = count;
  }, patience);
}

const { watchOfSleeps } = (workerData ?? {}) as { readonly watchOfSleeps?: Watch };
if (!isMainThread && watchOfSleeps) watch(watchOfSleeps);
