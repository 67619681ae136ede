/**
 * One share as a virtio-fs device: guest memory mapped, queues served by the FUSE server.
 *
 * The joint between `vhostUser/` (which says what to set up), `virtio/` (rings) and `fuse/` (requests). Everything runs
 * on the queue worker's thread. Only what ends a ring or takes memory away waits, for calls on other threads.
 */
import type { Arena } from '../base/arena';
import {
  EPOLLET,
  EPOLLIN,
  type Epoll,
  close,
  fileSize,
  isLastingMemory,
  setNonBlocking,
  signal,
} from '../native/descriptors';
import { NativeError } from '../native/libc';
import { copyBytes, mapShared, keepsOrder, release, seal, viewOf } from '../native/memory';
import { availBytes, descBytes, usedBytes } from '../protocol/virtio/ring';
import type { Device, Ring } from '../vhostUser/device';
import { Chain } from '../virtio/chain';
import { GuestMemory, type HostMemory, type Region } from '../virtio/guestMemory';
import { Virtqueue } from '../virtio/virtqueue';
import { type ExchangeOwner, QueueExchange } from './queueExchange';
import type { RequestServer } from './requestServer';
import { Rounds, type RoundsParts, type RunningQueue } from './rounds';
import { Tidings } from './tidings';
import { Arrivals } from './trace/arrivals';

const PAGE = 4096;
/** That of a descriptor table, the strictest of a ring's areas. */
const RING_ALIGNMENT = 16;

export interface DeviceParts extends RoundsParts {
  readonly arena: Arena;
  /** Places in the arena: IOV_MAX struct iovecs; MAX_INDIRECT descriptors. */
  readonly vectorsAt: number;
  readonly indirectAt: number;
  readonly epoll: Epoll;
  /** epoll key of queue 0's kick; the others follow. */
  readonly kickKey: number;
  /** Ends whatever is in progress outside of the turn, answering it, but for what only waits (for locks, leases). */
  readonly settle: () => void;
  /** Ends what waits and is of no ring that runs, without an answer. */
  readonly beganAnew: () => void;
  /** Whether a region is a file of the DAX window: anybody may shorten it. */
  readonly mayFault: (fd: number) => boolean;
  /** Whether slow calls in progress use memory in [address, address + length). */
  readonly slowIn: (address: number, length: number) => boolean;
  /** Waits until one of them has ended, and answers it. */
  readonly endSlow: () => void;
}

interface Mapping extends Region {
  readonly address: number;
  readonly length: number;
}

export class ShareDevice implements Device, ExchangeOwner {
  private readonly memory: GuestMemory;
  private mappings: Mapping[] = [];
  /** Sealed, and given back when the next one goes and no slow call can be using their addresses. */
  private readonly sealed: Mapping[] = [];
  private readonly running: (RunningQueue | undefined)[] = [];
  /** As they were when they were stopped. */
  private readonly stopped: (Virtqueue | undefined)[] = [];
  /** Exchanges that are not in use. */
  private readonly spare: QueueExchange[][] = [];
  /** The event loop's side: kicks wake them. */
  readonly rounds: Rounds;

  constructor(
    private readonly parts: DeviceParts,
    server: RequestServer,
  ) {
    this.rounds = new Rounds(parts, server);
    const { arena } = parts;
    const host: HostMemory = {
      keepsOrder,
      copyIn: (at, address, length) => copyBytes(arena.address(at), address, length),
      copyOut: (address, at, length) => copyBytes(address, arena.address(at), length),
      copy: copyBytes,
      view: viewOf,
    };
    this.memory = new GuestMemory(host);
    parts.gate.attach(() => this.rounds.wake());
  }

  // Device: called by the back-end's state machine.

  addRegion(region: Omit<Region, 'hostBase'>, fd: number, offset: number): string | undefined {
    // A mapping beyond the file's end would be answered with SIGBUS at the first touch.
    const mayFault = this.parts.mayFault(fd) || this.isOfAnotherWindow(fd);
    if (!mayFault && fileSize(fd) < offset + region.size) return 'a region beyond the end of its file';
    const slack = offset % PAGE;
    if (slack % RING_ALIGNMENT !== 0) return 'a region that is out of line';
    const length = region.size + slack;
    const { mappings } = this;
    let address: number | undefined;
    try {
      address = mapShared(fd, offset - slack, length);
      this.mappings = [...mappings, { ...region, mayFault, hostBase: address + slack, address, length }];
      this.memory.setRegions(this.mappings);
      return undefined;
    } catch (error) {
      this.mappings = mappings;
      if (address !== undefined) {
        seal(address, length);
        release(address, length);
      }
      // Of the kernel, or of V8, which has no room for views of it.
      if (error instanceof NativeError || error instanceof RangeError) return error.message;
      throw error;
    }
  }

  /**
   * QEMU tells all of its devices of what is in the DAX window of one. Memory is told before rings run, and what is
   * plugged in later is nearly always a memfd or of huge pages; anything else is a file that the guest itself may
   * shorten. What is told before rings run has to be taken for memory, for they lie in it.
   */
  private isOfAnotherWindow(fd: number): boolean {
    return this.running.some((one) => one !== undefined) && !isLastingMemory(fd);
  }

  removeRegion(guestBase: number): void {
    const mapping = this.mappings.find((one) => one.guestBase === guestBase);
    if (!mapping) return;
    this.mappings = this.mappings.filter((one) => one !== mapping);
    this.memory.setRegions(this.mappings);
    seal(mapping.address, mapping.length);
    this.sealed.push(mapping);
    // A slow call may be reading into it on another thread. What is of the front-end's own memory is let go only after
    // that; nobody waits for parts of the DAX window, which come and go all the time. All else goes on: regions of
    // another share's window come and go as well, and that is no reason for a lock to end or for an fsync to hold up
    // the front-end.
    if (mapping.mayFault !== true) while (this.isUsed(mapping)) this.parts.endSlow();
    this.releaseSealed();
  }

  private isUsed({ address, length }: Mapping): boolean {
    return this.parts.slowIn(address, length);
  }

  private releaseSealed(): void {
    for (const one of this.sealed.splice(0)) {
      if (this.isUsed(one)) this.sealed.push(one);
      else release(one.address, one.length);
    }
  }

  startRing(ring: Ring, acked: { eventIndex: boolean }): string | undefined {
    const { addresses, size } = ring;
    if (!addresses) return 'no addresses';
    const area = (user: number, length: number, alignment: number): Uint8Array | undefined => {
      const address = this.memory.translateUser(user, length);
      return address < 0 || address % alignment !== 0 ? undefined : this.memory.host.view(address, length);
    };
    const descriptors = area(addresses.descriptors, descBytes(size), RING_ALIGNMENT);
    const avail = area(addresses.avail, availBytes(size), 2);
    const used = area(addresses.used, usedBytes(size), 4);
    if (!descriptors || !avail || !used) return `ring ${ring.index} is not in the memory table`;
    const { arena, indirectAt, epoll, kickKey } = this.parts;
    try {
      epoll.add(ring.kick, EPOLLIN | EPOLLET, kickKey + ring.index);
    } catch (error) {
      if (error instanceof NativeError) return `ring ${ring.index} has a kick that cannot be waited for`;
      throw error;
    }
    const queue = new Virtqueue(
      size,
      descriptors,
      avail,
      used,
      ring.base,
      acked.eventIndex,
      arena,
      this.memory,
      indirectAt,
    );
    const before = this.stopped[ring.index];
    this.stopped[ring.index] = undefined;
    if (before && !queue.continues(before)) this.parts.beganAnew();
    const running: RunningQueue = {
      ring,
      queue,
      tidings: new Tidings(),
      arrivals: new Arrivals(size, ring.base),
      exchange: this.freshExchange(ring.index),
      broken: false,
    };
    this.running[ring.index] = running;
    this.rounds.add(running);
    return undefined;
  }

  stopRing(ring: Ring): number {
    const running = this.running[ring.index];
    if (!running) return ring.base;
    this.parts.gate.settle(this.parts.settle);
    this.rounds.tell(running);
    this.parts.epoll.remove(ring.kick);
    this.running[ring.index] = undefined;
    this.stopped[ring.index] = running.queue;
    this.spare[ring.index]?.push(running.exchange);
    this.rounds.remove(running);
    return running.queue.nextAvail;
  }

  callChanged(ring: Ring): void {
    // A front-end that does not read its calls must not make the queues wait.
    if (ring.call >= 0 && setNonBlocking(ring.call) < 0) this.warn(`ring ${ring.index} has a call that may wait`);
    // What was pushed before may have been told to the descriptor that is gone.
    if (ring.started && ring.call >= 0) signal(ring.call);
  }

  closeDescriptor(fd: number): void {
    close(fd);
  }

  warn(text: string): void {
    this.parts.warn(text);
  }

  // ExchangeOwner: requests that are answered later, or were held.

  replace(exchange: QueueExchange): void {
    const running = this.running[exchange.queue];
    // One that was held before is not in its queue's turn any more.
    if (running?.exchange === exchange) running.exchange = this.freshExchange(exchange.queue);
  }

  runs(queue: number): boolean {
    return this.running[queue] !== undefined;
  }

  complete(exchange: QueueExchange, used: number): void {
    if (exchange.answerable && exchange.gated !== undefined && this.parts.gate.completed(exchange, used)) return;
    this.deliver(exchange, used);
  }

  deliver(exchange: QueueExchange, used: number): void {
    this.parts.counters.answered(exchange.queue);
    const { gated } = exchange;
    const opcode = gated?.valid === true ? gated.opcode : undefined;
    const times = gated === undefined ? 1 : this.parts.gate.delivering(exchange, used);
    const running = this.running[exchange.queue];
    if (running && times > 0) this.rounds.traceReply(exchange, used, opcode);
    else if (running) this.parts.tracer.dropped(exchange.trace, used);
    // What is taken next was not waiting while this was given.
    this.parts.tracer.pause();
    if (running && !running.broken) {
      for (let time = 0; time < times; time++) running.queue.push(exchange.chain.head, used);
      this.rounds.tell(running);
    }
    this.spare[exchange.queue]?.push(exchange);
  }

  /** Guest memory from `address` on, as far as there is some without a gap. */
  readGuest(address: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    let done = 0;
    while (done < count && this.memory.translate(address + done) >= 0) {
      const at = this.memory.offset(address + done);
      const part = Math.min(count - done, this.memory.run);
      bytes.set(this.memory.bytes.subarray(at, at + part), done);
      done += part;
    }
    return bytes.subarray(0, done);
  }

  private freshExchange(index: number): QueueExchange {
    const pool = (this.spare[index] ??= []);
    return pool.pop() ?? new QueueExchange(new Chain(this.parts.arena, this.memory, this.parts.vectorsAt), index, this);
  }
}
