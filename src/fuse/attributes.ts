/** Attributes: GETATTR, STATX, SETATTR, STATFS, ACCESS. */
import { DEFERRED, type AttributeChanges, type Node } from '../fs/fileSystem';
import { Errno } from '../protocol/errno';
import { GetattrFlag, SetattrFlag, StatxMask } from '../protocol/fuse/flags';
import {
  AccessIn,
  AttrOut,
  EntryOut,
  GetattrIn,
  Kstatfs,
  SetattrIn,
  Statx,
  StatxIn,
  StatxOut,
} from '../protocol/fuse/structs';
import { windowFlag, writeAttributes, writeEntry } from './inode';
import type { Turn } from './turn';

const stat = Statx.offset;
const getattrIn = GetattrIn.offset;
const setattrIn = SetattrIn.offset;
const BASIC_STATS = StatxMask.BASIC_STATS;
const NANOSECONDS = 1_000_000_000;

/** The reply of every opcode that finds or makes an inode: `node`, or an error. */
export function sendEntry(turn: Turn, node: Node | number): number {
  if (node < 0) return turn.fail(node);
  writeEntry(turn, turn.body, node);
  return turn.send(EntryOut.size);
}

function sendAttributes(turn: Turn): number {
  writeAttributes(turn, turn.body, turn.node);
  return turn.send(AttrOut.size);
}

/** The handle that a flag says to be in the arguments: -1 where there is none (all ones say so as well), or -EBADF. */
function optionalHandle(turn: Turn, flagged: boolean, at: number): number {
  const { arena } = turn;
  if (!flagged || (arena.getU32(at) === 0xffff_ffff && arena.getU32(at + 4) === 0xffff_ffff)) return -1;
  return turn.handleAt(at, turn.node);
}

export function getattr(turn: Turn): number {
  const { arena, args } = turn;
  const flagged = (arena.getU32(args + getattrIn.getattr_flags) & GetattrFlag.FH) !== 0;
  const handle = optionalHandle(turn, flagged, args + getattrIn.fh);
  if (handle < -1) return turn.fail(handle);
  const failed = turn.fs.getattr(turn.node, handle, BASIC_STATS);
  return failed < 0 ? turn.fail(failed) : sendAttributes(turn);
}

/** STATX: as GETATTR, with the time of birth and the attributes that only statx(2) has. */
export function statx(turn: Turn): number {
  const { arena, args, body, fs, session } = turn;
  const flagged = (arena.getU32(args + StatxIn.offset.getattr_flags) & GetattrFlag.FH) !== 0;
  const handle = optionalHandle(turn, flagged, args + StatxIn.offset.fh);
  if (handle < -1) return turn.fail(handle);
  const wanted = arena.getU32(args + StatxIn.offset.sx_mask) & (BASIC_STATS | StatxMask.BTIME);
  const failed = fs.getattr(turn.node, handle, wanted | BASIC_STATS);
  if (failed < 0) return turn.fail(failed);
  windowFlag(turn, turn.node);
  arena.zero(body, StatxOut.size);
  arena.setU32(body + StatxOut.offset.attr_valid, session.validSeconds);
  // Two structures with one layout up to the fields that only Linux has (mount ID and later).
  const to = body + StatxOut.offset.stat;
  arena.u8.copyWithin(to, fs.attributes, fs.attributes + stat.__spare2);
  arena.setU32(to + stat.mask, arena.getU32(to + stat.mask) & (BASIC_STATS | StatxMask.BTIME));
  return turn.send(StatxOut.size);
}

const changes: AttributeChanges = {
  valid: 0,
  mode: 0,
  uid: 0,
  gid: 0,
  size: 0,
  atime: 0,
  atimeNsec: 0,
  mtime: 0,
  mtimeNsec: 0,
};

export function setattr(turn: Turn): number {
  const { arena, args } = turn;
  const valid = arena.getU32(args + setattrIn.valid);
  const handle = optionalHandle(turn, (valid & SetattrFlag.FH) !== 0, args + setattrIn.fh);
  if (handle < -1) return turn.fail(handle);
  changes.valid = valid;
  changes.mode = arena.getU32(args + setattrIn.mode) & 0o7777;
  changes.uid = arena.getU32(args + setattrIn.uid);
  changes.gid = arena.getU32(args + setattrIn.gid);
  changes.size = 0;
  if (valid & SetattrFlag.SIZE) {
    changes.size = turn.offsetAt(args + setattrIn.size);
    if (changes.size < 0) return turn.fail(-Errno.EFBIG);
  }
  changes.atime = arena.getI64(args + setattrIn.atime);
  changes.atimeNsec = arena.getU32(args + setattrIn.atimensec);
  changes.mtime = arena.getI64(args + setattrIn.mtime);
  changes.mtimeNsec = arena.getU32(args + setattrIn.mtimensec);
  if (isNoTime(valid & SetattrFlag.ATIME, changes.atimeNsec)) return turn.refuse(-Errno.EINVAL, 'SETATTR: atimensec');
  if (isNoTime(valid & SetattrFlag.MTIME, changes.mtimeNsec)) return turn.refuse(-Errno.EINVAL, 'SETATTR: mtimensec');
  const failed = turn.fs.setattr(turn.node, handle, changes, turn.caller);
  if (failed < 0) return failed === DEFERRED ? DEFERRED : turn.fail(failed);
  return sendAttributes(turn);
}

/** Nanoseconds out of range would reach utimensat(2) as UTIME_NOW or UTIME_OMIT. */
function isNoTime(counts: number, nanoseconds: number): boolean {
  return counts !== 0 && nanoseconds >= NANOSECONDS;
}

/** `struct statfs` in the kernel's generic 64-bit layout: eight-byte fields but f_fsid. */
const hostStatfs = {
  bsize: 8,
  blocks: 16,
  bfree: 24,
  bavail: 32,
  files: 40,
  ffree: 48,
  namelen: 64,
  frsize: 72,
} as const;
const STATFS_BYTES = 120;

export function statfs(turn: Turn): number {
  const { arena, body } = turn;
  const from = body + Kstatfs.size;
  arena.zero(from, STATFS_BYTES);
  const failed = turn.fs.statfs(turn.node, from);
  if (failed < 0) return turn.fail(failed);
  arena.zero(body, Kstatfs.size);
  arena.copyU64(body + Kstatfs.offset.blocks, from + hostStatfs.blocks);
  arena.copyU64(body + Kstatfs.offset.bfree, from + hostStatfs.bfree);
  arena.copyU64(body + Kstatfs.offset.bavail, from + hostStatfs.bavail);
  arena.copyU64(body + Kstatfs.offset.files, from + hostStatfs.files);
  arena.copyU64(body + Kstatfs.offset.ffree, from + hostStatfs.ffree);
  arena.setU32(body + Kstatfs.offset.bsize, arena.getU32(from + hostStatfs.bsize));
  arena.setU32(body + Kstatfs.offset.namelen, arena.getU32(from + hostStatfs.namelen));
  arena.setU32(body + Kstatfs.offset.frsize, arena.getU32(from + hostStatfs.frsize));
  return turn.send(Kstatfs.size);
}

export function access(turn: Turn): number {
  const mask = turn.arena.getU32(turn.args + AccessIn.offset.mask);
  if (mask > 7) return turn.refuse(-Errno.EINVAL, 'ACCESS: bits beyond R_OK, W_OK and X_OK');
  return turn.acknowledge(turn.fs.access(turn.node, mask, turn.caller));
}
