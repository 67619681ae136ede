/**
 * Feature bits: what is offered (GET_FEATURES, GET_PROTOCOL_FEATURES), and what of it the front-end has taken.
 *
 * Says what follows from that; does nothing about it but tell the DAX window whether it can be used.
 */
import { ProtocolFeature } from '../protocol/vhostUser/requests';
import { Feature } from '../protocol/virtio/fs';
import type { Refused } from './payload';
import type { SharedWindow } from './windowChannel';

export interface NegotiationOptions {
  /** With a tag the configuration space is offered. */
  readonly tag: string | undefined;
  /** The DAX window, where one is offered. */
  readonly window?: SharedWindow | undefined;
}

const bit = (feature: number): bigint => 1n << BigInt(feature);

/** GET_FEATURES. */
export const DEVICE_FEATURES =
  bit(Feature.VIRTIO_F_VERSION_1) |
  bit(Feature.VIRTIO_RING_F_EVENT_IDX) |
  bit(Feature.VIRTIO_RING_F_INDIRECT_DESC) |
  bit(Feature.VHOST_USER_F_PROTOCOL_FEATURES);

/** What a DAX window needs besides a channel that answers. */
const WINDOW_FEATURES = bit(ProtocolFeature.BACKEND_SEND_FD) | bit(ProtocolFeature.SHMEM_MAP);

export class Negotiation {
  /** GET_PROTOCOL_FEATURES. */
  readonly protocolFeaturesOffered: bigint;
  private features = 0n;
  private protocolFeatures = 0n;
  private featuresSet = false;

  constructor(private readonly options: NegotiationOptions) {
    // Not INFLIGHT_SHMFD: it is for a back-end that is replaced under a running guest. The guest's nodes and handles
    // live in this process, so a successor could repeat the requests in flight but not know what they are about.
    let offered =
      bit(ProtocolFeature.MQ) |
      bit(ProtocolFeature.REPLY_ACK) |
      bit(ProtocolFeature.RESET_DEVICE) |
      bit(ProtocolFeature.CONFIGURE_MEM_SLOTS) |
      // User Mode Linux (6.12) only sets its interrupt up together with this channel.
      bit(ProtocolFeature.BACKEND_REQ) |
      bit(ProtocolFeature.STATUS);
    if (options.tag !== undefined) offered |= bit(ProtocolFeature.CONFIG);
    if (options.window) offered |= WINDOW_FEATURES;
    this.protocolFeaturesOffered = offered;
  }

  setFeatures(features: bigint): Refused | undefined {
    const unknown = features & ~DEVICE_FEATURES;
    if (unknown !== 0n) return { refused: `feature bits 0x${unknown.toString(16)} were not offered` };
    this.features = features;
    this.featuresSet = true;
    return undefined;
  }

  setProtocolFeatures(features: bigint): undefined {
    // Bits that were not offered are not taken, whatever the front-end says.
    this.protocolFeatures = features & this.protocolFeaturesOffered;
    const needed = WINDOW_FEATURES | bit(ProtocolFeature.BACKEND_REQ) | bit(ProtocolFeature.REPLY_ACK);
    const usable = (this.protocolFeatures & needed) === needed;
    const slots = (this.protocolFeatures & bit(ProtocolFeature.CONFIGURE_MEM_SLOTS)) !== 0n;
    this.options.window?.negotiated(usable, slots);
  }

  /** EVENT_IDX. */
  get eventIndex(): boolean {
    return (this.features & bit(Feature.VIRTIO_RING_F_EVENT_IDX)) !== 0n;
  }

  /** Without protocol features there is no SET_VRING_ENABLE: rings are enabled from the start. */
  get enabledFromStart(): boolean {
    return this.featuresSet && (this.features & bit(Feature.VHOST_USER_F_PROTOCOL_FEATURES)) === 0n;
  }

  /** REPLY_ACK: requests that want to know are told how they went. */
  get acknowledges(): boolean {
    return (this.protocolFeatures & bit(ProtocolFeature.REPLY_ACK)) !== 0n;
  }
}
