/** INIT and DESTROY: how a session begins and ends on the wire. What they agree on is kept in `session.ts`. */
import { Errno } from '../protocol/errno';
import { InitFlag, KERNEL_MINOR_VERSION, KERNEL_VERSION } from '../protocol/fuse/flags';
import { InitIn, InitOut } from '../protocol/fuse/structs';
import { MAX_WRITE } from './session';
import { OLDEST_MINOR_VERSION, SHORT_INIT_IN } from './shapes';
import type { Turn } from './turn';
import { MAP_ALIGNMENT_BITS } from './window';

const GUEST_PAGE = 4096;
const MAX_PAGES = MAX_WRITE / GUEST_PAGE;

/** No limit of ours on background requests: the queue's size is one. The values that virtiofsd sends. */
const MAX_BACKGROUND = 0xffff;
const CONGESTION_THRESHOLD = 0xbffd;

const initIn = InitIn.offset;
const initOut = InitOut.offset;

/** INIT. A newer major version is answered with ours: the guest then sends INIT again. */
export function init(turn: Turn): number {
  const { arena, args, body, session } = turn;
  const major = arena.getU32(args + initIn.major);
  const minor = arena.getU32(args + initIn.minor);
  const flags = arena.getU32(args + initIn.flags);
  if (major < KERNEL_VERSION) return turn.refuse(-Errno.EPROTO, 'INIT: a major version before 7');
  arena.zero(body, InitOut.size);
  arena.setU32(body + initOut.major, KERNEL_VERSION);
  arena.setU32(body + initOut.minor, KERNEL_MINOR_VERSION);
  if (major > KERNEL_VERSION) return turn.send(InitOut.size);
  if (minor < OLDEST_MINOR_VERSION) return turn.refuse(-Errno.EPROTO, 'INIT: a minor version before 27');
  const extended = (flags & InitFlag.INIT_EXT) !== 0;
  if (extended && turn.end - args < SHORT_INIT_IN + 4) {
    return turn.refuse(-Errno.EINVAL, 'INIT: INIT_EXT without flags2');
  }

  session.start(minor, flags, extended ? arena.getU32(args + initIn.flags2) : 0);
  arena.setU32(body + initOut.max_readahead, arena.getU32(args + initIn.max_readahead));
  arena.setU32(body + initOut.flags, session.flags);
  arena.setU32(body + initOut.flags2, session.flags2);
  arena.setU16(body + initOut.max_background, MAX_BACKGROUND);
  arena.setU16(body + initOut.congestion_threshold, CONGESTION_THRESHOLD);
  arena.setU32(body + initOut.max_write, MAX_WRITE);
  arena.setU32(body + initOut.time_gran, 1);
  if (session.window) arena.setU16(body + initOut.map_alignment, MAP_ALIGNMENT_BITS);
  if (session.flags & InitFlag.MAX_PAGES) arena.setU16(body + initOut.max_pages, MAX_PAGES);
  return turn.send(InitOut.size);
}

/** DESTROY: the guest has unmounted. */
export function destroy(turn: Turn): number {
  turn.session.end();
  return turn.send(0);
}
