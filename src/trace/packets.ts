/**
 * The packets of a capture as they are, for what writes them anew: by their place in its stream, which is the order in
 * which they came. `captureReader.ts` fills it; a packet whose bytes are not to be had any more is empty.
 */
import type { Capture } from './capture';

/** A packet that belongs to no request: a vhost-user message, names, a note on the DAX window. */
export interface SidePacket {
  readonly place: number;
  readonly captured: number;
  /** Nanoseconds after the capture's origin; NaN where that says nothing. */
  readonly start: number;
  /** Kept, whatever becomes of the stream. */
  readonly bytes?: Uint8Array;
}

/** INIT and its reply, kept whatever becomes of the stream. */
export interface InitPackets {
  readonly request: Uint8Array;
  readonly reply: Uint8Array;
  readonly start: number;
  readonly latency: number;
}

export interface CapturePackets extends Capture {
  /** Rows before the first one that were dropped. */
  readonly droppedRows: number;
  /** Of a row's first packet: its request, or of one without a request its reply. */
  place(row: number): number;
  replyPlace(row: number): number;
  /** Valid until bytes are asked for again, like all packets here. */
  requestPacket(row: number): Uint8Array;
  replyPacket(row: number): Uint8Array;
  packetAt(place: number, length: number): Uint8Array;
  forEachHostCall(row: number, visit: (place: number, captured: number, start: number) => void): void;
  readonly sidePackets: readonly SidePacket[];
  /**
   * Where sections begin that go on with nothing of what came before; those of rows that are there, without the first.
   */
  readonly sectionPlaces: readonly number[];
  /** Those of the session that the row is in; only of a live stream, where their own row may be gone. */
  initPackets(row: number): InitPackets | undefined;
}
