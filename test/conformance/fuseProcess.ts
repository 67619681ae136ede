/**
 * The descriptors of a process on our FUSE client: opening, reading, writing, seeking, folders, locks.
 *
 * The lower half of `FusePosix`: what the kernel keeps per process (identity, umask, working folder, descriptors with
 * their positions, the owner of POSIX locks).
 */
import { InitFlag, OpenInFlag, ReleaseFlag, SetattrFlag, WriteFlag } from '../../src/protocol/fuse/flags';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import { FuseError, type LockRange } from '../driver/fuseCalls';
import {
  type Credentials,
  type Found,
  type FuseMount,
  isFolder,
  isLink,
  permits,
  refuse,
  ROOT_ID,
  type Walked,
} from './fuseMount';
import { type DirectoryEntry, exact, type Lock, type Mapping, O } from './posix';

interface OpenFile {
  readonly nodeid: bigint;
  /** A lookup is given back when it closes. */
  readonly kept: boolean;
  readonly fh: bigint;
  flags: number;
  /** As far as this descriptor's kernel knows: what others have added it has not heard of. */
  size: number;
  readonly folder: boolean;
  position: number;
  directoryPosition: bigint;
  flocked: boolean;
}

const EOF = 0x7fff_ffff_ffff_ffffn;
const ACCMODE = 3;
const PAGE = 4096;
let lastPid = 1000;
let lastOwner = 0x1234_5678_0000_0000n;

const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;

export class FuseProcess {
  protected who: Credentials = { uid: 0, gid: 0, groups: [] };
  protected mask = 0o022;
  protected readonly pid = ++lastPid;
  /** The identity of this process as a holder of POSIX locks. */
  protected readonly owner = ++lastOwner;
  protected readonly files = new Map<number, OpenFile>();

  /** `folders`: the working directory and those above it; their lookups are held for good. */
  constructor(
    protected readonly mount: FuseMount,
    protected folders: readonly bigint[] = [ROOT_ID],
  ) {}

  protected get calls(): FuseMount['calls'] {
    return this.mount.calls;
  }

  protected get privileged(): boolean {
    return this.who.uid === 0;
  }

  protected agreed(flag: number): boolean {
    return (this.calls.flags & flag) !== 0;
  }

  /** Set where the server clears set-user-ID and set-group-ID and this caller may not keep them. */
  protected get killsPrivileges(): boolean {
    return !this.privileged && this.agreed(InitFlag.HANDLE_KILLPRIV_V2);
  }

  protected async run<T>(operation: () => T): Promise<T> {
    return this.mount.as(this.who, this.pid, this.mask, operation);
  }

  protected walk(path: string, follow: boolean): Walked {
    return this.mount.walk(this.folders, path, this.who, follow);
  }

  protected find(path: string, follow = true): Found {
    return this.walk(path, follow).found ?? refuse('ENOENT', path);
  }

  protected file(fd: number): OpenFile {
    return this.files.get(fd) ?? refuse('EBADF', `fd ${fd}`);
  }

  private newFile(nodeid: bigint, fh: bigint, flags: number, folder: boolean, size = 0): number {
    let fd = 3;
    while (this.files.has(fd)) fd++;
    const kept = this.mount.keep(nodeid);
    this.files.set(fd, { nodeid, kept, fh, flags, size, folder, position: 0, directoryPosition: 0n, flocked: false });
    return fd;
  }

  /** The folder a name is made in or taken from, checked for write permission. */
  protected parentOf(walked: Walked, victim?: Found): bigint {
    const parent = walked.folders[walked.folders.length - 1];
    if (!this.privileged) {
      const attributes = this.calls.getattr(parent);
      if (!permits(attributes, this.who, 3)) refuse('EACCES', walked.name);
      const sticky = (attributes.mode & 0o1000) !== 0 && attributes.uid !== this.who.uid;
      if (victim && sticky && victim.attributes.uid !== this.who.uid) refuse('EPERM', walked.name);
    }
    return parent;
  }

  /** The folder and name for something new at `path`. */
  protected place(path: string, forFolder = false): { parent: bigint; name: string } {
    const walked = this.walk(path, false);
    if (walked.found) refuse('EEXIST', path);
    if (walked.trailingSlash && !forFolder) refuse('ENOENT', path);
    return { parent: this.parentOf(walked), name: walked.name };
  }

  chdir(path: string): Promise<void> {
    return this.run(() => {
      const walked = this.walk(path, true);
      const found = walked.found ?? refuse('ENOENT', path);
      if (!isFolder(found.attributes)) refuse('ENOTDIR', path);
      const folders = walked.name === '.' ? walked.folders : [...walked.folders, found.nodeid];
      // Folders on the way are held as well: `..` leads through them.
      for (const nodeid of folders) if (!this.folders.includes(nodeid)) this.mount.keep(nodeid);
      this.folders = folders;
    });
  }

  open(path: string, flags: number, mode = 0o644): Promise<number> {
    return this.run(() => {
      const follow = (flags & O.NOFOLLOW) === 0 && (flags & (O.CREAT | O.EXCL)) !== (O.CREAT | O.EXCL);
      const walked = this.walk(path, follow);
      if ((flags & O.TMPFILE) === O.TMPFILE) return this.openUnnamed(walked, flags, mode);
      if (!walked.found) {
        if ((flags & O.CREAT) === 0) refuse('ENOENT', path);
        if (walked.trailingSlash) refuse('EISDIR', path);
        const made = this.calls.create(this.parentOf(walked), walked.name, flags, mode);
        this.mount.took(made.nodeid);
        return this.newFile(made.nodeid, made.fh, flags, false);
      }
      return this.openFound(walked.found, path, flags);
    });
  }

  private openUnnamed({ found }: Walked, flags: number, mode: number): number {
    const folder = found ?? refuse('ENOENT', 'O_TMPFILE');
    if (!isFolder(folder.attributes)) refuse('ENOTDIR', 'O_TMPFILE');
    if (!permits(folder.attributes, this.who, 3)) refuse('EACCES', 'O_TMPFILE');
    const made = this.calls.tmpfile(folder.nodeid, flags & ~O.TMPFILE, mode);
    this.mount.took(made.nodeid);
    return this.newFile(made.nodeid, made.fh, flags, false);
  }

  private openFound({ nodeid, attributes }: Found, path: string, flags: number): number {
    if ((flags & (O.CREAT | O.EXCL)) === (O.CREAT | O.EXCL)) refuse('EEXIST', path);
    if (isLink(attributes)) refuse('ELOOP', path);
    const folder = isFolder(attributes);
    const writes = (flags & ACCMODE) !== O.RDONLY;
    if (folder && (writes || (flags & (O.CREAT | O.TRUNC)) !== 0)) refuse('EISDIR', path);
    if (!folder && (flags & O.DIRECTORY) !== 0) refuse('ENOTDIR', path);
    const needed = (flags & ACCMODE) === O.RDONLY ? 4 : (flags & ACCMODE) === O.WRONLY ? 2 : 6;
    if (!permits(attributes, this.who, needed | ((flags & O.TRUNC) !== 0 ? 2 : 0))) refuse('EACCES', path);
    if (folder) return this.newFile(nodeid, this.calls.opendir(nodeid).fh, flags, true);
    const truncates = (flags & O.TRUNC) !== 0;
    const atomic = this.agreed(InitFlag.ATOMIC_O_TRUNC);
    const kill = truncates && this.killsPrivileges ? OpenInFlag.KILL_SUIDGID : 0;
    const sent = flags & ~(O.CREAT | O.EXCL | (atomic ? 0 : O.TRUNC));
    const { fh } = this.calls.open(nodeid, sent, kill);
    if (truncates && !atomic) this.calls.setattr(nodeid, { valid: SetattrFlag.SIZE | SetattrFlag.FH, fh, size: 0 });
    return this.newFile(nodeid, fh, flags, false, truncates ? 0 : attributes.size);
  }

  close(fd: number): Promise<void> {
    return this.run(() => {
      const file = this.file(fd);
      this.files.delete(fd);
      try {
        if (!file.folder) this.tolerant(() => this.calls.flush(file.nodeid, file.fh, this.owner));
      } finally {
        const unlock = file.flocked ? ReleaseFlag.FLOCK_UNLOCK : 0;
        if (file.folder) this.calls.releasedir(file.nodeid, file.fh);
        else this.calls.release(file.nodeid, file.fh, file.flags, BigInt(fd), unlock);
        if (file.kept) this.mount.drop(file.nodeid);
      }
    });
  }

  /** What Linux takes for done where the server does not know the opcode. */
  protected tolerant(operation: () => void): void {
    try {
      operation();
    } catch (error) {
      if (!(error instanceof FuseError) || error.code !== 'ENOSYS') throw error;
    }
  }

  /** ENOSYS as the system call shows it. */
  protected supported<T>(operation: () => T, shown = 'EOPNOTSUPP'): T {
    try {
      return operation();
    } catch (error) {
      if (error instanceof FuseError && error.code === 'ENOSYS') return refuse(shown, error.message);
      throw error;
    }
  }

  private readable(fd: number): OpenFile {
    const file = this.file(fd);
    if (file.folder) refuse('EISDIR', 'read');
    if ((file.flags & ACCMODE) === O.WRONLY) refuse('EBADF', 'read');
    return file;
  }

  private writable(fd: number): OpenFile {
    const file = this.file(fd);
    if (file.folder || (file.flags & ACCMODE) === O.RDONLY) refuse('EBADF', 'write');
    return file;
  }

  private readAt({ nodeid, fh }: OpenFile, length: number, offset: number): Buffer {
    const parts: Uint8Array[] = [];
    for (let have = 0; have < length;) {
      const size = Math.min(length - have, this.calls.client.largest);
      const part = this.calls.read(nodeid, fh, offset + have, size);
      parts.push(part);
      have += part.length;
      if (part.length < size) break;
    }
    return Buffer.concat(parts);
  }

  private writeAt(file: OpenFile, data: Uint8Array, offset: number): number {
    const { nodeid, fh } = file;
    const largest = Math.min(this.calls.maxWrite, this.calls.client.largest);
    const flags = this.killsPrivileges ? WriteFlag.KILL_SUIDGID : 0;
    let done = 0;
    while (done < data.length) {
      const part = data.subarray(done, done + largest);
      const written = this.calls.write(nodeid, fh, offset + done, part, flags, file.flags);
      done += written;
      if (written < part.length) break;
    }
    file.size = Math.max(file.size, offset + done);
    return done;
  }

  /** Where a write by this descriptor goes. Linux does not ask for the size before it appends, but with write-back. */
  private target(file: OpenFile, offset: number): number {
    if ((file.flags & O.APPEND) === 0) return offset;
    return this.agreed(InitFlag.WRITEBACK_CACHE) ? this.calls.getattr(file.nodeid, file.fh).size : file.size;
  }

  setFlags(fd: number, flags: number): Promise<void> {
    return this.run(() => {
      const file = this.file(fd);
      file.flags = (file.flags & ~O.APPEND) | (flags & O.APPEND);
    });
  }

  /** Keeps no pages: what is stored is written back at once, as a kernel does it later, whole pages at a time. */
  map(fd: number, length: number): Promise<Mapping> {
    return this.run(() => {
      const file = this.readable(fd);
      if ((file.flags & ACCMODE) !== O.RDWR) refuse('EACCES', 'mmap');
      const { nodeid, fh } = file;
      return {
        load: (offset, count) =>
          this.run(() => Buffer.concat([this.readAt(file, count, offset), Buffer.alloc(count)], count)),
        store: (offset, data) =>
          this.run(() => {
            const start = offset - (offset % PAGE);
            const end = Math.min(length, this.calls.getattr(nodeid, fh).size, roundUp(offset + data.length, PAGE));
            if (offset >= end) return;
            const pages = this.readAt(file, end - start, start);
            pages.set(data.subarray(0, end - offset), offset - start);
            this.calls.write(nodeid, fh, start, pages, WriteFlag.CACHE);
          }),
        sync: () => this.run(() => this.calls.fsync(nodeid, fh, false)),
        unmap: () => Promise.resolve(),
      };
    });
  }

  pread(fd: number, length: number, offset: number): Promise<Buffer> {
    return this.run(() => this.readAt(this.readable(fd), length, offset));
  }

  pwrite(fd: number, data: Uint8Array, offset: number): Promise<number> {
    return this.run(() => {
      const file = this.writable(fd);
      return this.writeAt(file, data, this.target(file, offset));
    });
  }

  read(fd: number, length: number): Promise<Buffer> {
    return this.run(() => {
      const file = this.readable(fd);
      const data = this.readAt(file, length, file.position);
      file.position += data.length;
      return data;
    });
  }

  write(fd: number, data: Uint8Array): Promise<number> {
    return this.run(() => {
      const file = this.writable(fd);
      const offset = this.target(file, file.position);
      const written = this.writeAt(file, data, offset);
      file.position = offset + written;
      return written;
    });
  }

  lseek(fd: number, offset: number, whence: number): Promise<number> {
    return this.run(() => {
      const file = this.file(fd);
      if (whence > 2) {
        file.position = this.supported(() => this.calls.lseek(file.nodeid, file.fh, offset, whence));
        return file.position;
      }
      const from = whence === 0 ? 0 : whence === 1 ? file.position : this.calls.getattr(file.nodeid, file.fh).size;
      if (from + offset < 0) refuse('EINVAL', 'lseek');
      file.position = from + offset;
      return file.position;
    });
  }

  protected resize(nodeid: bigint, size: number, fh?: bigint): void {
    const kill = this.killsPrivileges ? SetattrFlag.KILL_SUIDGID : 0;
    const valid = SetattrFlag.SIZE | kill | (fh === undefined ? 0 : SetattrFlag.FH);
    this.calls.setattr(nodeid, { valid, size, ...(fh === undefined ? {} : { fh }) });
  }

  truncate(path: string, length: number): Promise<void> {
    return this.run(() => {
      if (length < 0) refuse('EINVAL', 'truncate');
      const { nodeid, attributes } = this.find(path);
      if (isFolder(attributes)) refuse('EISDIR', path);
      if (!permits(attributes, this.who, 2)) refuse('EACCES', path);
      this.resize(nodeid, length);
    });
  }

  ftruncate(fd: number, length: number): Promise<void> {
    return this.run(() => {
      const file = this.file(fd);
      if (length < 0 || file.folder || (file.flags & ACCMODE) === O.RDONLY) refuse('EINVAL', 'ftruncate');
      this.resize(file.nodeid, length, file.fh);
    });
  }

  fallocate(fd: number, mode: number, offset: number, length: number): Promise<void> {
    return this.run(() => {
      const { nodeid, fh } = this.writable(fd);
      if (offset < 0 || length <= 0) refuse('EINVAL', 'fallocate');
      this.supported(() => this.calls.fallocate(nodeid, fh, mode, offset, length));
    });
  }

  copyFileRange(from: number, fromOffset: number, to: number, toOffset: number, length: number): Promise<number> {
    return this.run(() => {
      const source = { ...this.readable(from), offset: fromOffset };
      const target = { ...this.writable(to), offset: toOffset };
      const left = this.calls.getattr(source.nodeid, source.fh).size - fromOffset;
      const bounded = Math.max(0, Math.min(length, left));
      return bounded === 0
        ? 0
        : this.supported(() => this.calls.copyFileRange(source, target, bounded, this.calls.minor >= 45));
    });
  }

  fsync(fd: number): Promise<void> {
    return this.run(() => {
      const { nodeid, fh, folder } = this.file(fd);
      this.tolerant(() => (folder ? this.calls.fsyncdir(nodeid, fh) : this.calls.fsync(nodeid, fh, false)));
    });
  }

  fdatasync(fd: number): Promise<void> {
    return this.run(() => {
      const { nodeid, fh } = this.file(fd);
      this.tolerant(() => this.calls.fsync(nodeid, fh, true));
    });
  }

  syncfs(fd: number): Promise<void> {
    return this.run(() => {
      this.file(fd);
      this.tolerant(() => this.calls.syncfs(ROOT_ID));
    });
  }

  getdents(fd: number, size: number): Promise<DirectoryEntry[]> {
    return this.run(() => {
      const file = this.file(fd);
      if (!file.folder) refuse('ENOTDIR', 'getdents64');
      const plus = this.agreed(InitFlag.DO_READDIRPLUS) && file.directoryPosition === 0n;
      const read = plus ? this.calls.readdirplus : this.calls.readdir;
      const entries = read.call(this.calls, file.nodeid, file.fh, file.directoryPosition, Math.max(size, 4096));
      for (const { entry } of entries) if (entry) this.mount.took(entry.nodeid);
      const last = entries.at(-1);
      if (last) file.directoryPosition = last.next;
      return entries;
    });
  }

  seekDirectory(fd: number, position: bigint): Promise<void> {
    return this.run(() => {
      this.file(fd).directoryPosition = position;
    });
  }

  private range({ type, start, length }: Lock): LockRange {
    const first = BigInt(start);
    const end = length === 0 ? EOF : first + BigInt(length) - 1n;
    return { type, start: first, end, pid: this.pid };
  }

  getLock(fd: number, lock: Lock): Promise<Lock> {
    return this.run(() => {
      const { nodeid, fh } = this.file(fd);
      const found = this.calls.getlk(nodeid, fh, this.owner, this.range(lock));
      if (found.type === 2) return { ...lock, type: 2 };
      const length = found.end === EOF ? 0 : exact(found.end - found.start + 1n);
      return { type: found.type, start: exact(found.start), length };
    });
  }

  async setLock(fd: number, lock: Lock, wait = false): Promise<void> {
    const file = this.file(fd);
    const access = file.flags & ACCMODE;
    if ((lock.type === 0 && access === O.WRONLY) || (lock.type === 1 && access === O.RDONLY)) refuse('EBADF', 'fcntl');
    if (wait) await this.waitFor(file, this.owner, this.range(lock), false);
    else await this.run(() => this.calls.setlk(file.nodeid, file.fh, this.owner, this.range(lock)));
  }

  async flock(fd: number, operation: number): Promise<void> {
    const file = this.file(fd);
    const type = { 1: 0, 2: 1, 8: 2 }[operation & ~4] ?? refuse('EINVAL', 'flock');
    const range = { type, start: 0n, end: EOF, pid: this.pid };
    // The owner of a flock is the open file.
    const owner = this.owner * 4096n + BigInt(fd);
    if ((operation & 4) !== 0 || type === 2) {
      await this.run(() => this.calls.setlk(file.nodeid, file.fh, owner, range, true));
    } else {
      await this.waitFor(file, owner, range, true);
    }
    file.flocked = type !== 2;
  }

  private async waitFor(file: OpenFile, owner: bigint, range: LockRange, flock: boolean): Promise<void> {
    const pending = await this.run(() => this.calls.startSetlkw(file.nodeid, file.fh, owner, range, flock));
    while (!this.calls.client.done(pending)) await new Promise((resolve) => setTimeout(resolve, 1));
    this.calls.result(Opcode.SETLKW, this.calls.client.wait(pending));
  }

  async exit(): Promise<void> {
    for (const fd of [...this.files.keys()]) await this.close(fd);
  }
}
