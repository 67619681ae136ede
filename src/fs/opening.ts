/**
 * Opening a file that is there already, for OPEN, CREATE, a truncation by name and the DAX window: what its host may
 * have against it, and how that is met.
 *
 * A file that the host's administrator has made append-only (chattr +a) opens for nothing else. One that a program of
 * the host has a lease on (fcntl F_SETLEASE) is opened when that program has let go: the host never waits for us
 * (O_NONBLOCK), it has asked the holder, and the request is tried again. There is no end to set here: the host takes a
 * lease away after fs.lease-break-time, for as long as an open of its own would wait.
 */
import { Errno } from '../protocol/errno';
import { DEFERRED, type Caller, type Deferred, type Handle, type Node } from './fileSystem';
import { HandleKind } from './handleTable';
import type { HostFolder } from './hostFolder';
import * as linux from './linux';
import type { WaitingRequests } from './waitingRequests';

const NO_HANDLE = -1;

export class Opening {
  constructor(
    private readonly folder: HostFolder,
    private readonly waiting: WaitingRequests,
  ) {}

  /** A handle, at once, or a negative errno: -EAGAIN where somebody has a lease. */
  open(node: Node, guestFlags: number, killPriv: boolean): Handle | number {
    const { folder } = this;
    let flags = folder.openFlags(guestFlags);
    if (flags < 0) return flags;
    let fd = folder.openForHandle(node, flags, killPriv);
    // A guest that collects writes would not append: it is better refused here than when it has collected them.
    if (fd === -Errno.EPERM && guestFlags & linux.O_APPEND && !folder.options.writeback) {
      flags |= linux.O_APPEND;
      fd = folder.openForHandle(node, flags, killPriv);
    }
    return fd < 0 ? fd : folder.addHandle(fd, node, flags, HandleKind.File);
  }

  /**
   * Shortens or lengthens a file that is not open. Not by truncate(2), which waits for a lease and with it would all
   * requests; once open for writing a file has none, and ftruncate(2) waits for nobody.
   */
  truncate(node: Node, size: number, killPriv: boolean): number {
    const { folder } = this;
    const { calls } = folder;
    const fd = folder.reopen(node, linux.O_WRONLY | linux.O_LARGEFILE);
    if (fd < 0) return fd;
    const refused = killPriv ? calls.dropFsetid() : 0;
    const result = refused < 0 ? refused : calls.ftruncate(fd, size);
    if (killPriv && refused === 0) calls.resume();
    calls.close(fd);
    return result;
  }

  /** Goes on with what has met a lease: `attempt` is made until it answers anything but -EAGAIN. */
  wait(node: Node, caller: Caller, attempt: () => number, parked: Deferred = caller.defer()): typeof DEFERRED {
    const { uniqueLow, uniqueHigh } = caller;
    this.waiting.add({ node, handle: NO_HANDLE, uniqueLow, uniqueHigh, attempt, parked });
    return DEFERRED;
  }
}
