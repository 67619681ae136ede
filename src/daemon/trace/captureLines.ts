/**
 * Decoded requests as log lines: what `-d` prints. Keeps what is in flight and nothing else, so that a daemon may log
 * for months; paths, which need a memory of all names, are for captures.
 */
import { opcodeByNumber } from '../../protocol/fuse/opcodes';
import { machineOf } from '../../protocol/machine';
import { decodeReply, decodeRequest, type Request } from '../../protocol/message';
import { replyLine, requestLine } from '../../protocol/summary';
import { FuseAt, PacketKind } from '../../trace/packet';
import { DROPPED } from '../../trace/capture';
import { printDuration } from '../../trace/times';
import { type PcapngHandler, PcapngReader } from '../../trace/pcapngReader';
import type { CaptureHeader } from './header';
import type { TraceSink } from './sink';

/** Guest and host are of one architecture. */
const MACHINE = machineOf(process.arch);

export class CaptureLines implements TraceSink, PcapngHandler {
  readonly full = false;
  private readonly blocks = new PcapngReader(this);
  private readonly inFlight = new Map<number, Request>();

  constructor(
    private readonly header: CaptureHeader,
    private readonly line: (text: string) => void,
  ) {}

  begin(preamble: readonly Uint8Array[]): void {
    for (const block of [...this.header.start(), ...preamble]) this.blocks.push(block);
  }

  write(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.blocks.push(piece);
  }

  lost(packets: number): void {
    this.line(`${packets} messages are missing here: they came faster than they were read`);
  }

  end(): void {
    this.blocks.end();
  }

  section(): void {
    this.inFlight.clear();
  }

  interface(): void {
    // What a packet is it says itself.
  }

  packet(
    bytes: Uint8Array,
    view: DataView,
    at: number,
    captured: number,
    _position: number,
    timeHigh: number,
    timeLow: number,
  ): void {
    const kind: PacketKind = bytes[at + 1];
    if (kind !== PacketKind.Request && kind !== PacketKind.Reply && kind !== PacketKind.Dropped) return;
    const key = view.getUint16(at + FuseAt.queue, true) * 0x1_0000_0000 + view.getUint32(at + FuseAt.head, true);
    const message = bytes.subarray(at + FuseAt.message, at + captured);
    if (kind === PacketKind.Request) {
      const request = decodeRequest(message.slice(), undefined, MACHINE);
      if (opcodeByNumber(request.number)?.reply === false) this.line(requestLine(request));
      else this.inFlight.set(key, request);
      return;
    }
    const request = this.inFlight.get(key);
    if (!request) return;
    this.inFlight.delete(key);
    if (kind === PacketKind.Dropped) return this.line(`${requestLine(request)} ${DROPPED}`);
    const high = timeHigh - view.getUint32(at + FuseAt.taken + 4, true);
    const nanoseconds = high * 0x1_0000_0000 + timeLow - view.getUint32(at + FuseAt.taken, true);
    const latency = printDuration(nanoseconds);
    this.line(`${requestLine(request)} ${replyLine(decodeReply(message, request))} ${latency}`);
  }
}
