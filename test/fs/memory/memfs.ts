/**
 * A whole file system in memory, for a server over plain memory: no system call, no descriptor.
 *
 * Behaves as tmpfs does behind the passthrough one. Checks no permissions: the guest's kernel does. Slots of nodes and
 * handles are never used twice, so generations are all 0. Open files and their locks: memoryFiles.ts.
 */
import type { Arena } from '../../../src/base/arena';
import { Errno } from '../../../src/protocol/errno';
import {
  ROOT,
  type AttributeChanges,
  type Caller,
  type DirectorySink,
  type FileSystem,
  type Handle,
  type Lock,
  type Node,
  type Payload,
} from '../../../src/fs/fileSystem';
import * as linux from '../../../src/fs/linux';
import { MemoryFiles } from './memoryFiles';
import { MemoryInode, type Link } from './memoryInode';

/** Where in the arena it works; made by `memoryAreas`. */
export interface MemoryAreas {
  /** struct statx, 256 bytes. */
  readonly attributes: number;
  /** A name handed to a directory sink, 256 bytes. */
  readonly name: number;
  /** Data on its way between files and payloads. */
  readonly data: number;
  readonly dataSize: number;
}

const DATA_SIZE = 64 * 1024;

export const MEMORY_AREAS_SIZE = 512 + DATA_SIZE;

/** Lays the areas out from `start` (8-aligned) on. */
export function memoryAreas(start: number): MemoryAreas {
  return { attributes: start, name: start + 256, data: start + 512, dataSize: DATA_SIZE };
}

const NAME_MAX = 255;
const XATTR_CREATE = 1;
const XATTR_REPLACE = 2;
/** Not system.*: ACLs are not served (see xattrs.ts), and there is nothing else there. */
const XATTR_NAMES = /^(user|trusted|security)\../s;

export class MemoryFileSystem implements FileSystem {
  readonly attributes: number;
  readonly crossedDevice = false;
  createdHandle: Handle = -1;
  private readonly nodes: (MemoryInode | undefined)[] = [undefined];
  private readonly slots = new Map<MemoryInode, Node>();
  private readonly files: MemoryFiles;
  private nextNumber = 1;

  constructor(
    private readonly arena: Arena,
    private readonly areas: MemoryAreas,
    /** Mode of the root folder, which belongs to root. */
    rootMode = 0o755,
  ) {
    this.attributes = areas.attributes;
    this.files = new MemoryFiles(arena, areas);
    const root = this.newInode(0o40000 | rootMode, 0, 0);
    root.nlink = 2;
    root.parent = root;
    this.give(root);
  }

  node(idLow: number, idHigh: number): Node | number {
    return idHigh === 0 && this.nodes[idLow] !== undefined ? idLow : -Errno.ESTALE;
  }

  nodeGeneration(_node: Node): number {
    return 0;
  }

  handle(fhLow: number, fhHigh: number, node: Node): Handle | number {
    const file = fhHigh === 0 ? this.files.find(fhLow) : undefined;
    return file !== undefined && file.inode === this.nodes[node] ? fhLow : -Errno.EBADF;
  }

  handleGeneration(_handle: Handle): number {
    return 0;
  }

  lookup(parent: Node, name: number): Node | number {
    const folder = this.inode(parent);
    if (!folder.isFolder) return -Errno.ENOTDIR;
    const text = this.text(name);
    if (text.length > NAME_MAX) return -Errno.ENAMETOOLONG;
    const link = folder.names.get(text);
    return link === undefined ? -Errno.ENOENT : this.give(link.inode);
  }

  forget(node: Node, count: number): void {
    const inode = this.nodes[node];
    if (inode === undefined || node === ROOT) return;
    inode.lookups -= count;
    if (inode.lookups > 0) return;
    this.nodes[node] = undefined;
    this.slots.delete(inode);
  }

  reset(): void {
    this.files.reset();
    for (let node = ROOT + 1; node < this.nodes.length; node++) this.forget(node, Infinity);
  }

  getattr(node: Node, _handle: Handle, _mask: number): number {
    this.inode(node).fill(this.arena, this.attributes);
    return 0;
  }

  setattr(node: Node, _handle: Handle, changes: AttributeChanges, _caller: Caller): number {
    const inode = this.inode(node);
    const { valid } = changes;
    if (valid & linux.FATTR_SIZE && inode.type !== linux.FileType.REGULAR)
      return inode.isFolder ? -Errno.EISDIR : -Errno.EINVAL;
    if (valid & linux.FATTR_MODE) {
      if (inode.type === linux.FileType.SYMLINK) return -Errno.EOPNOTSUPP;
      inode.setPermissions(changes.mode);
    }
    if (valid & (linux.FATTR_UID | linux.FATTR_GID)) {
      if (valid & linux.FATTR_UID) inode.uid = changes.uid;
      if (valid & linux.FATTR_GID) inode.gid = changes.gid;
      if (!inode.isFolder) inode.dropPrivileges();
    }
    if (valid & linux.FATTR_SIZE) {
      inode.bytes.truncate(changes.size);
      if (valid & linux.FATTR_KILL_SUIDGID) inode.dropPrivileges();
      inode.changed();
    }
    if (valid & linux.FATTR_ATIME) {
      inode.setTime('atime', changes.atime, valid & linux.FATTR_ATIME_NOW ? linux.UTIME_NOW : changes.atimeNsec);
    }
    if (valid & linux.FATTR_MTIME) {
      inode.setTime('mtime', changes.mtime, valid & linux.FATTR_MTIME_NOW ? linux.UTIME_NOW : changes.mtimeNsec);
    }
    inode.touch();
    return this.getattr(node, -1, 0);
  }

  readlink(node: Node, into: number, capacity: number): number {
    const { target } = this.inode(node);
    if (target === undefined) return -Errno.EINVAL;
    if (target.length > capacity) return -Errno.ENAMETOOLONG;
    this.arena.u8.set(target, into);
    return target.length;
  }

  symlink(parent: Node, name: number, target: number, caller: Caller): Node | number {
    const bytes = this.arena.u8.slice(target, target + this.arena.stringLength(target, Infinity));
    return this.make(parent, name, 0o120777, caller, 0, bytes);
  }

  mknod(parent: Node, name: number, mode: number, rdev: number, caller: Caller): Node | number {
    return this.make(parent, name, mode, caller, rdev);
  }

  mkdir(parent: Node, name: number, mode: number, caller: Caller): Node | number {
    return this.make(parent, name, 0o40000 | (mode & 0o7777), caller);
  }

  link(node: Node, newParent: Node, newName: number): Node | number {
    const inode = this.inode(node);
    if (inode.isFolder) return -Errno.EPERM;
    const name = this.freeName(newParent, newName);
    if (typeof name === 'number') return name;
    this.inode(newParent).put(name, inode);
    inode.nlink++;
    inode.touch();
    return this.give(inode);
  }

  create(parent: Node, name: number, mode: number, flags: number, killPriv: boolean, caller: Caller): Node | number {
    const made = this.make(parent, name, 0o100000 | (mode & 0o7777), caller);
    if (made !== -Errno.EEXIST || flags & linux.O_EXCL) {
      if (made > 0) this.createdHandle = this.files.open(this.inode(made), flags, false);
      return made;
    }
    const node = this.lookup(parent, name);
    if (node < 0) return node;
    const handle = this.open(node, flags, killPriv, caller);
    if (handle < 0) {
      this.forget(node, 1);
      return handle;
    }
    this.createdHandle = handle;
    return node;
  }

  tmpfile(parent: Node, mode: number, flags: number, caller: Caller): Node | number {
    const folder = this.inode(parent);
    if (!folder.isFolder) return -Errno.ENOTDIR;
    const inode = this.newInode(0o100000 | (mode & 0o7777), caller.uid, caller.gid);
    this.createdHandle = this.files.open(inode, flags, false);
    return this.give(inode);
  }

  unlink(parent: Node, name: number): number {
    const folder = this.inode(parent);
    const text = this.text(name);
    const link = folder.names.get(text);
    if (link === undefined) return text.length > NAME_MAX ? -Errno.ENAMETOOLONG : -Errno.ENOENT;
    if (link.inode.isFolder) return -Errno.EISDIR;
    folder.take(text);
    this.unlinked(link.inode);
    return 0;
  }

  rmdir(parent: Node, name: number): number {
    const folder = this.inode(parent);
    const text = this.text(name);
    const link = folder.names.get(text);
    if (link === undefined) return text.length > NAME_MAX ? -Errno.ENAMETOOLONG : -Errno.ENOENT;
    if (!link.inode.isFolder) return -Errno.ENOTDIR;
    if (link.inode.names.size > 0) return -Errno.ENOTEMPTY;
    folder.take(text);
    folder.nlink--;
    this.unlinked(link.inode);
    return 0;
  }

  rename(parent: Node, name: number, newParent: Node, newName: number, flags: number): number {
    const exchange = (flags & linux.RENAME_EXCHANGE) !== 0;
    if (flags & ~(linux.RENAME_NOREPLACE | linux.RENAME_EXCHANGE)) return -Errno.EINVAL;
    if (flags & linux.RENAME_NOREPLACE && exchange) return -Errno.EINVAL;
    const [from, to] = [this.inode(parent), this.inode(newParent)];
    const [oldText, newText] = [this.text(name), this.text(newName)];
    if (oldText.length > NAME_MAX || newText.length > NAME_MAX) return -Errno.ENAMETOOLONG;
    const moved = from.names.get(oldText)?.inode;
    const replaced = to.names.get(newText)?.inode;
    if (moved === undefined || (exchange && replaced === undefined)) return -Errno.ENOENT;
    if (replaced !== undefined && flags & linux.RENAME_NOREPLACE) return -Errno.EEXIST;
    if (to.nlink === 0) return -Errno.ENOENT;
    if (within(to, moved) || (exchange && replaced !== undefined && within(from, replaced))) return -Errno.EINVAL;
    if (moved === replaced) return 0;
    if (replaced !== undefined && !exchange) {
      if (replaced.isFolder && !moved.isFolder) return -Errno.EISDIR;
      if (!replaced.isFolder && moved.isFolder) return -Errno.ENOTDIR;
      if (replaced.names.size > 0) return -Errno.ENOTEMPTY;
    }
    from.take(oldText);
    if (moved.isFolder) from.nlink--;
    if (replaced !== undefined) {
      to.take(newText);
      if (replaced.isFolder) to.nlink--;
      if (exchange) settle(from, oldText, replaced);
      else this.unlinked(replaced);
    }
    settle(to, newText, moved);
    return 0;
  }

  open(node: Node, flags: number, killPriv: boolean, _caller: Caller): Handle | number {
    const inode = this.inode(node);
    switch (inode.type) {
      case linux.FileType.REGULAR:
        return this.files.open(inode, flags, killPriv);
      case linux.FileType.FOLDER:
        return -Errno.EISDIR;
      case linux.FileType.SYMLINK:
        return -Errno.ELOOP;
      default:
        return -Errno.ENXIO;
    }
  }

  read(handle: Handle, offset: number, length: number, payload: Payload, skip: number, _caller: Caller): number {
    return this.files.read(handle, offset, length, payload, skip);
  }

  write(
    handle: Handle,
    offset: number,
    length: number,
    payload: Payload,
    skip: number,
    way: number,
    _caller: Caller,
  ): number {
    return this.files.write(handle, offset, length, payload, skip, way);
  }

  flush(handle: Handle, ownerLow: number, ownerHigh: number, _caller: Caller): number {
    this.dropLocks(handle, ownerLow, ownerHigh);
    return 0;
  }

  dropLocks(handle: Handle, ownerLow: number, ownerHigh: number): void {
    this.files.dropLocks(handle, ownerLow, ownerHigh);
  }

  release(handle: Handle): number {
    return this.files.release(handle);
  }

  fsync(_handle: Handle, _dataOnly: boolean, _caller: Caller): number {
    return 0;
  }

  syncfs(_node: Node, _caller: Caller): number {
    return 0;
  }

  opendir(node: Node, _flags: number): Handle | number {
    const inode = this.inode(node);
    return inode.isFolder ? this.files.open(inode, linux.O_RDONLY, false) : -Errno.ENOTDIR;
  }

  readdir(handle: Handle, positionLow: number, positionHigh: number, _capacity: number, sink: DirectorySink): number {
    const folder = this.files.find(handle)?.inode;
    if (folder === undefined || !folder.isFolder) return -Errno.EBADF;
    if (folder.nlink === 0) return 0;
    const position = positionHigh * 2 ** 32 + positionLow;
    const parent = folder.parent ?? folder;
    if (position < 1 && !this.tell(sink, '.', { inode: folder, position: 1 })) return 0;
    if (position < 2 && !this.tell(sink, '..', { inode: parent, position: 2 })) return 0;
    for (const [name, link] of folder.names) {
      if (link.position > position && !this.tell(sink, name, link)) return 0;
    }
    return 0;
  }

  releasedir(handle: Handle): number {
    return this.files.release(handle);
  }

  statfs(_node: Node, into: number): number {
    const blocks = 1 << 20;
    const fields = [linux.MEMORY_FILE_SYSTEMS[0], 4096, blocks, blocks, blocks, blocks, blocks, 0, NAME_MAX, 4096];
    this.arena.zero(into, 120);
    fields.forEach((value, i) => this.arena.setU64(into + i * 8, value));
    return 0;
  }

  access(_node: Node, _mask: number, _caller: Caller): number {
    return 0;
  }

  getxattr(node: Node, name: number, into: number, size: number): number {
    const text = this.text(name);
    if (!XATTR_NAMES.test(text)) return -Errno.EOPNOTSUPP;
    const value = this.inode(node).xattrs.get(text);
    return value === undefined ? -Errno.ENODATA : this.answer(value, into, size);
  }

  listxattr(node: Node, into: number, size: number): number {
    const names = [...this.inode(node).xattrs.keys()].map((name) => `${name}\0`).join('');
    return this.answer(Buffer.from(names, 'latin1'), into, size);
  }

  setxattr(node: Node, name: number, value: number, size: number, flags: number): number {
    const inode = this.inode(node);
    const text = this.text(name);
    const refused = refusedXattr(inode, text);
    if (refused < 0) return refused;
    const exists = inode.xattrs.has(text);
    if (flags & XATTR_CREATE && exists) return -Errno.EEXIST;
    if (flags & XATTR_REPLACE && !exists) return -Errno.ENODATA;
    inode.xattrs.set(text, this.arena.u8.slice(value, value + size));
    inode.touch();
    return 0;
  }

  removexattr(node: Node, name: number): number {
    const inode = this.inode(node);
    const text = this.text(name);
    const refused = refusedXattr(inode, text);
    if (refused < 0) return refused;
    if (!inode.xattrs.delete(text)) return -Errno.ENODATA;
    inode.touch();
    return 0;
  }

  getlk(handle: Handle, lock: Lock): number {
    return this.files.getlk(handle, lock);
  }

  setlk(handle: Handle, lock: Lock, wait: boolean, caller: Caller): number {
    return this.files.setlk(handle, lock, wait, caller);
  }

  flock(handle: Handle, type: number, wait: boolean, caller: Caller): number {
    return this.files.flock(handle, type, wait, caller);
  }

  interrupt(uniqueLow: number, uniqueHigh: number): boolean {
    return this.files.interrupt(uniqueLow, uniqueHigh);
  }

  fallocate(handle: Handle, mode: number, offset: number, length: number, _caller: Caller): number {
    return this.files.fallocate(handle, mode, offset, length);
  }

  lseek(handle: Handle, offset: number, whence: number): number {
    return this.files.lseek(handle, offset, whence);
  }

  copyFileRange(
    from: Handle,
    fromOffset: number,
    to: Handle,
    toOffset: number,
    length: number,
    flags: number,
    _caller: Caller,
  ): number {
    return this.files.copy(from, fromOffset, to, toOffset, length, flags);
  }

  ioctl(_handle: Handle, _command: number, _data: number, _inLength: number, _outCapacity: number): number {
    return -Errno.ENOTTY;
  }

  private inode(node: Node): MemoryInode {
    const inode = this.nodes[node];
    if (inode === undefined) throw new Error(`node ${node} was never resolved`);
    return inode;
  }

  /** One lookup more; fills attributes. */
  private give(inode: MemoryInode): Node {
    let node = this.slots.get(inode);
    if (node === undefined) {
      node = this.nodes.length;
      this.nodes.push(inode);
      this.slots.set(inode, node);
      inode.lookups = 0;
    }
    inode.lookups++;
    inode.fill(this.arena, this.attributes);
    return node;
  }

  private newInode(mode: number, uid: number, gid: number, rdev = 0, target?: Uint8Array): MemoryInode {
    return new MemoryInode(this.nextNumber++, mode, uid, gid, rdev, target);
  }

  private make(parent: Node, name: number, mode: number, caller: Caller, rdev = 0, target?: Uint8Array): Node | number {
    const text = this.freeName(parent, name);
    if (typeof text === 'number') return text;
    const folder = this.inode(parent);
    let permissions = mode;
    let gid = caller.gid;
    if (folder.mode & linux.S_ISGID) {
      gid = folder.gid;
      const isFolder = mode >>> 12 === linux.FileType.FOLDER;
      const member = caller.uid === 0 || caller.gid === gid || caller.supplementaryGid === gid;
      if (isFolder) permissions |= linux.S_ISGID;
      else if (!member && permissions & 0o010) permissions &= ~linux.S_ISGID;
    }
    const inode = this.newInode(permissions, caller.uid, gid, rdev, target);
    inode.nlink = inode.isFolder ? 1 : 0;
    settle(folder, text, inode);
    inode.nlink++;
    return this.give(inode);
  }

  /** A name that can be made in a folder, or why not. */
  private freeName(parent: Node, name: number): string | number {
    const folder = this.inode(parent);
    if (!folder.isFolder) return -Errno.ENOTDIR;
    const text = this.text(name);
    if (text.length > NAME_MAX) return -Errno.ENAMETOOLONG;
    if (folder.names.has(text)) return -Errno.EEXIST;
    return folder.nlink === 0 ? -Errno.ENOENT : text;
  }

  private unlinked(inode: MemoryInode): void {
    inode.nlink = inode.isFolder ? 0 : inode.nlink - 1;
    inode.touch();
  }

  private tell(sink: DirectorySink, name: string, link: Link): boolean {
    const bytes = Buffer.from(name, 'latin1');
    const { number, type } = link.inode;
    this.arena.u8.set(bytes, this.areas.name);
    this.arena.u8[this.areas.name + bytes.length] = 0;
    return sink.entry(number, 0, link.position, 0, type, this.areas.name, bytes.length);
  }

  private answer(value: Uint8Array, into: number, size: number): number {
    if (size === 0) return value.length;
    if (value.length > size) return -Errno.ERANGE;
    this.arena.u8.set(value, into);
    return value.length;
  }

  /** A name's bytes, one character each: names need not be UTF-8. */
  private text(at: number): string {
    return Buffer.from(this.arena.bytes(at, this.arena.stringLength(at, Infinity))).toString('latin1');
  }
}

/** Whether `folder` is `ancestor` or lies in it. */
function within(folder: MemoryInode, ancestor: MemoryInode): boolean {
  for (let at: MemoryInode | undefined = folder; at !== undefined; at = at.parent === at ? undefined : at.parent) {
    if (at === ancestor) return true;
  }
  return false;
}

/** Puts an inode under a name that is free. */
function settle(folder: MemoryInode, name: string, inode: MemoryInode): void {
  folder.put(name, inode);
  if (inode.isFolder) {
    inode.parent = folder;
    folder.nlink++;
  }
  inode.touch();
}

function refusedXattr(inode: MemoryInode, name: string): number {
  if (name.length > NAME_MAX) return -Errno.ERANGE;
  if (!XATTR_NAMES.test(name)) return -Errno.EOPNOTSUPP;
  const ownContent = inode.isFolder || inode.type === linux.FileType.REGULAR;
  return name.startsWith('user.') && !ownContent ? -Errno.EPERM : 0;
}
