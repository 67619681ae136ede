/**
 * What a capture tells beside requests: vhost-user messages and notes on the DAX window. Kept as they come, the first ones
 * up to limits, whatever a capture claims. Knows nothing of rows.
 */
import type { ControlMessage, WindowNote } from './capture';
import { VhostUserAt, VhostUserFlag, WindowAt } from './packet';

/** So many vhost-user messages are kept, each so long, all together so many bytes, at most. */
const MOST_CONTROL = 65536;
const LONGEST_CONTROL = 8192;
const MOST_CONTROL_BYTES = 8 << 20;
/** So many notes on the DAX window. */
const MOST_WINDOW_NOTES = 65536;
const LONGEST_NOTE = 8192;

export class SideLog {
  readonly control: ControlMessage[] = [];
  readonly windowNotes: WindowNote[] = [];
  /** vhost-user messages that were not kept. */
  controlLeftOut = 0;
  private controlBytes = 0;

  /** A vhost-user packet of `captured` bytes at `at`. */
  vhostUser(bytes: Uint8Array, view: DataView, at: number, captured: number, start: () => number): void {
    if (this.control.length >= MOST_CONTROL || this.controlBytes >= MOST_CONTROL_BYTES) {
      this.controlLeftOut++;
      return;
    }
    const from = at + VhostUserAt.message;
    const direction = view.getUint16(at + VhostUserAt.direction, true);
    const end = Math.min(at + captured, from + LONGEST_CONTROL);
    this.controlBytes += end - from;
    this.control.push({
      start: start(),
      fromFrontEnd: (direction & VhostUserFlag.TO_FRONT_END) === 0,
      ...((direction & VhostUserFlag.BACK_END_CHANNEL) === 0 ? {} : { backEndChannel: true }),
      descriptors: view.getUint32(at + VhostUserAt.descriptors, true),
      bytes: bytes.slice(from, end),
    });
  }

  /** A packet about the DAX window. */
  windowNote(bytes: Uint8Array, view: DataView, at: number, captured: number, start: () => number): void {
    if (this.windowNotes.length >= MOST_WINDOW_NOTES) return;
    const wide = (offset: number): number => Number(view.getBigUint64(at + offset, true));
    const end = Math.min(captured, WindowAt.text + LONGEST_NOTE);
    const text = new TextDecoder().decode(bytes.slice(at + WindowAt.text, at + end));
    const cut = text.indexOf('\0');
    this.windowNotes.push({
      start: start(),
      what: view.getUint16(at + WindowAt.what, true),
      nodeid: wide(WindowAt.nodeid),
      fileOffset: wide(WindowAt.fileOffset),
      length: wide(WindowAt.length),
      windowOffset: wide(WindowAt.windowOffset),
      path: cut < 0 ? '' : text.slice(0, cut),
      text: text.slice(cut + 1),
    });
  }
}
