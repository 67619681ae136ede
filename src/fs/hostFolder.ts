/**
 * The shared folder as the host has it: tables of inodes and handles over descriptors, and the few ways in which a
 * descriptor is come by or named. Every part of the passthrough file system works through one of these.
 *
 * The one invariant: a path given to the host is a single checked name relative to an O_PATH descriptor of a folder of
 * the share, with O_NOFOLLOW, or the number of a descriptor under /proc/self/fd. So nothing outside is ever reached.
 * Knows nothing of FUSE.
 */
import type { Arena } from '../base/arena';
import { Errno } from '../protocol/errno';
import { DescriptorBudget } from './descriptorBudget';
import type { Caller, Handle, Node } from './fileSystem';
import { HandleKind, HandleTable, ReadWay } from './handleTable';
import type { HostCalls } from './hostCalls';
import * as linux from './linux';
import { NodeTable } from './nodeTable';

/** Where in the arena the passthrough file system works; made by `passthroughAreas`. */
export interface PassthroughAreas {
  /** struct statx, 256 bytes. */
  readonly attributes: number;
  /** 64 bytes: "/proc/self/fd/" and a number. */
  readonly path: number;
  /** 256 bytes for small structures: flock, timespec[2], statfs, fsxattr. */
  readonly scratch: number;
  /** A NUL, then ".": the empty path and the folder itself. */
  readonly empty: number;
  readonly dot: number;
  /** Room for getdents64. */
  readonly entries: number;
  readonly entriesSize: number;
}

const PREFIX = '/proc/self/fd/';
const ENTRIES_SIZE = 64 * 1024;

/** Bytes of arena that the areas take. */
export const PASSTHROUGH_AREAS_SIZE = 1024 + ENTRIES_SIZE;

/** Lays the areas out from `start` (8-aligned) on. */
export function passthroughAreas(start: number): PassthroughAreas {
  return {
    attributes: start,
    path: start + 256,
    scratch: start + 512,
    empty: start + 768,
    dot: start + 776,
    entries: start + 1024,
    entriesSize: ENTRIES_SIZE,
  };
}

export interface PassthroughOptions {
  /** Every call that changes something answers EROFS. */
  readonly readOnly: boolean;
  /** Extended attributes are passed on; else ENOSYS, after which the guest does not ask again. */
  readonly xattr: boolean;
  /** The guest's kernel writes back later: it reads what it opened for writing, and appends by itself. */
  readonly writeback: boolean;
  /** O_DIRECT of the guest reaches the host. */
  readonly allowDirectIo: boolean;
  /** New files can be made as the calling user (the daemon is root). */
  readonly canImpersonate: boolean;
  /** Descriptors that inodes, open files and locks may take together. */
  readonly descriptors: number;
}

/** Flags of a guest's open that mean something for an inode that is already known. */
const OPEN_FLAGS =
  linux.O_ACCMODE |
  linux.O_APPEND |
  linux.O_TRUNC |
  linux.O_NONBLOCK |
  linux.O_DSYNC |
  linux.O_SYNC |
  linux.O_DIRECT |
  linux.O_LARGEFILE |
  linux.O_NOATIME;

export class HostFolder {
  readonly nodes = new NodeTable();
  readonly handles = new HandleTable();
  readonly budget: DescriptorBudget;
  private readonly attributesAddress: number;
  private readonly emptyAddress: number;
  private readonly pathAddress: number;
  private readonly readWays = new Map<number, ReadWay>();
  private readonly impersonates: boolean;

  /** `root` and `procSelfFd` are O_PATH descriptors of folders, owned by this object from now on. */
  constructor(
    readonly calls: HostCalls,
    readonly arena: Arena,
    readonly areas: PassthroughAreas,
    readonly options: PassthroughOptions,
    readonly procSelfFd: number,
  ) {
    this.budget = new DescriptorBudget(options.descriptors);
    this.impersonates = options.canImpersonate;
    this.attributesAddress = arena.address(areas.attributes);
    this.emptyAddress = arena.address(areas.empty);
    this.pathAddress = arena.address(areas.path);
    arena.u8[areas.empty] = 0;
    arena.u8[areas.dot] = 0x2e;
    arena.u8[areas.dot + 1] = 0;
    for (let i = 0; i < PREFIX.length; i++) arena.u8[areas.path + i] = PREFIX.charCodeAt(i);
  }

  /** Fills attributes from a name in a folder, not following a symlink. */
  statName(directory: number, name: number): number {
    return this.calls.statx(
      directory,
      name,
      linux.AT_SYMLINK_NOFOLLOW | linux.AT_NO_AUTOMOUNT,
      linux.STATX_WANTED,
      this.attributesAddress,
    );
  }

  /** Fills attributes from a descriptor. */
  statFd(fd: number): number {
    return this.calls.statx(fd, this.emptyAddress, linux.AT_EMPTY_PATH, linux.STATX_WANTED, this.attributesAddress);
  }

  get mode(): number {
    return this.arena.getU16(this.areas.attributes + linux.Statx.mode);
  }

  get mount(): number {
    const at = this.areas.attributes;
    return this.arena.getU32(at + linux.Statx.mask) & linux.STATX_MNT_ID
      ? this.arena.getU32(at + linux.Statx.mountId)
      : 0;
  }

  /** The kernel's own dev_t: 12 bits of major, 20 of minor. */
  get device(): number {
    const at = this.areas.attributes;
    return ((this.arena.getU32(at + linux.Statx.devMajor) << 20) | this.arena.getU32(at + linux.Statx.devMinor)) >>> 0;
  }

  /** The node that the attributes are of, or 0. */
  known(): Node {
    const at = this.areas.attributes + linux.Statx.ino;
    return this.nodes.find(this.mount, this.device, this.arena.getU32(at), this.arena.getU32(at + 4));
  }

  /** A node for the attributes, which are of an inode not known yet. The node owns `fd` now (unless lent). */
  insert(fd: number): Node {
    const at = this.areas.attributes + linux.Statx.ino;
    return this.nodes.insert(
      fd,
      this.mode >>> 12,
      this.mount,
      this.device,
      this.arena.getU32(at),
      this.arena.getU32(at + 4),
    );
  }

  /** Host address of "/proc/self/fd/N"; valid until the next one. */
  pathOf(fd: number): number {
    const u8 = this.arena.u8;
    let at = this.areas.path + PREFIX.length;
    let digits = 1;
    for (let rest = fd; rest >= 10; rest = (rest / 10) | 0) digits++;
    at += digits;
    u8[at] = 0;
    for (let rest = fd; digits > 0; digits--) {
      u8[--at] = 0x30 + (rest % 10);
      rest = (rest / 10) | 0;
    }
    return this.pathAddress;
  }

  /** Host address of "N", the name of a descriptor in `procSelfFd`; valid until the next one. */
  nameOf(fd: number): number {
    return this.pathOf(fd) + PREFIX.length;
  }

  /**
   * Opens a known inode for real: a new descriptor, which is the caller's, or a negative errno. Only regular files and
   * folders: to open a device, a pipe or a socket would act on the host (CVE-2020-35517).
   */
  reopen(node: Node, flags: number): number {
    const fd = this.nodes.fd[node];
    switch (this.nodes.type[node]) {
      case linux.FileType.REGULAR:
        return this.calls.openat(
          this.procSelfFd,
          this.nameOf(fd),
          (flags & ~linux.O_NOFOLLOW) | linux.O_CLOEXEC | linux.O_NOCTTY | linux.O_NONBLOCK,
          0,
        );
      case linux.FileType.FOLDER:
        return flags & linux.O_DIRECTORY
          ? this.calls.openat(fd, this.arena.address(this.areas.dot), flags | linux.O_CLOEXEC | linux.O_NOFOLLOW, 0)
          : -Errno.EISDIR;
      case linux.FileType.SYMLINK:
        return -Errno.ELOOP;
      default:
        return -Errno.ENXIO;
    }
  }

  /** The guest's open flags as the host gets them, or -EROFS. */
  openFlags(guestFlags: number): number {
    let flags = guestFlags & OPEN_FLAGS;
    if (this.options.readOnly && (flags & linux.O_ACCMODE || flags & linux.O_TRUNC)) return -Errno.EROFS;
    if (!this.options.allowDirectIo) flags &= ~linux.O_DIRECT;
    if (this.options.writeback) {
      if ((flags & linux.O_ACCMODE) === linux.O_WRONLY) flags = (flags & ~linux.O_ACCMODE) | linux.O_RDWR;
      flags &= ~linux.O_APPEND;
    }
    return flags;
  }

  /** A handle for an open descriptor of a node, which it owns from now on. */
  addHandle(fd: number, node: Node, flags: number, kind: HandleKind.File | HandleKind.Folder): Handle {
    this.budget.take();
    return this.handles.open(fd, node, flags, kind, this.readWay(node, flags));
  }

  /** Remembers how reads on the handle's device are to be made, after it has refused RWF_NOWAIT. */
  learnReadWay(handle: Handle): ReadWay {
    const into = this.areas.scratch;
    const known = this.calls.fstatfs(this.handles.fd[handle], this.arena.address(into));
    const inMemory = known === 0 && linux.MEMORY_FILE_SYSTEMS.includes(this.arena.getU32(into));
    const way = inMemory ? ReadWay.Plain : ReadWay.Elsewhere;
    this.readWays.set(this.nodes.device[this.handles.node[handle]], way);
    this.handles.readWay[handle] = way;
    return way;
  }

  private readWay(node: Node, flags: number): ReadWay {
    if (flags & linux.O_DIRECT) return ReadWay.Elsewhere;
    return this.readWays.get(this.nodes.device[node]) ?? ReadWay.NoWait;
  }

  /** The guest has released a handle. Its descriptor closes when no call runs on it any more. */
  endHandle(handle: Handle): void {
    if (this.handles.end(handle)) this.freeHandle(handle);
  }

  /** A call on another thread has ended. */
  letGo(handle: Handle): void {
    if (this.handles.letGo(handle)) this.freeHandle(handle);
  }

  private freeHandle(handle: Handle): void {
    const fd = this.handles.fd[handle];
    const node = this.handles.node[handle];
    if (this.nodes.lookups[node] > 0 && this.nodes.lender[node] === handle) {
      this.keepInode(node, fd);
    } else {
      this.calls.close(fd);
      this.budget.give();
    }
    this.handles.free(handle);
  }

  /**
   * A created file's handle ends and the inode, which has lived on its descriptor, needs an O_PATH one of its own: an
   * open one would keep the host from executing the file (ETXTBSY). Where that fails it keeps the open one.
   */
  private keepInode(node: Node, fd: number): void {
    this.nodes.lender[node] = -1;
    const own = this.calls.openat(this.procSelfFd, this.nameOf(fd), linux.O_PATH | linux.O_CLOEXEC, 0);
    if (own >= 0) {
      this.nodes.fd[node] = own;
      this.calls.close(fd);
    } else {
      this.calls.flock(fd, linux.LOCK_UN);
    }
  }

  /** Ends a node of which nothing is known to the guest any more. */
  endNode(node: Node): void {
    if (this.nodes.lender[node] < 0) {
      this.calls.close(this.nodes.fd[node]);
      this.budget.give();
    }
    this.nodes.remove(node);
  }

  /** Acts as the caller of a request that makes something, until `endActing`, which follows where this is 0. */
  actAs(caller: Caller): number {
    return this.impersonates ? this.calls.impersonate(caller.uid, caller.gid, caller.supplementaryGid) : 0;
  }

  endActing(): void {
    if (this.impersonates) this.calls.resume();
  }

  /** The descriptor of a file handle, or -EBADF for a folder's. */
  fileOf(handle: Handle): number {
    return this.handles.kind[handle] === HandleKind.File ? this.handles.fd[handle] : -Errno.EBADF;
  }
}
