/**
 * The request being served: what the header said, where its arguments, names and data lie in the arena, and the ways to
 * answer it.
 *
 * One object, filled anew for every request, so that handlers are plain functions of it and nothing is allocated. Knows
 * the header of requests and replies and what several opcodes share; what one opcode means is in its handler's file.
 */
import type { Arena } from '../base/arena';
import { DEFERRED, type FileSystem, GROUPS_UNTOLD, type Handle, NO_GROUP, type Node } from '../fs/fileSystem';
import { Errno } from '../protocol/errno';
import { InHeader, OutHeader } from '../protocol/fuse/structs';
import { REPLY_CAPACITY, type FuseAreas } from './areas';
import { RequestCaller } from './caller';
import { Counters } from './counters';
import type { Exchange } from './exchange';
import { lateReplyBytes, type ParkedRequests } from './parked';
import type { Session } from './session';

export const IN_HEADER = InHeader.size;
export const OUT_HEADER = OutHeader.size;

/** Bit 53 and up of an offset or length: beyond what a double holds exactly, and beyond any file (8 PiB). */
const TOO_FAR_HIGH = 0x20_0000;

const inHeader = InHeader.offset;
const outHeader = OutHeader.offset;

/** The last request that was refused before anything was done for it, for the log. */
export interface Refusal {
  opcode: number;
  /** A positive errno. */
  error: number;
  /** One of a fixed set of sentences. */
  reason: string;
}

export class Turn {
  /** Set before every use. */
  exchange!: Exchange;
  readonly caller: RequestCaller;
  readonly counters = new Counters();
  readonly lastRefusal: Refusal = { opcode: 0, error: 0, reason: '' };

  opcode = 0;
  /** The inode in the header; for opcodes that are about none, meaningless. */
  node: Node = 0;
  /** Arena offset of the arguments: behind the header. */
  readonly args: number;
  /** Arena offset of what follows the arguments: names or data. */
  rest = 0;
  /** Arena offset of the end of that: extensions are behind it. */
  end = 0;
  /** Bytes of the extensions. */
  extensionBytes = 0;
  /** Bytes of the request, its header included, as the header says and as are there. */
  length = 0;
  /** Arena offset of the reply's body, behind its header. */
  readonly body: number;
  /** Bytes of body that the reply may have: what the front-end has room for, and not more than the arena's area. */
  room = 0;

  private readonly request: number;
  private readonly reply: number;

  constructor(
    readonly arena: Arena,
    areas: FuseAreas,
    readonly fs: FileSystem,
    readonly session: Session,
    readonly parked: ParkedRequests,
  ) {
    this.request = areas.request;
    this.args = areas.request + IN_HEADER;
    this.reply = areas.reply;
    this.body = areas.reply + OUT_HEADER;
    this.caller = new RequestCaller(this, parked);
  }

  /** Takes the header, which lies in the arena, apart. The arguments follow when they have been pulled. */
  begin(exchange: Exchange): void {
    const { arena, request, caller } = this;
    this.exchange = exchange;
    this.opcode = arena.getU32(request + inHeader.opcode);
    this.length = arena.getU32(request + inHeader.len);
    // Without an agreement on any extension the field is padding.
    this.extensionBytes = this.session.extensions ? arena.getU16(request + inHeader.total_extlen) * 8 : 0;
    const room = exchange.writable - OUT_HEADER;
    this.room = room < REPLY_CAPACITY - OUT_HEADER ? room : REPLY_CAPACITY - OUT_HEADER;
    caller.uid = arena.getU32(request + inHeader.uid);
    caller.gid = arena.getU32(request + inHeader.gid);
    caller.pid = arena.getU32(request + inHeader.pid);
    caller.supplementaryGid = this.session.extensions ? NO_GROUP : GROUPS_UNTOLD;
    caller.uniqueLow = arena.getU32(request + inHeader.unique);
    caller.uniqueHigh = arena.getU32(request + inHeader.unique + 4);
  }

  /** The header's nodeid as a node, or -ESTALE. */
  headerNode(): Node | number {
    return this.nodeAt(this.request + inHeader.nodeid);
  }

  /** The handle at `at`, of the inode in the header, known or forgotten meanwhile; or -EBADF. */
  lastHandleAt(at: number): Handle | number {
    return this.handleAt(at, this.arena.getU32(this.request + inHeader.nodeid));
  }

  /** A nodeid that lies at `at`, as a node, or -ESTALE. */
  nodeAt(at: number): Node | number {
    return this.fs.node(this.arena.getU32(at), this.arena.getU32(at + 4));
  }

  /** A fh that lies at `at`, as a handle of `node`, or -EBADF. */
  handleAt(at: number, node: Node): Handle | number {
    return this.fs.handle(this.arena.getU32(at), this.arena.getU32(at + 4), node);
  }

  /** An unsigned offset or length that lies at `at`; -1 when it is beyond any file. */
  offsetAt(at: number): number {
    return this.arena.getU32(at + 4) < TOO_FAR_HIGH ? this.arena.getU64(at) : -1;
  }

  /** A reply with `bytes` of body, which lie at `body`. Returns the bytes used, as `handle` does. */
  send(bytes: number): number {
    return this.push(bytes, 0);
  }

  /** An error reply; `error` is a negative errno. Nothing at all where there is no room for it or none is wanted. */
  fail(error: number): number {
    return this.exchange.writable < OUT_HEADER ? 0 : this.push(0, error);
  }

  /** A reply without a body, or the error, or later: for calls whose result says no more than that. */
  acknowledge(result: number): number {
    if (result >= 0) return this.push(0, 0);
    return result === DEFERRED ? DEFERRED : this.push(0, result);
  }

  /** The same for calls whose result is told to the guest: the body is what a late reply of this opcode would have. */
  answer(result: number): number {
    if (result < 0) return result === DEFERRED ? DEFERRED : this.push(0, result);
    return this.push(lateReplyBytes(this.arena, this.opcode, result, this.body), 0);
  }

  /** A reply whose body of `bytes` is in the guest already. */
  sendHeader(bytes: number): number {
    this.header(bytes, 0);
    return this.exchange.push(0, OUT_HEADER, this.reply) < 0 ? this.unaddressable() : OUT_HEADER + bytes;
  }

  /** The request breaks a rule of the protocol: counted, remembered, and answered with the negative errno. */
  refuse(error: number, reason: string): number {
    this.noteRefusal(error, reason);
    return this.fail(error);
  }

  /** The same for a request that has no reply. */
  drop(reason: string): number {
    this.noteRefusal(-Errno.EINVAL, reason);
    this.counters.dropped++;
    return 0;
  }

  private noteRefusal(error: number, reason: string): void {
    this.counters.refused++;
    this.lastRefusal.opcode = this.opcode;
    this.lastRefusal.error = -error;
    this.lastRefusal.reason = reason;
  }

  private header(bytes: number, error: number): void {
    const { arena, reply, caller } = this;
    if (error !== 0) this.counters.failed++;
    arena.setU32(reply + outHeader.len, OUT_HEADER + bytes);
    arena.setU32(reply + outHeader.error, error);
    arena.setU32(reply + outHeader.unique, caller.uniqueLow);
    arena.setU32(reply + outHeader.unique + 4, caller.uniqueHigh);
  }

  private push(bytes: number, error: number): number {
    this.header(bytes, error);
    const used = OUT_HEADER + bytes;
    return this.exchange.push(0, used, this.reply) < 0 ? this.unaddressable() : used;
  }

  private unaddressable(): number {
    this.counters.unaddressable++;
    return 0;
  }
}
