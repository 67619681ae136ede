/**
 * IOCTL: well-formed ones only, whose data go in and out with the request. Unrestricted ones would let the server name
 * memory of the guest's process, and are for CUSE. Which are served is the file system's decision.
 */
import { Errno } from '../protocol/errno';
import { IoctlFlag } from '../protocol/fuse/flags';
import { IoctlIn, IoctlOut } from '../protocol/fuse/structs';
import type { Turn } from './turn';

/** No ioctl on files has more: its number has 14 bits for the size. */
const LONGEST_DATA = 1 << 14;

export function ioctl(turn: Turn): number {
  const { arena, args, rest, body } = turn;
  const handle = turn.handleAt(args + IoctlIn.offset.fh, turn.node);
  if (handle < 0) return turn.fail(handle);
  const inLength = arena.getU32(args + IoctlIn.offset.in_size);
  if (inLength !== turn.end - rest) return turn.refuse(-Errno.EINVAL, 'IOCTL: its size and length differ');
  const outLength = arena.getU32(args + IoctlIn.offset.out_size);
  if (IoctlOut.size + outLength > turn.room) return turn.refuse(-Errno.EINVAL, 'IOCTL: no room for what comes out');
  const unrestricted = (arena.getU32(args + IoctlIn.offset.flags) & IoctlFlag.UNRESTRICTED) !== 0;
  if (unrestricted || inLength > LONGEST_DATA || outLength > LONGEST_DATA) return turn.fail(-Errno.ENOTTY);

  const data = body + IoctlOut.size;
  arena.zero(data, outLength);
  arena.u8.copyWithin(data, rest, rest + inLength);
  const out = turn.fs.ioctl(handle, arena.getU32(args + IoctlIn.offset.cmd), data, inLength, outLength);
  if (out < 0) return turn.fail(out);
  arena.zero(body, IoctlOut.size);
  return turn.send(IoctlOut.size + out);
}
