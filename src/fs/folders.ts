/**
 * Reading folders: getdents64 in large pieces, handed on entry by entry to a reply that may be smaller.
 *
 * What did not fit into one reply is kept for the next request where that goes on at the same place, so that a folder is
 * read once from start to end without seeking. Entries kept so are as old as one request, which POSIX allows. While an
 * entry is handed on, `expected` says what is known of its inode for a LOOKUP of it (READDIRPLUS).
 */
import { EBADF, EMFILE } from './errors';
import { ROOT, type DirectorySink, type Handle, type Node } from './fileSystem';
import { HandleKind } from './handleTable';
import type { HostFolder } from './hostFolder';
import * as linux from './linux';

/** struct linux_dirent64: u64 d_ino, s64 d_off, u16 d_reclen, u8 d_type, name. */
const Dirent = { ino: 0, next: 8, length: 16, type: 18, name: 19 } as const;

/** The longest entry: after fewer free bytes than this the kernel may have stopped for want of room. */
const LONGEST_ENTRY = 280;

const NO_HANDLE = -1;

export class Folders {
  /** Arena offset of the name being handed on, or -1; and whether its inode is one not known yet. */
  entryName = -1;
  entryIsNew = false;

  // What is left in the area for entries: of which handle, from which position, and where.
  private keptFor: Handle = NO_HANDLE;
  private keptGeneration = 0;
  private keptPosition = 0;
  private at = 0;
  private end = 0;
  private mayBeMore = false;

  constructor(private readonly folder: HostFolder) {}

  opendir(node: Node): Handle | number {
    if (!this.folder.budget.hasRoom) return -EMFILE;
    const flags = linux.O_RDONLY | linux.O_DIRECTORY;
    const fd = this.folder.reopen(node, flags);
    return fd < 0 ? fd : this.folder.addHandle(fd, node, flags, HandleKind.Folder);
  }

  readdir(handle: Handle, position: number, sink: DirectorySink): number {
    if (this.folder.handles.kind[handle] !== HandleKind.Folder) return -EBADF;
    if (!this.goesOn(handle, position)) {
      const failed = this.fetch(handle, position);
      if (failed < 0) return failed;
    }
    let told = false;
    for (;;) {
      const fit = this.tell(handle, sink);
      told ||= this.keptPosition !== position;
      if (!fit) return 0;
      // All told. Asking once more only to hear that this was the end is left to the guest, which does so anyway.
      if (!this.mayBeMore && told) return 0;
      const fetched = this.fetch(handle, this.keptPosition);
      if (fetched < 0) return told ? 0 : fetched;
      if (fetched === 0) return 0;
    }
  }

  /** The handle ends: what is kept for it is of no use to another. */
  release(handle: Handle): void {
    if (this.keptFor === handle) this.keptFor = NO_HANDLE;
  }

  private goesOn(handle: Handle, position: number): boolean {
    return (
      this.keptFor === handle &&
      this.keptGeneration === this.folder.handles.generation[handle] &&
      this.keptPosition === position &&
      this.at < this.end
    );
  }

  /** Reads the next piece from `position`; its bytes (0 at the end) or a negative errno. */
  private fetch(handle: Handle, position: number): number {
    const { calls, handles, arena, areas } = this.folder;
    const fd = handles.fd[handle];
    this.keptFor = NO_HANDLE;
    if (handles.position[handle] !== position) {
      const sought = calls.lseek(fd, position, linux.SEEK_SET);
      if (sought < 0) return sought;
      handles.position[handle] = position;
    }
    const bytes = calls.getdents64(fd, arena.address(areas.entries), areas.entriesSize);
    if (bytes < 0) return bytes;
    this.keptFor = handle;
    this.keptGeneration = handles.generation[handle];
    this.keptPosition = position;
    this.at = areas.entries;
    this.end = areas.entries + bytes;
    this.mayBeMore = bytes > areas.entriesSize - LONGEST_ENTRY;
    if (bytes > 0) handles.position[handle] = this.lastPosition();
    return bytes;
  }

  private lastPosition(): number {
    const { arena } = this.folder;
    let last = this.at;
    for (let at = this.at; at < this.end; at += arena.getU16(at + Dirent.length)) last = at;
    return arena.getI64(last + Dirent.next);
  }

  /** Hands on what is kept; false when the sink had no room for all of it. */
  private tell(handle: Handle, sink: DirectorySink): boolean {
    const { arena, nodes, handles } = this.folder;
    const node = handles.node[handle];
    const mount = nodes.mount[node];
    const device = nodes.device[node];
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
        inoLow = nodes.inoLowOf(ROOT);
        inoHigh = nodes.inoHighOf(ROOT);
      }
      this.entryName = nameAt;
      this.entryIsNew = nodes.find(mount, device, inoLow, inoHigh) === 0;
      const next = arena.getI64(at + Dirent.next);
      const type = arena.u8[at + Dirent.type];
      const fit = sink.entry(inoLow, inoHigh, next, type, nameAt, nameEnd - nameAt);
      this.entryName = -1;
      if (!fit) return false;
      this.at = at + length;
      this.keptPosition = next;
    }
    return true;
  }
}

function isParent(u8: Uint8Array, from: number, end: number): boolean {
  return end - from === 2 && u8[from] === 0x2e && u8[from + 1] === 0x2e;
}
