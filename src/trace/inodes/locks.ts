/**
 * Which locks the guest holds, as far as requests and replies tell: POSIX ranges and flock, by inode and owner.
 *
 * An unlock takes a range out of what is held; FLUSH ends all POSIX locks of its owner on the inode, RELEASE its flock.
 * Few programs hold many: objects, and a bound.
 */
import { LkFlag, LockType, ReleaseFlag } from '../../protocol/fuse/flags';
import { FileLock, FlushIn, InHeader, LkIn, ReleaseIn } from '../../protocol/fuse/structs';
import { bigU64At, u32At } from '../findings/bytes';

export interface HeldLock {
  readonly nodeid: number;
  /** Opaque. */
  readonly owner: bigint;
  readonly start: bigint;
  /** Last byte, or TO_END. */
  readonly end: bigint;
  readonly exclusive: boolean;
  readonly flock: boolean;
  readonly pid: number;
  /** The request that took it. */
  readonly row: number;
}

/** The kernel's OFFSET_MAX: the end of the file, wherever that is. */
export const TO_END = 0x7fff_ffff_ffff_ffffn;
const MOST_LOCKS = 4096;
const MOST_OF_OWNER = 512;
const BODY = InHeader.size;

/**
 * What a SETLK or SETLKW asks; undefined when its bytes are not there, or the node cannot be told from others.
 * `exclusive` undefined: to unlock.
 */
export interface AskedLock extends Omit<HeldLock, 'exclusive'> {
  readonly exclusive: boolean | undefined;
}

export function askedLock(request: Uint8Array, nodeid: number, pid: number, row: number): AskedLock | undefined {
  if (request.length < BODY + LkIn.offset.lk_flags + 4 || !Number.isSafeInteger(nodeid)) return undefined;
  const lk = BODY + LkIn.offset.lk;
  const type = u32At(request, lk + FileLock.offset.type);
  return {
    nodeid,
    owner: bigU64At(request, BODY + LkIn.offset.owner),
    start: bigU64At(request, lk + FileLock.offset.start),
    end: bigU64At(request, lk + FileLock.offset.end),
    exclusive: type === LockType.UNLCK ? undefined : type === LockType.WRLCK,
    flock: (u32At(request, BODY + LkIn.offset.lk_flags) & LkFlag.FLOCK) !== 0,
    pid: u32At(request, lk + FileLock.offset.pid) || pid,
    row,
  };
}

export class Locks {
  /** By inode, owner and kind. */
  private readonly held = new Map<string, HeldLock[]>();
  private count = 0;
  /** One was not remembered. */
  full = false;

  get all(): readonly HeldLock[] {
    return [...this.held.values()].flat();
  }

  /** A SETLK or SETLKW that succeeded. */
  set(asked: AskedLock): void {
    const key = keyOf(asked.nodeid, asked.owner, asked.flock);
    const left = (this.held.get(key) ?? []).flatMap((lock) => {
      if (lock.end < asked.start || lock.start > asked.end) return [lock];
      if (lock.flock) return [];
      const before = lock.start < asked.start ? [{ ...lock, end: asked.start - 1n }] : [];
      const after = lock.end > asked.end ? [{ ...lock, start: asked.end + 1n }] : [];
      return [...before, ...after];
    });
    if (asked.exclusive !== undefined) {
      const room = this.count < MOST_LOCKS && left.length < MOST_OF_OWNER;
      if (room) left.push({ ...asked, exclusive: asked.exclusive });
      else this.full = true;
    }
    this.put(key, left);
  }

  flush(request: Uint8Array, nodeid: number): void {
    if (this.count === 0 || request.length < BODY + FlushIn.size) return;
    this.put(keyOf(nodeid, bigU64At(request, BODY + FlushIn.offset.lock_owner), false), []);
  }

  release(request: Uint8Array, nodeid: number): void {
    if (this.count === 0 || request.length < BODY + ReleaseIn.size) return;
    if ((u32At(request, BODY + ReleaseIn.offset.release_flags) & ReleaseFlag.FLOCK_UNLOCK) === 0) return;
    this.put(keyOf(nodeid, bigU64At(request, BODY + ReleaseIn.offset.lock_owner), true), []);
  }

  drop(rows: number): void {
    for (const [key, locks] of this.held) {
      this.held.set(
        key,
        locks.map((lock) => ({ ...lock, row: lock.row - rows })),
      );
    }
  }

  clear(): void {
    this.held.clear();
    this.count = 0;
    this.full = false;
  }

  private put(key: string, locks: HeldLock[]): void {
    this.count += locks.length - (this.held.get(key)?.length ?? 0);
    if (locks.length > 0) this.held.set(key, locks);
    else this.held.delete(key);
  }
}

const keyOf = (nodeid: number, owner: bigint, flock: boolean): string => `${nodeid} ${owner} ${flock}`;
