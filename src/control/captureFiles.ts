/**
 * A capture's bytes from files: the file, and before it `FILE.old` where the file says that it continues it; and what
 * is appended later.
 *
 * `--capture-limit` makes two files of a capture; together they are one stream. The reader gets that stream once, chunk
 * by chunk, and reads places of it again. Files stay open, so that one that is renamed under us is still read; but no
 * more of them than there are names, or a capture that is kept small would go on filling the disk.
 */
import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import { trouble } from '../base/catalogue';
import { systemReason } from '../base/systemReason';
import { quote } from '../protocol/text';
import { PcapngReader } from '../trace/pcapngReader';

/** Bytes read at a time. */
const CHUNK = 1 << 20;
/** Files that stay open: the capture and its older half. */
const MOST_PIECES = 2;
/** A section header is within so many bytes. */
const HEADER_ROOM = 128 << 10;

interface Piece {
  readonly fd: number;
  /** Of its first byte in the stream. */
  readonly start: number;
  /** Of the file, as far as it was read. */
  length: number;
}

export class CaptureFiles {
  readonly notes: string[] = [];
  private readonly pieces: Piece[] = [];
  private readonly buffer = new Uint8Array(CHUNK);

  /** Opens them. Throws a Trouble for what is no file that can be read. */
  constructor(
    private readonly path: string,
    growing = false,
  ) {
    const fd = openCapture(path);
    const { size } = fstatSync(fd);
    if (size === 0 && !growing) {
      closeSync(fd);
      throw trouble('captureEmpty', quote(path));
    }
    const before = earlierPiece(path, fd);
    if (before !== undefined) {
      this.notes.push(`it continues ${quote(`${path}.old`)}, which is read first`);
      this.pieces.push({ fd: before, start: 0, length: 0 });
    }
    this.pieces.push({ fd, start: before === undefined ? 0 : fstatSync(before).size, length: 0 });
  }

  /** Bytes of all of it, as far as the files have them now. */
  get size(): number {
    const last = this.pieces[this.pieces.length - 1];
    return last.start + fstatSync(last.fd).size;
  }

  /**
   * Bytes of the stream, anywhere; fewer where they are not there. `room` is memory of that length for them. Throws a
   * Trouble where the file cannot be read any more.
   */
  readonly readAt = (at: number, length: number, room?: Uint8Array): Uint8Array => {
    const bytes = room ?? new Uint8Array(length);
    let done = 0;
    for (const piece of this.pieces) {
      const offset = at + done - piece.start;
      const wanted = Math.min(length - done, piece.length - offset);
      if (offset < 0 || wanted <= 0) continue;
      const got = read(this.path, piece.fd, bytes.subarray(done, done + wanted), offset);
      done += got;
      if (got < wanted) break;
    }
    return bytes.subarray(0, done);
  };

  /**
   * The next bytes of the stream, so many at most, valid until the next call; empty when there are none, for now.
   * Throws a Trouble where the file cannot be read any more.
   */
  next(most = CHUNK): Uint8Array {
    for (const piece of this.pieces) {
      const last = piece === this.pieces[this.pieces.length - 1];
      const end = last ? Infinity : this.pieces[this.pieces.indexOf(piece) + 1].start - piece.start;
      if (piece.length >= end) continue;
      const got = read(
        this.path,
        piece.fd,
        this.buffer.subarray(0, Math.min(most, CHUNK, end - piece.length)),
        piece.length,
      );
      piece.length += got;
      if (got > 0 || last) return this.buffer.subarray(0, got);
    }
    return this.buffer.subarray(0, 0);
  }

  /**
   * After `next` had nothing: another file under the same name is what the capture continues in. True if there is one.
   * Throws a Trouble for one that cannot be opened.
   */
  turnOver(): boolean {
    const last = this.pieces[this.pieces.length - 1];
    const own = fstatSync(last.fd);
    let fd: number;
    try {
      fd = openSync(this.path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      // Between two files there is none for a moment.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw trouble('captureNotReadable', quote(this.path), systemReason(error) ?? String(error));
    }
    const now = fstatSync(fd);
    if (!now.isFile() || (now.ino === own.ino && now.dev === own.dev)) {
      closeSync(fd);
      return false;
    }
    // What was written to the other one before it was renamed is read first.
    this.pieces.push({ fd, start: last.start + fstatSync(last.fd).size, length: 0 });
    const gone = this.pieces.length > MOST_PIECES ? this.pieces.shift() : undefined;
    if (gone) closeSync(gone.fd);
    return true;
  }

  close(): void {
    // What is read later would be of whoever has such a number then.
    for (const { fd } of this.pieces.splice(0)) closeSync(fd);
  }
}

function read(path: string, fd: number, into: Uint8Array, at: number): number {
  let done = 0;
  try {
    while (done < into.length) {
      const got = readSync(fd, into, done, into.length - done, at + done);
      if (got === 0) break;
      done += got;
    }
  } catch (error) {
    const why = systemReason(error);
    throw why === undefined ? error : trouble('captureReadFailed', quote(path), why);
  }
  return done;
}

/** A regular file, opened. Throws a Trouble. */
function openCapture(path: string): number {
  let fd: number | undefined;
  let stat: Stats;
  try {
    // A FIFO in place of the file must not hold us.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    stat = fstatSync(fd);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw trouble('captureMissing', quote(path));
    throw trouble('captureNotReadable', quote(path), systemReason(error) ?? String(error));
  }
  if (stat.isFile()) return fd;
  closeSync(fd);
  if (stat.isDirectory()) throw trouble('captureIsNoFile', quote(path));
  throw trouble('captureOfNoFile', quote(path));
}

/** The files that the capture `path` is in, its older half first, each with its size. None where it is no file. */
export function captureParts(path: string): { readonly file: string; readonly bytes: number }[] {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return [];
  const fd = openCapture(path);
  let before: number | undefined;
  try {
    before = earlierPiece(path, fd);
    return [
      ...(before === undefined ? [] : [{ file: `${path}.old`, bytes: fstatSync(before).size }]),
      { file: path, bytes: fstatSync(fd).size },
    ];
  } finally {
    for (const each of [before, fd]) if (each !== undefined) closeSync(each);
  }
}

/** `PATH.old`, opened, when `fd` says that it is the piece after that one. */
function earlierPiece(path: string, fd: number): number | undefined {
  const facts = sectionFacts(path, fd);
  const piece = facts?.['piece'];
  if (typeof piece !== 'number' || piece < 1 || facts?.['id'] === undefined) return undefined;
  let old: number;
  try {
    old = openSync(`${path}.old`, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  let follows = false;
  try {
    const before = fstatSync(old).isFile() ? sectionFacts(`${path}.old`, old) : undefined;
    follows = before?.['id'] === facts['id'] && before['piece'] === piece - 1;
  } finally {
    if (!follows) closeSync(old);
  }
  return follows ? old : undefined;
}

/** What the first section header's comment says, if it is JSON. */
function sectionFacts(path: string, fd: number): Record<string, unknown> | undefined {
  const head = new Uint8Array(HEADER_ROOM);
  const comments: string[] = [];
  const reader = new PcapngReader({
    section: (texts) => void (comments.length === 0 && comments.push(...texts)),
    interface: () => undefined,
    packet: () => undefined,
    lost: () => undefined,
  });
  reader.push(head.subarray(0, read(path, fd, head, 0)));
  try {
    const facts: unknown = JSON.parse(comments[0] ?? '');
    return typeof facts === 'object' && facts !== null ? (facts as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
