/** The device configuration space of virtio-fs (virtio 1.3, section 5.11.4): tag[36] and num_request_queues. */
import type { Replied } from './payload';

export const TAG_SIZE = 36;
export const CONFIG_SIZE = TAG_SIZE + 4;
const CONFIG_HEADER = 12;

/** `tag`: at most 36 bytes of UTF-8, checked where it was given; padded with NULs. */
export function configSpace(tag: string, requestQueues: number): Uint8Array {
  const space = new Uint8Array(CONFIG_SIZE);
  new TextEncoder().encodeInto(tag, space.subarray(0, TAG_SIZE));
  new DataView(space.buffer).setUint32(TAG_SIZE, requestQueues, true);
  return space;
}

/** GET_CONFIG: `{ u32 offset, u32 size, u32 flags, bytes }`, answered with the same and the bytes that are there. */
export function readConfig(payload: DataView, tag: string | undefined, requestQueues: number): Replied {
  const offset = payload.getUint32(0, true);
  const size = payload.getUint32(4, true);
  // A reply of size 0 tells the front-end that it failed.
  if (tag === undefined || offset + size > CONFIG_SIZE || payload.byteLength < CONFIG_HEADER + size) {
    return { reply: new Uint8Array(0) };
  }
  const reply = new Uint8Array(payload.buffer, payload.byteOffset, CONFIG_HEADER + size).slice();
  reply.set(configSpace(tag, requestQueues).subarray(offset, offset + size), CONFIG_HEADER);
  return { reply };
}
