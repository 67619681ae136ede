/**
 * Names in the shared folder: looking one up, making, linking, renaming and removing them, and forgetting inodes.
 *
 * LOOKUP is the request guests send most, so system calls are counted here: one `statx` where the inode is known
 * already; `openat` and `statx` on the new descriptor where it is expected to be new. Which of the two is guessed from
 * the last lookup, or known from the inode number when the name comes from a directory that is being read.
 */
import { Errno } from '../protocol/errno';
import { ROOT, type Caller, type Handle, type Node } from './fileSystem';
import { HandleKind } from './handleTable';
import type { HostFolder } from './hostFolder';
import * as linux from './linux';

const INODE = linux.O_PATH | linux.O_NOFOLLOW | linux.O_CLOEXEC;

/** What else ends when an inode does: its locks. */
export interface InodeEnd {
  nodeEnds(node: Node): void;
}

export class Names {
  /** The handle that the last successful `create` or `tmpfile` opened. */
  createdHandle: Handle = -1;
  /** Whether the folder found or made last lies on another mount than its parent. */
  crossedDevice = false;
  private expectNew = false;

  constructor(
    private readonly folder: HostFolder,
    private readonly locks: InodeEnd,
  ) {}

  /** Fills attributes; one lookup more. */
  lookup(parent: Node, name: number): Node | number {
    const before = this.folder.nodes.count;
    const node = this.find(parent, this.folder.arena.address(name), this.expectNew);
    if (node >= 0) this.expectNew = this.folder.nodes.count > before;
    return node;
  }

  /** The same for a name just read from its folder, whose inode is expected to be new or known. */
  lookupEntry(parent: Node, name: number, isNew: boolean): Node | number {
    return this.find(parent, this.folder.arena.address(name), isNew);
  }

  private find(parent: Node, name: number, expectNew: boolean): Node | number {
    const folder = this.folder;
    const directory = folder.nodes.fd[parent];
    if (!expectNew || !folder.budget.hasRoomForInode) {
      const failed = folder.statName(directory, name);
      if (failed < 0) return failed;
      const node = folder.known();
      if (node > 0) return this.again(parent, node);
      if (!folder.budget.hasRoomForInode) return -Errno.EMFILE;
    }
    const fd = folder.calls.openat(directory, name, INODE, 0);
    if (fd < 0) return fd;
    const failed = folder.statFd(fd);
    if (failed < 0) {
      folder.calls.close(fd);
      return failed;
    }
    const node = folder.known();
    if (node > 0) {
      folder.calls.close(fd);
      return this.again(parent, node);
    }
    folder.budget.take();
    const fresh = folder.insert(fd);
    this.noteCrossing(parent, fresh);
    return fresh;
  }

  private again(parent: Node, node: Node): Node {
    this.folder.nodes.lookups[node]++;
    this.noteCrossing(parent, node);
    return node;
  }

  private noteCrossing(parent: Node, node: Node): void {
    const nodes = this.folder.nodes;
    this.crossedDevice =
      nodes.type[node] === linux.FileType.FOLDER &&
      (nodes.mount[node] !== nodes.mount[parent] || nodes.device[node] !== nodes.device[parent]);
  }

  forget(node: Node, count: number): void {
    const nodes = this.folder.nodes;
    if (node === ROOT || nodes.lookups[node] <= 0) return;
    if (nodes.lookups[node] > count) {
      nodes.lookups[node] -= count;
    } else {
      this.locks.nodeEnds(node);
      this.folder.endNode(node);
    }
  }

  mkdir(parent: Node, name: number, mode: number, caller: Caller): Node | number {
    const { calls, nodes, arena } = this.folder;
    const refused = this.beginMaking(caller);
    if (refused < 0) return refused;
    return this.made(parent, name, calls.mkdirat(nodes.fd[parent], arena.address(name), mode & 0o7777));
  }

  mknod(parent: Node, name: number, mode: number, rdev: number, caller: Caller): Node | number {
    const { calls, nodes, arena } = this.folder;
    const refused = this.beginMaking(caller);
    if (refused < 0) return refused;
    return this.made(parent, name, calls.mknodat(nodes.fd[parent], arena.address(name), mode, rdev));
  }

  symlink(parent: Node, name: number, target: number, caller: Caller): Node | number {
    const { calls, nodes, arena } = this.folder;
    const refused = this.beginMaking(caller);
    if (refused < 0) return refused;
    return this.made(parent, name, calls.symlinkat(arena.address(target), nodes.fd[parent], arena.address(name)));
  }

  link(node: Node, newParent: Node, newName: number): Node | number {
    const { calls, nodes, arena, options, procSelfFd } = this.folder;
    if (options.readOnly) return -Errno.EROFS;
    const failed = calls.linkat(
      procSelfFd,
      this.folder.nameOf(nodes.fd[node]),
      nodes.fd[newParent],
      arena.address(newName),
      linux.AT_SYMLINK_FOLLOW,
    );
    return failed < 0 ? failed : this.find(newParent, arena.address(newName), false);
  }

  /**
   * Makes and opens a file. The new inode lives on the open descriptor until that is released: one call less here, and
   * none at all for a file that is gone by then.
   */
  create(parent: Node, name: number, mode: number, guestFlags: number, caller: Caller): Node | number {
    const flags = this.folder.openFlags(guestFlags);
    if (flags < 0) return flags;
    const { calls, nodes, arena } = this.folder;
    const refused = this.beginOpening(caller);
    if (refused < 0) return refused;
    // O_EXCL always: an open of something that is there already, maybe a device or a symlink, has its own checks.
    const fd = calls.openat(
      nodes.fd[parent],
      arena.address(name),
      flags | linux.O_CREAT | linux.O_EXCL | linux.O_NOFOLLOW | linux.O_NOCTTY | linux.O_CLOEXEC,
      mode & 0o7777,
    );
    this.folder.endActing();
    if (fd === -Errno.EEXIST && (guestFlags & linux.O_EXCL) === 0) return this.openExisting(parent, name, flags);
    return fd < 0 ? fd : this.adopt(parent, fd, flags);
  }

  tmpfile(parent: Node, mode: number, guestFlags: number, caller: Caller): Node | number {
    const flags = this.folder.openFlags(guestFlags);
    if (flags < 0) return flags;
    const { calls, nodes, arena, areas } = this.folder;
    const refused = this.beginOpening(caller);
    if (refused < 0) return refused;
    const fd = calls.openat(
      nodes.fd[parent],
      arena.address(areas.dot),
      flags | linux.O_TMPFILE | (guestFlags & linux.O_EXCL) | linux.O_CLOEXEC,
      mode & 0o7777,
    );
    this.folder.endActing();
    return fd < 0 ? fd : this.adopt(parent, fd, flags);
  }

  unlink(parent: Node, name: number): number {
    const { calls, nodes, arena, options } = this.folder;
    return options.readOnly ? -Errno.EROFS : calls.unlinkat(nodes.fd[parent], arena.address(name), 0);
  }

  rmdir(parent: Node, name: number): number {
    const { calls, nodes, arena, options } = this.folder;
    return options.readOnly ? -Errno.EROFS : calls.unlinkat(nodes.fd[parent], arena.address(name), linux.AT_REMOVEDIR);
  }

  rename(parent: Node, name: number, newParent: Node, newName: number, flags: number): number {
    const { calls, nodes, arena, options } = this.folder;
    if (options.readOnly) return -Errno.EROFS;
    const from = arena.address(name);
    const to = arena.address(newName);
    return calls.renameat2(nodes.fd[parent], from, nodes.fd[newParent], to, flags);
  }

  private beginMaking(caller: Caller): number {
    if (this.folder.options.readOnly) return -Errno.EROFS;
    if (!this.folder.budget.hasRoomForInode) return -Errno.EMFILE;
    return this.folder.actAs(caller);
  }

  private beginOpening(caller: Caller): number {
    if (this.folder.options.readOnly) return -Errno.EROFS;
    if (!this.folder.budget.hasRoom) return -Errno.EMFILE;
    return this.folder.actAs(caller);
  }

  private made(parent: Node, name: number, result: number): Node | number {
    this.folder.endActing();
    return result < 0 ? result : this.find(parent, this.folder.arena.address(name), true);
  }

  private openExisting(parent: Node, name: number, flags: number): Node | number {
    const node = this.find(parent, this.folder.arena.address(name), false);
    if (node < 0) return node;
    const fd = this.folder.budget.hasRoom ? this.folder.reopen(node, flags) : -Errno.EMFILE;
    if (fd < 0) {
      this.forget(node, 1);
      return fd;
    }
    this.createdHandle = this.folder.addHandle(fd, node, flags, HandleKind.File);
    // Truncated after the attributes were taken.
    if (flags & linux.O_TRUNC) this.folder.statFd(fd);
    return node;
  }

  private adopt(parent: Node, fd: number, flags: number): Node | number {
    const folder = this.folder;
    const failed = folder.statFd(fd);
    if (failed < 0) {
      folder.calls.close(fd);
      return failed;
    }
    const known = folder.known();
    const node = known > 0 ? this.again(parent, known) : folder.insert(fd);
    this.crossedDevice = false;
    const handle = folder.addHandle(fd, node, flags, HandleKind.File);
    if (known === 0) folder.nodes.lender[node] = handle;
    this.createdHandle = handle;
    return node;
  }
}
