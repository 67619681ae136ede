/**
 * One packet of a capture: a FUSE message behind a pseudo-header of 24 bytes.
 *
 *    0  u8   version, 1
 *    1  u8   direction: 0 request, 1 reply
 *    2  u16  queue: 0 is hiprio
 *    4  u32  head: index of the chain's first descriptor, which pairs a reply with its request
 *    8  u64  when the request was taken from its queue, nanoseconds since the epoch
 *   16  u32  full length of the message
 *   20  u32  0
 *   24  the message, as much of it as was kept
 *
 * All little-endian. The packet's own time is when the request was taken, or when the reply was given.
 */

export const PACKET_HEADER = 24;
const VERSION = 1;

export interface Packet {
  /** Nanoseconds since the epoch. */
  readonly time: bigint;
  readonly direction: 'request' | 'reply';
  readonly queue: number;
  readonly head: number;
  readonly taken: bigint;
  /** Full length; `message` may be cut. */
  readonly length: number;
  readonly message: Uint8Array;
}

export function encodePacket(packet: Packet): Uint8Array {
  const bytes = new Uint8Array(PACKET_HEADER + packet.message.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, packet.direction === 'request' ? 0 : 1);
  view.setUint16(2, packet.queue, true);
  view.setUint32(4, packet.head, true);
  view.setBigUint64(8, packet.taken, true);
  view.setUint32(16, packet.length, true);
  bytes.set(packet.message, PACKET_HEADER);
  return bytes;
}

/** The packet, or undefined when these bytes are none (of this version). `message` is a view of `bytes`. */
export function decodePacket(time: bigint, bytes: Uint8Array): Packet | undefined {
  if (bytes.length < PACKET_HEADER) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const direction = view.getUint8(1);
  if (view.getUint8(0) !== VERSION || direction > 1) return undefined;
  return {
    time,
    direction: direction === 0 ? 'request' : 'reply',
    queue: view.getUint16(2, true),
    head: view.getUint32(4, true),
    taken: view.getBigUint64(8, true),
    length: view.getUint32(16, true),
    message: bytes.subarray(PACKET_HEADER),
  };
}
