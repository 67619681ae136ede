/**
 * What a reply says of inodes: entries (LOOKUP, CREATE, …), attributes (GETATTR, SETATTR, STATX), listings with both.
 *
 * One object that is filled again for each inode; straight from the bytes at the constant offsets of the tables.
 */
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import {
  Attr,
  AttrOut,
  Dirent,
  Direntplus,
  EntryOut,
  OutHeader,
  recordAlign,
  Statx,
  StatxOut,
  SxTime,
} from '../../protocol/fuse/structs';
import { decodeText } from '../../protocol/text';
import { u16At, u32At, u64At } from './bytes';
import type { Row } from './row';

const OUT = OutHeader.size;
const SECOND = 1e9;

/** Opcodes whose replies say something of inodes. */
export const observing: readonly number[] = [
  Opcode.LOOKUP,
  Opcode.GETATTR,
  Opcode.SETATTR,
  Opcode.STATX,
  Opcode.SYMLINK,
  Opcode.MKNOD,
  Opcode.MKDIR,
  Opcode.LINK,
  Opcode.CREATE,
  Opcode.TMPFILE,
  Opcode.READDIRPLUS,
];

export class Observed {
  nodeid = 0;
  ino = 0;
  size = 0;
  mode = 0;
  uid = 0;
  gid = 0;
  /** Nanoseconds after the capture's origin (far from it rounded). */
  mtime = 0;
  ctime = 0;
  /** Nanoseconds from the reply on; -1: the reply has no entry. */
  attrValid = 0;
  entryValid = -1;
  /** Its name, where it is one of a listing. */
  nameAt = 0;
  nameLength = 0;
  private readonly originSeconds: number;
  private readonly originRest: number;

  constructor(origin: bigint) {
    this.originSeconds = Number(origin / 1_000_000_000n);
    this.originRest = Number(origin % 1_000_000_000n);
  }

  /** Calls `visit` for each inode that the row's reply, which is no error, speaks of. */
  each(row: Row, visit: () => void): void {
    const bytes = row.reply();
    this.nameLength = 0;
    switch (row.opcode) {
      case Opcode.GETATTR:
      case Opcode.SETATTR:
        if (bytes.length < OUT + AttrOut.size) return;
        this.nodeid = row.nodeid;
        this.entryValid = -1;
        this.attrValid = valid(bytes, OUT + AttrOut.offset.attr_valid, OUT + AttrOut.offset.attr_valid_nsec);
        this.attributes(bytes, OUT + AttrOut.offset.attr);
        return visit();
      case Opcode.STATX:
        if (bytes.length < OUT + StatxOut.size) return;
        this.nodeid = row.nodeid;
        this.entryValid = -1;
        this.attrValid = valid(bytes, OUT + StatxOut.offset.attr_valid, OUT + StatxOut.offset.attr_valid_nsec);
        this.statx(bytes, OUT + StatxOut.offset.stat);
        return visit();
      case Opcode.READDIRPLUS:
        return this.listing(bytes, visit);
      default:
        if (bytes.length < OUT + EntryOut.size) return;
        if (this.entry(bytes, OUT)) visit();
    }
  }

  /** Its path; '' where the capture does not know it. Reads the row's bytes again. */
  path(row: Row): string {
    const about = row.capture.path(row.path);
    if (this.nameLength === 0 || about === '') return about;
    const name = decodeText(row.reply(), this.nameAt, this.nameLength);
    return about === '/' ? `/${name}` : `${about}/${name}`;
  }

  private listing(bytes: Uint8Array, visit: () => void): void {
    for (let at = OUT; at + Direntplus.size <= bytes.length;) {
      const length = u32At(bytes, at + Direntplus.offset.dirent + Dirent.offset.namelen);
      if (length === 0 || at + Direntplus.size + length > bytes.length) return;
      this.nameAt = at + Direntplus.size;
      this.nameLength = length;
      if (this.entry(bytes, at + Direntplus.offset.entry_out)) visit();
      at += recordAlign(Direntplus.size + length);
    }
  }

  /** False for an entry without an inode. */
  private entry(bytes: Uint8Array, at: number): boolean {
    this.nodeid = u64At(bytes, at + EntryOut.offset.nodeid);
    if (this.nodeid === 0) return false;
    this.entryValid = valid(bytes, at + EntryOut.offset.entry_valid, at + EntryOut.offset.entry_valid_nsec);
    this.attrValid = valid(bytes, at + EntryOut.offset.attr_valid, at + EntryOut.offset.attr_valid_nsec);
    this.attributes(bytes, at + EntryOut.offset.attr);
    return true;
  }

  private attributes(bytes: Uint8Array, at: number): void {
    this.ino = u64At(bytes, at + Attr.offset.ino);
    this.size = u64At(bytes, at + Attr.offset.size);
    this.mode = u32At(bytes, at + Attr.offset.mode);
    this.uid = u32At(bytes, at + Attr.offset.uid);
    this.gid = u32At(bytes, at + Attr.offset.gid);
    this.mtime = this.time(bytes, at + Attr.offset.mtime, at + Attr.offset.mtimensec);
    this.ctime = this.time(bytes, at + Attr.offset.ctime, at + Attr.offset.ctimensec);
  }

  private statx(bytes: Uint8Array, at: number): void {
    this.ino = u64At(bytes, at + Statx.offset.ino);
    this.size = u64At(bytes, at + Statx.offset.size);
    this.mode = u16At(bytes, at + Statx.offset.mode);
    this.uid = u32At(bytes, at + Statx.offset.uid);
    this.gid = u32At(bytes, at + Statx.offset.gid);
    const mtime = at + Statx.offset.mtime;
    const ctime = at + Statx.offset.ctime;
    this.mtime = this.time(bytes, mtime + SxTime.offset.tv_sec, mtime + SxTime.offset.tv_nsec);
    this.ctime = this.time(bytes, ctime + SxTime.offset.tv_sec, ctime + SxTime.offset.tv_nsec);
  }

  private time(bytes: Uint8Array, seconds: number, rest: number): number {
    return (u64At(bytes, seconds) - this.originSeconds) * SECOND + (u32At(bytes, rest) - this.originRest);
  }
}

function valid(bytes: Uint8Array, seconds: number, rest: number): number {
  return u64At(bytes, seconds) * SECOND + u32At(bytes, rest);
}
