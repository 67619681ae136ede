/** An inode of the file system in memory, and what of it a `struct statx` shows. */
import type { Arena } from '../../../src/base/arena';
import { FileType, S_IFMT, S_ISGID, S_ISUID, Statx, UTIME_NOW, UTIME_OMIT } from '../../../src/fs/linux';
import { RangeLocks, WholeLocks } from './rangeLocks';
import { PAGE, SparseBytes } from './sparseBytes';

/** Seconds and nanoseconds since the epoch. */
export interface Moment {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** A name in a folder. `position` grows with each new name and is what a folder is read by. */
export interface Link {
  readonly inode: MemoryInode;
  readonly position: number;
}

const STATX_ALL = 0xfff;
const OWN_DEVICE_MINOR = 77;

export function now(): Moment {
  const milliseconds = performance.timeOrigin + performance.now();
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanoseconds: Math.min(999_999_999, Math.floor((milliseconds - seconds * 1000) * 1e6)) };
}

export class MemoryInode {
  /** Positions 1 and 2 are '.' and '..'. */
  private nextPosition = 3;
  readonly names = new Map<string, Link>();
  readonly bytes = new SparseBytes();
  readonly xattrs = new Map<string, Uint8Array>();
  readonly ranges = new RangeLocks();
  readonly flocks = new WholeLocks();
  /** Of a folder: where it is, while it is anywhere. */
  parent: MemoryInode | undefined;
  nlink = 0;
  atime = now();
  mtime = this.atime;
  ctime = this.atime;
  readonly btime = this.atime;
  /** The guest's lookups; the inode is reachable by its node while above zero. */
  lookups = 0;

  constructor(
    readonly number: number,
    public mode: number,
    public uid: number,
    public gid: number,
    readonly rdev = 0,
    readonly target: Uint8Array | undefined = undefined,
  ) {}

  get type(): number {
    return this.mode >>> 12;
  }

  get isFolder(): boolean {
    return this.type === FileType.FOLDER;
  }

  put(name: string, inode: MemoryInode): void {
    this.names.set(name, { inode, position: this.nextPosition++ });
    this.changed();
  }

  take(name: string): void {
    this.names.delete(name);
    this.changed();
  }

  /** The content, or the names in it, have changed. */
  changed(): void {
    this.mtime = this.ctime = now();
  }

  /** Something about the inode has changed. */
  touch(): void {
    this.ctime = now();
  }

  /** What write, truncate and chown do to a program that runs as its owner or group. */
  dropPrivileges(): void {
    this.mode &= ~S_ISUID;
    if (this.mode & 0o010) this.mode &= ~S_ISGID;
  }

  setTime(which: 'atime' | 'mtime', seconds: number, nanoseconds: number): void {
    if (nanoseconds === UTIME_OMIT) return;
    this[which] = nanoseconds === UTIME_NOW ? now() : { seconds, nanoseconds };
  }

  fill(arena: Arena, at: number): void {
    arena.zero(at, Statx.byteLength);
    arena.setU32(at + Statx.mask, STATX_ALL);
    arena.setU32(at + Statx.blksize, PAGE);
    arena.setU32(at + Statx.nlink, this.nlink);
    arena.setU32(at + Statx.uid, this.uid);
    arena.setU32(at + Statx.gid, this.gid);
    arena.setU16(at + Statx.mode, this.mode);
    arena.setU64(at + Statx.ino, this.number);
    arena.setU64(at + Statx.size, this.size);
    arena.setU64(at + Statx.blocks, this.bytes.pageCount * (PAGE / 512));
    for (const which of ['atime', 'btime', 'ctime', 'mtime'] as const) {
      arena.setU64(at + Statx[which], this[which].seconds);
      arena.setU32(at + Statx[which] + 8, this[which].nanoseconds);
    }
    // A guest's dev_t as the kernel encodes it for the wire: 12 bits of major between 8 and 12 of minor.
    arena.setU32(at + Statx.rdevMajor, (this.rdev >>> 8) & 0xfff);
    arena.setU32(at + Statx.rdevMinor, (this.rdev & 0xff) | ((this.rdev >>> 12) & 0xfff00));
    arena.setU32(at + Statx.devMinor, OWN_DEVICE_MINOR);
  }

  private get size(): number {
    if (this.target !== undefined) return this.target.length;
    return this.isFolder ? this.names.size * 20 + 40 : this.bytes.size;
  }

  /** The permission bits anew, the type staying. */
  setPermissions(mode: number): void {
    this.mode = (this.mode & S_IFMT) | (mode & 0o7777);
  }
}
