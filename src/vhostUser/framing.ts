/**
 * Framing of vhost-user messages on a stream: `u32 request, u32 flags, u32 size`, then the payload.
 *
 * Bytes and descriptors come in as they arrive; whole messages go out. A header that cannot be true ends the
 * conversation: on a stream there is no way back to a boundary.
 */

export interface Message {
  readonly request: number;
  readonly needReply: boolean;
  readonly payload: DataView;
  readonly descriptors: readonly number[];
}

export const HEADER_SIZE = 12;
/** Longest payload taken: GET_SHMEM_CONFIG's and a configuration space's are the longest there are, far below. */
export const MAX_PAYLOAD = 4096;
/** Most descriptors that one message brings: one for each region of a memory table, which are far fewer. */
const MAX_MESSAGE_DESCRIPTORS = 64;

const VERSION = 1;
const VERSION_MASK = 3;
const REPLY = 4;
const NEED_REPLY = 8;

export class MessageReader {
  private buffered = new Uint8Array(0);
  private descriptors: number[] = [];

  /** Whole messages, in order, after these bytes; a string is what is wrong with the stream. */
  push(bytes: Uint8Array, descriptors: readonly number[]): Message[] | string {
    const all = new Uint8Array(this.buffered.length + bytes.length);
    all.set(this.buffered);
    all.set(bytes, this.buffered.length);
    this.descriptors.push(...descriptors);
    if (this.descriptors.length > MAX_MESSAGE_DESCRIPTORS) return 'a vhost-user message with too many descriptors';
    const messages: Message[] = [];
    let at = 0;
    while (all.length - at >= HEADER_SIZE) {
      const header = new DataView(all.buffer, at, HEADER_SIZE);
      const flags = header.getUint32(4, true);
      const size = header.getUint32(8, true);
      if ((flags & VERSION_MASK) !== VERSION) return `a vhost-user message of version ${flags & VERSION_MASK}`;
      if (size > MAX_PAYLOAD) return `a vhost-user message of ${size} bytes`;
      if (all.length - at < HEADER_SIZE + size) break;
      messages.push({
        request: header.getUint32(0, true),
        needReply: (flags & NEED_REPLY) !== 0,
        payload: new DataView(all.buffer, at + HEADER_SIZE, size),
        // Descriptors come with the first byte of their message; `receive` reads one message at a time.
        descriptors: this.descriptors,
      });
      this.descriptors = [];
      at += HEADER_SIZE + size;
    }
    this.buffered = all.slice(at);
    return messages;
  }

  /** Bytes to ask for next, so that no read goes beyond one message and its descriptors stay with it. */
  get wanted(): number {
    if (this.buffered.length < HEADER_SIZE) return HEADER_SIZE - this.buffered.length;
    const size = new DataView(this.buffered.buffer, this.buffered.byteOffset).getUint32(8, true);
    return HEADER_SIZE + size - this.buffered.length;
  }

  /** Descriptors of a message that never became whole; they belong to the caller now. */
  abandon(): number[] {
    return this.descriptors.splice(0);
  }
}

/** The bytes that a message came as: those in front of its payload lie there still. */
export function wholeMessage({ payload }: Message): Uint8Array {
  return new Uint8Array(payload.buffer, payload.byteOffset - HEADER_SIZE, HEADER_SIZE + payload.byteLength);
}

/** A reply's bytes. */
export function frameReply(request: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_SIZE + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, request, true);
  view.setUint32(4, VERSION | REPLY, true);
  view.setUint32(8, payload.length, true);
  bytes.set(payload, HEADER_SIZE);
  return bytes;
}
