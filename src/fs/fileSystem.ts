/**
 * The file system that the FUSE server serves: passthrough to a host folder, or memory for tests.
 *
 * Speaks in nodes and handles that it has minted itself, arena offsets and negative errnos; knows neither the FUSE wire
 * nor any transport. Every method returns at once: a non-negative result, a negative errno, or DEFERRED where the doc
 * says so. Nothing throws. Names and other request bytes lie in the shared arena, NUL-terminated, already checked to
 * hold no '/' and not to be '', '.' or '..'.
 */
import type { LockRange } from './lockRange';

/** Result of a call whose end comes later through the `Deferred` that the caller's `defer()` made. */
export const DEFERRED = -0x10000;

/** A small non-negative integer (a Smi for V8): the file system's own index of an inode, valid until forgotten. */
export type Node = number;

/** A small non-negative integer: an open file or folder, valid until released. */
export type Handle = number;

/** The root of the share. On the wire it is FUSE_ROOT_ID. */
export const ROOT: Node = 1;

/** Data that passes between guest and file system without being copied twice: WRITE's bytes in, READ's bytes out. */
export interface Payload {
  /**
   * Writes `struct iovec`s for [skip, skip + length) of the request into memory and returns their count (at most
   * IOV_MAX), with their address in `vectors`; or -EFAULT when some of it is not in guest memory. Valid until the next
   * call. Only where system calls are made: over plain memory it answers -ENOSYS.
   */
  requestVectors(skip: number, length: number): number;

  /** The same for the reply. */
  replyVectors(skip: number, length: number): number;

  /** Host address of the iovecs made last. */
  readonly vectors: number;

  /** Copies request bytes into the arena; 0 or -EFAULT. For file systems that do not make system calls. */
  pull(skip: number, length: number, at: number): number;

  /** Copies arena bytes into the reply; 0 or -EFAULT. */
  push(skip: number, length: number, at: number): number;
}

/** A request that will be answered later. Exactly one `finish`. */
export interface Deferred {
  /** Not while the ring that brought it is stopped: what only waits goes on waiting, for a `finish` tells nobody. */
  readonly answerable: boolean;
  /** `result` is what the method would have returned. */
  finish(result: number): void;
}

/** The same request, with another `finish`. */
export function finishedBy(parked: Deferred, finish: (result: number) => void): Deferred {
  return {
    get answerable() {
      return parked.answerable;
    },
    finish,
  };
}

/** In place of a group: the caller has no further one that counts; or has ones that the guest cannot tell of. */
export const NO_GROUP = -1;
export const GROUPS_UNTOLD = -2;

/** Who asks, and how to answer later. One object, reused for every request: do not keep it. */
export interface Caller {
  readonly uid: number;
  readonly gid: number;
  readonly pid: number;
  /** A group of the caller that the new file's folder has (FUSE_CREATE_SUPP_GROUP), NO_GROUP or GROUPS_UNTOLD. */
  readonly supplementaryGid: number;
  /**
   * Parks the request. The payload's vectors are then those of the parked request: make them anew through `payload`.
   */
  defer(): Deferred & { readonly payload: Payload };
  /** The request's identity, so that INTERRUPT can find it again. */
  readonly uniqueLow: number;
  readonly uniqueHigh: number;
}

/** What SETATTR changes. One object, reused. Times in seconds and nanoseconds since the epoch. */
export interface AttributeChanges {
  /** FATTR_* bits as on the wire: MODE 1, UID 2, GID 4, SIZE 8, ATIME 16, MTIME 32, FH 64, ATIME_NOW 128,
   *  MTIME_NOW 256, LOCKOWNER 512, CTIME 1024, KILL_SUIDGID 2048. */
  valid: number;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  atime: number;
  atimeNsec: number;
  mtime: number;
  mtimeNsec: number;
}

/** A POSIX or flock lock as FUSE has it. One object, reused; `owner` is opaque. */
export interface Lock extends LockRange {
  type: number; // F_RDLCK 0, F_WRLCK 1, F_UNLCK 2
  pid: number;
  ownerLow: number;
  ownerHigh: number;
}

/** What a `write` is besides bytes and a place; bits that add up. */
export const enum WriteWay {
  /** Set-user-ID and set-group-ID bits go. */
  KillPriv = 1,
  /** At the end of the file as the host has it, wherever the guest takes that to be. */
  Append = 2,
  /** Pages that the guest's kernel writes back: at their place, however the handle was opened. */
  Delayed = 4,
}

/** Takes directory entries one by one; answers false when it has no room for this one (it will be asked for again). */
export interface DirectorySink {
  /**
   * `next`: the position after this entry, opaque 64 bits (ext4 and NFS use all of them, so never a double).
   * `type`: DT_*. The name lies in the arena, `nameLength` bytes and a NUL.
   */
  entry(
    inoLow: number,
    inoHigh: number,
    nextLow: number,
    nextHigh: number,
    type: number,
    nameAt: number,
    nameLength: number,
  ): boolean;
}

/** A part of the DAX window, in bytes. */
export interface WindowSlice {
  readonly windowOffset: number;
  readonly length: number;
}

/** The DAX window: parts of files that the guest reaches as memory. */
export interface FileWindow {
  /**
   * The attributes just filled are about to be told to the guest, which may rely on their size from then on. Whether
   * the file is to go through the window; only worth asking where the guest lets us say so (`perInode`).
   */
  told(node: Node, perInode: boolean): boolean;
  /** Whether the guest takes this file to be one of the window: it was first `told` so, or decides by itself. */
  shows(node: Node, perInode: boolean): boolean;
  /** Shows part of a file in the window, for reading and writing. All in bytes, not negative. May be DEFERRED. */
  setup(node: Node, fileOffset: number, length: number, windowOffset: number, caller: Caller): number;
  /** Takes whatever lies in these parts out. May be DEFERRED. */
  remove(slices: readonly WindowSlice[], caller: Caller): number;
}

export interface FileSystem {
  /** Where the share has one. */
  readonly window?: FileWindow | undefined;

  /**
   * Arena offset of a `struct statx` (Linux UAPI, 256 bytes, 8-aligned) that every method documented as "fills
   * attributes" leaves filled with at least STATX_BASIC_STATS.
   */
  readonly attributes: number;

  /** The handle that the last successful `create` or `tmpfile` opened. */
  readonly createdHandle: Handle;

  /** Whether the last `lookup` (or a method that counts as one) found another device than the parent's: the root of a
   *  file system mounted inside of the share. */
  readonly crossedDevice: boolean;

  /** A wire nodeid as a node, or -ESTALE for one never given out, forgotten, or of an earlier life of its slot. */
  node(idLow: number, idHigh: number): Node | number;

  /**
   * High 32 bits of the node's wire nodeid (its low 32 bits are the node itself), which make stale ids recognisable.
   */
  nodeGeneration(node: Node): number;

  /** A wire fh as a handle of `node`, or -EBADF. */
  handle(fhLow: number, fhHigh: number, node: Node): Handle | number;

  handleGeneration(handle: Handle): number;

  /** Fills attributes; the node's lookup count grows by one. */
  lookup(parent: Node, name: number): Node | number;

  /** Lowers the lookup count; at zero the node ends. Counts beyond it are cut off: never an error. Never for ROOT. */
  forget(node: Node, count: number): void;

  /** Everything is forgotten and released (DESTROY, a new INIT, a reset). */
  reset(): void;

  /** Fills attributes. `handle` is -1 or an open handle of the node. `mask`: STATX_* wanted. */
  getattr(node: Node, handle: Handle, mask: number): number;

  /**
   * Fills attributes with the state after the change. May be DEFERRED, where a program of the host has a lease on a
   * file whose size changes; they are then filled at its end.
   */
  setattr(node: Node, handle: Handle, changes: AttributeChanges, caller: Caller): number;

  /** Length of the target, written to `into` without a NUL; -ENAMETOOLONG beyond `capacity`. */
  readlink(node: Node, into: number, capacity: number): number;

  // Those that make something fill attributes and count as one lookup, like `lookup`. Modes come with the type bits and
  // with the guest's umask already applied; new files belong to the caller where the daemon may do that.
  symlink(parent: Node, name: number, target: number, caller: Caller): Node | number;
  mknod(parent: Node, name: number, mode: number, rdev: number, caller: Caller): Node | number;
  mkdir(parent: Node, name: number, mode: number, caller: Caller): Node | number;
  link(node: Node, newParent: Node, newName: number): Node | number;
  /**
   * `killPriv`: as for `open`, where the file is there already. So may it then be DEFERRED; attributes, `createdHandle`
   * and `crossedDevice` are its own at its end.
   */
  create(parent: Node, name: number, mode: number, flags: number, killPriv: boolean, caller: Caller): Node | number;
  tmpfile(parent: Node, mode: number, flags: number, caller: Caller): Node | number;

  unlink(parent: Node, name: number): number;
  rmdir(parent: Node, name: number): number;
  /** `flags`: RENAME_NOREPLACE 1, RENAME_EXCHANGE 2, RENAME_WHITEOUT 4. */
  rename(parent: Node, name: number, newParent: Node, newName: number, flags: number): number;

  /**
   * `flags`: the guest's O_* without O_CREAT, O_EXCL and O_NOCTTY. O_APPEND is each write's own matter (`WriteWay`),
   * for fcntl changes it later. `killPriv`: FUSE_OPEN_KILL_SUIDGID with O_TRUNC. May be DEFERRED, where a program of
   * the host has a lease on the file.
   */
  open(node: Node, flags: number, killPriv: boolean, caller: Caller): Handle | number;
  /** Bytes read, put into the reply at `skip`; may be DEFERRED. */
  read(handle: Handle, offset: number, length: number, payload: Payload, skip: number, caller: Caller): number;
  /**
   * Bytes written, taken from the request at `skip`; may be DEFERRED. `way`: `WriteWay` bits; with `Delayed` it is all
   * of them or an error.
   */
  write(
    handle: Handle,
    offset: number,
    length: number,
    payload: Payload,
    skip: number,
    way: number,
    caller: Caller,
  ): number;
  /** close(2) of one descriptor in the guest: what it is to answer. POSIX locks of that owner go. May be DEFERRED. */
  flush(handle: Handle, ownerLow: number, ownerHigh: number, caller: Caller): number;
  /** POSIX locks of that owner go. */
  dropLocks(handle: Handle, ownerLow: number, ownerHigh: number): void;
  /** The handle ends; with `unlockFlock` its flock goes as well (it does anyway where flock is served remotely). */
  release(handle: Handle): number;
  /** May be DEFERRED. For files and folders. */
  fsync(handle: Handle, dataOnly: boolean, caller: Caller): number;
  /** May be DEFERRED. */
  syncfs(node: Node, caller: Caller): number;

  opendir(node: Node, flags: number): Handle | number;
  /**
   * Feeds entries from the position (0: the start; else a `next` given earlier) until the sink is full or all are told;
   * `capacity` is the reply's size in bytes, a hint for how much to fetch.
   */
  readdir(handle: Handle, positionLow: number, positionHigh: number, capacity: number, sink: DirectorySink): number;
  releasedir(handle: Handle): number;

  /** Fills a `struct statfs` in the kernel's 64-bit generic layout at `into` (120 bytes). */
  statfs(node: Node, into: number): number;
  access(node: Node, mask: number, caller: Caller): number;

  /** `size` 0 asks for the length only; else bytes are written to `into`, -ERANGE when they do not fit. */
  getxattr(node: Node, name: number, into: number, size: number): number;
  listxattr(node: Node, into: number, size: number): number;
  setxattr(node: Node, name: number, value: number, size: number, flags: number): number;
  removexattr(node: Node, name: number): number;

  /** Changes `lock` into the one in the way, or to F_UNLCK. */
  getlk(handle: Handle, lock: Lock): number;
  /** May be DEFERRED when `wait`. */
  setlk(handle: Handle, lock: Lock, wait: boolean, caller: Caller): number;
  /** flock(2); `type` is F_RDLCK 0 (shared), F_WRLCK 1 (exclusive) or F_UNLCK 2. May be DEFERRED when `wait`. */
  flock(handle: Handle, type: number, wait: boolean, caller: Caller): number;
  /** INTERRUPT: a request that waits for a lock or a lease ends with -EINTR. True when one was found. */
  interrupt(uniqueLow: number, uniqueHigh: number): boolean;

  /** May be DEFERRED. */
  fallocate(handle: Handle, mode: number, offset: number, length: number, caller: Caller): number;
  /** The new position (a double). */
  lseek(handle: Handle, offset: number, whence: number): number;
  /** Bytes copied (a double); may be DEFERRED. */
  copyFileRange(
    from: Handle,
    fromOffset: number,
    to: Handle,
    toOffset: number,
    length: number,
    flags: number,
    caller: Caller,
  ): number;
  /**
   * FS_IOC_GETFLAGS and friends on the `length` bytes at `data` (in and out); -ENOTTY for everything else. Bytes out.
   */
  ioctl(handle: Handle, command: number, data: number, inLength: number, outCapacity: number): number;
}
