/** Limits and the end of this process, where Node has no way or too slow a one. */
import { INT, LONG, checked, declare } from './libc';
import { pinnedArena } from './memory';

const getrlimit = declare('getrlimit', INT, [INT, LONG]);
const setrlimit = declare('setrlimit', INT, [INT, LONG]);
const prctl = declare('prctl', INT, [INT, LONG, LONG, LONG, LONG]);
const sched_setaffinity = declare('sched_setaffinity', INT, [INT, LONG, LONG]);
const exitNow = declare('_exit', 'void', [INT]);

const RLIMIT_NOFILE = 7;
const PR_SET_NAME = 15;
/** With its NUL. */
const LONGEST_NAME = 16;

/** Lets another thread that waits for this CPU run first; returns at once when there is none. */
export const yieldCpu: () => void = declare('sched_yield', INT, []);

const scratch = pinnedArena(64);

/**
 * Raises (or lowers) the number of descriptors this process may have; what it is then. Only root passes the hard limit.
 */
export function limitDescriptors(wanted: number): number {
  const limit = scratch.address(0);
  checked('getrlimit', getrlimit(RLIMIT_NOFILE, limit));
  const hard = scratch.getU64(8);
  scratch.setU64(0, wanted);
  scratch.setU64(8, Math.max(wanted, hard));
  if (setrlimit(RLIMIT_NOFILE, limit) < 0) {
    scratch.setU64(0, Math.min(wanted, hard));
    scratch.setU64(8, hard);
    checked('setrlimit', setrlimit(RLIMIT_NOFILE, limit));
  }
  checked('getrlimit', getrlimit(RLIMIT_NOFILE, limit));
  return scratch.getU64(0);
}

/** The limit as it stands. */
export function descriptorLimit(): number {
  checked('getrlimit', getrlimit(RLIMIT_NOFILE, scratch.address(0)));
  return scratch.getU64(0);
}

/** Gives the calling thread a name of up to 15 bytes, for top, ps and perf. */
export function nameThread(name: string): void {
  const bytes = new TextEncoder().encode(name).subarray(0, LONGEST_NAME - 1);
  scratch.zero(0, LONGEST_NAME);
  scratch.u8.set(bytes);
  checked('prctl', prctl(PR_SET_NAME, scratch.address(0), 0, 0, 0));
}

/** CPUs that a mask here can name. */
const MASK_BYTES = 64;

/** Keeps the calling thread on one CPU. False where there is no such CPU, or it is not this process's to use. */
export function stayOn(cpu: number): boolean {
  if (cpu >= MASK_BYTES * 8) return false;
  scratch.zero(0, MASK_BYTES);
  scratch.u8[cpu >> 3] = 1 << (cpu & 7);
  return sched_setaffinity(0, MASK_BYTES, scratch.address(0)) === 0;
}

/**
 * Ends the process at once. `process.exit` waits for worker threads, and one that is inside of a system call (an fsync
 * of a dead disk) is never done.
 */
export function leave(status: number): never {
  exitNow(status);
  throw new Error('unreachable');
}
