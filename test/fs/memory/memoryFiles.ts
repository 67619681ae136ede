/** Open files of the file system in memory: their content, space and locks. */
import type { Arena } from '../../../src/base/arena';
import { Errno } from '../../../src/protocol/errno';
import { DEFERRED, type Caller, type Handle, type Lock, type Payload, WriteWay } from '../../../src/fs/fileSystem';
import * as linux from '../../../src/fs/linux';
import { copyRange } from '../../../src/fs/lockRange';
import type { MemoryInode } from './memoryInode';
import type { HeldLock } from './rangeLocks';
import { WaitingRequests } from '../../../src/fs/waitingRequests';

export interface OpenFile {
  readonly inode: MemoryInode;
  readonly flags: number;
}

const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;

/** Largest file, as ext4 with 4 KiB blocks has it. */
const LARGEST = 2 ** 44 - 4096;

export class MemoryFiles {
  private readonly opened = new Map<Handle, OpenFile>();
  private next: Handle = 0;
  /** Nobody else holds locks here, so that a retry at each unlock is all it takes. */
  private readonly waiting = new WaitingRequests({ wake: () => undefined });

  constructor(
    private readonly arena: Arena,
    private readonly areas: { readonly data: number; readonly dataSize: number },
  ) {}

  find(handle: Handle): OpenFile | undefined {
    return this.opened.get(handle);
  }

  open(inode: MemoryInode, flags: number, killPriv: boolean): Handle {
    if (flags & linux.O_TRUNC) {
      inode.bytes.truncate(0);
      if (killPriv) inode.dropPrivileges();
      inode.changed();
    }
    this.opened.set(this.next, { inode, flags });
    return this.next++;
  }

  read(handle: Handle, offset: number, length: number, payload: Payload, skip: number): number {
    const inode = this.readable(handle);
    if (inode === undefined) return -Errno.EBADF;
    const total = Math.max(0, Math.min(length, inode.bytes.size - offset));
    const { data, dataSize } = this.areas;
    for (let done = 0; done < total; done += dataSize) {
      const part = Math.min(dataSize, total - done);
      inode.bytes.read(offset + done, this.arena.bytes(data, part));
      const failed = payload.push(skip + done, part, data);
      if (failed < 0) return failed;
    }
    inode.setTime('atime', 0, linux.UTIME_NOW);
    return total;
  }

  write(handle: Handle, offset: number, length: number, payload: Payload, skip: number, way: number): number {
    const inode = this.writable(handle);
    if (inode === undefined) return -Errno.EBADF;
    const start = way & WriteWay.Append ? inode.bytes.size : offset;
    if (start + length > LARGEST) return -Errno.EFBIG;
    const { data, dataSize } = this.areas;
    for (let done = 0; done < length; done += dataSize) {
      const part = Math.min(dataSize, length - done);
      const failed = payload.pull(skip + done, part, data);
      if (failed < 0) return failed;
      inode.bytes.write(start + done, this.arena.bytes(data, part));
    }
    if (way & WriteWay.KillPriv) inode.dropPrivileges();
    inode.changed();
    return length;
  }

  release(handle: Handle): number {
    const file = this.opened.get(handle);
    if (file === undefined) return -Errno.EBADF;
    this.waiting.endOfHandle(handle, -Errno.EINTR);
    file.inode.flocks.drop(handle);
    this.opened.delete(handle);
    this.waiting.retry(file.inode.number);
    return 0;
  }

  reset(): void {
    this.waiting.endAll(-Errno.EINTR);
    for (const [handle, { inode }] of [...this.opened]) {
      inode.ranges.clear();
      this.release(handle);
    }
  }

  fallocate(handle: Handle, mode: number, offset: number, length: number): number {
    const inode = this.writable(handle);
    if (inode === undefined) return -Errno.EBADF;
    if (length <= 0 || offset < 0) return -Errno.EINVAL;
    if (offset + length > LARGEST) return -Errno.EFBIG;
    if (mode === (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)) {
      inode.bytes.punch(offset, length);
    } else if (mode === 0 || mode === FALLOC_FL_KEEP_SIZE) {
      inode.bytes.allocate(offset, length);
      if (mode === 0) inode.bytes.size = Math.max(inode.bytes.size, offset + length);
    } else {
      return -Errno.EOPNOTSUPP;
    }
    inode.changed();
    return 0;
  }

  lseek(handle: Handle, offset: number, whence: number): number {
    const file = this.opened.get(handle);
    if (file === undefined) return -Errno.EBADF;
    const { bytes } = file.inode;
    if (whence === linux.SEEK_SET) return offset;
    if (whence === linux.SEEK_END) return bytes.size + offset;
    if (whence !== linux.SEEK_DATA && whence !== linux.SEEK_HOLE) return -Errno.EINVAL;
    if (offset < 0 || offset >= bytes.size) return -Errno.ENXIO;
    const found = bytes.next(offset, whence === linux.SEEK_DATA);
    return whence === linux.SEEK_DATA && found === bytes.size ? -Errno.ENXIO : found;
  }

  copy(from: Handle, fromOffset: number, to: Handle, toOffset: number, length: number, flags: number): number {
    const source = this.readable(from);
    const target = this.writable(to);
    if (source === undefined || target === undefined) return -Errno.EBADF;
    if (flags !== 0) return -Errno.EINVAL;
    const total = Math.max(0, Math.min(length, source.bytes.size - fromOffset));
    if (source === target && Math.abs(fromOffset - toOffset) < total) return -Errno.EINVAL;
    if (toOffset + total > LARGEST) return -Errno.EFBIG;
    const piece = this.arena.bytes(this.areas.data, this.areas.dataSize);
    for (let done = 0; done < total; done += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, total - done));
      source.bytes.read(fromOffset + done, part);
      target.bytes.write(toOffset + done, part);
    }
    if (total > 0) target.changed();
    return total;
  }

  dropLocks(handle: Handle, ownerLow: number, ownerHigh: number): void {
    const inode = this.opened.get(handle)?.inode;
    if (inode === undefined) return;
    inode.ranges.dropOwner(`${ownerHigh} ${ownerLow}`);
    this.waiting.retry(inode.number);
  }

  getlk(handle: Handle, lock: Lock): number {
    const inode = this.opened.get(handle)?.inode;
    if (inode === undefined) return -Errno.EBADF;
    const conflict = inode.ranges.conflict(heldLock(lock));
    if (conflict === undefined) {
      lock.type = linux.F_UNLCK;
    } else {
      lock.type = conflict.type;
      copyRange(lock, conflict);
      lock.pid = conflict.pid;
    }
    return 0;
  }

  setlk(handle: Handle, lock: Lock, wait: boolean, caller: Caller): number {
    const inode = this.opened.get(handle)?.inode;
    if (inode === undefined) return -Errno.EBADF;
    const held = heldLock(lock);
    if (held.type === linux.F_UNLCK) {
      inode.ranges.set(held);
      this.waiting.retry(inode.number);
      return 0;
    }
    return this.orWait(handle, inode, wait, caller, () => {
      if (inode.ranges.conflict(held) !== undefined) return -Errno.EAGAIN;
      inode.ranges.set(held);
      return 0;
    });
  }

  flock(handle: Handle, type: number, wait: boolean, caller: Caller): number {
    const inode = this.opened.get(handle)?.inode;
    if (inode === undefined) return -Errno.EBADF;
    if (type === linux.F_UNLCK) {
      inode.flocks.drop(handle);
      this.waiting.retry(inode.number);
      return 0;
    }
    return this.orWait(handle, inode, wait, caller, () => (inode.flocks.take(handle, type) ? 0 : -Errno.EAGAIN));
  }

  interrupt(uniqueLow: number, uniqueHigh: number): boolean {
    return this.waiting.interrupt(uniqueLow, uniqueHigh);
  }

  private orWait(handle: Handle, inode: MemoryInode, wait: boolean, caller: Caller, attempt: () => number): number {
    const result = attempt();
    if (result !== -Errno.EAGAIN || !wait) return result;
    const { uniqueLow, uniqueHigh } = caller;
    this.waiting.add({ node: inode.number, handle, uniqueLow, uniqueHigh, attempt, parked: caller.defer() });
    return DEFERRED;
  }

  private readable(handle: Handle): MemoryInode | undefined {
    const file = this.opened.get(handle);
    const allowed = file !== undefined && (file.flags & linux.O_ACCMODE) !== linux.O_WRONLY && !file.inode.isFolder;
    return allowed ? file.inode : undefined;
  }

  private writable(handle: Handle): MemoryInode | undefined {
    const file = this.opened.get(handle);
    return file !== undefined && (file.flags & linux.O_ACCMODE) !== linux.O_RDONLY ? file.inode : undefined;
  }
}

function heldLock(lock: Lock): HeldLock {
  return { ...lock, owner: `${lock.ownerHigh} ${lock.ownerLow}` };
}
