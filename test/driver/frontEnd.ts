/**
 * The front-end's end of a vhost-user connection: what QEMU or User Mode Linux is to a daemon, message by message.
 *
 * Owns the socket and the message format (QEMU's docs/interop/vhost-user.rst). Decides nothing: which messages are
 * sent, in which order and with what in them is the caller's, malformed ones included (`send` takes anything).
 * Synchronous; a daemon that is silent for `patience` milliseconds counts as gone.
 */
import { Request } from '../../src/protocol/vhostUser/requests';
import { close, receiveBytes, sendBytes } from './host';

const VERSION = 1;
const FLAG_REPLY = 4;
const FLAG_NEED_REPLY = 8;
const HEADER = 12;
/** No descriptor comes along with this kick, call or err message. */
const NO_DESCRIPTOR = 0x100;

export interface MemoryRegion {
  readonly guestAddress: number;
  readonly size: number;
  readonly userAddress: number;
  readonly mapOffset: number;
  readonly fd: number;
}

/** Little-endian 64-bit words, as most payloads are made of. */
export function words(...values: (number | bigint)[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * values.length));
  values.forEach((value, i) => view.setBigUint64(8 * i, BigInt.asUintN(64, BigInt(value)), true));
  return new Uint8Array(view.buffer);
}

/** A VringState payload: queue index and a number. */
export const state = (index: number, value: number): Uint8Array =>
  new Uint8Array(new Uint32Array([index, value]).buffer);

export class FrontEnd {
  /** Every request asks for an acknowledgement once REPLY_ACK is negotiated and this is set. */
  acknowledge = false;
  patience = 20_000;
  private open = true;

  constructor(readonly socket: number) {}

  /** One message, exactly as told. False when the daemon is gone. */
  send(request: number, payload: Uint8Array, descriptors: readonly number[] = [], flags = VERSION): boolean {
    return this.sendRaw([request, flags, payload.length], payload, descriptors);
  }

  /** A message whose header is any three numbers. */
  sendRaw(
    header: readonly [number, number, number],
    payload: Uint8Array,
    descriptors: readonly number[] = [],
  ): boolean {
    const bytes = new Uint8Array(HEADER + payload.length);
    bytes.set(new Uint8Array(new Uint32Array(header).buffer));
    bytes.set(payload, HEADER);
    return sendBytes(this.socket, bytes, descriptors);
  }

  /** The next reply; undefined when the daemon is gone or silent. */
  receive(): { request: number; flags: number; payload: Uint8Array; descriptors: number[] } | undefined {
    const header = receiveBytes(this.socket, HEADER, this.patience);
    if (!header) return undefined;
    const [request, flags, size] = new Uint32Array(header.bytes.buffer);
    const body =
      size > 0 ? receiveBytes(this.socket, size, this.patience) : { bytes: new Uint8Array(0), descriptors: [] };
    return body && { request, flags, payload: body.bytes, descriptors: [...header.descriptors, ...body.descriptors] };
  }

  /** A request that has a reply of its own. */
  ask(request: number, payload: Uint8Array = new Uint8Array(0), descriptors: readonly number[] = []): Uint8Array {
    return this.askWithDescriptors(request, payload, descriptors).payload;
  }

  askWithDescriptors(
    request: number,
    payload: Uint8Array,
    descriptors: readonly number[] = [],
  ): { payload: Uint8Array; descriptors: number[] } {
    const reply = this.send(request, payload, descriptors) ? this.receive() : undefined;
    if (!reply) throw new Error(`vhost-user request ${request}: no reply`);
    if (reply.request !== request || (reply.flags & 7) !== (VERSION | FLAG_REPLY)) {
      throw new Error(`vhost-user request ${request}: reply ${reply.request}, flags ${reply.flags}`);
    }
    return reply;
  }

  askWord(request: number, payload?: Uint8Array): bigint {
    const reply = this.ask(request, payload);
    return new DataView(reply.buffer, reply.byteOffset).getBigUint64(0, true);
  }

  /** A request without a reply of its own; its acknowledgement, 0 for success, where those were negotiated. */
  tell(request: number, payload: Uint8Array, descriptors: readonly number[] = []): bigint {
    const flags = VERSION | (this.acknowledge ? FLAG_NEED_REPLY : 0);
    if (!this.send(request, payload, descriptors, flags)) throw new Error(`vhost-user request ${request}: daemon gone`);
    if (!this.acknowledge) return 0n;
    const reply = this.receive();
    if (!reply || reply.request !== request) throw new Error(`vhost-user request ${request}: no acknowledgement`);
    return new DataView(reply.payload.buffer).getBigUint64(0, true);
  }

  /** All memory at once (SET_MEM_TABLE), replacing what was there. */
  setMemoryTable(regions: readonly MemoryRegion[]): bigint {
    const payload = new Uint8Array(8 + 32 * regions.length);
    payload.set(state(regions.length, 0));
    regions.forEach((r, i) => payload.set(words(r.guestAddress, r.size, r.userAddress, r.mapOffset), 8 + 32 * i));
    return this.tell(
      Request.SET_MEM_TABLE,
      payload,
      regions.map((r) => r.fd),
    );
  }

  addMemory(r: MemoryRegion): bigint {
    const payload = words(0, r.guestAddress, r.size, r.userAddress, r.mapOffset);
    return this.tell(Request.ADD_MEM_REG, payload, [r.fd]);
  }

  removeMemory(r: MemoryRegion): bigint {
    return this.tell(Request.REM_MEM_REG, words(0, r.guestAddress, r.size, r.userAddress, r.mapOffset));
  }

  /** `addresses` are in the front-end's own address space (VhostUserVringAddr). */
  setRingAddresses(index: number, addresses: { descriptors: number; used: number; available: number }): bigint {
    const payload = new Uint8Array(40);
    payload.set(state(index, 0));
    payload.set(words(addresses.descriptors, addresses.used, addresses.available, 0), 8);
    return this.tell(Request.SET_VRING_ADDR, payload);
  }

  setRingNumber(request: number, index: number, value: number): bigint {
    return this.tell(request, state(index, value));
  }

  /** SET_VRING_KICK, _CALL or _ERR; -1: none. */
  setRingDescriptor(request: number, index: number, fd: number): bigint {
    return this.tell(request, words(fd < 0 ? index | NO_DESCRIPTOR : index), fd < 0 ? [] : [fd]);
  }

  /** Stops a ring; the index where it would go on. */
  ringBase(index: number): number {
    const reply = this.ask(Request.GET_VRING_BASE, state(index, 0));
    return new DataView(reply.buffer, reply.byteOffset).getUint32(4, true);
  }

  /** `length` bytes of the device's configuration space from `offset`; empty when the daemon refuses. */
  config(offset: number, length: number): Uint8Array {
    const payload = new Uint8Array(12 + length);
    payload.set(new Uint8Array(new Uint32Array([offset, length, 0]).buffer));
    return this.ask(Request.GET_CONFIG, payload).subarray(12);
  }

  close(): void {
    if (this.open) close(this.socket);
    this.open = false;
  }
}
