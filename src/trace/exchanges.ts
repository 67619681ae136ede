/**
 * Pairs replies with their requests: by queue and chain head, which is unique while a request is in progress.
 *
 * Works on a stream of packets as they come; keeps what is in flight and nothing else. A request whose reply was lost is
 * given up when its head comes again.
 */
import { type Reply, type Request, decodeReply, decodeRequest } from '../protocol/message';
import type { Packet } from './packet';

/** One request and, unless it wants none or got none yet, its reply. */
export interface TracedExchange {
  readonly request: Request;
  readonly requestPacket: Packet;
  readonly reply: Reply | undefined;
  /** From taking the request to giving the reply; undefined without one. */
  readonly nanoseconds: number | undefined;
  /** Bytes of the whole reply. */
  readonly replyLength: number;
}

export class ExchangePairing {
  private readonly inFlight = new Map<number, { request: Request; packet: Packet }>();

  /** An exchange that is complete with this packet: a reply with its request, or a request that wants no reply. */
  take(packet: Packet): TracedExchange | undefined {
    const key = packet.queue * 0x1_0000_0000 + packet.head;
    if (packet.direction === 'request') {
      const request = decodeRequest(packet.message);
      if (request.opcode?.reply === false) {
        return { request, requestPacket: packet, reply: undefined, nanoseconds: undefined, replyLength: 0 };
      }
      this.inFlight.set(key, { request, packet });
      return undefined;
    }
    const waiting = this.inFlight.get(key);
    if (!waiting) return undefined;
    this.inFlight.delete(key);
    return {
      request: waiting.request,
      requestPacket: waiting.packet,
      reply: decodeReply(packet.message, waiting.request),
      nanoseconds: Number(packet.time - packet.taken),
      replyLength: packet.length,
    };
  }
}
