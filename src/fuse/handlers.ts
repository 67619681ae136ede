/**
 * Which function serves which opcode: the server's table of contents.
 *
 * A dense array of functions, because calling through it costs the same for every opcode, while a `switch` over the
 * table's constants compares them one by one.
 */
import { Opcode } from '../protocol/fuse/opcodes';
import { access, getattr, setattr, statfs, statx } from './attributes';
import { create, mkdir, mknod, symlink, tmpfile } from './creation';
import { copyFileRange, fallocate, flush, fsync, lseek, open, read, release, syncfs, write } from './data';
import { opendir, readdir, readdirplus, releasedir } from './directories';
import { destroy, init } from './init';
import { ioctl } from './ioctl';
import { getlk, interrupt, setlk, setlkw } from './locks';
import { batchForget, forget, link, lookup, readlink, rename, rename2, rmdir, unlink } from './names';
import type { ServedOpcode } from './refused';
import type { Turn } from './turn';
import { removemapping, setupmapping } from './window';
import { getxattr, listxattr, removexattr, setxattr } from './xattrs';

/** Does what the request asks and replies. Returns what `FuseServer.handle` returns. */
export type Handler = (turn: Turn) => number;

/** Requests whose nodeid says nothing, or need not be one that is known. */
const aboutNoInode = {
  FORGET: forget,
  BATCH_FORGET: batchForget,
  INIT: init,
  DESTROY: destroy,
  INTERRUPT: interrupt,
  RELEASE: release,
  RELEASEDIR: releasedir,
} as const satisfies Partial<Record<ServedOpcode, Handler>>;

const aboutAnInode: Readonly<Record<Exclude<ServedOpcode, keyof typeof aboutNoInode>, Handler>> = {
  LOOKUP: lookup,
  GETATTR: getattr,
  SETATTR: setattr,
  READLINK: readlink,
  SYMLINK: symlink,
  MKNOD: mknod,
  MKDIR: mkdir,
  UNLINK: unlink,
  RMDIR: rmdir,
  RENAME: rename,
  LINK: link,
  OPEN: open,
  READ: read,
  WRITE: write,
  STATFS: statfs,
  FSYNC: fsync,
  SETXATTR: setxattr,
  GETXATTR: getxattr,
  LISTXATTR: listxattr,
  REMOVEXATTR: removexattr,
  FLUSH: flush,
  OPENDIR: opendir,
  READDIR: readdir,
  FSYNCDIR: fsync,
  GETLK: getlk,
  SETLK: setlk,
  SETLKW: setlkw,
  ACCESS: access,
  CREATE: create,
  IOCTL: ioctl,
  FALLOCATE: fallocate,
  READDIRPLUS: readdirplus,
  RENAME2: rename2,
  LSEEK: lseek,
  SETUPMAPPING: setupmapping,
  REMOVEMAPPING: removemapping,
  COPY_FILE_RANGE: copyFileRange,
  SYNCFS: syncfs,
  TMPFILE: tmpfile,
  STATX: statx,
  COPY_FILE_RANGE_64: copyFileRange,
};

const all: Readonly<Record<ServedOpcode, Handler>> = { ...aboutNoInode, ...aboutAnInode };

function byNumber<Value>(value: (name: ServedOpcode) => Value): Value[] {
  const numbers = Object.values<number>(Opcode);
  // Filled to the last one: an array with holes is slower. The server calls for served opcodes only.
  const list = new Array<Value>(Math.max(...numbers) + 1).fill(value('LOOKUP'));
  for (const name of Object.keys(all) as ServedOpcode[]) list[Opcode[name]] = value(name);
  return list;
}

/** By opcode; only for those that are served. */
export const handlers: readonly Handler[] = byNumber((name) => all[name]);

/** By opcode: 1 where the header's nodeid must be an inode that the guest knows. */
export const needsInode = Uint8Array.from(byNumber((name) => (name in aboutAnInode ? 1 : 0)));
