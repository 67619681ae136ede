/**
 * Opcodes that make an inode: SYMLINK, MKNOD, MKDIR, CREATE, TMPFILE; and the extension they may carry, a group of the
 * caller (FUSE_CREATE_SUPP_GROUP).
 */
import { DEFERRED, type Node } from '../fs/fileSystem';
import { Errno } from '../protocol/errno';
import { ExtType, FileType, OpenFlag, OpenInFlag, S_IFMT } from '../protocol/fuse/flags';
import { CreateIn, ExtHeader, MkdirIn, MknodIn, SuppGroups } from '../protocol/fuse/structs';
import { sendEntry } from './attributes';
import { writeCreated } from './inode';
import { checkFirstName, checkOnlyName, checkTarget } from './nameCheck';
import type { Turn } from './turn';

const PERMISSIONS = 0o7777;
const BAD_NAME = 'a name that is not one component with a NUL at its end';
const BAD_EXTENSION = 'an extension that is malformed or was not agreed on';

/** The guest's umask has mostly been applied there already; once more changes nothing. */
function modeOf(mode: number, umask: number, type: number): number {
  return (mode & PERMISSIONS & ~umask) | type;
}

/** A u32 at any offset: extensions follow names and are not aligned. */
function u32At(u8: Uint8Array, at: number): number {
  return (u8[at] | (u8[at + 1] << 8) | (u8[at + 2] << 16) | (u8[at + 3] << 24)) >>> 0;
}

/** Reads the extensions behind the names into the caller; 0 or -EINVAL. */
function readExtensions(turn: Turn): number {
  const u8 = turn.arena.u8;
  const end = turn.end + turn.extensionBytes;
  let at = turn.end;
  while (at < end) {
    if (end - at < ExtHeader.size) return -Errno.EINVAL;
    const size = u32At(u8, at + ExtHeader.offset.size);
    const type = u32At(u8, at + ExtHeader.offset.type);
    if (size < ExtHeader.size || size > end - at || (size & 7) !== 0) return -Errno.EINVAL;
    if (type <= ExtType.MAX_NR_SECCTX) return -Errno.EINVAL;
    if (type === ExtType.EXT_GROUPS && !readGroups(turn, at + ExtHeader.size, size - ExtHeader.size)) {
      return -Errno.EINVAL;
    }
    at += size;
  }
  return 0;
}

/** The kernel sends the one group that the folder has too, or none. */
function readGroups(turn: Turn, at: number, bytes: number): boolean {
  if (bytes < SuppGroups.size) return false;
  const count = u32At(turn.arena.u8, at + SuppGroups.offset.nr_groups);
  if (count > 1 || bytes < SuppGroups.size + count * 4) return false;
  if (count === 1) turn.caller.supplementaryGid = u32At(turn.arena.u8, at + SuppGroups.size);
  return true;
}

/** The checks that every one of these has in common: its last string and its extensions. 0 or a negative errno. */
function checkNew(turn: Turn, badName: number): number {
  if (badName < 0) return turn.refuse(badName, BAD_NAME);
  return turn.extensionBytes > 0 && readExtensions(turn) < 0 ? turn.refuse(-Errno.EINVAL, BAD_EXTENSION) : ACCEPTED;
}

/** What no reply can be: the checks have passed. */
const ACCEPTED = -1;

export function symlink(turn: Turn): number {
  const target = checkFirstName(turn, turn.rest);
  const refused = checkNew(turn, target < 0 ? target : checkTarget(turn, target));
  if (refused !== ACCEPTED) return refused;
  return sendEntry(turn, turn.fs.symlink(turn.node, turn.rest, target, turn.caller));
}

export function mknod(turn: Turn): number {
  const { arena, args, rest } = turn;
  const refused = checkNew(turn, checkOnlyName(turn, rest));
  if (refused !== ACCEPTED) return refused;
  const given = arena.getU32(args + MknodIn.offset.mode);
  const mode = modeOf(given, arena.getU32(args + MknodIn.offset.umask), given & S_IFMT);
  const device = arena.getU32(args + MknodIn.offset.rdev);
  return sendEntry(turn, turn.fs.mknod(turn.node, rest, mode, device, turn.caller));
}

export function mkdir(turn: Turn): number {
  const { arena, args, rest } = turn;
  const refused = checkNew(turn, checkOnlyName(turn, rest));
  if (refused !== ACCEPTED) return refused;
  const given = arena.getU32(args + MkdirIn.offset.mode);
  const mode = modeOf(given, arena.getU32(args + MkdirIn.offset.umask), FileType.DIR);
  return sendEntry(turn, turn.fs.mkdir(turn.node, rest, mode, turn.caller));
}

const createIn = CreateIn.offset;
const REGULAR = FileType.REG;
const NOCTTY = OpenFlag.NOCTTY;
const KILL_SUIDGID = OpenInFlag.KILL_SUIDGID;

export function create(turn: Turn): number {
  const { arena, args, rest } = turn;
  const refused = checkNew(turn, checkOnlyName(turn, rest));
  if (refused !== ACCEPTED) return refused;
  const mode = modeOf(arena.getU32(args + createIn.mode), arena.getU32(args + createIn.umask), REGULAR);
  const flags = arena.getU32(args + createIn.flags) & ~NOCTTY;
  const killPriv = (arena.getU32(args + createIn.open_flags) & KILL_SUIDGID) !== 0;
  return sendCreated(turn, turn.fs.create(turn.node, rest, mode, flags, killPriv, turn.caller));
}

/** TMPFILE: the name it carries is the kernel's placeholder ("/") and means nothing. */
export function tmpfile(turn: Turn): number {
  const { arena, args } = turn;
  const refused = checkNew(turn, 0);
  if (refused !== ACCEPTED) return refused;
  const mode = modeOf(arena.getU32(args + createIn.mode), arena.getU32(args + createIn.umask), REGULAR);
  const flags = arena.getU32(args + createIn.flags) & ~NOCTTY;
  return sendCreated(turn, turn.fs.tmpfile(turn.node, mode, flags, turn.caller));
}

function sendCreated(turn: Turn, node: Node | number): number {
  if (node < 0) return node === DEFERRED ? DEFERRED : turn.fail(node);
  return turn.send(writeCreated(turn, turn.body, node));
}
