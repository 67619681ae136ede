/** Extended attributes: GETXATTR, LISTXATTR, SETXATTR, REMOVEXATTR. Which are served is the file system's decision. */
import { Errno } from '../protocol/errno';
import { GetxattrIn, GetxattrOut, SetxattrIn } from '../protocol/fuse/structs';
import { checkXattrName } from './nameCheck';
import type { Turn } from './turn';

/** XATTR_SIZE_MAX and XATTR_LIST_MAX. */
const LONGEST_VALUE = 65536;
const BAD_NAME = 'the name of an attribute is empty, too long or without its NUL';

/** Room for the answer: 0 when only its length is asked for, -1 when the reply has not the room it says. */
function roomAsked(turn: Turn): number {
  const size = turn.arena.getU32(turn.args + GetxattrIn.offset.size);
  const needed = size === 0 ? GetxattrOut.size : Math.min(size, LONGEST_VALUE);
  return turn.room < needed ? -1 : Math.min(size, LONGEST_VALUE);
}

function answer(turn: Turn, size: number, length: number): number {
  const { arena, body } = turn;
  if (length < 0) return turn.fail(length);
  if (size !== 0) return turn.send(length);
  arena.setU32(body + GetxattrOut.offset.size, length);
  arena.setU32(body + GetxattrOut.offset.padding, 0);
  return turn.send(GetxattrOut.size);
}

export function getxattr(turn: Turn): number {
  const bad = checkXattrName(turn, turn.rest);
  if (bad < 0) return turn.refuse(bad, BAD_NAME);
  const size = roomAsked(turn);
  if (size < 0) return turn.refuse(-Errno.EINVAL, 'GETXATTR: no room for the size it asks for');
  return answer(turn, size, turn.fs.getxattr(turn.node, turn.rest, turn.body, size));
}

export function listxattr(turn: Turn): number {
  const size = roomAsked(turn);
  if (size < 0) return turn.refuse(-Errno.EINVAL, 'LISTXATTR: no room for the size it asks for');
  return answer(turn, size, turn.fs.listxattr(turn.node, turn.body, size));
}

/** SETXATTR: name and value follow the arguments. */
export function setxattr(turn: Turn): number {
  const { arena, args, rest: name } = turn;
  const size = arena.getU32(args + SetxattrIn.offset.size);
  if (size > LONGEST_VALUE) return turn.fail(-Errno.E2BIG);
  const value = turn.end - size;
  if (value <= name) return turn.refuse(-Errno.EINVAL, 'SETXATTR: its size and length differ');
  // The name ends where the value begins.
  turn.end = value;
  const bad = checkXattrName(turn, name);
  if (bad < 0) return turn.refuse(bad, BAD_NAME);
  const flags = arena.getU32(args + SetxattrIn.offset.flags);
  return turn.acknowledge(turn.fs.setxattr(turn.node, name, value, size, flags));
}

export function removexattr(turn: Turn): number {
  const bad = checkXattrName(turn, turn.rest);
  if (bad < 0) return turn.refuse(bad, BAD_NAME);
  return turn.acknowledge(turn.fs.removexattr(turn.node, turn.rest));
}
