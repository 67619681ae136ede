/** What there is to tell of files and the DAX window, as capture blocks. Never on the hot path. */
import type { NoteFacts } from '../../fs/dax/frontEnd';
import { PACKET_VERSION, PacketKind, WindowAt } from '../../trace/packet';
import { BLOCK_HEADER, CONTROL_INTERFACE, beginBlock, blockBytes, endBlock } from './block';
import type { TraceClock } from './clock';

/** The path, a NUL, and what there is to say. */
export function windowBlock(time: TraceClock, note: NoteFacts): Uint8Array {
  const text = new TextEncoder().encode(`${note.path}\0${note.text}`);
  const captured = WindowAt.text + text.length;
  const bytes = new Uint8Array(blockBytes(captured));
  const memory = { bytes, u32: new Uint32Array(bytes.buffer) };
  endBlock(memory, 0, beginBlock(memory, 0, CONTROL_INTERFACE, time, captured, 0));
  const view = new DataView(bytes.buffer, BLOCK_HEADER);
  view.setUint8(0, PACKET_VERSION);
  view.setUint8(1, PacketKind.Window);
  view.setUint16(WindowAt.what, note.what, true);
  view.setUint32(WindowAt.nodeid, note.nodeid[0], true);
  view.setUint32(WindowAt.nodeid + 4, note.nodeid[1], true);
  view.setBigUint64(WindowAt.fileOffset, BigInt(note.fileOffset), true);
  view.setBigUint64(WindowAt.length, BigInt(note.length), true);
  view.setBigUint64(WindowAt.windowOffset, BigInt(note.windowOffset), true);
  bytes.set(text, BLOCK_HEADER + WindowAt.text);
  return bytes;
}
