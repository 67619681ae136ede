/**
 * How long a request of each opcode is at least, how much room its reply needs at least, and whether it has one.
 *
 * Dense arrays by opcode, made from the protocol's table, for the check that every request passes before anything is
 * done for it. Lengths are those of the oldest guest served; what newer ones have more of is their handlers' business.
 */
import { Opcode, opcodes, sizeInSession } from '../protocol/fuse/opcodes';
import { refusedOpcodes } from './refused';

/** The oldest minor version served, as virtiofsd has it. The first Linux with virtio-fs, 5.4, speaks 7.31. */
export const OLDEST_MINOR_VERSION = 27;

/** In `argumentBytes`: the opcode is not served. */
export const NOT_SERVED = 0xffff;

const OPCODES = 64;
const noFlags = (): boolean => false;

/** By opcode: bytes of arguments behind the header, names and data not counted; or NOT_SERVED. */
export const argumentBytes = new Uint16Array(OPCODES).fill(NOT_SERVED);

/** By opcode: bytes of reply behind the header that a success has at least. */
export const replyBytes = new Uint16Array(OPCODES);

/** By opcode: 1 where a request has no reply, not even for an error (but INTERRUPT's EAGAIN, where there is room). */
export const isSilent = new Uint8Array(OPCODES);

for (const row of opcodes) {
  isSilent[row.number] = row.reply ? 0 : 1;
  if (row.name in refusedOpcodes) continue;
  argumentBytes[row.number] = row.in.reduce(
    (sum, _, index) => sum + sizeInSession(row, 'in', index, OLDEST_MINOR_VERSION, noFlags),
    0,
  );
  replyBytes[row.number] = row.out.reduce((sum, table) => sum + table.size, 0);
}

/** `fuse_init_in` before flags2: all that guests before 7.36 send. */
export const SHORT_INIT_IN = argumentBytes[Opcode.INIT];
