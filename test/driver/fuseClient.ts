/**
 * Sends FUSE requests through a ring and takes their replies, any number in flight at a time.
 *
 * Owns slots of guest memory for requests and replies, the numbering of requests, and the check that each reply is
 * what a Linux guest would accept: used length equal to the header's `len`, `unique` equal to the request's. Knows the
 * two headers and nothing of any opcode: `fuseCalls.ts` has those.
 */
import type { Segment } from './ringWriter';
import type { GuestMemory, Transport } from './transport';

const IN_HEADER = 40;
const OUT_HEADER = 16;
const PAGE = 4096;

export interface Reply {
  /** 0, or a negative errno. */
  readonly error: number;
  /** A copy of what follows the header. */
  readonly body: Uint8Array;
}

export interface Pending {
  readonly unique: number;
  readonly opcode: number;
  readonly queue: number;
  reply: Reply | undefined;
}

export interface SendOptions {
  /** Room for the reply behind its header; -1: no reply at all (FORGET). */
  readonly room?: number;
  readonly queue?: number;
  /** Header fields as a test wants them instead of the right ones. */
  readonly header?: { readonly len?: number; readonly opcode?: number; readonly extensions?: number };
}

interface Slot {
  readonly memory: GuestMemory;
  readonly at: number;
}

interface InFlight {
  readonly pending: Pending;
  readonly slot: Slot;
  readonly room: number;
}

/** What is wrong with a reply, by the rules of the Linux driver. */
export class ProtocolViolation extends Error {}

/** How a request's or reply's parts (their lengths) are cut into descriptors. */
export type Cut = (lengths: readonly number[]) => number[];

/** As Linux does it: the header, each argument, and each page of data is a descriptor of its own. */
export const cutLikeLinux: Cut = (lengths) =>
  lengths.flatMap((length) => {
    const pages: number[] = [];
    for (let left = length; left > 0; left -= PAGE) pages.push(Math.min(left, PAGE));
    return pages;
  });

export class FuseClient {
  uid = 0;
  gid = 0;
  pid = 4711;
  cut: Cut = cutLikeLinux;
  /** Chains go through indirect tables. */
  indirect = false;
  /** How long a request may take before the client gives up, in milliseconds. */
  patience = 10_000;

  private unique = 0;
  private readonly freeSlots: Slot[] = [];
  private readonly inFlight = new Map<number, InFlight>();

  /** `largest`: bytes of the largest payload, in either direction; `most`: how many requests at a time at most. */
  constructor(
    readonly transport: Transport,
    readonly largest = 1 << 20,
    most = 128,
  ) {
    const size = this.slotSize();
    for (const memory of transport.memory) {
      for (; memory.free + size <= memory.end && this.freeSlots.length < most; memory.free += size) {
        this.freeSlots.push({ memory, at: memory.free });
      }
    }
    this.freeSlots.reverse();
  }

  /** Starts a request. `parts` follow the header: argument structs, names, data. */
  start(opcode: number, nodeid: bigint, parts: readonly Uint8Array[], options: SendOptions = {}): Pending {
    const { room = PAGE, queue = 1, header = {} } = options;
    const slot = this.freeSlots.pop();
    if (!slot) throw new Error('no room for another request');
    this.unique += 2;
    const pending: Pending = { unique: this.unique, opcode, queue, reply: undefined };
    const { memory, at } = slot;
    const { u8 } = memory.arena;
    const length = parts.reduce((sum, part) => sum + part.length, IN_HEADER);
    this.writeHeader(slot, header.len ?? length, header.opcode ?? opcode, nodeid, header.extensions ?? 0);
    let next = at + IN_HEADER;
    for (const part of parts) {
      u8.set(part, next);
      next += part.length;
    }
    const lengths = [IN_HEADER, ...parts.map((part) => part.length)];
    const segments = this.segments(memory.guestBase + at, lengths, false);
    const replyAt = at + this.replyOffset();
    u8.fill(0xa5, replyAt, replyAt + Math.min(PAGE, OUT_HEADER + Math.max(0, room)));
    if (room >= 0) segments.push(...this.segments(memory.guestBase + replyAt, [OUT_HEADER, room], true));

    const ring = this.transport.ring(queue);
    const head = ring.chain(
      segments,
      this.indirect && memory === this.transport.memory[0] ? at + this.tableOffset() : -1,
    );
    if (head < 0) throw new Error('no descriptors left');
    this.inFlight.set(queue * 65536 + head, { pending, slot, room });
    ring.offer(head);
    if (ring.publish()) this.transport.kick(queue);
    return pending;
  }

  /** Waits for a request's reply; others that come in between are kept for their own `wait`. */
  wait(pending: Pending, milliseconds = this.patience): Reply {
    const end = Date.now() + milliseconds;
    while (!pending.reply) {
      if (this.collect(pending.queue)) continue;
      const left = end - Date.now();
      if (left <= 0) throw new Error(`no reply to request ${pending.unique} (opcode ${pending.opcode})`);
      this.transport.wait(pending.queue, left);
    }
    return pending.reply;
  }

  /** Whether the reply is there, without waiting. */
  done(pending: Pending): boolean {
    while (!pending.reply && this.collect(pending.queue));
    return pending.reply !== undefined;
  }

  call(opcode: number, nodeid: bigint, parts: readonly Uint8Array[], options?: SendOptions): Reply {
    return this.wait(this.start(opcode, nodeid, parts, options));
  }

  /** Takes one used chain; false when there is none (calls are then armed). */
  private collect(queue: number): boolean {
    const ring = this.transport.ring(queue);
    let head = ring.take();
    if (head < 0) {
      ring.armCalls();
      head = ring.take();
      if (head < 0) return false;
    }
    const key = queue * 65536 + head;
    const entry = this.inFlight.get(key);
    if (!entry) throw new ProtocolViolation(`used ring names chain ${head}, which is not in flight`);
    this.inFlight.delete(key);
    const used = ring.usedLength;
    ring.free(head);
    entry.pending.reply = this.read(entry, used);
    this.freeSlots.push(entry.slot);
    return true;
  }

  private read({ pending, slot, room }: InFlight, used: number): Reply {
    const { arena } = slot.memory;
    if (room < 0) {
      if (used !== 0) throw new ProtocolViolation(`request ${pending.opcode} has no reply, ${used} bytes used`);
      return { error: 0, body: new Uint8Array(0) };
    }
    const at = slot.at + this.replyOffset();
    const length = arena.getU32(at);
    if (used !== length || used > OUT_HEADER + room) {
      throw new ProtocolViolation(`opcode ${pending.opcode}: used ${used}, header says ${length}, room ${room}`);
    }
    if (arena.getU64(at + 8) !== pending.unique) {
      throw new ProtocolViolation(`opcode ${pending.opcode}: unique ${arena.getU64(at + 8)}, not ${pending.unique}`);
    }
    return { error: arena.getI32(at + 4), body: arena.bytes(at + OUT_HEADER, length - OUT_HEADER).slice() };
  }

  private writeHeader(
    { memory: { arena }, at }: Slot,
    length: number,
    opcode: number,
    nodeid: bigint,
    words: number,
  ): void {
    arena.setU32(at, length);
    arena.setU32(at + 4, opcode);
    arena.setU64(at + 8, this.unique);
    arena.setU32(at + 16, Number(nodeid & 0xffff_ffffn));
    arena.setU32(at + 20, Number(nodeid >> 32n));
    arena.setU32(at + 24, this.uid);
    arena.setU32(at + 28, this.gid);
    arena.setU32(at + 32, this.pid);
    arena.setU32(at + 36, words);
  }

  private segments(address: number, lengths: readonly number[], write: boolean): Segment[] {
    let next = address;
    return this.cut(lengths).map((length) => {
      const segment = { address: next, length, write };
      next += length;
      return segment;
    });
  }

  // A slot: request, reply, indirect table, each with a page to spare for headers and arguments.
  private replyOffset(): number {
    return this.largest + 2 * PAGE;
  }

  private tableOffset(): number {
    return 2 * this.replyOffset();
  }

  private slotSize(): number {
    return 2 * this.replyOffset() + 4 * PAGE;
  }
}
