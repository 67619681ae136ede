/**
 * Open files of the shared folder: opening, reading, writing, syncing, space and copying.
 *
 * A call that may wait for a device is made on another thread and its request parked; everything else at once, straight
 * between page cache and guest memory. What "may wait" is differs: a read is tried with RWF_NOWAIT first, a write goes
 * to the page cache unless the file is synchronous, fsync always may, close(2) where the file is not this machine's. An
 * open that meets a lease waits for its end.
 */
import { Errno } from '../protocol/errno';
import {
  DEFERRED,
  type Caller,
  type Deferred,
  type FileSystem,
  type Handle,
  type Node,
  type Payload,
  WriteWay,
} from './fileSystem';
import { FlushWay, ReadWay } from './handleTable';
import type { BlockingCalls, Done } from './hostCalls';
import type { HostFolder } from './hostFolder';
import * as linux from './linux';
import type { Opening } from './opening';

/** Flags that make a write wait for the device. */
const SYNCHRONOUS = linux.O_SYNC | linux.O_DSYNC | linux.O_DIRECT;

/** A copy up to this long is made at once: it is shorter than the way to another thread and back. */
const SHORT_COPY = 64 * 1024;

/** What reads or changes the contents of files, of a `FileSystem`; its `flush` without the locks. */
export interface Contents extends Pick<
  FileSystem,
  'open' | 'read' | 'write' | 'fsync' | 'syncfs' | 'fallocate' | 'lseek' | 'copyFileRange'
> {
  flush(handle: Handle, caller: Caller): number;
}

export class OpenFiles implements Contents {
  constructor(
    private readonly folder: HostFolder,
    private readonly blocking: BlockingCalls,
    private readonly opening: Opening,
  ) {}

  open(node: Node, guestFlags: number, killPriv: boolean, caller: Caller): Handle | number {
    const opened = this.opening.open(node, guestFlags, killPriv);
    return opened === -Errno.EAGAIN && (guestFlags & linux.O_NONBLOCK) === 0
      ? this.openLater(node, guestFlags, killPriv, caller)
      : opened;
  }

  private openLater(node: Node, guestFlags: number, killPriv: boolean, caller: Caller): number {
    return this.opening.wait(node, caller, () => this.opening.open(node, guestFlags, killPriv));
  }

  read(handle: Handle, offset: number, length: number, payload: Payload, skip: number, caller: Caller): number {
    const { calls, handles } = this.folder;
    const fd = this.folder.fileOf(handle);
    if (fd < 0) return fd;
    let way = handles.readWay[handle];
    if (way !== ReadWay.Elsewhere) {
      const count = payload.replyVectors(skip, length);
      if (count < 0) return count;
      const flags = way === ReadWay.NoWait ? linux.RWF_NOWAIT : 0;
      const bytes = calls.preadv2(fd, payload.vectors, count, offset, flags);
      if (bytes === length || way === ReadWay.Plain) return bytes;
      if (bytes >= 0) {
        // Short: the end of the file, or of what is cached.
        const size = calls.lseek(fd, 0, linux.SEEK_END);
        if (size < 0) return size;
        return offset + bytes >= size ? bytes : this.readElsewhere(handle, offset, length, bytes, skip, caller);
      }
      if (bytes !== -Errno.EOPNOTSUPP) {
        return bytes === -Errno.EAGAIN ? this.readElsewhere(handle, offset, length, 0, skip, caller) : bytes;
      }
      way = this.folder.learnReadWay(handle);
      if (way === ReadWay.Plain) return this.read(handle, offset, length, payload, skip, caller);
    }
    return this.readElsewhere(handle, offset, length, 0, skip, caller);
  }

  /** Reads [offset + done, offset + length) on the other thread, as often as it takes to reach the end of either. */
  private readElsewhere(
    handle: Handle,
    offset: number,
    length: number,
    done: number,
    skip: number,
    caller: Caller,
  ): number {
    const { calls, handles } = this.folder;
    const fd = handles.fd[handle];
    const parked = caller.defer();
    let total = done;
    const end = this.begin(handle, parked);
    const step = (): void => {
      const count = parked.payload.replyVectors(skip + total, length - total);
      if (count < 0) return end(count);
      this.blocking.preadv(fd, parked.payload.vectors, count, offset + total, (bytes) => {
        // A short reply tells the guest's kernel that the file ends there, so an error after some bytes is an error.
        if (bytes < 0) return end(bytes);
        total += bytes;
        if (bytes === 0 || total >= length) return end(total);
        if (handles.flags[handle] & linux.O_DIRECT) return end(total);
        const size = calls.lseek(fd, 0, linux.SEEK_END);
        if (size < 0) return end(size);
        if (offset + total >= size) return end(total);
        step();
      });
    };
    step();
    return DEFERRED;
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
    const { calls, handles } = this.folder;
    const fd = this.folder.fileOf(handle);
    if (fd < 0) return fd;
    const appends = way & WriteWay.Append;
    // The host opened an append-only file and would append this as well.
    if (handles.flags[handle] & linux.O_APPEND && !appends) return -Errno.EPERM;
    const killPriv = way & WriteWay.KillPriv;
    // The other thread has its own credentials, so a write that must clear set-user-ID bits stays here.
    if (handles.flags[handle] & SYNCHRONOUS && !killPriv) {
      return this.writeElsewhere(handle, offset, length, skip, way, caller);
    }
    const count = payload.requestVectors(skip, length);
    if (count < 0) return count;
    const flags = appends ? linux.RWF_APPEND : 0;
    const refused = killPriv ? calls.dropFsetid() : 0;
    if (refused < 0) return refused;
    let bytes = calls.pwritev2(fd, payload.vectors, count, offset, flags);
    if (way & WriteWay.Delayed && bytes >= 0 && bytes < length) {
      bytes = this.writeRest(fd, offset, length, payload, skip, bytes);
    }
    if (this.isNoWholeBlock(handle, way, bytes)) bytes = this.writeBuffered(handle, offset, length, payload, skip, 0);
    if (killPriv) calls.resume();
    return bytes;
  }

  /**
   * Of pages that are written back the last one ends where the file does, and O_DIRECT wants whole blocks. But that is
   * for what a program writes itself: on a local file what it stores through a mapping is not held to it.
   */
  private isNoWholeBlock(handle: Handle, way: number, result: number): boolean {
    const isDirect = (this.folder.handles.flags[handle] & linux.O_DIRECT) !== 0;
    return isDirect && (way & WriteWay.Delayed) !== 0 && result === -Errno.EINVAL;
  }

  private writeBuffered(
    handle: Handle,
    offset: number,
    length: number,
    payload: Payload,
    skip: number,
    done: number,
  ): number {
    const { calls, handles, procSelfFd } = this.folder;
    const flags = linux.O_WRONLY | linux.O_CLOEXEC | linux.O_NOCTTY | linux.O_NONBLOCK;
    // At the limit too: it is closed before anything else is opened.
    const fd = calls.openat(procSelfFd, this.folder.nameOf(handles.fd[handle]), flags, 0);
    if (fd < 0) return fd;
    const bytes = this.writeRest(fd, offset, length, payload, skip, done);
    calls.close(fd);
    return bytes;
  }

  /**
   * Of pages that are written back Linux looks at the error alone: what a short count leaves out it would take to be on
   * the host. So the rest is written too, and where that fails the whole has failed.
   */
  private writeRest(fd: number, offset: number, length: number, payload: Payload, skip: number, done: number): number {
    let total = done;
    while (total < length) {
      const count = payload.requestVectors(skip + total, length - total);
      if (count < 0) return count;
      const bytes = this.folder.calls.pwritev2(fd, payload.vectors, count, offset + total, 0);
      if (bytes <= 0) return bytes < 0 ? bytes : -Errno.EIO;
      total += bytes;
    }
    return total;
  }

  private writeElsewhere(
    handle: Handle,
    offset: number,
    length: number,
    skip: number,
    way: number,
    caller: Caller,
  ): number {
    const fd = this.folder.handles.fd[handle];
    const parked = caller.defer();
    const end = this.begin(handle, parked);
    const flags = way & WriteWay.Append ? linux.RWF_APPEND : 0;
    let total = 0;
    const step = (): void => {
      const count = parked.payload.requestVectors(skip + total, length - total);
      if (count < 0) return end(count);
      this.blocking.pwritev2(fd, parked.payload.vectors, count, offset + total, flags, (bytes) => {
        if (this.isNoWholeBlock(handle, way, bytes)) {
          return end(this.writeBuffered(handle, offset, length, parked.payload, skip, total));
        }
        if (bytes < 0) return end(bytes);
        total += bytes;
        // See writeRest.
        if (total >= length || (way & WriteWay.Delayed) === 0) return end(total);
        if (bytes === 0) return end(-Errno.EIO);
        step();
      });
    };
    step();
    return DEFERRED;
  }

  /**
   * close(2) of a duplicate: the handle itself lives until its last descriptor in the guest closes, and errors that
   * come then nobody hears any more.
   */
  flush(handle: Handle, caller: Caller): number {
    const { folder } = this;
    let way: FlushWay = folder.handles.flushWay[handle];
    if (way === FlushWay.Unknown) way = folder.learnFlushWay(handle);
    if (way === FlushWay.Nothing) return 0;
    const { calls, handles } = folder;
    return this.withLent(
      () => this.begin(handle, caller.defer()),
      () => calls.duplicate(handles.fd[handle]),
      (duplicate, done) => this.blocking.close(duplicate, done),
    );
  }

  /**
   * Makes a call that needs a descriptor of its own only until it is over; DEFERRED or a negative errno. `begin`: says
   * that the result will come later, and is what it is told then; `take`: the descriptor, or a negative errno.
   */
  private withLent(begin: () => Done, take: () => number, call: (fd: number, done: Done) => void): number {
    const { budget } = this.folder;
    const use = (begun: () => Done): number => {
      const fd = take();
      if (fd < 0) return fd;
      budget.take();
      const end = begun();
      call(fd, (result) => {
        budget.takeBack();
        end(result);
      });
      return DEFERRED;
    };
    if (budget.canLend) return use(begin);
    const end = begin();
    budget.whenLent(() => {
      const result = use(() => end);
      if (result !== DEFERRED) end(result);
    });
    return DEFERRED;
  }

  fsync(handle: Handle, dataOnly: boolean, caller: Caller): number {
    const end = this.begin(handle, caller.defer());
    this.blocking.fsync(this.folder.handles.fd[handle], dataOnly, end);
    return DEFERRED;
  }

  syncfs(node: Node, caller: Caller): number {
    const { folder, blocking } = this;
    const { calls, nodes } = folder;
    const generation = nodes.generation[node];
    // syncfs does not take an O_PATH descriptor.
    const flags = linux.O_RDONLY | (nodes.type[node] === linux.FileType.FOLDER ? linux.O_DIRECTORY : 0);
    return this.withLent(
      () => {
        const parked = caller.defer();
        return (result) => parked.finish(result);
      },
      // The guest may have forgotten it meanwhile.
      () => (nodes.resolve(node, generation) === 0 ? -Errno.ESTALE : folder.reopen(node, flags)),
      (fd, done) =>
        blocking.syncfs(fd, (result) => {
          calls.close(fd);
          done(result);
        }),
    );
  }

  fallocate(handle: Handle, mode: number, offset: number, length: number, caller: Caller): number {
    if (this.folder.options.readOnly) return -Errno.EROFS;
    const fd = this.folder.fileOf(handle);
    if (fd < 0) return fd;
    const kept = this.losePrivileges(fd, caller);
    if (kept < 0) return kept;
    this.blocking.fallocate(fd, mode, offset, length, this.begin(handle, caller.defer()));
    return DEFERRED;
  }

  lseek(handle: Handle, offset: number, whence: number): number {
    const fd = this.folder.fileOf(handle);
    if (fd < 0) return fd === -Errno.EBADF ? -Errno.EINVAL : fd;
    return this.folder.calls.lseek(fd, offset, whence);
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
    const { folder } = this;
    if (folder.options.readOnly) return -Errno.EROFS;
    const source = folder.fileOf(from);
    const target = folder.fileOf(to);
    if (source < 0 || target < 0) return -Errno.EBADF;
    const kept = this.losePrivileges(target, caller);
    if (kept < 0) return kept;
    if (length <= SHORT_COPY) return folder.calls.copyFileRange(source, fromOffset, target, toOffset, length, flags);
    folder.handles.hold(from);
    const end = this.begin(to, caller.defer());
    this.blocking.copyFileRange(source, fromOffset, target, toOffset, length, flags, (result) => {
      folder.letGo(from);
      end(result);
    });
    return DEFERRED;
  }

  /**
   * A program that a user other than root changes is set-user-ID and set-group-ID no more. FALLOCATE and
   * COPY_FILE_RANGE have no flag that says so, as WRITE has, but the guest's kernel leaves it to us in the same way;
   * and the host takes our changes for root's, who may keep the bits.
   */
  private losePrivileges(fd: number, caller: Caller): number {
    const { folder } = this;
    if (caller.uid === 0 || !folder.options.canImpersonate) return 0;
    const failed = folder.statFd(fd);
    if (failed < 0) return failed;
    const { mode } = folder;
    // Without the right to execute, set-group-ID is not one to act as the group.
    const privileges = linux.S_ISUID | (mode & linux.S_IXGRP ? linux.S_ISGID : 0);
    return mode & privileges ? folder.calls.fchmod(fd, mode & 0o7777 & ~privileges) : 0;
  }

  /** Keeps the handle's descriptor for a call on another thread; call the result with that call's result. */
  private begin(handle: Handle, parked: Deferred): Done {
    this.folder.handles.hold(handle);
    return (result) => {
      this.folder.letGo(handle);
      parked.finish(result);
    };
  }
}
