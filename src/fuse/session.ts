/**
 * One session with a guest, from INIT to DESTROY: what both agreed on, and what follows from it for replies.
 *
 * A guest that reboots or mounts again sends INIT again, mostly without a DESTROY: everything of before is forgotten.
 */
import type { FileSystem } from '../fs/fileSystem';
import { Errno } from '../protocol/errno';
import { FopenFlag, InitFlag, InitFlag2, KERNEL_MINOR_VERSION, KERNEL_VERSION } from '../protocol/fuse/flags';
import { InitIn, InitOut } from '../protocol/fuse/structs';
import { isDirect, wantedFlags } from './initFlags';
import type { FuseOptions } from './options';
import { OLDEST_MINOR_VERSION, SHORT_INIT_IN } from './shapes';
import type { Turn } from './turn';
import { MAP_ALIGNMENT_BITS } from './window';

export const MAX_WRITE = 1 << 20;
const GUEST_PAGE = 4096;
const MAX_PAGES = MAX_WRITE / GUEST_PAGE;

/** No limit of ours on background requests: the queue's size is one. The values that virtiofsd sends. */
const MAX_BACKGROUND = 0xffff;
const CONGESTION_THRESHOLD = 0xbffd;

/** Seconds that names and attributes may be cached in the modes that say "for ever". */
const A_DAY = 86400;

const cacheSeconds = { never: 0, metadata: A_DAY, auto: 1, always: A_DAY } as const;

const initIn = InitIn.offset;
const initOut = InitOut.offset;

export class Session {
  started = false;
  /** What INIT agreed on. */
  minor = 0;
  flags = 0;
  flags2 = 0;
  /** SETXATTR has its long form. */
  longSetxattr = false;
  /** Requests may have extensions at their end. */
  extensions = false;
  /** The guest uses the DAX window; for files of its own choice unless `inodeDax`. */
  window = false;
  inodeDax = false;

  /** Seconds that the guest may believe a name and attributes. */
  readonly validSeconds: number;
  /** FOPEN_* of files and of folders. */
  readonly fileOpenFlags: number;
  readonly folderOpenFlags: number;

  private readonly wanted: { readonly low: number; readonly high: number };

  constructor(
    options: FuseOptions,
    private readonly fs: FileSystem,
  ) {
    this.wanted = wantedFlags(options);
    this.validSeconds = cacheSeconds[options.cache];
    const cachesFolders = options.cache === 'always' || options.cache === 'metadata';
    this.folderOpenFlags = cachesFolders ? FopenFlag.CACHE_DIR | FopenFlag.KEEP_CACHE : 0;
    if (isDirect(options)) this.fileOpenFlags = FopenFlag.DIRECT_IO | FopenFlag.PARALLEL_DIRECT_WRITES;
    else this.fileOpenFlags = options.cache === 'always' ? FopenFlag.KEEP_CACHE : 0;
  }

  /**
   * FOPEN_* of a file in the window: its pages are the host's own, so there is nothing to drop at an open, and Linux 7
   * warns when it drops them while they are mapped.
   */
  get windowOpenFlags(): number {
    return (this.fileOpenFlags & ~FopenFlag.DIRECT_IO) | FopenFlag.KEEP_CACHE;
  }

  /** Takes what the guest offers (`flags2` is 0 where it has none). */
  start(minor: number, flags: number, flags2: number): void {
    this.fs.reset();
    this.started = true;
    this.minor = Math.min(minor, KERNEL_MINOR_VERSION);
    this.flags = (flags & this.wanted.low) >>> 0;
    this.flags2 = (flags2 & this.wanted.high) >>> 0;
    this.extensions = (this.flags2 & InitFlag2.CREATE_SUPP_GROUP) !== 0;
    this.window = (this.flags & InitFlag.MAP_ALIGNMENT) !== 0;
    this.inodeDax = this.window && (this.flags2 & InitFlag2.HAS_INODE_DAX) !== 0;
    this.longSetxattr = (this.flags & InitFlag.SETXATTR_EXT) !== 0;
  }

  /** Everything that the guest has looked up, opened and locked is gone. */
  end(): void {
    this.started = false;
    this.fs.reset();
  }
}

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
