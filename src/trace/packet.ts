/**
 * One packet of a capture: a message behind a pseudo-header. docs/capture-format.md describes each byte.
 *
 * Owns the layouts, for the daemon that writes them and for readers, which take whatever bytes there are: a packet too
 * short for its kind, of another version or kind is no packet. Knows nothing of pcapng around it.
 */

export const PACKET_VERSION = 2;

export const enum PacketKind {
  Request = 0,
  Reply = 1,
  VhostUser = 2,
  HostCall = 3,
  Names = 4,
  Window = 5,
  Dropped = 6,
}

/** Pseudo-header of requests, replies and dropped replies (which have no message): places of its fields, its size. */
export const FuseAt = {
  version: 0,
  kind: 1,
  queue: 2,
  head: 4,
  taken: 8,
  length: 16,
  flags: 20,
  calls: 22,
  queued: 24,
  host: 28,
  writing: 32,
  held: 36,
  message: 40,
} as const;

export const VhostUserAt = { direction: 2, descriptors: 4, length: 8, message: 16 } as const;
/** Bits of `direction`. */
export const VhostUserFlag = { TO_FRONT_END: 1, BACK_END_CHANNEL: 2 } as const;

export const WindowAt = { what: 2, nodeid: 8, fileOffset: 16, length: 24, windowOffset: 32, text: 40 } as const;
/** Values of `what`, with fs/dax/frontEnd.ts. */
export const WindowWhat = { MAPPED: 0, REFUSED: 1, CHANGED: 2, SHORTENED: 3, FAILED: 4 } as const;

export const HostCallAt = {
  queue: 2,
  head: 4,
  taken: 8,
  call: 16,
  flags: 18,
  count: 20,
  result: 24,
  duration: 32,
  arguments: 40,
} as const;

export const NamesAt = { count: 2, flags: 4, records: 8 } as const;
/** Bits of `flags`. */
export const NamesFlag = { UNSURE: 1, ONLY: 2 } as const;
/** Bytes of a names record before its name. */
export const NAME_RECORD = 26;

/** ARM64: the open(2) flags in it have the numbers of arm64. */
export const MessageFlag = { CUT: 1, LATER: 2, HELD: 4, CHANGED: 8, ARM64: 16 } as const;
export const HostCallFlag = { OTHER_THREAD: 1, ARM64: 2 } as const;

/** The queue of host calls that belong to no request. */
export const NO_QUEUE = 0xffff;
/** Most host calls one packet counts; most arguments one has. */
export const MAX_CALLS = 0xffff;
export const MAX_ARGUMENTS = 8;

/** Whether `bytes` can be a packet of this version of that kind. */
export function isPacket(bytes: Uint8Array, kind: PacketKind): boolean {
  return bytes.length >= leastBytes[kind] && bytes[0] === PACKET_VERSION && bytes[1] === kind;
}

const leastBytes: Readonly<Record<PacketKind, number>> = {
  [PacketKind.Request]: FuseAt.message,
  [PacketKind.Reply]: FuseAt.message,
  [PacketKind.VhostUser]: VhostUserAt.message,
  [PacketKind.HostCall]: HostCallAt.arguments,
  [PacketKind.Names]: NamesAt.records,
  [PacketKind.Window]: WindowAt.text,
  [PacketKind.Dropped]: FuseAt.message,
};
