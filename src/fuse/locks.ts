/** Locks: GETLK, SETLK, SETLKW (fcntl and flock), and INTERRUPT, which ends a wait for one, and for a lease. */
import type { Lock } from '../fs/fileSystem';
import { isTurned, LAST_HIGH, LAST_LOW } from '../fs/lockRange';
import { Errno } from '../protocol/errno';
import { LkFlag, LockType } from '../protocol/fuse/flags';
import { FileLock, InterruptIn, LkIn, LkOut } from '../protocol/fuse/structs';
import { OUT_HEADER, type Turn } from './turn';

const lkIn = LkIn.offset;
const fileLock = FileLock.offset;

const lock: Lock = {
  type: 0,
  startLow: 0,
  startHigh: 0,
  endLow: 0,
  endHigh: 0,
  pid: 0,
  ownerLow: 0,
  ownerHigh: 0,
};

/** Reads the lock of the arguments; 0 or a negative errno. */
function readLock(turn: Turn): number {
  const { arena, args } = turn;
  const at = args + lkIn.lk;
  lock.type = arena.getU32(at + fileLock.type);
  lock.startLow = arena.getU32(at + fileLock.start);
  lock.startHigh = arena.getU32(at + fileLock.start + 4);
  lock.endLow = arena.getU32(at + fileLock.end);
  lock.endHigh = arena.getU32(at + fileLock.end + 4);
  lock.pid = arena.getU32(at + fileLock.pid);
  lock.ownerLow = arena.getU32(args + lkIn.owner);
  lock.ownerHigh = arena.getU32(args + lkIn.owner + 4);
  if (lock.type > LockType.UNLCK) return -Errno.EINVAL;
  if (lock.startHigh > LAST_HIGH) return -Errno.EOVERFLOW;
  if (lock.endHigh > LAST_HIGH) {
    lock.endLow = LAST_LOW;
    lock.endHigh = LAST_HIGH;
  }
  return isTurned(lock) ? -Errno.EINVAL : 0;
}

export function getlk(turn: Turn): number {
  const { arena, args, body } = turn;
  const handle = turn.handleAt(args + lkIn.fh, turn.node);
  if (handle < 0) return turn.fail(handle);
  const bad = readLock(turn);
  if (bad < 0) return turn.refuse(bad, 'GETLK: no lock of any file');
  const failed = turn.fs.getlk(handle, lock);
  if (failed < 0) return turn.fail(failed);
  const at = body + LkOut.offset.lk;
  arena.setU32(at + fileLock.start, lock.startLow);
  arena.setU32(at + fileLock.start + 4, lock.startHigh);
  arena.setU32(at + fileLock.end, lock.endLow);
  arena.setU32(at + fileLock.end + 4, lock.endHigh);
  arena.setU32(at + fileLock.type, lock.type);
  arena.setU32(at + fileLock.pid, lock.pid);
  return turn.send(LkOut.size);
}

export function setlk(turn: Turn): number {
  return take(turn, false);
}

export function setlkw(turn: Turn): number {
  return take(turn, true);
}

function take(turn: Turn, wait: boolean): number {
  const { arena, args, fs, caller } = turn;
  const handle = turn.handleAt(args + lkIn.fh, turn.node);
  if (handle < 0) return turn.fail(handle);
  const bad = readLock(turn);
  if (bad < 0) return turn.refuse(bad, 'SETLK: no lock of any file');
  const isFlock = (arena.getU32(args + lkIn.lk_flags) & LkFlag.FLOCK) !== 0;
  return turn.acknowledge(isFlock ? fs.flock(handle, lock.type, wait, caller) : fs.setlk(handle, lock, wait, caller));
}

/**
 * INTERRUPT. One that did its work has no reply of its own: the other request ends with EINTR. EAGAIN tells the kernel
 * to ask again, for a request that has not come yet (it came by another queue); for one that is being served on another
 * thread and cannot be ended, that would only have it ask over and over.
 */
export function interrupt(turn: Turn): number {
  const { arena, args, exchange } = turn;
  const low = arena.getU32(args + InterruptIn.offset.unique);
  const high = arena.getU32(args + InterruptIn.offset.unique + 4);
  if (turn.fs.interrupt(low, high) || turn.parked.has(low, high)) return 0;
  return exchange.writable < OUT_HEADER ? 0 : turn.fail(-Errno.EAGAIN);
}
