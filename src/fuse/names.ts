/** Opcodes about names that are there: LOOKUP, READLINK, UNLINK, RMDIR, RENAME, RENAME2, LINK, and FORGET. */
import { ROOT } from '../fs/fileSystem';
import { Errno } from '../protocol/errno';
import { RenameFlag } from '../protocol/fuse/flags';
import { BatchForgetIn, ForgetIn, ForgetOne, LinkIn, RenameIn, Rename2In } from '../protocol/fuse/structs';
import { REQUEST_CAPACITY } from './areas';
import { sendEntry } from './attributes';
import { checkFirstName, checkOnlyName } from './nameCheck';
import { IN_HEADER, type Turn } from './turn';

const BAD_NAME = 'a name that is not one component with a NUL at its end';

const RENAME_FLAGS = RenameFlag.NOREPLACE | RenameFlag.EXCHANGE | RenameFlag.WHITEOUT;

/** PATH_MAX: no target is longer. */
const LONGEST_TARGET = 4096;

export function lookup(turn: Turn): number {
  const bad = checkOnlyName(turn, turn.rest);
  if (bad < 0) return turn.refuse(bad, BAD_NAME);
  return sendEntry(turn, turn.fs.lookup(turn.node, turn.rest));
}

export function readlink(turn: Turn): number {
  const capacity = Math.min(turn.room, LONGEST_TARGET);
  const length = turn.fs.readlink(turn.node, turn.body, capacity);
  return length < 0 ? turn.fail(length) : turn.send(length);
}

export function unlink(turn: Turn): number {
  const bad = checkOnlyName(turn, turn.rest);
  if (bad < 0) return turn.refuse(bad, BAD_NAME);
  return turn.acknowledge(turn.fs.unlink(turn.node, turn.rest));
}

export function rmdir(turn: Turn): number {
  const bad = checkOnlyName(turn, turn.rest);
  if (bad < 0) return turn.refuse(bad, BAD_NAME);
  return turn.acknowledge(turn.fs.rmdir(turn.node, turn.rest));
}

export function rename(turn: Turn): number {
  return renameTo(turn, turn.args + RenameIn.offset.newdir, 0);
}

export function rename2(turn: Turn): number {
  const flags = turn.arena.getU32(turn.args + Rename2In.offset.flags);
  if ((flags & ~RENAME_FLAGS) !== 0) return turn.refuse(-Errno.EINVAL, 'RENAME2: unknown flags');
  return renameTo(turn, turn.args + Rename2In.offset.newdir, flags);
}

function renameTo(turn: Turn, newDirectoryAt: number, flags: number): number {
  const newParent = turn.nodeAt(newDirectoryAt);
  if (newParent < 0) return turn.fail(newParent);
  const name = turn.rest;
  const newName = checkFirstName(turn, name);
  if (newName < 0) return turn.refuse(newName, BAD_NAME);
  const bad = checkOnlyName(turn, newName);
  if (bad < 0) return turn.refuse(bad, BAD_NAME);
  return turn.acknowledge(turn.fs.rename(turn.node, name, newParent, newName, flags));
}

/** LINK: the header names the folder, the arguments the inode. */
export function link(turn: Turn): number {
  const node = turn.nodeAt(turn.args + LinkIn.offset.oldnodeid);
  if (node < 0) return turn.fail(node);
  const bad = checkOnlyName(turn, turn.rest);
  if (bad < 0) return turn.refuse(bad, BAD_NAME);
  return sendEntry(turn, turn.fs.link(node, turn.node, turn.rest));
}

/** FORGET has no reply; neither does an inode that the guest does not have get one. */
export function forget(turn: Turn): number {
  forgetNode(turn, turn.headerNode(), turn.arena.getU64(turn.args + ForgetIn.offset.nlookup));
  return 0;
}

function forgetNode(turn: Turn, node: number, count: number): void {
  if (node < 0) turn.counters.staleForgets++;
  else if (node !== ROOT) turn.fs.forget(node, count);
}

/** How many of BATCH_FORGET are in the arena at a time. */
const BATCH = Math.floor((REQUEST_CAPACITY - IN_HEADER - BatchForgetIn.size) / ForgetOne.size);

/** In one request, so that it does not keep others waiting: 1 MiB of them, as much as a WRITE has at most. */
const MOST_FORGETS = 65536;

/** BATCH_FORGET: may be longer than the arena's area, so it is pulled in pieces. */
export function batchForget(turn: Turn): number {
  const { arena, rest, exchange } = turn;
  const count = arena.getU32(turn.args + BatchForgetIn.offset.count);
  const first = IN_HEADER + BatchForgetIn.size;
  if (count * ForgetOne.size !== turn.length - first) return turn.drop('BATCH_FORGET: its count and length differ');
  if (count > MOST_FORGETS) return turn.drop('BATCH_FORGET: longer than any request');
  for (let done = 0; done < count; done += BATCH) {
    const now = Math.min(BATCH, count - done);
    if (exchange.pull(first + done * ForgetOne.size, now * ForgetOne.size, rest) < 0) {
      turn.counters.unaddressable++;
      return turn.drop('BATCH_FORGET: not in guest memory');
    }
    for (let i = 0; i < now; i++) {
      const one = rest + i * ForgetOne.size;
      forgetNode(turn, turn.nodeAt(one + ForgetOne.offset.nodeid), arena.getU64(one + ForgetOne.offset.nlookup));
    }
  }
  return 0;
}
