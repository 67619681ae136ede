/**
 * The host's system calls for `fs/`, straight through the C library.
 *
 * Each method is one call with nothing around it but the errno: what is allowed and in which order is `fs/`'s business.
 * Calls that the C library of an old distribution lacks go through syscall(2) by number.
 */
import type { HostCalls } from '../fs/hostCalls';
import { ThreadCredentials } from './credentials';
import { INT, LONG, declare, failure } from './libc';
import { pinnedArena } from './memory';

const SYSCALLS = {
  x64: { renameat2: 316, copyFileRange: 326, faccessat2: 439 },
  arm64: { renameat2: 276, copyFileRange: 285, faccessat2: 439 },
} as const;
const NUMBER = SYSCALLS[process.arch === 'arm64' ? 'arm64' : 'x64'];

const c = {
  openat: declare('openat', INT, [INT, LONG, INT, INT]),
  close: declare('close', INT, [INT]),
  statx: declare('statx', INT, [INT, LONG, INT, INT, LONG]),
  mkdirat: declare('mkdirat', INT, [INT, LONG, INT]),
  mknodat: declare('mknodat', INT, [INT, LONG, INT, LONG]),
  symlinkat: declare('symlinkat', INT, [LONG, INT, LONG]),
  linkat: declare('linkat', INT, [INT, LONG, INT, LONG, INT]),
  unlinkat: declare('unlinkat', INT, [INT, LONG, INT]),
  readlinkat: declare('readlinkat', INT, [INT, LONG, LONG, LONG]),
  fchmod: declare('fchmod', INT, [INT, INT]),
  fchmodat: declare('fchmodat', INT, [INT, LONG, INT, INT]),
  fchownat: declare('fchownat', INT, [INT, LONG, INT, INT, INT]),
  utimensat: declare('utimensat', INT, [INT, LONG, LONG, INT]),
  ftruncate: declare('ftruncate', INT, [INT, LONG]),
  preadv: declare('preadv', INT, [INT, LONG, INT, LONG]),
  preadv2: declare('preadv2', INT, [INT, LONG, INT, LONG, INT]),
  pwritev2: declare('pwritev2', INT, [INT, LONG, INT, LONG, INT]),
  fsync: declare('fsync', INT, [INT]),
  fdatasync: declare('fdatasync', INT, [INT]),
  syncfs: declare('syncfs', INT, [INT]),
  fallocate: declare('fallocate', INT, [INT, INT, LONG, LONG]),
  lseek: declare('lseek', LONG, [INT, LONG, INT]),
  getdents64: declare('getdents64', INT, [INT, LONG, LONG]),
  fstatfs: declare('fstatfs', INT, [INT, LONG]),
  getxattr: declare('getxattr', INT, [LONG, LONG, LONG, LONG]),
  listxattr: declare('listxattr', INT, [LONG, LONG, LONG]),
  setxattr: declare('setxattr', INT, [LONG, LONG, LONG, LONG, INT]),
  removexattr: declare('removexattr', INT, [LONG, LONG]),
  flock: declare('flock', INT, [INT, INT]),
  fcntl: declare('fcntl', INT, [INT, INT, LONG]),
  ioctl: declare('ioctl', INT, [INT, LONG, LONG]),
  umask: declare('umask', INT, [INT]),
  memfdCreate: declare('memfd_create', INT, [LONG, INT]),
  syscall4: declare('syscall', INT, [LONG, LONG, LONG, LONG, LONG]),
  syscall5: declare('syscall', INT, [LONG, LONG, LONG, LONG, LONG, LONG]),
  syscall6: declare('syscall', LONG, [LONG, LONG, LONG, LONG, LONG, LONG, LONG]),
};

const MFD_CLOEXEC = 1;
const F_DUPFD_CLOEXEC = 1030;
const MEMORY_FILE_NAME = new TextEncoder().encode('virtiofs-studio\0');

/** lseek with a position beyond 2^53, which a double cannot say. */
type SeekFar = (fd: number, position: bigint, whence: number) => number | bigint;

/** Modes reach the file as they are given: the guest's kernel has applied the guest's umask. For the whole process. */
export function clearUmask(): void {
  c.umask(0);
}

export class LinuxCalls implements HostCalls {
  private readonly credentials = new ThreadCredentials();
  /** The two loff_t that copy_file_range takes by address. */
  private readonly offsets = pinnedArena(64);
  private readonly name = pinnedArena(64);

  openat(directory: number, path: number, flags: number, mode: number): number {
    const result = c.openat(directory, path, flags, mode);
    return result < 0 ? failure() : result;
  }

  close(fd: number): number {
    return c.close(fd) < 0 ? failure() : 0;
  }

  statx(directory: number, path: number, flags: number, mask: number, into: number): number {
    return c.statx(directory, path, flags, mask, into) < 0 ? failure() : 0;
  }

  mkdirat(directory: number, path: number, mode: number): number {
    return c.mkdirat(directory, path, mode) < 0 ? failure() : 0;
  }

  mknodat(directory: number, path: number, mode: number, device: number): number {
    return c.mknodat(directory, path, mode, device) < 0 ? failure() : 0;
  }

  symlinkat(target: number, directory: number, path: number): number {
    return c.symlinkat(target, directory, path) < 0 ? failure() : 0;
  }

  linkat(directory: number, path: number, newDirectory: number, newPath: number, flags: number): number {
    return c.linkat(directory, path, newDirectory, newPath, flags) < 0 ? failure() : 0;
  }

  unlinkat(directory: number, path: number, flags: number): number {
    return c.unlinkat(directory, path, flags) < 0 ? failure() : 0;
  }

  renameat2(directory: number, path: number, newDirectory: number, newPath: number, flags: number): number {
    return c.syscall5(NUMBER.renameat2, directory, path, newDirectory, newPath, flags) < 0 ? failure() : 0;
  }

  readlinkat(directory: number, path: number, into: number, capacity: number): number {
    const result = c.readlinkat(directory, path, into, capacity);
    return result < 0 ? failure() : result;
  }

  fchmod(fd: number, mode: number): number {
    return c.fchmod(fd, mode) < 0 ? failure() : 0;
  }

  fchmodat(directory: number, path: number, mode: number): number {
    return c.fchmodat(directory, path, mode, 0) < 0 ? failure() : 0;
  }

  /** Ids are taken as unsigned 32-bit numbers; 0xffffffff leaves one as it is. */
  fchownat(directory: number, path: number, uid: number, gid: number, flags: number): number {
    return c.fchownat(directory, path, uid | 0, gid | 0, flags) < 0 ? failure() : 0;
  }

  utimensat(directory: number, path: number, times: number, flags: number): number {
    return c.utimensat(directory, path, times, flags) < 0 ? failure() : 0;
  }

  ftruncate(fd: number, length: number): number {
    return c.ftruncate(fd, length) < 0 ? failure() : 0;
  }

  preadv2(fd: number, vectors: number, count: number, offset: number, flags: number): number {
    const result = c.preadv2(fd, vectors, count, offset, flags);
    return result < 0 ? failure() : result;
  }

  pwritev2(fd: number, vectors: number, count: number, offset: number, flags: number): number {
    const result = c.pwritev2(fd, vectors, count, offset, flags);
    return result < 0 ? failure() : result;
  }

  fsync(fd: number): number {
    return c.fsync(fd) < 0 ? failure() : 0;
  }

  fdatasync(fd: number): number {
    return c.fdatasync(fd) < 0 ? failure() : 0;
  }

  syncfs(fd: number): number {
    return c.syncfs(fd) < 0 ? failure() : 0;
  }

  fallocate(fd: number, mode: number, offset: number, length: number): number {
    return c.fallocate(fd, mode, offset, length) < 0 ? failure() : 0;
  }

  lseek(fd: number, offset: number, whence: number): number {
    const result = c.lseek(fd, offset, whence);
    return result < 0 ? failure() : Number(result);
  }

  seekFolder(fd: number, positionLow: number, positionHigh: number): number {
    const position = BigInt.asIntN(64, (BigInt(positionHigh) << 32n) | BigInt(positionLow));
    return (c.lseek as unknown as SeekFar)(fd, position, 0) < 0 ? failure() : 0;
  }

  getdents64(fd: number, into: number, capacity: number): number {
    const result = c.getdents64(fd, into, capacity);
    return result < 0 ? failure() : result;
  }

  fstatfs(fd: number, into: number): number {
    return c.fstatfs(fd, into) < 0 ? failure() : 0;
  }

  faccessat2(directory: number, path: number, mask: number, flags: number): number {
    return c.syscall4(NUMBER.faccessat2, directory, path, mask, flags) < 0 ? failure() : 0;
  }

  getxattr(path: number, name: number, into: number, size: number): number {
    const result = c.getxattr(path, name, into, size);
    return result < 0 ? failure() : result;
  }

  listxattr(path: number, into: number, size: number): number {
    const result = c.listxattr(path, into, size);
    return result < 0 ? failure() : result;
  }

  setxattr(path: number, name: number, value: number, size: number, flags: number): number {
    return c.setxattr(path, name, value, size, flags) < 0 ? failure() : 0;
  }

  removexattr(path: number, name: number): number {
    return c.removexattr(path, name) < 0 ? failure() : 0;
  }

  copyFileRange(from: number, fromOffset: number, to: number, toOffset: number, length: number, flags: number): number {
    this.offsets.setU64(0, fromOffset);
    this.offsets.setU64(8, toOffset);
    const first = this.offsets.address(0);
    const result = c.syscall6(NUMBER.copyFileRange, from, first, to, first + 8, length, flags);
    return result < 0 ? failure() : Number(result);
  }

  flock(fd: number, operation: number): number {
    return c.flock(fd, operation) < 0 ? failure() : 0;
  }

  fcntlLock(fd: number, command: number, lock: number): number {
    return c.fcntl(fd, command, lock) < 0 ? failure() : 0;
  }

  duplicate(fd: number): number {
    const result = c.fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return result < 0 ? failure() : result;
  }

  ioctl(fd: number, command: number, argument: number): number {
    const result = c.ioctl(fd, command, argument);
    return result < 0 ? failure() : result;
  }

  memoryFile(size: number): number {
    this.name.u8.set(MEMORY_FILE_NAME);
    const fd = c.memfdCreate(this.name.address(0), MFD_CLOEXEC);
    if (fd < 0) return failure();
    const failed = this.ftruncate(fd, size);
    if (failed < 0) this.close(fd);
    return failed < 0 ? failed : fd;
  }

  impersonate(uid: number, gid: number, supplementaryGid: number): number {
    return this.credentials.impersonate(uid, gid, supplementaryGid);
  }

  resume(): void {
    this.credentials.resume();
  }

  dropFsetid(): number {
    return this.credentials.dropFsetid();
  }

  /** Gives up the supplementary groups of this thread; for the queue worker's start as root. */
  dropGroups(): number {
    return this.credentials.dropGroups();
  }

  // Plain preadv, for the thread that may block.

  preadv(fd: number, vectors: number, count: number, offset: number): number {
    const result = c.preadv(fd, vectors, count, offset);
    return result < 0 ? failure() : result;
  }
}
