/**
 * The FUSE opcodes as calls: `share.lookup(parent, name)` and so on, with typed arguments and decoded replies.
 *
 * Every call throws `FuseError` for an errno. Built from the wire tables; adds nothing of a kernel's behaviour (no
 * caching, no permission checks, no path walks): that is `test/conformance/fusePosix.ts`.
 */
import { errnoName } from '../../src/protocol/errno';
import { ExtType, InitFlag2, KERNEL_MINOR_VERSION, initFlags, initFlags2 } from '../../src/protocol/fuse/flags';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import * as wire from '../../src/protocol/fuse/structs';
import type { FuseClient, Pending, Reply, SendOptions } from './fuseClient';
import { Fields, pack, text } from './pack';

export class FuseError extends Error {
  readonly code: string;

  /** `errno`: positive. */
  constructor(
    readonly errno: number,
    what: string,
  ) {
    super(`${what}: ${errnoName(errno)}`);
    this.code = errnoName(errno);
  }
}

export interface Attributes {
  readonly ino: bigint;
  readonly size: number;
  readonly blocks: number;
  readonly atime: bigint;
  readonly mtime: bigint;
  readonly ctime: bigint;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly blksize: number;
  /** FUSE_ATTR_*. */
  readonly flags: number;
}

export interface Entry {
  readonly nodeid: bigint;
  readonly entryValid: number;
  readonly attrValid: number;
  readonly attributes: Attributes;
}

export interface Opened {
  readonly fh: bigint;
  readonly flags: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly ino: bigint;
  readonly next: bigint;
  readonly type: number;
  /** READDIRPLUS only; undefined for "." and ".." and for what was not looked up. */
  readonly entry?: Entry | undefined;
}

export interface LockRange {
  readonly type: number;
  readonly start: bigint;
  /** Inclusive. */
  readonly end: bigint;
  readonly pid: number;
}

/** The flags that a Linux guest offers: all that there are but what is for local FUSE devices only. */
const LOCAL_ONLY = ['SPLICE_WRITE', 'SPLICE_MOVE', 'SPLICE_READ', 'INIT_RESERVED', 'FILE_OPS'];
const LOCAL_ONLY_2 = ['PASSTHROUGH', 'OVER_IO_URING', 'REQUEST_TIMEOUT', 'HAS_IO_URING_BUFPOOL', 'SECURITY_CTX'];
const sum = (values: Readonly<Record<string, number>>, without: readonly string[]): number =>
  Object.entries(values).reduce((all, [name, bit]) => (without.includes(name) ? all : (all | bit) >>> 0), 0);
export const LINUX_FLAGS = sum(initFlags.value, LOCAL_ONLY);
export const LINUX_FLAGS_2 = sum(initFlags2.value, LOCAL_ONLY_2);

const ENTRY = wire.EntryOut.size;

export function attributes(bytes: Uint8Array, at: number): Attributes {
  const f = new Fields(wire.Attr, bytes, at);
  const time = (name: 'atime' | 'mtime' | 'ctime'): bigint =>
    BigInt.asIntN(64, f.big(name)) * 1_000_000_000n + f.big(`${name}nsec`);
  return {
    ino: f.big('ino'),
    size: f.number('size'),
    blocks: f.number('blocks'),
    atime: time('atime'),
    mtime: time('mtime'),
    ctime: time('ctime'),
    mode: f.number('mode'),
    nlink: f.number('nlink'),
    uid: f.number('uid'),
    gid: f.number('gid'),
    rdev: f.number('rdev'),
    blksize: f.number('blksize'),
    flags: f.number('flags'),
  };
}

export function entry(bytes: Uint8Array, at = 0): Entry {
  const f = new Fields(wire.EntryOut, bytes, at);
  return {
    nodeid: f.big('nodeid'),
    entryValid: f.number('entry_valid') + f.number('entry_valid_nsec') / 1e9,
    attrValid: f.number('attr_valid') + f.number('attr_valid_nsec') / 1e9,
    attributes: attributes(bytes, at + wire.EntryOut.offset.attr),
  };
}

function opened(bytes: Uint8Array, at = 0): Opened {
  const f = new Fields(wire.OpenOut, bytes, at);
  return { fh: f.big('fh'), flags: f.number('open_flags') };
}

export class FuseCalls {
  umask = 0o022;
  /** A group of the caller to be told with what it makes, where that was agreed on; or -1. */
  group = -1;
  /** What INIT has agreed on. */
  minor = 0;
  flags = 0;
  flags2 = 0;
  maxWrite = 0;
  maxPages = 0;
  mapAlignment = 0;

  constructor(readonly client: FuseClient) {}

  /** The reply's body. Throws FuseError. */
  request(opcode: number, nodeid: bigint, parts: readonly Uint8Array[], options?: SendOptions): Uint8Array {
    return this.result(opcode, this.client.call(opcode, nodeid, parts, options));
  }

  /** Makes an inode; `more`: bytes of reply behind its entry. */
  private make(opcode: number, parent: bigint, parts: readonly Uint8Array[], more = 0): Uint8Array {
    const told = this.group >= 0 && (this.flags2 & InitFlag2.CREATE_SUPP_GROUP) !== 0;
    const options = { room: ENTRY + more };
    if (!told) return this.request(opcode, parent, parts, options);
    const extension = Buffer.alloc(16);
    extension.set(pack(wire.ExtHeader, { size: extension.length, type: ExtType.EXT_GROUPS }));
    extension.writeUInt32LE(1, wire.ExtHeader.size);
    extension.writeUInt32LE(this.group, wire.ExtHeader.size + 4);
    const header = { extensions: extension.length / 8 };
    return this.request(opcode, parent, [...parts, extension], { ...options, header });
  }

  /** The body of a reply that `client.wait` returned. Throws FuseError. */
  result(opcode: number, reply: Reply): Uint8Array {
    if (reply.error === 0) return reply.body;
    const name = Object.entries(Opcode).find(([, value]) => value === opcode)?.[0] ?? `opcode ${opcode}`;
    throw new FuseError(-reply.error, name);
  }

  init(minor: number = KERNEL_MINOR_VERSION, flags = LINUX_FLAGS, flags2 = LINUX_FLAGS_2): void {
    const values = { major: 7, minor, max_readahead: 1 << 20, flags, flags2 };
    const body = this.request(Opcode.INIT, 0n, [pack(wire.InitIn, values)], { room: wire.InitOut.size });
    const out = new Uint8Array(wire.InitOut.size);
    out.set(body);
    const f = new Fields(wire.InitOut, out);
    this.minor = f.number('minor');
    this.flags = f.number('flags');
    this.flags2 = f.number('flags2');
    this.maxWrite = f.number('max_write');
    this.maxPages = f.number('max_pages');
    this.mapAlignment = f.number('map_alignment');
  }

  destroy(): void {
    this.request(Opcode.DESTROY, 0n, [], { room: 0 });
  }

  lookup(parent: bigint, name: string | Uint8Array): Entry {
    const found = entry(this.request(Opcode.LOOKUP, parent, [text(name)], { room: ENTRY }));
    if (found.nodeid === 0n) throw new FuseError(2, 'LOOKUP (negative entry)');
    return found;
  }

  forget(nodeid: bigint, nlookup = 1): void {
    this.request(Opcode.FORGET, nodeid, [pack(wire.ForgetIn, { nlookup })], { room: -1, queue: 0 });
  }

  batchForget(nodes: readonly { nodeid: bigint; nlookup: number }[]): void {
    const parts = [pack(wire.BatchForgetIn, { count: nodes.length }), ...nodes.map((n) => pack(wire.ForgetOne, n))];
    this.request(Opcode.BATCH_FORGET, 0n, parts, { room: -1, queue: 0 });
  }

  getattr(nodeid: bigint, fh?: bigint): Attributes {
    const args = pack(wire.GetattrIn, fh === undefined ? {} : { getattr_flags: 1, fh });
    return attributes(
      this.request(Opcode.GETATTR, nodeid, [args], { room: wire.AttrOut.size }),
      wire.AttrOut.offset.attr,
    );
  }

  statx(nodeid: bigint, mask: number): Fields<string> {
    const body = this.request(Opcode.STATX, nodeid, [pack(wire.StatxIn, { sx_mask: mask })], {
      room: wire.StatxOut.size,
    });
    return new Fields<string>(wire.Statx, body, wire.StatxOut.offset.stat);
  }

  setattr(nodeid: bigint, values: Parameters<typeof pack<keyof typeof wire.SetattrIn.offset>>[1]): Attributes {
    const body = this.request(Opcode.SETATTR, nodeid, [pack(wire.SetattrIn, values)], { room: wire.AttrOut.size });
    return attributes(body, wire.AttrOut.offset.attr);
  }

  /** In the room that Linux has for it: a page but for the NUL. */
  readlink(nodeid: bigint): string {
    return Buffer.from(this.request(Opcode.READLINK, nodeid, [], { room: 4095 })).toString();
  }

  symlink(parent: bigint, name: string, target: string): Entry {
    return entry(this.make(Opcode.SYMLINK, parent, [text(name), text(target)]));
  }

  mknod(parent: bigint, name: string | Uint8Array, mode: number, rdev = 0): Entry {
    const args = pack(wire.MknodIn, { mode: mode & ~this.umask, rdev, umask: this.umask });
    return entry(this.make(Opcode.MKNOD, parent, [args, text(name)]));
  }

  mkdir(parent: bigint, name: string | Uint8Array, mode = 0o777): Entry {
    const args = pack(wire.MkdirIn, { mode: mode & ~this.umask, umask: this.umask });
    return entry(this.make(Opcode.MKDIR, parent, [args, text(name)]));
  }

  unlink(parent: bigint, name: string | Uint8Array): void {
    this.request(Opcode.UNLINK, parent, [text(name)], { room: 0 });
  }

  rmdir(parent: bigint, name: string | Uint8Array): void {
    this.request(Opcode.RMDIR, parent, [text(name)], { room: 0 });
  }

  rename(parent: bigint, name: string, newdir: bigint, newName: string, flags = 0): void {
    if (flags === 0) {
      this.request(Opcode.RENAME, parent, [pack(wire.RenameIn, { newdir }), text(name), text(newName)], { room: 0 });
    } else {
      const args = pack(wire.Rename2In, { newdir, flags });
      this.request(Opcode.RENAME2, parent, [args, text(name), text(newName)], { room: 0 });
    }
  }

  link(oldnodeid: bigint, parent: bigint, name: string): Entry {
    return entry(this.request(Opcode.LINK, parent, [pack(wire.LinkIn, { oldnodeid }), text(name)], { room: ENTRY }));
  }

  open(nodeid: bigint, flags: number, openFlags = 0): Opened {
    const args = pack(wire.OpenIn, { flags, open_flags: openFlags });
    return opened(this.request(Opcode.OPEN, nodeid, [args], { room: wire.OpenOut.size }));
  }

  create(parent: bigint, name: string | Uint8Array, flags: number, mode: number): Entry & Opened {
    const args = pack(wire.CreateIn, { flags, mode: (mode & ~this.umask) | 0o100000, umask: this.umask });
    const body = this.make(Opcode.CREATE, parent, [args, text(name)], wire.OpenOut.size);
    return { ...entry(body), ...opened(body, ENTRY) };
  }

  /** Linux sends a name along, as it does with CREATE; it means nothing. */
  tmpfile(parent: bigint, flags: number, mode: number): Entry & Opened {
    const args = pack(wire.CreateIn, { flags, mode: (mode & ~this.umask) | 0o100000, umask: this.umask });
    const body = this.make(Opcode.TMPFILE, parent, [args, text('/')], wire.OpenOut.size);
    return { ...entry(body), ...opened(body, ENTRY) };
  }

  read(nodeid: bigint, fh: bigint, offset: number, size: number): Uint8Array {
    return this.request(Opcode.READ, nodeid, [pack(wire.ReadIn, { fh, offset, size })], { room: size });
  }

  /** `flags`: those of the open file, as they are now. */
  write(nodeid: bigint, fh: bigint, offset: number, data: Uint8Array, writeFlags = 0, flags = 0): number {
    const args = pack(wire.WriteIn, { fh, offset, size: data.length, write_flags: writeFlags, flags });
    const parts = data.length > 0 ? [args, data] : [args];
    return new Fields(wire.WriteOut, this.request(Opcode.WRITE, nodeid, parts, { room: wire.WriteOut.size })).number(
      'size',
    );
  }

  flush(nodeid: bigint, fh: bigint, lockOwner = 0n): void {
    this.request(Opcode.FLUSH, nodeid, [pack(wire.FlushIn, { fh, lock_owner: lockOwner })], { room: 0 });
  }

  release(nodeid: bigint, fh: bigint, flags = 0, lockOwner = 0n, releaseFlags = 0): void {
    const values = { fh, flags, lock_owner: lockOwner, release_flags: releaseFlags };
    this.request(Opcode.RELEASE, nodeid, [pack(wire.ReleaseIn, values)], { room: 0 });
  }

  fsync(nodeid: bigint, fh: bigint, dataOnly: boolean): void {
    this.request(Opcode.FSYNC, nodeid, [pack(wire.FsyncIn, { fh, fsync_flags: dataOnly ? 1 : 0 })], { room: 0 });
  }

  fsyncdir(nodeid: bigint, fh: bigint): void {
    this.request(Opcode.FSYNCDIR, nodeid, [pack(wire.FsyncIn, { fh })], { room: 0 });
  }

  syncfs(nodeid: bigint): void {
    this.request(Opcode.SYNCFS, nodeid, [pack(wire.SyncfsIn, {})], { room: 0 });
  }

  statfs(nodeid: bigint): Fields<keyof typeof wire.Kstatfs.offset> {
    return new Fields(wire.Kstatfs, this.request(Opcode.STATFS, nodeid, [], { room: wire.StatfsOut.size }));
  }

  opendir(nodeid: bigint): Opened {
    return opened(this.request(Opcode.OPENDIR, nodeid, [pack(wire.OpenIn, { flags: 0o200000 })], { room: 16 }));
  }

  readdir(nodeid: bigint, fh: bigint, offset: bigint, size = 4096): DirectoryEntry[] {
    const body = this.request(Opcode.READDIR, nodeid, [pack(wire.ReadIn, { fh, offset, size })], { room: size });
    return this.entries(body, 0);
  }

  readdirplus(nodeid: bigint, fh: bigint, offset: bigint, size = 4096): DirectoryEntry[] {
    const body = this.request(Opcode.READDIRPLUS, nodeid, [pack(wire.ReadIn, { fh, offset, size })], { room: size });
    return this.entries(body, ENTRY);
  }

  releasedir(nodeid: bigint, fh: bigint): void {
    this.request(Opcode.RELEASEDIR, nodeid, [pack(wire.ReleaseIn, { fh })], { room: 0 });
  }

  access(nodeid: bigint, mask: number): void {
    this.request(Opcode.ACCESS, nodeid, [pack(wire.AccessIn, { mask })], { room: 0 });
  }

  getxattr(nodeid: bigint, name: string, size = 4096): Uint8Array {
    return this.request(Opcode.GETXATTR, nodeid, [pack(wire.GetxattrIn, { size }), text(name)], {
      room: Math.max(size, wire.GetxattrOut.size),
    });
  }

  listxattr(nodeid: bigint, size = 4096): string[] {
    const body = this.request(Opcode.LISTXATTR, nodeid, [pack(wire.GetxattrIn, { size })], { room: size });
    return Buffer.from(body).toString().split('\0').slice(0, -1);
  }

  setxattr(nodeid: bigint, name: string, value: Uint8Array, flags = 0): void {
    const extended = (this.flags & initFlags.value.SETXATTR_EXT) !== 0;
    const args = pack(wire.SetxattrIn, { size: value.length, flags }).subarray(0, extended ? 16 : 8);
    this.request(Opcode.SETXATTR, nodeid, [args, text(name), ...(value.length > 0 ? [value] : [])], { room: 0 });
  }

  removexattr(nodeid: bigint, name: string): void {
    this.request(Opcode.REMOVEXATTR, nodeid, [text(name)], { room: 0 });
  }

  private lockArguments(fh: bigint, owner: bigint, lock: LockRange, flock: boolean): Uint8Array {
    const args = pack(wire.LkIn, { fh, owner, lk_flags: flock ? 1 : 0 });
    args.set(pack(wire.FileLock, lock), wire.LkIn.offset.lk);
    return args;
  }

  getlk(nodeid: bigint, fh: bigint, owner: bigint, lock: LockRange): LockRange {
    const body = this.request(Opcode.GETLK, nodeid, [this.lockArguments(fh, owner, lock, false)], {
      room: wire.LkOut.size,
    });
    const f = new Fields(wire.FileLock, body);
    return { type: f.number('type'), start: f.big('start'), end: f.big('end'), pid: f.number('pid') };
  }

  setlk(nodeid: bigint, fh: bigint, owner: bigint, lock: LockRange, flock = false): void {
    this.request(Opcode.SETLK, nodeid, [this.lockArguments(fh, owner, lock, flock)], { room: 0 });
  }

  /** SETLKW, not waited for: `client.wait` or `client.done` it. */
  startSetlkw(nodeid: bigint, fh: bigint, owner: bigint, lock: LockRange, flock = false): Pending {
    return this.client.start(Opcode.SETLKW, nodeid, [this.lockArguments(fh, owner, lock, flock)], { room: 0 });
  }

  /** Has no reply. */
  interrupt(unique: number): void {
    this.request(Opcode.INTERRUPT, 0n, [pack(wire.InterruptIn, { unique })], { room: -1, queue: 0 });
  }

  fallocate(nodeid: bigint, fh: bigint, mode: number, offset: number, length: number): void {
    this.request(Opcode.FALLOCATE, nodeid, [pack(wire.FallocateIn, { fh, mode, offset, length })], { room: 0 });
  }

  lseek(nodeid: bigint, fh: bigint, offset: number, whence: number): number {
    const args = pack(wire.LseekIn, { fh, offset, whence });
    return new Fields(wire.LseekOut, this.request(Opcode.LSEEK, nodeid, [args], { room: 8 })).number('offset');
  }

  /** `wide`: COPY_FILE_RANGE_64, whose reply is 64 bits wide. */
  copyFileRange(
    from: { nodeid: bigint; fh: bigint; offset: number },
    to: { nodeid: bigint; fh: bigint; offset: number },
    len: number,
    wide = false,
  ): number {
    const args = pack(wire.CopyFileRangeIn, {
      fh_in: from.fh,
      off_in: from.offset,
      nodeid_out: to.nodeid,
      fh_out: to.fh,
      off_out: to.offset,
      len,
    });
    const body = this.request(wide ? Opcode.COPY_FILE_RANGE_64 : Opcode.COPY_FILE_RANGE, from.nodeid, [args], {
      room: 8,
    });
    return wide
      ? new Fields(wire.CopyFileRangeOut, body).number('bytes_copied')
      : new Fields(wire.WriteOut, body).number('size');
  }

  /** The bytes that come back. */
  ioctl(nodeid: bigint, fh: bigint, cmd: number, input: Uint8Array, outSize: number): Uint8Array {
    const args = pack(wire.IoctlIn, { fh, cmd, in_size: input.length, out_size: outSize });
    const parts = input.length > 0 ? [args, input] : [args];
    const body = this.request(Opcode.IOCTL, nodeid, parts, { room: wire.IoctlOut.size + outSize });
    const result = new Fields(wire.IoctlOut, body).number('result');
    if (result < 0) throw new FuseError(-result, 'IOCTL');
    return body.subarray(wire.IoctlOut.size);
  }

  private entries(body: Uint8Array, before: number): DirectoryEntry[] {
    const found: DirectoryEntry[] = [];
    for (let at = 0; at < body.length;) {
      const f = new Fields(wire.Dirent, body, at + before);
      const nameAt = at + before + wire.Dirent.size;
      const length = f.number('namelen');
      const plus = before > 0 ? entry(body, at) : undefined;
      found.push({
        name: Buffer.from(body.subarray(nameAt, nameAt + length)).toString(),
        ino: f.big('ino'),
        next: f.big('off'),
        type: f.number('type'),
        entry: plus && plus.nodeid !== 0n ? plus : undefined,
      });
      at += wire.recordAlign(before + wire.Dirent.size + length);
    }
    return found;
  }
}
