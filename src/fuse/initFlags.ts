/**
 * What we agree to in INIT: one row for each flag of the protocol, when it is taken and why, or why not.
 *
 * A flag is agreed when the guest offers it and its row says yes. Bits without a row (newer than the tables) are not.
 */
import { InitFlag, InitFlag2 } from '../protocol/fuse/flags';
import type { FuseOptions } from './options';

type Take = (options: FuseOptions) => boolean;

interface FlagRow {
  readonly take: Take;
  readonly why: string;
}

const always: Take = () => true;
const never: Take = () => false;

/** Regular files are opened past the guest's page cache. */
export const isDirect = (options: FuseOptions): boolean => options.cache === 'never' || options.cache === 'metadata';

const yes = (why: string): FlagRow => ({ take: always, why });
const no = (why: string): FlagRow => ({ take: never, why });
const when = (take: Take, why: string): FlagRow => ({ take, why });

const noNotifications = 'The Linux driver has no notification queue, so nothing can be told to the guest.';
const localOnly = 'Of the FUSE device file; means nothing over virtio.';

export const initFlagRows: Readonly<Record<keyof typeof InitFlag, FlagRow>> = {
  ASYNC_READ: yes('Read-ahead in parallel; every read names its offset.'),
  POSIX_LOCKS: when((o) => o.posixLocks, 'Locks that the host and other guests see. Without it they are local.'),
  FILE_OPS: no('Never used by the kernel.'),
  ATOMIC_O_TRUNC: yes(
    'One request less, and no moment between OPEN and truncation. Only together with HANDLE_KILLPRIV_V2: a guest that ' +
      'clears set-user-ID bits itself does so only for a truncation of its own.',
  ),
  EXPORT_SUPPORT: no('Needs LOOKUP of "." and "..", which would name what is outside of the share at its root.'),
  BIG_WRITES: yes('Writes of more than one page.'),
  DONT_MASK: no('The guest applies its umask. Only default ACLs would need it here, and they are not served.'),
  SPLICE_WRITE: no(localOnly),
  SPLICE_MOVE: no(localOnly),
  SPLICE_READ: no(localOnly),
  FLOCK_LOCKS: when((o) => o.flock, 'As POSIX_LOCKS, for flock(2).'),
  HAS_IOCTL_DIR: yes('lsattr and chattr work on folders.'),
  AUTO_INVAL_DATA: yes('A file changed on the host drops the cached pages when the guest sees the new time or size.'),
  DO_READDIRPLUS: when(
    (o) => o.readdirplus && o.cache !== 'never',
    'ls -l in one request. With cache=never what it brings is stale at once and looked up again.',
  ),
  READDIRPLUS_AUTO: when(
    (o) => o.readdirplus && o.cache !== 'never',
    'The guest uses READDIR where it finds that nobody wants the attributes.',
  ),
  ASYNC_DIO: yes('Direct I/O in parallel.'),
  WRITEBACK_CACHE: when(
    (o) => o.writeback && !isDirect(o),
    "The guest then trusts its own size and times. With direct I/O nothing is written back, and the host's are right.",
  ),
  NO_OPEN_SUPPORT: no(
    'ENOSYS to OPEN: reads would need a descriptor for each inode, and permissions no check at open.',
  ),
  PARALLEL_DIROPS: yes('LOOKUP and READDIR of one folder in parallel.'),
  HANDLE_KILLPRIV: no('Promises to clear set-user-ID on every write, which as root the host does not. V2 says when.'),
  POSIX_ACL: no('Needs POSIX ACLs as extended attributes and the host to check them with the caller as the user.'),
  ABORT_ERROR: no(localOnly),
  MAX_PAGES: yes('Requests of up to 1 MiB instead of 128 KiB.'),
  CACHE_SYMLINKS: when(
    (o) => o.cache !== 'never',
    'The target of a link never changes while its inode lives. With cache=never each READLINK is wanted.',
  ),
  NO_OPENDIR_SUPPORT: no('As NO_OPEN_SUPPORT; and positions belong to a handle.'),
  EXPLICIT_INVAL_DATA: no(noNotifications),
  MAP_ALIGNMENT: when((o) => o.window === true, 'Says where in the DAX window files can be mapped: at any page.'),
  SUBMOUNTS: when((o) => o.announceSubmounts, 'What is mounted in the share is a mount in the guest: its own st_dev.'),
  HANDLE_KILLPRIV_V2: when(
    (o) => o.killpriv && o.window !== true,
    'Writes need no GETXATTR before, and set-user-ID bits do get cleared. Not by stores through a DAX window, of which ' +
      'nobody tells us: with one the guest clears them itself.',
  ),
  SETXATTR_EXT: no('All that it brings is a flag for setting ACLs, and they are not served.'),
  INIT_EXT: yes('flags2.'),
  INIT_RESERVED: no('Reserved.'),
};

export const initFlag2Rows: Readonly<Record<keyof typeof InitFlag2, FlagRow>> = {
  SECURITY_CTX: no("Labels of the guest's security module are not stored on the host."),
  HAS_INODE_DAX: when(
    (o) => o.window === true,
    'With dax=inode we say by FUSE_ATTR_DAX which files go through the window: those for which that is safe.',
  ),
  CREATE_SUPP_GROUP: yes(
    "A new file in a set-group-ID folder gets the folder's group as the caller may (CVE-2022-0358).",
  ),
  HAS_EXPIRE_ONLY: no(noNotifications),
  DIRECT_IO_ALLOW_MMAP: when(
    (o) => o.allowMmap && isDirect(o),
    'Shared mmap in spite of direct I/O (SQLite in WAL mode); the guest then sees its own pages until they are dropped.',
  ),
  PASSTHROUGH: no(localOnly),
  NO_EXPORT_SUPPORT: no('File handles work in the guest as long as an inode is cached, which some programs count on.'),
  HAS_RESEND: no(noNotifications),
  ALLOW_IDMAP: no('Requests through an idmapped mount come with ids that mean nothing on the host.'),
  OVER_IO_URING: no(localOnly),
  REQUEST_TIMEOUT: no('A debugger may hold a request as long as its user likes.'),
  HAS_IO_URING_BUFPOOL: no(localOnly),
};

function sum(
  values: Readonly<Record<string, number>>,
  rows: Readonly<Record<string, FlagRow>>,
  options: FuseOptions,
): number {
  let flags = 0;
  for (const name of Object.keys(rows)) if (rows[name].take(options)) flags |= values[name];
  return flags >>> 0;
}

/** `flags`, of which one has no good without another. */
export function consistent(flags: number): number {
  return (flags & InitFlag.HANDLE_KILLPRIV_V2 ? flags : flags & ~InitFlag.ATOMIC_O_TRUNC) >>> 0;
}

/** The bits we take where they are offered: of `flags` and of `flags2`. */
export function wantedFlags(options: FuseOptions): { low: number; high: number } {
  return { low: sum(InitFlag, initFlagRows, options), high: sum(InitFlag2, initFlag2Rows, options) };
}
