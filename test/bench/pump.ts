/**
 * Drives one request queue with requests that were laid out beforehand, at as little cost of its own as can be.
 *
 * Owns prepared chains in guest memory and the loop that offers, kicks, takes and sleeps. Nothing is allocated while it
 * runs. The front-end's cost is the same for every daemon measured and is part of each figure, so it has to be small.
 */
import type { Arena } from '../../src/base/arena';
import type { AttachedDevice } from '../driver/attachedDevice';
import { cutLikeLinux } from '../driver/fuseClient';
import type { RingWriter, Segment } from '../driver/ringWriter';

const IN_HEADER = 40;
const OUT_HEADER = 16;
const PAGE = 4096;
/** Some hundredths of a second. */
const LOOKS = 1_000_000;

/** A request with its place in the ring: offered again and again, its fields patched in between. */
export interface Prepared {
  readonly head: number;
  /** Arena offset of the arguments, behind the header. */
  readonly body: number;
  /** Arena offset of the nodeid in the header. */
  readonly nodeid: number;
  /** Arena offset of the reply's header, and of what follows it. */
  readonly reply: number;
  readonly replyBody: number;
}

export class Pump {
  readonly arena: Arena;
  /** Slot number of each head. */
  readonly slotOf = new Uint16Array(65536);
  kicks = 0;
  private readonly busy = new Uint8Array(65536);
  private readonly ring: RingWriter;
  private readonly mark: number;
  private readonly heads: number[] = [];
  private unique = 2 ** 40;

  constructor(
    readonly device: AttachedDevice,
    readonly queue: number,
    private readonly scatter = false,
    /** Watches the used ring instead of sleeping: the daemon then wakes nobody, whatever its pace. */
    private readonly watchful = false,
  ) {
    this.arena = device.memory[0].arena;
    this.ring = device.ring(queue);
    this.mark = device.memory[0].free;
  }

  /** Lays a request out. `parts`: lengths behind the header; `room`: reply bytes behind its header, -1 for none. */
  prepare(slot: number, opcode: number, nodeid: bigint, parts: readonly number[], room: number): Prepared {
    const body = parts.reduce((sum, part) => sum + part, 0);
    const at = this.take(IN_HEADER + body);
    const { arena } = this;
    arena.zero(at, IN_HEADER + body);
    arena.setU32(at, IN_HEADER + body);
    arena.setU32(at + 4, opcode);
    arena.setU64(at + 8, (this.unique += 2));
    arena.setU32(at + 16, Number(nodeid & 0xffff_ffffn));
    arena.setU32(at + 20, Number(nodeid >> 32n));
    arena.setU32(at + 32, 4711);
    const segments = this.segments(at, [IN_HEADER, ...parts], false);
    let reply = 0;
    if (room >= 0) {
      reply = this.take(OUT_HEADER + room);
      segments.push(...this.segments(reply, room > 0 ? [OUT_HEADER, room] : [OUT_HEADER], true));
    }
    const head = this.ring.chain(segments, this.take(16 * segments.length));
    if (head < 0) throw new Error('ring too small');
    this.heads.push(head);
    this.slotOf[head] = slot;
    return { head, body: at + IN_HEADER, nodeid: at + 16, reply, replyBody: reply + OUT_HEADER };
  }

  offer(head: number): void {
    this.busy[head] = 1;
    this.ring.offer(head);
    if (this.ring.publish()) {
      this.kicks++;
      this.device.kick(this.queue);
    }
  }

  /** Head of a request that is done; blocks until there is one. */
  take1(): number {
    const { ring } = this;
    for (;;) {
      let head = ring.take();
      if (this.watchful) for (let look = 0; look < LOOKS && head < 0; look++) head = ring.take();
      if (head < 0) {
        ring.armCalls();
        head = ring.take();
      }
      if (head >= 0) {
        this.busy[head] = 0;
        return head;
      }
      this.device.sleep(this.queue);
    }
  }

  /** Takes replies until this request is back. */
  settleOne(head: number): void {
    while (this.busy[head] === 1) this.take1();
  }

  /** Takes replies until none is in flight. */
  settle(): void {
    while (this.ring.inFlight > 0) this.take1();
  }

  /** Gives descriptors and memory back. Pumps of one device are released in the reverse order of their making. */
  release(): void {
    for (const head of this.heads) this.ring.free(head);
    this.heads.length = 0;
    this.device.memory[0].free = this.mark;
  }

  private take(length: number): number {
    const memory = this.device.memory[0];
    const at = Math.ceil(memory.free / 64) * 64;
    memory.free = at + length;
    if (memory.free > memory.end) throw new Error('guest memory too small');
    return at;
  }

  private segments(at: number, lengths: readonly number[], write: boolean): Segment[] {
    const { guestBase } = this.device.memory[0];
    let next = guestBase + at;
    const segments = cutLikeLinux(lengths).map((length) => {
      const segment = { address: next, length, write };
      next += length;
      return segment;
    });
    if (!this.scatter) return segments;
    // Swap neighbouring whole pages, so that no two of them are adjacent in memory.
    for (let i = 0; i + 1 < segments.length; i += 2) {
      if (segments[i].length === PAGE && segments[i + 1].length === PAGE)
        [segments[i], segments[i + 1]] = [segments[i + 1], segments[i]];
    }
    return segments;
  }
}
