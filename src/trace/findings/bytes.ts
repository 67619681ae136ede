/** Numbers out of a message's bytes, little-endian. What is beyond the end reads as 0: callers look at the length. */

export const u16At = (bytes: Uint8Array, at: number): number => bytes[at] | (bytes[at + 1] << 8);

export const u32At = (bytes: Uint8Array, at: number): number =>
  (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;

/** As a double: exact below 2^53; ids beyond that are turned away by `NodeIndex`. */
export const u64At = (bytes: Uint8Array, at: number): number => u32At(bytes, at + 4) * 0x1_0000_0000 + u32At(bytes, at);

/** Exact. */
export const bigU64At = (bytes: Uint8Array, at: number): bigint =>
  (BigInt(u32At(bytes, at + 4)) << 32n) | BigInt(u32At(bytes, at));
