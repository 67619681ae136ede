/** The device configuration space of virtio-fs (virtio 1.3, section 5.11.4): tag[36] and num_request_queues. */

export const TAG_SIZE = 36;
export const CONFIG_SIZE = TAG_SIZE + 4;

/** `tag`: at most 36 bytes of UTF-8, checked where it was given; padded with NULs. */
export function configSpace(tag: string, requestQueues: number): Uint8Array {
  const space = new Uint8Array(CONFIG_SIZE);
  new TextEncoder().encodeInto(tag, space.subarray(0, TAG_SIZE));
  new DataView(space.buffer).setUint32(TAG_SIZE, requestQueues, true);
  return space;
}
