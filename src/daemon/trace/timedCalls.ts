/**
 * Host system calls, timed for the request they are made for while a trace is wanted: the same calls, nothing else.
 *
 * One line a call, written out: a generic wrapper would make every call through it megamorphic.
 */
import { NO_GROUP } from '../../fs/fileSystem';
import type { HostCalls } from '../../fs/hostCalls';
import { fcntlCommands, hostCallNumber } from '../../protocol/hostCalls';
import { now } from './clock';
import type { Tracer } from './tracer';

const n = Object.freeze({ ...hostCallNumber });
const { DUPFD_CLOEXEC } = fcntlCommands.value;

export class TimedCalls implements HostCalls {
  private acting = false;

  /** `calls` is replaced while a debugger steps through a request. */
  constructor(
    public calls: HostCalls,
    private readonly trace: Tracer,
  ) {}

  openat(directory: number, path: number, flags: number, mode: number): number {
    if (!this.trace.on) return this.calls.openat(directory, path, flags, mode);
    const began = now();
    const result = this.calls.openat(directory, path, flags, mode);
    return this.trace.called(n.openat, began, result, directory, path, flags, mode, 0, 0);
  }

  close(fd: number): number {
    if (!this.trace.on) return this.calls.close(fd);
    const began = now();
    const result = this.calls.close(fd);
    return this.trace.called(n.close, began, result, fd, 0, 0, 0, 0, 0);
  }

  statx(directory: number, path: number, flags: number, mask: number, into: number): number {
    if (!this.trace.on) return this.calls.statx(directory, path, flags, mask, into);
    const began = now();
    const result = this.calls.statx(directory, path, flags, mask, into);
    return this.trace.called(n.statx, began, result, directory, path, flags, mask, into, 0);
  }

  mkdirat(directory: number, path: number, mode: number): number {
    if (!this.trace.on) return this.calls.mkdirat(directory, path, mode);
    const began = now();
    const result = this.calls.mkdirat(directory, path, mode);
    return this.trace.called(n.mkdirat, began, result, directory, path, mode, 0, 0, 0);
  }

  mknodat(directory: number, path: number, mode: number, device: number): number {
    if (!this.trace.on) return this.calls.mknodat(directory, path, mode, device);
    const began = now();
    const result = this.calls.mknodat(directory, path, mode, device);
    return this.trace.called(n.mknodat, began, result, directory, path, mode, device, 0, 0);
  }

  symlinkat(target: number, directory: number, path: number): number {
    if (!this.trace.on) return this.calls.symlinkat(target, directory, path);
    const began = now();
    const result = this.calls.symlinkat(target, directory, path);
    return this.trace.called(n.symlinkat, began, result, target, directory, path, 0, 0, 0);
  }

  linkat(directory: number, path: number, newDirectory: number, newPath: number, flags: number): number {
    if (!this.trace.on) return this.calls.linkat(directory, path, newDirectory, newPath, flags);
    const began = now();
    const result = this.calls.linkat(directory, path, newDirectory, newPath, flags);
    return this.trace.called(n.linkat, began, result, directory, path, newDirectory, newPath, flags, 0);
  }

  unlinkat(directory: number, path: number, flags: number): number {
    if (!this.trace.on) return this.calls.unlinkat(directory, path, flags);
    const began = now();
    const result = this.calls.unlinkat(directory, path, flags);
    return this.trace.called(n.unlinkat, began, result, directory, path, flags, 0, 0, 0);
  }

  renameat2(directory: number, path: number, newDirectory: number, newPath: number, flags: number): number {
    if (!this.trace.on) return this.calls.renameat2(directory, path, newDirectory, newPath, flags);
    const began = now();
    const result = this.calls.renameat2(directory, path, newDirectory, newPath, flags);
    return this.trace.called(n.renameat2, began, result, directory, path, newDirectory, newPath, flags, 0);
  }

  readlinkat(directory: number, path: number, into: number, capacity: number): number {
    if (!this.trace.on) return this.calls.readlinkat(directory, path, into, capacity);
    const began = now();
    const result = this.calls.readlinkat(directory, path, into, capacity);
    return this.trace.called(n.readlinkat, began, result, directory, path, into, capacity, 0, 0);
  }

  fchmod(fd: number, mode: number): number {
    if (!this.trace.on) return this.calls.fchmod(fd, mode);
    const began = now();
    const result = this.calls.fchmod(fd, mode);
    return this.trace.called(n.fchmod, began, result, fd, mode, 0, 0, 0, 0);
  }

  fchmodat(directory: number, path: number, mode: number): number {
    if (!this.trace.on) return this.calls.fchmodat(directory, path, mode);
    const began = now();
    const result = this.calls.fchmodat(directory, path, mode);
    return this.trace.called(n.fchmodat, began, result, directory, path, mode, 0, 0, 0);
  }

  fchownat(directory: number, path: number, uid: number, gid: number, flags: number): number {
    if (!this.trace.on) return this.calls.fchownat(directory, path, uid, gid, flags);
    const began = now();
    const result = this.calls.fchownat(directory, path, uid, gid, flags);
    return this.trace.called(n.fchownat, began, result, directory, path, uid, gid, flags, 0);
  }

  utimensat(directory: number, path: number, times: number, flags: number): number {
    if (!this.trace.on) return this.calls.utimensat(directory, path, times, flags);
    const began = now();
    const result = this.calls.utimensat(directory, path, times, flags);
    return this.trace.called(n.utimensat, began, result, directory, path, times, flags, 0, 0);
  }

  ftruncate(fd: number, length: number): number {
    if (!this.trace.on) return this.calls.ftruncate(fd, length);
    const began = now();
    const result = this.calls.ftruncate(fd, length);
    return this.trace.called(n.ftruncate, began, result, fd, length, 0, 0, 0, 0);
  }

  preadv2(fd: number, vectors: number, count: number, offset: number, flags: number): number {
    if (!this.trace.on) return this.calls.preadv2(fd, vectors, count, offset, flags);
    const began = now();
    const result = this.calls.preadv2(fd, vectors, count, offset, flags);
    return this.trace.called(n.preadv2, began, result, fd, vectors, count, offset, flags, 0);
  }

  pwritev2(fd: number, vectors: number, count: number, offset: number, flags: number): number {
    if (!this.trace.on) return this.calls.pwritev2(fd, vectors, count, offset, flags);
    const began = now();
    const result = this.calls.pwritev2(fd, vectors, count, offset, flags);
    return this.trace.called(n.pwritev2, began, result, fd, vectors, count, offset, flags, 0);
  }

  fsync(fd: number): number {
    if (!this.trace.on) return this.calls.fsync(fd);
    const began = now();
    const result = this.calls.fsync(fd);
    return this.trace.called(n.fsync, began, result, fd, 0, 0, 0, 0, 0);
  }

  fdatasync(fd: number): number {
    if (!this.trace.on) return this.calls.fdatasync(fd);
    const began = now();
    const result = this.calls.fdatasync(fd);
    return this.trace.called(n.fdatasync, began, result, fd, 0, 0, 0, 0, 0);
  }

  syncfs(fd: number): number {
    if (!this.trace.on) return this.calls.syncfs(fd);
    const began = now();
    const result = this.calls.syncfs(fd);
    return this.trace.called(n.syncfs, began, result, fd, 0, 0, 0, 0, 0);
  }

  fallocate(fd: number, mode: number, offset: number, length: number): number {
    if (!this.trace.on) return this.calls.fallocate(fd, mode, offset, length);
    const began = now();
    const result = this.calls.fallocate(fd, mode, offset, length);
    return this.trace.called(n.fallocate, began, result, fd, mode, offset, length, 0, 0);
  }

  lseek(fd: number, offset: number, whence: number): number {
    if (!this.trace.on) return this.calls.lseek(fd, offset, whence);
    const began = now();
    const result = this.calls.lseek(fd, offset, whence);
    return this.trace.called(n.lseek, began, result, fd, offset, whence, 0, 0, 0);
  }

  seekFolder(fd: number, positionLow: number, positionHigh: number): number {
    if (!this.trace.on) return this.calls.seekFolder(fd, positionLow, positionHigh);
    const began = now();
    const result = this.calls.seekFolder(fd, positionLow, positionHigh);
    return this.trace.called(n.lseek, began, result, fd, positionHigh * 0x1_0000_0000 + positionLow, 0, 0, 0, 0);
  }

  getdents64(fd: number, into: number, capacity: number): number {
    if (!this.trace.on) return this.calls.getdents64(fd, into, capacity);
    const began = now();
    const result = this.calls.getdents64(fd, into, capacity);
    return this.trace.called(n.getdents64, began, result, fd, into, capacity, 0, 0, 0);
  }

  fstatfs(fd: number, into: number): number {
    if (!this.trace.on) return this.calls.fstatfs(fd, into);
    const began = now();
    const result = this.calls.fstatfs(fd, into);
    return this.trace.called(n.fstatfs, began, result, fd, into, 0, 0, 0, 0);
  }

  faccessat2(directory: number, path: number, mask: number, flags: number): number {
    if (!this.trace.on) return this.calls.faccessat2(directory, path, mask, flags);
    const began = now();
    const result = this.calls.faccessat2(directory, path, mask, flags);
    return this.trace.called(n.faccessat2, began, result, directory, path, mask, flags, 0, 0);
  }

  getxattr(path: number, name: number, into: number, size: number): number {
    if (!this.trace.on) return this.calls.getxattr(path, name, into, size);
    const began = now();
    const result = this.calls.getxattr(path, name, into, size);
    return this.trace.called(n.getxattr, began, result, path, name, into, size, 0, 0);
  }

  listxattr(path: number, into: number, size: number): number {
    if (!this.trace.on) return this.calls.listxattr(path, into, size);
    const began = now();
    const result = this.calls.listxattr(path, into, size);
    return this.trace.called(n.listxattr, began, result, path, into, size, 0, 0, 0);
  }

  setxattr(path: number, name: number, value: number, size: number, flags: number): number {
    if (!this.trace.on) return this.calls.setxattr(path, name, value, size, flags);
    const began = now();
    const result = this.calls.setxattr(path, name, value, size, flags);
    return this.trace.called(n.setxattr, began, result, path, name, value, size, flags, 0);
  }

  removexattr(path: number, name: number): number {
    if (!this.trace.on) return this.calls.removexattr(path, name);
    const began = now();
    const result = this.calls.removexattr(path, name);
    return this.trace.called(n.removexattr, began, result, path, name, 0, 0, 0, 0);
  }

  copyFileRange(from: number, fromOffset: number, to: number, toOffset: number, length: number, flags: number): number {
    if (!this.trace.on) return this.calls.copyFileRange(from, fromOffset, to, toOffset, length, flags);
    const began = now();
    const result = this.calls.copyFileRange(from, fromOffset, to, toOffset, length, flags);
    return this.trace.called(n.copy_file_range, began, result, from, fromOffset, to, toOffset, length, flags);
  }

  flock(fd: number, operation: number): number {
    if (!this.trace.on) return this.calls.flock(fd, operation);
    const began = now();
    const result = this.calls.flock(fd, operation);
    return this.trace.called(n.flock, began, result, fd, operation, 0, 0, 0, 0);
  }

  fcntlLock(fd: number, command: number, lock: number): number {
    if (!this.trace.on) return this.calls.fcntlLock(fd, command, lock);
    const began = now();
    const result = this.calls.fcntlLock(fd, command, lock);
    return this.trace.called(n.fcntl, began, result, fd, command, lock, 0, 0, 0);
  }

  duplicate(fd: number): number {
    if (!this.trace.on) return this.calls.duplicate(fd);
    const began = now();
    const result = this.calls.duplicate(fd);
    return this.trace.called(n.fcntl, began, result, fd, DUPFD_CLOEXEC, 0, 0, 0, 0);
  }

  ioctl(fd: number, command: number, argument: number): number {
    if (!this.trace.on) return this.calls.ioctl(fd, command, argument);
    const began = now();
    const result = this.calls.ioctl(fd, command, argument);
    return this.trace.called(n.ioctl, began, result, fd, command, argument, 0, 0, 0);
  }

  memoryFile(size: number): number {
    if (!this.trace.on) return this.calls.memoryFile(size);
    const began = now();
    const result = this.calls.memoryFile(size);
    return this.trace.called(n.memfd_create, began, result, size, 0, 0, 0, 0, 0);
  }

  dropFsetid(): number {
    if (!this.trace.on) return this.calls.dropFsetid();
    const began = now();
    const result = this.calls.dropFsetid();
    return this.trace.called(n.capset, began, result, 4, 0, 0, 0, 0, 0);
  }

  impersonate(uid: number, gid: number, supplementaryGid: number): number {
    // Nothing is called when that is who it is already.
    if (!this.trace.on || (uid === 0 && gid === 0 && supplementaryGid < 0)) {
      return this.calls.impersonate(uid, gid, supplementaryGid);
    }
    const began = now();
    const result = this.calls.impersonate(uid, gid, supplementaryGid);
    this.acting = true;
    return this.trace.called(n.setresuid, began, result, uid, gid, Math.max(NO_GROUP, supplementaryGid), 0, 0, 0);
  }

  resume(): void {
    if (!this.acting) return this.calls.resume();
    this.acting = false;
    const began = now();
    this.calls.resume();
    this.trace.called(n.setresuid, began, 0, 0, 0, -1, 0, 0, 0);
  }
}
