/**
 * What OPEN and CREATE say of files, for the findings about them (O_DIRECT, mmap, locks): the caller's flags, and which
 * names programs lock or map.
 */
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import { CreateIn, EntryOut, InHeader, OpenIn, OpenOut, OutHeader } from '../../protocol/fuse/structs';
import { u32At } from './bytes';
import type { Row } from './row';

/** O_ flags of an OPEN or CREATE in the numbers of `OpenFlag`; 0 where they are not in the capture. */
export function openFlagsOf(row: Row): number {
  const at = row.opcode === Opcode.CREATE ? CreateIn.offset.flags : OpenIn.offset.flags;
  return row.asOpenFlags(u32At(row.request(), InHeader.size + at));
}

/** FOPEN_ flags of the reply; 0 where there is none. */
export function fopenFlagsOf(row: Row): number {
  if (!row.succeeded) return 0;
  const at = OutHeader.size + (row.opcode === Opcode.CREATE ? EntryOut.size : 0) + OpenOut.offset.open_flags;
  return u32At(row.reply(), at);
}

/** SQLite, Berkeley DB, LMDB, dpkg, apt and others: files that are locked with fcntl or flock, or mapped shared. */
const lockedName = /(?:\.(?:db|db3|sqlite|sqlite3|mdb|ldb|tdb|realm|lck|lock)|-(?:journal|wal|shm)|\/lock(?:file)?)$/i;

/** Whether programs usually lock files of that name. */
export const isLockedName = (path: string): boolean => lockedName.test(path);
