/** What a reply says of a file or folder that has been opened: `fuse_open_out`. */
import type { Arena } from '../base/arena';
import type { FileSystem, Handle, Node } from '../fs/fileSystem';
import { OpenOut } from '../protocol/fuse/structs';
import type { Session } from './session';

const openOut = OpenOut.offset;

/** Whoever replies: the request being served, or those that are answered later. */
export interface Replying {
  readonly arena: Arena;
  readonly fs: FileSystem;
  readonly session: Session;
}

/** Writes a `fuse_open_out`. */
export function writeOpened(replying: Replying, at: number, handle: Handle, flags: number): void {
  const { arena } = replying;
  arena.setU32(at + openOut.fh, handle);
  arena.setU32(at + openOut.fh + 4, replying.fs.handleGeneration(handle));
  arena.setU32(at + openOut.open_flags, flags);
  arena.setU32(at + openOut.backing_id, 0);
}

/** FOPEN_* for a file that is being opened. */
export function openFlagsOf(replying: Replying, node: Node): number {
  const { session, fs } = replying;
  return session.window && fs.window?.shows(node, session.inodeDax) ? session.windowOpenFlags : session.fileOpenFlags;
}
