/**
 * What a reply says of an inode: `struct statx` of the file system into `fuse_attr`, `fuse_attr_out`, `fuse_entry_out`.
 */
import type { Node } from '../fs/fileSystem';
import { AttrFlag } from '../protocol/fuse/flags';
import { Attr, AttrOut, EntryOut, OpenOut, Statx, SxTime } from '../protocol/fuse/structs';
import { openFlagsOf, type Replying, writeOpened } from './opened';

const attr = Attr.offset;
const stat = Statx.offset;
const entryOut = EntryOut.offset;
const attrOut = AttrOut.offset;
const NSEC = SxTime.offset.tv_nsec;
const { SUBMOUNT, DAX } = AttrFlag;

/** A device number as the kernel puts it into 32 bits (new_encode_dev). */
function encodeDevice(major: number, minor: number): number {
  return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
}

/** Writes the attributes that the file system has filled in as a `fuse_attr` at `to`. */
function writeAttr(replying: Replying, to: number, flags: number): void {
  const { arena } = replying;
  const from = replying.fs.attributes;
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
export function windowFlag(replying: Replying, node: Node): number {
  const { session, fs } = replying;
  return session.window && fs.window?.told(node, session.inodeDax) ? DAX : 0;
}

/** Writes a `fuse_entry_out` for the node whose attributes the file system has just filled in. */
export function writeEntry(replying: Replying, to: number, node: Node): void {
  const { arena, fs, session } = replying;
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
  writeAttr(replying, to + entryOut.attr, (fs.crossedDevice ? SUBMOUNT : 0) | windowFlag(replying, node));
}

/** Writes a `fuse_attr_out` for the node whose attributes the file system has just filled in. */
export function writeAttributes(replying: Replying, to: number, node: Node): void {
  const { arena, session } = replying;
  arena.setU32(to + attrOut.attr_valid, session.validSeconds);
  arena.setU32(to + attrOut.attr_valid + 4, 0);
  arena.setU32(to + attrOut.attr_valid_nsec, 0);
  arena.setU32(to + attrOut.dummy, 0);
  writeAttr(replying, to + attrOut.attr, windowFlag(replying, node));
}

/**
 * Writes what answers CREATE and TMPFILE, for the node and the handle that the file system has just made; its bytes.
 */
export function writeCreated(replying: Replying, to: number, node: Node): number {
  writeEntry(replying, to, node);
  writeOpened(replying, to + EntryOut.size, replying.fs.createdHandle, openFlagsOf(replying, node));
  return EntryOut.size + OpenOut.size;
}
