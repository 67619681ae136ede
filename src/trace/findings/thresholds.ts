/**
 * From when on something is a finding, and how much is remembered on the way, each with its reason.
 *
 * The rule behind the numbers: an ordinary boot, `ls -lR`, `cp` or build is silent.
 */

const MS = 1e6;
const SECOND = 1e9;

/** Nodes (inodes the guest knows) that are remembered: 14 columns of 8 bytes each, 29 MB. Later ones are not judged. */
export const MOST_NODES = 1 << 18;
/** Open files that are remembered. */
export const MOST_HANDLES = 1 << 16;
/** Paths (indexes of the capture) that are remembered. */
export const MOST_PATHS = 1 << 18;
/** Groups (a path with a caller, for example) that are counted apart; what comes later is counted together. */
export const MOST_GROUPS = 4096;
/** Rows that a finding names, unless asked otherwise. */
export const MOST_ROWS = 64;
/** Paths or groups that a text names. */
export const NAMED = 5;

export const staleCache = {
  /** Host clocks in attributes are coarse: Linux stamps files by the tick, up to 10 ms before. */
  tick: 10 * MS,
  /** How far ctime may lie outside of the two looks at a file before its clock is taken to be another one. */
  otherClock: 50 * MS,
};

export const smallIo = {
  /** Readahead asks for 128 KiB and more, and a page cache writes back in larger pieces: up to here is small. */
  size: 16 << 10,
  /** Pieces of one file in a row; a compiler writes an object of 100 KiB in 25 pages. */
  run: 32,
  /** Together: less than this is over in milliseconds… */
  requests: 256,
  /** …and of all requests, since otherwise time is spent elsewhere. */
  share: 0.2,
};

export const starvation = {
  /** Behind sixteen small requests one waits 0.2 ms. */
  wait: 1 * MS,
  /** Waiting to serving. */
  factor: 4,
  /** A single hiccup of the scheduler makes some. */
  requests: 32,
  share: 0.02,
};

export const requestSize = {
  page: 4096,
  /** FUSE_HEADER_OVERHEAD of the driver: descriptors that are not pages. */
  overhead: 4,
  /** FUSE_DEFAULT_MAX_PAGES_PER_REQ: without MAX_PAGES. */
  defaultPages: 32,
  /** What the guest's default limit (fs.fuse.max_pages_limit) allows: 1 MiB. Caps of this size are no finding. */
  enoughPages: 256,
  /** Requests of exactly that size, each beginning where the one before ended. */
  requests: 8,
  /** Different caps in one capture: sessions may each have their own. */
  caps: 16,
};

export const locks = {
  /** Opens for writing of files that programs lock. */
  opens: 1,
};

export const growth = {
  /** Parts of the capture in which what is held is looked at. */
  parts: 8,
  /** The usual limit of open files of a process is 1024, of a service half a million. */
  handles: 512,
  /** The guest keeps what memory allows: a tree of this size that was listed once is normal. */
  nodes: 100_000,
  /** Given back, of what was taken: a guest under memory pressure gives back nearly all. */
  returned: 0.1,
  returnedHandles: 0.5,
};

export const readdirPlus = {
  /** A listing is followed by its lookups at once. */
  within: 2 * SECOND,
  /** In one folder, by the process that listed it: a shell's glob has fewer. */
  folder: 16,
  lookups: 64,
};

export const slow = {
  /** Before that nobody notices. */
  least: 50 * MS,
  /** Of the opcode's median. */
  factor: 50,
  /** Below so many of an opcode there is no median; then only what takes `alone` is slow. */
  samples: 20,
  alone: 1 * SECOND,
  /** fsync and its kin wait for the disk by purpose. */
  syncLeast: 2 * SECOND,
  /** Of each opcode, how many of the slowest are remembered. */
  kept: 16,
};

export const inFlight = {
  /** Longer than any disk takes: a capture that just ends has requests of milliseconds. */
  age: 5 * SECOND,
};

export const xattrs = {
  /** Asked once or twice for a file is what ls -l does. */
  free: 2,
  requests: 256,
  share: 0.1,
  /** Names counted apart. */
  names: 16,
};

export const enosys = { requests: 16 };

export const negative = {
  /** Each name is free this often: a configure script or a compiler looks for a header in many places. */
  free: 4,
  requests: 1024,
  share: 0.25,
};
