/**
 * What each opcode has to do with names, from the opcodes' own rows: where in a request a name or a handle is, and
 * whether it or its reply changes what is known.
 */
import { Opcode } from '../protocol/fuse/opcodeNumbers';
import { opcodeByNumber, opcodes, sizeInSession } from '../protocol/fuse/opcodes';
import type { SessionShape } from '../protocol/message';

/** Opcodes are below it, as far as they mean anything here. */
export const OPCODES = 64;
export const NAMELESS = 0xff;

const named = ['LOOKUP', 'SYMLINK', 'UNLINK', 'RMDIR', 'MKNOD', 'MKDIR', 'RENAME', 'LINK', 'RENAME2'] as const;
const created = ['CREATE', 'TMPFILE'] as const;

/** Those that are about a name in the folder whose nodeid is in their header. */
export const namedOpcodes: ReadonlySet<number> = new Set([...named, ...created].map((name) => Opcode[name]));

/** By opcode: bytes between the header and the name of a file; NAMELESS: there is none. */
export function placesOfNames(session: SessionShape | undefined): Uint8Array {
  const places = new Uint8Array(OPCODES).fill(NAMELESS);
  for (const name of [...named, ...created]) {
    const row = opcodeByNumber(Opcode[name]);
    if (!row) continue;
    const size = (index: number): number =>
      session ? sizeInSession(row, 'in', index, session.minor, (flag) => session.hasFlag(flag)) : row.in[index].size;
    places[row.number] = row.in.reduce((sum, _, index) => sum + size(index), 0);
  }
  return places;
}

/** By opcode: whether a reply changes what is known. */
export const TELLING = new Uint8Array(OPCODES);
for (const name of [...named, ...created, 'OPEN', 'READDIRPLUS', 'DESTROY'] as const) TELLING[Opcode[name]] = 1;

/** Whether what is known can be another thing after a request of this opcode, or after its reply. */
export const changesPaths = (opcode: number): boolean =>
  opcode < OPCODES && (TELLING[opcode] === 1 || ASKING.has(opcode));
const ASKING: ReadonlySet<number> = new Set([Opcode.FORGET, Opcode.BATCH_FORGET, Opcode.RELEASE]);

export const NO_HANDLE = 0xff;
/** By opcode: where in the arguments the handle of a file is. */
export const HANDLE_AT = handlePlaces();

function handlePlaces(): Uint8Array {
  const places = new Uint8Array(OPCODES).fill(NO_HANDLE);
  for (const row of opcodes) {
    const at = row.in.length > 0 ? (row.in[0].offset as Readonly<Record<string, number | undefined>>).fh : undefined;
    if (at !== undefined && row.number < OPCODES) places[row.number] = at;
  }
  return places;
}
