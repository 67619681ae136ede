/**
 * The vhost-user back-end's side of the conversation (QEMU's docs/interop/vhost-user.rst): which request is about what,
 * and what the front-end is told of how it went.
 *
 * A state machine over messages that are already framed, made of three: features (`negotiation.ts`), the memory table
 * (`memoryTable.ts`) and the rings (`rings.ts`); what is left is here, and what one has to do with another. Descriptors
 * are plain numbers: what is mapped, closed or polled happens in the `Device` it is given. Knows no virtqueue layout
 * and no FUSE. The front-end is less suspect than the guest, but no field of its messages is used unchecked either: a
 * bad message is refused (with REPLY_ACK the front-end learns of it) and leaves the state as it was. One exception:
 * memory that cannot be mapped, or a ring that is not inside of it, is found out only when the old one is gone; then
 * there is no memory, or that ring does not run.
 */
import { Request, requestRow } from '../protocol/vhostUser/requests';
import { ShmemConfig } from '../protocol/vhostUser/structs';
import { readConfig } from './configSpace';
import type { Device } from './device';
import type { Message } from './framing';
import { MAX_SLOTS, MemoryTable, readTable } from './memoryTable';
import { DEVICE_FEATURES, Negotiation, type NegotiationOptions } from './negotiation';
import { type Outcome, u64 } from './payload';
import { Rings } from './rings';

export interface BackEndOptions extends NegotiationOptions {
  readonly requestQueues: number;
}

export class BackEnd {
  readonly rings: Rings;
  private readonly negotiation: Negotiation;
  private readonly memory: MemoryTable;
  private status = 0;
  /** The front-end's ear for what a back-end may ask: only the DAX window does, but it must stay open in any case. */
  private channel = -1;

  constructor(
    private readonly device: Device,
    private readonly options: BackEndOptions,
  ) {
    this.negotiation = new Negotiation(options);
    this.memory = new MemoryTable(device, options.window);
    this.rings = new Rings(1 + options.requestQueues, device, this.negotiation);
  }

  /**
   * Acts on one message; the payload of the reply to send, if any. Descriptors of the message are taken over: each is
   * kept in a ring or closed before this returns.
   */
  handle(message: Message): Uint8Array | undefined {
    const kept = new Set<number>();
    const outcome = this.dispatch(message, kept);
    for (const fd of message.descriptors) if (!kept.has(fd)) this.device.closeDescriptor(fd);
    if (outcome && 'reply' in outcome) return outcome.reply;
    if (outcome) this.device.warn(`${nameOf(message.request)} refused: ${outcome.refused}`);
    return message.needReply && this.negotiation.acknowledges ? u64(outcome ? 1 : 0).reply : undefined;
  }

  /** The front-end has gone: every ring stops, every descriptor and region is given back. */
  close(): void {
    this.rings.endAll();
    this.memory.drop();
    this.setChannel(-1);
  }

  private dispatch(message: Message, kept: Set<number>): Outcome {
    const { payload, descriptors } = message;
    const short = minimumSize[message.request] ?? 0;
    if (payload.byteLength < short) return { refused: `${payload.byteLength} bytes where ${short} are needed` };
    switch (message.request) {
      case Request.GET_FEATURES:
        return u64(DEVICE_FEATURES);
      case Request.SET_FEATURES:
        return this.setFeatures(payload.getBigUint64(0, true));
      case Request.GET_PROTOCOL_FEATURES:
        return u64(this.negotiation.protocolFeaturesOffered);
      case Request.SET_PROTOCOL_FEATURES:
        return this.negotiation.setProtocolFeatures(payload.getBigUint64(0, true));
      case Request.SET_OWNER:
        return undefined;
      case Request.RESET_OWNER:
      case Request.RESET_DEVICE:
        return this.resetDevice();
      case Request.GET_QUEUE_NUM:
        return u64(this.rings.all.length);
      case Request.GET_MAX_MEM_SLOTS:
        return u64(MAX_SLOTS);
      case Request.SET_MEM_TABLE:
        return this.setMemoryTable(payload, descriptors);
      case Request.ADD_MEM_REG:
        return this.memory.add(payload, descriptors[0]);
      case Request.REM_MEM_REG:
        return this.memory.remove(payload, (region) => this.rings.runIn(region));
      case Request.SET_VRING_NUM:
        return this.rings.setSize(payload);
      case Request.SET_VRING_ADDR:
        return this.rings.setAddresses(payload);
      case Request.SET_VRING_BASE:
        return this.rings.setBase(payload);
      case Request.GET_VRING_BASE:
        return this.rings.getBase(payload);
      case Request.SET_VRING_KICK:
        return this.rings.setKick(message, kept);
      case Request.SET_VRING_CALL:
        return this.rings.setCall(message, kept);
      case Request.SET_VRING_ERR:
        return this.rings.setError(payload);
      case Request.SET_VRING_ENABLE:
        return this.rings.enable(payload);
      case Request.SET_BACKEND_REQ_FD: {
        const [fd] = descriptors;
        if (fd === undefined) return { refused: 'no descriptor came along' };
        kept.add(fd);
        return this.setChannel(fd);
      }
      case Request.GET_CONFIG:
        return readConfig(payload, this.options.tag, this.options.requestQueues);
      case Request.SET_CONFIG:
        return { refused: 'the configuration space is read-only' };
      case Request.SET_STATUS:
        return this.setStatus(Number(payload.getBigUint64(0, true) & 0xffn));
      case Request.GET_STATUS:
        return u64(this.status);
      case Request.GET_SHMEM_CONFIG:
        return this.sharedMemory();
      default:
        return { refused: 'not offered by this back-end' };
    }
  }

  private setFeatures(features: bigint): Outcome {
    const refused = this.negotiation.setFeatures(features);
    if (!refused) this.rings.negotiated();
    return refused;
  }

  private setStatus(status: number): Outcome {
    this.status = status;
    return status === 0 ? this.resetDevice() : undefined;
  }

  /** Memory stays. */
  private resetDevice(): undefined {
    this.rings.reset();
    this.status = 0;
  }

  private setMemoryTable(payload: DataView, descriptors: readonly number[]): Outcome {
    const regions = readTable(payload, descriptors.length);
    if ('refused' in regions) return regions;
    // Rings lie in the memory that goes: they stop, and start again in the new one.
    this.rings.stopAll();
    return this.memory.replace(regions, descriptors) ?? this.rings.startAll();
  }

  private setChannel(fd: number): undefined {
    this.options.window?.channelChanged(fd);
    if (this.channel >= 0) this.device.closeDescriptor(this.channel);
    this.channel = fd;
  }

  /** Sizes by shmid: the window is 0 (virtio 1.3, section 5.11.3). */
  private sharedMemory(): Outcome {
    const { window } = this.options;
    if (!window) return { refused: 'not offered by this back-end' };
    const reply = new Uint8Array(ShmemConfig.size);
    const view = new DataView(reply.buffer);
    view.setUint32(ShmemConfig.offset.nregions, 1, true);
    view.setBigUint64(ShmemConfig.offset.memory_sizes, BigInt(window.size), true);
    return { reply };
  }
}

/** Shortest payload of each request that has one. */
const minimumSize: Readonly<Record<number, number>> = {
  [Request.SET_FEATURES]: 8,
  [Request.SET_PROTOCOL_FEATURES]: 8,
  [Request.SET_MEM_TABLE]: 8,
  [Request.ADD_MEM_REG]: 40,
  [Request.REM_MEM_REG]: 40,
  [Request.SET_VRING_NUM]: 8,
  [Request.SET_VRING_ADDR]: 40,
  [Request.SET_VRING_BASE]: 8,
  [Request.GET_VRING_BASE]: 8,
  [Request.SET_VRING_KICK]: 8,
  [Request.SET_VRING_CALL]: 8,
  [Request.SET_VRING_ERR]: 8,
  [Request.SET_VRING_ENABLE]: 8,
  [Request.GET_CONFIG]: 12,
  [Request.SET_STATUS]: 8,
};

function nameOf(request: number): string {
  return requestRow(request)?.name ?? `request ${request}`;
}
