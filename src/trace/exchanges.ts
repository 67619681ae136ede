/**
 * Pairs replies with their requests: by queue and chain head, which is unique while a request is in progress.
 *
 * Works on a stream of packets as they come; keeps what is in flight and nothing else. A request whose reply was lost is
 * given up when its head comes again. Messages are decoded when somebody looks at them: who only counts pays nothing.
 */
import { opcodeByNumber } from '../protocol/fuse/opcodes';
import { type Reply, type Request, decodeReply, decodeRequest } from '../protocol/message';
import type { Packet } from './packet';

/** Places in fuse_in_header and fuse_out_header; both are i32 or u32. */
const OPCODE_AT = 4;
const ERROR_AT = 4;

/** One request and, unless it wants none or got none yet, its reply. */
export interface TracedExchange {
  /** Decoded at the first look. */
  readonly request: Request;
  readonly requestPacket: Packet;
  /** Decoded at the first look. */
  readonly reply: Reply | undefined;
  /** The opcode's name, or `opcode N`; without decoding the request. */
  readonly name: string;
  /** 0 or a negative errno; without decoding the reply. */
  readonly error: number;
  /** From taking the request to giving the reply; undefined without one. */
  readonly nanoseconds: number | undefined;
  /** Bytes of the whole reply. */
  readonly replyLength: number;
}

class Exchange implements TracedExchange {
  private decodedRequest: Request | undefined;
  private decodedReply: Reply | undefined;

  constructor(
    readonly requestPacket: Packet,
    private readonly replyPacket: Packet | undefined,
  ) {}

  get request(): Request {
    return (this.decodedRequest ??= decodeRequest(this.requestPacket.message));
  }

  get reply(): Reply | undefined {
    if (!this.replyPacket) return undefined;
    return (this.decodedReply ??= decodeReply(this.replyPacket.message, this.request));
  }

  get name(): string {
    const number = opcodeOf(this.requestPacket);
    return opcodeByNumber(number)?.name ?? `opcode ${number}`;
  }

  get error(): number {
    return this.replyPacket ? wordAt(this.replyPacket, ERROR_AT) : 0;
  }

  get nanoseconds(): number | undefined {
    return this.replyPacket && Number(this.replyPacket.time - this.replyPacket.taken);
  }

  get replyLength(): number {
    return this.replyPacket?.length ?? 0;
  }
}

export class ExchangePairing {
  private readonly inFlight = new Map<number, Packet>();

  /** An exchange that is complete with this packet: a reply with its request, or a request that wants no reply. */
  take(packet: Packet): TracedExchange | undefined {
    const key = packet.queue * 0x1_0000_0000 + packet.head;
    if (packet.direction === 'request') {
      if (opcodeByNumber(opcodeOf(packet))?.reply === false) return new Exchange(packet, undefined);
      this.inFlight.set(key, packet);
      return undefined;
    }
    const waiting = this.inFlight.get(key);
    if (!waiting) return undefined;
    this.inFlight.delete(key);
    return new Exchange(waiting, packet);
  }
}

function opcodeOf(packet: Packet): number {
  return wordAt(packet, OPCODE_AT) >>> 0;
}

/** A message cut before the word has 0 there, as the decoder has it. */
function wordAt({ message }: Packet, at: number): number {
  if (message.length < at + 4) return 0;
  return message[at] | (message[at + 1] << 8) | (message[at + 2] << 16) | (message[at + 3] << 24);
}
