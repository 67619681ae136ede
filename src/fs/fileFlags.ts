/**
 * IOCTL, as far as it is safe: the inode flags that chattr and lsattr show. Everything else is ENOTTY, as it would act
 * on the host's devices or with the daemon's rights in ways no one has checked.
 *
 * What may be set: NODUMP, NOATIME, SYNC, DIRSYNC, COMPR, NOCOW, which say how a file of the guest's is kept. Not
 * APPEND and IMMUTABLE (the host's own administrator could not remove the file any more, and the guest's root is not
 * the host's), not JOURNAL_DATA, DAX, VERITY, ENCRYPT, CASEFOLD, PROJINHERIT and project ids (they act on quotas and
 * on the whole file system). Setting them as they are is no change, and so allowed. linux/fs.h.
 */
import { Errno } from '../protocol/errno';
import type { Handle } from './fileSystem';
import type { HostFolder } from './hostFolder';

const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const FS_IOC_FSGETXATTR = 0x801c581f;
const FS_IOC_FSSETXATTR = 0x401c5820;

/** FS_SYNC_FL, FS_COMPR_FL, FS_NODUMP_FL, FS_NOATIME_FL, FS_DIRSYNC_FL, FS_NOCOW_FL. */
const SAFE_FLAGS = 0x8 | 0x4 | 0x40 | 0x80 | 0x10000 | 0x800000;

/** FS_XFLAG_SYNC, FS_XFLAG_NOATIME, FS_XFLAG_NODUMP. */
const SAFE_XFLAGS = 0x20 | 0x40 | 0x80;

/** struct fsxattr: u32 xflags, extsize, nextents, projid, cowextsize, 8 bytes of padding. */
const Fsxattr = { xflags: 0, extentSize: 4, extents: 8, project: 12, cowExtentSize: 16, byteLength: 28 } as const;

export class FileFlags {
  constructor(private readonly folder: HostFolder) {}

  /** Bytes put at `data`, or a negative errno. */
  ioctl(handle: Handle, command: number, data: number, inLength: number, outCapacity: number): number {
    switch (command >>> 0) {
      case FS_IOC_GETFLAGS:
        return this.get(handle, command, data, 4, outCapacity);
      case FS_IOC_FSGETXATTR:
        return this.get(handle, command, data, Fsxattr.byteLength, outCapacity);
      case FS_IOC_SETFLAGS:
        return this.set(handle, command, FS_IOC_GETFLAGS, data, 4, inLength);
      case FS_IOC_FSSETXATTR:
        return this.set(handle, command, FS_IOC_FSGETXATTR, data, Fsxattr.byteLength, inLength);
      default:
        return -Errno.ENOTTY;
    }
  }

  private get(handle: Handle, command: number, data: number, size: number, outCapacity: number): number {
    const { calls, handles, arena, areas } = this.folder;
    if (outCapacity < size) return -Errno.EINVAL;
    const at = areas.scratch;
    arena.zero(at, 32);
    const result = calls.ioctl(handles.fd[handle], command, arena.address(at));
    if (result < 0) return result;
    arena.u8.copyWithin(data, at, at + size);
    return size;
  }

  private set(handle: Handle, command: number, inquiry: number, data: number, size: number, inLength: number): number {
    const { calls, handles, arena, areas, options } = this.folder;
    if (options.readOnly) return -Errno.EROFS;
    if (inLength < size) return -Errno.EINVAL;
    const fd = handles.fd[handle];
    const old = areas.scratch;
    const wanted = old + 64;
    arena.zero(old, 128);
    arena.u8.copyWithin(wanted, data, data + size);
    const failed = calls.ioctl(fd, inquiry, arena.address(old));
    if (failed < 0) return failed;
    if (!(size === Fsxattr.byteLength ? this.safeAttributes(old, wanted) : this.safeFlags(old, wanted)))
      return -Errno.EPERM;
    return calls.ioctl(fd, command, arena.address(wanted));
  }

  private safeFlags(old: number, wanted: number): boolean {
    const { arena } = this.folder;
    return ((arena.getU32(old) ^ arena.getU32(wanted)) & ~SAFE_FLAGS) === 0;
  }

  private safeAttributes(old: number, wanted: number): boolean {
    const { arena } = this.folder;
    return (
      ((arena.getU32(old) ^ arena.getU32(wanted)) & ~SAFE_XFLAGS) === 0 &&
      arena.getU32(old + Fsxattr.extentSize) === arena.getU32(wanted + Fsxattr.extentSize) &&
      arena.getU32(old + Fsxattr.project) === arena.getU32(wanted + Fsxattr.project) &&
      arena.getU32(old + Fsxattr.cowExtentSize) === arena.getU32(wanted + Fsxattr.cowExtentSize)
    );
  }
}
