/**
 * The opcodes that are answered with ENOSYS, and why each. The kernel remembers ENOSYS and does not ask again, or does
 * without. Whatever is neither here nor in handlers.ts does not compile.
 */
import { opcodeByNumber, type OpcodeName } from '../protocol/fuse/opcodes';

const refused = {
  BMAP: 'Block numbers mean something on a block device only (FIBMAP, swap files); a shared folder has none.',
  POLL: 'Regular files are always ready, which is what the kernel assumes after ENOSYS; nothing else can be opened.',
  NOTIFY_REPLY: 'Answers NOTIFY_RETRIEVE, which is never sent: the Linux driver has no notification queue.',
} as const satisfies Partial<Record<OpcodeName, string>>;

export type ServedOpcode = Exclude<OpcodeName, keyof typeof refused>;

export const refusedOpcodes: Readonly<Partial<Record<OpcodeName, string>>> = refused;

const NO_REASON = 'There is no such opcode.';

/** Why an opcode that is not served is refused. */
export function whyRefused(opcode: number): string {
  const row = opcodeByNumber(opcode);
  return (row && refusedOpcodes[row.name]) ?? NO_REASON;
}
