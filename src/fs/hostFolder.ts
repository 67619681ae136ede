/**
 * The shared folder as the host has it: tables of inodes and handles over descriptors, and the few ways in which a
 * descriptor is come by or named. Every part of the passthrough file system works through one of these.
 *
 * An inode has a descriptor, or only a name in a folder that has one: then it is opened, and checked to be the same
 * inode, when it is first used for more than a lookup.
 *
 * The one invariant: a path given to the host is a single checked name relative to the descriptor of a folder of the
 * share, with O_NOFOLLOW, or the number of a descriptor under /proc/self/fd. So nothing outside is ever reached.
 * Knows nothing of FUSE.
 */
import type { Arena } from '../base/arena';
import { Errno } from '../protocol/errno';
import { DescriptorBudget } from './descriptorBudget';
import { type Caller, type Handle, NO_GROUP, type Node } from './fileSystem';
import { FlushWay, HandleKind, HandleTable, ReadWay } from './handleTable';
import type { HostCalls } from './hostCalls';
import * as linux from './linux';
import { NodeTable } from './nodeTable';
import type { PassthroughAreas, PassthroughOptions } from './passthroughSetup';

const PREFIX = '/proc/self/fd/';

/**
 * Flags of a guest's open that mean something for an inode that is already known. Not O_APPEND: with it the host would
 * append what the guest's kernel writes back of a mapping, and the guest may change it behind our back (fcntl).
 */
const OPEN_FLAGS =
  linux.O_ACCMODE |
  linux.O_TRUNC |
  linux.O_NONBLOCK |
  linux.O_DSYNC |
  linux.O_SYNC |
  linux.O_DIRECT |
  linux.O_LARGEFILE |
  linux.O_NOATIME;

/** How an inode is opened only to be named, whatever it is. */
export const INODE = linux.O_PATH | linux.O_NOFOLLOW | linux.O_CLOEXEC;

/** Errors of opening by name an inode that was there, of a fitting type: so it is not there any more. */
const OTHER_THING: readonly number[] = [Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP];

export class HostFolder {
  readonly nodes = new NodeTable();
  readonly handles = new HandleTable();
  readonly budget: DescriptorBudget;
  private readonly attributesAddress: number;
  private readonly emptyAddress: number;
  private readonly pathAddress: number;
  private readonly readWays = new Map<number, ReadWay>();
  private readonly flushWays = new Map<number, FlushWay>();
  private readonly impersonates: boolean;

  /** `procSelfFd`: an O_PATH descriptor of /proc/self/fd. The first node to be inserted is the share's root. */
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

  /** Whether the file system tells when an inode was born. */
  get knowsBirth(): boolean {
    return (this.arena.getU32(this.areas.attributes + linux.Statx.mask) & linux.STATX_BTIME) !== 0;
  }

  private get birth(): number {
    const at = this.areas.attributes + linux.Statx.btime;
    return Math.imul(this.arena.getU32(at), 0x9e3779b1) ^ this.arena.getU32(at + 8);
  }

  /** The node that the attributes are of, or 0. */
  known(): Node {
    const { nodes } = this;
    const at = this.areas.attributes + linux.Statx.ino;
    const node = nodes.find(this.mount, this.device, this.arena.getU32(at), this.arena.getU32(at + 4));
    if (node === 0 || nodes.fd[node] >= 0) return node;
    if (nodes.birth[node] === this.birth && nodes.type[node] === this.mode >>> 12) return node;
    // Removed behind our back, and its number used again: the old inode cannot be reached any more.
    nodes.disown(node);
    this.dropName(node);
    return 0;
  }

  /**
   * A node for the attributes, which are of an inode not known yet. The node owns `fd` now (unless lent); -1 for one
   * that gets a name.
   */
  insert(fd: number): Node {
    const at = this.areas.attributes + linux.Statx.ino;
    const node = this.nodes.insert(
      fd,
      this.mode >>> 12,
      this.mount,
      this.device,
      this.arena.getU32(at),
      this.arena.getU32(at + 4),
    );
    this.nodes.birth[node] = this.birth;
    return node;
  }

  /** The descriptor of a node; one known by name gets its own now. -ESTALE where the name is another inode's. */
  fdOf(node: Node): number {
    const fd = this.nodes.fd[node];
    return fd >= 0 ? fd : this.openInode(node);
  }

  private openInode(node: Node): number {
    if (!this.budget.hasRoomForInode) return -Errno.EMFILE;
    const fd = this.openByName(node, linux.O_PATH);
    if (fd >= 0) this.budget.take();
    return fd;
  }

  /** Opens a node by the name it is known by; from then on the node has that descriptor. Not counted here. */
  private openByName(node: Node, flags: number): number {
    const { nodes, arena, areas, calls } = this;
    const parent = nodes.parent[node];
    if (parent === 0) return -Errno.ESTALE;
    nodes.copyName(node, arena.u8, areas.scratch);
    const wanted = flags | linux.O_NOFOLLOW | linux.O_CLOEXEC;
    const fd = calls.openat(nodes.fd[parent], arena.address(areas.scratch), wanted, 0);
    if (fd < 0) return OTHER_THING.includes(-fd) ? -Errno.ESTALE : fd;
    const failed = this.statFd(fd);
    if (failed < 0 || this.known() !== node) {
      calls.close(fd);
      return failed < 0 ? failed : -Errno.ESTALE;
    }
    nodes.fd[node] = fd;
    this.dropName(node);
    return fd;
  }

  /**
   * The name under which an inode without a descriptor has just been found is the one to find it by again. False where
   * it is too long to be kept.
   */
  renew(node: Node, parent: Node, name: number): boolean {
    const { nodes } = this;
    const before = nodes.parent[node];
    if (!nodes.setName(node, parent, this.arena.u8, name)) return false;
    this.endUnused(before);
    return true;
  }

  /** An inode that was known by its name has a descriptor of its own from now on. */
  keep(node: Node, fd: number): void {
    this.budget.take();
    this.nodes.fd[node] = fd;
    this.dropName(node);
  }

  /** A name in a folder is about to go or to be another inode's: what is known by it alone gets a descriptor. */
  nameGoes(parent: Node, name: number): void {
    const { nodes, calls } = this;
    if (nodes.children[parent] === 0 || !this.budget.hasRoomForInode) return;
    const fd = calls.openat(nodes.fd[parent], this.arena.address(name), INODE, 0);
    if (fd < 0) return;
    const node = this.statFd(fd) < 0 ? 0 : this.known();
    if (node === 0 || nodes.fd[node] >= 0) {
      calls.close(fd);
      return;
    }
    this.keep(node, fd);
  }

  private dropName(node: Node): void {
    const { nodes } = this;
    const parent = nodes.parent[node];
    if (parent === 0) return;
    nodes.dropName(node);
    this.endUnused(parent);
  }

  /** Ends a folder that the guest has forgotten, if no inode needs it either now. */
  private endUnused(parent: Node): void {
    if (this.nodes.lookups[parent] <= 0) this.endNode(parent);
  }

  /** A node lives on a handle's descriptor until that is released. */
  lend(handle: Handle, node: Node): void {
    this.nodes.fd[node] = this.handles.fd[handle];
    this.nodes.lender[node] = handle;
    this.dropName(node);
  }

  /**
   * Opens a folder for reading. One known by name is opened by it, which for a folder can do nothing to the host, and
   * then lives on that descriptor. -ENOTDIR for everything else.
   */
  openFolder(node: Node): Handle | number {
    if (this.nodes.type[node] !== linux.FileType.FOLDER) return -Errno.ENOTDIR;
    if (!this.budget.hasRoom) return -Errno.EMFILE;
    const flags = linux.O_RDONLY | linux.O_DIRECTORY;
    const lends = this.nodes.fd[node] < 0;
    const fd = lends ? this.openByName(node, flags) : this.reopen(node, flags);
    if (fd < 0) return fd;
    const handle = this.addHandle(fd, node, flags, HandleKind.Folder);
    if (lends) this.lend(handle, node);
    return handle;
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
    const fd = this.fdOf(node);
    if (fd < 0) return fd;
    switch (this.nodes.type[node]) {
      case linux.FileType.REGULAR:
        return this.calls.openat(
          this.procSelfFd,
          this.nameOf(fd),
          flags | linux.O_CLOEXEC | linux.O_NOCTTY | linux.O_NONBLOCK,
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

  /** The same for a handle; with `killPriv`, O_TRUNC clears set-user-ID and set-group-ID bits. */
  openForHandle(node: Node, flags: number, killPriv: boolean): number {
    if (!this.budget.hasRoom) return -Errno.EMFILE;
    const refused = killPriv ? this.calls.dropFsetid() : 0;
    if (refused < 0) return refused;
    const fd = this.reopen(node, flags);
    if (killPriv) this.calls.resume();
    return fd;
  }

  /** The guest's open flags as the host gets them, or -EROFS. */
  openFlags(guestFlags: number): number {
    let flags = guestFlags & OPEN_FLAGS;
    if (this.options.readOnly && (flags & linux.O_ACCMODE || flags & linux.O_TRUNC)) return -Errno.EROFS;
    if (!this.options.allowDirectIo) flags &= ~linux.O_DIRECT;
    if (this.options.writeback && (flags & linux.O_ACCMODE) === linux.O_WRONLY) {
      flags = (flags & ~linux.O_ACCMODE) | linux.O_RDWR;
    }
    return flags;
  }

  /** A handle for an open descriptor of a node, which it owns from now on. */
  addHandle(fd: number, node: Node, flags: number, kind: HandleKind.File | HandleKind.Folder): Handle {
    this.budget.take();
    return this.handles.open(fd, node, flags, kind, this.readWay(node, flags), this.flushWay(node, flags));
  }

  /** Remembers how reads on the handle's device are to be made, after it has refused RWF_NOWAIT. */
  learnReadWay(handle: Handle): ReadWay {
    const way = this.isOn(handle, linux.MEMORY_FILE_SYSTEMS) ? ReadWay.Plain : ReadWay.Elsewhere;
    this.readWays.set(this.nodes.device[this.handles.node[handle]], way);
    this.handles.readWay[handle] = way;
    return way;
  }

  private readWay(node: Node, flags: number): ReadWay {
    if (flags & linux.O_DIRECT) return ReadWay.Elsewhere;
    return this.readWays.get(this.nodes.device[node]) ?? ReadWay.NoWait;
  }

  /** Remembers what close(2) means on the handle's device, at the first one. */
  learnFlushWay(handle: Handle): FlushWay {
    const device = this.nodes.device[this.handles.node[handle]];
    let way = this.flushWays.get(device);
    if (way === undefined) {
      way = this.isOn(handle, linux.LOCAL_FILE_SYSTEMS) ? FlushWay.Nothing : FlushWay.Ask;
      this.flushWays.set(device, way);
    }
    this.handles.flushWay[handle] = way;
    return way;
  }

  private flushWay(node: Node, flags: number): FlushWay {
    if ((flags & linux.O_ACCMODE) === linux.O_RDONLY) return FlushWay.Nothing;
    return this.flushWays.get(this.nodes.device[node]) ?? FlushWay.Unknown;
  }

  private isOn(handle: Handle, fileSystems: readonly number[]): boolean {
    const into = this.areas.scratch;
    const known = this.calls.fstatfs(this.handles.fd[handle], this.arena.address(into));
    return known === 0 && fileSystems.includes(this.arena.getU32(into));
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
    const node = this.handles.node[handle];
    if (this.nodes.lender[node] === handle) {
      this.keepInode(node, handle);
    } else {
      this.calls.close(this.handles.fd[handle]);
      this.budget.give();
    }
    this.handles.free(handle);
  }

  /**
   * A handle ends and the inode, which has lived on its descriptor, goes on living. A folder keeps it; a file needs an
   * O_PATH one of its own, because an open one keeps the host from executing it (ETXTBSY), unless there is none left.
   */
  private keepInode(node: Node, handle: Handle): void {
    const { nodes, handles, calls } = this;
    const fd = handles.fd[handle];
    nodes.lender[node] = -1;
    if (nodes.type[node] !== linux.FileType.FOLDER) {
      const own = calls.openat(this.procSelfFd, this.nameOf(fd), linux.O_PATH | linux.O_CLOEXEC, 0);
      if (own >= 0) {
        nodes.fd[node] = own;
        calls.close(fd);
        return;
      }
    }
    if (handles.flocked[handle]) calls.flock(fd, linux.LOCK_UN);
  }

  /** Ends a node that the guest has forgotten; a folder in which others have their names, once those have ended. */
  endNode(node: Node): void {
    const { nodes } = this;
    if (nodes.children[node] > 0) return;
    const fd = nodes.fd[node];
    if (fd < 0) {
      this.dropName(node);
    } else if (nodes.lender[node] < 0) {
      this.calls.close(fd);
      this.budget.give();
    }
    nodes.lender[node] = -1;
    nodes.remove(node);
  }

  /** Acts as the caller of a request that makes something, until `endActing`, which follows where this is 0. */
  actAs({ uid, gid, supplementaryGid }: Caller): number {
    return this.impersonates ? this.calls.impersonate(uid, gid, supplementaryGid) : 0;
  }

  /** Whether the caller may do what `mask` says (R_OK, W_OK, X_OK) with a descriptor's inode: 0 or a negative errno. */
  access(fd: number, mask: number, { uid, gid, supplementaryGid }: Caller): number {
    const { calls } = this;
    // Groups that the guest could not tell of are not taken for granted here.
    const refused = this.impersonates ? calls.impersonate(uid, gid, Math.max(NO_GROUP, supplementaryGid)) : 0;
    if (refused < 0) return refused;
    const result = calls.faccessat2(this.procSelfFd, this.nameOf(fd), mask, linux.AT_EACCESS);
    this.endActing();
    return result;
  }

  endActing(): void {
    if (this.impersonates) this.calls.resume();
  }

  /** The descriptor of a file handle, or -EBADF for a folder's. */
  fileOf(handle: Handle): number {
    return this.handles.kind[handle] === HandleKind.File ? this.handles.fd[handle] : -Errno.EBADF;
  }
}
