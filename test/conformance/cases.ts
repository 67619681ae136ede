/**
 * The one list: everything a program may expect of a shared folder. It runs on memfs and on the daemon through our own
 * front-end, in User Mode Linux, in QEMU guests, and on other people's daemons as an oracle.
 */
import { attributes } from './attributes';
import type { Case } from './case';
import { data } from './data';
import { directories } from './directories';
import { links } from './links';
import { locks } from './locks';
import { mappings } from './mappings';
import { names } from './names';
import { permissionCases } from './permissions';
import { ranges } from './ranges';
import { renames } from './renames';
import { xattrs } from './xattrs';

export const cases: Readonly<Record<string, readonly Case[]>> = {
  names,
  links,
  renames,
  attributes,
  data,
  ranges,
  directories,
  xattrs,
  locks,
  mappings,
  permissions: permissionCases,
};

/** Some of the opcodes that a daemon which has served the list has met. */
export const LIST_OPCODES = ['LOOKUP', 'CREATE', 'WRITE', 'READDIR', 'SETLK'] as const;
