/**
 * Every flag word and enumeration that FUSE carries, one line a bit: the numbers for the hot path and the sentences for
 * people. Also the Linux numbers that travel inside FUSE messages (open flags, modes, seek, lock and rename flags).
 *
 * Sources: include/uapi/linux/fuse.h (7.46), fcntl.h, stat.h, fs.h, falloc.h, xattr.h, fuse's man pages. The O_* are
 * those of x86-64 and the generic layout, with those of arm64 beside them. Nothing is translated on the way to the
 * host: guest and host are of the same architecture.
 */
import { enumTable, flagTable } from '../flagTable';
import type { Machine } from '../machine';

/** INIT flags, bits 0 to 31: `flags` of fuse_init_in and fuse_init_out. */
export const initFlags = flagTable('FUSE_', 'What both sides of a session can do, negotiated by INIT (low word).', {
  ASYNC_READ: [1 << 0, 'Several READs of one file may be under way at a time.'],
  POSIX_LOCKS: [1 << 1, 'POSIX record locks are sent to the server.'],
  FILE_OPS: [1 << 2, 'The kernel sends the file handle with fstat and the like; never used.'],
  ATOMIC_O_TRUNC: [1 << 3, 'OPEN carries O_TRUNC, there is no SETATTR for it.'],
  EXPORT_SUPPORT: [1 << 4, 'LOOKUP of "." and ".." works, for NFS export and file handles.'],
  BIG_WRITES: [1 << 5, 'A WRITE may be longer than a page.'],
  DONT_MASK: [1 << 6, 'The kernel does not apply the umask, the server does.'],
  SPLICE_WRITE: [1 << 7, 'The device takes spliced writes (local FUSE only).'],
  SPLICE_MOVE: [1 << 8, 'The device can move spliced pages (local FUSE only).'],
  SPLICE_READ: [1 << 9, 'The device gives spliced reads (local FUSE only).'],
  FLOCK_LOCKS: [1 << 10, 'flock(2) locks are sent to the server.'],
  HAS_IOCTL_DIR: [1 << 11, 'IOCTL may be sent for directories.'],
  AUTO_INVAL_DATA: [1 << 12, 'A changed mtime or size drops cached pages.'],
  DO_READDIRPLUS: [1 << 13, 'READDIRPLUS is served.'],
  READDIRPLUS_AUTO: [1 << 14, 'The kernel chooses between READDIR and READDIRPLUS.'],
  ASYNC_DIO: [1 << 15, 'Direct I/O is submitted asynchronously.'],
  WRITEBACK_CACHE: [1 << 16, 'The kernel caches writes and owns size and times meanwhile.'],
  NO_OPEN_SUPPORT: [1 << 17, 'ENOSYS to OPEN means: no OPEN and RELEASE from now on.'],
  PARALLEL_DIROPS: [1 << 18, 'LOOKUP and READDIR of one directory may run in parallel.'],
  HANDLE_KILLPRIV: [1 << 19, 'The server clears set-user-ID, set-group-ID and capabilities on write, chown, truncate.'],
  POSIX_ACL: [1 << 20, 'POSIX ACLs are served as xattrs and checked by the kernel.'],
  ABORT_ERROR: [1 << 21, 'Reading the device after an abort answers ECONNABORTED (local FUSE only).'],
  MAX_PAGES: [1 << 22, 'max_pages of the reply counts.'],
  CACHE_SYMLINKS: [1 << 23, 'The kernel caches link targets.'],
  NO_OPENDIR_SUPPORT: [1 << 24, 'ENOSYS to OPENDIR means: no OPENDIR and RELEASEDIR from now on.'],
  EXPLICIT_INVAL_DATA: [1 << 25, 'Cached pages go only when the server says so.'],
  MAP_ALIGNMENT: [1 << 26, 'map_alignment of the reply counts: the DAX window can be used.'],
  SUBMOUNTS: [1 << 27, 'FUSE_ATTR_SUBMOUNT makes the kernel mount a submount of its own.'],
  HANDLE_KILLPRIV_V2: [1 << 28, 'As HANDLE_KILLPRIV, but only where requests carry a KILL_SUIDGID flag.'],
  SETXATTR_EXT: [1 << 29, 'SETXATTR carries the long fuse_setxattr_in.'],
  INIT_EXT: [1 << 30, 'fuse_init_in and the reply have flags2.'],
  INIT_RESERVED: [0x8000_0000, 'Reserved.'],
});

/** INIT flags, bits 32 to 63, shifted down: `flags2` of fuse_init_in and fuse_init_out. */
export const initFlags2 = flagTable('FUSE_', 'What both sides of a session can do, negotiated by INIT (high word).', {
  SECURITY_CTX: [1 << 0, 'Requests that create carry the security context.'],
  HAS_INODE_DAX: [1 << 1, 'FUSE_ATTR_DAX turns DAX on per inode.'],
  CREATE_SUPP_GROUP: [1 << 2, "Requests that create carry the caller's group that matches the parent."],
  HAS_EXPIRE_ONLY: [1 << 3, 'NOTIFY_INVAL_ENTRY knows FUSE_EXPIRE_ONLY.'],
  DIRECT_IO_ALLOW_MMAP: [1 << 4, 'Shared mmap works in FOPEN_DIRECT_IO mode.'],
  PASSTHROUGH: [1 << 5, 'Reads and writes can go to a backing file in the kernel (local FUSE only).'],
  NO_EXPORT_SUPPORT: [1 << 6, 'No NFS export, no file handles.'],
  HAS_RESEND: [1 << 7, 'Pending requests can be sent again, marked by the high bit of unique.'],
  ALLOW_IDMAP: [1 << 8, 'Idmapped mounts are allowed.'],
  OVER_IO_URING: [1 << 9, 'Requests may come by io_uring (local FUSE only).'],
  REQUEST_TIMEOUT: [1 << 10, 'request_timeout of the reply counts: a late reply ends the session.'],
  HAS_IO_URING_BUFPOOL: [1 << 11, 'The kernel knows io_uring buffer pools (local FUSE only).'],
});

export const InitFlag = initFlags.value;
export const InitFlag2 = initFlags2.value;

export const fopenFlags = flagTable('FOPEN_', 'What the server says about a file it has opened.', {
  DIRECT_IO: [1 << 0, 'No page cache for this open file.'],
  KEEP_CACHE: [1 << 1, 'What the page cache holds is still good.'],
  NONSEEKABLE: [1 << 2, 'No lseek.'],
  CACHE_DIR: [1 << 3, 'The kernel may cache the directory listing.'],
  STREAM: [1 << 4, 'No file position at all.'],
  NOFLUSH: [1 << 5, 'No FLUSH on close, unless writes are cached.'],
  PARALLEL_DIRECT_WRITES: [1 << 6, 'Direct writes to one inode may run in parallel.'],
  PASSTHROUGH: [1 << 7, 'Reads and writes go to the backing file.'],
  IO_URING_ZERO_COPY: [1 << 8, 'Reads and writes by io_uring without a copy.'],
});
export const FopenFlag = fopenFlags.value;

export const setattrFlags = flagTable('FATTR_', 'Which fields of SETATTR count.', {
  MODE: [1 << 0, 'Change the permissions.'],
  UID: [1 << 1, 'Change the owner.'],
  GID: [1 << 2, 'Change the group.'],
  SIZE: [1 << 3, 'Truncate or extend.'],
  ATIME: [1 << 4, 'Set the access time.'],
  MTIME: [1 << 5, 'Set the modification time.'],
  FH: [1 << 6, 'fh is an open handle of the file.'],
  ATIME_NOW: [1 << 7, "Set the access time to the server's now."],
  MTIME_NOW: [1 << 8, "Set the modification time to the server's now."],
  LOCKOWNER: [1 << 9, 'lock_owner counts.'],
  CTIME: [1 << 10, 'Set the change time (with the write-back cache).'],
  KILL_SUIDGID: [1 << 11, 'Clear set-user-ID and set-group-ID.'],
});
export const SetattrFlag = setattrFlags.value;

export const attrFlags = flagTable('FUSE_ATTR_', 'Marks of an inode.', {
  SUBMOUNT: [1 << 0, 'The root of a file system mounted inside of the share.'],
  DAX: [1 << 1, 'Use DAX for this file (mount option dax=inode).'],
});
export const AttrFlag = attrFlags.value;

export const getattrFlags = flagTable('FUSE_GETATTR_', 'Flags of GETATTR and STATX.', {
  FH: [1 << 0, 'fh is an open handle of the file.'],
});
export const GetattrFlag = getattrFlags.value;

export const openInFlags = flagTable('FUSE_OPEN_', 'Extra flags of OPEN and CREATE.', {
  KILL_SUIDGID: [1 << 0, 'O_TRUNC has to clear set-user-ID and set-group-ID.'],
});
export const OpenInFlag = openInFlags.value;

export const readFlags = flagTable('FUSE_READ_', 'Flags of READ.', {
  LOCKOWNER: [1 << 1, 'lock_owner counts.'],
});
export const ReadFlag = readFlags.value;

export const writeFlags = flagTable('FUSE_WRITE_', 'Flags of WRITE.', {
  CACHE: [1 << 0, 'A delayed write from the page cache; the handle is a guess.'],
  LOCKOWNER: [1 << 1, 'lock_owner counts.'],
  KILL_SUIDGID: [1 << 2, 'Clear set-user-ID and set-group-ID.'],
});
export const WriteFlag = writeFlags.value;

export const releaseFlags = flagTable('FUSE_RELEASE_', 'Flags of RELEASE.', {
  FLUSH: [1 << 0, 'Flush as well.'],
  FLOCK_UNLOCK: [1 << 1, 'Drop the flock of lock_owner.'],
});
export const ReleaseFlag = releaseFlags.value;

export const lkFlags = flagTable('FUSE_LK_', 'Flags of GETLK, SETLK, SETLKW.', {
  FLOCK: [1 << 0, 'A flock(2) lock of the whole file.'],
});
export const LkFlag = lkFlags.value;

export const fsyncFlags = flagTable('FUSE_FSYNC_', 'Flags of FSYNC and FSYNCDIR.', {
  FDATASYNC: [1 << 0, 'Data only, not the metadata.'],
});
export const FsyncFlag = fsyncFlags.value;

export const ioctlFlags = flagTable('FUSE_IOCTL_', 'Flags of IOCTL.', {
  COMPAT: [1 << 0, 'A 32-bit caller on a 64-bit machine.'],
  UNRESTRICTED: [1 << 1, 'Not a well-formed ioctl; a retry is allowed.'],
  RETRY: [1 << 2, 'Send again with these iovecs.'],
  '32BIT': [1 << 3, 'A 32-bit ioctl.'],
  DIR: [1 << 4, 'On a directory.'],
  COMPAT_X32: [1 << 5, 'An x32 caller (64-bit time_t).'],
});
export const IoctlFlag = ioctlFlags.value;

export const pollFlags = flagTable('FUSE_POLL_', 'Flags of POLL.', {
  SCHEDULE_NOTIFY: [1 << 0, 'Send NOTIFY_POLL when something comes.'],
});

export const setxattrExtFlags = flagTable('FUSE_SETXATTR_', 'Extra flags of SETXATTR.', {
  ACL_KILL_SGID: [1 << 0, 'Clear set-group-ID when system.posix_acl_access is set.'],
});
export const SetxattrExtFlag = setxattrExtFlags.value;

export const invalEntryFlags = flagTable('FUSE_', 'Flags of NOTIFY_INVAL_ENTRY.', {
  EXPIRE_ONLY: [1 << 0, 'Let the entry expire, do not drop it.'],
});

export const setupmappingFlags = flagTable('FUSE_SETUPMAPPING_FLAG_', 'Flags of SETUPMAPPING.', {
  WRITE: [1 << 0, 'Map for writing.'],
  READ: [1 << 1, 'Map for reading.'],
});
export const SetupmappingFlag = setupmappingFlags.value;

export const notifyCodes = enumTable('FUSE_NOTIFY_', 'What a notification is about (in the error field, unique 0).', {
  POLL: [1, 'A polled file is ready.'],
  INVAL_INODE: [2, 'Drop cached attributes and pages.'],
  INVAL_ENTRY: [3, 'Drop a cached name.'],
  STORE: [4, 'Put data into the page cache.'],
  RETRIEVE: [5, 'Ask for data of the page cache.'],
  DELETE: [6, 'A name is gone.'],
  RESEND: [7, 'Send pending requests again.'],
  INC_EPOCH: [8, 'Every cached name of before is stale.'],
  PRUNE: [9, 'Drop unused inodes.'],
});
export const NotifyCode = notifyCodes.value;

export const extTypes = enumTable(
  'FUSE_',
  'What an extension after the arguments holds; below 32 a count of contexts.',
  {
    MAX_NR_SECCTX: [31, 'Values up to this one are a number of security contexts.'],
    EXT_GROUPS: [32, 'Supplementary groups of the caller.'],
  },
);
export const ExtType = extTypes.value;

const openRows = {
  RDONLY: [0, 'Read.', 3],
  WRONLY: [1, 'Write.', 3],
  RDWR: [2, 'Read and write.', 3],
  CREAT: [0o100, 'Make the file if it is not there.'],
  EXCL: [0o200, 'Fail if it is there.'],
  NOCTTY: [0o400, 'No controlling terminal.'],
  TRUNC: [0o1000, 'Cut to length 0.'],
  APPEND: [0o2000, 'Write at the end.'],
  NONBLOCK: [0o4000, 'Do not wait.'],
  SYNC: [0o4010000, 'Each write waits for data and metadata.'],
  DSYNC: [0o10000, 'Each write waits for the data.'],
  ASYNC: [0o20000, 'Signal when I/O is possible.'],
  DIRECT: [0o40000, 'Past the page cache.'],
  LARGEFILE: [0o100000, 'Offsets of 64 bits.'],
  TMPFILE: [0o20200000, 'An unnamed file.'],
  DIRECTORY: [0o200000, 'Fail if it is no directory.'],
  NOFOLLOW: [0o400000, 'Fail if it is a symbolic link.'],
  NOATIME: [0o1000000, 'Leave the access time.'],
  CLOEXEC: [0o2000000, 'Close on exec.'],
  PATH: [0o10000000, 'Only the place, not the content.'],
  __FMODE_EXEC: [0o40, 'The kernel opens it to execute it.'],
} as const;
export const openFlags = flagTable<keyof typeof openRows>(
  'O_',
  'open(2) flags of the guest, unchanged.',
  openRows,
  // arch/arm64/include/uapi/asm/fcntl.h.
  { DIRECTORY: 0o40000, NOFOLLOW: 0o100000, DIRECT: 0o200000, LARGEFILE: 0o400000, TMPFILE: 0o20040000 },
);
export const OpenFlag = openFlags.value;
export const O_ACCMODE = 3;

/** open(2) flags of a machine in the numbers of `OpenFlag`. */
export function asOpenFlags(flags: number, machine: Machine): number {
  // O_DIRECTORY and O_NOFOLLOW change places with O_DIRECT and O_LARGEFILE.
  return machine === 'x86-64'
    ? flags
    : ((flags & ~0o740000) | ((flags & 0o140000) << 2) | ((flags & 0o600000) >>> 2)) >>> 0;
}

export const fileTypes = enumTable('S_IF', 'The type bits of a mode (mask S_IFMT).', {
  SOCK: [0o140000, 'Socket.'],
  LNK: [0o120000, 'Symbolic link.'],
  REG: [0o100000, 'Regular file.'],
  BLK: [0o060000, 'Block device.'],
  DIR: [0o040000, 'Directory.'],
  CHR: [0o020000, 'Character device.'],
  IFO: [0o010000, 'FIFO.'],
});
export const FileType = fileTypes.value;
export const S_IFMT = 0o170000;

export const modeBits = flagTable('S_I', 'The permission bits of a mode.', {
  SUID: [0o4000, 'Set user ID on execution.'],
  SGID: [0o2000, 'Set group ID on execution; on a directory: new files take its group.'],
  SVTX: [0o1000, 'Sticky: only owners remove entries.'],
  RUSR: [0o400, 'Owner reads.'],
  WUSR: [0o200, 'Owner writes.'],
  XUSR: [0o100, 'Owner executes.'],
  RGRP: [0o040, 'Group reads.'],
  WGRP: [0o020, 'Group writes.'],
  XGRP: [0o010, 'Group executes.'],
  ROTH: [0o004, 'Others read.'],
  WOTH: [0o002, 'Others write.'],
  XOTH: [0o001, 'Others execute.'],
});
export const ModeBit = modeBits.value;

export const direntTypes = enumTable(
  'DT_',
  'File type in a directory entry: the type bits of its mode, shifted down by 12.',
  {
    UNKNOWN: [0, 'Not told.'],
    FIFO: [1, 'FIFO.'],
    CHR: [2, 'Character device.'],
    DIR: [4, 'Directory.'],
    BLK: [6, 'Block device.'],
    REG: [8, 'Regular file.'],
    LNK: [10, 'Symbolic link.'],
    SOCK: [12, 'Socket.'],
    WHT: [14, 'Whiteout.'],
  },
);
export const DirentType = direntTypes.value;

export const accessFlags = flagTable('', 'access(2) mask.', {
  F_OK: [0, 'Is it there?', 7],
  R_OK: [4, 'May it be read?'],
  W_OK: [2, 'May it be written?'],
  X_OK: [1, 'May it be executed, or searched?'],
});

export const renameFlags = flagTable('RENAME_', 'Flags of RENAME2.', {
  NOREPLACE: [1 << 0, 'Fail if the new name is there.'],
  EXCHANGE: [1 << 1, 'Exchange the two.'],
  WHITEOUT: [1 << 2, 'Leave a whiteout behind.'],
});
export const RenameFlag = renameFlags.value;

export const fallocFlags = flagTable('FALLOC_FL_', 'Mode of FALLOCATE; 0 allocates.', {
  KEEP_SIZE: [0x01, 'Leave the size of the file.'],
  PUNCH_HOLE: [0x02, 'Make a hole.'],
  NO_HIDE_STALE: [0x04, 'Reserved.'],
  COLLAPSE_RANGE: [0x08, 'Take the range out.'],
  ZERO_RANGE: [0x10, 'Turn the range to zeros.'],
  INSERT_RANGE: [0x20, 'Make room.'],
  UNSHARE_RANGE: [0x40, 'Unshare shared blocks.'],
  WRITE_ZEROES: [0x80, 'Write zeros.'],
});
export const FallocFlag = fallocFlags.value;

export const xattrFlags = flagTable('XATTR_', 'setxattr(2) flags.', {
  CREATE: [1 << 0, 'Fail if it is there.'],
  REPLACE: [1 << 1, 'Fail if it is not there.'],
});
export const XattrFlag = xattrFlags.value;

export const seekWhence = enumTable('SEEK_', 'What an offset of LSEEK counts from or looks for.', {
  SET: [0, 'The start.'],
  CUR: [1, 'The current position.'],
  END: [2, 'The end.'],
  DATA: [3, 'The next data at or after.'],
  HOLE: [4, 'The next hole at or after.'],
});
export const Seek = seekWhence.value;

export const lockTypes = enumTable('F_', 'Type of a lock.', {
  RDLCK: [0, 'Shared.'],
  WRLCK: [1, 'Exclusive.'],
  UNLCK: [2, 'None: unlock, or nothing in the way.'],
});
export const LockType = lockTypes.value;

export const statxMask = flagTable('STATX_', 'Which fields of statx are wanted, or filled.', {
  BASIC_STATS: [0x7ff, 'All that stat(2) has.'],
  TYPE: [0x1, 'The type bits of mode.'],
  MODE: [0x2, 'The other bits of mode.'],
  NLINK: [0x4, 'Number of links.'],
  UID: [0x8, 'Owner.'],
  GID: [0x10, 'Group.'],
  ATIME: [0x20, 'Access time.'],
  MTIME: [0x40, 'Modification time.'],
  CTIME: [0x80, 'Change time.'],
  INO: [0x100, 'Inode number.'],
  SIZE: [0x200, 'Size.'],
  BLOCKS: [0x400, 'Blocks.'],
  BTIME: [0x800, 'Time of birth.'],
  MNT_ID: [0x1000, 'Mount ID.'],
  DIOALIGN: [0x2000, 'Alignment of direct I/O.'],
  MNT_ID_UNIQUE: [0x4000, 'Mount ID that is never reused.'],
  SUBVOL: [0x8000, 'Subvolume.'],
  WRITE_ATOMIC: [0x1_0000, 'Sizes of atomic writes.'],
  DIO_READ_ALIGN: [0x2_0000, 'Alignment of direct reads.'],
});
export const StatxMask = statxMask.value;

export const statxAttributes = flagTable('STATX_ATTR_', 'File attributes of statx.', {
  COMPRESSED: [0x4, 'Compressed by the file system.'],
  IMMUTABLE: [0x10, 'Immutable.'],
  APPEND: [0x20, 'Append only.'],
  NODUMP: [0x40, 'Not to be dumped.'],
  ENCRYPTED: [0x800, 'Encrypted by the file system.'],
  AUTOMOUNT: [0x1000, 'An automount trigger.'],
  MOUNT_ROOT: [0x2000, 'The root of a mount.'],
  VERITY: [0x10_0000, 'Protected by verity.'],
  DAX: [0x20_0000, 'In DAX state.'],
  WRITE_ATOMIC: [0x40_0000, 'Supports atomic writes.'],
});

export const statxSync = enumTable('AT_STATX_', 'How fresh the answer of STATX is to be.', {
  SYNC_AS_STAT: [0, 'As stat(2) does.'],
  FORCE_SYNC: [0x2000, 'Ask the backing store.'],
  DONT_SYNC: [0x4000, 'What is cached is good enough.'],
});

/** Numbers of the ioctls on files that reach a FUSE server (64-bit generic encoding). */
export const ioctlCommands = enumTable('FS_IOC_', 'ioctl(2) requests on files.', {
  GETFLAGS: [0x8008_6601, 'The inode flags (chattr).'],
  SETFLAGS: [0x4008_6602, 'Set the inode flags.'],
  GETVERSION: [0x8008_7601, 'The inode generation.'],
  SETVERSION: [0x4008_7602, 'Set the inode generation.'],
  FSGETXATTR: [0x801c_581f, 'The extended inode flags and the project.'],
  FSSETXATTR: [0x401c_5820, 'Set them.'],
  ENABLE_VERITY: [0x4080_6685, 'Turn verity on.'],
  MEASURE_VERITY: [0xc004_6686, "The file's verity digest."],
});
export const IoctlCommand = ioctlCommands.value;

/** FUSE_INVALID_UIDGID: the uid or gid of a request that could not be mapped (FUSE_ALLOW_IDMAP). */
export const INVALID_UIDGID = 0xffff_ffff;
/** The node ID of the root. */
export const ROOT_ID = 1;
export const KERNEL_VERSION = 7;
/** The newest minor version that these tables know. */
export const KERNEL_MINOR_VERSION = 46;
