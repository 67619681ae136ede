/**
 * The rings' life: what the SET_VRING_ requests set up, what starts a ring, and what stops it.
 *
 * A ring runs once it has size, addresses and a kick and is enabled. The kick or the enabling starts it, whichever is
 * last, never an address: after a reset the old kick is still there, and the base would come too late. Owns the
 * descriptors of kicks and calls until the device is told to close them. Knows no virtqueue layout: what runs, the
 * device serves.
 */
import { VRING_INDEX_MASK, VRING_NOFD_MASK } from '../protocol/vhostUser/structs';
import { MAX_QUEUE_SIZE } from '../protocol/virtio/ring';
import type { Device, Ring, SharedRegion } from './device';
import type { Message } from './framing';
import type { Negotiation } from './negotiation';
import { type Outcome, type Refused, safeU64 } from './payload';

export class Rings {
  readonly all: readonly Ring[];

  constructor(
    count: number,
    private readonly device: Pick<Device, 'startRing' | 'stopRing' | 'callChanged' | 'closeDescriptor'>,
    private readonly negotiation: Pick<Negotiation, 'eventIndex' | 'enabledFromStart'>,
  ) {
    this.all = Array.from({ length: count }, (_, index) => ({
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

  // Requests about one ring, as their payloads have it.

  /** SET_VRING_NUM: `{ u32 index, u32 size }`. */
  setSize(payload: DataView): Outcome {
    return this.withRing(payload.getUint32(0, true), (ring) => {
      const size = payload.getUint32(4, true);
      if (ring.started) return { refused: `ring ${ring.index} runs` };
      if (size === 0 || size > MAX_QUEUE_SIZE || (size & (size - 1)) !== 0)
        return { refused: `a ring of ${size} entries` };
      ring.size = size;
      return undefined;
    });
  }

  /** SET_VRING_ADDR: `{ u32 index, u32 flags, u64 descriptors, u64 used, u64 available, u64 log }`. */
  setAddresses(payload: DataView): Outcome {
    return this.withRing(payload.getUint32(0, true), (ring) => {
      const descriptors = safeU64(payload, 8);
      const used = safeU64(payload, 16);
      const avail = safeU64(payload, 24);
      if (descriptors < 0 || used < 0 || avail < 0) return { refused: 'an address above 2^53' };
      if (descriptors % 16 !== 0 || used % 4 !== 0 || avail % 2 !== 0) return { refused: 'a ring address out of line' };
      if (ring.started) return { refused: `ring ${ring.index} runs` };
      ring.addresses = { descriptors, used, avail };
      return undefined;
    });
  }

  /** SET_VRING_BASE: `{ u32 index, u32 base }`. */
  setBase(payload: DataView): Outcome {
    return this.withRing(payload.getUint32(0, true), (ring) => {
      const base = payload.getUint32(4, true);
      if (ring.started) return { refused: `ring ${ring.index} runs` };
      if (base > 0xffff) return { refused: `a ring base of ${base}` };
      ring.base = base;
      return undefined;
    });
  }

  /** GET_VRING_BASE: the ring stops, and its descriptors are given back. */
  getBase(payload: DataView): Outcome {
    return this.withRing(payload.getUint32(0, true), (ring) => {
      this.end(ring);
      const reply = new Uint8Array(8);
      const view = new DataView(reply.buffer);
      view.setUint32(0, ring.index, true);
      view.setUint32(4, ring.base, true);
      return { reply };
    });
  }

  /** SET_VRING_KICK. A descriptor that is kept is added to `kept`. */
  setKick(message: Message, kept: Set<number>): Outcome {
    return this.withDescriptor(message, kept, (ring, fd) => {
      if (fd < 0) return { refused: 'a ring without a kick would have to be polled' };
      this.stop(ring);
      if (ring.kick >= 0) this.device.closeDescriptor(ring.kick);
      ring.kick = fd;
      return this.startWhenReady(ring);
    });
  }

  /** SET_VRING_CALL, likewise. */
  setCall(message: Message, kept: Set<number>): Outcome {
    return this.withDescriptor(message, kept, (ring, fd) => {
      if (ring.call >= 0) this.device.closeDescriptor(ring.call);
      ring.call = fd;
      this.device.callChanged(ring);
      return undefined;
    });
  }

  /** SET_VRING_ERR: taken and dropped. What goes wrong is said in the log, and the ring stops. */
  setError(payload: DataView): Outcome {
    return this.withRing(payload.getUint8(0), () => undefined);
  }

  /** SET_VRING_ENABLE: `{ u32 index, u32 enabled }`. */
  enable(payload: DataView): Outcome {
    return this.withRing(payload.getUint32(0, true), (ring) => {
      ring.enabled = payload.getUint32(4, true) !== 0;
      if (ring.enabled) return this.startWhenReady(ring);
      this.stop(ring);
      return undefined;
    });
  }

  // All of them.

  /** Features have been agreed on. */
  negotiated(): void {
    if (this.negotiation.enabledFromStart) for (const ring of this.all) ring.enabled = true;
  }

  stopAll(): void {
    for (const ring of this.all) this.stop(ring);
  }

  /** Those that are ready start; the first that cannot is refused, and those after it wait. */
  startAll(): Refused | undefined {
    for (const ring of this.all) {
      const refused = this.startWhenReady(ring);
      if (refused) return refused;
    }
    return undefined;
  }

  /** They stop and forget their place; descriptors stay, as the front-end sets rings up anew. */
  reset(): void {
    for (const ring of this.all) {
      this.stop(ring);
      ring.base = 0;
      ring.addresses = undefined;
      ring.enabled = this.negotiation.enabledFromStart;
    }
  }

  /** They stop, and their descriptors are given back. */
  endAll(): void {
    for (const ring of this.all) this.end(ring);
  }

  /** Whether a ring that runs lies in a region. */
  runIn({ userBase, size }: SharedRegion): boolean {
    return this.all.some(
      ({ started, addresses }) =>
        started &&
        addresses !== undefined &&
        [addresses.descriptors, addresses.used, addresses.avail].some(
          (address) => address >= userBase && address < userBase + size,
        ),
    );
  }

  private withRing(index: number, action: (ring: Ring) => Outcome): Outcome {
    const ring = this.all[index];
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

  private startWhenReady(ring: Ring): Refused | undefined {
    if (ring.started || !ring.enabled || ring.kick < 0 || !ring.addresses || ring.size === 0) return undefined;
    const refused = this.device.startRing(ring, { eventIndex: this.negotiation.eventIndex });
    if (refused !== undefined) return { refused };
    ring.started = true;
    return undefined;
  }

  private stop(ring: Ring): void {
    if (!ring.started) return;
    ring.base = this.device.stopRing(ring);
    ring.started = false;
  }

  private end(ring: Ring): void {
    this.stop(ring);
    if (ring.kick >= 0) this.device.closeDescriptor(ring.kick);
    if (ring.call >= 0) this.device.closeDescriptor(ring.call);
    ring.kick = ring.call = -1;
  }
}
