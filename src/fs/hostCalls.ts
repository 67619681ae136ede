/**
 * The host's system calls as the passthrough file system makes them: numbers in, a non-negative result or a negative
 * errno out, never an exception.
 *
 * An interface, so that each call of a request can be watched, held or made to fail; `native/` has the one that calls
 * Linux. Paths and buffers are host addresses (doubles below 2^53), usually inside the arena. Offsets and lengths are
 * doubles within ±2^53. `AT_EMPTY_PATH` and the like are the callers' business. The meaning of each is its section 2
 * manual page's.
 */
export interface HostCalls {
  openat(directory: number, path: number, flags: number, mode: number): number;
  close(fd: number): number;
  statx(directory: number, path: number, flags: number, mask: number, into: number): number;
  mkdirat(directory: number, path: number, mode: number): number;
  mknodat(directory: number, path: number, mode: number, device: number): number;
  symlinkat(target: number, directory: number, path: number): number;
  linkat(directory: number, path: number, newDirectory: number, newPath: number, flags: number): number;
  unlinkat(directory: number, path: number, flags: number): number;
  renameat2(directory: number, path: number, newDirectory: number, newPath: number, flags: number): number;
  readlinkat(directory: number, path: number, into: number, capacity: number): number;
  fchmod(fd: number, mode: number): number;
  fchmodat(directory: number, path: number, mode: number): number;
  fchownat(directory: number, path: number, uid: number, gid: number, flags: number): number;
  /** `times`: address of struct timespec[2]. */
  utimensat(directory: number, path: number, times: number, flags: number): number;
  ftruncate(fd: number, length: number): number;
  preadv2(fd: number, vectors: number, count: number, offset: number, flags: number): number;
  pwritev2(fd: number, vectors: number, count: number, offset: number, flags: number): number;
  fsync(fd: number): number;
  fdatasync(fd: number): number;
  syncfs(fd: number): number;
  fallocate(fd: number, mode: number, offset: number, length: number): number;
  lseek(fd: number, offset: number, whence: number): number;
  /**
   * lseek(fd, position, SEEK_SET) for a folder, whose positions are opaque and use all 64 bits. 0 or a negative errno.
   */
  seekFolder(fd: number, positionLow: number, positionHigh: number): number;
  getdents64(fd: number, into: number, capacity: number): number;
  fstatfs(fd: number, into: number): number;
  faccessat2(directory: number, path: number, mask: number, flags: number): number;
  getxattr(path: number, name: number, into: number, size: number): number;
  listxattr(path: number, into: number, size: number): number;
  setxattr(path: number, name: number, value: number, size: number, flags: number): number;
  removexattr(path: number, name: number): number;
  copyFileRange(from: number, fromOffset: number, to: number, toOffset: number, length: number, flags: number): number;
  flock(fd: number, operation: number): number;
  /** fcntl F_OFD_GETLK, F_OFD_SETLK on a struct flock at `lock`. Never F_OFD_SETLKW: nothing here may block. */
  fcntlLock(fd: number, command: number, lock: number): number;
  /** fcntl F_DUPFD_CLOEXEC: another descriptor of the same open file. */
  duplicate(fd: number): number;
  ioctl(fd: number, command: number, argument: number): number;
  /** memfd_create and ftruncate: a file in memory of `size` bytes, all zeros. */
  memoryFile(size: number): number;

  /**
   * The calling thread acts as this user (effective ids; groups: only `gid` and, unless negative, `supplementaryGid`)
   * until `resume`. With GROUPS_UNTOLD the host does not ask whether the user may write in the folder. Cheap when that
   * is who it is already. -EPERM where the daemon may not.
   */
  impersonate(uid: number, gid: number, supplementaryGid: number): number;
  resume(): void;
  /** Drops CAP_FSETID for the calls until `resume`, so that the kernel clears set-user-ID and set-group-ID bits. */
  dropFsetid(): number;
}

/** Called on the thread that has asked, later, with the result. */
export type Done = (result: number) => void;

/** Calls that may wait long, made on another thread. */
export interface BlockingCalls {
  preadv(fd: number, vectors: number, count: number, offset: number, done: Done): void;
  pwritev2(fd: number, vectors: number, count: number, offset: number, flags: number, done: Done): void;
  fsync(fd: number, dataOnly: boolean, done: Done): void;
  syncfs(fd: number, done: Done): void;
  close(fd: number, done: Done): void;
  fallocate(fd: number, mode: number, offset: number, length: number, done: Done): void;
  copyFileRange(
    from: number,
    fromOffset: number,
    to: number,
    toOffset: number,
    length: number,
    flags: number,
    done: Done,
  ): void;
}

/** Asks to be called again after a while on the same thread, for requests that wait. */
export interface Alarm {
  /** At most one alarm is pending; a sooner one replaces a later one. */
  wake(afterMilliseconds: number, then: () => void): void;
}
