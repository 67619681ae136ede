/**
 * Which errors are answers that guests expect: the one place that says so, for everything that shows some requests as
 * failed. Filters and counts of errors know no such difference.
 */
import { Errno } from '../protocol/errno';
import { Opcode } from '../protocol/fuse/opcodeNumbers';
import { RowFlag, type RequestColumns } from './capture';

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

/** Whether what became of a row is nothing that its guest expects: an error, or a reply that a fault dropped. */
export const isFailed = (
  { opcode, error, flags }: Pick<RequestColumns, 'opcode' | 'error' | 'flags'>,
  row: number,
): boolean => (error[row] < 0 && !isExpected(opcode[row], error[row])) || (flags[row] & RowFlag.DROPPED) !== 0;
