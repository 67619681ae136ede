/** What the passthrough file system is given: its place in the arena, and what a share's owner decides. */

/** Where in the arena the passthrough file system works; made by `passthroughAreas`. */
export interface PassthroughAreas {
  /** struct statx, 256 bytes. */
  readonly attributes: number;
  /** 64 bytes: "/proc/self/fd/" and a number. */
  readonly path: number;
  /** 256 bytes for small structures: flock, timespec[2], statfs, fsxattr. */
  readonly scratch: number;
  /** A NUL, then ".": the empty path and the folder itself. */
  readonly empty: number;
  readonly dot: number;
  /** Room for the target of a symlink. */
  readonly link: number;
  readonly linkSize: number;
  /** Room for getdents64. Nobody else's: what a listing has not told yet stays in it until the guest's next request. */
  readonly entries: number;
  readonly entriesSize: number;
}

/** PATH_MAX. */
const LINK_SIZE = 4096;
const ENTRIES_SIZE = 64 * 1024;

/** Bytes of arena that the areas take. */
export const PASSTHROUGH_AREAS_SIZE = 1024 + LINK_SIZE + ENTRIES_SIZE;

/** Lays the areas out from `start` (8-aligned) on. */
export function passthroughAreas(start: number): PassthroughAreas {
  return {
    attributes: start,
    path: start + 256,
    scratch: start + 512,
    empty: start + 768,
    dot: start + 776,
    link: start + 1024,
    linkSize: LINK_SIZE,
    entries: start + 1024 + LINK_SIZE,
    entriesSize: ENTRIES_SIZE,
  };
}

export interface PassthroughOptions {
  /** Every call that changes something answers EROFS. */
  readonly readOnly: boolean;
  /** Extended attributes are passed on; else ENOSYS, after which the guest does not ask again. */
  readonly xattr: boolean;
  /** The guest's kernel may write back later: it then reads what it opened for writing. */
  readonly writeback: boolean;
  /** O_DIRECT of the guest reaches the host. */
  readonly allowDirectIo: boolean;
  /** New files can be made as the calling user (the daemon is root). */
  readonly canImpersonate: boolean;
  /** Descriptors that inodes, open files and locks may take together. */
  readonly descriptors: number;
  /** Inodes that the guest may know at a time. */
  readonly inodes: number;
}
