/**
 * pcapng (draft-ietf-opsawg-pcapng), the few blocks a capture needs: section header, one interface, enhanced packets,
 * and interface statistics for what was dropped. Little-endian, nanoseconds.
 *
 * Writes blocks as bytes; reads them from a stream cut anywhere. Knows nothing of what a packet holds.
 */

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE = 1;
const STATISTICS = 5;
const PACKET = 6;
const BYTE_ORDER = 0x1a2b3c4d;

/** LINKTYPE_USER0: for private use; what is inside is in `packet.ts`. */
export const LINK_TYPE = 147;

/** Longest block that is believed: a message of 1 MiB with room to spare. */
const MAX_BLOCK = 4 << 20;

const OPTION_TSRESOL = 9;
const OPTION_IF_NAME = 2;
const OPTION_DROPPED = 5;

const padded = (length: number): number => (length + 3) & ~3;

/** A block around `body`, which is a multiple of 4 bytes long. */
function block(type: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, bytes.length, true);
  bytes.set(body, 8);
  view.setUint32(8 + body.length, bytes.length, true);
  return bytes;
}

function option(code: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + padded(value.length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, value.length, true);
  bytes.set(value, 4);
  return bytes;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const END_OF_OPTIONS = new Uint8Array(4);

/** What a stream starts with. */
export function pcapngStart(interfaceName: string, snapLength: number): Uint8Array {
  const section = new DataView(new ArrayBuffer(16));
  section.setUint32(0, BYTE_ORDER, true);
  section.setUint16(4, 1, true);
  section.setBigInt64(8, -1n, true);
  const head = new DataView(new ArrayBuffer(8));
  head.setUint16(0, LINK_TYPE, true);
  head.setUint32(4, snapLength, true);
  const options = [
    option(OPTION_IF_NAME, new TextEncoder().encode(interfaceName)),
    option(OPTION_TSRESOL, Uint8Array.of(9)),
    END_OF_OPTIONS,
  ];
  return concat([
    block(SECTION_HEADER, new Uint8Array(section.buffer)),
    block(INTERFACE, concat([new Uint8Array(head.buffer), ...options])),
  ]);
}

/** One packet: `bytes` of what was `fullLength` bytes long; `time` in nanoseconds since the epoch. */
export function pcapngPacket(time: bigint, bytes: Uint8Array, fullLength: number): Uint8Array {
  const body = new Uint8Array(20 + padded(bytes.length));
  const view = new DataView(body.buffer);
  view.setUint32(4, Number(time >> 32n), true);
  view.setUint32(8, Number(time & 0xffff_ffffn), true);
  view.setUint32(12, bytes.length, true);
  view.setUint32(16, fullLength, true);
  body.set(bytes, 20);
  return block(PACKET, body);
}

/** How many packets were lost so far. */
export function pcapngStatistics(time: bigint, dropped: number): Uint8Array {
  const head = new DataView(new ArrayBuffer(12));
  head.setUint32(4, Number(time >> 32n), true);
  head.setUint32(8, Number(time & 0xffff_ffffn), true);
  const value = new DataView(new ArrayBuffer(8));
  value.setBigUint64(0, BigInt(dropped), true);
  const options = [option(OPTION_DROPPED, new Uint8Array(value.buffer)), END_OF_OPTIONS];
  return block(STATISTICS, concat([new Uint8Array(head.buffer), ...options]));
}

export type PcapngEvent =
  | { readonly kind: 'packet'; readonly time: bigint; readonly bytes: Uint8Array; readonly fullLength: number }
  | { readonly kind: 'dropped'; readonly count: bigint };

/** Takes a stream apart as it comes. */
export class PcapngReader {
  private rest = new Uint8Array(0);
  private offset = 0;
  /** What is wrong with the stream, with the offset; nothing is read any more. */
  fault: string | undefined;

  /** The events in these bytes, together with what was left over before. */
  *push(bytes: Uint8Array): Generator<PcapngEvent> {
    if (this.fault !== undefined) return;
    let all = bytes;
    if (this.rest.length > 0) all = concat([this.rest, bytes]);
    let at = 0;
    while (all.length - at >= 12) {
      const view = new DataView(all.buffer, all.byteOffset + at, all.length - at);
      const type = view.getUint32(0, true);
      const length = view.getUint32(4, true);
      if (
        (this.offset === 0 && at === 0 && type !== SECTION_HEADER) ||
        length % 4 !== 0 ||
        length < 12 ||
        length > MAX_BLOCK
      ) {
        this.fault = `not a capture: no pcapng block at byte ${this.offset + at}`;
        return;
      }
      if (all.length - at < length) break;
      const event = readBlock(type, new DataView(all.buffer, all.byteOffset + at + 8, length - 12));
      if (event) yield event;
      at += length;
    }
    this.rest = all.slice(at);
    this.offset += at;
  }
}

function readBlock(type: number, body: DataView): PcapngEvent | undefined {
  if (type === PACKET && body.byteLength >= 20) {
    const captured = Math.min(body.getUint32(12, true), body.byteLength - 20);
    return {
      kind: 'packet',
      time: (BigInt(body.getUint32(4, true)) << 32n) | BigInt(body.getUint32(8, true)),
      bytes: new Uint8Array(body.buffer, body.byteOffset + 20, captured),
      fullLength: body.getUint32(16, true),
    };
  }
  if (type === STATISTICS) {
    for (let at = 12; at + 4 <= body.byteLength;) {
      const code = body.getUint16(at, true);
      const length = body.getUint16(at + 2, true);
      if (code === OPTION_DROPPED && length === 8 && at + 12 <= body.byteLength) {
        return { kind: 'dropped', count: body.getBigUint64(at + 4, true) };
      }
      at += 4 + padded(length);
    }
  }
  return undefined;
}
