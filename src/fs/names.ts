/**
 * Names in the shared folder: looking one up, making, linking, renaming and removing them, and forgetting inodes.
 *
 * LOOKUP is the request guests send most, most of what it finds is never used for more, and descriptors are what a
 * daemon runs out of. So it is one `statx` by name: an inode is known by its name until it is used, and only then
 * opened and checked to be the same. Long names, and file systems on which that check could be fooled, get one at once.
 */
import { Errno } from '../protocol/errno';
import { ROOT, type Caller, type Handle, type Node, finishedBy } from './fileSystem';
import { HandleKind } from './handleTable';
import { type HostFolder, INODE } from './hostFolder';
import * as linux from './linux';
import type { Opening } from './opening';

/** Who is told of inodes. */
export interface InodeWatcher {
  /** The guest knows it no more: its locks end, and what waits for it. */
  nodeEnds(node: Node): void;
  /** A file that was there has been opened with O_TRUNC. */
  truncated(node: Node): void;
}

export class Names {
  /** The handle that the last successful `create` or `tmpfile` opened. */
  createdHandle: Handle = -1;
  /** Whether the folder found or made last lies on another mount than its parent. */
  crossedDevice = false;

  constructor(
    private readonly folder: HostFolder,
    private readonly opening: Opening,
    private readonly watcher: InodeWatcher,
  ) {}

  /** Fills attributes; one lookup more. */
  lookup(parent: Node, name: number): Node | number {
    const { folder } = this;
    const directory = folder.fdOf(parent);
    if (directory < 0) return directory;
    const failed = folder.statName(directory, folder.arena.address(name));
    if (failed < 0) return failed;
    const { nodes, options } = folder;
    const known = folder.known();
    if (known > 0) {
      if (nodes.fd[known] >= 0 || folder.renew(known, parent, name)) return this.again(parent, known);
      return this.lookupOpened(parent, name);
    }
    if (nodes.count >= options.inodes) return -Errno.ENFILE;
    if (!folder.knowsBirth) return this.lookupOpened(parent, name);
    const fresh = folder.insert(-1);
    if (!nodes.setName(fresh, parent, folder.arena.u8, name)) {
      nodes.remove(fresh);
      return this.lookupOpened(parent, name);
    }
    this.noteCrossing(parent, fresh);
    return fresh;
  }

  /** The same for what is to have a descriptor of its own from the start. */
  private lookupOpened(parent: Node, name: number): Node | number {
    const { folder } = this;
    if (!folder.budget.hasRoomForInode) return -Errno.EMFILE;
    const fd = folder.calls.openat(folder.nodes.fd[parent], folder.arena.address(name), INODE, 0);
    if (fd < 0) return fd;
    const failed = folder.statFd(fd);
    const known = failed < 0 ? 0 : folder.known();
    if (failed < 0 || (known > 0 && folder.nodes.fd[known] >= 0)) {
      folder.calls.close(fd);
      return failed < 0 ? failed : this.again(parent, known);
    }
    if (known > 0) {
      folder.keep(known, fd);
      return this.again(parent, known);
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
      // First: one that waits for the inode ends now, and gives back the lookup that it has had for itself.
      nodes.lookups[node] = 0;
      this.watcher.nodeEnds(node);
      this.folder.endNode(node);
    }
  }

  mkdir(parent: Node, name: number, mode: number, caller: Caller): Node | number {
    const { calls, arena } = this.folder;
    const directory = this.beginMaking(parent, false, caller);
    if (directory < 0) return directory;
    return this.made(parent, name, calls.mkdirat(directory, arena.address(name), mode & 0o7777));
  }

  mknod(parent: Node, name: number, mode: number, rdev: number, caller: Caller): Node | number {
    const { calls, arena } = this.folder;
    const directory = this.beginMaking(parent, false, caller);
    if (directory < 0) return directory;
    return this.made(parent, name, calls.mknodat(directory, arena.address(name), mode, rdev));
  }

  symlink(parent: Node, name: number, target: number, caller: Caller): Node | number {
    const { calls, arena } = this.folder;
    const directory = this.beginMaking(parent, false, caller);
    if (directory < 0) return directory;
    return this.made(parent, name, calls.symlinkat(arena.address(target), directory, arena.address(name)));
  }

  link(node: Node, newParent: Node, newName: number): Node | number {
    const { calls, arena, options, procSelfFd } = this.folder;
    if (options.readOnly) return -Errno.EROFS;
    const directory = this.folder.fdOf(newParent);
    if (directory < 0) return directory;
    const fd = this.folder.fdOf(node);
    if (fd < 0) return fd;
    const from = this.folder.nameOf(fd);
    const failed = calls.linkat(procSelfFd, from, directory, arena.address(newName), linux.AT_SYMLINK_FOLLOW);
    return failed < 0 ? failed : this.lookup(newParent, newName);
  }

  /**
   * Makes and opens a file. The new inode lives on the open descriptor until that is released: one call less here, and
   * none at all for a file that is gone by then.
   */
  create(
    parent: Node,
    name: number,
    mode: number,
    guestFlags: number,
    killPriv: boolean,
    caller: Caller,
  ): Node | number {
    const flags = this.folder.openFlags(guestFlags);
    if (flags < 0) return flags;
    const { calls, arena } = this.folder;
    const directory = this.beginMaking(parent, true, caller);
    if (directory < 0) return directory;
    // O_EXCL always: an open of something that is there already, maybe a device or a symlink, has its own checks.
    const fd = calls.openat(
      directory,
      arena.address(name),
      flags | linux.O_CREAT | linux.O_EXCL | linux.O_NOFOLLOW | linux.O_NOCTTY | linux.O_CLOEXEC,
      mode & 0o7777,
    );
    this.folder.endActing();
    if (fd === -Errno.EEXIST && (guestFlags & linux.O_EXCL) === 0)
      return this.openExisting(parent, name, guestFlags, killPriv, caller);
    return fd < 0 ? fd : this.adopt(parent, fd, flags);
  }

  tmpfile(parent: Node, mode: number, guestFlags: number, caller: Caller): Node | number {
    const flags = this.folder.openFlags(guestFlags);
    if (flags < 0) return flags;
    const { calls, arena, areas } = this.folder;
    const directory = this.beginMaking(parent, true, caller);
    if (directory < 0) return directory;
    const fd = calls.openat(
      directory,
      arena.address(areas.dot),
      flags | linux.O_TMPFILE | (guestFlags & linux.O_EXCL) | linux.O_CLOEXEC,
      mode & 0o7777,
    );
    this.folder.endActing();
    return fd < 0 ? fd : this.adopt(parent, fd, flags);
  }

  unlink(parent: Node, name: number): number {
    return this.remove(parent, name, 0);
  }

  rmdir(parent: Node, name: number): number {
    return this.remove(parent, name, linux.AT_REMOVEDIR);
  }

  rename(parent: Node, name: number, newParent: Node, newName: number, flags: number): number {
    const { folder } = this;
    const { calls, arena, options } = folder;
    if (options.readOnly) return -Errno.EROFS;
    const from = folder.fdOf(parent);
    if (from < 0) return from;
    const to = folder.fdOf(newParent);
    if (to < 0) return to;
    folder.nameGoes(parent, name);
    folder.nameGoes(newParent, newName);
    return calls.renameat2(from, arena.address(name), to, arena.address(newName), flags);
  }

  private remove(parent: Node, name: number, flags: number): number {
    const { folder } = this;
    if (folder.options.readOnly) return -Errno.EROFS;
    const directory = folder.fdOf(parent);
    if (directory < 0) return directory;
    folder.nameGoes(parent, name);
    return folder.calls.unlinkat(directory, folder.arena.address(name), flags);
  }

  /** The parent's descriptor, for a call to be made as the caller, then `endActing`; or a negative errno. */
  private beginMaking(parent: Node, opens: boolean, caller: Caller): number {
    const { folder } = this;
    const { budget, nodes, options } = folder;
    if (options.readOnly) return -Errno.EROFS;
    const directory = folder.fdOf(parent);
    if (directory < 0) return directory;
    // Nothing is made that could not be told of then. Now: the parent may have taken the last descriptor.
    if (opens ? !budget.hasRoom : !budget.hasRoomForInode) return -Errno.EMFILE;
    if (nodes.count >= options.inodes) return -Errno.ENFILE;
    const refused = folder.actAs(caller);
    return refused < 0 ? refused : directory;
  }

  private made(parent: Node, name: number, result: number): Node | number {
    this.folder.endActing();
    return result < 0 ? result : this.lookup(parent, name);
  }

  private openExisting(
    parent: Node,
    name: number,
    guestFlags: number,
    killPriv: boolean,
    caller: Caller,
  ): Node | number {
    const node = this.lookup(parent, name);
    if (node < 0) return node;
    const refused = this.mayOpen(node, guestFlags, caller);
    if (refused < 0) {
      this.forget(node, 1);
      return refused;
    }
    const handle = this.opening.open(node, guestFlags, killPriv);
    if (handle === -Errno.EAGAIN && (guestFlags & linux.O_NONBLOCK) === 0) {
      return this.openLater(node, guestFlags, killPriv, caller);
    }
    const result = handle < 0 ? handle : this.opened(node, handle, guestFlags, false);
    if (result < 0) this.forget(node, 1);
    return result;
  }

  /**
   * A guest's kernel takes what CREATE opens to be new, and checks nothing: so the host has to. What it does not let
   * the caller have, or cannot say, is ESTALE, upon which that kernel looks again, finds it and judges by itself, with
   * all groups.
   */
  private mayOpen(node: Node, guestFlags: number, caller: Caller): number {
    const { folder } = this;
    if (caller.uid === 0 || !folder.options.canImpersonate) return 0;
    const fd = folder.fdOf(node);
    if (fd < 0) return fd;
    const access = guestFlags & linux.O_ACCMODE;
    const writes = access !== linux.O_RDONLY || (guestFlags & linux.O_TRUNC) !== 0;
    const mask = (access === linux.O_WRONLY ? 0 : linux.R_OK) | (writes ? linux.W_OK : 0);
    return folder.access(fd, mask, caller) < 0 ? -Errno.ESTALE : 0;
  }

  /** The lookup of a node that waits is kept for the reply, and given back where that is an error. */
  private openLater(node: Node, guestFlags: number, killPriv: boolean, caller: Caller): number {
    const { opening } = this;
    const parked = caller.defer();
    const attempt = (): Node | number => {
      const handle = opening.open(node, guestFlags, killPriv);
      return handle < 0 ? handle : this.opened(node, handle, guestFlags, true);
    };
    const finish = (result: number): void => {
      if (result < 0) this.forget(node, 1);
      parked.finish(result);
    };
    return opening.wait(node, caller, attempt, finishedBy(parked, finish));
  }

  /** A file that was there has its handle. `later`: its attributes have not just been taken. */
  private opened(node: Node, handle: Handle, guestFlags: number, later: boolean): Node | number {
    const { folder } = this;
    const truncates = (guestFlags & linux.O_TRUNC) !== 0;
    // Truncated after the attributes were taken.
    const failed = later || truncates ? folder.statFd(folder.handles.fd[handle]) : 0;
    if (failed < 0) {
      folder.endHandle(handle);
      return failed;
    }
    this.crossedDevice = false;
    this.createdHandle = handle;
    if (truncates) this.watcher.truncated(node);
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
    if (known === 0 || folder.nodes.fd[known] < 0) folder.lend(handle, node);
    this.createdHandle = handle;
    return node;
  }
}
