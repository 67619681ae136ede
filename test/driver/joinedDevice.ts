/**
 * Our FUSE server behind real rings, all in this process and over plain memory: no socket, no daemon, no koffi.
 *
 * Joins `src/virtio` and a request server as `src/daemon/device.ts` does, without waiting for anything: a kick serves
 * the queue before it returns.
 */
import { Arena } from '../../src/base/arena';
import { type ExchangeOwner, QueueExchange } from '../../src/daemon/queueExchange';
import { DEFERRED } from '../../src/fs/fileSystem';
import type { Exchange } from '../../src/fuse/exchange';
import { availBytes, descBytes, usedBytes } from '../../src/protocol/virtio/ring';
import { Chain, IOV_MAX } from '../../src/virtio/chain';
import { GuestMemory as DeviceMemory } from '../../src/virtio/guestMemory';
import { MAX_INDIRECT, Virtqueue } from '../../src/virtio/virtqueue';
import { RingWriter } from './ringWriter';
import type { GuestMemory, Transport } from './transport';

const QUEUE_SIZE = 1024;
const GUEST_BASE = 0x4000_0000;

export interface Server {
  handle(exchange: Exchange): number;
}

interface Joined {
  readonly ring: RingWriter;
  readonly queue: Virtqueue;
  exchange: QueueExchange;
}

export class JoinedDevice implements Transport, ExchangeOwner {
  readonly memory: GuestMemory[];
  /** Why a queue has stopped; '' while all run. */
  fault = '';
  private readonly device: DeviceMemory;
  private readonly queues: Joined[];

  /**
   * `server` gets the arena and the first byte of it that is not the device's own, and answers requests.
   * `arenaBytes`: how much of the arena the server needs.
   */
  constructor(
    private readonly arena: Arena,
    private readonly deviceAt: number,
    private readonly server: Server,
    bytes = 64 << 20,
  ) {
    const guest = new Arena(new ArrayBuffer(bytes), 0);
    this.device = new DeviceMemory({
      keepsOrder: false,
      copyIn: (at, address, length) => this.arena.u8.set(guest.bytes(address, length), at),
      copyOut: (address, at, length) => guest.u8.set(this.arena.bytes(at, length), address),
      copy: (to, from, length) => void guest.u8.copyWithin(to, from, from + length),
      view: (address, length) => guest.bytes(address, length),
    });
    this.device.setRegions([{ guestBase: GUEST_BASE, size: bytes, userBase: 0, hostBase: 0 }]);
    let at = 0;
    this.queues = [0, 1].map((index) => {
      const ring = new RingWriter(guest, GUEST_BASE, at, QUEUE_SIZE, true);
      at += RingWriter.bytes(QUEUE_SIZE);
      const queue = new Virtqueue(
        QUEUE_SIZE,
        guest.bytes(ring.descriptors, descBytes(QUEUE_SIZE)),
        guest.bytes(ring.available, availBytes(QUEUE_SIZE)),
        guest.bytes(ring.used, usedBytes(QUEUE_SIZE)),
        0,
        true,
        arena,
        this.device,
        deviceAt + IOV_MAX * 16,
      );
      queue.listen();
      return { ring, queue, exchange: this.fresh(index) };
    });
    this.memory = [{ arena: guest, guestBase: GUEST_BASE, free: Math.ceil(at / 4096) * 4096, end: bytes }];
  }

  /** Bytes of the arena, from `deviceAt` (a multiple of 16), that are the device's own. */
  static readonly ARENA_BYTES = IOV_MAX * 16 + MAX_INDIRECT * 16;

  ring(queue: number): RingWriter {
    return this.queues[queue].ring;
  }

  kick(index: number): void {
    const joined = this.queues[index];
    const { queue } = joined;
    do {
      for (;;) {
        const { exchange } = joined;
        const result = queue.pop(exchange.chain);
        if (result === 'broken') this.fault = queue.fault;
        if (result !== 'chain') break;
        const used = this.server.handle(exchange);
        if (used !== DEFERRED) queue.push(exchange.chain.head, used);
      }
    } while (this.fault === '' && queue.listen());
  }

  /** Nothing comes by itself: what is not there after a kick comes from a later call or a timer. */
  wait(): boolean {
    return false;
  }

  close(): void {
    this.device.setRegions([]);
  }

  replace(exchange: QueueExchange): void {
    this.queues[exchange.queue].exchange = this.fresh(exchange.queue);
  }

  runs(): boolean {
    return true;
  }

  complete(exchange: QueueExchange, used: number): void {
    this.deliver(exchange, used);
  }

  deliver(exchange: QueueExchange, used: number): void {
    this.queues[exchange.queue].queue.push(exchange.chain.head, used);
  }

  private fresh(index: number): QueueExchange {
    return new QueueExchange(new Chain(this.arena, this.device, this.deviceAt), index, this);
  }
}
