/**
 * The bytes of a request that was held, taken out of the guest's memory so that what was shown is what is handled; and
 * changes to them. The guest's memory is not written.
 *
 * Of a WRITE only what is before its data is taken out, until a change reaches them. Lives until the request is
 * answered, since another thread may still be writing from it.
 */
import type { Arena } from '../../base/arena';
import { pinnedArena } from '../../native/memory';
import { Errno } from '../../protocol/errno';
import { Opcode, opcodeByNumber } from '../../protocol/fuse/opcodes';
import { InHeader, WriteIn } from '../../protocol/fuse/structs';
import { decodeRequest, type SessionShape } from '../../protocol/message';
import type { Chain } from '../../virtio/chain';
import { NEVER_HELD } from '../../control/rules/selector';

/** Headers are looked at also where there is less. */
const HEADER_ROOM = 64;
const WRITE_DATA = InHeader.size + WriteIn.size;
/** The longest request but WRITE that the server takes is shorter. */
const MOST_HEAD = 72 << 10;
/** The most that is taken out of a WRITE for a change to its data. */
const MOST_WHOLE = 16 << 20;

export class RequestBytes {
  private held: Arena;
  /** Bytes that are held here; the rest, data of a WRITE, is the guest's. */
  private head: number;
  private total: number;

  constructor(
    private readonly arena: Arena,
    private readonly chain: Chain,
  ) {
    this.total = chain.oversized ? 0 : chain.readable;
    const first = takeOut(chain, Math.min(this.total, WRITE_DATA));
    const isWrite = this.total > WRITE_DATA && first.getU32(InHeader.offset.opcode) === Opcode.WRITE;
    this.head = Math.min(this.total, isWrite ? WRITE_DATA : MOST_HEAD);
    this.held = this.head <= WRITE_DATA ? first : takeOut(chain, this.head);
  }

  get length(): number {
    return this.total;
  }

  /** What is held here, for looking at. */
  get bytes(): Uint8Array {
    return this.held.bytes(0, this.head);
  }

  pull(skip: number, length: number, at: number): number {
    if (skip + length > this.total) return -Errno.EFAULT;
    const own = Math.max(0, Math.min(length, this.head - skip));
    if (own > 0) this.arena.u8.set(this.held.bytes(skip, own), at);
    return own < length ? this.chain.copyIn(skip + own, length - own, at + own) : 0;
  }

  vectors(skip: number, length: number): number {
    if (skip + length > this.total) return -Errno.EFAULT;
    if (skip >= this.head) return this.chain.readableVectors(skip, length);
    if (skip + length > this.head) return -Errno.EFAULT;
    return this.chain.vectorOf(this.held.address(skip), length);
  }

  /** A copy of some of it; shorter where it ends. */
  read(offset: number, count: number): Uint8Array {
    const end = Math.min(this.total, offset + count);
    if (offset >= end) return new Uint8Array(0);
    if (end <= this.head) return this.held.bytes(offset, end - offset).slice();
    const whole = takeOut(this.chain, end);
    whole.u8.set(this.bytes);
    return whole.bytes(offset, end - offset).slice();
  }

  /** Sets a 32-bit word of the header or the arguments. */
  setWord(at: number, value: number): void {
    if (at + 4 <= this.head) this.held.setU32(at, value);
  }

  /** Makes it shorter. */
  shorten(length: number): void {
    this.total = Math.min(this.total, length);
    this.head = Math.min(this.head, this.total);
    this.setWord(InHeader.offset.len, this.total);
  }

  /**
   * Puts `bytes` in place of `replace` at `offset`. The decoder's complaints, or why it cannot be (then nothing is).
   */
  change(
    offset: number,
    bytes: Uint8Array,
    replace: number,
    shape: SessionShape | undefined,
  ): { readonly problems: readonly string[] } | string {
    if (offset > this.total || offset + replace > this.total) return `the request has ${this.total} bytes`;
    const total = this.total + bytes.length - replace;
    const toHead = offset + replace <= this.head && (this.head === this.total || bytes.length === replace);
    const most = toHead ? MOST_HEAD : MOST_WHOLE;
    if (total > most && !(toHead && bytes.length === replace)) return `a changed request has at most ${most} bytes`;
    const whole = toHead ? this.bytes : this.read(0, this.total);
    const fresh = pinnedArena(Math.max(HEADER_ROOM, (whole.length + bytes.length - replace + 7) & ~7));
    fresh.u8.set(whole.subarray(0, offset));
    fresh.u8.set(bytes, offset);
    fresh.u8.set(whole.subarray(offset + replace), offset + bytes.length);
    const length = whole.length + bytes.length - replace;
    if (bytes.length !== replace && total >= InHeader.size) fresh.setU32(InHeader.offset.len, total);
    const wrong = this.fault(fresh, length, total);
    if (wrong !== undefined) return wrong;
    this.held = fresh;
    this.head = length;
    this.total = total;
    return { problems: decodeRequest(fresh.bytes(0, length), shape).problems };
  }

  private fault(fresh: Arena, length: number, total: number): string | undefined {
    if (length < InHeader.size) return 'it would be shorter than a header';
    const { unique, opcode, len } = InHeader.offset;
    for (const at of [unique, unique + 4]) {
      if (fresh.getU32(at) !== this.held.getU32(at)) return '"unique" is how the guest knows its reply: it stays';
    }
    if (fresh.getU32(len) !== total) return `"len" would be ${fresh.getU32(len)}, but there are ${total} bytes`;
    const number = fresh.getU32(opcode);
    if (number !== this.held.getU32(opcode) && (NEVER_HELD.has(number) || !opcodeByNumber(number)?.reply)) {
      return 'the opcode can only become one that has a reply';
    }
    return undefined;
  }
}

/** The first bytes of a request, copied. What is in no memory is zero. */
function takeOut(chain: Chain, length: number): Arena {
  const arena = pinnedArena(Math.max(WRITE_DATA, (length + 7) & ~7));
  chain.exportRequest(length, { address: arena.base, bytes: arena.u8, u32: arena.u32 }, 0);
  return arena;
}
