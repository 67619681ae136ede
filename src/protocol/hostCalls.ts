/**
 * The host's system calls as a capture names them: number, name, and what each argument is, in the system call's order.
 *
 * Written into captures, so rows are only ever added at the end. The wording of arguments is that of section 2 of the
 * manual pages; how a value is shown follows from its `show` and `flags` as for structure fields.
 */
import { enumTable, flagTable, type FlagTable } from './flagTable';
import { accessFlags, fallocFlags, openFlags, renameFlags, seekWhence, statxMask, xattrFlags } from './fuse/flags';
import type { EnumTable } from './flagTable';
import type { Show } from './struct';

/** `fd`, `path` (in the packet's text), `address` (not worth showing), or a number. */
export type HostArgumentKind = 'fd' | 'path' | 'address' | 'number';

export interface HostArgument {
  readonly name: string;
  readonly kind: HostArgumentKind;
  readonly show?: Show;
  readonly flags?: FlagTable;
  readonly enum?: EnumTable;
}

export interface HostCallRow {
  readonly number: number;
  readonly name: string;
  readonly arguments: readonly HostArgument[];
}

export const atFlags = flagTable('AT_', 'Flags of the *at calls.', {
  SYMLINK_NOFOLLOW: [0x100, 'Do not follow a link at the end.'],
  REMOVEDIR: [0x200, 'Remove a folder. For faccessat: use the effective ids.'],
  SYMLINK_FOLLOW: [0x400, 'Follow a link at the end.'],
  NO_AUTOMOUNT: [0x800, 'Do not mount.'],
  EMPTY_PATH: [0x1000, 'The descriptor itself.'],
});

export const rwfFlags = flagTable('RWF_', 'Flags of preadv2 and pwritev2.', {
  HIPRI: [1, 'High priority.'],
  DSYNC: [2, 'As O_DSYNC.'],
  SYNC: [4, 'As O_SYNC.'],
  NOWAIT: [8, 'Do not wait for what is not cached.'],
  APPEND: [16, 'At the end.'],
  NOAPPEND: [32, 'Where it says, also with O_APPEND.'],
});

export const flockOperations = flagTable('LOCK_', 'Operations of flock.', {
  SH: [1, 'Shared.'],
  EX: [2, 'Exclusive.'],
  NB: [4, 'Do not wait.'],
  UN: [8, 'Unlock.'],
});

export const fcntlCommands = enumTable('F_', 'Commands of fcntl.', {
  OFD_GETLK: [36, 'Which lock is in the way.'],
  OFD_SETLK: [37, 'Lock or unlock.'],
  DUPFD_CLOEXEC: [1030, 'Another descriptor of the same open file.'],
});

const fd = (name: string): HostArgument => ({ name, kind: 'fd' });
const path = (name: string): HostArgument => ({ name, kind: 'path' });
const address = (name: string): HostArgument => ({ name, kind: 'address' });
const number = (name: string, options: Omit<HostArgument, 'name' | 'kind'> = {}): HostArgument => ({
  name,
  kind: 'number',
  ...options,
});
const at = number('flags', { flags: atFlags });
const mode = number('mode', { show: 'mode' });
const offset = number('offset');
const length = number('length', { show: 'size' });
const size = number('size', { show: 'size' });

const calls: readonly [name: string, ...HostArgument[]][] = [
  ['openat', fd('dirfd'), path('pathname'), number('flags', { flags: openFlags }), mode],
  ['close', fd('fd')],
  ['statx', fd('dirfd'), path('pathname'), at, number('mask', { flags: statxMask }), address('statxbuf')],
  ['mkdirat', fd('dirfd'), path('pathname'), mode],
  ['mknodat', fd('dirfd'), path('pathname'), mode, number('dev', { show: 'device' })],
  ['symlinkat', path('target'), fd('newdirfd'), path('linkpath')],
  ['linkat', fd('olddirfd'), path('oldpath'), fd('newdirfd'), path('newpath'), at],
  ['unlinkat', fd('dirfd'), path('pathname'), at],
  [
    'renameat2',
    fd('olddirfd'),
    path('oldpath'),
    fd('newdirfd'),
    path('newpath'),
    number('flags', { flags: renameFlags }),
  ],
  ['readlinkat', fd('dirfd'), path('pathname'), address('buf'), size],
  ['fchmod', fd('fd'), mode],
  ['fchmodat', fd('dirfd'), path('pathname'), mode],
  ['fchownat', fd('dirfd'), path('pathname'), number('owner'), number('group'), at],
  ['utimensat', fd('dirfd'), path('pathname'), address('times'), at],
  ['truncate', path('path'), length],
  ['ftruncate', fd('fd'), length],
  ['preadv2', fd('fd'), address('iov'), number('iovcnt'), offset, number('flags', { flags: rwfFlags })],
  ['pwritev2', fd('fd'), address('iov'), number('iovcnt'), offset, number('flags', { flags: rwfFlags })],
  ['fsync', fd('fd')],
  ['fdatasync', fd('fd')],
  ['syncfs', fd('fd')],
  ['fallocate', fd('fd'), number('mode', { flags: fallocFlags }), offset, length],
  ['lseek', fd('fd'), offset, number('whence', { enum: seekWhence })],
  ['getdents64', fd('fd'), address('dirp'), size],
  ['fstatfs', fd('fd'), address('buf')],
  ['faccessat2', fd('dirfd'), path('pathname'), number('mode', { flags: accessFlags }), at],
  ['getxattr', path('path'), path('name'), address('value'), size],
  ['listxattr', path('path'), address('list'), size],
  ['setxattr', path('path'), path('name'), address('value'), size, number('flags', { flags: xattrFlags })],
  ['removexattr', path('path'), path('name')],
  [
    'copy_file_range',
    fd('fd_in'),
    number('off_in'),
    fd('fd_out'),
    number('off_out'),
    number('len', { show: 'size' }),
    number('flags', { show: 'hex' }),
  ],
  ['flock', fd('fd'), number('operation', { flags: flockOperations })],
  ['fcntl', fd('fd'), number('cmd', { enum: fcntlCommands }), address('arg')],
  ['ioctl', fd('fd'), number('request', { show: 'hex' }), address('argp')],
  ['setresuid', number('euid'), number('egid'), number('group')],
  ['preadv', fd('fd'), address('iov'), number('iovcnt'), offset],
  ['pwritev', fd('fd'), address('iov'), number('iovcnt'), offset],
  ['capset', number('capability')],
  ['memfd_create', size],
];

export const hostCalls: readonly HostCallRow[] = Object.freeze(
  calls.map(([name, ...args], index) => Object.freeze({ number: index, name, arguments: Object.freeze(args) })),
);

/** Number of a call, by its name. */
export const hostCallNumber: Readonly<Record<string, number>> = Object.freeze(
  Object.fromEntries(hostCalls.map((row) => [row.name, row.number])),
);
