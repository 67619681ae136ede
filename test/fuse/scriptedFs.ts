/**
 * A file system that does nothing but note what it is asked and answer as it is told: for what the server asks, in
 * which words, and what it makes of the answer.
 */
import type { Arena } from '../../src/base/arena';
import {
  DEFERRED,
  type AttributeChanges,
  type Caller,
  type Deferred,
  type DirectorySink,
  type FileSystem,
  GROUPS_UNTOLD,
  type Handle,
  type Lock,
  NO_GROUP,
  type Node,
  type Payload,
} from '../../src/fs/fileSystem';
import { Statx } from '../../src/protocol/fuse/structs';

const ESTALE = 116;
const EBADF = 9;

/** Nodes 1 to 9 are known, with generation 7 but for the root; handles 0 to 9 with generation 3. */
export const GENERATION = 7;
export const HANDLE_GENERATION = 3;

export interface ScriptedEntry {
  readonly name: string;
  readonly ino: number;
  readonly type: number;
}

/** Start and end, both inclusive. */
const rangeOf = (lock: Lock): string[] => [
  String((BigInt(lock.startHigh) << 32n) | BigInt(lock.startLow)),
  String((BigInt(lock.endHigh) << 32n) | BigInt(lock.endLow)),
];

type Method = Exclude<keyof FileSystem, 'attributes' | 'createdHandle' | 'crossedDevice'>;

export class ScriptedFs implements FileSystem {
  /** Every call but `node`, `handle` and their generations, as `name(arguments)`. */
  readonly log: string[] = [];
  createdHandle: Handle = 4;
  crossedDevice = false;
  entries: ScriptedEntry[] = [];
  readonly deferred: (Deferred & { readonly payload: Payload })[] = [];
  /** The credentials that came with the last call that has any. */
  caller = '';
  private readonly results = new Map<Method, number>();
  private readonly deferring = new Set<Method>();

  constructor(
    private readonly arena: Arena,
    readonly attributes: number,
  ) {
    const at = attributes;
    arena.setU32(at + Statx.offset.mask, 0x1fff);
    arena.setU32(at + Statx.offset.blksize, 4096);
    arena.setU32(at + Statx.offset.nlink, 2);
    arena.setU32(at + Statx.offset.uid, 1000);
    arena.setU32(at + Statx.offset.gid, 1001);
    arena.setU16(at + Statx.offset.mode, 0o100644);
    arena.setU64(at + Statx.offset.ino, 0x1_0000_0002);
    arena.setU64(at + Statx.offset.size, 5_000_000_000);
    arena.setU64(at + Statx.offset.blocks, 9_765_632);
    arena.setU64(at + Statx.offset.atime, 1_700_000_000);
    arena.setU32(at + Statx.offset.atime + 8, 1);
    arena.setU64(at + Statx.offset.btime, 1_600_000_000);
    arena.setU64(at + Statx.offset.ctime, 1_700_000_002);
    arena.setU32(at + Statx.offset.ctime + 8, 3);
    arena.setU64(at + Statx.offset.mtime, -5);
    arena.setU32(at + Statx.offset.mtime + 8, 2);
    arena.setU32(at + Statx.offset.rdev_major, 8);
    arena.setU32(at + Statx.offset.rdev_minor, 0x123);
  }

  /** What `method` answers from now on. */
  answer(method: Method, result: number): void {
    this.results.set(method, result);
  }

  /** From now on `method` parks its request. */
  defer(method: Method): void {
    this.deferring.add(method);
  }

  private note(method: Method, ...details: (string | number | boolean)[]): number {
    this.log.push(`${method}(${details.join(', ')})`);
    return this.results.get(method) ?? 0;
  }

  private noteFor(caller: Caller, method: Method, ...details: (string | number | boolean)[]): number {
    const { uid, gid, pid, supplementaryGid } = caller;
    const group =
      supplementaryGid === GROUPS_UNTOLD ? '+?' : supplementaryGid === NO_GROUP ? '' : `+${supplementaryGid}`;
    this.caller = `${uid}:${gid}${group} ${pid}`;
    const result = this.note(method, ...details);
    if (!this.deferring.has(method)) return result;
    this.deferred.push(caller.defer());
    return DEFERRED;
  }

  private text(at: number): string {
    return Buffer.from(this.arena.bytes(at, this.arena.u8.indexOf(0, at) - at)).toString();
  }

  private made(result: number): Node | number {
    return result === 0 ? 5 : result;
  }

  node(idLow: number, idHigh: number): Node | number {
    if (idLow === 1 && idHigh === 0) return 1;
    return idLow > 1 && idLow < 10 && idHigh === GENERATION ? idLow : -ESTALE;
  }
  nodeGeneration(node: Node): number {
    return node === 1 ? 0 : GENERATION;
  }
  handle(fhLow: number, fhHigh: number): Handle | number {
    return fhLow < 10 && fhHigh === HANDLE_GENERATION ? fhLow : -EBADF;
  }
  handleGeneration(): number {
    return HANDLE_GENERATION;
  }
  lookup(parent: Node, name: number): Node | number {
    return this.made(this.note('lookup', parent, this.text(name)));
  }
  forget(node: Node, count: number): void {
    this.note('forget', node, count);
  }
  reset(): void {
    this.note('reset');
  }
  getattr(node: Node, handle: Handle, mask: number): number {
    return this.note('getattr', node, handle, mask);
  }
  setattr(node: Node, handle: Handle, c: AttributeChanges, caller: Caller): number {
    return this.noteFor(
      caller,
      'setattr',
      node,
      handle,
      c.valid,
      c.mode,
      c.uid,
      c.gid,
      c.size,
      c.atime,
      c.atimeNsec,
      c.mtime,
      c.mtimeNsec,
    );
  }
  readlink(node: Node, into: number, capacity: number): number {
    const target = Buffer.from('a/target');
    this.arena.u8.set(target, into);
    return this.note('readlink', node, capacity) || target.length;
  }
  symlink(parent: Node, name: number, target: number, caller: Caller): Node | number {
    return this.made(this.noteFor(caller, 'symlink', parent, this.text(name), this.text(target)));
  }
  mknod(parent: Node, name: number, mode: number, rdev: number, caller: Caller): Node | number {
    return this.made(this.noteFor(caller, 'mknod', parent, this.text(name), mode.toString(8), rdev));
  }
  mkdir(parent: Node, name: number, mode: number, caller: Caller): Node | number {
    return this.made(this.noteFor(caller, 'mkdir', parent, this.text(name), mode.toString(8)));
  }
  link(node: Node, newParent: Node, newName: number): Node | number {
    return this.made(this.note('link', node, newParent, this.text(newName)));
  }
  create(parent: Node, name: number, mode: number, flags: number, killPriv: boolean, caller: Caller): Node | number {
    const octal = [mode.toString(8), flags.toString(8)];
    return this.made(this.noteFor(caller, 'create', parent, this.text(name), ...octal, killPriv));
  }
  tmpfile(parent: Node, mode: number, flags: number, caller: Caller): Node | number {
    return this.made(this.noteFor(caller, 'tmpfile', parent, mode.toString(8), flags.toString(8)));
  }
  unlink(parent: Node, name: number): number {
    return this.note('unlink', parent, this.text(name));
  }
  rmdir(parent: Node, name: number): number {
    return this.note('rmdir', parent, this.text(name));
  }
  rename(parent: Node, name: number, newParent: Node, newName: number, flags: number): number {
    return this.note('rename', parent, this.text(name), newParent, this.text(newName), flags);
  }
  open(node: Node, flags: number, killPriv: boolean, caller: Caller): Handle | number {
    return this.noteFor(caller, 'open', node, flags.toString(8), killPriv) || 2;
  }
  read(handle: Handle, offset: number, length: number, payload: Payload, skip: number, caller: Caller): number {
    const result = this.noteFor(caller, 'read', handle, offset, length);
    if (result === 0) {
      const bytes = Math.min(length, 5);
      this.arena.u8.set(Buffer.from('hello'), this.attributes + 256);
      payload.push(skip, bytes, this.attributes + 256);
      return bytes;
    }
    return result;
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
    const bytes = Math.min(length, 64);
    const failed = payload.pull(skip, bytes, this.attributes + 256);
    if (failed < 0) return failed;
    const text = Buffer.from(this.arena.bytes(this.attributes + 256, bytes)).toString();
    return this.noteFor(caller, 'write', handle, offset, length, way, text) || length;
  }
  flush(handle: Handle, ownerLow: number, ownerHigh: number, caller: Caller): number {
    return this.noteFor(caller, 'flush', handle, ownerLow, ownerHigh);
  }
  dropLocks(handle: Handle, ownerLow: number, ownerHigh: number): void {
    this.note('dropLocks', handle, ownerLow, ownerHigh);
  }
  release(handle: Handle): number {
    return this.note('release', handle);
  }
  fsync(handle: Handle, dataOnly: boolean, caller: Caller): number {
    return this.noteFor(caller, 'fsync', handle, dataOnly);
  }
  syncfs(node: Node, caller: Caller): number {
    return this.noteFor(caller, 'syncfs', node);
  }
  opendir(node: Node, flags: number): Handle | number {
    return this.note('opendir', node, flags.toString(8)) || 2;
  }
  readdir(handle: Handle, low: number, high: number, capacity: number, sink: DirectorySink): number {
    const result = this.note('readdir', handle, low, high, capacity);
    for (let i = low; i < this.entries.length; i++) {
      const { name, ino, type } = this.entries[i];
      const bytes = Buffer.from(`${name}\0`);
      const at = this.attributes + 256;
      this.arena.u8.set(bytes, at);
      if (!sink.entry(ino, 0, i + 1, 0x7fff_ffff, type, at, bytes.length - 1)) break;
    }
    return result;
  }
  releasedir(handle: Handle): number {
    return this.note('releasedir', handle);
  }
  statfs(node: Node, into: number): number {
    for (let i = 0; i < 15; i++) this.arena.setU64(into + i * 8, 100 + i);
    return this.note('statfs', node);
  }
  access(node: Node, mask: number, caller: Caller): number {
    return this.noteFor(caller, 'access', node, mask);
  }
  getxattr(node: Node, name: number, into: number, size: number): number {
    if (size > 0) this.arena.u8.set(Buffer.from('value').subarray(0, size), into);
    return this.note('getxattr', node, this.text(name), size) || 5;
  }
  listxattr(node: Node, into: number, size: number): number {
    if (size > 0) this.arena.u8.set(Buffer.from('user.a\0').subarray(0, size), into);
    return this.note('listxattr', node, size) || 7;
  }
  setxattr(node: Node, name: number, value: number, size: number, flags: number): number {
    const bytes = Buffer.from(this.arena.bytes(value, size)).toString();
    return this.note('setxattr', node, this.text(name), bytes, flags);
  }
  removexattr(node: Node, name: number): number {
    return this.note('removexattr', node, this.text(name));
  }
  getlk(handle: Handle, lock: Lock): number {
    const result = this.note('getlk', handle, lock.type, ...rangeOf(lock), lock.ownerLow, lock.ownerHigh);
    lock.pid = 99;
    return result;
  }
  setlk(handle: Handle, lock: Lock, wait: boolean, caller: Caller): number {
    return this.noteFor(caller, 'setlk', handle, lock.type, ...rangeOf(lock), wait);
  }
  flock(handle: Handle, type: number, wait: boolean, caller: Caller): number {
    return this.noteFor(caller, 'flock', handle, type, wait);
  }
  interrupt(uniqueLow: number, uniqueHigh: number): boolean {
    return this.note('interrupt', uniqueLow, uniqueHigh) > 0;
  }
  fallocate(handle: Handle, mode: number, offset: number, length: number, caller: Caller): number {
    return this.noteFor(caller, 'fallocate', handle, mode, offset, length);
  }
  lseek(handle: Handle, offset: number, whence: number): number {
    return this.note('lseek', handle, offset, whence) || 8192;
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
    return this.noteFor(caller, 'copyFileRange', from, fromOffset, to, toOffset, length, flags) || length;
  }
  ioctl(handle: Handle, command: number, data: number, inLength: number, outCapacity: number): number {
    const result = this.note('ioctl', handle, command.toString(16), inLength, outCapacity);
    if (result < 0) return result;
    this.arena.u8.fill(0xab, data, data + outCapacity);
    return outCapacity;
  }
}
