/**
 * Which errors are answers that guests expect: the one place that says so, for everything that shows some requests as
 * failed. Filters and counts of errors know no such difference.
 */
import { Errno } from '../protocol/errno';
import { Opcode } from '../protocol/fuse/opcodeNumbers';

/** A name that is not there, an attribute that is not set, a call that is not served: programs ask all the time. */
export function isExpected(opcode: number, error: number): boolean {
  switch (-error) {
    case Errno.ENOENT:
      return opcode === Opcode.LOOKUP;
    case Errno.ENODATA:
    case Errno.EOPNOTSUPP:
      return opcode === Opcode.GETXATTR || opcode === Opcode.LISTXATTR || opcode === Opcode.REMOVEXATTR;
    case Errno.ENOSYS:
      return true;
    default:
      return false;
  }
}

/** Whether a reply is an error that no guest asked for. */
export const isFailure = (opcode: number, error: number): boolean => error < 0 && !isExpected(opcode, error);
