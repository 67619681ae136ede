/**
 * The reply of a request that is held, where it lies: in the guest's own memory, in the room that the request brought.
 *
 * Reads and changes it, and builds error replies; every change keeps what the guest needs to know the reply by.
 */
import type { Arena } from '../../base/arena';
import { MOST_ERRNO } from '../../control/debug';
import { pinnedArena } from '../../native/memory';
import { InHeader, OutHeader } from '../../protocol/fuse/structs';
import { decodeReply, decodeRequest, type SessionShape } from '../../protocol/message';
import type { Chain } from '../../virtio/chain';

const { len, error, unique } = OutHeader.offset;
const HEADER = OutHeader.size;

/** Bytes of the worker's arena that replies are written from; at a multiple of 8. */
export const REPLY_AREA = 64 << 10;
/** The longest change: it is copied once. */
const MOST = 16 << 20;

/** The first bytes of the reply, copied; longer replies than 16 MiB are cut. */
export function readReply(chain: Chain, length: number): Arena {
  const count = Math.min(length, MOST);
  const arena = pinnedArena(Math.max(HEADER, (count + 7) & ~7));
  chain.exportReply(count, { address: arena.base, bytes: arena.u8, u32: arena.u32 }, 0);
  return arena;
}

export class ReplyWriter {
  constructor(
    private readonly arena: Arena,
    private readonly at: number,
  ) {}

  /** Writes an error reply (`errno` positive); its bytes, or 0 where there is no room or no memory. */
  fail(chain: Chain, request: Arena, errno: number): number {
    const { arena, at } = this;
    if (chain.writable < HEADER) return 0;
    arena.setU32(at + len, HEADER);
    arena.i32[(at + error) >>> 2] = -errno;
    arena.setU32(at + unique, request.getU32(InHeader.offset.unique));
    arena.setU32(at + unique + 4, request.getU32(InHeader.offset.unique + 4));
    return chain.copyOut(0, HEADER, at) < 0 ? 0 : HEADER;
  }

  /** The header's len, right or wrong. */
  setLength(chain: Chain, value: number): void {
    if (chain.writable < HEADER) return;
    this.arena.setU32(this.at, value >>> 0);
    chain.copyOut(0, 4, this.at);
  }

  /** Writes `bytes` at `offset` and makes the reply `length` long. The decoder's complaints, or why it cannot be. */
  change(
    chain: Chain,
    request: Uint8Array,
    used: number,
    offset: number,
    bytes: Uint8Array,
    length: number,
    shape: SessionShape | undefined,
  ): { readonly problems: readonly string[] } | string {
    if (offset + bytes.length > chain.writable || length > chain.writable) {
      return `the guest has room for ${chain.writable} bytes of reply`;
    }
    if (length < HEADER) return 'a reply has a header at least';
    if (length > MOST) return `a changed reply has at most ${MOST} bytes`;
    const fresh = readReply(chain, Math.max(used, length, offset + bytes.length));
    const before = [fresh.getU32(unique), fresh.getU32(unique + 4)];
    if (length > used) fresh.zero(used, length - used);
    fresh.u8.set(bytes, offset);
    const touchesLength = offset < len + 4;
    if (touchesLength && bytes.length > 0 && fresh.getU32(len) !== length && fresh.getU32(len) !== used) {
      return `"len" would be ${fresh.getU32(len)}, but the reply has ${length} bytes`;
    }
    fresh.setU32(len, length);
    if (fresh.getU32(unique) !== before[0] || fresh.getU32(unique + 4) !== before[1]) {
      return '"unique" is how the guest knows its reply: it stays';
    }
    const code = fresh.getI32(error);
    if (code > 0 || code < -MOST_ERRNO) return `error is 0 or from -${MOST_ERRNO} to -1`;
    if (code < 0 && length !== HEADER) return 'a reply with an error has nothing but its header';
    if (!this.put(chain, fresh, length)) return 'the room for the reply is not in guest memory';
    return { problems: decodeReply(fresh.bytes(0, length), decodeRequest(request, shape), shape).problems };
  }

  private put(chain: Chain, from: Arena, length: number): boolean {
    for (let done = 0; done < length; done += REPLY_AREA) {
      const part = Math.min(REPLY_AREA, length - done);
      this.arena.u8.set(from.bytes(done, part), this.at);
      if (chain.copyOut(done, part, this.at) < 0) return false;
    }
    return true;
  }
}
