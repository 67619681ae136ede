/**
 * Which inodes a request of the guest may change, judged by its opcode: everything that is the guest's own doing must
 * not be taken for the host's. Counts what fails as well, and what is still in flight.
 */
import { OpenFlag, SetupmappingFlag } from '../../protocol/fuse/flags';
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import { CopyFileRangeIn, InHeader, LinkIn, OpenIn, RenameIn, SetupmappingIn } from '../../protocol/fuse/structs';
import { u32At, u64At } from './bytes';
import type { Row } from './row';

const IN = InHeader.size;

/** They change the folder they name, and perhaps an inode that has a name there. */
const nameOpcodes: readonly number[] = [
  Opcode.SYMLINK,
  Opcode.MKNOD,
  Opcode.MKDIR,
  Opcode.UNLINK,
  Opcode.RMDIR,
  Opcode.RENAME,
  Opcode.RENAME2,
  Opcode.LINK,
  Opcode.CREATE,
  Opcode.TMPFILE,
];

/** They change the inode they name, in size, data or attributes. */
const inodeOpcodes: readonly number[] = [
  Opcode.SETATTR,
  Opcode.WRITE,
  Opcode.FALLOCATE,
  Opcode.SETXATTR,
  Opcode.REMOVEXATTR,
  Opcode.IOCTL,
];

/** Rows that `guestChanges` wants to see. */
export const changingOpcodes: readonly number[] = [
  ...nameOpcodes,
  ...inodeOpcodes,
  Opcode.OPEN,
  Opcode.COPY_FILE_RANGE,
  Opcode.COPY_FILE_RANGE_64,
  Opcode.SETUPMAPPING,
];

const names = new Set(nameOpcodes);
const inodes = new Set(inodeOpcodes);

export interface ChangeSink {
  /** The row may change this inode; with `forever` also at any time after it (mapped memory). */
  changed(row: Row, nodeid: number, forever: boolean): void;
  /** The row may change names, and the ctime of an inode that is not known. */
  namesChanged(row: Row): void;
}

export function guestChanges(row: Row, sink: ChangeSink): void {
  const { opcode, nodeid } = row;
  if (inodes.has(opcode)) return sink.changed(row, nodeid, false);
  if (names.has(opcode)) {
    sink.namesChanged(row);
    sink.changed(row, nodeid, false);
    if (opcode === Opcode.RENAME || opcode === Opcode.RENAME2) {
      sink.changed(row, u64At(row.request(), IN + RenameIn.offset.newdir), false);
    } else if (opcode === Opcode.LINK) {
      sink.changed(row, u64At(row.request(), IN + LinkIn.offset.oldnodeid), false);
    }
    return;
  }
  if (opcode === Opcode.OPEN) {
    if (u32At(row.request(), IN + OpenIn.offset.flags) & OpenFlag.TRUNC) sink.changed(row, nodeid, false);
  } else if (opcode === Opcode.COPY_FILE_RANGE || opcode === Opcode.COPY_FILE_RANGE_64) {
    sink.changed(row, u64At(row.request(), IN + CopyFileRangeIn.offset.nodeid_out), false);
  } else if (opcode === Opcode.SETUPMAPPING) {
    if (u32At(row.request(), IN + SetupmappingIn.offset.flags) & SetupmappingFlag.WRITE) {
      sink.changed(row, nodeid, true);
    }
  }
}
