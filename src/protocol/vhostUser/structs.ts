/**
 * vhost-user: the header of a message and every payload that a virtio-fs back-end meets.
 *
 * Source: QEMU docs/interop/vhost-user.rst (11.1), hw/virtio/vhost-user.c. Numbers are in the machine's byte order,
 * which is little-endian wherever this runs. Names are those of QEMU's C structures.
 */
import { enumTable, flagTable } from '../flagTable';
import { nested, struct, u16, u32, u64, u8, unused } from '../struct';

export const headerFlags = flagTable('VHOST_USER_', 'Flags of a message.', {
  VERSION: [0x1, 'Version 1.', 0x3],
  REPLY: [0x4, 'This is a reply.'],
  NEED_REPLY: [0x8, 'The other side has to answer with a u64 (REPLY_ACK).'],
});
export const HeaderFlag = headerFlags.value;

export const Header = struct('vhost_user_header', 'In front of every message.', [
  u32('request', 'What is asked.'),
  u32('flags', 'Flags.', { flags: headerFlags }),
  u32('size', 'Bytes of the payload.', { show: 'size' }),
]);

export const U64 = struct('u64', 'A single number.', [u64('u64', 'The number.', { show: 'hex' })]);

/** In the u64 of SET_VRING_KICK, SET_VRING_CALL and SET_VRING_ERR. */
export const VRING_INDEX_MASK = 0xff;
/** In the same: there is no descriptor, poll instead. */
export const VRING_NOFD_MASK = 0x100;

export const VringState = struct('vhost_vring_state', 'A queue and a number.', [
  u32('index', 'The queue.'),
  u32('num', 'Its size, base or state.'),
]);

export const vringFlags = flagTable('VHOST_VRING_F_', 'Flags of a queue.', {
  LOG: [1, 'Log writes to the used ring.'],
});

export const VringAddr = struct('vhost_vring_addr', 'Where the areas of a queue are, in front-end addresses.', [
  u32('index', 'The queue.'),
  u32('flags', 'Flags.', { flags: vringFlags }),
  u64('desc_user_addr', 'Descriptor table.', { show: 'hex' }),
  u64('used_user_addr', 'Used ring.', { show: 'hex' }),
  u64('avail_user_addr', 'Available ring.', { show: 'hex' }),
  u64('log_guest_addr', 'Guest address for logging.', { show: 'hex' }),
]);

export const MemoryRegion = struct('VhostUserMemoryRegion', 'A piece of guest memory, with a descriptor to map it.', [
  u64('guest_phys_addr', 'Where the guest sees it.', { show: 'hex' }),
  u64('memory_size', 'Its size.', { show: 'size' }),
  u64('userspace_addr', 'Where the front-end sees it.', { show: 'hex' }),
  u64('mmap_offset', 'Where it starts in the file.', { show: 'hex' }),
]);

/** Then `MemoryRegion regions[nregions]`, at most 8. */
export const Memory = struct('VhostUserMemory', 'SET_MEM_TABLE; the regions follow.', [
  u32('nregions', 'How many regions follow.'),
  unused('padding', 'u32'),
]);
export const MAX_TABLE_REGIONS = 8;

export const SingleMemRegion = struct('VhostUserMemRegMsg', 'ADD_MEM_REG and REM_MEM_REG.', [
  unused('padding', 'u64'),
  nested('region', MemoryRegion, 'The region.'),
]);

export const Log = struct('VhostUserLog', 'SET_LOG_BASE.', [
  u64('mmap_size', 'Bytes of the log.', { show: 'size' }),
  u64('mmap_offset', 'Where it starts in the file.', { show: 'hex' }),
]);

export const configFlags = enumTable('VHOST_SET_CONFIG_TYPE_', 'Why the configuration is accessed.', {
  FRONTEND: [0, 'By the driver.'],
  MIGRATION: [1, 'For live migration.'],
});

/** Then `u8 region[size]`, at most 256. */
export const Config = struct('VhostUserConfig', 'GET_CONFIG and SET_CONFIG; the bytes follow.', [
  u32('offset', 'Where in the configuration.'),
  u32('size', 'How many bytes.', { show: 'size' }),
  u32('flags', 'Why.', { enum: configFlags }),
]);
export const MAX_CONFIG_SIZE = 256;

export const iotlbTypes = enumTable('VHOST_IOTLB_', 'What an IOTLB message says.', {
  MISS: [1, 'An address is not known.'],
  UPDATE: [2, 'An address is now known.'],
  INVALIDATE: [3, 'An address is no longer known.'],
  ACCESS_FAIL: [4, 'An access was denied.'],
});

export const Iotlb = struct('vhost_iotlb_msg', 'IOTLB_MSG.', [
  u64('iova', 'I/O virtual address.', { show: 'hex' }),
  u64('size', 'Length.', { show: 'size' }),
  u64('uaddr', 'Front-end address.', { show: 'hex' }),
  u8('perm', '1 read, 2 write, 3 both.'),
  u8('type', 'What it says.', { enum: iotlbTypes }),
  unused('padding', 'u8', 6),
]);

export const VringArea = struct('VhostUserVringArea', 'BACKEND_VRING_HOST_NOTIFIER_MSG.', [
  u64('u64', 'Queue and flags.', { show: 'hex' }),
  u64('size', 'Length.', { show: 'size' }),
  u64('offset', 'Where in the file.', { show: 'hex' }),
]);

/** 24 bytes where QEMU sends it, 20 in the text of the specification: accept both. */
export const Inflight = struct('VhostUserInflight', 'GET_INFLIGHT_FD and SET_INFLIGHT_FD.', [
  u64('mmap_size', 'Bytes of the area.', { show: 'size' }),
  u64('mmap_offset', 'Where it starts in the file.', { show: 'hex' }),
  u16('num_queues', 'How many queues.'),
  u16('queue_size', 'Their size.'),
  unused('padding', 'u32'),
]);

/** Then `InflightDesc desc[desc_num]`. One for each queue in the area of GET_INFLIGHT_FD, each aligned to 64 bytes. */
export const InflightRegion = struct('QueueRegionSplit', 'Requests under way in one split queue.', [
  u64('features', 'Zero.'),
  u16('version', '1; 0 is an area not set up yet.'),
  u16('desc_num', 'Size of the queue.'),
  u16('last_batch_head', 'Head of the list of the last batch of used descriptors.'),
  u16('used_idx', 'idx of the used ring as it was after the last batch.'),
]);

export const InflightDesc = struct('DescStateSplit', 'Is the chain with this head under way?', [
  u8('inflight', '1 when it is.'),
  unused('padding', 'u8', 5),
  u16('next', 'The next one of the last batch.'),
  u64('counter', 'Order in which the heads were taken.'),
]);

export const transferDirections = enumTable('VHOST_TRANSFER_STATE_DIRECTION_', 'Which way the state goes.', {
  SAVE: [0, 'From the back-end.'],
  LOAD: [1, 'To the back-end.'],
});

export const TransferDeviceState = struct('VhostUserTransferDeviceState', 'SET_DEVICE_STATE_FD.', [
  u32('direction', 'Which way.', { enum: transferDirections }),
  u32('phase', 'When; 0 is with the guest stopped.'),
]);

export const shmemFlags = flagTable('VHOST_USER_FLAG_', 'Flags of a mapping.', { MAP_RW: [1, 'For writing as well.'] });

export const Mmap = struct('VhostUserMMap', 'BACKEND_SHMEM_MAP and BACKEND_SHMEM_UNMAP.', [
  u8('shmid', 'Shared memory region; 0 is the DAX window.'),
  unused('padding', 'u8', 7),
  u64('fd_offset', 'Where in the file.', { show: 'hex' }),
  u64('shm_offset', 'Where in the region.', { show: 'hex' }),
  u64('len', 'How much.', { show: 'size' }),
  u64('flags', 'Flags.', { flags: shmemFlags }),
]);

export const ShmemConfig = struct('VhostUserShMemConfig', 'GET_SHMEM_CONFIG; sizes by shmid.', [
  u32('nregions', 'How many sizes are not zero.'),
  unused('padding', 'u32'),
  u64('memory_sizes', 'Size of each region.', { length: 256, show: 'size' }),
]);

export const SharedObject = struct('VhostUserShared', 'A UUID.', [
  u8('uuid', 'The UUID.', { length: 16, show: 'hex' }),
]);
