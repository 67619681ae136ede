/**
 * The vhost-user back-end's side of the conversation (QEMU's docs/interop/vhost-user.rst): negotiation, the memory
 * table, ring set-up, configuration space, start and stop of rings.
 *
 * A state machine over messages that are already framed. Descriptors are plain numbers: what is mapped, closed or
 * polled happens in the `Device` it is given. Knows no virtqueue layout and no FUSE. The front-end is less suspect than
 * the guest, but no field of its messages is used unchecked either: a bad message is refused (with REPLY_ACK the
 * front-end learns of it) and leaves the state as it was. One exception: memory that cannot be mapped, or a ring that is
 * not inside of it, is found out only when the old one is gone; then there is no memory, or that ring does not run.
 */
import type { Region } from '../virtio/guestMemory';
import { ProtocolFeature, Request, requestRow } from '../protocol/vhostUser/requests';
import { MAX_TABLE_REGIONS, ShmemConfig, VRING_INDEX_MASK, VRING_NOFD_MASK } from '../protocol/vhostUser/structs';
import { Feature } from '../protocol/virtio/fs';
import { MAX_QUEUE_SIZE } from '../protocol/virtio/ring';
import { CONFIG_SIZE, configSpace } from './configSpace';
import type { SharedWindow } from './windowChannel';

/** Addresses as the front-end gives them (its own virtual ones). */
export interface RingAddresses {
  readonly descriptors: number;
  readonly used: number;
  readonly avail: number;
}

/** One ring as negotiated so far. Descriptors belong to the back-end until it hands them to `closeDescriptor`. */
export interface Ring {
  readonly index: number;
  size: number;
  addresses: RingAddresses | undefined;
  base: number;
  kick: number;
  call: number;
  enabled: boolean;
  started: boolean;
}

/** What the back-end asks of the device it speaks for. Refusals are strings: the reason, for the log. */
export interface Device {
  /** Adds a region; the descriptor is closed by the caller afterwards. */
  addRegion(region: Omit<Region, 'hostBase'>, fd: number, offset: number): string | undefined;
  /** Removes a region that `addRegion` took. */
  removeRegion(guestBase: number): void;
  /** Starts to serve a ring; its addresses, size, base and kick are set. */
  startRing(ring: Ring, acked: { eventIndex: boolean }): string | undefined;
  /** Stops it when it runs, with nothing of it in progress any more; the index of the next request it would take. */
  stopRing(ring: Ring): number;
  /** The call descriptor has been replaced. */
  callChanged(ring: Ring): void;
  closeDescriptor(fd: number): void;
  /** For the log. */
  warn(text: string): void;
}

export interface Message {
  readonly request: number;
  readonly needReply: boolean;
  readonly payload: DataView;
  readonly descriptors: readonly number[];
}

export interface BackEndOptions {
  /** With a tag the configuration space is offered. */
  readonly tag: string | undefined;
  readonly requestQueues: number;
  /** The DAX window, where one is offered. */
  readonly window?: SharedWindow | undefined;
}

type NewRegion = Omit<Region, 'hostBase'> & { readonly offset: number };

type Outcome = { reply: Uint8Array } | { refused: string } | undefined;

/** Memory slots offered: as many as KVM's oldest limit and QEMU's own allow together. */
export const MAX_SLOTS = 509;
const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

const DEVICE_FEATURES =
  (1n << BigInt(Feature.VIRTIO_F_VERSION_1)) |
  (1n << BigInt(Feature.VIRTIO_RING_F_EVENT_IDX)) |
  (1n << BigInt(Feature.VIRTIO_RING_F_INDIRECT_DESC)) |
  (1n << BigInt(Feature.VHOST_USER_F_PROTOCOL_FEATURES));

const bit = (feature: number): bigint => 1n << BigInt(feature);

/** What a DAX window needs besides a channel that answers. */
const WINDOW_FEATURES = bit(ProtocolFeature.BACKEND_SEND_FD) | bit(ProtocolFeature.SHMEM_MAP);

/** A u64 as a number, or -1 when a double cannot hold it. */
function safeU64(payload: DataView, at: number): number {
  const value = payload.getBigUint64(at, true);
  return value <= SAFE ? Number(value) : -1;
}

function u64(value: bigint | number): { reply: Uint8Array } {
  const reply = new Uint8Array(8);
  new DataView(reply.buffer).setBigUint64(0, BigInt(value), true);
  return { reply };
}

export class BackEnd {
  readonly rings: readonly Ring[];
  private features = 0n;
  private protocolFeatures = 0n;
  private regions: Omit<Region, 'hostBase'>[] = [];
  private status = 0;
  /** Without protocol features there is no SET_VRING_ENABLE. */
  private enabledFromStart = false;
  /** The front-end's ear for what a back-end may ask: only the DAX window does, but it must stay open in any case. */
  private channel = -1;

  constructor(
    private readonly device: Device,
    private readonly options: BackEndOptions,
  ) {
    this.rings = Array.from({ length: 1 + options.requestQueues }, (_, index) => ({
      index,
      size: 0,
      addresses: undefined,
      base: 0,
      kick: -1,
      call: -1,
      enabled: false,
      started: false,
    }));
  }

  /**
   * Acts on one message; the payload of the reply to send, if any. Descriptors of the message are taken over: each is
   * kept in a ring or closed before this returns.
   */
  handle(message: Message): Uint8Array | undefined {
    const kept = new Set<number>();
    const outcome = this.dispatch(message, kept);
    for (const fd of message.descriptors) if (!kept.has(fd)) this.device.closeDescriptor(fd);
    if (outcome && 'reply' in outcome) return outcome.reply;
    if (outcome) this.device.warn(`${nameOf(message.request)} refused: ${outcome.refused}`);
    const acknowledged = message.needReply && (this.protocolFeatures & bit(ProtocolFeature.REPLY_ACK)) !== 0n;
    return acknowledged ? u64(outcome ? 1 : 0).reply : undefined;
  }

  /** The front-end has gone: every ring stops, every descriptor and region is given back. */
  close(): void {
    for (const ring of this.rings) this.endRing(ring);
    this.dropRegions();
    this.setChannel(-1);
  }

  private dispatch(message: Message, kept: Set<number>): Outcome {
    const { payload } = message;
    const short = minimumSize[message.request] ?? 0;
    if (payload.byteLength < short) return { refused: `${payload.byteLength} bytes where ${short} are needed` };
    switch (message.request) {
      case Request.GET_FEATURES:
        return u64(DEVICE_FEATURES);
      case Request.SET_FEATURES:
        return this.setFeatures(payload.getBigUint64(0, true));
      case Request.GET_PROTOCOL_FEATURES:
        return u64(this.offeredProtocolFeatures());
      case Request.SET_PROTOCOL_FEATURES:
        // Bits that were not offered are not taken, whatever the front-end says.
        this.protocolFeatures = payload.getBigUint64(0, true) & this.offeredProtocolFeatures();
        this.tellWindow();
        return undefined;
      case Request.SET_OWNER:
        return undefined;
      case Request.RESET_OWNER:
      case Request.RESET_DEVICE:
        return this.resetDevice();
      case Request.GET_QUEUE_NUM:
        return u64(this.rings.length);
      case Request.GET_MAX_MEM_SLOTS:
        return u64(MAX_SLOTS);
      case Request.SET_MEM_TABLE:
        return this.setMemoryTable(payload, message.descriptors);
      case Request.ADD_MEM_REG:
        return this.addRegion(payload, message.descriptors[0]);
      case Request.REM_MEM_REG:
        return this.removeRegion(payload);
      case Request.SET_VRING_NUM:
        return this.withRing(payload.getUint32(0, true), (ring) => this.setSize(ring, payload.getUint32(4, true)));
      case Request.SET_VRING_ADDR:
        return this.withRing(payload.getUint32(0, true), (ring) => this.setAddresses(ring, payload));
      case Request.SET_VRING_BASE:
        return this.withRing(payload.getUint32(0, true), (ring) => this.setBase(ring, payload.getUint32(4, true)));
      case Request.GET_VRING_BASE:
        return this.withRing(payload.getUint32(0, true), (ring) => this.getBase(ring));
      case Request.SET_VRING_KICK:
        return this.withDescriptor(message, kept, (ring, fd) => this.setKick(ring, fd));
      case Request.SET_VRING_CALL:
        return this.withDescriptor(message, kept, (ring, fd) => this.setCall(ring, fd));
      case Request.SET_VRING_ERR:
        // Taken and dropped: what goes wrong is said in the log, and the ring stops.
        return this.withRing(payload.getUint8(0), () => undefined);
      case Request.SET_VRING_ENABLE:
        return this.withRing(payload.getUint32(0, true), (ring) => this.enable(ring, payload.getUint32(4, true) !== 0));
      case Request.SET_BACKEND_REQ_FD: {
        const [fd] = message.descriptors;
        if (fd === undefined) return { refused: 'no descriptor came along' };
        kept.add(fd);
        return this.setChannel(fd);
      }
      case Request.GET_CONFIG:
        return this.getConfig(payload);
      case Request.SET_CONFIG:
        return { refused: 'the configuration space is read-only' };
      case Request.SET_STATUS:
        return this.setStatus(Number(payload.getBigUint64(0, true) & 0xffn));
      case Request.GET_STATUS:
        return u64(this.status);
      case Request.GET_SHMEM_CONFIG:
        return this.sharedMemory();
      default:
        return { refused: 'not offered by this back-end' };
    }
  }

  private setChannel(fd: number): undefined {
    this.options.window?.channelChanged(fd);
    if (this.channel >= 0) this.device.closeDescriptor(this.channel);
    this.channel = fd;
  }

  private offeredProtocolFeatures(): bigint {
    // Not INFLIGHT_SHMFD: it is for a back-end that is replaced under a running guest. The guest's nodes and handles
    // live in this process, so a successor could repeat the requests in flight but not know what they are about.
    let offered =
      bit(ProtocolFeature.MQ) |
      bit(ProtocolFeature.REPLY_ACK) |
      bit(ProtocolFeature.RESET_DEVICE) |
      bit(ProtocolFeature.CONFIGURE_MEM_SLOTS) |
      // User Mode Linux (6.12) only sets its interrupt up together with this channel.
      bit(ProtocolFeature.BACKEND_REQ) |
      bit(ProtocolFeature.STATUS);
    if (this.options.tag !== undefined) offered |= bit(ProtocolFeature.CONFIG);
    if (this.options.window) offered |= WINDOW_FEATURES;
    return offered;
  }

  private tellWindow(): void {
    const needed = WINDOW_FEATURES | bit(ProtocolFeature.BACKEND_REQ) | bit(ProtocolFeature.REPLY_ACK);
    const usable = (this.protocolFeatures & needed) === needed;
    const slots = (this.protocolFeatures & bit(ProtocolFeature.CONFIGURE_MEM_SLOTS)) !== 0n;
    this.options.window?.negotiated(usable, slots);
  }

  /** Sizes by shmid: the window is 0 (virtio 1.3, section 5.11.3). */
  private sharedMemory(): Outcome {
    const { window } = this.options;
    if (!window) return { refused: 'not offered by this back-end' };
    const reply = new Uint8Array(ShmemConfig.size);
    const view = new DataView(reply.buffer);
    view.setUint32(ShmemConfig.offset.nregions, 1, true);
    view.setBigUint64(ShmemConfig.offset.memory_sizes, BigInt(window.size), true);
    return { reply };
  }

  private setFeatures(features: bigint): Outcome {
    const unknown = features & ~DEVICE_FEATURES;
    if (unknown !== 0n) return { refused: `feature bits 0x${unknown.toString(16)} were not offered` };
    this.features = features;
    this.enabledFromStart = (features & bit(Feature.VHOST_USER_F_PROTOCOL_FEATURES)) === 0n;
    if (this.enabledFromStart) for (const ring of this.rings) ring.enabled = true;
    return undefined;
  }

  private setStatus(status: number): Outcome {
    this.status = status;
    return status === 0 ? this.resetDevice() : undefined;
  }

  /** Rings stop and forget their place; memory and descriptors stay, as the front-end sets rings up anew. */
  private resetDevice(): Outcome {
    for (const ring of this.rings) {
      this.stop(ring);
      ring.base = 0;
      ring.addresses = undefined;
      ring.enabled = this.enabledFromStart;
    }
    this.status = 0;
    return undefined;
  }

  private withRing(index: number, action: (ring: Ring) => Outcome): Outcome {
    const ring = this.rings[index];
    return ring ? action(ring) : { refused: `there is no ring ${index}` };
  }

  private withDescriptor(message: Message, kept: Set<number>, action: (ring: Ring, fd: number) => Outcome): Outcome {
    const word = message.payload.getUint32(0, true);
    const fd = (word & VRING_NOFD_MASK) !== 0 ? -1 : (message.descriptors[0] ?? -1);
    if (fd < 0 && (word & VRING_NOFD_MASK) === 0) return { refused: 'no descriptor came along' };
    return this.withRing(word & VRING_INDEX_MASK, (ring) => {
      if (fd >= 0) kept.add(fd);
      return action(ring, fd);
    });
  }

  private setSize(ring: Ring, size: number): Outcome {
    if (ring.started) return { refused: `ring ${ring.index} runs` };
    if (size === 0 || size > MAX_QUEUE_SIZE || (size & (size - 1)) !== 0)
      return { refused: `a ring of ${size} entries` };
    ring.size = size;
    return undefined;
  }

  private setAddresses(ring: Ring, payload: DataView): Outcome {
    // { u32 index, u32 flags, u64 descriptors, u64 used, u64 available, u64 log }
    const descriptors = safeU64(payload, 8);
    const used = safeU64(payload, 16);
    const avail = safeU64(payload, 24);
    if (descriptors < 0 || used < 0 || avail < 0) return { refused: 'an address above 2^53' };
    if (descriptors % 16 !== 0 || used % 4 !== 0 || avail % 2 !== 0) return { refused: 'a ring address out of line' };
    if (ring.started) return { refused: `ring ${ring.index} runs` };
    ring.addresses = { descriptors, used, avail };
    return undefined;
  }

  private setBase(ring: Ring, base: number): Outcome {
    if (ring.started) return { refused: `ring ${ring.index} runs` };
    if (base > 0xffff) return { refused: `a ring base of ${base}` };
    ring.base = base;
    return undefined;
  }

  private getBase(ring: Ring): Outcome {
    this.endRing(ring);
    const reply = new Uint8Array(8);
    const view = new DataView(reply.buffer);
    view.setUint32(0, ring.index, true);
    view.setUint32(4, ring.base, true);
    return { reply };
  }

  private setKick(ring: Ring, fd: number): Outcome {
    if (fd < 0) return { refused: 'a ring without a kick would have to be polled' };
    this.stop(ring);
    if (ring.kick >= 0) this.device.closeDescriptor(ring.kick);
    ring.kick = fd;
    return this.startWhenReady(ring);
  }

  private setCall(ring: Ring, fd: number): Outcome {
    if (ring.call >= 0) this.device.closeDescriptor(ring.call);
    ring.call = fd;
    this.device.callChanged(ring);
    return undefined;
  }

  private enable(ring: Ring, enabled: boolean): Outcome {
    ring.enabled = enabled;
    if (enabled) return this.startWhenReady(ring);
    this.stop(ring);
    return undefined;
  }

  private startWhenReady(ring: Ring): Outcome {
    if (ring.started || !ring.enabled || ring.kick < 0 || !ring.addresses || ring.size === 0) return undefined;
    const eventIndex = (this.features & bit(Feature.VIRTIO_RING_F_EVENT_IDX)) !== 0n;
    const refused = this.device.startRing(ring, { eventIndex });
    if (refused !== undefined) return { refused };
    ring.started = true;
    return undefined;
  }

  private stop(ring: Ring): void {
    if (!ring.started) return;
    ring.base = this.device.stopRing(ring);
    ring.started = false;
  }

  private endRing(ring: Ring): void {
    this.stop(ring);
    if (ring.kick >= 0) this.device.closeDescriptor(ring.kick);
    if (ring.call >= 0) this.device.closeDescriptor(ring.call);
    ring.kick = ring.call = -1;
  }

  private setMemoryTable(payload: DataView, descriptors: readonly number[]): Outcome {
    const count = payload.getUint32(0, true);
    if (count > MAX_TABLE_REGIONS || payload.byteLength < 8 + count * 32)
      return { refused: `a table of ${count} regions` };
    if (descriptors.length < count) return { refused: `${count} regions but ${descriptors.length} descriptors` };
    const regions: NewRegion[] = [];
    for (let index = 0; index < count; index++) {
      const region = readRegion(payload, 8 + index * 32);
      if (!region) return { refused: 'a region of bad bounds' };
      if (regions.some((other) => overlap(region, other))) return { refused: 'regions that overlap' };
      regions.push(region);
    }
    // Rings lie in the memory that goes: they stop, and start again in the new one.
    for (const ring of this.rings) this.stop(ring);
    this.dropRegions();
    for (const [index, region] of regions.entries()) {
      const refused = this.take(region, descriptors[index]);
      if (refused !== undefined) {
        this.dropRegions();
        return { refused };
      }
    }
    for (const ring of this.rings) {
      const outcome = this.startWhenReady(ring);
      if (outcome) return outcome;
    }
    return undefined;
  }

  private addRegion(payload: DataView, fd: number | undefined): Outcome {
    const region = readRegion(payload, 8);
    if (fd === undefined) return { refused: 'no descriptor came along' };
    if (!region) return { refused: 'a region of bad bounds' };
    if (this.regions.length >= MAX_SLOTS) return { refused: 'too many regions' };
    if (this.regions.some((other) => overlap(region, other))) return { refused: 'regions that overlap' };
    const refused = this.take(region, fd);
    if (refused !== undefined) return { refused };
    this.options.window?.regionAdded(region.size);
    return undefined;
  }

  private take({ guestBase, size, userBase, offset }: NewRegion, fd: number): string | undefined {
    const region = { guestBase, size, userBase };
    const refused = this.device.addRegion(region, fd, offset);
    if (refused === undefined) this.regions.push(region);
    return refused;
  }

  private removeRegion(payload: DataView): Outcome {
    const guestBase = safeU64(payload, 8);
    const size = safeU64(payload, 16);
    const index = this.regions.findIndex((region) => region.guestBase === guestBase && region.size === size);
    if (index < 0) return { refused: 'there is no such region' };
    const region = this.regions[index];
    const inside = this.rings.some(
      (ring) =>
        ring.started &&
        ring.addresses !== undefined &&
        [ring.addresses.descriptors, ring.addresses.used, ring.addresses.avail].some(
          (address) => address >= region.userBase && address < region.userBase + region.size,
        ),
    );
    if (inside) return { refused: 'a running ring lies in it' };
    this.regions.splice(index, 1);
    this.device.removeRegion(guestBase);
    return undefined;
  }

  private dropRegions(): void {
    for (const region of this.regions) this.device.removeRegion(region.guestBase);
    this.regions = [];
  }

  private getConfig(payload: DataView): Outcome {
    const offset = payload.getUint32(0, true);
    const size = payload.getUint32(4, true);
    // A reply of size 0 tells the front-end that it failed.
    if (this.options.tag === undefined || offset + size > CONFIG_SIZE || payload.byteLength < 12 + size) {
      return { reply: new Uint8Array(0) };
    }
    const reply = new Uint8Array(payload.buffer, payload.byteOffset, 12 + size).slice();
    reply.set(configSpace(this.options.tag, this.options.requestQueues).subarray(offset, offset + size), 12);
    return { reply };
  }
}

/** A region of `{ u64 guest address, u64 size, u64 front-end address, u64 offset in the file }` at `at`. */
function readRegion(payload: DataView, at: number): NewRegion | undefined {
  const guestBase = safeU64(payload, at);
  const size = safeU64(payload, at + 8);
  const userBase = safeU64(payload, at + 16);
  const offset = safeU64(payload, at + 24);
  if (guestBase < 0 || size <= 0 || userBase < 0 || offset < 0) return undefined;
  const ends = [guestBase + size, userBase + size, offset + size];
  return ends.every(Number.isSafeInteger) ? { guestBase, size, userBase, offset } : undefined;
}

function overlap(one: NewRegion, other: Omit<Region, 'hostBase'>): boolean {
  return one.guestBase < other.guestBase + other.size && other.guestBase < one.guestBase + one.size;
}

/** Shortest payload of each request that has one. */
const minimumSize: Readonly<Record<number, number>> = {
  [Request.SET_FEATURES]: 8,
  [Request.SET_PROTOCOL_FEATURES]: 8,
  [Request.SET_MEM_TABLE]: 8,
  [Request.ADD_MEM_REG]: 40,
  [Request.REM_MEM_REG]: 40,
  [Request.SET_VRING_NUM]: 8,
  [Request.SET_VRING_ADDR]: 40,
  [Request.SET_VRING_BASE]: 8,
  [Request.GET_VRING_BASE]: 8,
  [Request.SET_VRING_KICK]: 8,
  [Request.SET_VRING_CALL]: 8,
  [Request.SET_VRING_ERR]: 8,
  [Request.SET_VRING_ENABLE]: 8,
  [Request.GET_CONFIG]: 12,
  [Request.SET_STATUS]: 8,
};

function nameOf(request: number): string {
  return requestRow(request)?.name ?? `request ${request}`;
}
