/**
 * Open files and what is in them: OPEN, READ, WRITE, FLUSH, RELEASE, FSYNC, SYNCFS, FALLOCATE, LSEEK, COPY_FILE_RANGE.
 *
 * READ's data and WRITE's data never lie in the arena: the file system moves them between host and guest itself.
 */
import { DEFERRED, type Handle, type Node, WriteWay } from '../fs/fileSystem';
import { Errno } from '../protocol/errno';
import { FsyncFlag, InitFlag, OpenFlag, OpenInFlag, ReleaseFlag, Seek, WriteFlag } from '../protocol/fuse/flags';
import {
  CopyFileRangeIn,
  FallocateIn,
  FlushIn,
  FsyncIn,
  LseekIn,
  LseekOut,
  OpenIn,
  OpenOut,
  ReadIn,
  ReleaseIn,
  WriteIn,
} from '../protocol/fuse/structs';
import { openFlagsOf, writeOpened } from './opened';
import { IN_HEADER, OUT_HEADER, type Turn } from './turn';

/**
 * The most that one READ, WRITE or COPY_FILE_RANGE moves: what Linux itself moves in one call (MAX_RW_COUNT). Not the
 * 1 MiB of INIT, because small guests ask for the whole rest of a file at once and the room for it is their own memory.
 */
const LONGEST_TRANSFER = 0x7fff_f000;

const openIn = OpenIn.offset;
const readIn = ReadIn.offset;
const writeIn = WriteIn.offset;
const releaseIn = ReleaseIn.offset;
const flushIn = FlushIn.offset;

const NOT_FOR_OPEN = OpenFlag.CREAT | OpenFlag.EXCL | OpenFlag.NOCTTY;
const OPEN_KILL_SUIDGID = OpenInFlag.KILL_SUIDGID;
const WRITE_KILL_SUIDGID = WriteFlag.KILL_SUIDGID;
const WRITE_CACHE = WriteFlag.CACHE;
const O_APPEND = OpenFlag.APPEND;
const WRITEBACK_CACHE = InitFlag.WRITEBACK_CACHE;
const WRITE_DATA = IN_HEADER + WriteIn.size;

export function open(turn: Turn): number {
  const { arena, args } = turn;
  const flags = arena.getU32(args + openIn.flags) & ~NOT_FOR_OPEN;
  const killPriv = (arena.getU32(args + openIn.open_flags) & OPEN_KILL_SUIDGID) !== 0;
  const handle = turn.fs.open(turn.node, flags, killPriv, turn.caller);
  if (handle < 0) return handle === DEFERRED ? DEFERRED : turn.fail(handle);
  writeOpened(turn, turn.body, handle, openFlagsOf(turn, turn.node));
  return turn.send(OpenOut.size);
}

export function read(turn: Turn): number {
  const { arena, args, exchange } = turn;
  const handle = turn.handleAt(args + readIn.fh, turn.node);
  if (handle < 0) return turn.fail(handle);
  const offset = turn.offsetAt(args + readIn.offset);
  if (offset < 0) return readTooFar(turn, handle);
  const asked = arena.getU32(args + readIn.size);
  const length = Math.min(asked, exchange.writable - OUT_HEADER, LONGEST_TRANSFER);
  const got = turn.fs.read(handle, offset, length, exchange, OUT_HEADER, turn.caller);
  if (got < 0) return got === DEFERRED ? DEFERRED : turn.fail(got);
  return turn.sendHeader(got);
}

/** Further out than a number here can say there is nothing, unless the host has a file as long as that (8 PiB). */
function readTooFar(turn: Turn, handle: Handle): number {
  const size = turn.fs.lseek(handle, 0, Seek.END);
  if (size < 0) return turn.fail(size);
  return Number.isSafeInteger(size) ? turn.sendHeader(0) : turn.fail(-Errno.EOVERFLOW);
}

/** A guest that collects writes appends by itself; the flags of a page that is written back are no one's. */
function writeWay(turn: Turn): number {
  const { arena, args, session } = turn;
  const flags = arena.getU32(args + writeIn.write_flags);
  const killPriv = flags & WRITE_KILL_SUIDGID ? WriteWay.KillPriv : 0;
  if (flags & WRITE_CACHE) return killPriv | WriteWay.Delayed;
  const appends = arena.getU32(args + writeIn.flags) & O_APPEND && (session.flags & WRITEBACK_CACHE) === 0;
  return appends ? killPriv | WriteWay.Append : killPriv;
}

export function write(turn: Turn): number {
  const { arena, args, exchange } = turn;
  const length = arena.getU32(args + writeIn.size);
  if (length !== turn.length - WRITE_DATA) return turn.refuse(-Errno.EINVAL, 'WRITE: its size and length differ');
  const handle = turn.handleAt(args + writeIn.fh, turn.node);
  if (handle < 0) return turn.fail(handle);
  const offset = turn.offsetAt(args + writeIn.offset);
  if (offset < 0) return turn.fail(-Errno.EFBIG);
  const most = Math.min(length, LONGEST_TRANSFER);
  return turn.answer(turn.fs.write(handle, offset, most, exchange, WRITE_DATA, writeWay(turn), turn.caller));
}

export function flush(turn: Turn): number {
  const { arena, args } = turn;
  const handle = turn.handleAt(args + flushIn.fh, turn.node);
  if (handle < 0) return turn.fail(handle);
  const owner = args + flushIn.lock_owner;
  return turn.acknowledge(turn.fs.flush(handle, arena.getU32(owner), arena.getU32(owner + 4), turn.caller));
}

/** The inode may be forgotten by now: FORGET goes by another queue. */
export function release(turn: Turn): number {
  const { arena, args } = turn;
  const handle = turn.lastHandleAt(args + releaseIn.fh);
  if (handle < 0) return turn.fail(handle);
  if (arena.getU32(args + releaseIn.release_flags) & ReleaseFlag.FLUSH && turn.headerNode() >= 0) {
    const owner = args + releaseIn.lock_owner;
    turn.fs.dropLocks(handle, arena.getU32(owner), arena.getU32(owner + 4));
  }
  return turn.acknowledge(turn.fs.release(handle));
}

/** FSYNC and FSYNCDIR. */
export function fsync(turn: Turn): number {
  const { arena, args } = turn;
  const handle = turn.handleAt(args + FsyncIn.offset.fh, turn.node);
  if (handle < 0) return turn.fail(handle);
  const dataOnly = (arena.getU32(args + FsyncIn.offset.fsync_flags) & FsyncFlag.FDATASYNC) !== 0;
  return turn.acknowledge(turn.fs.fsync(handle, dataOnly, turn.caller));
}

export function syncfs(turn: Turn): number {
  return turn.acknowledge(turn.fs.syncfs(turn.node, turn.caller));
}

export function fallocate(turn: Turn): number {
  const { arena, args } = turn;
  const handle = turn.handleAt(args + FallocateIn.offset.fh, turn.node);
  if (handle < 0) return turn.fail(handle);
  const offset = turn.offsetAt(args + FallocateIn.offset.offset);
  const length = turn.offsetAt(args + FallocateIn.offset.length);
  if (offset < 0 || length < 0) return turn.fail(-Errno.EFBIG);
  const mode = arena.getU32(args + FallocateIn.offset.mode);
  return turn.acknowledge(turn.fs.fallocate(handle, mode, offset, length, turn.caller));
}

/**
 * LSEEK: Linux asks for SEEK_DATA and SEEK_HOLE only; a position of its own a handle does not have here. With
 * write-back it asks without writing back first, so the host's answer would deny data that is there: the guest is left
 * to its own (no holes, all data), which is always right.
 */
export function lseek(turn: Turn): number {
  const { arena, args, body } = turn;
  if ((turn.session.flags & InitFlag.WRITEBACK_CACHE) !== 0) return turn.fail(-Errno.ENOSYS);
  const handle = turn.handleAt(args + LseekIn.offset.fh, turn.node);
  if (handle < 0) return turn.fail(handle);
  const whence = arena.getU32(args + LseekIn.offset.whence);
  if (whence > Seek.HOLE || whence === Seek.CUR) return turn.fail(-Errno.EINVAL);
  const offset = arena.getI64(args + LseekIn.offset.offset);
  if (!Number.isSafeInteger(offset)) return turn.fail(whence >= Seek.DATA ? -Errno.ENXIO : -Errno.EINVAL);
  const position = turn.fs.lseek(handle, offset, whence);
  if (position < 0) return turn.fail(position);
  arena.setU64(body + LseekOut.offset.offset, position);
  return turn.send(LseekOut.size);
}

/** COPY_FILE_RANGE and its _64 form, which differ in the reply only. */
export function copyFileRange(turn: Turn): number {
  const { arena, args } = turn;
  const into: Node | number = turn.nodeAt(args + CopyFileRangeIn.offset.nodeid_out);
  if (into < 0) return turn.fail(into);
  const from = turn.handleAt(args + CopyFileRangeIn.offset.fh_in, turn.node);
  if (from < 0) return turn.fail(from);
  const to = turn.handleAt(args + CopyFileRangeIn.offset.fh_out, into);
  if (to < 0) return turn.fail(to);
  const fromOffset = turn.offsetAt(args + CopyFileRangeIn.offset.off_in);
  const toOffset = turn.offsetAt(args + CopyFileRangeIn.offset.off_out);
  if (fromOffset < 0 || toOffset < 0) return turn.fail(-Errno.EFBIG);
  const flags = args + CopyFileRangeIn.offset.flags;
  if (arena.getU32(flags) !== 0 || arena.getU32(flags + 4) !== 0) return turn.fail(-Errno.EINVAL);
  const length = Math.min(arena.getU64(args + CopyFileRangeIn.offset.len), LONGEST_TRANSFER);
  return turn.answer(turn.fs.copyFileRange(from, fromOffset, to, toOffset, length, 0, turn.caller));
}
