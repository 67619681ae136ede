/** Opcodes whose handler may run twice for one request: it changes nothing that host or guest would see. */
import { Opcode } from '../../protocol/fuse/opcodes';

/** Not LOOKUP and READDIRPLUS, which count lookups; not OPEN, which makes a handle. */
export const RERUNNABLE: ReadonlySet<number> = new Set([
  Opcode.GETATTR,
  Opcode.READLINK,
  Opcode.READ,
  Opcode.STATFS,
  Opcode.GETXATTR,
  Opcode.LISTXATTR,
  Opcode.READDIR,
  Opcode.GETLK,
  Opcode.ACCESS,
  Opcode.LSEEK,
  Opcode.STATX,
]);

export const isRerunnable = (opcode: number): boolean => RERUNNABLE.has(opcode);
