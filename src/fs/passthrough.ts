/**
 * The shared folder of the host as a `FileSystem`: puts the parts together, each of which has its own file.
 *
 * Owns the life of all: descriptors taken at `openPassthrough`, given back by `close`. Has no logic of its own beyond
 * the order in which an end reaches the parts.
 */
import type { Arena } from '../base/arena';
import { Errno } from '../protocol/errno';
import { Attributes } from './attributes';
import { MappedFiles, type DaxHost } from './dax/mappedFiles';
import { WindowedFiles } from './dax/windowedFiles';
import { FileFlags } from './fileFlags';
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
} from './fileSystem';
import { Folders } from './folders';
import type { Alarm, BlockingCalls, HostCalls } from './hostCalls';
import { HostFolder } from './hostFolder';
import { Inspector } from './inspector';
import { type KnownName, knownNames } from './knownNames';
import * as linux from './linux';
import { Locks } from './locks';
import { Names } from './names';
import { type Contents, OpenFiles } from './openFiles';
import { Opening } from './opening';
import type { PassthroughAreas, PassthroughOptions } from './passthroughSetup';
import { WaitingRequests } from './waitingRequests';
import { Xattrs } from './xattrs';

export { PASSTHROUGH_AREAS_SIZE, passthroughAreas } from './passthroughSetup';
export type { PassthroughAreas, PassthroughOptions } from './passthroughSetup';

/** What the file system works with; all of it the caller's, and longer-lived. */
export interface PassthroughHost {
  readonly calls: HostCalls;
  readonly blocking: BlockingCalls;
  readonly alarm: Alarm;
  /** Pinned: its addresses are given to the host. */
  readonly arena: Arena;
  readonly areas: PassthroughAreas;
  /** Where the share has a DAX window. */
  readonly dax?: DaxHost | undefined;
}

/**
 * Shares the folder at `path` (absolute or relative to the working folder). The file system, which holds two
 * descriptors of its own until `close`; or a negative errno of opening the folder or /proc/self/fd.
 */
export function openPassthrough(
  host: PassthroughHost,
  path: string,
  options: PassthroughOptions,
): PassthroughFileSystem | number {
  const { calls, arena, areas } = host;
  const open = (name: string): number => {
    const bytes = new TextEncoder().encode(name);
    if (bytes.length >= areas.linkSize) return -Errno.ENOTDIR;
    arena.u8.set(bytes, areas.link);
    arena.u8[areas.link + bytes.length] = 0;
    const flags = linux.O_PATH | linux.O_DIRECTORY | linux.O_CLOEXEC;
    return calls.openat(linux.AT_FDCWD, arena.address(areas.link), flags, 0);
  };
  const procSelfFd = open('/proc/self/fd');
  if (procSelfFd < 0) return procSelfFd;
  const root = open(path);
  const folder = new HostFolder(calls, arena, areas, options, procSelfFd);
  const failed = root < 0 ? root : folder.statFd(root);
  if (failed < 0) {
    if (root >= 0) calls.close(root);
    calls.close(procSelfFd);
    return failed;
  }
  folder.insert(root);
  return new PassthroughFileSystem(folder, host.blocking, host.alarm, host.dax);
}

export class PassthroughFileSystem implements FileSystem {
  readonly attributes: number;
  private readonly names: Names;
  private readonly inodes: Attributes;
  private readonly files: Contents;
  private readonly changes: Pick<FileSystem, 'setattr'>;
  private readonly folders: Folders;
  private readonly locks: Locks;
  private readonly waiting: WaitingRequests;
  private readonly xattrs: Xattrs;
  private readonly flags: FileFlags;
  readonly window: MappedFiles | undefined;

  constructor(
    private readonly folder: HostFolder,
    blocking: BlockingCalls,
    alarm: Alarm,
    dax?: DaxHost,
  ) {
    this.attributes = folder.areas.attributes;
    this.waiting = new WaitingRequests(alarm);
    this.locks = new Locks(folder, this.waiting);
    const opening = new Opening(folder, this.waiting);
    const window = dax && new MappedFiles(folder, opening, dax);
    this.window = window;
    this.names = new Names(folder, opening, {
      nodeEnds: (node) => {
        this.waiting.endOfNode(node, -Errno.EBADF);
        this.locks.nodeEnds(node);
        window?.nodeEnds(node);
      },
      truncated: (node) => window?.after(node),
    });
    this.inodes = new Attributes(folder, opening);
    const files = new OpenFiles(folder, blocking, opening);
    const windowed = window && new WindowedFiles(window, folder.handles, files, this.inodes);
    this.files = windowed ?? files;
    this.changes = windowed ?? this.inodes;
    this.folders = new Folders(folder);
    this.xattrs = new Xattrs(folder);
    this.flags = new FileFlags(folder);
  }

  get createdHandle(): Handle {
    return this.names.createdHandle;
  }

  get crossedDevice(): boolean {
    return this.names.crossedDevice;
  }

  /** Inodes the guest knows, the root included; for gauges. */
  get nodeCount(): number {
    return this.folder.nodes.count;
  }

  get handleCount(): number {
    return this.folder.handles.count;
  }

  /** Descriptors held for inodes, open files and locks. */
  get descriptorCount(): number {
    return this.folder.budget.held;
  }

  /** For a capture that begins now; `calls` that are not traced. */
  knownNames(calls: HostCalls): KnownName[] {
    return knownNames(this.folder, calls);
  }

  /** For a debugger; `linkOf`: the target of /proc/self/fd/N. */
  inspector(linkOf: (fd: number) => Uint8Array | undefined): Inspector {
    return new Inspector(this.folder, linkOf);
  }

  node(idLow: number, idHigh: number): Node | number {
    const node = this.folder.nodes.resolve(idLow, idHigh);
    return node === 0 ? -Errno.ESTALE : node;
  }

  nodeGeneration(node: Node): number {
    return this.folder.nodes.generation[node];
  }

  handle(fhLow: number, fhHigh: number, node: Node): Handle | number {
    const handle = this.folder.handles.resolve(fhLow, fhHigh, node);
    return handle < 0 ? -Errno.EBADF : handle;
  }

  handleGeneration(handle: Handle): number {
    return this.folder.handles.generation[handle];
  }

  lookup(parent: Node, name: number): Node | number {
    return this.names.lookup(parent, name);
  }

  forget(node: Node, count: number): void {
    this.names.forget(node, count);
    this.window?.forgotten(node);
  }

  /** A ring is about to stop: for a while, or for a reset. */
  ringStops(): void {
    this.window?.doubt();
  }

  /** A ring that was stopped has begun anew: requests of before that wait are nobody's. */
  ringBeganAnew(): void {
    this.waiting.endUnanswerable(-Errno.EINTR);
  }

  reset(): void {
    // Inodes first: those that live on an open descriptor then need no other.
    this.waiting.endAll(-Errno.EINTR);
    this.window?.reset();
    this.folder.nodes.forEach((node) => this.names.forget(node, Infinity));
    this.folder.handles.forEach((handle) => this.releasedir(handle));
  }

  /** The end: everything released, the folder itself too. No method may be called afterwards. */
  close(): void {
    this.reset();
    this.folder.calls.close(this.folder.nodes.fd[ROOT]);
    this.folder.calls.close(this.folder.procSelfFd);
  }

  getattr(node: Node, _handle: Handle, _mask: number): number {
    return this.inodes.getattr(node);
  }

  setattr(node: Node, handle: Handle, changes: AttributeChanges, caller: Caller): number {
    return this.changes.setattr(node, handle, changes, caller);
  }

  readlink(node: Node, into: number, capacity: number): number {
    return this.inodes.readlink(node, into, capacity);
  }

  symlink(parent: Node, name: number, target: number, caller: Caller): Node | number {
    return this.names.symlink(parent, name, target, caller);
  }

  mknod(parent: Node, name: number, mode: number, rdev: number, caller: Caller): Node | number {
    return this.names.mknod(parent, name, mode, rdev, caller);
  }

  mkdir(parent: Node, name: number, mode: number, caller: Caller): Node | number {
    return this.names.mkdir(parent, name, mode, caller);
  }

  link(node: Node, newParent: Node, newName: number): Node | number {
    return this.names.link(node, newParent, newName);
  }

  create(parent: Node, name: number, mode: number, flags: number, killPriv: boolean, caller: Caller): Node | number {
    return this.names.create(parent, name, mode, flags, killPriv, caller);
  }

  tmpfile(parent: Node, mode: number, flags: number, caller: Caller): Node | number {
    return this.names.tmpfile(parent, mode, flags, caller);
  }

  unlink(parent: Node, name: number): number {
    return this.names.unlink(parent, name);
  }

  rmdir(parent: Node, name: number): number {
    return this.names.rmdir(parent, name);
  }

  rename(parent: Node, name: number, newParent: Node, newName: number, flags: number): number {
    return this.names.rename(parent, name, newParent, newName, flags);
  }

  open(node: Node, flags: number, killPriv: boolean, caller: Caller): Handle | number {
    return this.files.open(node, flags, killPriv, caller);
  }

  read(handle: Handle, offset: number, length: number, payload: Payload, skip: number, caller: Caller): number {
    return this.files.read(handle, offset, length, payload, skip, caller);
  }

  write(
    handle: Handle,
    offset: number,
    length: number,
    payload: Payload,
    skip: number,
    way: number,
    caller: Caller,
  ): number {
    return this.files.write(handle, offset, length, payload, skip, way, caller);
  }

  flush(handle: Handle, ownerLow: number, ownerHigh: number, caller: Caller): number {
    this.dropLocks(handle, ownerLow, ownerHigh);
    return this.files.flush(handle, caller);
  }

  dropLocks(handle: Handle, ownerLow: number, ownerHigh: number): void {
    this.locks.flush(handle, ownerLow, ownerHigh);
  }

  release(handle: Handle): number {
    const node = this.folder.handles.node[handle];
    this.locks.handleEnds(handle);
    this.folder.endHandle(handle);
    this.locks.handleEnded(node);
    return 0;
  }

  fsync(handle: Handle, dataOnly: boolean, caller: Caller): number {
    return this.files.fsync(handle, dataOnly, caller);
  }

  syncfs(node: Node, caller: Caller): number {
    return this.files.syncfs(node, caller);
  }

  opendir(node: Node, _flags: number): Handle | number {
    return this.folders.opendir(node);
  }

  readdir(handle: Handle, positionLow: number, positionHigh: number, _capacity: number, sink: DirectorySink): number {
    return this.folders.readdir(handle, positionLow, positionHigh, sink);
  }

  releasedir(handle: Handle): number {
    return this.release(handle);
  }

  statfs(node: Node, into: number): number {
    return this.inodes.statfs(node, into);
  }

  access(node: Node, mask: number, caller: Caller): number {
    return this.inodes.access(node, mask, caller);
  }

  getxattr(node: Node, name: number, into: number, size: number): number {
    return this.xattrs.get(node, name, into, size);
  }

  listxattr(node: Node, into: number, size: number): number {
    return this.xattrs.list(node, into, size);
  }

  setxattr(node: Node, name: number, value: number, size: number, flags: number): number {
    return this.xattrs.set(node, name, value, size, flags);
  }

  removexattr(node: Node, name: number): number {
    return this.xattrs.remove(node, name);
  }

  getlk(handle: Handle, lock: Lock): number {
    return this.locks.getlk(handle, lock);
  }

  setlk(handle: Handle, lock: Lock, wait: boolean, caller: Caller): number {
    return this.locks.setlk(handle, lock, wait, caller);
  }

  flock(handle: Handle, type: number, wait: boolean, caller: Caller): number {
    return this.locks.flock(handle, type, wait, caller);
  }

  interrupt(uniqueLow: number, uniqueHigh: number): boolean {
    return this.waiting.interrupt(uniqueLow, uniqueHigh);
  }

  fallocate(handle: Handle, mode: number, offset: number, length: number, caller: Caller): number {
    return this.files.fallocate(handle, mode, offset, length, caller);
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
    caller: Caller,
  ): number {
    return this.files.copyFileRange(from, fromOffset, to, toOffset, length, flags, caller);
  }

  ioctl(handle: Handle, command: number, data: number, inLength: number, outCapacity: number): number {
    return this.flags.ioctl(handle, command, data, inLength, outCapacity);
  }
}
