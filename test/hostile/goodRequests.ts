/** One good request of most opcodes, as bytes: what mutations start from. */
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import * as wire from '../../src/protocol/fuse/structs';
import { pack, text } from '../driver/pack';

/** What the requests are about: inodes and open handles of the session. */
export interface Known {
  readonly file: bigint;
  readonly fh: bigint;
  readonly folder: bigint;
  readonly folderHandle: bigint;
}

const ROOT = 1n;

/** A whole request of these parts. */
export function request(opcode: number, nodeid: bigint, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, wire.InHeader.size);
  const header = pack(wire.InHeader, { len: length, opcode, unique: 7, nodeid, pid: 12 });
  return new Uint8Array(Buffer.concat([header, ...parts]));
}

export function goodRequests({ file, fh, folder, folderHandle }: Known): Uint8Array[] {
  const data = new Uint8Array(64).fill(0x61);
  const lock = pack(wire.LkIn, { fh, owner: 3 });
  lock.set(pack(wire.FileLock, { type: 1, start: 0, end: 99, pid: 12 }), wire.LkIn.offset.lk);
  const directory = { fh: folderHandle, size: 2048 };
  const copy = { fh_in: fh, nodeid_out: file, fh_out: fh, off_out: 4096, len: 64 };
  const times = { valid: 0x30, atime: 5, mtime: 6 };
  return [
    request(Opcode.LOOKUP, ROOT, text('file')),
    request(Opcode.FORGET, folder, pack(wire.ForgetIn, { nlookup: 1 })),
    request(Opcode.BATCH_FORGET, 0n, pack(wire.BatchForgetIn, { count: 1 }), pack(wire.ForgetOne, { nodeid: folder })),
    request(Opcode.GETATTR, file, pack(wire.GetattrIn, {})),
    request(Opcode.STATX, file, pack(wire.StatxIn, { sx_mask: 0xfff })),
    request(Opcode.SETATTR, file, pack(wire.SetattrIn, { valid: 8, size: 100 })),
    request(Opcode.SETATTR, file, pack(wire.SetattrIn, { valid: 7, mode: 0o600, uid: 5, gid: 6 })),
    request(Opcode.SETATTR, file, pack(wire.SetattrIn, times)),
    request(Opcode.SYMLINK, ROOT, text('link'), text('../outside/canary')),
    request(Opcode.MKNOD, ROOT, pack(wire.MknodIn, { mode: 0o10644 }), text('node')),
    request(Opcode.MKDIR, ROOT, pack(wire.MkdirIn, { mode: 0o755 }), text('made')),
    request(Opcode.UNLINK, ROOT, text('link')),
    request(Opcode.RMDIR, ROOT, text('made')),
    request(Opcode.RENAME, ROOT, pack(wire.RenameIn, { newdir: folder }), text('node'), text('moved')),
    request(Opcode.RENAME2, ROOT, pack(wire.Rename2In, { newdir: ROOT, flags: 1 }), text('made'), text('other')),
    request(Opcode.LINK, ROOT, pack(wire.LinkIn, { oldnodeid: file }), text('hard')),
    request(Opcode.OPEN, file, pack(wire.OpenIn, { flags: 2 })),
    request(Opcode.CREATE, folder, pack(wire.CreateIn, { flags: 2, mode: 0o100644 }), text('new')),
    request(Opcode.TMPFILE, ROOT, pack(wire.CreateIn, { flags: 2, mode: 0o100644 }), text('/')),
    request(Opcode.READ, file, pack(wire.ReadIn, { fh, size: 64 })),
    request(Opcode.WRITE, file, pack(wire.WriteIn, { fh, size: data.length }), data),
    request(Opcode.FLUSH, file, pack(wire.FlushIn, { fh, lock_owner: 3 })),
    request(Opcode.FSYNC, file, pack(wire.FsyncIn, { fh })),
    request(Opcode.SYNCFS, ROOT, pack(wire.SyncfsIn, {})),
    request(Opcode.STATFS, ROOT),
    request(Opcode.ACCESS, file, pack(wire.AccessIn, { mask: 4 })),
    request(Opcode.OPENDIR, folder, pack(wire.OpenIn, { flags: 0o200000 })),
    request(Opcode.READDIR, ROOT, pack(wire.ReadIn, directory)),
    request(Opcode.READDIRPLUS, ROOT, pack(wire.ReadIn, directory)),
    request(Opcode.FSYNCDIR, ROOT, pack(wire.FsyncIn, { fh: folderHandle })),
    request(Opcode.SETXATTR, file, pack(wire.SetxattrIn, { size: 64 }), text('user.x'), data),
    request(Opcode.GETXATTR, file, pack(wire.GetxattrIn, { size: 128 }), text('user.x')),
    request(Opcode.LISTXATTR, file, pack(wire.GetxattrIn, { size: 128 })),
    request(Opcode.REMOVEXATTR, file, text('user.x')),
    request(Opcode.GETLK, file, lock),
    request(Opcode.SETLK, file, lock),
    request(Opcode.SETLKW, file, lock),
    request(Opcode.FALLOCATE, file, pack(wire.FallocateIn, { fh, length: 4096 })),
    request(Opcode.LSEEK, file, pack(wire.LseekIn, { fh, whence: 3 })),
    request(Opcode.COPY_FILE_RANGE, file, pack(wire.CopyFileRangeIn, copy)),
    request(Opcode.COPY_FILE_RANGE_64, file, pack(wire.CopyFileRangeIn, copy)),
    request(Opcode.IOCTL, file, pack(wire.IoctlIn, { fh, cmd: 0x80086601, out_size: 8 })),
    request(Opcode.INTERRUPT, 0n, pack(wire.InterruptIn, { unique: 7 })),
    request(Opcode.RELEASE, file, pack(wire.ReleaseIn, { fh: 1n })),
  ];
}
