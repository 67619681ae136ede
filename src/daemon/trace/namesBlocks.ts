/** Names that a guest knows already, as capture blocks. Never on the hot path. */
import type { KnownName } from '../../fs/knownNames';
import { NAME_RECORD, NamesAt, PACKET_VERSION, PacketKind } from '../../trace/packet';
import { BLOCK_HEADER, CONTROL_INTERFACE, beginBlock, blockBytes, endBlock } from './block';
import type { TraceClock } from './clock';

/** Records of one packet. */
const RECORDS = 1000;

export function namesBlocks(time: TraceClock, names: readonly KnownName[]): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let first = 0; first < names.length; first += RECORDS) {
    blocks.push(namesBlock(time, names.slice(first, first + RECORDS)));
  }
  return blocks;
}

const recordBytes = ({ name }: KnownName): number => (NAME_RECORD + name.length + 7) & ~7;

function namesBlock(time: TraceClock, names: readonly KnownName[]): Uint8Array {
  const captured = names.reduce<number>((sum, one) => sum + recordBytes(one), NamesAt.records);
  const bytes = new Uint8Array(blockBytes(captured));
  const memory = { bytes, u32: new Uint32Array(bytes.buffer) };
  endBlock(memory, 0, beginBlock(memory, 0, CONTROL_INTERFACE, time, captured, 0));
  const view = new DataView(bytes.buffer, BLOCK_HEADER);
  view.setUint8(0, PACKET_VERSION);
  view.setUint8(1, PacketKind.Names);
  view.setUint16(NamesAt.count, names.length, true);
  let at: number = NamesAt.records;
  for (const one of names) {
    view.setUint32(at, one.nodeid[0], true);
    view.setUint32(at + 4, one.nodeid[1], true);
    view.setUint32(at + 8, one.parent[0], true);
    view.setUint32(at + 12, one.parent[1], true);
    view.setBigUint64(at + 16, BigInt(one.lookups), true);
    view.setUint16(at + 24, one.name.length, true);
    bytes.set(one.name, BLOCK_HEADER + at + NAME_RECORD);
    at += recordBytes(one);
  }
  return bytes;
}
