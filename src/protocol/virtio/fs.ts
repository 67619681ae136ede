/**
 * The virtio-fs device: its configuration, queues and feature bits.
 *
 * Source: virtio 1.3 section 5.11 and 6, include/uapi/linux/virtio_fs.h, virtio_config.h. Feature bits are given as bit
 * numbers; as words they are split in two, because they are 64 bits wide.
 */
import { char, struct, u32 } from '../struct';

export const Config = struct('virtio_fs_config', 'What the device tells of itself.', [
  char('tag', 'The mount tag: UTF-8, padded with NULs, no NUL when it is 36 bytes long.', { length: 36 }),
  u32('num_request_queues', 'Number of request queues.'),
]);

export const DEVICE_ID = 26;
/** Index of the hiprio queue (FORGET, INTERRUPT); request queues follow at 1, or at 2 where F_NOTIFICATION is used. */
export const HIPRIO_QUEUE = 0;
/** virtio_pci_shm_cap id of the DAX window. */
export const SHMCAP_ID_CACHE = 0;

export interface FeatureBit {
  name: string;
  bit: number;
  doc: string;
}

const features = {
  VIRTIO_FS_F_NOTIFICATION: [0, 'There is a notification queue (no Linux driver asks for it).'],
  VHOST_F_LOG_ALL: [26, 'vhost: written memory is logged, for migration.'],
  VIRTIO_RING_F_INDIRECT_DESC: [28, 'A descriptor may point at a table of descriptors.'],
  VIRTIO_RING_F_EVENT_IDX: [29, 'used_event and avail_event say when to interrupt and kick.'],
  VHOST_USER_F_PROTOCOL_FEATURES: [30, 'vhost-user: protocol features are negotiated.'],
  VIRTIO_F_VERSION_1: [32, 'virtio 1.0 or later.'],
  VIRTIO_F_ACCESS_PLATFORM: [33, 'Addresses go through an IOMMU.'],
  VIRTIO_F_RING_PACKED: [34, 'Packed virtqueues.'],
  VIRTIO_F_IN_ORDER: [35, 'Chains are used in order.'],
  VIRTIO_F_ORDER_PLATFORM: [36, 'Memory ordering of the platform.'],
  VIRTIO_F_SR_IOV: [37, 'Single root I/O virtualization.'],
  VIRTIO_F_NOTIFICATION_DATA: [38, 'Kicks carry data.'],
  VIRTIO_F_NOTIF_CONFIG_DATA: [39, 'Kicks carry data that the device gives.'],
  VIRTIO_F_RING_RESET: [40, 'A single queue can be reset.'],
} as const satisfies Record<string, readonly [number, string]>;

type FeatureName = keyof typeof features;

export const featureBits: readonly FeatureBit[] = Object.freeze(
  Object.entries(features).map(([name, [bit, doc]]) => Object.freeze({ name, bit, doc })),
);

/** Bit numbers by name. */
export const Feature = Object.freeze(Object.fromEntries(featureBits.map((f) => [f.name, f.bit]))) as {
  readonly [K in FeatureName]: (typeof features)[K][0];
};

/** Names of the bits that are set, unknown ones as `bit 41`; for logs and `doctor`. */
export function featureNames(bits: readonly FeatureBit[], value: bigint): string[] {
  const names: string[] = [];
  for (let bit = 0; bit < 64; bit++) {
    if (((value >> BigInt(bit)) & 1n) === 0n) continue;
    names.push(bits.find((f) => f.bit === bit)?.name ?? `bit ${bit}`);
  }
  return names;
}
