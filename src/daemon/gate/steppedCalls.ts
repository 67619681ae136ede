/**
 * Host system calls that are told of before and after they are made, while a request is stepped through.
 *
 * Put in the place of the plain calls for the time that the handler of a watched request runs, and at no other: what
 * nobody steps through costs nothing. Who stops, and how, is `CallWatch`'s business.
 */
import { NO_GROUP } from '../../fs/fileSystem';
import type { HostCalls } from '../../fs/hostCalls';
import { fcntlCommands, hostCallNumber } from '../../protocol/hostCalls';

export interface CallWatch {
  /** Makes a call, telling before and after. */
  made(call: number, values: readonly number[], make: () => number): number;
}

/** The system call that each method is in a capture. */
const names: Readonly<Record<keyof HostCalls, string>> = {
  openat: 'openat',
  close: 'close',
  statx: 'statx',
  mkdirat: 'mkdirat',
  mknodat: 'mknodat',
  symlinkat: 'symlinkat',
  linkat: 'linkat',
  unlinkat: 'unlinkat',
  renameat2: 'renameat2',
  readlinkat: 'readlinkat',
  fchmod: 'fchmod',
  fchmodat: 'fchmodat',
  fchownat: 'fchownat',
  utimensat: 'utimensat',
  ftruncate: 'ftruncate',
  preadv2: 'preadv2',
  pwritev2: 'pwritev2',
  fsync: 'fsync',
  fdatasync: 'fdatasync',
  syncfs: 'syncfs',
  fallocate: 'fallocate',
  lseek: 'lseek',
  seekFolder: 'lseek',
  getdents64: 'getdents64',
  fstatfs: 'fstatfs',
  faccessat2: 'faccessat2',
  getxattr: 'getxattr',
  listxattr: 'listxattr',
  setxattr: 'setxattr',
  removexattr: 'removexattr',
  copyFileRange: 'copy_file_range',
  flock: 'flock',
  fcntlLock: 'fcntl',
  duplicate: 'fcntl',
  ioctl: 'ioctl',
  memoryFile: 'memfd_create',
  impersonate: 'setresuid',
  resume: 'setresuid',
  dropFsetid: 'capset',
};

/** What the arguments of a method are as those of its system call, where they differ. */
const translated: Partial<Record<keyof HostCalls, (values: readonly number[]) => number[]>> = {
  seekFolder: ([fd, low, high]) => [fd, high * 0x1_0000_0000 + low, 0],
  duplicate: ([fd]) => [fd, fcntlCommands.value.DUPFD_CLOEXEC, 0],
  impersonate: ([uid, gid, group]) => [uid, gid, Math.max(NO_GROUP, group)],
  resume: () => [0, 0, NO_GROUP],
  dropFsetid: () => [4],
};

type Plain = (...values: number[]) => number | void;

export function steppedCalls(calls: HostCalls, watch: CallWatch): HostCalls {
  let acting = false;
  const wrapped = Object.entries(names).map(([method, name]) => {
    const key = method as keyof HostCalls;
    const plain = (calls[key] as Plain).bind(calls);
    const number = hostCallNumber[name];
    const translate = translated[key];
    const stepped: Plain = (...values) => {
      // Nothing is called when that is who it is already.
      if (key === 'impersonate') {
        if (values[0] === 0 && values[1] === 0 && values[2] < 0) return plain(...values);
        acting = true;
      } else if (key === 'resume') {
        if (!acting) return plain();
        acting = false;
      }
      return watch.made(number, translate ? translate(values) : values, () => plain(...values) ?? 0);
    };
    return [method, stepped] as const;
  });
  return Object.fromEntries(wrapped) as unknown as HostCalls;
}
