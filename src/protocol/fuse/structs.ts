/**
 * Every structure of FUSE 7.46, field by field, under the kernel's names: `fuse_read_in` is `ReadIn`.
 *
 * Source: include/uapi/linux/fuse.h. Layout only: which request carries which is in opcodes.ts. CUSE and the io_uring
 * transport are left out, they never come over virtio-fs.
 */
import { i32, i64, nested, struct, u16, u32, u64, unused } from '../struct';
import {
  accessFlags,
  attrFlags,
  direntTypes,
  extTypes,
  fallocFlags,
  FopenFlag,
  fopenFlags,
  FileType,
  fsyncFlags,
  GetattrFlag,
  getattrFlags,
  initFlags,
  initFlags2,
  invalEntryFlags,
  ioctlCommands,
  ioctlFlags,
  lkFlags,
  lockTypes,
  openFlags,
  openInFlags,
  pollFlags,
  ReadFlag,
  readFlags,
  releaseFlags,
  renameFlags,
  seekWhence,
  SetattrFlag,
  setattrFlags,
  setupmappingFlags,
  setxattrExtFlags,
  statxAttributes,
  statxMask,
  statxSync,
  WriteFlag,
  writeFlags,
  xattrFlags,
} from './flags';
import { opcodeNames } from './opcodeNumbers';

export const InHeader = struct('fuse_in_header', 'In front of every request.', [
  u32('len', 'Bytes of the whole request, this header included.', { show: 'size' }),
  u32('opcode', 'What is asked.', { enum: opcodeNames }),
  u64('unique', 'The identity of the request; the reply carries it back.'),
  u64('nodeid', 'The inode it is about, as the server named it.', { show: 'id' }),
  u32('uid', 'User ID of the caller.'),
  u32('gid', 'Group ID of the caller.'),
  u32('pid', 'Process ID of the caller in the guest.'),
  u16('total_extlen', 'Length of the extensions at the end, in units of 8 bytes.', { since: 38 }),
  unused('padding', 'u16'),
]);

export const OutHeader = struct('fuse_out_header', 'In front of every reply and notification.', [
  u32('len', 'Bytes of the whole reply, this header included.', { show: 'size' }),
  i32('error', '0 or a negative errno; in a notification its code.', { show: 'errno' }),
  u64('unique', 'The identity of the request; 0 in a notification.'),
]);

export const Attr = struct('fuse_attr', 'The attributes of an inode.', [
  u64('ino', 'Inode number as stat shows it.', { detail: true }),
  u64('size', 'Size in bytes.', { show: 'size' }),
  u64('blocks', 'Allocated blocks of 512 bytes.', { detail: true }),
  u64('atime', 'Access time, seconds since the epoch.', { show: 'seconds', detail: true }),
  u64('mtime', 'Modification time, seconds since the epoch.', { show: 'seconds', detail: true }),
  u64('ctime', 'Change time, seconds since the epoch.', { show: 'seconds', detail: true }),
  u32('atimensec', 'Nanoseconds of the access time.', { detail: true }),
  u32('mtimensec', 'Nanoseconds of the modification time.', { detail: true }),
  u32('ctimensec', 'Nanoseconds of the change time.', { detail: true }),
  u32('mode', 'Type and permissions.', { show: 'mode' }),
  u32('nlink', 'Number of names.', { detail: true }),
  u32('uid', 'Owner.'),
  u32('gid', 'Group.'),
  u32('rdev', 'Device number, for device nodes.', { show: 'device', detail: true }),
  u32('blksize', 'Preferred size of I/O.', { since: 9, show: 'size', detail: true }),
  u32('flags', 'FUSE_ATTR_ flags.', { since: 36, flags: attrFlags }),
]);

export const SxTime = struct('fuse_sx_time', 'A time of statx.', [
  i64('tv_sec', 'Seconds since the epoch.', { show: 'seconds' }),
  u32('tv_nsec', 'Nanoseconds.'),
  unused('__reserved', 'i32'),
]);

export const Statx = struct('fuse_statx', 'struct statx of Linux, bit for bit.', [
  u32('mask', 'Which fields are filled.', { flags: statxMask }),
  u32('blksize', 'Preferred size of I/O.', { show: 'size', detail: true }),
  u64('attributes', 'File attributes.', { flags: statxAttributes, detail: true }),
  u32('nlink', 'Number of names.', { detail: true }),
  u32('uid', 'Owner.'),
  u32('gid', 'Group.'),
  u16('mode', 'Type and permissions.', { show: 'mode' }),
  unused('__spare0', 'u16'),
  u64('ino', 'Inode number.', { detail: true }),
  u64('size', 'Size in bytes.', { show: 'size' }),
  u64('blocks', 'Allocated blocks of 512 bytes.', { detail: true }),
  u64('attributes_mask', 'Which attributes the file system knows.', { flags: statxAttributes, detail: true }),
  nested('atime', SxTime, 'Access time.', { detail: true }),
  nested('btime', SxTime, 'Time of birth.', { detail: true }),
  nested('ctime', SxTime, 'Change time.', { detail: true }),
  nested('mtime', SxTime, 'Modification time.', { detail: true }),
  u32('rdev_major', 'Major device number, for device nodes.', { detail: true }),
  u32('rdev_minor', 'Minor device number, for device nodes.', { detail: true }),
  u32('dev_major', 'Major number of the device that holds the file.', { detail: true }),
  u32('dev_minor', 'Minor number of the device that holds the file.', { detail: true }),
  unused('__spare2', 'u64', 14),
]);

export const Kstatfs = struct('fuse_kstatfs', 'The file system as a whole.', [
  u64('blocks', 'Blocks in total.'),
  u64('bfree', 'Free blocks.'),
  u64('bavail', 'Free blocks for ordinary users.'),
  u64('files', 'Inodes in total.'),
  u64('ffree', 'Free inodes.', { detail: true }),
  u32('bsize', 'Preferred size of I/O.', { show: 'size' }),
  u32('namelen', 'Longest name, in bytes.', { detail: true }),
  u32('frsize', 'Size of a block.', { show: 'size', detail: true }),
  unused('padding', 'u32'),
  unused('spare', 'u32', 6),
]);

export const FileLock = struct('fuse_file_lock', 'A lock and its range.', [
  u64('start', 'First byte.'),
  u64('end', 'Last byte, inclusive; 0x7fffffffffffffff is the end of the file, wherever that is.'),
  u32('type', 'Shared, exclusive or none.', { enum: lockTypes }),
  u32('pid', 'Process (thread group) that holds it.'),
]);

export const EntryOut = struct('fuse_entry_out', 'An inode that the kernel now knows by a name.', [
  u64('nodeid', 'The inode, as the server names it; 0: the name is known not to be there.', { show: 'id' }),
  u64('generation', 'With nodeid unique over the life of the file system.', { detail: true }),
  u64('entry_valid', 'Seconds that the name may be cached.', { detail: true }),
  u64('attr_valid', 'Seconds that the attributes may be cached.', { detail: true }),
  u32('entry_valid_nsec', 'And nanoseconds.', { detail: true }),
  u32('attr_valid_nsec', 'And nanoseconds.', { detail: true }),
  nested('attr', Attr, 'The attributes.'),
]);

export const ForgetIn = struct('fuse_forget_in', 'FORGET.', [u64('nlookup', 'By how much the lookup count falls.')]);

export const ForgetOne = struct('fuse_forget_one', 'One of BATCH_FORGET.', [
  u64('nodeid', 'The inode.', { show: 'id' }),
  u64('nlookup', 'By how much its lookup count falls.'),
]);

export const BatchForgetIn = struct('fuse_batch_forget_in', 'BATCH_FORGET.', [
  u32('count', 'How many fuse_forget_one follow.'),
  unused('dummy', 'u32'),
]);

export const GetattrIn = struct('fuse_getattr_in', 'GETATTR.', [
  u32('getattr_flags', 'Flags.', { flags: getattrFlags, detail: true }),
  unused('dummy', 'u32'),
  u64('fh', 'Open handle, if flagged.', { validIf: ['getattr_flags', GetattrFlag.FH], show: 'id' }),
]);

export const AttrOut = struct('fuse_attr_out', 'Attributes of GETATTR and SETATTR.', [
  u64('attr_valid', 'Seconds that the attributes may be cached.', { detail: true }),
  u32('attr_valid_nsec', 'And nanoseconds.', { detail: true }),
  unused('dummy', 'u32'),
  nested('attr', Attr, 'The attributes.'),
]);

export const StatxIn = struct('fuse_statx_in', 'STATX.', [
  u32('getattr_flags', 'Flags.', { flags: getattrFlags, detail: true }),
  unused('reserved', 'u32'),
  u64('fh', 'Open handle, if flagged.', { validIf: ['getattr_flags', GetattrFlag.FH], show: 'id' }),
  u32('sx_flags', 'How fresh it is to be.', { enum: statxSync }),
  u32('sx_mask', 'Which fields are wanted.', { flags: statxMask }),
]);

export const StatxOut = struct('fuse_statx_out', 'Attributes of STATX.', [
  u64('attr_valid', 'Seconds that the attributes may be cached.', { detail: true }),
  u32('attr_valid_nsec', 'And nanoseconds.', { detail: true }),
  u32('flags', 'FUSE_ATTR_ flags.', { flags: attrFlags }),
  unused('spare', 'u64', 2),
  nested('stat', Statx, 'The attributes.'),
]);

export const MknodIn = struct('fuse_mknod_in', 'MKNOD.', [
  u32('mode', 'Type and permissions.', { show: 'mode' }),
  // Of the types that MKNOD makes, the device nodes are those with the bit of S_IFCHR.
  u32('rdev', 'Device number.', { show: 'device', validIf: ['mode', FileType.CHR] }),
  u32('umask', 'umask of the caller.', { since: 12, show: 'octal', detail: true }),
  unused('padding', 'u32'),
]);

export const MkdirIn = struct('fuse_mkdir_in', 'MKDIR.', [
  u32('mode', 'Permissions.', { show: 'mode' }),
  u32('umask', 'umask of the caller.', { since: 12, show: 'octal', detail: true }),
]);

export const RenameIn = struct('fuse_rename_in', 'RENAME.', [
  u64('newdir', 'nodeid of the new directory.', { show: 'id' }),
]);

export const Rename2In = struct('fuse_rename2_in', 'RENAME2.', [
  u64('newdir', 'nodeid of the new directory.', { show: 'id' }),
  u32('flags', 'renameat2(2) flags.', { flags: renameFlags }),
  unused('padding', 'u32'),
]);

export const LinkIn = struct('fuse_link_in', 'LINK.', [
  u64('oldnodeid', 'The inode that gets one more name.', { show: 'id' }),
]);

export const SetattrIn = struct('fuse_setattr_in', 'SETATTR.', [
  u32('valid', 'Which fields count.', { flags: setattrFlags, detail: true }),
  unused('padding', 'u32'),
  u64('fh', 'Open handle, if flagged.', { validIf: ['valid', SetattrFlag.FH], show: 'id' }),
  u64('size', 'New size.', { show: 'size', validIf: ['valid', SetattrFlag.SIZE] }),
  u64('lock_owner', 'Who truncates, for mandatory locks.', {
    since: 9,
    show: 'hex',
    validIf: ['valid', SetattrFlag.LOCKOWNER],
    detail: true,
  }),
  u64('atime', 'Access time, seconds.', { show: 'seconds', validIf: ['valid', SetattrFlag.ATIME] }),
  u64('mtime', 'Modification time, seconds.', { show: 'seconds', validIf: ['valid', SetattrFlag.MTIME] }),
  u64('ctime', 'Change time, seconds.', { since: 23, show: 'seconds', validIf: ['valid', SetattrFlag.CTIME] }),
  u32('atimensec', 'Nanoseconds of the access time.', { validIf: ['valid', SetattrFlag.ATIME], detail: true }),
  u32('mtimensec', 'Nanoseconds of the modification time.', { validIf: ['valid', SetattrFlag.MTIME], detail: true }),
  u32('ctimensec', 'Nanoseconds of the change time.', {
    since: 23,
    validIf: ['valid', SetattrFlag.CTIME],
    detail: true,
  }),
  u32('mode', 'Permissions.', { show: 'mode', validIf: ['valid', SetattrFlag.MODE] }),
  unused('unused4', 'u32'),
  u32('uid', 'Owner.', { validIf: ['valid', SetattrFlag.UID] }),
  u32('gid', 'Group.', { validIf: ['valid', SetattrFlag.GID] }),
  unused('unused5', 'u32'),
]);

export const OpenIn = struct('fuse_open_in', 'OPEN and OPENDIR.', [
  u32('flags', 'open(2) flags.', { flags: openFlags }),
  u32('open_flags', 'FUSE_OPEN_ flags.', { since: 33, flags: openInFlags }),
]);

export const CreateIn = struct('fuse_create_in', 'CREATE and TMPFILE.', [
  u32('flags', 'open(2) flags.', { flags: openFlags }),
  u32('mode', 'Type and permissions.', { show: 'mode' }),
  u32('umask', 'umask of the caller.', { since: 12, show: 'octal', detail: true }),
  u32('open_flags', 'FUSE_OPEN_ flags.', { since: 33, flags: openInFlags }),
]);

export const OpenOut = struct('fuse_open_out', 'An open file or directory.', [
  u64('fh', 'Its handle, as the server names it.', { show: 'id' }),
  u32('open_flags', 'FOPEN_ flags.', { flags: fopenFlags }),
  i32('backing_id', 'Backing file.', { since: 40, validIf: ['open_flags', FopenFlag.PASSTHROUGH] }),
]);

export const ReleaseIn = struct('fuse_release_in', 'RELEASE and RELEASEDIR.', [
  u64('fh', 'The handle that ends.', { show: 'id' }),
  u32('flags', 'open(2) flags it was opened with.', { flags: openFlags, detail: true }),
  u32('release_flags', 'Flags.', { since: 8, flags: releaseFlags }),
  u64('lock_owner', 'Whose locks go.', { since: 8, show: 'hex', detail: true }),
]);

export const FlushIn = struct('fuse_flush_in', 'FLUSH.', [
  u64('fh', 'The handle.', { show: 'id' }),
  unused('unused', 'u32'),
  unused('padding', 'u32'),
  u64('lock_owner', 'Whose POSIX locks go.', { since: 7, show: 'hex', detail: true }),
]);

export const ReadIn = struct('fuse_read_in', 'READ, READDIR and READDIRPLUS.', [
  u64('fh', 'The handle.', { show: 'id' }),
  u64('offset', 'Where; for directories a position given earlier.'),
  u32('size', 'How much at most.', { show: 'size' }),
  u32('read_flags', 'Flags.', { since: 9, flags: readFlags }),
  u64('lock_owner', 'Who reads, if flagged.', {
    since: 9,
    show: 'hex',
    validIf: ['read_flags', ReadFlag.LOCKOWNER],
    detail: true,
  }),
  u32('flags', 'open(2) flags of the handle.', { since: 9, flags: openFlags, detail: true }),
  unused('padding', 'u32'),
]);

export const WriteIn = struct('fuse_write_in', 'WRITE.', [
  u64('fh', 'The handle.', { show: 'id' }),
  u64('offset', 'Where.'),
  u32('size', 'How much; as many bytes follow.', { show: 'size' }),
  u32('write_flags', 'Flags.', { flags: writeFlags }),
  u64('lock_owner', 'Who writes, if flagged.', {
    since: 9,
    show: 'hex',
    validIf: ['write_flags', WriteFlag.LOCKOWNER],
    detail: true,
  }),
  u32('flags', 'open(2) flags of the handle.', { since: 9, flags: openFlags, detail: true }),
  unused('padding', 'u32'),
]);

export const WriteOut = struct('fuse_write_out', 'WRITE and COPY_FILE_RANGE.', [
  u32('size', 'Bytes written.', { show: 'size' }),
  unused('padding', 'u32'),
]);

export const StatfsOut = struct('fuse_statfs_out', 'STATFS.', [nested('st', Kstatfs, 'The file system.')]);

export const FsyncIn = struct('fuse_fsync_in', 'FSYNC and FSYNCDIR.', [
  u64('fh', 'The handle.', { show: 'id' }),
  u32('fsync_flags', 'Flags.', { flags: fsyncFlags }),
  unused('padding', 'u32'),
]);

export const SetxattrIn = struct('fuse_setxattr_in', 'SETXATTR; the last two fields only with FUSE_SETXATTR_EXT.', [
  u32('size', 'Bytes of the value.', { show: 'size' }),
  u32('flags', 'setxattr(2) flags.', { flags: xattrFlags }),
  u32('setxattr_flags', 'FUSE_SETXATTR_ flags.', { since: 33, flags: setxattrExtFlags }),
  unused('padding', 'u32'),
]);

export const GetxattrIn = struct('fuse_getxattr_in', 'GETXATTR and LISTXATTR.', [
  u32('size', 'Room for the answer; 0 asks for the length only.', { show: 'size' }),
  unused('padding', 'u32'),
]);

export const GetxattrOut = struct('fuse_getxattr_out', 'GETXATTR and LISTXATTR with size 0.', [
  u32('size', 'Bytes that the whole answer has.', { show: 'size' }),
  unused('padding', 'u32'),
]);

export const LkIn = struct('fuse_lk_in', 'GETLK, SETLK and SETLKW.', [
  u64('fh', 'The handle.', { show: 'id' }),
  u64('owner', 'Who locks.', { show: 'hex', detail: true }),
  nested('lk', FileLock, 'The lock.'),
  u32('lk_flags', 'Flags.', { since: 9, flags: lkFlags }),
  unused('padding', 'u32'),
]);

export const LkOut = struct('fuse_lk_out', 'GETLK.', [nested('lk', FileLock, 'The lock in the way.')]);

export const AccessIn = struct('fuse_access_in', 'ACCESS.', [
  u32('mask', 'access(2) mask.', { flags: accessFlags }),
  unused('padding', 'u32'),
]);

export const InitIn = struct('fuse_init_in', 'INIT.', [
  u32('major', 'Major version of the kernel.'),
  u32('minor', 'Minor version of the kernel.'),
  u32('max_readahead', 'Longest read ahead.', { since: 6, show: 'size' }),
  u32('flags', 'What the kernel can do.', { since: 6, flags: initFlags }),
  u32('flags2', 'What else, with INIT_EXT.', { since: 36, flags: initFlags2 }),
  unused('unused', 'u32', 11),
]);

export const InitOut = struct('fuse_init_out', 'INIT.', [
  u32('major', 'Major version of the server.'),
  u32('minor', 'Minor version of the server.'),
  u32('max_readahead', 'Longest read ahead.', { show: 'size' }),
  u32('flags', 'What both use.', { flags: initFlags }),
  u16('max_background', 'How many background requests at a time.', { since: 13, detail: true }),
  u16('congestion_threshold', 'From how many on the device counts as congested.', { since: 13, detail: true }),
  u32('max_write', 'Longest WRITE.', { since: 5, show: 'size' }),
  u32('time_gran', 'Resolution of times in nanoseconds.', { since: 23, detail: true }),
  u16('max_pages', 'Most pages of one request.', { since: 28 }),
  u16('map_alignment', 'log2 of the alignment in the DAX window.', { since: 31 }),
  u32('flags2', 'What else both use.', { since: 36, flags: initFlags2 }),
  u32('max_stack_depth', 'How deep file systems may be stacked (passthrough).', { since: 40, detail: true }),
  u16('request_timeout', 'Seconds until a late reply ends the session.', { since: 43 }),
  unused('unused', 'u16', 11),
]);

export const InterruptIn = struct('fuse_interrupt_in', 'INTERRUPT.', [u64('unique', 'The request to be interrupted.')]);

export const BmapIn = struct('fuse_bmap_in', 'BMAP.', [
  u64('block', 'Block of the file.'),
  u32('blocksize', 'Size of a block.', { show: 'size' }),
  unused('padding', 'u32'),
]);

export const BmapOut = struct('fuse_bmap_out', 'BMAP.', [u64('block', 'Block of the device.')]);

export const IoctlIn = struct('fuse_ioctl_in', 'IOCTL.', [
  u64('fh', 'The handle.', { show: 'id' }),
  u32('flags', 'Flags.', { flags: ioctlFlags }),
  u32('cmd', 'Which ioctl.', { enum: ioctlCommands, show: 'hex' }),
  u64('arg', 'Its argument as the caller gave it.', { show: 'hex' }),
  u32('in_size', 'Bytes in; they follow.', { show: 'size' }),
  u32('out_size', 'Room for bytes out.', { show: 'size' }),
]);

export const IoctlIovec = struct('fuse_ioctl_iovec', 'Memory of the caller that a retried IOCTL needs.', [
  u64('base', 'Address.', { show: 'hex' }),
  u64('len', 'Length.', { show: 'size' }),
]);

export const IoctlOut = struct('fuse_ioctl_out', 'IOCTL.', [
  i32('result', 'What ioctl(2) returns.'),
  u32('flags', 'Flags.', { flags: ioctlFlags }),
  u32('in_iovs', 'Number of iovecs in, for a retry.', { detail: true }),
  u32('out_iovs', 'Number of iovecs out, for a retry.', { detail: true }),
]);

export const PollIn = struct('fuse_poll_in', 'POLL.', [
  u64('fh', 'The handle.', { show: 'id' }),
  u64('kh', 'What NOTIFY_POLL has to name.'),
  u32('flags', 'Flags.', { flags: pollFlags }),
  u32('events', 'poll(2) events asked for.', { since: 21, show: 'hex' }),
]);

export const PollOut = struct('fuse_poll_out', 'POLL.', [
  u32('revents', 'poll(2) events.', { show: 'hex' }),
  unused('padding', 'u32'),
]);

export const FallocateIn = struct('fuse_fallocate_in', 'FALLOCATE.', [
  u64('fh', 'The handle.', { show: 'id' }),
  u64('offset', 'Where.'),
  u64('length', 'How much.', { show: 'size' }),
  u32('mode', 'fallocate(2) mode.', { flags: fallocFlags }),
  unused('padding', 'u32'),
]);

export const Dirent = struct('fuse_dirent', 'One entry of READDIR; the name follows, padded to 8 bytes.', [
  u64('ino', 'Inode number.'),
  u64('off', 'Position after this entry.'),
  u32('namelen', 'Bytes of the name.'),
  u32('type', 'File type.', { enum: direntTypes }),
]);

export const Direntplus = struct('fuse_direntplus', 'One entry of READDIRPLUS; the name follows, padded to 8 bytes.', [
  nested('entry_out', EntryOut, 'The inode; nodeid 0: not looked up.'),
  nested('dirent', Dirent, 'The entry.'),
]);

export const LseekIn = struct('fuse_lseek_in', 'LSEEK.', [
  u64('fh', 'The handle.', { show: 'id' }),
  u64('offset', 'From where.'),
  u32('whence', 'What is looked for.', { enum: seekWhence }),
  unused('padding', 'u32'),
]);

export const LseekOut = struct('fuse_lseek_out', 'LSEEK.', [u64('offset', 'Where it is.')]);

export const CopyFileRangeIn = struct('fuse_copy_file_range_in', 'COPY_FILE_RANGE and COPY_FILE_RANGE_64.', [
  u64('fh_in', 'Handle of the source.', { show: 'id' }),
  u64('off_in', 'Where in the source.'),
  u64('nodeid_out', 'The target inode.', { show: 'id' }),
  u64('fh_out', 'Handle of the target.', { show: 'id' }),
  u64('off_out', 'Where in the target.'),
  u64('len', 'How much.', { show: 'size' }),
  u64('flags', 'copy_file_range(2) flags.', { show: 'hex' }),
]);

export const CopyFileRangeOut = struct('fuse_copy_file_range_out', 'COPY_FILE_RANGE_64.', [
  u64('bytes_copied', 'Bytes copied.', { show: 'size' }),
]);

export const SetupmappingIn = struct('fuse_setupmapping_in', 'SETUPMAPPING.', [
  u64('fh', 'Handle of the file; all ones: none.', { show: 'id' }),
  u64('foffset', 'Where in the file.', { show: 'hex' }),
  u64('len', 'How much.', { show: 'size' }),
  u64('flags', 'Flags.', { flags: setupmappingFlags }),
  u64('moffset', 'Where in the DAX window.', { show: 'hex' }),
]);

export const RemovemappingIn = struct('fuse_removemapping_in', 'REMOVEMAPPING.', [
  u32('count', 'How many fuse_removemapping_one follow.'),
]);

export const RemovemappingOne = struct('fuse_removemapping_one', 'One of REMOVEMAPPING.', [
  u64('moffset', 'Where in the DAX window.', { show: 'hex' }),
  u64('len', 'How much.', { show: 'size' }),
]);

export const SyncfsIn = struct('fuse_syncfs_in', 'SYNCFS.', [unused('padding', 'u64')]);

export const ExtHeader = struct('fuse_ext_header', 'In front of each extension after the arguments.', [
  u32('size', 'Bytes of the extension, this header included.', { show: 'size' }),
  u32('type', 'What it holds.', { enum: extTypes }),
]);

export const SecctxHeader = struct('fuse_secctx_header', 'In front of the security contexts.', [
  u32('size', 'Bytes of them all, this header included.', { show: 'size' }),
  u32('nr_secctx', 'How many fuse_secctx follow.'),
]);

export const Secctx = struct('fuse_secctx', 'One security context; its name and then its bytes follow.', [
  u32('size', 'Bytes of the context.', { show: 'size' }),
  unused('padding', 'u32'),
]);

export const SuppGroups = struct('fuse_supp_groups', 'Supplementary groups of the caller; the group IDs follow.', [
  u32('nr_groups', 'How many.'),
]);

export const NotifyPollWakeupOut = struct('fuse_notify_poll_wakeup_out', 'NOTIFY_POLL.', [
  u64('kh', 'What POLL named.'),
]);

export const NotifyInvalInodeOut = struct('fuse_notify_inval_inode_out', 'NOTIFY_INVAL_INODE.', [
  u64('ino', 'The nodeid.', { show: 'id' }),
  i64('off', 'From where pages are dropped; negative: only attributes.'),
  i64('len', 'How much; 0 or negative: to the end.'),
]);

export const NotifyInvalEntryOut = struct('fuse_notify_inval_entry_out', 'NOTIFY_INVAL_ENTRY; the name follows.', [
  u64('parent', 'nodeid of the directory.', { show: 'id' }),
  u32('namelen', 'Bytes of the name.'),
  u32('flags', 'Flags.', { since: 38, flags: invalEntryFlags }),
]);

export const NotifyDeleteOut = struct('fuse_notify_delete_out', 'NOTIFY_DELETE; the name follows.', [
  u64('parent', 'nodeid of the directory.', { show: 'id' }),
  u64('child', 'nodeid of what is gone.', { show: 'id' }),
  u32('namelen', 'Bytes of the name.'),
  unused('padding', 'u32'),
]);

export const NotifyStoreOut = struct('fuse_notify_store_out', 'NOTIFY_STORE; the data follow.', [
  u64('nodeid', 'The inode.', { show: 'id' }),
  u64('offset', 'Where.'),
  u32('size', 'How much.', { show: 'size' }),
  unused('padding', 'u32'),
]);

export const NotifyRetrieveOut = struct('fuse_notify_retrieve_out', 'NOTIFY_RETRIEVE.', [
  u64('notify_unique', 'What NOTIFY_REPLY has to name.'),
  u64('nodeid', 'The inode.', { show: 'id' }),
  u64('offset', 'Where.'),
  u32('size', 'How much.', { show: 'size' }),
  unused('padding', 'u32'),
]);

export const NotifyRetrieveIn = struct('fuse_notify_retrieve_in', 'NOTIFY_REPLY; the data follow.', [
  unused('dummy1', 'u64'),
  u64('offset', 'Where.'),
  u32('size', 'How much.', { show: 'size' }),
  unused('dummy2', 'u32'),
  unused('dummy3', 'u64'),
  unused('dummy4', 'u64'),
]);

export const NotifyPruneOut = struct('fuse_notify_prune_out', 'NOTIFY_PRUNE; the nodeids follow.', [
  u32('count', 'How many.'),
  unused('padding', 'u32'),
  unused('spare', 'u64'),
]);

/** A name in a directory entry, rounded up to where the next record starts. Bytes; FUSE_REC_ALIGN. */
export const recordAlign = (bytes: number): number => (bytes + 7) & ~7;
