/**
 * Names in requests: one path component each, checked where it lies in the arena.
 *
 * Everything that must not reach the host stops here: a '/', an empty name, '.' and '..', a name without its NUL, bytes
 * behind the last NUL. What a name means is the file system's business.
 */
import { Errno } from '../protocol/errno';
import type { Turn } from './turn';

/** NAME_MAX of every file system that Linux mounts. */
const LONGEST_NAME = 255;
/** PATH_MAX without the NUL: the longest target of a link. */
const LONGEST_TARGET = 4095;

const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * The name at `at`, which must end with a NUL before `end`. Its length in bytes, or a negative errno: -EINVAL for what
 * is no name of one component, -ENAMETOOLONG.
 */
function checkName(u8: Uint8Array, at: number, end: number): number {
  let to = at;
  for (; to < end; to++) {
    const byte = u8[to];
    if (byte === 0) break;
    if (byte === SLASH) return -Errno.EINVAL;
  }
  if (to === end || to === at) return -Errno.EINVAL;
  const length = to - at;
  if (u8[at] === DOT && (length === 1 || (length === 2 && u8[at + 1] === DOT))) return -Errno.EINVAL;
  return length > LONGEST_NAME ? -Errno.ENAMETOOLONG : length;
}

/** The only name of a request, at `at` and to the end; 0 or a negative errno. */
export function checkOnlyName(turn: Turn, at: number): number {
  const length = checkName(turn.arena.u8, at, turn.end);
  if (length < 0) return length;
  return at + length + 1 === turn.end ? 0 : -Errno.EINVAL;
}

/** The first of two names, at `at`; where the second one begins, or a negative errno. */
export function checkFirstName(turn: Turn, at: number): number {
  const length = checkName(turn.arena.u8, at, turn.end);
  return length < 0 ? length : at + length + 1;
}

/** The string at `at` and to the end, of whatever bytes: 0, or -EINVAL, or `tooLong` negated beyond `longest` bytes. */
function checkString(turn: Turn, at: number, longest: number, tooLong: number): number {
  const nul = turn.arena.u8.indexOf(0, at);
  if (nul !== turn.end - 1 || nul === at) return -Errno.EINVAL;
  return nul - at > longest ? -tooLong : 0;
}

export function checkTarget(turn: Turn, at: number): number {
  return checkString(turn, at, LONGEST_TARGET, Errno.ENAMETOOLONG);
}

/** The name of an extended attribute as the last thing of a request. */
export function checkXattrName(turn: Turn, at: number): number {
  return checkString(turn, at, LONGEST_NAME, Errno.ERANGE);
}
