/**
 * Attributes of inodes in the shared folder: reading and changing them, symlink targets, access checks, statfs.
 *
 * Changes are made in the order and by the calls of the C virtiofsd: mode, owner, size, times. What is done by a path
 * goes through /proc/self/fd, which leads to the inode itself whatever its names do meanwhile. A change of size that
 * meets a lease waits for its end.
 */
import { Errno } from '../protocol/errno';
import type { AttributeChanges, Caller, Handle, Node } from './fileSystem';
import type { HostFolder } from './hostFolder';
import * as linux from './linux';
import type { Opening } from './opening';

const NO_HANDLE = -1;
/** PATH_MAX without the NUL: no target goes on behind that. */
const LONGEST_TARGET = 4095;
const ANY_TIME = linux.FATTR_ATIME | linux.FATTR_MTIME;

export class Attributes {
  constructor(
    private readonly folder: HostFolder,
    private readonly opening: Opening,
  ) {}

  getattr(node: Node): number {
    const fd = this.folder.fdOf(node);
    return fd < 0 ? fd : this.folder.statFd(fd);
  }

  setattr(node: Node, handle: Handle, changes: AttributeChanges, caller: Caller): number {
    const { folder } = this;
    if (folder.options.readOnly) return -Errno.EROFS;
    const fd = folder.fdOf(node);
    if (fd < 0) return fd;
    let failed = 0;
    if (changes.valid & linux.FATTR_MODE) failed = this.changeMode(fd, handle, changes.mode & 0o7777);
    if (failed === 0 && changes.valid & (linux.FATTR_UID | linux.FATTR_GID)) {
      const uid = changes.valid & linux.FATTR_UID ? changes.uid : -1;
      const gid = changes.valid & linux.FATTR_GID ? changes.gid : -1;
      const empty = folder.arena.address(folder.areas.empty);
      failed = folder.calls.fchownat(fd, empty, uid, gid, linux.AT_EMPTY_PATH | linux.AT_SYMLINK_NOFOLLOW);
    }
    if (failed < 0) return failed;
    const result = this.changeSizeAndTimes(node, handle, changes);
    return result === -Errno.EAGAIN ? this.waitForLease(node, changes, caller) : result;
  }

  /** The rest of a change; -EAGAIN, with nothing done, where a lease is in the way of the size. */
  private changeSizeAndTimes(node: Node, handle: Handle, changes: AttributeChanges): number {
    const { folder } = this;
    const { valid } = changes;
    let failed = 0;
    if (valid & linux.FATTR_SIZE) {
      failed = this.changeSize(node, handle, changes.size, (valid & linux.FATTR_KILL_SUIDGID) !== 0);
    }
    const fd = folder.fdOf(node);
    if (failed === 0) failed = fd;
    if (failed >= 0 && valid & ANY_TIME) failed = this.changeTimes(fd, changes);
    return failed < 0 ? failed : folder.statFd(fd);
  }

  private waitForLease(node: Node, changes: AttributeChanges, caller: Caller): number {
    const own = { ...changes };
    return this.opening.wait(node, caller, () => this.changeSizeAndTimes(node, NO_HANDLE, own));
  }

  private changeMode(fd: number, handle: Handle, mode: number): number {
    const { calls, handles, procSelfFd } = this.folder;
    return handle >= 0
      ? calls.fchmod(handles.fd[handle], mode)
      : calls.fchmodat(procSelfFd, this.folder.nameOf(fd), mode);
  }

  private changeSize(node: Node, handle: Handle, size: number, killPriv: boolean): number {
    const { calls, handles, nodes } = this.folder;
    const type = nodes.type[node];
    if (type !== linux.FileType.REGULAR) return type === linux.FileType.FOLDER ? -Errno.EISDIR : -Errno.EINVAL;
    if (handle < 0 || (handles.flags[handle] & linux.O_ACCMODE) === linux.O_RDONLY) {
      return this.opening.truncate(node, size, killPriv);
    }
    const refused = killPriv ? calls.dropFsetid() : 0;
    if (refused < 0) return refused;
    const result = calls.ftruncate(handles.fd[handle], size);
    if (killPriv) calls.resume();
    return result;
  }

  private changeTimes(fd: number, changes: AttributeChanges): number {
    const { calls, arena, areas } = this.folder;
    const { valid } = changes;
    const at = areas.scratch;
    arena.setU64(at, changes.atime);
    arena.setU64(at + 8, nanoseconds(valid, linux.FATTR_ATIME, linux.FATTR_ATIME_NOW, changes.atimeNsec));
    arena.setU64(at + 16, changes.mtime);
    arena.setU64(at + 24, nanoseconds(valid, linux.FATTR_MTIME, linux.FATTR_MTIME_NOW, changes.mtimeNsec));
    return calls.utimensat(fd, arena.address(areas.empty), arena.address(at), linux.AT_EMPTY_PATH);
  }

  readlink(node: Node, into: number, capacity: number): number {
    const { calls, arena, areas } = this.folder;
    const fd = this.folder.fdOf(node);
    if (fd < 0) return fd;
    const length = calls.readlinkat(fd, arena.address(areas.empty), arena.address(into), capacity);
    return length === capacity && length < LONGEST_TARGET ? -Errno.ENAMETOOLONG : length;
  }

  access(node: Node, mask: number, caller: Caller): number {
    const fd = this.folder.fdOf(node);
    return fd < 0 ? fd : this.folder.access(fd, mask, caller);
  }

  statfs(node: Node, into: number): number {
    const fd = this.folder.fdOf(node);
    return fd < 0 ? fd : this.folder.calls.fstatfs(fd, this.folder.arena.address(into));
  }
}

function nanoseconds(valid: number, set: number, now: number, value: number): number {
  if ((valid & set) === 0) return linux.UTIME_OMIT;
  return valid & now ? linux.UTIME_NOW : value;
}
