/**
 * One block of bytes with typed views over it, in which requests are parsed and replies are built.
 *
 * Owns the views and the little-endian accessors. Knows nothing of who lives where in the block: whoever makes an
 * arena hands out its areas. `base` is the host address of byte 0 when system calls are given addresses into it
 * (an explicit ArrayBuffer never moves), and 0 when nothing ever takes an address.
 *
 * Offsets are bytes from the start. The 16 and 32 bit accessors need offsets aligned to their size; FUSE structures
 * are, as long as a message starts at a multiple of 8.
 */
export class Arena {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;

  constructor(
    readonly buffer: ArrayBuffer | SharedArrayBuffer,
    readonly base: number,
  ) {
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.i32 = new Int32Array(buffer);
  }

  getU16(at: number): number {
    return this.u16[at >>> 1];
  }

  setU16(at: number, value: number): void {
    this.u16[at >>> 1] = value;
  }

  getU32(at: number): number {
    return this.u32[at >>> 2];
  }

  getI32(at: number): number {
    return this.i32[at >>> 2];
  }

  setU32(at: number, value: number): void {
    this.u32[at >>> 2] = value;
  }

  /** A 64-bit unsigned value as a double: exact up to 2^53, above that rounded (callers bound what they use). */
  getU64(at: number): number {
    return this.u32[(at + 4) >>> 2] * 0x1_0000_0000 + this.u32[at >>> 2];
  }

  /** A 64-bit signed value as a double; exact within ±2^53. */
  getI64(at: number): number {
    return this.i32[(at + 4) >>> 2] * 0x1_0000_0000 + this.u32[at >>> 2];
  }

  /** Stores an integer within ±2^53 as a two's complement 64-bit value. */
  setU64(at: number, value: number): void {
    this.u32[at >>> 2] = value >>> 0;
    this.u32[(at + 4) >>> 2] = Math.floor(value / 0x1_0000_0000) >>> 0;
  }

  /** Copies an opaque 64-bit value from one place to another. */
  copyU64(to: number, from: number): void {
    this.u32[to >>> 2] = this.u32[from >>> 2];
    this.u32[(to + 4) >>> 2] = this.u32[(from + 4) >>> 2];
  }

  zero(at: number, length: number): void {
    this.u8.fill(0, at, at + length);
  }

  /** Host address of an offset, for system calls. */
  address(at: number): number {
    return this.base + at;
  }

  /**
   * The bytes up to the first NUL at or after `at`, at most `limit` of them; the length, or -1 when there is no NUL.
   */
  stringLength(at: number, limit: number): number {
    const end = this.u8.indexOf(0, at);
    return end < 0 || end - at >= limit ? -1 : end - at;
  }

  /** A view of bytes for cold paths (decoding, tests); valid as long as nobody writes the area anew. */
  bytes(at: number, length: number): Uint8Array {
    return this.u8.subarray(at, at + length);
  }
}
