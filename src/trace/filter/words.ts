/** Little-endian words of 32 bits at any place of a message; all four bytes have to be there. */

export const i32 = (bytes: Uint8Array, at: number): number =>
  bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);

export const u32 = (bytes: Uint8Array, at: number): number => i32(bytes, at) >>> 0;
