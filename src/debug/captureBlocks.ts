/**
 * A capture file as something to read twice: by place, for a reader, and block by block, so that another reader can be
 * stopped between any two packets.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { trouble } from '../base/catalogue';
import { quote } from '../protocol/text';

const SECTION = 0x0a0d0d0a;
const BIG_ENDIAN_MAGIC = 0x4d3c2b1a;
const CHUNK = 1 << 20;
/** No writer makes longer ones; the reader says what is wrong with it. */
const LONGEST_BLOCK = 64 << 20;

export class CaptureBlocks {
  private readonly fd: number;
  readonly size: number;
  private buffer = new Uint8Array(0);
  private bufferAt = 0;

  /** Throws a Trouble for what is no file that can be read. */
  constructor(readonly path: string) {
    try {
      // A FIFO in place of the file must not hold us.
      this.fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      const { code = String(error) } = error as NodeJS.ErrnoException;
      throw code === 'ENOENT'
        ? trouble('captureMissing', quote(path))
        : trouble('captureNotReadable', quote(path), code);
    }
    const stat = fstatSync(this.fd);
    this.size = stat.size;
    if (!stat.isFile()) {
      this.close();
      throw trouble('captureNotReadable', quote(path), 'it is no regular file');
    }
  }

  readonly readAt = (at: number, length: number): Uint8Array => {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - at)));
    let done = 0;
    while (done < bytes.length) {
      const got = readSync(this.fd, bytes, done, bytes.length - done, at + done);
      if (got === 0) break;
      done += got;
    }
    return bytes.subarray(0, done);
  };

  /** The blocks in order; the last one may be cut off. Valid until the next one. */
  *blocks(): Generator<Uint8Array> {
    let bigEndian = false;
    for (let at = 0; at < this.size;) {
      const head = this.window(at, 12);
      if (head.length < 12) {
        yield head;
        return;
      }
      const view = new DataView(head.buffer, head.byteOffset, head.length);
      if (view.getUint32(0, true) === SECTION) bigEndian = view.getUint32(8, true) === BIG_ENDIAN_MAGIC;
      const length = view.getUint32(4, !bigEndian);
      if (length < 12 || length > LONGEST_BLOCK) {
        yield this.window(at, Math.min(CHUNK, this.size - at));
        return;
      }
      yield this.window(at, length);
      at += length;
    }
  }

  private window(at: number, length: number): Uint8Array {
    if (at < this.bufferAt || at + length > this.bufferAt + this.buffer.length) {
      this.buffer = this.readAt(at, Math.max(CHUNK, length)) as Uint8Array<ArrayBuffer>;
      this.bufferAt = at;
    }
    return this.buffer.subarray(at - this.bufferAt, at - this.bufferAt + length);
  }

  close(): void {
    closeSync(this.fd);
  }
}
