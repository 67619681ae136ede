/**
 * pcapng blocks as bytes (draft-ietf-opsawg-pcapng): section header, interface description, enhanced packet, interface
 * statistics. Little-endian, nanoseconds.
 *
 * For exports and tests: each block is an array of its own and times are bigint. The daemon, which writes a hundred
 * thousand packets a second, has a writer of its own. Knows nothing of what a packet holds.
 */

export const BlockType = {
  SECTION_HEADER: 0x0a0d0d0a,
  INTERFACE: 1,
  SIMPLE_PACKET: 3,
  NAME_RESOLUTION: 4,
  STATISTICS: 5,
  ENHANCED_PACKET: 6,
  DECRYPTION_SECRETS: 10,
} as const;

export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/** LINKTYPE_USER0: for private use; what is inside is in `packet.ts`. */
export const LINK_TYPE_USER0 = 147;

/** Codes of the options that are written or read here. */
export const OptionCode = {
  END: 0,
  COMMENT: 1,
  SHB_HARDWARE: 2,
  SHB_OS: 3,
  SHB_USERAPPL: 4,
  IF_NAME: 2,
  IF_TSRESOL: 9,
  IF_TSOFFSET: 14,
  ISB_IFDROP: 5,
} as const;

export interface BlockOption {
  readonly code: number;
  readonly value: Uint8Array | string;
}

export interface SectionOptions {
  readonly os?: string;
  readonly application?: string;
  readonly comment?: string;
}

/** Options are 16 bits long at most; a longer text is cut. */
const LONGEST_OPTION = 0xffff;

const padded = (length: number): number => (length + 3) & ~3;

/** A block of any type around `body`, which is padded to a multiple of 4 bytes. */
export function block(type: number, ...body: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = body.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(12 + padded(length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, bytes.length, true);
  let at = 8;
  for (const part of body) {
    bytes.set(part, at);
    at += part.length;
  }
  view.setUint32(bytes.length - 4, bytes.length, true);
  return bytes;
}

/** A list of options with its end; nothing at all for none. */
export function optionList(options: readonly BlockOption[]): Uint8Array<ArrayBuffer> {
  if (options.length === 0) return new Uint8Array(0);
  const values = options.map(({ value }) =>
    (typeof value === 'string' ? new TextEncoder().encode(value) : value).subarray(0, LONGEST_OPTION),
  );
  const bytes = new Uint8Array(values.reduce((sum, value) => sum + 4 + padded(value.length), 4));
  const view = new DataView(bytes.buffer);
  let at = 0;
  values.forEach((value, i) => {
    view.setUint16(at, options[i].code, true);
    view.setUint16(at + 2, value.length, true);
    bytes.set(value, at + 4);
    at += 4 + padded(value.length);
  });
  return bytes;
}

const textOption = (code: number, value: string | undefined): BlockOption[] =>
  value === undefined ? [] : [{ code, value }];

export function sectionHeader({ os, application, comment }: SectionOptions = {}): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(16);
  const view = new DataView(head.buffer);
  view.setUint32(0, BYTE_ORDER_MAGIC, true);
  view.setUint16(4, 1, true);
  view.setBigInt64(8, -1n, true);
  const options = [
    ...textOption(OptionCode.SHB_OS, os),
    ...textOption(OptionCode.SHB_USERAPPL, application),
    ...textOption(OptionCode.COMMENT, comment),
  ];
  return block(BlockType.SECTION_HEADER, head, optionList(options));
}

/** An interface whose times are nanoseconds since the epoch. */
export function interfaceDescription(
  name: string,
  linkType: number = LINK_TYPE_USER0,
  snapLength = 0,
): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(8);
  const view = new DataView(head.buffer);
  view.setUint16(0, linkType, true);
  view.setUint32(4, snapLength, true);
  const options = [
    { code: OptionCode.IF_NAME, value: name },
    { code: OptionCode.IF_TSRESOL, value: Uint8Array.of(9) },
  ];
  return block(BlockType.INTERFACE, head, optionList(options));
}

/** One packet: `bytes` of what was `fullLength` bytes long; `time` in nanoseconds since the epoch. */
export function enhancedPacket(
  interfaceId: number,
  time: bigint,
  bytes: Uint8Array,
  fullLength = bytes.length,
): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(20);
  const view = new DataView(head.buffer);
  view.setUint32(0, interfaceId, true);
  putTime(view, time);
  view.setUint32(12, bytes.length, true);
  view.setUint32(16, fullLength, true);
  return block(BlockType.ENHANCED_PACKET, head, bytes);
}

/** How many packets an interface has lost so far in this section. */
export function interfaceStatistics(interfaceId: number, time: bigint, dropped: bigint): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(12);
  const view = new DataView(head.buffer);
  view.setUint32(0, interfaceId, true);
  putTime(view, time);
  const value = new Uint8Array(8);
  new DataView(value.buffer).setBigUint64(0, dropped, true);
  return block(BlockType.STATISTICS, head, optionList([{ code: OptionCode.ISB_IFDROP, value }]));
}

function putTime(view: DataView, time: bigint): void {
  view.setUint32(4, Number((time >> 32n) & 0xffff_ffffn), true);
  view.setUint32(8, Number(time & 0xffff_ffffn), true);
}
