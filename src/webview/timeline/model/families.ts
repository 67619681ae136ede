/** Opcodes in families, so that a handful of colours tells them apart; and what opcodes and errors are called. */
import { errnoName } from '../../../protocol/errno';
import { Opcode, opcodeNames } from '../../../protocol/fuse/opcodeNumbers';

export const families = ['lookup', 'attributes', 'open', 'read', 'write', 'listing', 'names', 'other'] as const;
export type Family = (typeof families)[number];

export const familyTitles: Readonly<Record<Family, string>> = {
  lookup: 'Lookup',
  attributes: 'Attributes',
  open: 'Open',
  read: 'Read',
  write: 'Write',
  listing: 'List',
  names: 'Names',
  other: 'Other',
};

const members: Readonly<Record<Exclude<Family, 'other'>, readonly (keyof typeof Opcode)[]>> = {
  lookup: ['LOOKUP', 'FORGET', 'BATCH_FORGET', 'READLINK'],
  attributes: ['GETATTR', 'SETATTR', 'STATX', 'ACCESS', 'STATFS', 'GETXATTR', 'LISTXATTR', 'SETXATTR', 'REMOVEXATTR'],
  open: ['OPEN', 'RELEASE', 'OPENDIR', 'RELEASEDIR', 'FLUSH', 'CREATE', 'TMPFILE'],
  read: ['READ', 'LSEEK', 'BMAP'],
  write: ['WRITE', 'FSYNC', 'FSYNCDIR', 'SYNCFS', 'FALLOCATE', 'COPY_FILE_RANGE', 'COPY_FILE_RANGE_64'],
  listing: ['READDIR', 'READDIRPLUS'],
  names: ['MKDIR', 'MKNOD', 'SYMLINK', 'LINK', 'RENAME', 'RENAME2', 'UNLINK', 'RMDIR'],
};

/** Index into `families`, by opcode; beyond the table: `other`. */
export const familyOf = new Uint8Array(64).fill(families.indexOf('other'));
for (const [family, names] of Object.entries(members)) {
  for (const name of names) familyOf[Opcode[name]] = families.indexOf(family as Family);
}

export const familyIndex = (opcode: number): number => (opcode < 64 ? familyOf[opcode] : families.length - 1);

export const opcodeName = (opcode: number): string =>
  opcode === 0 ? '(no request)' : (opcodeNames.byValue.get(opcode)?.name ?? `opcode ${opcode}`);

export const errorName = (error: number): string => (error < 0 ? errnoName(error) : '');
