/**
 * The Linux numbers that the file systems speak: flags of system calls, modes, commands. From the UAPI headers
 * (asm-generic, linux/fcntl.h, linux/stat.h, linux/fs.h); 64-bit Linux on x86 or ARM, which differ in four open flags.
 *
 * Guest and host are of one architecture, so the guest's flags are the host's.
 */
import { machineOf } from '../protocol/machine';

const arm = machineOf(process.arch) === 'arm64';

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_EACCESS = 0x200;
export const AT_REMOVEDIR = 0x200;
export const AT_SYMLINK_FOLLOW = 0x400;
export const AT_NO_AUTOMOUNT = 0x800;
export const AT_EMPTY_PATH = 0x1000;

export const O_ACCMODE = 0o3;
export const O_RDONLY = 0o0;
export const O_WRONLY = 0o1;
export const O_RDWR = 0o2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_DSYNC = 0o10000;
export const O_DIRECT = arm ? 0o200000 : 0o40000;
export const O_LARGEFILE = arm ? 0o400000 : 0o100000;
export const O_DIRECTORY = arm ? 0o40000 : 0o200000;
export const O_NOFOLLOW = arm ? 0o100000 : 0o400000;
export const O_NOATIME = 0o1000000;
export const O_CLOEXEC = 0o2000000;
export const O_SYNC = 0o4010000;
export const O_PATH = 0o10000000;
export const O_TMPFILE = 0o20000000 | O_DIRECTORY;

/** STATX_BASIC_STATS, STATX_BTIME and STATX_MNT_ID. */
export const STATX_WANTED = 0x7ff | 0x800 | 0x1000;
export const STATX_BTIME = 0x800;
export const STATX_MNT_ID = 0x1000;

export const STATX_ATTR_APPEND = 0x20;
export const STATX_ATTR_VERITY = 0x10_0000;

/** Offsets in struct statx. */
export const Statx = {
  mask: 0,
  blksize: 4,
  attributes: 8,
  nlink: 16,
  uid: 20,
  gid: 24,
  mode: 28,
  ino: 32,
  size: 40,
  blocks: 48,
  attributesMask: 56,
  atime: 64,
  btime: 80,
  ctime: 96,
  mtime: 112,
  rdevMajor: 128,
  rdevMinor: 132,
  devMajor: 136,
  devMinor: 140,
  mountId: 144,
  byteLength: 256,
} as const;

export const S_IFMT = 0o170000;
export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const S_IXGRP = 0o010;

/** The type bits of a mode shifted down by 12: also what DT_* in a directory entry are. */
export const FileType = {
  FIFO: 1,
  CHARACTER: 2,
  FOLDER: 4,
  BLOCK: 6,
  REGULAR: 8,
  SYMLINK: 10,
  SOCKET: 12,
} as const;

export const UTIME_NOW = 0x3fffffff;
export const UTIME_OMIT = 0x3ffffffe;

export const FATTR_MODE = 1;
export const FATTR_UID = 2;
export const FATTR_GID = 4;
export const FATTR_SIZE = 8;
export const FATTR_ATIME = 16;
export const FATTR_MTIME = 32;
export const FATTR_ATIME_NOW = 128;
export const FATTR_MTIME_NOW = 256;
export const FATTR_KILL_SUIDGID = 2048;

export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;

export const R_OK = 4;
export const W_OK = 2;

/** Offsets in struct statfs, 64-bit generic layout. */
export const Statfs = { blockSize: 8, available: 32 } as const;

export const RWF_NOWAIT = 8;
export const RWF_APPEND = 16;

export const SEEK_SET = 0;
export const SEEK_END = 2;
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;

export const F_RDLCK = 0;
export const F_WRLCK = 1;
export const F_UNLCK = 2;
export const F_OFD_GETLK = 36;
export const F_OFD_SETLK = 37;

/** Offsets in struct flock (64-bit). */
export const Flock = { type: 0, whence: 2, start: 8, length: 16, pid: 24, byteLength: 32 } as const;

export const LOCK_SH = 1;
export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const LOCK_UN = 8;

export const HUGETLBFS = 0x958458f6;
/** statfs f_type of file systems that live in memory (tmpfs, ramfs, hugetlbfs): no read ever waits for a device. */
export const MEMORY_FILE_SYSTEMS: readonly number[] = [0x01021994, 0x858458f6, HUGETLBFS];

/**
 * Those whose close(2) does nothing and never fails, as their data go to devices of this machine: ext, XFS, Btrfs,
 * F2FS, bcachefs, ZFS, overlayfs (its upper layer is one of these), FAT, exFAT, NTFS.
 */
export const LOCAL_FILE_SYSTEMS: readonly number[] = [
  ...MEMORY_FILE_SYSTEMS,
  ...[0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0xca451a4e, 0x2fc12fc1, 0x794c7630],
  ...[0x4d44, 0x2011bab0, 0x7366746e],
];
