/**
 * How long a request of each opcode is at least, and how much room its reply needs at least.
 *
 * Dense arrays by opcode, for the check that every request passes before anything is done for it. Structures of
 * protocol 7.27 and later: no virtio-fs guest was ever older (session.ts). What SETXATTR and INIT have less of in some
 * versions is their own handlers' business.
 */
import { Opcode } from '../protocol/fuse/opcodeNumbers';
import * as wire from '../protocol/fuse/structs';

/** In `argumentBytes`: no such opcode is served. */
export const NOT_SERVED = 0xffff;

const OPCODES = 64;

/** fuse_setxattr_in without the two fields of FUSE_SETXATTR_EXT; the kernel's FUSE_COMPAT_SETXATTR_IN_SIZE. */
export const SHORT_SETXATTR_IN = wire.SetxattrIn.offset.setxattr_flags;

/** fuse_init_in before flags2: all that guests before 7.36 send. */
export const SHORT_INIT_IN = wire.InitIn.offset.flags2;

type Shape = readonly [opcode: number, argumentBytes: number, replyBytes: number];

const shapes: readonly Shape[] = [
  [Opcode.LOOKUP, 0, wire.EntryOut.size],
  [Opcode.FORGET, wire.ForgetIn.size, 0],
  [Opcode.GETATTR, wire.GetattrIn.size, wire.AttrOut.size],
  [Opcode.SETATTR, wire.SetattrIn.size, wire.AttrOut.size],
  [Opcode.READLINK, 0, 0],
  [Opcode.SYMLINK, 0, wire.EntryOut.size],
  [Opcode.MKNOD, wire.MknodIn.size, wire.EntryOut.size],
  [Opcode.MKDIR, wire.MkdirIn.size, wire.EntryOut.size],
  [Opcode.UNLINK, 0, 0],
  [Opcode.RMDIR, 0, 0],
  [Opcode.RENAME, wire.RenameIn.size, 0],
  [Opcode.LINK, wire.LinkIn.size, wire.EntryOut.size],
  [Opcode.OPEN, wire.OpenIn.size, wire.OpenOut.size],
  [Opcode.READ, wire.ReadIn.size, 0],
  [Opcode.WRITE, wire.WriteIn.size, wire.WriteOut.size],
  [Opcode.STATFS, 0, wire.StatfsOut.size],
  [Opcode.RELEASE, wire.ReleaseIn.size, 0],
  [Opcode.FSYNC, wire.FsyncIn.size, 0],
  [Opcode.SETXATTR, SHORT_SETXATTR_IN, 0],
  [Opcode.GETXATTR, wire.GetxattrIn.size, 0],
  [Opcode.LISTXATTR, wire.GetxattrIn.size, 0],
  [Opcode.REMOVEXATTR, 0, 0],
  [Opcode.FLUSH, wire.FlushIn.size, 0],
  [Opcode.INIT, SHORT_INIT_IN, wire.InitOut.size],
  [Opcode.OPENDIR, wire.OpenIn.size, wire.OpenOut.size],
  [Opcode.READDIR, wire.ReadIn.size, 0],
  [Opcode.RELEASEDIR, wire.ReleaseIn.size, 0],
  [Opcode.FSYNCDIR, wire.FsyncIn.size, 0],
  [Opcode.GETLK, wire.LkIn.size, wire.LkOut.size],
  [Opcode.SETLK, wire.LkIn.size, 0],
  [Opcode.SETLKW, wire.LkIn.size, 0],
  [Opcode.ACCESS, wire.AccessIn.size, 0],
  [Opcode.CREATE, wire.CreateIn.size, wire.EntryOut.size + wire.OpenOut.size],
  [Opcode.INTERRUPT, wire.InterruptIn.size, 0],
  [Opcode.DESTROY, 0, 0],
  [Opcode.IOCTL, wire.IoctlIn.size, wire.IoctlOut.size],
  [Opcode.BATCH_FORGET, wire.BatchForgetIn.size, 0],
  [Opcode.FALLOCATE, wire.FallocateIn.size, 0],
  [Opcode.READDIRPLUS, wire.ReadIn.size, 0],
  [Opcode.RENAME2, wire.Rename2In.size, 0],
  [Opcode.LSEEK, wire.LseekIn.size, wire.LseekOut.size],
  [Opcode.COPY_FILE_RANGE, wire.CopyFileRangeIn.size, wire.WriteOut.size],
  [Opcode.SYNCFS, wire.SyncfsIn.size, 0],
  [Opcode.TMPFILE, wire.CreateIn.size, wire.EntryOut.size + wire.OpenOut.size],
  [Opcode.STATX, wire.StatxIn.size, wire.StatxOut.size],
  [Opcode.COPY_FILE_RANGE_64, wire.CopyFileRangeIn.size, wire.CopyFileRangeOut.size],
];

/** By opcode: bytes of arguments behind the header, names and data not counted; or NOT_SERVED. */
export const argumentBytes = new Uint16Array(OPCODES).fill(NOT_SERVED);

/** By opcode: bytes of reply behind the header that a success has at least. */
export const replyBytes = new Uint16Array(OPCODES);

for (const [opcode, args, reply] of shapes) {
  argumentBytes[opcode] = args;
  replyBytes[opcode] = reply;
}
