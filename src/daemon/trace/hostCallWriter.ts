/**
 * Writes host system calls into the trace ring, with arguments, result and duration: `--trace-syscalls`.
 *
 * Paths and names are given as addresses in the arena; they are read there, up to their NUL, before the next request
 * writes over them. Anything else at an address (buffers, struct statx) is not shown.
 */
import type { Arena } from '../../base/arena';
import { hostCalls } from '../../protocol/hostCalls';
import { machineOf } from '../../protocol/machine';
import { HostCallAt, HostCallFlag, PACKET_VERSION, PacketKind } from '../../trace/packet';
import { BLOCK_HEADER, HOST_INTERFACE, beginBlock, blockBytes, endBlock } from './block';
import { TraceClock } from './clock';
import type { RequestTrace } from './requestTrace';
import type { TraceWriter } from './ring';

/** PATH_MAX: the kernel takes no longer ones. */
const LONGEST_TEXT = 4096;
const MOST_TEXTS = 2;
const MACHINE = machineOf(process.arch) === 'arm64' ? HostCallFlag.ARM64 : 0;
const TWO_32 = 0x1_0000_0000;

export class HostCallWriter {
  private readonly clock = new TraceClock();
  private readonly values = new Float64Array(6);

  constructor(
    private readonly ring: TraceWriter,
    private readonly arena: Arena,
  ) {}

  /** A call that was made for `trace` from `began` to `ended`, with up to six arguments. */
  write(
    trace: RequestTrace,
    call: number,
    began: number,
    ended: number,
    result: number,
    a: number,
    b: number,
    c: number,
    d: number,
    e: number,
    f: number,
    otherThread = false,
  ): void {
    const { values } = this;
    values[0] = a;
    values[1] = b;
    values[2] = c;
    values[3] = d;
    values[4] = e;
    values[5] = f;
    const row = hostCalls[call];
    const count = row.arguments.length;
    let captured = HostCallAt.arguments + count * 8;
    const at = this.ring.reserve(blockBytes(captured + MOST_TEXTS * LONGEST_TEXT));
    if (at < 0) return;
    const packet = at + BLOCK_HEADER;
    for (let index = 0; index < count; index++) {
      const isPath = row.arguments[index].kind === 'path';
      this.put(packet + HostCallAt.arguments + index * 8, isPath ? 0 : values[index]);
      if (isPath) captured += this.copyText(values[index], packet + captured);
    }
    this.ring.bytes.fill(0, packet + captured, packet + ((captured + 3) & ~3));
    this.clock.set(began);
    const size = beginBlock(this.ring, at, HOST_INTERFACE, this.clock, captured, 0);
    const { u16, u32 } = this.ring;
    u16[packet >>> 1] = PACKET_VERSION | (PacketKind.HostCall << 8);
    u16[(packet + HostCallAt.queue) >>> 1] = trace.queue;
    u32[(packet + HostCallAt.head) >>> 2] = trace.head;
    u32[(packet + HostCallAt.taken) >>> 2] = trace.takenLow;
    u32[(packet + HostCallAt.taken + 4) >>> 2] = trace.takenHigh;
    u16[(packet + HostCallAt.call) >>> 1] = call;
    u16[(packet + HostCallAt.flags) >>> 1] = (otherThread ? HostCallFlag.OTHER_THREAD : 0) | MACHINE;
    u32[(packet + HostCallAt.count) >>> 2] = count;
    this.put(packet + HostCallAt.result, result);
    this.put(packet + HostCallAt.duration, Math.round((ended - began) * 1e6));
    endBlock(this.ring, at, size);
    this.ring.commit(size);
  }

  /** A 64-bit integer in two's complement, from a double. */
  private put(at: number, value: number): void {
    this.ring.u32[at >>> 2] = value >>> 0;
    this.ring.u32[(at + 4) >>> 2] = Math.floor(value / TWO_32) >>> 0;
  }

  /** Copies the text at a host address, and its NUL; the bytes written. */
  private copyText(address: number, to: number): number {
    const { bytes } = this.ring;
    const from = address - this.arena.base;
    const { u8 } = this.arena;
    let length = 0;
    if (from >= 0 && from < u8.length) {
      while (length < LONGEST_TEXT - 1 && u8[from + length] !== 0) {
        bytes[to + length] = u8[from + length];
        length++;
      }
    }
    bytes[to + length] = 0;
    return length + 1;
  }
}
