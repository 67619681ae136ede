/**
 * A capture that was read, block by block, so that another reader can be stopped between any two packets.
 */
import type { CaptureFiles } from '../control/captureFiles';

const SECTION = 0x0a0d0d0a;
const BIG_ENDIAN_MAGIC = 0x4d3c2b1a;
const CHUNK = 1 << 20;
/** No writer makes longer ones; the reader says what is wrong with it. */
const LONGEST_BLOCK = 64 << 20;

/** The blocks in order; the last one may be cut off. Valid until the next one. */
export function* blocksOf({ readAt, size }: Pick<CaptureFiles, 'readAt' | 'size'>): Generator<Uint8Array> {
  let buffer = new Uint8Array(0);
  let bufferAt = 0;
  const window = (at: number, length: number): Uint8Array => {
    if (at < bufferAt || at + length > bufferAt + buffer.length) {
      buffer = readAt(at, Math.min(Math.max(CHUNK, length), size - at)) as Uint8Array<ArrayBuffer>;
      bufferAt = at;
    }
    return buffer.subarray(at - bufferAt, at - bufferAt + length);
  };
  let bigEndian = false;
  for (let at = 0; at < size;) {
    const head = window(at, 12);
    if (head.length < 12) {
      yield head;
      return;
    }
    const view = new DataView(head.buffer, head.byteOffset, head.length);
    if (view.getUint32(0, true) === SECTION) bigEndian = view.getUint32(8, true) === BIG_ENDIAN_MAGIC;
    const length = view.getUint32(4, !bigEndian);
    if (length < 12 || length > LONGEST_BLOCK) {
      yield window(at, Math.min(CHUNK, size - at));
      return;
    }
    yield window(at, length);
    at += length;
  }
}
