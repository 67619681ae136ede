/** The DAX window: SETUPMAPPING and REMOVEMAPPING. Without a window both are answered with ENOSYS. */
import type { WindowSlice } from '../fs/fileSystem';
import { Errno } from '../protocol/errno';
import { SetupmappingFlag } from '../protocol/fuse/flags';
import { RemovemappingIn, RemovemappingOne, SetupmappingIn } from '../protocol/fuse/structs';
import { IN_HEADER, type Turn } from './turn';

/** log2 of what offsets in the window are multiples of: a page. Linux itself asks for 2 MiB at a time. */
export const MAP_ALIGNMENT_BITS = 12;

const KNOWN_FLAGS = SetupmappingFlag.READ | SetupmappingFlag.WRITE;
const NO_HANDLE = 0xffff_ffff;
/** Linux removes 256 at most. */
const MOST_SLICES = 4096;
const setupIn = SetupmappingIn.offset;

export function setupmapping(turn: Turn): number {
  const { arena, args, fs, node, session } = turn;
  if (!fs.window || !session.window) return turn.fail(-Errno.ENOSYS);
  const flags = args + setupIn.flags;
  if (arena.getU32(flags + 4) !== 0 || (arena.getU32(flags) & ~KNOWN_FLAGS) !== 0) {
    return turn.refuse(-Errno.EINVAL, 'SETUPMAPPING: unknown flags');
  }
  // Linux gives no handle: the mapping belongs to the inode and outlives every open file.
  const fh = args + setupIn.fh;
  if (arena.getU32(fh) !== NO_HANDLE || arena.getU32(fh + 4) !== NO_HANDLE) {
    const handle = turn.handleAt(fh, node);
    if (handle < 0) return turn.fail(handle);
  }
  const fileOffset = turn.offsetAt(args + setupIn.foffset);
  const length = turn.offsetAt(args + setupIn.len);
  const windowOffset = turn.offsetAt(args + setupIn.moffset);
  if (fileOffset < 0 || length < 0 || windowOffset < 0) {
    return turn.refuse(-Errno.EINVAL, 'SETUPMAPPING: out of all bounds');
  }
  return turn.acknowledge(fs.window.setup(node, fileOffset, length, windowOffset, turn.caller));
}

export function removemapping(turn: Turn): number {
  const { arena, args, fs, rest, session } = turn;
  if (!fs.window || !session.window) return turn.fail(-Errno.ENOSYS);
  const count = arena.getU32(args + RemovemappingIn.offset.count);
  const { size, offset } = RemovemappingOne;
  if (count > MOST_SLICES) return turn.refuse(-Errno.EINVAL, 'REMOVEMAPPING: too many at once');
  if (count * size !== turn.length - IN_HEADER - RemovemappingIn.size - turn.extensionBytes) {
    return turn.refuse(-Errno.EINVAL, 'REMOVEMAPPING: its count and length differ');
  }
  const slices: WindowSlice[] = [];
  for (let at = rest; at < rest + count * size; at += size) {
    const windowOffset = turn.offsetAt(at + offset.moffset);
    const length = turn.offsetAt(at + offset.len);
    if (windowOffset < 0 || length < 0) return turn.refuse(-Errno.EINVAL, 'REMOVEMAPPING: out of all bounds');
    slices.push({ windowOffset, length });
  }
  return turn.acknowledge(fs.window.remove(slices, turn.caller));
}
