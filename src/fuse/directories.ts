/**
 * Open folders: OPENDIR, READDIR, READDIRPLUS, RELEASEDIR. Entries are built one after the other in the reply's area
 * and sent at once; the file system tells them, the reply's size says when it is enough.
 */
import type { DirectorySink } from '../fs/fileSystem';
import { Errno } from '../protocol/errno';
import { OpenFlag } from '../protocol/fuse/flags';
import { Dirent, Direntplus, EntryOut, OpenIn, OpenOut, ReadIn, ReleaseIn } from '../protocol/fuse/structs';
import { writeEntry } from './inode';
import { writeOpened } from './opened';
import type { Turn } from './turn';

const dirent = Dirent.offset;
const readIn = ReadIn.offset;
const DIRENT = Dirent.size;
const ENTRY = EntryOut.size;
const DIRENT_IN_PLUS = Direntplus.offset.dirent;
const DOT = 0x2e;
const NOT_FOR_OPENDIR = OpenFlag.CREAT | OpenFlag.EXCL | OpenFlag.NOCTTY | OpenFlag.TRUNC;

/** FUSE_REC_ALIGN: records start at multiples of 8. */
const align = (bytes: number): number => (bytes + 7) & ~7;

export function opendir(turn: Turn): number {
  const flags = turn.arena.getU32(turn.args + OpenIn.offset.flags) & ~NOT_FOR_OPENDIR;
  const handle = turn.fs.opendir(turn.node, flags);
  if (handle < 0) return turn.fail(handle);
  writeOpened(turn, turn.body, handle, turn.session.folderOpenFlags);
  return turn.send(OpenOut.size);
}

/** As RELEASE: the inode may be forgotten by now. */
export function releasedir(turn: Turn): number {
  const handle = turn.lastHandleAt(turn.args + ReleaseIn.offset.fh);
  return handle < 0 ? turn.fail(handle) : turn.acknowledge(turn.fs.releasedir(handle));
}

/** Writes one `fuse_dirent` with its name at `at`. */
function writeDirent(
  turn: Turn,
  at: number,
  inoLow: number,
  inoHigh: number,
  nextLow: number,
  nextHigh: number,
  type: number,
  nameAt: number,
  nameLength: number,
): void {
  const { arena } = turn;
  arena.setU32(at + dirent.ino, inoLow);
  arena.setU32(at + dirent.ino + 4, inoHigh);
  arena.setU32(at + dirent.off, nextLow);
  arena.setU32(at + dirent.off + 4, nextHigh);
  arena.setU32(at + dirent.namelen, nameLength);
  arena.setU32(at + dirent.type, type);
  const u8 = arena.u8;
  const to = at + DIRENT;
  for (let i = 0; i < nameLength; i++) u8[to + i] = u8[nameAt + i];
  for (let i = to + nameLength, end = to + align(nameLength); i < end; i++) u8[i] = 0;
}

/** What a reply's entries go into; one for each of the two opcodes, used again and again. */
abstract class Entries implements DirectorySink {
  used = 0;
  private capacity = 0;
  /** There was one more, for which there was no room. */
  full = false;
  protected turn!: Turn;

  begin(turn: Turn, capacity: number): void {
    this.used = 0;
    this.full = false;
    this.capacity = capacity;
    this.turn = turn;
  }

  /** Before anything is done for the entry. */
  protected hasRoom(bytes: number): boolean {
    this.full = this.used + bytes > this.capacity;
    return !this.full;
  }

  abstract entry(
    inoLow: number,
    inoHigh: number,
    nextLow: number,
    nextHigh: number,
    type: number,
    nameAt: number,
    nameLength: number,
  ): boolean;
}

/** READDIR's entries, as many as fit. */
class PlainEntries extends Entries {
  override entry(
    inoLow: number,
    inoHigh: number,
    nextLow: number,
    nextHigh: number,
    type: number,
    nameAt: number,
    nameLength: number,
  ): boolean {
    const size = DIRENT + align(nameLength);
    if (!this.hasRoom(size)) return false;
    const at = this.turn.body + this.used;
    writeDirent(this.turn, at, inoLow, inoHigh, nextLow, nextHigh, type, nameAt, nameLength);
    this.used += size;
    return true;
  }
}

/** READDIRPLUS's entries: each is looked up, but '.' and '..', whose counts the kernel would not keep. */
class PlusEntries extends Entries {
  override entry(
    inoLow: number,
    inoHigh: number,
    nextLow: number,
    nextHigh: number,
    type: number,
    nameAt: number,
    nameLength: number,
  ): boolean {
    const size = ENTRY + DIRENT + align(nameLength);
    // Before the lookup: the kernel takes its count only for entries that it gets.
    if (!this.hasRoom(size)) return false;
    const { turn } = this;
    const at = turn.body + this.used;
    const node = isDotOrDotDot(turn.arena.u8, nameAt, nameLength) ? -1 : turn.fs.lookup(turn.node, nameAt);
    // nodeid 0: no attributes, the guest asks itself. Also for what has gone since, or cannot be looked up.
    if (node < 0) turn.arena.zero(at, ENTRY);
    else writeEntry(turn, at, node);
    writeDirent(turn, at + DIRENT_IN_PLUS, inoLow, inoHigh, nextLow, nextHigh, type, nameAt, nameLength);
    this.used += size;
    return true;
  }
}

function isDotOrDotDot(u8: Uint8Array, at: number, length: number): boolean {
  return u8[at] === DOT && (length === 1 || (length === 2 && u8[at + 1] === DOT));
}

const plain = new PlainEntries();
const plus = new PlusEntries();

export function readdir(turn: Turn): number {
  return readInto(turn, plain);
}

export function readdirplus(turn: Turn): number {
  return readInto(turn, plus);
}

function readInto(turn: Turn, entries: Entries): number {
  const { arena, args } = turn;
  const handle = turn.handleAt(args + readIn.fh, turn.node);
  if (handle < 0) return turn.fail(handle);
  const capacity = Math.min(arena.getU32(args + readIn.size), turn.room);
  entries.begin(turn, capacity);
  const position = args + readIn.offset;
  const failed = turn.fs.readdir(handle, arena.getU32(position), arena.getU32(position + 4), capacity, entries);
  // What has been told before a failure is the answer; the failure comes again with the next request.
  if (entries.used > 0) return turn.send(entries.used);
  if (failed < 0) return turn.fail(failed);
  // An empty reply would be the end of the folder.
  return entries.full ? turn.fail(-Errno.EINVAL) : turn.send(0);
}
