/** What a reply says of a file or a folder that was found or made: fuse_entry_out, as far as paths depend on it. */
import type { FieldValues } from './captureBuilder';

const FILE = 0o100644;
const FOLDER = 0o040755;

export const file = (nodeid: number, nlink = 1, generation = 1): FieldValues => ({
  nodeid,
  generation,
  attr: { mode: FILE, nlink },
});

export const folder = (nodeid: number, generation = 1): FieldValues => ({
  nodeid,
  generation,
  attr: { mode: FOLDER, nlink: 2 },
});
