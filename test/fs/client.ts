/**
 * A small client of the `FileSystem` interface for tests: strings and Buffers instead of arena offsets, promises
 * instead of parked requests. Throws `Errno` for negative results.
 */
import assert from 'node:assert/strict';
import type { Arena } from '../../src/base/arena';
import {
  DEFERRED,
  type AttributeChanges,
  type Caller,
  type Deferred,
  type FileSystem,
  type Handle,
  type Lock,
  NO_GROUP,
  type Node,
  type Payload,
} from '../../src/fs/fileSystem';
import { Statx } from '../../src/fs/linux';

export class Errno extends Error {
  constructor(readonly errno: number) {
    super(`errno ${errno}`);
  }
}

/** For assert.throws and assert.rejects: the error is this errno. */
export const failsWith =
  (errno: number) =>
  (error: unknown): boolean =>
    error instanceof Errno && error.errno === errno;

export function check(result: number): number {
  if (result < 0) throw new Errno(-result);
  return result;
}

/** Bytes per iovec, to have several. */
export const PIECE = 1000;

/** Data in the arena's `data` area, offered both as vectors and for copying. */
export class ArenaPayload implements Payload {
  /** Where the iovecs are written; each test payload has its own, so that a parked one keeps its own. */
  readonly vectors: number;

  constructor(
    private readonly arena: Arena,
    private readonly vectorsAt: number,
    readonly dataAt: number,
  ) {
    this.vectors = arena.address(vectorsAt);
  }

  requestVectors(skip: number, length: number): number {
    if (this.arena.base === 0) return -38;
    let count = 0;
    for (let done = 0; done < length; done += PIECE, count++) {
      const at = this.vectorsAt + count * 16;
      this.arena.setU64(at, this.arena.address(this.dataAt + skip + done));
      this.arena.setU64(at + 8, Math.min(PIECE, length - done));
    }
    return count;
  }

  replyVectors(skip: number, length: number): number {
    return this.requestVectors(skip, length);
  }

  pull(skip: number, length: number, at: number): number {
    this.arena.u8.copyWithin(at, this.dataAt + skip, this.dataAt + skip + length);
    return 0;
  }

  push(skip: number, length: number, at: number): number {
    this.arena.u8.copyWithin(this.dataAt + skip, at, at + length);
    return 0;
  }
}

export interface Entry {
  readonly name: string;
  readonly type: number;
  readonly ino: number;
  readonly nextLow: number;
  readonly nextHigh: number;
}

export interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly nlink: number;
  readonly ino: number;
  readonly blocks: number;
  readonly mtime: number;
  readonly mtimeNsec: number;
  readonly atime: number;
}

class Parked implements Deferred {
  constructor(
    private readonly ring: { readonly runs: boolean },
    readonly payload: Payload,
    readonly finish: (result: number) => void,
  ) {}

  get answerable(): boolean {
    return this.ring.runs;
  }
}

/** Bytes of arena a client takes from its start on. */
export const CLIENT_AREA = 512 * 1024;

let unique = 1;

export class Client {
  uid = 0;
  gid = 0;
  supplementaryGid = NO_GROUP;
  /** The unique id of the request made last, for `interrupt`. */
  lastUnique = 0;
  /** The ring that brings its requests. */
  readonly ring = { runs: true };
  private readonly payload: ArenaPayload;

  constructor(
    readonly fs: FileSystem,
    readonly arena: Arena,
    private readonly start: number,
  ) {
    this.payload = new ArenaPayload(arena, start + 64 * 1024, start + 128 * 1024);
  }

  /** A name in the arena; two may be in use at a time. */
  name(text: string, second = false): number {
    const at = this.start + (second ? 8192 : 0);
    const bytes = Buffer.from(text);
    this.arena.u8.set(bytes, at);
    this.arena.u8[at + bytes.length] = 0;
    return at;
  }

  /** Runs one call with a caller; its result, waited for when deferred. */
  async request(call: (caller: Caller) => number): Promise<number> {
    return check(await this.outcome(call));
  }

  /** The same, with negative results as they are. `payload`: of the request, once it is parked. */
  outcome(call: (caller: Caller) => number, payload: Payload = this.payload): Promise<number> {
    return new Promise((resolve) => {
      const result = call(this.caller(() => new Parked(this.ring, payload, resolve)));
      if (result !== DEFERRED) resolve(result);
    });
  }

  private caller(defer: Caller['defer']): Caller {
    this.lastUnique = unique;
    const { uid, gid, supplementaryGid } = this;
    return { uid, gid, pid: 1, supplementaryGid, uniqueLow: unique++, uniqueHigh: 0, defer };
  }

  lookup(parent: Node, name: string): Node {
    return check(this.fs.lookup(parent, this.name(name)));
  }

  /** The node of a path from the root, each part looked up. */
  walk(path: string): Node {
    return path.split('/').reduce((node, part) => this.lookup(node, part), 1);
  }

  attributes(): Attributes {
    const at = this.fs.attributes;
    const { arena } = this;
    return {
      mode: arena.getU16(at + Statx.mode),
      uid: arena.getU32(at + Statx.uid),
      gid: arena.getU32(at + Statx.gid),
      size: arena.getU64(at + Statx.size),
      nlink: arena.getU32(at + Statx.nlink),
      ino: arena.getU64(at + Statx.ino),
      blocks: arena.getU64(at + Statx.blocks),
      mtime: arena.getI64(at + Statx.mtime),
      mtimeNsec: arena.getU32(at + Statx.mtime + 8),
      atime: arena.getI64(at + Statx.atime),
    };
  }

  stat(node: Node): Attributes {
    check(this.fs.getattr(node, -1, 0x7ff));
    return this.attributes();
  }

  async set(node: Node, changes: Partial<AttributeChanges>, handle: Handle = -1): Promise<Attributes> {
    const all = { valid: 0, mode: 0, uid: 0, gid: 0, size: 0, atime: 0, atimeNsec: 0, mtime: 0, mtimeNsec: 0 };
    await this.request((caller) => this.fs.setattr(node, handle, { ...all, ...changes }, caller));
    return this.attributes();
  }

  async create(
    parent: Node,
    name: string,
    flags = 2,
    mode = 0o100644,
    killPriv = false,
  ): Promise<{ node: Node; handle: Handle }> {
    const node = await this.request((caller) => this.fs.create(parent, this.name(name), mode, flags, killPriv, caller));
    return { node, handle: this.fs.createdHandle };
  }

  /** The handle or a negative errno, at once: where nothing is in the way. */
  open(node: Node, flags: number, killPriv = false): Handle | number {
    return this.fs.open(
      node,
      flags,
      killPriv,
      this.caller(() => assert.fail('deferred')),
    );
  }

  mkdir(parent: Node, name: string, mode = 0o40755): Promise<Node> {
    return this.request((caller) => this.fs.mkdir(parent, this.name(name), mode, caller));
  }

  mknod(parent: Node, name: string, mode: number, rdev = 0): Promise<Node> {
    return this.request((caller) => this.fs.mknod(parent, this.name(name), mode, rdev, caller));
  }

  symlink(parent: Node, name: string, target: string): Promise<Node> {
    return this.request((caller) => this.fs.symlink(parent, this.name(name), this.name(target, true), caller));
  }

  link(node: Node, parent: Node, name: string): Node {
    return check(this.fs.link(node, parent, this.name(name)));
  }

  rename(parent: Node, name: string, newParent: Node, newName: string, flags = 0): void {
    check(this.fs.rename(parent, this.name(name), newParent, this.name(newName, true), flags));
  }

  readlink(node: Node): string {
    const at = this.start + 16384;
    const length = check(this.fs.readlink(node, at, 4096));
    return Buffer.from(this.arena.bytes(at, length)).toString();
  }

  async read(handle: Handle, offset: number, length: number): Promise<Buffer> {
    const bytes = await this.request((caller) => this.fs.read(handle, offset, length, this.payload, 0, caller));
    return Buffer.from(this.arena.bytes(this.payload.dataAt, bytes));
  }

  /** `way`: `WriteWay` bits. */
  write(handle: Handle, offset: number, data: string | Uint8Array, way = 0): Promise<number> {
    const bytes = Buffer.from(data);
    this.arena.u8.set(bytes, this.payload.dataAt);
    return this.request((caller) => this.fs.write(handle, offset, bytes.length, this.payload, 0, way, caller));
  }

  /** Entries of an open folder from a position on, at most `room` of them. */
  readdir(handle: Handle, positionLow = 0, positionHigh = 0, room = Infinity): Entry[] {
    const entries: Entry[] = [];
    const failed = this.fs.readdir(handle, positionLow, positionHigh, 65536, {
      entry: (inoLow, inoHigh, nextLow, nextHigh, type, nameAt, nameLength) => {
        if (entries.length >= room) return false;
        const name = Buffer.from(this.arena.bytes(nameAt, nameLength)).toString();
        entries.push({ name, type, ino: inoHigh * 2 ** 32 + inoLow, nextLow, nextHigh });
        return true;
      },
    });
    check(failed);
    return entries;
  }

  /** All entries of a folder, asked for in replies of `room` entries. */
  list(node: Node, room = Infinity): Entry[] {
    const handle = check(this.fs.opendir(node, 0));
    const all: Entry[] = [];
    for (let low = 0, high = 0; ;) {
      const some = this.readdir(handle, low, high, room);
      if (some.length === 0) break;
      all.push(...some);
      ({ nextLow: low, nextHigh: high } = some[some.length - 1]);
    }
    check(this.fs.releasedir(handle));
    return all;
  }

  getxattr(node: Node, name: string, size = 4096): Buffer {
    const at = this.start + 32768;
    const length = check(this.fs.getxattr(node, this.name(name), at, size));
    return Buffer.from(this.arena.bytes(at, size === 0 ? 0 : length));
  }

  setxattr(node: Node, name: string, value: string, flags = 0): void {
    const at = this.start + 32768;
    this.arena.u8.set(Buffer.from(value), at);
    check(this.fs.setxattr(node, this.name(name), at, Buffer.byteLength(value), flags));
  }

  listxattr(node: Node): string[] {
    const at = this.start + 32768;
    const length = check(this.fs.listxattr(node, at, 4096));
    const names = Buffer.from(this.arena.bytes(at, length)).toString();
    return names.split('\0').filter((name) => name !== '');
  }

  /** `end` is inclusive; Infinity: to the end of the file. */
  lock(type: number, start: number, end: number, owner: number): Lock {
    const last = end === Infinity ? 2n ** 63n - 1n : BigInt(end);
    return {
      type,
      startLow: start >>> 0,
      startHigh: Math.floor(start / 2 ** 32),
      endLow: Number(last & 0xffff_ffffn),
      endHigh: Number(last >> 32n),
      pid: owner,
      ownerLow: owner,
      ownerHigh: 0,
    };
  }

  /** close(2) by a holder of POSIX locks; negative results as they are. */
  flush(handle: Handle, owner = 0): Promise<number> {
    return this.outcome((caller) => this.fs.flush(handle, owner, 0, caller));
  }

  setlk(handle: Handle, lock: Lock, wait = false): Promise<number> {
    return this.outcome((caller) => this.fs.setlk(handle, lock, wait, caller));
  }
}
