/**
 * *FUSE opcodes*: a text with one line an opcode, that takes breakpoints in the gutter. Owns its lines.
 */
import { opcodes, type OpcodeRow } from '../protocol/fuse/opcodes';

export const OPCODES_TITLE = 'FUSE opcodes';

const HEAD = ['# One line an opcode. Set breakpoints here; conditions are in the filter language.', ''];

const WIDEST = Math.max(...opcodes.map(({ name }) => name.length));

/** Lines that begin with an opcode's number, name and sentence. */
export function opcodeDocument(): string {
  const line = ({ name, number, doc, reply }: OpcodeRow): string =>
    `${String(number).padStart(2)}  ${name.padEnd(WIDEST)}  ${doc}${reply ? '' : ' (never held)'}`;
  return `${[...HEAD, ...opcodes.map(line)].join('\n')}\n`;
}

/** Undefined for a line that has no opcode. Lines count from 1. */
export const opcodeAtLine = (line: number): OpcodeRow | undefined => opcodes[line - 1 - HEAD.length];

export function lineOfOpcode(number: number): number | undefined {
  const index = opcodes.findIndex((row) => row.number === number);
  return index < 0 ? undefined : index + 1 + HEAD.length;
}
