/**
 * The numbers of the FUSE opcodes and nothing else, so that structs.ts can name them without knowing opcodes.ts.
 *
 * Source: enum fuse_opcode of include/uapi/linux/fuse.h, 7.46. 7 and 19 were never given out; CUSE_INIT (4096) never
 * comes over virtio-fs.
 */
import type { EnumTable } from '../flagTable';

export const Opcode = Object.freeze({
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  GETLK: 31,
  SETLK: 32,
  SETLKW: 33,
  ACCESS: 34,
  CREATE: 35,
  INTERRUPT: 36,
  BMAP: 37,
  DESTROY: 38,
  IOCTL: 39,
  POLL: 40,
  NOTIFY_REPLY: 41,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  READDIRPLUS: 44,
  RENAME2: 45,
  LSEEK: 46,
  COPY_FILE_RANGE: 47,
  SETUPMAPPING: 48,
  REMOVEMAPPING: 49,
  SYNCFS: 50,
  TMPFILE: 51,
  STATX: 52,
  COPY_FILE_RANGE_64: 53,
} as const);

export type OpcodeName = keyof typeof Opcode;

const rows = Object.entries(Opcode).map(([name, value]) => ({ name, value, doc: '' }));

/** For the opcode field of the header; the sentences are in opcodes.ts. */
export const opcodeNames: EnumTable<OpcodeName> = Object.freeze({
  prefix: 'FUSE_',
  doc: 'What a request asks.',
  rows,
  value: Opcode,
  byValue: new Map(rows.map((row) => [row.value, row])),
});
