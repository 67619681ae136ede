/**
 * Writes what passes through the queues into the trace ring, as finished capture blocks: messages as they lie in guest
 * memory, host system calls, vhost-user messages. docs/capture-format.md describes each byte.
 *
 * On the queue worker's hot path when a trace is wanted, and otherwise no more than a look at a flag. What a later
 * reader must know of the session (the vhost-user conversation, INIT) is kept always, since a trace may begin at any
 * time.
 */
import type { KnownName } from '../../fs/knownNames';
import { Opcode } from '../../protocol/fuse/opcodes';
import { InHeader } from '../../protocol/fuse/structs';
import { machineOf } from '../../protocol/machine';
import { FuseAt, MAX_CALLS, MessageFlag, NO_QUEUE, PACKET_VERSION, PacketKind } from '../../trace/packet';
import { Request } from '../../protocol/vhostUser/requests';
import type { Chain } from '../../virtio/chain';
import type { Arrivals, Waiting } from './arrivals';
import { BLOCK_HEADER, FIRST_QUEUE_INTERFACE, beginBlock, blockBytes, endBlock } from './block';
import { now, TraceClock } from './clock';
import type { HostCallWriter } from './hostCallWriter';
import { captureLimits, type CaptureLimits } from './limits';
import { RequestTrace } from './requestTrace';
import type { TraceWriter } from './ring';
import { namesBlocks } from './namesBlocks';
import type { NoteFacts } from '../../fs/dax/frontEnd';
import { KeptMessages, vhostUserBlock } from './vhostUserBlocks';
import { windowBlock } from './windowBlocks';

const OPCODE_AT = InHeader.offset.opcode;
const { INIT } = Opcode;
/** Where the message begins in its block. */
const MESSAGE = BLOCK_HEADER + FuseAt.message;
const MOST = 0xffff_ffff;
/** Guest and host are of one architecture. */
const MACHINE = machineOf(process.arch) === 'arm64' ? MessageFlag.ARM64 : 0;

export class Tracer {
  /** Whose host calls are being made. */
  current: RequestTrace;
  /** Milliseconds of the host call being made that a debugger held it. */
  stalled = 0;
  /** Host calls of no request: waiting locks tried again. */
  private readonly nobody = Object.assign(new RequestTrace(), { queue: NO_QUEUE });
  private readonly clock = new TraceClock();
  private readonly limits: CaptureLimits;
  private readonly kept = new KeptMessages();
  private channelUsed = false;
  /** When the last reply was given, while nothing has been waited for since; else 0. A look at the clock is saved. */
  private lately = 0;
  private readonly init: (Uint8Array | undefined)[] = [undefined, undefined];

  /** `snapLength`: bytes of data kept of a message. `syscalls` writes each host system call, where that is wanted. */
  constructor(
    private readonly ring: TraceWriter,
    snapLength: number,
    private readonly syscalls: HostCallWriter | undefined,
  ) {
    this.limits = captureLimits(snapLength);
    this.current = this.nobody;
  }

  get on(): boolean {
    return this.ring.on;
  }

  /** How far the ring has been written: what is captured from now on lies behind it. */
  get written(): number {
    return this.ring.written;
  }

  /** A request has been taken from `queue`, whose number is `index`. */
  begin(trace: RequestTrace, chain: Chain, index: number, arrivals: Arrivals, queue: Waiting): void {
    const taken = this.lately === 0 ? now() : this.lately;
    this.lately = 0;
    reset(trace, chain, index, taken);
    trace.queued = arrivals.waited(queue, taken);
    this.current = trace;
    const length = this.request(trace, chain);
    trace.traced = length > 0;
    if (length > 0) this.ring.commit(length);
    // Without its request the reply means nothing.
    else this.ring.drop();
  }

  /** The queues are about to be waited for: what comes next has come later. */
  pause(): void {
    this.lately = 0;
    this.ring.publish();
  }

  /** The server has dealt with it: `used` bytes of reply are written, or 0, or it is DEFERRED (negative). */
  handled(trace: RequestTrace, chain: Chain, used: number): void {
    this.current = this.nobody;
    // Published with the next request, or before the queues are waited for: half as many stores that all CPUs see.
    if (used > 0) this.ring.finish(this.reply(trace, chain, used));
    else if (used < 0) trace.later = true;
  }

  /** Its handler goes on, or begins, after it was held. */
  resume(trace: RequestTrace): void {
    if (trace.traced) this.current = trace;
  }

  /** Its handler has ended or has deferred it; the reply, where there is one, comes later through `replied`. */
  suspend(): void {
    this.current = this.nobody;
  }

  /** It has been answered with `used` bytes. */
  replied(trace: RequestTrace, chain: Chain, used: number): void {
    this.ring.commit(this.reply(trace, chain, used));
  }

  /** A fault keeps its reply, of `used` bytes, from the guest. */
  dropped(trace: RequestTrace, used: number): void {
    if (!trace.traced || used <= 0) return;
    const at = this.ring.reserve(blockBytes(FuseAt.message));
    if (at < 0) return;
    const answered = now();
    this.clock.set(answered);
    const size = this.finish(at, trace, PacketKind.Dropped, used, 0);
    this.phases(at, trace, answered);
    this.ring.commit(size);
  }

  /** A host system call, `call` of protocol/hostCalls.ts, was made for `current` since `began`. Returns `result`. */
  called(
    call: number,
    began: number,
    result: number,
    a: number,
    b: number,
    c: number,
    d: number,
    e: number,
    f: number,
  ): number {
    const returned = now();
    const ended = returned - this.stalled;
    const trace = this.current;
    this.stalled = 0;
    trace.host += ended - began;
    trace.hostEnd = returned;
    trace.heldAfter = 0;
    trace.calls++;
    if (this.syscalls !== undefined) this.syscalls.write(trace, call, began, ended, result, a, b, c, d, e, f);
    return result;
  }

  /** The same for a call that another thread has made for `trace`. */
  calledElsewhere(trace: RequestTrace, call: number, began: number, result: number, values: readonly number[]): void {
    const ended = now();
    trace.host += ended - began;
    trace.hostEnd = ended;
    trace.heldAfter = 0;
    trace.calls++;
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = values;
    this.syscalls?.write(trace, call, began, ended, result, a, b, c, d, e, f, true);
  }

  /**
   * A whole vhost-user message has come with so many descriptors, or goes. Those about the DAX window are not kept:
   * they never end, and what they lead to is told by `preamble` as it is then.
   */
  message(fromFrontEnd: boolean, bytes: Uint8Array, descriptors: number, backEndChannel = false): void {
    this.channelUsed ||= backEndChannel;
    const kept = !backEndChannel && !(this.channelUsed && isAboutOneRegion(bytes));
    if (!kept && !this.on) return;
    this.clock.set(now());
    const block = vhostUserBlock(this.clock, fromFrontEnd, bytes, descriptors, backEndChannel);
    if (kept) this.kept.add(block);
    if (this.on) this.write(block);
  }

  /** There is something to tell of a file and the DAX window. */
  note(note: NoteFacts): void {
    if (!this.on) return;
    this.clock.set(now());
    this.write(windowBlock(this.clock, note));
  }

  private write(block: Uint8Array): void {
    const at = this.ring.reserve(block.length);
    if (at < 0) return;
    this.ring.bytes.set(block, at);
    this.ring.commit(block.length);
  }

  /** INIT was served while no trace was wanted: what `begin` and `handled` would have written is kept. */
  keepInit(trace: RequestTrace, chain: Chain, queue: number, used: number): void {
    reset(trace, chain, queue, now());
    trace.queued = 0;
    trace.traced = true;
    // Built in the ring's free room, and never published.
    this.request(trace, chain);
    this.reply(trace, chain, used);
    trace.traced = false;
  }

  /** What a trace that begins now starts with: the conversation so far, INIT, and the names that the guest knows. */
  preamble(names: readonly KnownName[], notes: readonly NoteFacts[] = []): Uint8Array[] {
    this.clock.set(now());
    const init = this.init.filter((block) => block !== undefined);
    return [
      ...this.kept.blocks,
      ...init,
      ...namesBlocks(this.clock, names),
      ...notes.map((note) => windowBlock(this.clock, note)),
    ];
  }

  /** Builds the request's block in reserved room; its length, or 0 when there was none. */
  private request(trace: RequestTrace, chain: Chain): number {
    const { ring, limits } = this;
    const length = chain.readable;
    let captured = length;
    if (length > limits.unknown) {
      const first = chain.peek(OPCODE_AT);
      captured = Math.min(length, first < limits.request.length ? limits.request[first] : limits.unknown);
    }
    const at = ring.reserve(blockBytes(FuseAt.message + captured));
    if (at < 0) return 0;
    this.copy(at, captured, chain, true);
    // Not what was looked at before: a guest may have changed it, and the capture must not contradict itself.
    const opcode = length >= InHeader.size ? ring.u32[(at + MESSAGE + OPCODE_AT) >>> 2] : 0;
    trace.opcode = opcode;
    this.clock.set(trace.taken);
    trace.takenLow = this.clock.low;
    trace.takenHigh = this.clock.high;
    const size = this.finish(at, trace, PacketKind.Request, length, captured);
    if (opcode === INIT) this.init[0] = ring.bytes.slice(at, at + size);
    return size;
  }

  private reply(trace: RequestTrace, chain: Chain, used: number): number {
    if (!trace.traced || used <= 0) return 0;
    const answered = now();
    this.lately = answered;
    const { ring, limits } = this;
    const { opcode } = trace;
    const limit = opcode < limits.reply.length ? limits.reply[opcode] : limits.unknown;
    const captured = used < limit ? used : limit;
    const at = ring.reserve(blockBytes(FuseAt.message + captured));
    if (at < 0) return 0;
    this.copy(at, captured, chain, false);
    this.clock.set(answered);
    const size = this.finish(at, trace, PacketKind.Reply, used, captured);
    this.phases(at, trace, answered);
    if (opcode === INIT) this.init[1] = ring.bytes.slice(at, at + size);
    return size;
  }

  /** What is known of a request when it has been dealt with. */
  private phases(at: number, trace: RequestTrace, answered: number): void {
    const { u16, u32 } = this.ring;
    const pseudo = at + BLOCK_HEADER;
    u16[(pseudo + FuseAt.calls) >>> 1] = trace.calls < MAX_CALLS ? trace.calls : MAX_CALLS;
    u32[(pseudo + FuseAt.host) >>> 2] = nanoseconds(trace.host);
    u32[(pseudo + FuseAt.writing) >>> 2] =
      trace.calls > 0 ? nanoseconds(answered - trace.hostEnd - trace.heldAfter) : 0;
    if (trace.held > 0) u32[(pseudo + FuseAt.held) >>> 2] = Math.min(MOST, Math.round(trace.held * 1000));
  }

  private copy(at: number, captured: number, chain: Chain, ofRequest: boolean): void {
    const { ring } = this;
    // The padding behind the message.
    if ((captured & 3) !== 0) ring.u32[(at + MESSAGE + captured) >>> 2] = 0;
    if (ofRequest) chain.exportRequest(captured, ring, at + MESSAGE);
    else chain.exportReply(captured, ring, at + MESSAGE);
  }

  /** Writes everything around the message, as of the moment that the clock is set to; the block's length. */
  private finish(
    at: number,
    trace: RequestTrace,
    kind: PacketKind.Request | PacketKind.Reply | PacketKind.Dropped,
    length: number,
    captured: number,
  ): number {
    const { ring, clock } = this;
    const { u32, u16 } = ring;
    const size = beginBlock(
      ring,
      at,
      FIRST_QUEUE_INTERFACE + trace.queue,
      clock,
      FuseAt.message + captured,
      length - captured,
    );
    const pseudo = at + BLOCK_HEADER;
    u16[pseudo >>> 1] = PACKET_VERSION | (kind << 8);
    u16[(pseudo + FuseAt.queue) >>> 1] = trace.queue;
    u32[(pseudo + FuseAt.head) >>> 2] = trace.head;
    u32[(pseudo + FuseAt.taken) >>> 2] = trace.takenLow;
    u32[(pseudo + FuseAt.taken + 4) >>> 2] = trace.takenHigh;
    u32[(pseudo + FuseAt.length) >>> 2] = length;
    u32[(pseudo + FuseAt.flags) >>> 2] =
      (length > captured ? MessageFlag.CUT : 0) |
      (trace.later ? MessageFlag.LATER : 0) |
      (trace.held > 0 ? MessageFlag.HELD : 0) |
      (trace.changed ? MessageFlag.CHANGED : 0) |
      MACHINE;
    u32[(pseudo + FuseAt.queued) >>> 2] = nanoseconds(trace.queued);
    u32[(pseudo + FuseAt.host) >>> 2] = 0;
    u32[(pseudo + FuseAt.writing) >>> 2] = 0;
    u32[(pseudo + FuseAt.held) >>> 2] = 0;
    endBlock(ring, at, size);
    return size;
  }
}

/** ADD_MEM_REG and REM_MEM_REG, and their answers. */
function isAboutOneRegion(message: Uint8Array): boolean {
  return message[0] === Request.ADD_MEM_REG || message[0] === Request.REM_MEM_REG;
}

function reset(trace: RequestTrace, chain: Chain, queue: number, taken: number): void {
  trace.taken = taken;
  trace.queue = queue;
  trace.head = chain.head;
  trace.calls = 0;
  trace.host = 0;
  trace.later = false;
  trace.held = 0;
  trace.changed = false;
}

/** Of milliseconds; what 32 bits cannot say is their largest number. */
function nanoseconds(milliseconds: number): number {
  const value = Math.round(milliseconds * 1e6);
  return value < MOST ? value : MOST;
}
