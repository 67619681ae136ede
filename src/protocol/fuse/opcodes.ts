/**
 * One row for each FUSE opcode, with everything about it: what a request carries, what the reply carries, since when.
 *
 * The server, the decoder, the filter language, the dissector and the support matrix all read this table. Sources:
 * include/uapi/linux/fuse.h and fs/fuse/ of Linux 7.x; the compat sizes also lib/fuse_lowlevel.c of libfuse.
 */
import type { StructTable } from '../struct';
import { Opcode, type OpcodeName } from './opcodeNumbers';
import * as s from './structs';

export { Opcode, type OpcodeName };

/** The bytes after structures and names. */
export type PayloadShape =
  /** Opaque bytes; `size` names the field of the request's structure that says how many. */
  | { kind: 'data'; size?: string; doc: string }
  /** Text without a NUL at its end. */
  | { kind: 'text'; doc: string }
  /** NUL-terminated names one after the other. */
  | { kind: 'names'; doc: string }
  /** Fixed records; `count` names the field of the request's structure that says how many. */
  | { kind: 'records'; record: StructTable; count: string; doc: string }
  /** fuse_dirent, or fuse_direntplus, each with its name, padded to 8 bytes. */
  | { kind: 'dirents'; record: StructTable; doc: string };

/** A structure that is shorter, or absent, for older peers. */
export interface CompatSize {
  of: 'in' | 'out';
  /** The structure's index in `in` or `out`. */
  index: number;
  size: number;
  /** With minor versions below this one… */
  below?: number;
  /** …or without this INIT flag. */
  without?: string;
}

export interface OpcodeRow {
  name: OpcodeName;
  number: number;
  doc: string;
  /** Structures after the request's header, in order. */
  in: readonly StructTable[];
  /** NUL-terminated strings after them, by what each is. */
  names: readonly string[];
  inPayload?: PayloadShape;
  /** Extensions (security context, supplementary groups) may follow at the end. */
  extensions?: true;
  /** False: there is no reply at all, not even for an error. */
  reply: boolean;
  /** Structures after the reply's header when there was no error, in order. */
  out: readonly StructTable[];
  outPayload?: PayloadShape;
  /** Replaces `out` and `outPayload` when `size` of the request is 0. */
  outIfSizeZero?: readonly StructTable[];
  /** FUSE minor version (7.x) that brought it; 1 for what was always there. */
  since: number;
  compat?: readonly CompatSize[];
}

type Details = Partial<Omit<OpcodeRow, 'name' | 'number' | 'doc'>>;

const row = (name: OpcodeName, doc: string, details: Details = {}): OpcodeRow => ({
  name,
  number: Opcode[name],
  doc,
  in: [],
  names: [],
  reply: true,
  out: [],
  since: 1,
  ...details,
});

const entryCompat: CompatSize = { of: 'out', index: 0, size: 120, below: 9 };
const attrCompat: CompatSize = { of: 'out', index: 0, size: 96, below: 9 };
const readCompat: CompatSize = { of: 'in', index: 0, size: 24, below: 9 };
const releaseCompat: CompatSize = { of: 'in', index: 0, size: 16, below: 8 };
const lockCompat: CompatSize = { of: 'in', index: 0, size: 40, below: 9 };
const data = (doc: string, size?: string): PayloadShape => ({ kind: 'data', doc, ...(size ? { size } : {}) });

export const opcodes: readonly OpcodeRow[] = Object.freeze([
  row('LOOKUP', 'Looks a name up in a directory; the lookup count of what is found grows by one.', {
    names: ['name'],
    out: [s.EntryOut],
    compat: [entryCompat],
  }),
  row('FORGET', 'Lowers the lookup count of an inode; at zero the server may forget it.', {
    in: [s.ForgetIn],
    reply: false,
  }),
  row('GETATTR', 'The attributes of an inode.', {
    in: [s.GetattrIn],
    out: [s.AttrOut],
    compat: [{ of: 'in', index: 0, size: 0, below: 9 }, attrCompat],
  }),
  row('SETATTR', 'Changes attributes: permissions, owner, size, times.', {
    in: [s.SetattrIn],
    out: [s.AttrOut],
    compat: [attrCompat],
  }),
  row('READLINK', 'The target of a symbolic link.', {
    outPayload: { kind: 'text', doc: 'The target, without a NUL.' },
  }),
  row('SYMLINK', 'Makes a symbolic link.', {
    names: ['name', 'target'],
    extensions: true,
    out: [s.EntryOut],
    compat: [entryCompat],
  }),
  row('MKNOD', 'Makes a file, device, FIFO or socket.', {
    in: [s.MknodIn],
    names: ['name'],
    extensions: true,
    out: [s.EntryOut],
    compat: [{ of: 'in', index: 0, size: 8, below: 12 }, entryCompat],
  }),
  row('MKDIR', 'Makes a directory.', {
    in: [s.MkdirIn],
    names: ['name'],
    extensions: true,
    out: [s.EntryOut],
    compat: [entryCompat],
  }),
  row('UNLINK', 'Removes a name that is no directory.', { names: ['name'] }),
  row('RMDIR', 'Removes an empty directory.', { names: ['name'] }),
  row('RENAME', 'Renames, replacing what has the new name.', { in: [s.RenameIn], names: ['oldname', 'newname'] }),
  row('LINK', 'Gives an inode one more name.', {
    in: [s.LinkIn],
    names: ['newname'],
    out: [s.EntryOut],
    compat: [entryCompat],
  }),
  row('OPEN', 'Opens a file.', { in: [s.OpenIn], out: [s.OpenOut] }),
  row('READ', 'Reads from an open file.', {
    in: [s.ReadIn],
    outPayload: data('The bytes read.'),
    compat: [readCompat],
  }),
  row('WRITE', 'Writes to an open file.', {
    in: [s.WriteIn],
    inPayload: data('The bytes to write.', 'size'),
    out: [s.WriteOut],
    compat: [{ of: 'in', index: 0, size: 24, below: 9 }],
  }),
  row('STATFS', 'Size and free space of the file system.', {
    out: [s.StatfsOut],
    compat: [{ of: 'out', index: 0, size: 48, below: 4 }],
  }),
  row('RELEASE', 'Ends an open file; its last descriptor is closed.', { in: [s.ReleaseIn], compat: [releaseCompat] }),
  row('FSYNC', 'Writes an open file through to its storage.', { in: [s.FsyncIn] }),
  row('SETXATTR', 'Sets an extended attribute.', {
    in: [s.SetxattrIn],
    names: ['name'],
    inPayload: data('The value.', 'size'),
    compat: [{ of: 'in', index: 0, size: 8, without: 'SETXATTR_EXT' }],
  }),
  row('GETXATTR', 'The value of an extended attribute, or its length.', {
    in: [s.GetxattrIn],
    names: ['name'],
    outPayload: data('The value.'),
    outIfSizeZero: [s.GetxattrOut],
  }),
  row('LISTXATTR', 'The names of the extended attributes, or their length.', {
    in: [s.GetxattrIn],
    outPayload: { kind: 'names', doc: 'The names.' },
    outIfSizeZero: [s.GetxattrOut],
  }),
  row('REMOVEXATTR', 'Removes an extended attribute.', { names: ['name'] }),
  row('FLUSH', 'A descriptor of an open file is closed: errors of writing are told, POSIX locks go.', {
    in: [s.FlushIn],
    compat: [{ of: 'in', index: 0, size: 16, below: 7 }],
  }),
  row('INIT', 'Starts a session: versions, limits and abilities of both sides.', {
    in: [s.InitIn],
    out: [s.InitOut],
    compat: [
      { of: 'in', index: 0, size: 8, below: 6 },
      { of: 'in', index: 0, size: 16, without: 'INIT_EXT' },
      { of: 'out', index: 0, size: 8, below: 5 },
      { of: 'out', index: 0, size: 24, below: 23 },
    ],
  }),
  row('OPENDIR', 'Opens a directory.', { in: [s.OpenIn], out: [s.OpenOut] }),
  row('READDIR', 'Entries of an open directory.', {
    in: [s.ReadIn],
    outPayload: { kind: 'dirents', record: s.Dirent, doc: 'The entries.' },
    compat: [readCompat],
  }),
  row('RELEASEDIR', 'Ends an open directory.', { in: [s.ReleaseIn], compat: [releaseCompat] }),
  row('FSYNCDIR', 'Writes an open directory through to its storage.', { in: [s.FsyncIn] }),
  row('GETLK', 'Which lock is in the way, if any.', {
    in: [s.LkIn],
    out: [s.LkOut],
    since: 7,
    compat: [lockCompat],
  }),
  row('SETLK', 'Takes or drops a lock, without waiting.', { in: [s.LkIn], since: 7, compat: [lockCompat] }),
  row('SETLKW', 'Takes a lock, waiting for it.', { in: [s.LkIn], since: 7, compat: [lockCompat] }),
  row('ACCESS', 'May the caller do this to an inode?', { in: [s.AccessIn], since: 3 }),
  row('CREATE', 'Makes and opens a file.', {
    in: [s.CreateIn],
    names: ['name'],
    extensions: true,
    out: [s.EntryOut, s.OpenOut],
    since: 3,
    compat: [{ of: 'in', index: 0, size: 8, below: 12 }, entryCompat],
  }),
  row('INTERRUPT', 'The caller of an earlier request got a signal; its reply may be EINTR.', {
    in: [s.InterruptIn],
    reply: false,
    since: 7,
  }),
  row('BMAP', 'Which block of the device holds a block of the file.', { in: [s.BmapIn], out: [s.BmapOut], since: 8 }),
  row('DESTROY', 'Ends the session.', { since: 8 }),
  row('IOCTL', 'ioctl(2) on an open file.', {
    in: [s.IoctlIn],
    inPayload: data('The bytes in.', 'in_size'),
    out: [s.IoctlOut],
    outPayload: data('The bytes out.'),
    since: 11,
  }),
  row('POLL', 'Is an open file ready?', { in: [s.PollIn], out: [s.PollOut], since: 11 }),
  row('NOTIFY_REPLY', 'The data that NOTIFY_RETRIEVE asked for.', {
    in: [s.NotifyRetrieveIn],
    inPayload: data('The data.', 'size'),
    reply: false,
    since: 15,
  }),
  row('BATCH_FORGET', 'Many FORGETs at once.', {
    in: [s.BatchForgetIn],
    inPayload: { kind: 'records', record: s.ForgetOne, count: 'count', doc: 'The inodes.' },
    reply: false,
    since: 16,
  }),
  row('FALLOCATE', 'Allocates, punches or zeroes a range of an open file.', { in: [s.FallocateIn], since: 19 }),
  row('READDIRPLUS', 'Entries of an open directory, looked up at once.', {
    in: [s.ReadIn],
    outPayload: { kind: 'dirents', record: s.Direntplus, doc: 'The entries.' },
    since: 21,
  }),
  row('RENAME2', 'Renames with flags: exchange, do not replace.', {
    in: [s.Rename2In],
    names: ['oldname', 'newname'],
    since: 23,
  }),
  row('LSEEK', 'Finds data or a hole in an open file.', { in: [s.LseekIn], out: [s.LseekOut], since: 24 }),
  row('COPY_FILE_RANGE', 'Copies from one open file to another on the server.', {
    in: [s.CopyFileRangeIn],
    out: [s.WriteOut],
    since: 28,
  }),
  row('SETUPMAPPING', 'Maps a range of a file into the DAX window.', { in: [s.SetupmappingIn], since: 31 }),
  row('REMOVEMAPPING', 'Takes ranges out of the DAX window.', {
    in: [s.RemovemappingIn],
    inPayload: { kind: 'records', record: s.RemovemappingOne, count: 'count', doc: 'The ranges.' },
    since: 31,
  }),
  row('SYNCFS', 'Writes the whole file system through to its storage.', { in: [s.SyncfsIn], since: 34 }),
  row('TMPFILE', 'Makes and opens a file without a name.', {
    in: [s.CreateIn],
    names: ['name'],
    extensions: true,
    out: [s.EntryOut, s.OpenOut],
    since: 37,
  }),
  row('STATX', 'The attributes of an inode, as statx(2) has them.', { in: [s.StatxIn], out: [s.StatxOut], since: 39 }),
  row('COPY_FILE_RANGE_64', 'COPY_FILE_RANGE with a result of 64 bits.', {
    in: [s.CopyFileRangeIn],
    out: [s.CopyFileRangeOut],
    since: 45,
  }),
]);

const byNumber = new Map(opcodes.map((each) => [each.number, each]));

/** The row of an opcode, or undefined for a number that means nothing. */
export const opcodeByNumber = (number: number): OpcodeRow | undefined => byNumber.get(number);

/**
 * Bytes of a structure as this session uses it: its own size, or a smaller one of `compat`.
 * `hasFlag` says whether an INIT flag was negotiated.
 */
export function sizeInSession(
  opcode: OpcodeRow,
  of: 'in' | 'out',
  index: number,
  minor: number,
  hasFlag: (name: string) => boolean,
): number {
  const full = opcode[of][index].size;
  const sizes = (opcode.compat ?? [])
    .filter((c) => c.of === of && c.index === index)
    .filter((c) => (c.below !== undefined && minor < c.below) || (c.without !== undefined && !hasFlag(c.without)))
    .map((c) => c.size);
  return Math.min(full, ...sizes);
}

/** What one kind of notification carries: its structure and what follows it. */
export interface NotifyRow {
  code: number;
  out: readonly StructTable[];
  outPayload?: PayloadShape;
}

/** Notifications, by the code in the error field of their header. */
export const notifications: readonly NotifyRow[] = Object.freeze([
  { code: 1, out: [s.NotifyPollWakeupOut] },
  { code: 2, out: [s.NotifyInvalInodeOut] },
  { code: 3, out: [s.NotifyInvalEntryOut], outPayload: { kind: 'names', doc: 'The name.' } },
  { code: 4, out: [s.NotifyStoreOut], outPayload: data('The data.') },
  { code: 5, out: [s.NotifyRetrieveOut] },
  { code: 6, out: [s.NotifyDeleteOut], outPayload: { kind: 'names', doc: 'The name.' } },
  { code: 7, out: [] },
  { code: 8, out: [] },
  { code: 9, out: [s.NotifyPruneOut], outPayload: data('The nodeids.') },
]);
