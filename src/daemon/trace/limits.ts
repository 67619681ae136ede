/**
 * How much of a message a capture keeps: data beyond the snap length is cut, all else is whole, since headers,
 * arguments, names and directory entries are what paths and decoding come from.
 */
import { opcodes, type OpcodeRow } from '../../protocol/fuse/opcodes';
import { InHeader, OutHeader } from '../../protocol/fuse/structs';
import type { StructTable } from '../../protocol/struct';
import { FuseAt } from '../../trace/packet';

/**
 * Wireshark takes a capture with a longer packet for damaged (WTAP_MAX_PACKET_SIZE_STANDARD). Linux asks for listings
 * of 32 KiB, so nothing that guests send is cut by it.
 */
const LONGEST_PACKET = 1 << 18;
export const WHOLE = LONGEST_PACKET - FuseAt.message;
/** Longest name, with its NUL. */
const NAME = 256;

export interface CaptureLimits {
  /** Bytes kept, by opcode. */
  readonly request: Uint32Array;
  readonly reply: Uint32Array;
  /** Of a message whose opcode is beyond these. */
  readonly unknown: number;
}

const size = (structs: readonly StructTable[]): number => structs.reduce((sum, one) => sum + one.size, 0);

export function captureLimits(snapLength: number): CaptureLimits {
  const last = Math.max(...opcodes.map((row) => row.number));
  const unknown = Math.min(WHOLE, InHeader.size + snapLength);
  const request = new Uint32Array(last + 1).fill(unknown);
  const reply = new Uint32Array(last + 1).fill(unknown);
  const kept = (row: OpcodeRow, of: 'inPayload' | 'outPayload', header: number): number =>
    row[of]?.kind === 'data' ? Math.min(WHOLE, header + snapLength) : WHOLE;
  for (const row of opcodes) {
    request[row.number] = kept(row, 'inPayload', InHeader.size + size(row.in) + row.names.length * NAME);
    reply[row.number] = kept(row, 'outPayload', OutHeader.size + size(row.out));
  }
  return { request, reply, unknown };
}
