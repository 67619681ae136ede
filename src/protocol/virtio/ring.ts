/**
 * The split virtqueue: layout of its three areas, of an indirect table, and their flags.
 *
 * Source: virtio 1.3 section 2.7, include/uapi/linux/virtio_ring.h. The packed virtqueue is left out, nothing here
 * offers it. `ring[]` of avail and used starts where their structure ends.
 */
import { flagTable } from '../flagTable';
import { struct, u16, u32, u64 } from '../struct';

export const descFlags = flagTable('VRING_DESC_F_', 'Flags of a descriptor.', {
  NEXT: [1, 'The chain goes on at next.'],
  WRITE: [2, 'The device writes (else: reads).'],
  INDIRECT: [4, 'It points at a table of descriptors.'],
});
export const DescFlag = descFlags.value;

export const availFlags = flagTable('VRING_AVAIL_F_', 'Flags of the available ring, by the driver.', {
  NO_INTERRUPT: [1, 'Do not interrupt (without EVENT_IDX).'],
});
export const AvailFlag = availFlags.value;

export const usedFlags = flagTable('VRING_USED_F_', 'Flags of the used ring, by the device.', {
  NO_NOTIFY: [1, 'Do not kick (without EVENT_IDX).'],
});
export const UsedFlag = usedFlags.value;

export const Desc = struct('vring_desc', 'A descriptor: a piece of guest memory, and the next one.', [
  u64('addr', 'Guest physical address.', { show: 'hex' }),
  u32('len', 'Length.', { show: 'size' }),
  u16('flags', 'Flags.', { flags: descFlags }),
  u16('next', 'Index of the next one, if flagged.'),
]);

/** Then `u16 ring[num]`, then `u16 used_event`. */
export const Avail = struct('vring_avail', 'The available ring: heads of chains, from driver to device.', [
  u16('flags', 'Flags.', { flags: availFlags }),
  u16('idx', 'Where the driver puts the next head; counts freely.'),
]);

/** Then `UsedElem ring[num]`, then `u16 avail_event`. */
export const Used = struct('vring_used', 'The used ring: chains given back, from device to driver.', [
  u16('flags', 'Flags.', { flags: usedFlags }),
  u16('idx', 'Where the device puts the next element; counts freely.'),
]);

export const UsedElem = struct('vring_used_elem', 'A chain given back.', [
  u32('id', 'Its head.'),
  u32('len', 'Bytes that the device wrote.', { show: 'size' }),
]);

/** Bytes of each area for a queue of `num` descriptors, the event index included. */
export const descBytes = (num: number): number => Desc.size * num;
export const availBytes = (num: number): number => Avail.size + 2 * num + 2;
export const usedBytes = (num: number): number => Used.size + UsedElem.size * num + 2;

/** Most descriptors that a split queue may have. */
export const MAX_QUEUE_SIZE = 32768;
