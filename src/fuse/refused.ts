/**
 * The opcodes that are answered with ENOSYS, and why each. The kernel remembers ENOSYS and does not ask again, or does
 * without. Whatever is neither here nor served is no opcode at all; a test holds this table and the dispatcher together.
 */
import { Opcode } from '../protocol/fuse/opcodes';

export interface RefusedOpcode {
  readonly opcode: number;
  readonly why: string;
}

export const refusedOpcodes: readonly RefusedOpcode[] = [
  {
    opcode: Opcode.BMAP,
    why: 'Block numbers mean something on a block device only (FIBMAP, swap files); a shared folder has none.',
  },
  {
    opcode: Opcode.POLL,
    why: 'Regular files are always ready, which is what the kernel assumes after ENOSYS; nothing else can be opened.',
  },
  {
    opcode: Opcode.NOTIFY_REPLY,
    why: 'Answers NOTIFY_RETRIEVE, which is never sent: the Linux driver has no notification queue.',
  },
  {
    opcode: Opcode.SETUPMAPPING,
    why: 'The DAX window is not offered yet: without map_alignment in INIT no Linux guest asks.',
  },
  { opcode: Opcode.REMOVEMAPPING, why: 'The DAX window is not offered yet.' },
];

const NO_REASON = 'There is no such opcode.';

/** Why an opcode that is not served is refused. */
export function whyRefused(opcode: number): string {
  return refusedOpcodes.find((row) => row.opcode === opcode)?.why ?? NO_REASON;
}
