/**
 * A virtio-fs device that is set up and running: guest memory shared, rings placed, kicks and calls joined.
 *
 * Owns the memory layout of the make-believe guest and the order of the set-up. Knows vhost-user through `FrontEnd`
 * only, and nothing of FUSE: `FuseClient` works through the `Transport` that this is.
 */
import { ProtocolFeature, Request } from '../../src/protocol/vhostUser/requests';
import { Feature } from '../../src/protocol/virtio/fs';
import { type FrontEnd, words } from './frontEnd';
import { close, drain, eventfd, shareMemory, signal, type SharedMemory, Waiter } from './host';
import { RingWriter } from './ringWriter';
import { sleepOn } from './sleep';
import type { MemoryRegion } from './frontEnd';
import type { GuestMemory, Transport } from './transport';

export interface DeviceOptions {
  /** Bytes of each region of guest memory (at most 1 GiB each). The rings lie in the first one. */
  readonly regions?: readonly number[];
  /** Bytes of each region's memfd that come before the region, as User Mode Linux has it. */
  readonly mapOffset?: number;
  readonly requestQueues?: number;
  readonly queueSize?: number;
  readonly eventIdx?: boolean;
  readonly indirect?: boolean;
  /** How the memory is announced. */
  readonly memory?: 'table' | 'slots';
  /** Agree on what a DAX window needs; then see `window.ts`. */
  readonly window?: boolean;
  /** Ask for an acknowledgement of each message where the daemon can. */
  readonly acknowledge?: boolean;
}

interface Queue {
  readonly ring: RingWriter;
  readonly kick: number;
  readonly call: number;
  readonly waiter: Waiter;
  /** Calls that `sleep` has taken and nobody has asked for. */
  taken: number;
}

/** Distance in guest addresses between two regions: they are never adjacent. */
const REGION_STRIDE = 0x4_0000_0000;

export class AttachedDevice implements Transport {
  readonly memory: GuestMemory[] = [];
  readonly regions: MemoryRegion[] = [];
  readonly features: bigint;
  readonly protocolFeatures: bigint;
  kicks = 0;
  private readonly shared: SharedMemory[] = [];
  private readonly queues: Queue[] = [];

  constructor(
    readonly frontEnd: FrontEnd,
    readonly options: DeviceOptions = {},
  ) {
    const { regions = [64 << 20], mapOffset = 0, requestQueues = 1, queueSize = 1024 } = options;
    const wanted = this.wantedFeatures(frontEnd.askWord(Request.GET_FEATURES));
    this.features = wanted;
    frontEnd.tell(Request.SET_OWNER, new Uint8Array(0));
    this.protocolFeatures = this.negotiateProtocol();
    frontEnd.tell(Request.SET_FEATURES, words(wanted));

    regions.forEach((size, i) => this.share(size, mapOffset, i * REGION_STRIDE));
    this.announceMemory();

    let at = mapOffset;
    for (let index = 0; index <= requestQueues; index++) {
      const ring = new RingWriter(
        this.shared[0].arena,
        -mapOffset,
        at,
        queueSize,
        this.has(Feature.VIRTIO_RING_F_EVENT_IDX),
      );
      at += RingWriter.bytes(queueSize);
      const call = eventfd();
      this.queues.push({ ring, kick: eventfd(), call, waiter: new Waiter(call), taken: 0 });
      this.startQueue(index, 0);
    }
    this.memory[0].free = Math.ceil(at / 4096) * 4096;
  }

  has(bit: number): boolean {
    return ((this.features >> BigInt(bit)) & 1n) === 1n;
  }

  hasProtocol(bit: number): boolean {
    return ((this.protocolFeatures >> BigInt(bit)) & 1n) === 1n;
  }

  ring(queue: number): RingWriter {
    return this.queues[queue].ring;
  }

  kick(queue: number): void {
    this.kicks++;
    signal(this.queues[queue].kick);
  }

  wait(queue: number, milliseconds: number): boolean {
    return this.queues[queue].waiter.wait(milliseconds);
  }

  /** The same at the least cost; throws where the daemon does not call for many seconds. */
  sleep(queue: number): void {
    const one = this.queues[queue];
    one.waiter.pause();
    one.taken += sleepOn(one.call);
  }

  /** How often the daemon has called for this queue since the last look. */
  calls(queue: number): number {
    const one = this.queues[queue];
    const times = one.taken + drain(one.call);
    one.taken = 0;
    return times;
  }

  /** Starts a queue (anew and empty) at available index `base`, in QEMU's order of messages. */
  startQueue(index: number, base: number): void {
    this.queues[index].ring.reset(base);
    this.resumeQueue(index, base);
  }

  /** The same with whatever the driver has put into the ring meanwhile. */
  resumeQueue(index: number, base: number): void {
    const { frontEnd } = this;
    const { ring, kick, call } = this.queues[index];
    const user = this.shared[0].arena.base;
    frontEnd.setRingNumber(Request.SET_VRING_NUM, index, ring.size);
    frontEnd.setRingNumber(Request.SET_VRING_BASE, index, base);
    frontEnd.setRingAddresses(index, {
      descriptors: user + ring.descriptors,
      used: user + ring.used,
      available: user + ring.available,
    });
    frontEnd.setRingDescriptor(Request.SET_VRING_KICK, index, kick);
    frontEnd.setRingDescriptor(Request.SET_VRING_CALL, index, call);
    if (this.has(Feature.VHOST_USER_F_PROTOCOL_FEATURES)) {
      frontEnd.setRingNumber(Request.SET_VRING_ENABLE, index, 1);
    }
  }

  /** Stops a queue; the index where it would go on. */
  stopQueue(index: number): number {
    return this.frontEnd.ringBase(index);
  }

  announceMemory(): void {
    if (this.options.memory === 'slots' && this.hasProtocol(ProtocolFeature.CONFIGURE_MEM_SLOTS)) {
      for (const region of this.regions) this.frontEnd.addMemory(region);
    } else {
      this.frontEnd.setMemoryTable(this.regions);
    }
  }

  /** The guest is gone: the socket closes and its memory goes. */
  close(): void {
    this.frontEnd.close();
    for (const { kick, call, waiter } of this.queues) {
      waiter.close();
      close(kick);
      close(call);
    }
    for (const memory of this.shared) memory.unmap();
  }

  private wantedFeatures(offered: bigint): bigint {
    const { eventIdx = true, indirect = true } = this.options;
    const bits: number[] = [Feature.VIRTIO_F_VERSION_1, Feature.VHOST_USER_F_PROTOCOL_FEATURES];
    if (eventIdx) bits.push(Feature.VIRTIO_RING_F_EVENT_IDX);
    if (indirect) bits.push(Feature.VIRTIO_RING_F_INDIRECT_DESC);
    return bits.reduce((all, bit) => all | (1n << BigInt(bit)), 0n) & offered;
  }

  private negotiateProtocol(): bigint {
    if (!this.has(Feature.VHOST_USER_F_PROTOCOL_FEATURES)) return 0n;
    const offered = this.frontEnd.askWord(Request.GET_PROTOCOL_FEATURES);
    const wanted: number[] = [ProtocolFeature.MQ, ProtocolFeature.REPLY_ACK, ProtocolFeature.CONFIG];
    if (this.options.memory === 'slots') wanted.push(ProtocolFeature.CONFIGURE_MEM_SLOTS);
    if (this.options.window === true) {
      wanted.push(ProtocolFeature.BACKEND_REQ, ProtocolFeature.BACKEND_SEND_FD, ProtocolFeature.SHMEM_MAP);
    }
    const agreed = wanted.reduce((all, bit) => all | (1n << BigInt(bit)), 0n) & offered;
    this.frontEnd.tell(Request.SET_PROTOCOL_FEATURES, words(agreed));
    const acknowledged = ((agreed >> BigInt(ProtocolFeature.REPLY_ACK)) & 1n) === 1n;
    this.frontEnd.acknowledge = acknowledged && this.options.acknowledge !== false;
    return agreed;
  }

  private share(size: number, mapOffset: number, guestAddress: number): void {
    const shared = shareMemory(size + mapOffset);
    this.shared.push(shared);
    this.memory.push({ arena: shared.arena, guestBase: guestAddress - mapOffset, free: mapOffset, end: shared.size });
    this.regions.push({
      guestAddress,
      size,
      userAddress: shared.arena.base + mapOffset,
      mapOffset,
      fd: shared.fd,
    });
  }
}
