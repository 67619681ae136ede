/**
 * Attributes: `struct statx` of the file system into the reply's `fuse_attr`; GETATTR, STATX, SETATTR, STATFS, ACCESS.
 */
import type { AttributeChanges, Node } from '../fs/fileSystem';
import { Errno } from '../protocol/errno';
import { AttrFlag, GetattrFlag, SetattrFlag, StatxMask } from '../protocol/fuse/flags';
import {
  AccessIn,
  Attr,
  AttrOut,
  EntryOut,
  GetattrIn,
  Kstatfs,
  SetattrIn,
  Statx,
  StatxIn,
  StatxOut,
  SxTime,
} from '../protocol/fuse/structs';
import type { Turn } from './turn';

const attr = Attr.offset;
const stat = Statx.offset;
const entryOut = EntryOut.offset;
const attrOut = AttrOut.offset;
const NSEC = SxTime.offset.tv_nsec;
const getattrIn = GetattrIn.offset;
const setattrIn = SetattrIn.offset;
const BASIC_STATS = StatxMask.BASIC_STATS;
const { SUBMOUNT, DAX } = AttrFlag;
const NANOSECONDS = 1_000_000_000;

/** A device number as the kernel puts it into 32 bits (new_encode_dev). */
function encodeDevice(major: number, minor: number): number {
  return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
}

/** Writes the attributes that the file system has filled in as a `fuse_attr` at `to`. */
function writeAttr(turn: Turn, to: number, flags: number): void {
  const { arena } = turn;
  const from = turn.fs.attributes;
  arena.copyU64(to + attr.ino, from + stat.ino);
  arena.copyU64(to + attr.size, from + stat.size);
  arena.copyU64(to + attr.blocks, from + stat.blocks);
  arena.copyU64(to + attr.atime, from + stat.atime);
  arena.copyU64(to + attr.mtime, from + stat.mtime);
  arena.copyU64(to + attr.ctime, from + stat.ctime);
  arena.setU32(to + attr.atimensec, arena.getU32(from + stat.atime + NSEC));
  arena.setU32(to + attr.mtimensec, arena.getU32(from + stat.mtime + NSEC));
  arena.setU32(to + attr.ctimensec, arena.getU32(from + stat.ctime + NSEC));
  arena.setU32(to + attr.mode, arena.getU16(from + stat.mode));
  arena.setU32(to + attr.nlink, arena.getU32(from + stat.nlink));
  arena.setU32(to + attr.uid, arena.getU32(from + stat.uid));
  arena.setU32(to + attr.gid, arena.getU32(from + stat.gid));
  arena.setU32(
    to + attr.rdev,
    encodeDevice(arena.getU32(from + stat.rdev_major), arena.getU32(from + stat.rdev_minor)),
  );
  arena.setU32(to + attr.blksize, arena.getU32(from + stat.blksize));
  arena.setU32(to + attr.flags, flags);
}

/** FUSE_ATTR_DAX for a file that is to go through the window. */
function windowFlag(turn: Turn, node: Node): number {
  const { session, fs } = turn;
  return session.window && fs.window?.told(node, session.inodeDax) ? DAX : 0;
}

/** Writes a `fuse_entry_out` for the node whose attributes the file system has just filled in. */
export function writeEntry(turn: Turn, to: number, node: Node): void {
  const { arena, fs, session } = turn;
  arena.setU32(to + entryOut.nodeid, node);
  arena.setU32(to + entryOut.nodeid + 4, fs.nodeGeneration(node));
  // The nodeid has a generation of its own in it and so is unique already.
  arena.setU32(to + entryOut.generation, 0);
  arena.setU32(to + entryOut.generation + 4, 0);
  arena.setU32(to + entryOut.entry_valid, session.validSeconds);
  arena.setU32(to + entryOut.entry_valid + 4, 0);
  arena.setU32(to + entryOut.attr_valid, session.validSeconds);
  arena.setU32(to + entryOut.attr_valid + 4, 0);
  arena.setU32(to + entryOut.entry_valid_nsec, 0);
  arena.setU32(to + entryOut.attr_valid_nsec, 0);
  writeAttr(turn, to + entryOut.attr, (fs.crossedDevice ? SUBMOUNT : 0) | windowFlag(turn, node));
}

/** The reply of every opcode that finds or makes an inode: `node`, or an error. */
export function sendEntry(turn: Turn, node: Node | number): number {
  if (node < 0) return turn.fail(node);
  writeEntry(turn, turn.body, node);
  return turn.send(EntryOut.size);
}

function sendAttributes(turn: Turn): number {
  const { arena, body, session } = turn;
  arena.setU32(body + attrOut.attr_valid, session.validSeconds);
  arena.setU32(body + attrOut.attr_valid + 4, 0);
  arena.setU32(body + attrOut.attr_valid_nsec, 0);
  arena.setU32(body + attrOut.dummy, 0);
  writeAttr(turn, body + attrOut.attr, windowFlag(turn, turn.node));
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
  return failed < 0 ? turn.fail(failed) : sendAttributes(turn);
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
