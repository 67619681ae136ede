/**
 * Requests that are answered later: those the file system has deferred, until it finishes them.
 *
 * A late reply is built in an area of its own, because it may come in the middle of another request: an unlock that
 * lets a waiting lock through.
 */
import type { Arena } from '../base/arena';
import type { Deferred, FileSystem, Node, Payload } from '../fs/fileSystem';
import { Opcode } from '../protocol/fuse/opcodes';
import { AttrOut, CopyFileRangeOut, OpenOut, OutHeader, WriteOut } from '../protocol/fuse/structs';
import type { Exchange } from './exchange';
import { writeAttributes, writeCreated } from './inode';
import { openFlagsOf, writeOpened } from './opened';
import type { Session } from './session';

const outHeader = OutHeader.offset;
const HEADER = OutHeader.size;
const { SETATTR, OPEN, READ, WRITE, CREATE, COPY_FILE_RANGE, COPY_FILE_RANGE_64 } = Opcode;

/**
 * Writes the body that reports `result` (not negative) of a call to `at`; its bytes. READ's data are in the guest
 * already, and most deferrable opcodes say no more than that they are done.
 */
export function lateReplyBytes(arena: Arena, opcode: number, result: number, at: number): number {
  switch (opcode) {
    case WRITE:
    case COPY_FILE_RANGE:
      arena.setU32(at + WriteOut.offset.size, result);
      arena.setU32(at + WriteOut.offset.padding, 0);
      return WriteOut.size;
    case COPY_FILE_RANGE_64:
      arena.setU64(at + CopyFileRangeOut.offset.bytes_copied, result);
      return CopyFileRangeOut.size;
    default:
      return 0;
  }
}

class ParkedRequest implements Deferred {
  constructor(
    private readonly requests: ParkedRequests,
    readonly payload: Exchange,
    readonly opcode: number,
    readonly node: Node,
    readonly uniqueLow: number,
    readonly uniqueHigh: number,
  ) {}

  get answerable(): boolean {
    return this.payload.answerable;
  }

  finish(result: number): void {
    this.requests.finish(this, result);
  }
}

export class ParkedRequests {
  /** Late replies that were an error. */
  failed = 0;
  private readonly waiting = new Set<ParkedRequest>();

  constructor(
    readonly arena: Arena,
    private readonly reply: number,
    readonly fs: FileSystem,
    readonly session: Session,
  ) {}

  get count(): number {
    return this.waiting.size;
  }

  add(
    exchange: Exchange,
    opcode: number,
    node: Node,
    uniqueLow: number,
    uniqueHigh: number,
  ): Deferred & { readonly payload: Payload } {
    const request = new ParkedRequest(this, exchange, opcode, node, uniqueLow, uniqueHigh);
    this.waiting.add(request);
    return request;
  }

  has(uniqueLow: number, uniqueHigh: number): boolean {
    for (const request of this.waiting) {
      if (request.uniqueLow === uniqueLow && request.uniqueHigh === uniqueHigh) return true;
    }
    return false;
  }

  /** Replies and gives the request back to its transport. */
  finish(request: ParkedRequest, result: number): void {
    // A second finish would give somebody else's descriptors back.
    if (!this.waiting.delete(request)) return;
    const { arena, reply } = this;
    const exchange = request.payload;
    // Guest memory may be somebody else's by now.
    if (!exchange.answerable) return exchange.finish(0);
    if (result < 0) this.failed++;
    const bytes = result < 0 ? 0 : this.body(request, result);
    const dataInGuest = result >= 0 && request.opcode === READ ? result : 0;
    const used = HEADER + bytes + dataInGuest;
    arena.setU32(reply + outHeader.len, used);
    arena.setU32(reply + outHeader.error, result < 0 ? result : 0);
    arena.setU32(reply + outHeader.unique, request.uniqueLow);
    arena.setU32(reply + outHeader.unique + 4, request.uniqueHigh);
    exchange.finish(exchange.push(0, HEADER + bytes, reply) < 0 ? 0 : used);
  }

  /** Writes the late reply's body; its bytes. */
  private body({ opcode, node }: ParkedRequest, result: number): number {
    const at = this.reply + HEADER;
    switch (opcode) {
      case OPEN:
        writeOpened(this, at, result, openFlagsOf(this, node));
        return OpenOut.size;
      case CREATE:
        return writeCreated(this, at, result);
      case SETATTR:
        writeAttributes(this, at, node);
        return AttrOut.size;
      default:
        return lateReplyBytes(this.arena, opcode, result, at);
    }
  }
}
