/**
 * The guest's POSIX and flock locks as locks of the host, so that they hold against other guests and host programs.
 *
 * A POSIX lock belongs to (inode, owner), an owner being a process of the guest. Each such pair gets an open file
 * description of its own and the locks are OFD locks on it: two owners then conflict as they should, and an owner's
 * locks end with one close. flock is taken on the handle's own description, as in the guest. Waiting:
 * waitingRequests.ts.
 *
 * That description can write only where the guest's handle can: a file that is open for writing anywhere cannot be
 * executed by the host (ETXTBSY). An owner that has read locks only and wants a write lock moves over to a writable
 * one.
 *
 * The host's kernel has no limit for locks and looks through all of a file's for each that is asked for, so a guest
 * could take its memory and this thread's time: there are no more than here, ENOLCK otherwise. What is held is known
 * here too, exactly as the kernel has it, because nobody else locks through these descriptions.
 */
import { Errno } from '../protocol/errno';
import { DEFERRED, type Caller, type Handle, type Lock, type Node, finishedBy } from './fileSystem';
import type { HostFolder } from './hostFolder';
import * as linux from './linux';
import { HeldRanges, type TypedRange } from './heldRanges';
import { copyRange, isWholeFile, lengthHigh, lengthLow, setLength } from './lockRange';
import type { WaitingRequests } from './waitingRequests';

/** A file that somebody has locked, or wants to. */
interface LockedFile {
  readonly owners: Map<string, LockOwner>;
  /** Of all owners together. */
  ranges: number;
}

interface LockOwner {
  readonly file: LockedFile;
  readonly low: number;
  readonly high: number;
  fd: number;
  writable: boolean;
  /** What is locked through `fd`. */
  readonly held: HeldRanges;
  /** The handle used last. When it is released the owner cannot have locks here any more: a guest's kernel tells of
   *  the end of POSIX locks by FLUSH, but of the end of its own OFD locks not at all. */
  handle: Handle;
  /** The guest's process, for GETLK. */
  pid: number;
}

interface Wish {
  readonly node: Node;
  readonly lock: Lock;
}

/** Ranges that are locked in one file. The kernel then needs some 50 µs for one more, and a move of all 0.3 s. */
export const MOST_RANGES_OF_A_FILE = 4096;
/** Ranges that are locked in all files together: some 15 MB of the host's kernel. */
export const MOST_RANGES = 65_536;

/** Owners in a circle that is looked for; a longer one is left to whoever waits in it. */
export const LONGEST_CIRCLE = 32;

const keyOf = (low: number, high: number): string => `${high} ${low}`;

export class Locks {
  private readonly files = new Map<Node, LockedFile>();
  /** Of all files together. */
  private ranges = 0;
  /** What POSIX owners wait for, by owner. */
  private readonly wishes = new Map<string, Wish>();

  constructor(
    private readonly folder: HostFolder,
    private readonly waiting: WaitingRequests,
  ) {}

  /** Changes `lock` into the first one in the way, or its type to F_UNLCK. */
  getlk(handle: Handle, lock: Lock): number {
    const { handles, arena, areas } = this.folder;
    const node = handles.node[handle];
    const own = this.ownerOf(node, lock.ownerLow, lock.ownerHigh);
    const at = areas.scratch;
    this.writeLock(lock);
    const failed = this.ask(own?.fd ?? handles.fd[handle], linux.F_OFD_GETLK);
    if (failed < 0) return failed;
    const found = this.readLock();
    lock.type = found.type;
    if (lock.type === linux.F_UNLCK) return 0;
    copyRange(lock, found);
    const pid = arena.getI32(at + linux.Flock.pid);
    lock.pid = pid > 0 ? pid : (this.holder(node, lock)?.pid ?? 0);
    return 0;
  }

  setlk(handle: Handle, lock: Lock, wait: boolean, caller: Caller): number {
    const node = this.folder.handles.node[handle];
    const { ownerLow, ownerHigh } = lock;
    if (lock.type === linux.F_UNLCK) return this.unlock(node, lock);
    const known = this.ownerOf(node, ownerLow, ownerHigh) !== undefined;
    const result = this.tryLock(handle, lock);
    if (result !== -Errno.EAGAIN) return result;
    if (!wait) {
      if (!known) this.dropOwner(node, ownerLow, ownerHigh);
      return -Errno.EAGAIN;
    }
    // `lock` is used for the next request: the waiting one needs its own.
    const kept = { ...lock };
    const wish = { node, lock: kept };
    if (this.closesCircle(wish)) return -Errno.EDEADLK;
    const key = keyOf(ownerLow, ownerHigh);
    this.wishes.set(key, wish);
    const ended = (): void => {
      if (this.wishes.get(key) === wish) this.wishes.delete(key);
    };
    return this.wait(handle, caller, () => this.tryLock(handle, kept), ended);
  }

  flock(handle: Handle, type: number, wait: boolean, caller: Caller): number {
    const { calls, handles } = this.folder;
    const fd = handles.fd[handle];
    if (type === linux.F_UNLCK) {
      const result = calls.flock(fd, linux.LOCK_UN);
      this.waiting.retry(handles.node[handle]);
      return result;
    }
    handles.flocked[handle] = 1;
    const operation = (type === linux.F_WRLCK ? linux.LOCK_EX : linux.LOCK_SH) | linux.LOCK_NB;
    const result = calls.flock(fd, operation);
    if (result !== -Errno.EAGAIN || !wait) return result;
    return this.wait(handle, caller, () => calls.flock(fd, operation));
  }

  /** The owner has closed the file: its POSIX locks of it go. */
  flush(handle: Handle, ownerLow: number, ownerHigh: number): void {
    if (this.files.size === 0) return;
    const node = this.folder.handles.node[handle];
    if (this.dropOwner(node, ownerLow, ownerHigh)) this.waiting.retry(node);
  }

  /** Before a handle ends: nothing waits on its descriptor any more. */
  handleEnds(handle: Handle): void {
    this.waiting.endOfHandle(handle, -Errno.EINTR);
    if (this.files.size === 0) return;
    const node = this.folder.handles.node[handle];
    for (const owner of this.ownersOf(node)) {
      if (owner.handle === handle) this.dropOwner(node, owner.low, owner.high);
    }
  }

  /** After a handle's descriptor is closed, and its locks with it. */
  handleEnded(node: Node): void {
    this.waiting.retry(node);
  }

  nodeEnds(node: Node): void {
    if (this.files.size === 0) return;
    for (const owner of this.ownersOf(node)) this.dropOwner(node, owner.low, owner.high);
  }

  private wait(handle: Handle, caller: Caller, attempt: () => number, ended?: () => void): number {
    const { uniqueLow, uniqueHigh } = caller;
    const node = this.folder.handles.node[handle];
    const deferred = caller.defer();
    const finish = (result: number): void => {
      ended?.();
      deferred.finish(result);
    };
    this.waiting.add({ node, handle, uniqueLow, uniqueHigh, attempt, parked: finishedBy(deferred, finish) });
    return DEFERRED;
  }

  /**
   * Whether owners would wait for each other for good, which a guest's process could not even be killed out of: the one
   * in the way of this wish waits itself, and so on, back to the owner of this wish.
   */
  private closesCircle(wish: Wish): boolean {
    let at: Wish | undefined = wish;
    for (let steps = 0; at !== undefined && steps < LONGEST_CIRCLE; steps++) {
      const inTheWay = this.inTheWay(at);
      if (inTheWay === undefined) return false;
      const key = keyOf(inTheWay.low, inTheWay.high);
      if (key === keyOf(wish.lock.ownerLow, wish.lock.ownerHigh)) return true;
      at = this.wishes.get(key);
    }
    return false;
  }

  /** The owner, if it is one of ours, that holds the first lock in the way of a wish. */
  private inTheWay({ node, lock }: Wish): LockOwner | undefined {
    const own = this.ownerOf(node, lock.ownerLow, lock.ownerHigh);
    if (own === undefined) return undefined;
    this.writeLock(lock);
    if (this.ask(own.fd, linux.F_OFD_GETLK) < 0) return undefined;
    const found = this.readLock();
    return found.type === linux.F_UNLCK ? undefined : this.holder(node, found);
  }

  private tryLock(handle: Handle, lock: Lock): number {
    const owner = this.takeOwner(handle, lock);
    if (typeof owner === 'number') return owner;
    const result = this.set(owner, lock);
    // One that waits is tried again soon; whatever else fails leaves nothing open.
    if (result < 0 && result !== -Errno.EAGAIN && owner.held.count === 0) {
      this.dropOwner(this.folder.handles.node[handle], owner.low, owner.high);
    }
    return result;
  }

  private set(owner: LockOwner, lock: Lock): number {
    const { file } = owner;
    const change = owner.held.changeFor(lock);
    const more = change.pieces.length - change.removed;
    if (more > 0 && (file.ranges + more > MOST_RANGES_OF_A_FILE || this.ranges + more > MOST_RANGES)) {
      return -Errno.ENOLCK;
    }
    this.writeLock(lock);
    const result = this.ask(owner.fd, linux.F_OFD_SETLK);
    if (result < 0) return result;
    owner.held.apply(change);
    file.ranges += more;
    this.ranges += more;
    return result;
  }

  private unlock(node: Node, lock: Lock): number {
    const owner = this.ownerOf(node, lock.ownerLow, lock.ownerHigh);
    if (owner === undefined) return 0;
    let result = 0;
    if (isWholeFile(lock)) {
      this.dropOwner(node, lock.ownerLow, lock.ownerHigh);
    } else {
      result = this.set(owner, lock);
    }
    this.waiting.retry(node);
    return result;
  }

  private ask(fd: number, command: number): number {
    return this.folder.calls.fcntlLock(fd, command, this.folder.arena.address(this.folder.areas.scratch));
  }

  private writeLock(lock: TypedRange): void {
    const { arena, areas } = this.folder;
    const at = areas.scratch;
    arena.zero(at, linux.Flock.byteLength);
    arena.setU16(at + linux.Flock.type, lock.type);
    arena.setU32(at + linux.Flock.start, lock.startLow);
    arena.setU32(at + linux.Flock.start + 4, lock.startHigh);
    arena.setU32(at + linux.Flock.length, lengthLow(lock));
    arena.setU32(at + linux.Flock.length + 4, lengthHigh(lock));
  }

  private readLock(): TypedRange {
    const { arena, areas } = this.folder;
    const at = areas.scratch;
    const startLow = arena.getU32(at + linux.Flock.start);
    const startHigh = arena.getU32(at + linux.Flock.start + 4);
    const found = { type: arena.getU16(at + linux.Flock.type), startLow, startHigh, endLow: 0, endHigh: 0 };
    setLength(found, arena.getU32(at + linux.Flock.length), arena.getU32(at + linux.Flock.length + 4));
    return found;
  }

  /** Which of our owners holds this very lock, that the kernel has named: it tells no pid of an OFD lock. */
  private holder(node: Node, lock: TypedRange): LockOwner | undefined {
    return this.ownersOf(node).find(({ held }) => held.has(lock));
  }

  private ownersOf(node: Node): LockOwner[] {
    return [...(this.files.get(node)?.owners.values() ?? [])];
  }

  private ownerOf(node: Node, low: number, high: number): LockOwner | undefined {
    return this.files.get(node)?.owners.get(keyOf(low, high));
  }

  /** The owner's open file description, opened if there is none yet; or a negative errno. */
  private takeOwner(handle: Handle, lock: Lock): LockOwner | number {
    const { handles, budget } = this.folder;
    const node = handles.node[handle];
    const known = this.ownerOf(node, lock.ownerLow, lock.ownerHigh);
    if (known !== undefined) {
      known.handle = handle;
      known.pid = lock.pid;
      if (known.writable || lock.type !== linux.F_WRLCK || !this.canWrite(handle)) return known;
      const failed = this.moveOver(known);
      return failed < 0 ? failed : known;
    }
    if (!budget.hasRoom) return -Errno.EMFILE;
    const fd = this.openForLocks(handle);
    if (fd < 0) return fd;
    budget.take();
    const { ownerLow: low, ownerHigh: high, pid } = lock;
    const file = this.files.get(node) ?? { owners: new Map<string, LockOwner>(), ranges: 0 };
    const owner = { file, low, high, fd, writable: this.canWrite(handle), held: new HeldRanges(), handle, pid };
    this.files.set(node, file);
    file.owners.set(keyOf(low, high), owner);
    return owner;
  }

  private canWrite(handle: Handle): boolean {
    return (this.folder.handles.flags[handle] & linux.O_ACCMODE) !== linux.O_RDONLY;
  }

  /** A write lock needs a writable description; where there cannot be one, read locks still work. */
  private openForLocks(handle: Handle): number {
    const { handles } = this.folder;
    const node = handles.node[handle];
    const fd = this.canWrite(handle) ? this.folder.reopen(node, linux.O_RDWR) : -Errno.EACCES;
    if (fd >= 0 || fd === -Errno.EMFILE) return fd;
    return this.folder.reopen(node, linux.O_RDONLY | (handles.flags[handle] & linux.O_DIRECTORY));
  }

  /**
   * OFD locks of two descriptions conflict even where the owner is one, so there must not be two with locks that
   * differ: the read locks are taken on the new description as they are on the old one, which nobody's lock can
   * prevent, and only then let go there. At no moment is the owner without them. The write lock comes after that; if it
   * is refused, the read locks are still held.
   */
  private moveOver(owner: LockOwner): number {
    const { calls, budget } = this.folder;
    if (!budget.hasRoom) return -Errno.EMFILE;
    const fd = this.openForLocks(owner.handle);
    if (fd < 0) return fd;
    for (const lock of owner.held.all) {
      this.writeLock(lock);
      const failed = this.ask(fd, linux.F_OFD_SETLK);
      if (failed < 0) {
        calls.close(fd);
        return failed;
      }
    }
    calls.close(owner.fd);
    owner.fd = fd;
    owner.writable = true;
    return 0;
  }

  private dropOwner(node: Node, low: number, high: number): boolean {
    const file = this.files.get(node);
    const key = keyOf(low, high);
    const owner = file?.owners.get(key);
    if (file === undefined || owner === undefined) return false;
    this.folder.calls.close(owner.fd);
    this.folder.budget.give();
    file.owners.delete(key);
    file.ranges -= owner.held.count;
    this.ranges -= owner.held.count;
    if (file.owners.size === 0) this.files.delete(node);
    return true;
  }
}
