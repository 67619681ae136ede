/**
 * vhost-user messages as capture blocks, and those that are kept for traces that begin later. Never on the hot path.
 */
import { PACKET_VERSION, PacketKind, VhostUserAt, VhostUserFlag } from '../../trace/packet';
import { BLOCK_HEADER, CONTROL_INTERFACE, beginBlock, blockBytes, endBlock } from './block';
import type { TraceClock } from './clock';

/** A conversation is a few kilobytes; a front-end that never stops loses its oldest messages here. */
const MOST_KEPT = 1 << 18;

/** A block with one whole message. */
export function vhostUserBlock(
  time: TraceClock,
  fromFrontEnd: boolean,
  message: Uint8Array,
  descriptors: number,
  backEndChannel: boolean,
): Uint8Array {
  const captured = VhostUserAt.message + message.length;
  const bytes = new Uint8Array(blockBytes(captured));
  const memory = { bytes, u32: new Uint32Array(bytes.buffer) };
  endBlock(memory, 0, beginBlock(memory, 0, CONTROL_INTERFACE, time, captured, 0));
  const view = new DataView(bytes.buffer, BLOCK_HEADER);
  view.setUint8(0, PACKET_VERSION);
  view.setUint8(1, PacketKind.VhostUser);
  const channel = backEndChannel ? VhostUserFlag.BACK_END_CHANNEL : 0;
  view.setUint16(VhostUserAt.direction, (fromFrontEnd ? 0 : VhostUserFlag.TO_FRONT_END) | channel, true);
  view.setUint32(VhostUserAt.descriptors, descriptors, true);
  view.setUint32(VhostUserAt.length, message.length, true);
  bytes.set(message, BLOCK_HEADER + VhostUserAt.message);
  return bytes;
}

export class KeptMessages {
  readonly blocks: Uint8Array[] = [];
  private size = 0;

  add(block: Uint8Array): void {
    this.blocks.push(block);
    this.size += block.length;
    while (this.size > MOST_KEPT) this.size -= this.blocks.shift()?.length ?? 0;
  }
}
