/**
 * A POSIX process, as the conformance cases see it: file descriptors, paths relative to a working directory, an
 * identity, a umask. Promises, because a call may wait (locks), and because the process may be in a guest.
 *
 * Implemented by `FusePosix` (our FUSE client, with the part of the kernel's work that lies above the file system) and
 * by `SyscallPosix` (raw system calls of a real process, here or in a guest). A failing call throws an error whose
 * `code` is the errno's name.
 */

export interface Stat {
  readonly ino: bigint;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly blocks: number;
  readonly blksize: number;
  /** Nanoseconds since the epoch. */
  readonly atime: bigint;
  readonly mtime: bigint;
  readonly ctime: bigint;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly ino: bigint;
  /** DT_*. */
  readonly type: number;
  /** Where `seekDirectory` goes on after this entry. */
  readonly next: bigint;
}

export interface Lock {
  /** F_RDLCK 0, F_WRLCK 1, F_UNLCK 2. */
  readonly type: number;
  readonly start: number | bigint;
  /** 0: to the end of the file, wherever that will be. */
  readonly length: number | bigint;
}

/** A place as a number where that says it exactly. */
export const exact = (place: bigint): number | bigint =>
  place <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(place) : place;

export interface FileSystemFigures {
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly files: number;
  readonly namelen: number;
}

/** Memory of a process that is a file. */
export interface Mapping {
  load(offset: number, length: number): Promise<Buffer>;
  store(offset: number, data: Uint8Array): Promise<void>;
  /** msync(MS_SYNC). */
  sync(): Promise<void>;
  unmap(): Promise<void>;
}

export interface Posix {
  chdir(path: string): Promise<void>;
  open(path: string, flags: number, mode?: number): Promise<number>;
  close(fd: number): Promise<void>;
  /** Up to `length` bytes; fewer at the end of the file. */
  pread(fd: number, length: number, offset: number): Promise<Buffer>;
  pwrite(fd: number, data: Uint8Array, offset: number): Promise<number>;
  read(fd: number, length: number): Promise<Buffer>;
  write(fd: number, data: Uint8Array): Promise<number>;
  lseek(fd: number, offset: number, whence: number): Promise<number>;
  /** fcntl F_SETFL: of the flags that may change, those given. */
  setFlags(fd: number, flags: number): Promise<void>;
  truncate(path: string, length: number): Promise<void>;
  ftruncate(fd: number, length: number): Promise<void>;
  fallocate(fd: number, mode: number, offset: number, length: number): Promise<void>;
  copyFileRange(from: number, fromOffset: number, to: number, toOffset: number, length: number): Promise<number>;
  fsync(fd: number): Promise<void>;
  fdatasync(fd: number): Promise<void>;
  syncfs(fd: number): Promise<void>;

  stat(path: string): Promise<Stat>;
  lstat(path: string): Promise<Stat>;
  fstat(fd: number): Promise<Stat>;
  access(path: string, mask: number): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  fchmod(fd: number, mode: number): Promise<void>;
  /** -1 leaves an id as it is. */
  chown(path: string, uid: number, gid: number): Promise<void>;
  lchown(path: string, uid: number, gid: number): Promise<void>;
  /** Nanoseconds since the epoch, or `'now'`, or `'omit'`. */
  utimens(path: string, atime: Time, mtime: Time, follow?: boolean): Promise<void>;
  futimens(fd: number, atime: Time, mtime: Time): Promise<void>;

  mkdir(path: string, mode?: number): Promise<void>;
  rmdir(path: string): Promise<void>;
  mknod(path: string, mode: number, device?: number): Promise<void>;
  unlink(path: string): Promise<void>;
  link(from: string, to: string): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  readlink(path: string): Promise<string>;
  /** `flags`: RENAME_NOREPLACE 1, RENAME_EXCHANGE 2, RENAME_WHITEOUT 4. */
  rename(from: string, to: string, flags?: number): Promise<void>;
  /** Entries from the descriptor's position, as many as one getdents64 of `size` bytes brings; none at the end. */
  getdents(fd: number, size: number): Promise<DirectoryEntry[]>;
  seekDirectory(fd: number, position: bigint): Promise<void>;

  /** `path` is not followed when it is a symbolic link. */
  getxattr(path: string, name: string, size?: number): Promise<Buffer>;
  listxattr(path: string): Promise<string[]>;
  setxattr(path: string, name: string, value: Uint8Array, flags?: number): Promise<void>;
  removexattr(path: string, name: string): Promise<void>;

  /** fcntl F_GETLK: the lock in the way (pid left out), or type F_UNLCK. */
  getLock(fd: number, lock: Lock): Promise<Lock>;
  /** fcntl F_SETLK, or F_SETLKW with `wait`. */
  setLock(fd: number, lock: Lock, wait?: boolean): Promise<void>;
  /** LOCK_SH 1, LOCK_EX 2, LOCK_NB 4, LOCK_UN 8. */
  flock(fd: number, operation: number): Promise<void>;

  /** A shared, writable mapping of the file's first `length` bytes. With the feature `mmap`. */
  map?(fd: number, length: number): Promise<Mapping>;

  statfs(path: string): Promise<FileSystemFigures>;
  /** The integer that the call left in its argument. */
  ioctl(fd: number, command: number, argument: number): Promise<number>;

  /** The old mask. */
  umask(mask: number): Promise<number>;
  /** From here on this process is that user, with these groups and no capabilities when `uid` is not 0. */
  become(uid: number, gid: number, groups?: readonly number[]): Promise<void>;
  /** Another process: root, in the same working directory, with no descriptors. */
  fork(): Promise<Posix>;
  /** Ends this process: its descriptors close, its locks go. */
  exit(): Promise<void>;
}

export type Time = bigint | 'now' | 'omit';

export class PosixError extends Error {
  constructor(
    readonly code: string,
    call: string,
  ) {
    super(`${call}: ${code}`);
  }
}

export const O = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  EXCL: 0o200,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  DIRECTORY: 0o200000,
  NOFOLLOW: 0o400000,
  TMPFILE: 0o20200000,
} as const;

export const S = {
  IFMT: 0o170000,
  IFSOCK: 0o140000,
  IFLNK: 0o120000,
  IFREG: 0o100000,
  IFDIR: 0o040000,
  IFCHR: 0o020000,
  IFIFO: 0o010000,
} as const;
