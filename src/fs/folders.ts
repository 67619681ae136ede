/**
 * Reading folders: getdents64 in large pieces, handed on entry by entry to a reply that may be smaller.
 *
 * What did not fit into one reply is kept for the next request where that goes on at the same place, so that a folder
 * is read once from start to end without seeking. Entries kept so are as old as one request, which POSIX allows.
 */
import { Errno } from '../protocol/errno';
import { ROOT, type DirectorySink, type Handle, type Node } from './fileSystem';
import { HandleKind } from './handleTable';
import type { HostFolder } from './hostFolder';

/** struct linux_dirent64: u64 d_ino, s64 d_off, u16 d_reclen, u8 d_type, name. */
const Dirent = { ino: 0, next: 8, length: 16, type: 18, name: 19 } as const;

/** The longest entry: after fewer free bytes than this the kernel may have stopped for want of room. */
const LONGEST_ENTRY = 280;

const NO_HANDLE = -1;

export class Folders {
  // What is left in the area for entries: of which handle, from which position, and where.
  private keptFor: Handle = NO_HANDLE;
  private keptGeneration = 0;
  private keptLow = 0;
  private keptHigh = 0;
  private at = 0;
  private end = 0;
  private mayBeMore = false;

  constructor(private readonly folder: HostFolder) {}

  opendir(node: Node): Handle | number {
    return this.folder.openFolder(node);
  }

  readdir(handle: Handle, positionLow: number, positionHigh: number, sink: DirectorySink): number {
    if (this.folder.handles.kind[handle] !== HandleKind.Folder) return -Errno.EBADF;
    if (!this.goesOn(handle, positionLow, positionHigh)) {
      const fetched = this.fetch(handle, positionLow, positionHigh);
      if (fetched <= 0) return fetched;
    }
    // All told without knowing of more: asking only to hear that this was the end is left to the guest.
    while (this.tell(handle, sink) && this.mayBeMore && this.fetch(handle, this.keptLow, this.keptHigh) > 0);
    return 0;
  }

  private goesOn(handle: Handle, positionLow: number, positionHigh: number): boolean {
    return (
      this.keptFor === handle &&
      this.keptGeneration === this.folder.handles.generation[handle] &&
      this.keptLow === positionLow &&
      this.keptHigh === positionHigh &&
      this.at < this.end
    );
  }

  /** Reads the next piece from a position; its bytes (0 at the end) or a negative errno. */
  private fetch(handle: Handle, positionLow: number, positionHigh: number): number {
    const { calls, handles, arena, areas } = this.folder;
    const fd = handles.fd[handle];
    this.keptFor = NO_HANDLE;
    if (handles.positionLow[handle] !== positionLow || handles.positionHigh[handle] !== positionHigh) {
      const failed = calls.seekFolder(fd, positionLow, positionHigh);
      if (failed < 0) return failed;
      handles.positionLow[handle] = positionLow;
      handles.positionHigh[handle] = positionHigh;
    }
    const bytes = calls.getdents64(fd, arena.address(areas.entries), areas.entriesSize);
    if (bytes < 0) return bytes;
    this.keptFor = handle;
    this.keptGeneration = handles.generation[handle];
    this.keptLow = positionLow;
    this.keptHigh = positionHigh;
    this.at = areas.entries;
    this.end = areas.entries + bytes;
    this.mayBeMore = bytes > areas.entriesSize - LONGEST_ENTRY;
    if (bytes > 0) this.notePosition(handle);
    return bytes;
  }

  /** The descriptor stands after the last entry that was read. */
  private notePosition(handle: Handle): void {
    const { arena, handles } = this.folder;
    let last = this.at;
    for (let at = this.at; at < this.end; at += arena.getU16(at + Dirent.length)) last = at;
    handles.positionLow[handle] = arena.getU32(last + Dirent.next);
    handles.positionHigh[handle] = arena.getU32(last + Dirent.next + 4);
  }

  /** Hands on what is kept; false when the sink had no room for all of it. */
  private tell(handle: Handle, sink: DirectorySink): boolean {
    const { arena, nodes, handles } = this.folder;
    const node = handles.node[handle];
    while (this.at < this.end) {
      const at = this.at;
      const length = arena.getU16(at + Dirent.length);
      const nameAt = at + Dirent.name;
      // The name ends within the last eight bytes of the entry.
      let nameEnd = Math.max(nameAt + 1, at + length - 8);
      while (arena.u8[nameEnd] !== 0) nameEnd++;
      let inoLow = arena.getU32(at + Dirent.ino);
      let inoHigh = arena.getU32(at + Dirent.ino + 4);
      if (node === ROOT && isParent(arena.u8, nameAt, nameEnd)) {
        // What lies above the shared folder is none of the guest's business: at the root '..' is the root.
        inoLow = nodes.inoLow[ROOT];
        inoHigh = nodes.inoHigh[ROOT];
      }
      const nextLow = arena.getU32(at + Dirent.next);
      const nextHigh = arena.getU32(at + Dirent.next + 4);
      const type = arena.u8[at + Dirent.type];
      const fit = sink.entry(inoLow, inoHigh, nextLow, nextHigh, type, nameAt, nameEnd - nameAt);
      if (!fit) return false;
      this.at = at + length;
      this.keptLow = nextLow;
      this.keptHigh = nextHigh;
    }
    return true;
  }
}

function isParent(u8: Uint8Array, from: number, end: number): boolean {
  return end - from === 2 && u8[from] === 0x2e && u8[from + 1] === 0x2e;
}
