/**
 * Node numbers beyond what a double holds exactly. Columns have nodeids as doubles; two from 2^53 on may be one there.
 * Paths, filters, the DAX window and decoded messages have all 64 bits; what goes by the number in a column leaves such
 * nodes out, and says so.
 */
import { InHeader } from '../protocol/fuse/structs';
import type { Capture } from './capture';

/** All 64 bits: a double where that is exact. Keys of maps and `===` tell them apart. */
export type NodeNumber = number | bigint;

/** The upper word of the first one. */
export const WIDE_HIGH = 0x20_0000;

const TWO_32 = 0x1_0000_0000;

export const nodeNumber = (high: number, low: number): NodeNumber =>
  high < WIDE_HIGH ? high * TWO_32 + low : (BigInt(high) << 32n) | BigInt(low);

/** Its two words, to be stored in columns of 32 bits. */
export const highOf = (node: NodeNumber): number =>
  typeof node === 'number' ? Math.floor(node / TWO_32) : Number(node >> 32n);
export const lowOf = (node: NodeNumber): number =>
  typeof node === 'number' ? node % TWO_32 : Number(node & 0xffff_ffffn);

/** Of a request; its bytes are looked at only where the column does not do. */
export function nodeNumberOf(capture: Capture, row: number): NodeNumber {
  const nodeid = capture.columns.nodeid[row];
  if (nodeid <= Number.MAX_SAFE_INTEGER) return nodeid;
  const bytes = capture.requestBytes(row);
  // A live capture keeps no more than it may.
  if (bytes.length < InHeader.size) return nodeid;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = InHeader.offset.nodeid;
  return nodeNumber(view.getUint32(at + 4, true), view.getUint32(at, true));
}

/** Where such a capture is looked at. */
export const WIDE_LEFT_OUT = 'Inodes with numbers of 2^53 and more are left out.';

/** What is told of a capture in which some came `seen` times. */
export const wideText = (seen: number): string =>
  `nodes with numbers of 2^53 and more, seen ${seen} ${seen === 1 ? 'time' : 'times'}: ` +
  'findings, inodes and handles leave these out';
