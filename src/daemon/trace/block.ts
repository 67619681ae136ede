/**
 * An Enhanced Packet Block (pcapng, section 4.3) built in place, by the queue worker: 28 bytes, the packet, 4 bytes.
 */
import type { TraceClock } from './clock';

export const BLOCK_HEADER = 28;
const ENHANCED_PACKET = 6;

/** Interfaces, as in docs/capture-format.md. */
export const CONTROL_INTERFACE = 0;
export const HOST_INTERFACE = 1;
export const FIRST_QUEUE_INTERFACE = 2;

/** Memory that blocks are built in; places are multiples of 4. */
export interface BlockMemory {
  readonly bytes: Uint8Array;
  readonly u32: Uint32Array;
}

/** Bytes of a block with a packet of `captured` bytes. */
export function blockBytes(captured: number): number {
  return BLOCK_HEADER + ((captured + 3) & ~3) + 4;
}

/**
 * Writes what is before the packet, of which `captured` bytes follow and `missing` are left out; the block's length.
 */
export function beginBlock(
  memory: BlockMemory,
  at: number,
  id: number,
  time: TraceClock,
  captured: number,
  missing: number,
): number {
  const { u32 } = memory;
  const word = at >>> 2;
  const size = blockBytes(captured);
  u32[word] = ENHANCED_PACKET;
  u32[word + 1] = size;
  u32[word + 2] = id;
  u32[word + 3] = time.high;
  u32[word + 4] = time.low;
  u32[word + 5] = captured;
  u32[word + 6] = captured + missing;
  return size;
}

export function endBlock(memory: BlockMemory, at: number, size: number): void {
  memory.u32[(at + size - 4) >>> 2] = size;
}
