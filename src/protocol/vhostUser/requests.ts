/**
 * vhost-user: the messages of both channels, one row each, and the protocol features.
 *
 * Source: QEMU docs/interop/vhost-user.rst (11.1). Which of them this back-end serves is not said here. Older layouts
 * gave the back-end channel's ids 6 to 8 other meanings (QEMU's virtio-fs fork); they are not mixed in.
 */
import type { StructTable } from '../struct';
import type { FeatureBit } from '../virtio/fs';
import * as s from './structs';

export interface RequestRow {
  name: string;
  id: number;
  doc: string;
  /** What the request carries; further bytes may follow it (regions, configuration). */
  payload: StructTable | null;
  /** What the answer carries; null: no answer of its own, only the u64 of REPLY_ACK where that is asked for. */
  reply: StructTable | null;
  /** File descriptors beside the request: none, always one, one unless VRING_NOFD_MASK says so, one for each region. */
  fds: 'none' | 'one' | 'maybe' | 'regions';
}

const ask = (
  id: number,
  payload: StructTable | null,
  reply: StructTable | null,
  doc: string,
  fds: RequestRow['fds'] = 'none',
): Omit<RequestRow, 'name'> => ({ id, payload, reply, doc, fds });

function table(rows: Record<string, Omit<RequestRow, 'name'>>): readonly RequestRow[] {
  return Object.freeze(Object.entries(rows).map(([name, rest]) => Object.freeze({ name, ...rest })));
}

/** Ids of messages from the front-end, VHOST_USER_*. */
export const Request = Object.freeze({
  GET_FEATURES: 1,
  SET_FEATURES: 2,
  SET_OWNER: 3,
  RESET_OWNER: 4,
  SET_MEM_TABLE: 5,
  SET_LOG_BASE: 6,
  SET_LOG_FD: 7,
  SET_VRING_NUM: 8,
  SET_VRING_ADDR: 9,
  SET_VRING_BASE: 10,
  GET_VRING_BASE: 11,
  SET_VRING_KICK: 12,
  SET_VRING_CALL: 13,
  SET_VRING_ERR: 14,
  GET_PROTOCOL_FEATURES: 15,
  SET_PROTOCOL_FEATURES: 16,
  GET_QUEUE_NUM: 17,
  SET_VRING_ENABLE: 18,
  SEND_RARP: 19,
  NET_SET_MTU: 20,
  SET_BACKEND_REQ_FD: 21,
  IOTLB_MSG: 22,
  SET_VRING_ENDIAN: 23,
  GET_CONFIG: 24,
  SET_CONFIG: 25,
  CREATE_CRYPTO_SESSION: 26,
  CLOSE_CRYPTO_SESSION: 27,
  POSTCOPY_ADVISE: 28,
  POSTCOPY_LISTEN: 29,
  POSTCOPY_END: 30,
  GET_INFLIGHT_FD: 31,
  SET_INFLIGHT_FD: 32,
  GPU_SET_SOCKET: 33,
  RESET_DEVICE: 34,
  VRING_KICK: 35,
  GET_MAX_MEM_SLOTS: 36,
  ADD_MEM_REG: 37,
  REM_MEM_REG: 38,
  SET_STATUS: 39,
  GET_STATUS: 40,
  GET_SHARED_OBJECT: 41,
  SET_DEVICE_STATE_FD: 42,
  CHECK_DEVICE_STATE: 43,
  GET_SHMEM_CONFIG: 44,
} as const);

const r = Request;

export const requests: readonly RequestRow[] = table({
  GET_FEATURES: ask(r.GET_FEATURES, null, s.U64, 'Which virtio features the back-end has.'),
  SET_FEATURES: ask(r.SET_FEATURES, s.U64, null, 'Which of them are used.'),
  SET_OWNER: ask(r.SET_OWNER, null, null, 'A session begins.'),
  RESET_OWNER: ask(r.RESET_OWNER, null, null, 'Deprecated; does nothing.'),
  SET_MEM_TABLE: ask(r.SET_MEM_TABLE, s.Memory, null, 'All of guest memory, at most 8 regions.', 'regions'),
  SET_LOG_BASE: ask(r.SET_LOG_BASE, s.Log, s.U64, 'Where written pages are logged.', 'one'),
  SET_LOG_FD: ask(r.SET_LOG_FD, null, null, 'Event for new entries in the log.', 'one'),
  SET_VRING_NUM: ask(r.SET_VRING_NUM, s.VringState, null, 'Size of a queue.'),
  SET_VRING_ADDR: ask(r.SET_VRING_ADDR, s.VringAddr, null, 'Where the areas of a queue are.'),
  SET_VRING_BASE: ask(r.SET_VRING_BASE, s.VringState, null, 'Which available index comes next.'),
  GET_VRING_BASE: ask(r.GET_VRING_BASE, s.VringState, s.VringState, 'Stops a queue and says where it stopped.'),
  SET_VRING_KICK: ask(r.SET_VRING_KICK, s.U64, null, 'Event from the driver; starts the queue.', 'maybe'),
  SET_VRING_CALL: ask(r.SET_VRING_CALL, s.U64, null, 'Event to the driver.', 'maybe'),
  SET_VRING_ERR: ask(r.SET_VRING_ERR, s.U64, null, 'Event for errors of the queue.', 'maybe'),
  GET_PROTOCOL_FEATURES: ask(r.GET_PROTOCOL_FEATURES, null, s.U64, 'Which protocol features the back-end has.'),
  SET_PROTOCOL_FEATURES: ask(r.SET_PROTOCOL_FEATURES, s.U64, null, 'Which of them are used.'),
  GET_QUEUE_NUM: ask(r.GET_QUEUE_NUM, null, s.U64, 'How many queues the back-end can have.'),
  SET_VRING_ENABLE: ask(r.SET_VRING_ENABLE, s.VringState, null, 'Turns a queue on or off.'),
  SEND_RARP: ask(r.SEND_RARP, s.U64, null, 'Network devices only.'),
  NET_SET_MTU: ask(r.NET_SET_MTU, s.U64, null, 'Network devices only.'),
  SET_BACKEND_REQ_FD: ask(r.SET_BACKEND_REQ_FD, null, null, 'The back-end channel.', 'one'),
  IOTLB_MSG: ask(r.IOTLB_MSG, s.Iotlb, s.U64, 'Address translation.'),
  SET_VRING_ENDIAN: ask(r.SET_VRING_ENDIAN, s.VringState, null, 'Byte order of a legacy device.'),
  GET_CONFIG: ask(r.GET_CONFIG, s.Config, s.Config, 'Bytes of the configuration.'),
  SET_CONFIG: ask(r.SET_CONFIG, s.Config, null, 'Writes the configuration.'),
  CREATE_CRYPTO_SESSION: ask(r.CREATE_CRYPTO_SESSION, null, null, 'Crypto devices only.'),
  CLOSE_CRYPTO_SESSION: ask(r.CLOSE_CRYPTO_SESSION, s.U64, null, 'Crypto devices only.'),
  POSTCOPY_ADVISE: ask(r.POSTCOPY_ADVISE, null, null, 'Postcopy migration may come.'),
  POSTCOPY_LISTEN: ask(r.POSTCOPY_LISTEN, null, null, 'Postcopy migration begins.'),
  POSTCOPY_END: ask(r.POSTCOPY_END, null, s.U64, 'Postcopy migration has ended.'),
  GET_INFLIGHT_FD: ask(r.GET_INFLIGHT_FD, s.Inflight, s.Inflight, 'Asks for an area that survives the back-end.'),
  SET_INFLIGHT_FD: ask(r.SET_INFLIGHT_FD, s.Inflight, null, 'Gives that area back.', 'one'),
  GPU_SET_SOCKET: ask(r.GPU_SET_SOCKET, null, null, 'GPU devices only.', 'one'),
  RESET_DEVICE: ask(r.RESET_DEVICE, null, null, 'Back to the state after power-on.'),
  VRING_KICK: ask(r.VRING_KICK, s.VringState, null, 'A kick as a message.'),
  GET_MAX_MEM_SLOTS: ask(r.GET_MAX_MEM_SLOTS, null, s.U64, 'How many regions the back-end can have.'),
  ADD_MEM_REG: ask(r.ADD_MEM_REG, s.SingleMemRegion, null, 'One more region.', 'one'),
  REM_MEM_REG: ask(r.REM_MEM_REG, s.SingleMemRegion, null, 'One region less.', 'maybe'),
  SET_STATUS: ask(r.SET_STATUS, s.U64, null, 'The virtio device status.'),
  GET_STATUS: ask(r.GET_STATUS, null, s.U64, 'The virtio device status.'),
  GET_SHARED_OBJECT: ask(r.GET_SHARED_OBJECT, s.SharedObject, null, 'A shared object by its UUID.'),
  SET_DEVICE_STATE_FD: ask(r.SET_DEVICE_STATE_FD, s.TransferDeviceState, s.U64, 'Migration of the state.', 'one'),
  CHECK_DEVICE_STATE: ask(r.CHECK_DEVICE_STATE, null, s.U64, 'Did the migration of the state succeed?'),
  GET_SHMEM_CONFIG: ask(r.GET_SHMEM_CONFIG, null, s.ShmemConfig, 'Shared memory regions, such as the DAX window.'),
});

/** Ids of messages from the back-end on its own channel, VHOST_USER_BACKEND_*. */
export const BackendRequest = Object.freeze({
  IOTLB_MSG: 1,
  CONFIG_CHANGE_MSG: 2,
  VRING_HOST_NOTIFIER_MSG: 3,
  VRING_CALL: 4,
  VRING_ERR: 5,
  SHARED_OBJECT_ADD: 6,
  SHARED_OBJECT_REMOVE: 7,
  SHARED_OBJECT_LOOKUP: 8,
  SHMEM_MAP: 9,
  SHMEM_UNMAP: 10,
} as const);

const b = BackendRequest;

export const backendRequests: readonly RequestRow[] = table({
  IOTLB_MSG: ask(b.IOTLB_MSG, s.Iotlb, null, 'Address translation.'),
  CONFIG_CHANGE_MSG: ask(b.CONFIG_CHANGE_MSG, null, null, 'The configuration has changed.'),
  VRING_HOST_NOTIFIER_MSG: ask(b.VRING_HOST_NOTIFIER_MSG, s.VringArea, null, 'Kicks by mapped memory.', 'one'),
  VRING_CALL: ask(b.VRING_CALL, s.VringState, null, 'An interrupt as a message.'),
  VRING_ERR: ask(b.VRING_ERR, s.VringState, null, 'An error of a queue as a message.'),
  SHARED_OBJECT_ADD: ask(b.SHARED_OBJECT_ADD, s.SharedObject, null, 'A shared object is there.'),
  SHARED_OBJECT_REMOVE: ask(b.SHARED_OBJECT_REMOVE, s.SharedObject, null, 'A shared object is gone.'),
  SHARED_OBJECT_LOOKUP: ask(b.SHARED_OBJECT_LOOKUP, s.SharedObject, s.U64, 'Asks for a shared object.'),
  SHMEM_MAP: ask(b.SHMEM_MAP, s.Mmap, null, 'Maps a file into a shared memory region.', 'one'),
  SHMEM_UNMAP: ask(b.SHMEM_UNMAP, s.Mmap, null, 'Takes a mapping out again.'),
});

const requestById = new Map(requests.map((row) => [row.id, row]));
const backendRequestById = new Map(backendRequests.map((row) => [row.id, row]));

export const requestRow = (id: number): RequestRow | undefined => requestById.get(id);
export const backendRequestRow = (id: number): RequestRow | undefined => backendRequestById.get(id);

/** Bit numbers of the protocol features, VHOST_USER_PROTOCOL_F_*. All are below 32. */
const protocol = {
  MQ: [0, 'GET_QUEUE_NUM.'],
  LOG_SHMFD: [1, 'The log is shared memory.'],
  RARP: [2, 'SEND_RARP.'],
  REPLY_ACK: [3, 'Any request may ask for an answer.'],
  MTU: [4, 'NET_SET_MTU.'],
  BACKEND_REQ: [5, 'There is a back-end channel.'],
  CROSS_ENDIAN: [6, 'SET_VRING_ENDIAN.'],
  CRYPTO_SESSION: [7, 'Crypto sessions.'],
  PAGEFAULT: [8, 'Postcopy migration.'],
  CONFIG: [9, 'GET_CONFIG and SET_CONFIG.'],
  BACKEND_SEND_FD: [10, 'The back-end sends descriptors.'],
  HOST_NOTIFIER: [11, 'Kicks by mapped memory.'],
  INFLIGHT_SHMFD: [12, 'GET_INFLIGHT_FD and SET_INFLIGHT_FD.'],
  RESET_DEVICE: [13, 'RESET_DEVICE.'],
  INBAND_NOTIFICATIONS: [14, 'Kicks and interrupts as messages.'],
  CONFIGURE_MEM_SLOTS: [15, 'ADD_MEM_REG and REM_MEM_REG.'],
  STATUS: [16, 'SET_STATUS and GET_STATUS.'],
  XEN_MMAP: [17, 'Xen memory mappings.'],
  SHARED_OBJECT: [18, 'Shared objects.'],
  DEVICE_STATE: [19, 'Migration of the state.'],
  GET_VRING_BASE_INFLIGHT: [20, 'GET_VRING_BASE leaves requests under way to the in-flight area.'],
  GPA_ADDRESSES: [21, 'Queue addresses are guest addresses.'],
  SHMEM_MAP: [22, 'Shared memory regions (QEMU 11.1; patches on the list said 20).'],
} as const satisfies Record<string, readonly [number, string]>;

type ProtocolFeatureName = keyof typeof protocol;

export const protocolFeatureBits: readonly FeatureBit[] = Object.freeze(
  Object.entries(protocol).map(([name, [bit, doc]]) => Object.freeze({ name, bit, doc })),
);

export const ProtocolFeature = Object.freeze(Object.fromEntries(protocolFeatureBits.map((f) => [f.name, f.bit]))) as {
  readonly [K in ProtocolFeatureName]: (typeof protocol)[K][0];
};
