/** Locks: GETLK, SETLK, SETLKW (fcntl and flock), and INTERRUPT, which ends a wait for one. */
import type { Lock } from '../fs/fileSystem';
import { Errno } from '../protocol/errno';
import { LkFlag, LockType } from '../protocol/fuse/flags';
import { FileLock, InterruptIn, LkIn, LkOut } from '../protocol/fuse/structs';
import { OUT_HEADER, type Turn } from './turn';

const lkIn = LkIn.offset;
const fileLock = FileLock.offset;

/** OFFSET_MAX, "to the end of the file wherever that is", as two words. */
const OFFSET_MAX_LOW = 0xffff_ffff;
const OFFSET_MAX_HIGH = 0x7fff_ffff;

const lock: Lock = { type: 0, start: 0, end: 0, pid: 0, ownerLow: 0, ownerHigh: 0 };

/** Reads the lock of the arguments; 0 or a negative errno. */
function readLock(turn: Turn): number {
  const { arena, args } = turn;
  const at = args + lkIn.lk;
  lock.type = arena.getU32(at + fileLock.type);
  lock.start = turn.offsetAt(at + fileLock.start);
  const end = turn.offsetAt(at + fileLock.end);
  // No file reaches as far, so a lock up to there is one of all the rest.
  lock.end = end < 0 ? Infinity : end;
  lock.pid = arena.getU32(at + fileLock.pid);
  lock.ownerLow = arena.getU32(args + lkIn.owner);
  lock.ownerHigh = arena.getU32(args + lkIn.owner + 4);
  if (lock.type > LockType.UNLCK) return -Errno.EINVAL;
  if (lock.start < 0) return -Errno.EOVERFLOW;
  return lock.end < lock.start ? -Errno.EINVAL : 0;
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
  arena.setU64(at + fileLock.start, lock.start);
  if (lock.end === Infinity) {
    arena.setU32(at + fileLock.end, OFFSET_MAX_LOW);
    arena.setU32(at + fileLock.end + 4, OFFSET_MAX_HIGH);
  } else {
    arena.setU64(at + fileLock.end, lock.end);
  }
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
