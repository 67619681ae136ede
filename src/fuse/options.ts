/** What a share's owner decides about the protocol. Knows nothing of how options are spelt on a command line. */

/**
 * How long the guest may believe what it has been told. never: not at all, and files past its page cache; metadata: a
 * day for names and attributes, files past its page cache; auto: a second; always: a day, and pages stay over an open.
 */
export type CacheMode = 'never' | 'metadata' | 'auto' | 'always';

export interface FuseOptions {
  readonly cache: CacheMode;
  /** The guest collects writes (WRITEBACK_CACHE). */
  readonly writeback: boolean;
  readonly readdirplus: boolean;
  /** fcntl locks are the host's instead of local in the guest. */
  readonly posixLocks: boolean;
  /** The same for flock(2). */
  readonly flock: boolean;
  /** Set-user-ID and set-group-ID bits are cleared by us when the guest says so (HANDLE_KILLPRIV_V2). */
  readonly killpriv: boolean;
  readonly announceSubmounts: boolean;
  /** Shared mmap of files that are opened past the page cache (DIRECT_IO_ALLOW_MMAP). */
  readonly allowMmap: boolean;
  /** There is a DAX window, and the file system fills it. */
  readonly window?: boolean;
}
