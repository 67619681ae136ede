/** How many bytes of data a request asks to be moved, and how many its reply says were: the column `payload`. */
import { Opcode } from '../protocol/fuse/opcodeNumbers';
import {
  CopyFileRangeOut,
  GetxattrIn,
  OutHeader,
  ReadIn,
  SetxattrIn,
  WriteIn,
  WriteOut,
} from '../protocol/fuse/structs';

const OPCODES = 64;
const NO_SIZE = 0xff;

/** By opcode: where in the request's arguments the size is, a u32. */
const SIZE_AT = new Uint8Array(OPCODES).fill(NO_SIZE);
SIZE_AT[Opcode.READ] = ReadIn.offset.size;
SIZE_AT[Opcode.READDIR] = ReadIn.offset.size;
SIZE_AT[Opcode.READDIRPLUS] = ReadIn.offset.size;
SIZE_AT[Opcode.WRITE] = WriteIn.offset.size;
SIZE_AT[Opcode.SETXATTR] = SetxattrIn.offset.size;
SIZE_AT[Opcode.GETXATTR] = GetxattrIn.offset.size;
SIZE_AT[Opcode.LISTXATTR] = GetxattrIn.offset.size;

const enum Told {
  Nothing = 0,
  /** All of the reply behind its header. */
  Rest = 1,
  /** The same, unless only its size was asked for. */
  RestOrSize = 2,
  AsAsked = 3,
  /** fuse_write_out. */
  Written = 4,
  /** fuse_copy_file_range_out. */
  Copied = 5,
}

/** By opcode: how its reply says it. */
const TOLD = new Uint8Array(OPCODES);
TOLD[Opcode.READ] = Told.Rest;
TOLD[Opcode.READDIR] = Told.Rest;
TOLD[Opcode.READDIRPLUS] = Told.Rest;
TOLD[Opcode.GETXATTR] = Told.RestOrSize;
TOLD[Opcode.LISTXATTR] = Told.RestOrSize;
TOLD[Opcode.SETXATTR] = Told.AsAsked;
TOLD[Opcode.WRITE] = Told.Written;
TOLD[Opcode.COPY_FILE_RANGE] = Told.Written;
TOLD[Opcode.COPY_FILE_RANGE_64] = Told.Copied;

/** What a request with its arguments in [body, end) asks, where it says so in 32 bits; else 0. */
export function askedBytes(opcode: number, view: DataView, body: number, end: number): number {
  const offset = opcode < OPCODES ? SIZE_AT[opcode] : NO_SIZE;
  return offset !== NO_SIZE && body + offset + 4 <= end ? view.getUint32(body + offset, true) : 0;
}

/** What a reply without an error says; `length` is that of the whole reply, what is captured of it is [body, end). */
export function movedBytes(
  opcode: number,
  asked: number,
  length: number,
  view: DataView,
  body: number,
  end: number,
): number {
  const told: Told = opcode < OPCODES ? TOLD[opcode] : Told.Nothing;
  switch (told) {
    case Told.Nothing:
      return 0;
    case Told.RestOrSize:
      return asked === 0 ? 0 : Math.max(0, length - OutHeader.size);
    case Told.Rest:
      return Math.max(0, length - OutHeader.size);
    case Told.AsAsked:
      return asked;
    case Told.Written:
      return body + 4 <= end ? view.getUint32(body + WriteOut.offset.size, true) : asked;
    case Told.Copied: {
      const at = body + CopyFileRangeOut.offset.bytes_copied;
      if (at + 8 > end) return 0;
      return view.getUint32(at + 4, true) !== 0 ? 0xffff_ffff : view.getUint32(at, true);
    }
  }
}
