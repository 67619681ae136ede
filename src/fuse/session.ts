/**
 * One session with a guest, from INIT to DESTROY: what both agreed on, and what follows from it for replies.
 *
 * A guest that reboots or mounts again sends INIT again, mostly without a DESTROY: everything of before is forgotten.
 */
import type { FileSystem } from '../fs/fileSystem';
import { FopenFlag, InitFlag, InitFlag2, KERNEL_MINOR_VERSION } from '../protocol/fuse/flags';
import { consistent, isDirect, wantedFlags } from './initFlags';
import type { FuseOptions } from './options';

export const MAX_WRITE = 1 << 20;

/** Seconds that names and attributes may be cached in the modes that say "for ever". */
const A_DAY = 86400;

const cacheSeconds = { never: 0, metadata: A_DAY, auto: 1, always: A_DAY } as const;

export class Session {
  started = false;
  /** What INIT agreed on. */
  minor = 0;
  flags = 0;
  flags2 = 0;
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
    this.flags = consistent(flags & this.wanted.low);
    this.flags2 = (flags2 & this.wanted.high) >>> 0;
    this.extensions = (this.flags2 & InitFlag2.CREATE_SUPP_GROUP) !== 0;
    this.window = (this.flags & InitFlag.MAP_ALIGNMENT) !== 0;
    this.inodeDax = this.window && (this.flags2 & InitFlag2.HAS_INODE_DAX) !== 0;
  }

  /** Everything that the guest has looked up, opened and locked is gone. */
  end(): void {
    this.started = false;
    this.fs.reset();
  }
}
