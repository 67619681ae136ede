/**
 * Extended attributes, by /proc/self/fd paths: O_PATH descriptors, which inodes are known by, take no other way.
 *
 * Off unless asked for; then ENOSYS, which makes a Linux guest stop asking (EOPNOTSUPP would be asked again each time).
 *
 * POSIX ACLs are no plain attributes: the host turns an ACL's mask into the file's group bits, and a guest that has not
 * agreed on POSIX_ACL checks those bits alone. The owning group would get what is meant for the users that are named.
 * So an ACL can be neither set nor seen.
 */
import type { Arena } from '../base/arena';
import { Errno } from '../protocol/errno';
import type { Node } from './fileSystem';
import type { HostFolder } from './hostFolder';

/** What the names of both kinds of ACL, _access and _default, begin with. */
const ACL = new TextEncoder().encode('system.posix_acl_');

function isAcl({ u8 }: Arena, name: number): boolean {
  for (let i = 0; i < ACL.length; i++) {
    if (u8[name + i] !== ACL[i]) return false;
  }
  return true;
}

export class Xattrs {
  constructor(private readonly folder: HostFolder) {}

  get(node: Node, name: number, into: number, size: number): number {
    const { calls, arena, options } = this.folder;
    if (!options.xattr) return -Errno.ENOSYS;
    if (isAcl(arena, name)) return -Errno.EOPNOTSUPP;
    const fd = this.folder.fdOf(node);
    if (fd < 0) return fd;
    return calls.getxattr(this.folder.pathOf(fd), arena.address(name), arena.address(into), size);
  }

  /** The length alone may be too large, as listxattr(2) has it: ACLs are left out of the names only. */
  list(node: Node, into: number, size: number): number {
    const { calls, arena, options } = this.folder;
    if (!options.xattr) return -Errno.ENOSYS;
    const fd = this.folder.fdOf(node);
    if (fd < 0) return fd;
    const length = calls.listxattr(this.folder.pathOf(fd), arena.address(into), size);
    return size === 0 ? length : this.withoutAcls(into, length);
  }

  /** Closes the gaps where ACLs are left out of a list of names; its new length. */
  private withoutAcls(list: number, length: number): number {
    const { arena } = this.folder;
    let kept = 0;
    for (let at = 0; at < length;) {
      const bytes = arena.stringLength(list + at, Infinity) + 1;
      if (!isAcl(arena, list + at)) {
        if (kept < at) arena.u8.copyWithin(list + kept, list + at, list + at + bytes);
        kept += bytes;
      }
      at += bytes;
    }
    return length < 0 ? length : kept;
  }

  set(node: Node, name: number, value: number, size: number, flags: number): number {
    const { calls, arena, options } = this.folder;
    if (!options.xattr) return -Errno.ENOSYS;
    if (options.readOnly) return -Errno.EROFS;
    if (isAcl(arena, name)) return -Errno.EOPNOTSUPP;
    const fd = this.folder.fdOf(node);
    if (fd < 0) return fd;
    return calls.setxattr(this.folder.pathOf(fd), arena.address(name), arena.address(value), size, flags);
  }

  remove(node: Node, name: number): number {
    const { calls, arena, options } = this.folder;
    if (!options.xattr) return -Errno.ENOSYS;
    if (options.readOnly) return -Errno.EROFS;
    if (isAcl(arena, name)) return -Errno.EOPNOTSUPP;
    const fd = this.folder.fdOf(node);
    if (fd < 0) return fd;
    return calls.removexattr(this.folder.pathOf(fd), arena.address(name));
  }
}
