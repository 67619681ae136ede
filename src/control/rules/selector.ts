/** Which opcodes and which paths a rule is about: `READ,WRITE`, `FUSE_*XATTR`; a glob of the path. Pure. */
import { nearest } from '../../base/nearest';
import { errorLine } from '../../trace/filter/errors';
import { compileFilter, type Filter } from '../../trace/filter/filter';
import { printText } from '../../trace/filter/print';
import { Opcode, opcodes } from '../../protocol/fuse/opcodes';

/** Never held, and no fault is done to them: they have no reply, or end what holds everything else. */
export const NEVER_HELD: ReadonlySet<number> = new Set([
  Opcode.FORGET,
  Opcode.BATCH_FORGET,
  Opcode.INTERRUPT,
  Opcode.DESTROY,
]);

/** Opcodes that rules tell apart; whatever is beyond counts as the last one. */
export const OPCODES = 256;
export const slotOf = (opcode: number): number => Math.min(opcode, OPCODES - 1);

const names = opcodes.map(({ name }) => name);

/** A byte for each opcode: 1 where it is meant. A text says what is wrong. */
export function parseOpcodes(globs: string): Uint8Array | string {
  const meant = new Uint8Array(OPCODES);
  const words = globs
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  if (words.length === 0) return 'no opcode is named';
  for (const word of words) {
    const bare = word.replace(/^FUSE_/i, '').toUpperCase();
    if (/^\d{1,3}$/.test(bare) && Number(bare) < OPCODES) {
      meant[Number(bare)] = 1;
      continue;
    }
    if (bare === '*') {
      meant.fill(1);
      continue;
    }
    if (!/^[A-Z0-9_*?]+$/.test(bare)) return `"${word}" is no opcode and no pattern of one`;
    const pattern = new RegExp(`^${bare.replace(/\*+/g, '.*').replace(/\?/g, '.')}$`);
    const found = opcodes.filter(({ name }) => pattern.test(name));
    if (found.length === 0) {
      const near = nearest(bare, names);
      return `no opcode is called "${word}"${near === undefined ? '' : `; did you mean "${near}"?`}`;
    }
    for (const { number } of found) meant[number] = 1;
  }
  if (meant.every((one, number) => one === 0 || NEVER_HELD.has(number))) {
    return `${words.join(', ')} is never held: the guest does not wait for it`;
  }
  return meant;
}

export type Compiled =
  { readonly filter: Filter } | { readonly problem: string; readonly from: number; readonly to: number };

/** A condition of the filter language. */
export function compileCondition(text: string): Compiled {
  const outcome = compileFilter(text);
  if (outcome.ok) return { filter: outcome.value };
  const { error } = outcome;
  return { problem: errorLine(error), from: error.from, to: error.to };
}

/** A glob of the path, as a filter. */
export const compilePath = (glob: string): Compiled => compileCondition(`path ~ ${printText(glob)}`);
