/**
 * A device that only notes what the back-end asks of it, and keeps the books of descriptors: each that came in must be
 * closed exactly once. It refuses what a test tells it to refuse.
 */
import assert from 'node:assert/strict';
import { BackEnd, type BackEndOptions } from '../../src/vhostUser/backEnd';
import type { Device, Ring } from '../../src/vhostUser/device';
import { HeaderFlag } from '../../src/protocol/vhostUser/structs';
import { Request } from '../../src/protocol/vhostUser/requests';
import type { Region } from '../../src/virtio/guestMemory';

export const F_PROTOCOL_FEATURES = 1n << 30n;
export const F_EVENT_IDX = 1n << 29n;
export const F_INDIRECT = 1n << 28n;
export const F_VERSION_1 = 1n << 32n;

/** Little-endian words. */
export function u32(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

export function u64(...values: (number | bigint)[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values, (value) => BigInt.asUintN(64, BigInt(value))).buffer);
}

export function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Where the front-end of these tests has its memory. */
export const USER = 0x7f00_0000_0000;
export const GIB = 1 << 30;

/** ADD_MEM_REG and REM_MEM_REG. */
export const region = (guest: number, size: number, user = USER, offset = 0): Uint8Array =>
  u64(0, guest, size, user, offset);

/** SET_MEM_TABLE. */
export const table = (...regions: [guest: number, size: number, user: number, offset: number][]): Uint8Array =>
  join(u32(regions.length, 0), ...regions.map((one) => u64(...one)));

export class RecordingDevice implements Device {
  /** What was asked, one line each. */
  log: string[] = [];
  readonly warnings: string[] = [];
  readonly regions = new Map<number, Omit<Region, 'hostBase'>>();
  /** Rings that run, with the index each would take next. */
  readonly running = new Map<number, number>();
  readonly open = new Set<number>();
  refuseRegion: ((guestBase: number) => string | undefined) | undefined;
  refuseRing: string | undefined;
  private nextDescriptor = 100;

  /** Descriptors as the socket would deliver them. */
  descriptors(count: number): number[] {
    return Array.from({ length: count }, () => {
      this.open.add(this.nextDescriptor);
      return this.nextDescriptor++;
    });
  }

  addRegion(region: Omit<Region, 'hostBase'>, fd: number, offset: number): string | undefined {
    assert.ok(this.open.has(fd), 'mapped from an open descriptor');
    const refusal = this.refuseRegion?.(region.guestBase);
    if (refusal !== undefined) return refusal;
    for (const other of this.regions.values()) {
      const apart =
        region.guestBase >= other.guestBase + other.size || other.guestBase >= region.guestBase + region.size;
      assert.ok(apart, 'regions never overlap');
    }
    this.regions.set(region.guestBase, region);
    this.log.push(`add ${region.guestBase.toString(16)}+${region.size.toString(16)} at ${offset.toString(16)}`);
    return undefined;
  }

  removeRegion(guestBase: number): void {
    assert.ok(this.regions.delete(guestBase), 'a region that is there');
    this.log.push(`remove ${guestBase.toString(16)}`);
  }

  startRing(ring: Ring, acked: { eventIndex: boolean }): string | undefined {
    assert.ok(!this.running.has(ring.index), 'started once');
    assert.ok(this.open.has(ring.kick), 'its kick is open');
    assert.ok(ring.size > 0 && ring.addresses);
    if (this.refuseRing !== undefined) return this.refuseRing;
    this.running.set(ring.index, ring.base);
    this.log.push(`start ${ring.index} size ${ring.size} base ${ring.base}${acked.eventIndex ? ' event' : ''}`);
    return undefined;
  }

  stopRing(ring: Ring): number {
    const next = this.running.get(ring.index);
    assert.ok(next !== undefined, 'stopped while it runs');
    assert.ok(this.open.has(ring.kick), 'its kick is open until it has stopped');
    this.running.delete(ring.index);
    this.log.push(`stop ${ring.index}`);
    return next;
  }

  callChanged(ring: Ring): void {
    assert.ok(ring.call < 0 || this.open.has(ring.call));
    this.log.push(`call ${ring.index} ${ring.call < 0 ? 'none' : 'set'}`);
  }

  closeDescriptor(fd: number): void {
    assert.ok(this.open.delete(fd), `descriptor ${fd} is closed once`);
  }

  warn(text: string): void {
    this.warnings.push(text);
  }
}

/** A back-end over a recording device, and the front-end's words for it. */
export class Conversation {
  readonly device = new RecordingDevice();
  readonly backEnd: BackEnd;

  constructor(options: Partial<BackEndOptions> = {}) {
    this.backEnd = new BackEnd(this.device, { tag: 'work', requestQueues: 1, ...options });
  }

  /** As it is after the negotiation that QEMU does, ready for memory and rings. */
  static negotiated(
    features = F_VERSION_1 | F_EVENT_IDX | F_INDIRECT,
    options: Partial<BackEndOptions> = {},
  ): Conversation {
    const talk = new Conversation(options);
    talk.say(Request.SET_PROTOCOL_FEATURES, talk.say(Request.GET_PROTOCOL_FEATURES) ?? u64(0));
    assert.equal(talk.acknowledged(Request.SET_OWNER), 0n);
    assert.equal(talk.acknowledged(Request.SET_FEATURES, u64(features | F_PROTOCOL_FEATURES)), 0n);
    return talk;
  }

  /** The same with a gigabyte of memory and rings 0 and 1 started. */
  static running(this: void, options: Partial<BackEndOptions> = {}): Conversation {
    const talk = Conversation.negotiated(undefined, options);
    talk.shareMemory();
    talk.startRing(0);
    talk.startRing(1);
    talk.done();
    return talk;
  }

  /** One message; the payload of the answer. `descriptors`: how many come along. */
  say(request: number, payload: Uint8Array = new Uint8Array(0), descriptors = 0, flags = 1): Uint8Array | undefined {
    return this.backEnd.handle({
      request,
      needReply: (flags & HeaderFlag.NEED_REPLY) !== 0,
      payload: new DataView(payload.slice().buffer),
      descriptors: this.device.descriptors(descriptors),
    });
  }

  /** The number that answers; for requests with NEED_REPLY 0 is success. */
  acknowledged(request: number, payload?: Uint8Array, descriptors?: number): bigint | undefined {
    return this.number(request, payload, descriptors, 1 | HeaderFlag.NEED_REPLY);
  }

  number(request: number, payload?: Uint8Array, descriptors?: number, flags?: number): bigint | undefined {
    const reply = this.say(request, payload, descriptors, flags);
    return reply && new DataView(reply.buffer, reply.byteOffset).getBigUint64(0, true);
  }

  /** Asserts a refusal, with its reason in the log and nothing else asked of the device. */
  refuses(reason: RegExp, request: number, payload?: Uint8Array, descriptors?: number): void {
    const before = [...this.device.log];
    const warned = this.device.warnings.length;
    assert.notEqual(this.acknowledged(request, payload, descriptors), 0n, 'it is not acknowledged');
    assert.equal(this.device.warnings.length, warned + 1);
    assert.match(this.device.warnings[warned], reason);
    assert.deepEqual(this.device.log, before, 'nothing was done');
  }

  /** One region of 1 GiB at guest address 0. */
  shareMemory(): void {
    assert.equal(this.acknowledged(Request.SET_MEM_TABLE, table([0, GIB, USER, 0]), 1), 0n);
  }

  /** Sets a ring up as QEMU does, and starts it. */
  startRing(index: number, base = 0, size = 128): void {
    const at = USER + index * 0x10000;
    assert.equal(this.acknowledged(Request.SET_VRING_NUM, u32(index, size)), 0n);
    assert.equal(this.acknowledged(Request.SET_VRING_BASE, u32(index, base)), 0n);
    const addresses = join(u32(index, 0), u64(at, at + 0x8000, at + 0x4000, 0));
    assert.equal(this.acknowledged(Request.SET_VRING_ADDR, addresses), 0n);
    assert.equal(this.acknowledged(Request.SET_VRING_KICK, u64(index), 1), 0n);
    assert.equal(this.acknowledged(Request.SET_VRING_CALL, u64(index), 1), 0n);
    assert.equal(this.acknowledged(Request.SET_VRING_ENABLE, u32(index, 1)), 0n);
  }

  /** What was asked of the device since the last look. */
  done(): string[] {
    return this.device.log.splice(0);
  }

  /** The front-end goes: nothing may be left. */
  end(): void {
    this.backEnd.close();
    assert.deepEqual([...this.device.open], [], 'every descriptor is closed');
    assert.equal(this.device.regions.size, 0);
    assert.equal(this.device.running.size, 0);
  }
}
