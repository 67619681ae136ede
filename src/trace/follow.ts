/**
 * The requests that have to do with one inode, one handle or one process: `inode=5`, `fh=0x100000002`, `pid=1234`.
 *
 * Of an inode: those about it, those that name it among their arguments, and those whose reply is it (LOOKUP, CREATE …;
 * not every listing it is in). Of a handle: those with it, and the one that opened it. Which bytes these are follows
 * from the structure tables.
 */
import { opcodeByNumber, type OpcodeRow } from '../protocol/fuse/opcodes';
import { InHeader, OutHeader } from '../protocol/fuse/structs';
import type { StructTable } from '../protocol/struct';
import { RowFlag, type Capture } from './capture';

export type FollowKind = 'inode' | 'fh' | 'pid';

export interface Followed {
  readonly kind: FollowKind;
  readonly value: bigint;
}

/** `inode=5`, `inode:5`; undefined for what is none. */
export function parseFollow(text: string): Followed | undefined {
  const match = /^(inode|fh|pid)[=:](\d{1,20}|0x[0-9a-f]{1,16})$/i.exec(text.trim());
  if (match === null) return undefined;
  const value = BigInt(match[2]);
  return value >> 64n === 0n ? { kind: match[1].toLowerCase() as FollowKind, value } : undefined;
}

interface Places {
  readonly request: readonly number[];
  readonly reply: readonly number[];
}

/** A test for rows; decodes nothing. */
export function follow({ kind, value }: Followed): (capture: Capture, row: number) => boolean {
  if (kind === 'pid') return ({ columns }, row) => columns.pid[row] === Number(value);
  const places = new Map<number, Places>();
  const low = Number(value & 0xffff_ffffn) | 0;
  const high = Number(value >> 32n) | 0;
  return (capture, row) => {
    const opcode = opcodeByNumber(capture.columns.opcode[row]);
    if (!opcode || (capture.columns.flags[row] & RowFlag.ORPHAN) !== 0) return false;
    let of = places.get(opcode.number);
    if (!of) places.set(opcode.number, (of = placesOf(opcode, kind)));
    if (of.request.length > 0 && holds(capture.requestBytes(row), of.request, low, high)) return true;
    return (
      of.reply.length > 0 && capture.columns.error[row] === 0 && holds(capture.replyBytes(row), of.reply, low, high)
    );
  };
}

function placesOf(opcode: OpcodeRow, kind: 'inode' | 'fh'): Places {
  return {
    request: [...(kind === 'inode' ? [InHeader.offset.nodeid] : []), ...idsIn(opcode.in, InHeader.size, kind)],
    reply: idsIn(opcode.out, OutHeader.size, kind),
  };
}

function idsIn(tables: readonly StructTable[], from: number, kind: 'inode' | 'fh'): number[] {
  let at = from;
  return tables.flatMap((table) => {
    const ids = table.fields.filter(({ show, type }) => show === 'id' && type === 'u64');
    const here = ids.filter(({ name }) => name.startsWith('fh') === (kind === 'fh')).map((field) => at + field.at);
    at += table.size;
    return here;
  });
}

function holds(bytes: Uint8Array, places: readonly number[], low: number, high: number): boolean {
  for (const at of places) {
    if (at + 8 <= bytes.length && word(bytes, at) === low && word(bytes, at + 4) === high) return true;
  }
  return false;
}

const word = (bytes: Uint8Array, at: number): number =>
  bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
