/**
 * Extended attributes, by /proc/self/fd paths: O_PATH descriptors, which inodes are known by, take no other way.
 *
 * Off unless asked for; then ENOSYS, which makes a Linux guest stop asking (EOPNOTSUPP would be asked again each time).
 */
import { Errno } from '../protocol/errno';
import type { Node } from './fileSystem';
import type { HostFolder } from './hostFolder';

export class Xattrs {
  constructor(private readonly folder: HostFolder) {}

  get(node: Node, name: number, into: number, size: number): number {
    const { calls, arena, options } = this.folder;
    if (!options.xattr) return -Errno.ENOSYS;
    const fd = this.folder.fdOf(node);
    if (fd < 0) return fd;
    return calls.getxattr(this.folder.pathOf(fd), arena.address(name), arena.address(into), size);
  }

  list(node: Node, into: number, size: number): number {
    const { calls, arena, options } = this.folder;
    if (!options.xattr) return -Errno.ENOSYS;
    const fd = this.folder.fdOf(node);
    if (fd < 0) return fd;
    return calls.listxattr(this.folder.pathOf(fd), arena.address(into), size);
  }

  set(node: Node, name: number, value: number, size: number, flags: number, killSgid: boolean): number {
    const { calls, arena, options } = this.folder;
    if (!options.xattr) return -Errno.ENOSYS;
    if (options.readOnly) return -Errno.EROFS;
    const fd = this.folder.fdOf(node);
    if (fd < 0) return fd;
    const refused = killSgid ? calls.dropFsetid() : 0;
    if (refused < 0) return refused;
    const path = this.folder.pathOf(fd);
    const result = calls.setxattr(path, arena.address(name), arena.address(value), size, flags);
    if (killSgid) calls.resume();
    return result;
  }

  remove(node: Node, name: number): number {
    const { calls, arena, options } = this.folder;
    if (!options.xattr) return -Errno.ENOSYS;
    if (options.readOnly) return -Errno.EROFS;
    const fd = this.folder.fdOf(node);
    if (fd < 0) return fd;
    return calls.removexattr(this.folder.pathOf(fd), arena.address(name));
  }
}
