/**
 * What a capture tells beside requests: vhost-user messages and notes on the DAX window. Kept as they come, the first
 * ones up to limits, whatever a capture claims; names only by their place. Knows nothing of rows.
 */
import type { ControlMessage, WindowNote } from './capture';
import { nodeNumber } from './nodeNumbers';
import { VhostUserAt, VhostUserFlag, WindowAt } from './packet';
import type { SidePacket } from './packets';

/** So many vhost-user messages are kept, each so long, all together so many bytes, at most. */
const MOST_CONTROL = 65536;
const LONGEST_CONTROL = 8192;
const MOST_CONTROL_BYTES = 8 << 20;
/** So many notes on the DAX window, all together so many bytes, and packets of names. */
const MOST_WINDOW_NOTES = 65536;
const MOST_WINDOW_BYTES = 16 << 20;
const MOST_NAMES = 65536;
const LONGEST_NOTE = 8192;

export class SideLog {
  readonly control: ControlMessage[] = [];
  readonly windowNotes: WindowNote[] = [];
  /** The packets of all that, in the order in which they came. */
  readonly packets: SidePacket[] = [];
  /** vhost-user messages that were not kept. */
  controlLeftOut = 0;
  /** Notes on the DAX window that were not. */
  windowLeftOut = 0;
  private controlBytes = 0;
  private windowBytes = 0;
  private names = 0;

  /** A vhost-user packet of `captured` bytes at `at`, which are at `place` in the stream. */
  vhostUser(bytes: Uint8Array, view: DataView, at: number, captured: number, place: number, start: () => number): void {
    if (this.control.length >= MOST_CONTROL || this.controlBytes >= MOST_CONTROL_BYTES) {
      this.controlLeftOut++;
      return;
    }
    const from = at + VhostUserAt.message;
    const direction = view.getUint16(at + VhostUserAt.direction, true);
    const end = Math.min(at + captured, from + LONGEST_CONTROL);
    this.controlBytes += end - from;
    const packet = bytes.slice(at, end);
    const began = start();
    this.packets.push({ place, captured: packet.length, start: began, bytes: packet });
    this.control.push({
      start: began,
      fromFrontEnd: (direction & VhostUserFlag.TO_FRONT_END) === 0,
      ...((direction & VhostUserFlag.BACK_END_CHANNEL) === 0 ? {} : { backEndChannel: true }),
      descriptors: view.getUint32(at + VhostUserAt.descriptors, true),
      bytes: packet.subarray(VhostUserAt.message),
    });
  }

  /** A packet about the DAX window. */
  windowNote(
    bytes: Uint8Array,
    view: DataView,
    at: number,
    captured: number,
    place: number,
    start: () => number,
  ): void {
    if (this.windowNotes.length >= MOST_WINDOW_NOTES || this.windowBytes >= MOST_WINDOW_BYTES) {
      this.windowLeftOut++;
      return;
    }
    const wide = (offset: number): number => Number(view.getBigUint64(at + offset, true));
    const end = Math.min(captured, WindowAt.text + LONGEST_NOTE);
    this.windowBytes += end;
    const packet = bytes.slice(at, at + end);
    const began = start();
    this.packets.push({ place, captured: end, start: began, bytes: packet });
    const text = new TextDecoder().decode(packet.subarray(WindowAt.text));
    const cut = text.indexOf('\0');
    this.windowNotes.push({
      start: began,
      what: view.getUint16(at + WindowAt.what, true),
      nodeid: nodeNumber(view.getUint32(at + WindowAt.nodeid + 4, true), view.getUint32(at + WindowAt.nodeid, true)),
      fileOffset: wide(WindowAt.fileOffset),
      length: wide(WindowAt.length),
      windowOffset: wide(WindowAt.windowOffset),
      path: cut < 0 ? '' : text.slice(0, cut),
      text: text.slice(cut + 1),
    });
  }

  /** A packet of names: a guest may know millions, so it stays where it is. */
  namesAt(place: number, captured: number): void {
    if (this.names++ < MOST_NAMES) this.packets.push({ place, captured, start: NaN });
  }
}
