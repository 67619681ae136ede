/**
 * Where in the arena the server parses requests and builds replies. Whoever makes the arena reserves `FUSE_AREA_BYTES`
 * for it, at a multiple of 8, and nobody else writes there.
 */

/** The longest request but WRITE that is taken: SETXATTR with a value of XATTR_SIZE_MAX (64 KiB) and its name. */
export const REQUEST_CAPACITY = 68 * 1024;

/** The longest reply built in the arena: a folder's entries. READ's data never lie here. */
export const REPLY_CAPACITY = 256 * 1024;

/** Replies to parked requests are this short, CREATE's the longest. They end while another reply may be half built. */
const LATE_REPLY_CAPACITY = 256;

/** Names are looked at up to the NUL behind them; one word more so that no view ends there. */
const GUARD = 8;

export interface FuseAreas {
  readonly request: number;
  readonly reply: number;
  readonly lateReply: number;
}

export const FUSE_AREA_BYTES = REQUEST_CAPACITY + GUARD + REPLY_CAPACITY + LATE_REPLY_CAPACITY;

/** The server's areas, one after the other from `start`. */
export function layOutFuse(start: number): FuseAreas {
  const request = start;
  const reply = request + REQUEST_CAPACITY + GUARD;
  return { request, reply, lateReply: reply + REPLY_CAPACITY };
}
