/**
 * vhost-user messages that no honest front-end sends: each is refused, with its reason in the log, and the session goes
 * on; a stream without sense is cut off. Descriptors that come along never stay.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import fc from 'fast-check';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import { Request, requests } from '../../src/protocol/vhostUser/requests';
import type { Pending } from '../driver/fuseClient';
import { type MemoryRegion, state, words } from '../driver/frontEnd';
import { close, eventfd, shareMemory, type SharedMemory } from '../driver/host';
import { Cell, type Victim, needCell } from './cell';
import { fullPipe, heldDescriptors, pipe } from './oddDescriptors';
import { settled, until } from './patience';

const NEED_REPLY = 1 | 8;
const NO_PAYLOAD = new Uint8Array(0);
const REFUSED = 1n;
const MEMORY = 32 << 20;

describe('hostile vhost-user messages', () => {
  let cell: Cell;
  let victim: Victim;
  let spare: SharedMemory;
  let descriptors = 0;

  before(async function () {
    needCell(this);
    cell = new Cell();
    spare = shareMemory(1 << 20);
    victim = await cell.attack({ device: { regions: [MEMORY], memory: 'slots' } });
    descriptors = heldDescriptors(victim.daemon.pid);
  });
  after(async () => {
    await cell?.close();
    spare?.unmap();
  });
  afterEach(async () => {
    cell.checkHealth(victim);
    await until('every descriptor to be closed', () => heldDescriptors(victim.daemon.pid) <= descriptors);
  });

  const region = (values: Partial<MemoryRegion>): MemoryRegion => ({
    guestAddress: 2 ** 40,
    size: 4096,
    userAddress: 2 ** 41,
    mapOffset: 0,
    fd: spare.fd,
    ...values,
  });

  /** The acknowledgement of one message: 0 or REFUSED. */
  function tell(request: number, payload: Uint8Array, fds: readonly number[] = []): bigint {
    return victim.device.frontEnd.tell(request, payload, fds);
  }

  /** The message is refused, and the log says why. */
  async function refused(
    request: number,
    payload: Uint8Array,
    fds: readonly number[] = [],
    reason = /refused/,
  ): Promise<void> {
    const told = victim.daemon.log().length;
    assert.equal(tell(request, payload, fds), REFUSED);
    await until(`the log to say ${reason.source}`, () => reason.test(victim.daemon.log().slice(told)));
  }

  describe('memory', () => {
    const slots: readonly [name: string, values: Partial<MemoryRegion>][] = [
      ['of no bytes', { size: 0 }],
      ['beyond the end of its file', { size: 2 << 20 }],
      ['beyond the end of its file by its offset', { mapOffset: 1 << 20 }],
      ['whose size is negative', { size: -4096 }],
      ['whose end overflows', { guestAddress: -4096, size: 8192 }],
      ['whose offset overflows', { mapOffset: -4096, size: 8192 }],
      ['over memory that is there', { guestAddress: 0 }],
      ['over the end of memory that is there', { guestAddress: MEMORY - 4096, size: 8192 }],
      ['whose bytes are not in line with their addresses', { mapOffset: 1 }],
    ];
    for (const [name, values] of slots) {
      it(`a slot ${name}`, async () => {
        const { guestAddress, size, userAddress, mapOffset, fd } = region(values);
        await refused(Request.ADD_MEM_REG, words(0, guestAddress, size, userAddress, mapOffset), [fd]);
      });
    }

    it('a slot without its descriptor, or with one that is no memory', async () => {
      const { guestAddress, size, userAddress } = region({});
      const payload = words(0, guestAddress, size, userAddress, 0);
      await refused(Request.ADD_MEM_REG, payload);
      const odd = [eventfd(), ...pipe(), fs.openSync(cell.home, 'r'), fs.openSync(`${cell.share}/inside`, 'r')];
      for (const fd of odd) await refused(Request.ADD_MEM_REG, payload, [fd]);
      odd.forEach(close);
    });

    it('more slots than there are', () => {
      let taken = 0;
      const slot = (i: number): MemoryRegion => region({ guestAddress: 2 ** 40 + i * 4096 });
      while (victim.device.frontEnd.addMemory(slot(taken)) === 0n && taken < 600) taken++;
      assert.ok(taken > 100 && taken < 600, `${taken} slots`);
      for (let i = 0; i < taken; i++) assert.equal(victim.device.frontEnd.removeMemory(slot(i)), 0n);
    });

    it('the removal of a slot that is not there, or that is in use', async () => {
      await refused(Request.REM_MEM_REG, words(0, 2 ** 40, 4096, 2 ** 41, 0));
      const [first] = victim.device.regions;
      await refused(
        Request.REM_MEM_REG,
        words(0, first.guestAddress, first.size, first.userAddress, 0),
        [],
        /running ring/,
      );
    });

    /** A table of these regions, which says it has `count`. */
    function table(regions: readonly MemoryRegion[], count = regions.length): Uint8Array {
      return Buffer.concat([
        state(count, 0),
        ...regions.map((r) => words(r.guestAddress, r.size, r.userAddress, r.mapOffset)),
      ]);
    }

    const other = (values: Partial<MemoryRegion> = {}): MemoryRegion => region(values);
    const tables: readonly [name: string, payload: () => Uint8Array, fds: () => number[]][] = [
      ['of 9 regions', () => table(new Array(9).fill(other())), () => new Array<number>(9).fill(spare.fd)],
      ['of 4 billion regions', () => table([other()], 0xffff_ffff), () => [spare.fd]],
      ['longer than its message', () => table([other()], 2), () => [spare.fd, spare.fd]],
      ['with too few descriptors', () => table([other(), other({ guestAddress: 2 ** 42 })]), () => [spare.fd]],
      [
        'of regions that overlap',
        () => table([other({ size: 8192 }), other({ guestAddress: 2 ** 40 + 4096 })]),
        () => [spare.fd, spare.fd],
      ],
      ['of no bytes', () => table([other({ size: 0 })]), () => [spare.fd]],
    ];
    for (const [name, payload, fds] of tables) {
      it(`a table ${name} leaves the old one as it was`, () => refused(Request.SET_MEM_TABLE, payload(), fds()));
    }

    it('a table whose memory is not there: its queues stop, and go on with a good one', async () => {
      const tooLong = other({ size: 2 << 20 });
      await refused(Request.SET_MEM_TABLE, table([tooLong]), [spare.fd]);
      assert.equal(victim.device.frontEnd.setMemoryTable(victim.device.regions), 0n);
    });
  });

  describe('rings', () => {
    for (const size of [0, 3, 1000, 65536, 2 ** 31, 2 ** 32 - 1]) {
      it(`of ${size} entries`, async () => {
        victim.device.stopQueue(0);
        await refused(Request.SET_VRING_NUM, state(0, size));
        victim.device.startQueue(0, 0);
      });
    }

    it('that run already', async () => {
      await refused(Request.SET_VRING_NUM, state(1, 64), [], /runs/);
      await refused(Request.SET_VRING_BASE, state(1, 0), [], /runs/);
      await refused(Request.SET_VRING_ADDR, Buffer.concat([state(1, 0), words(0, 0, 0, 0)]), [], /runs/);
    });

    it('that are not there', async () => {
      for (const index of [2, 255, 0xffff_ffff]) {
        await refused(Request.SET_VRING_NUM, state(index, 64));
        await refused(Request.SET_VRING_ENABLE, state(index, 1));
      }
      for (const request of [Request.SET_VRING_KICK, Request.SET_VRING_CALL, Request.SET_VRING_ERR]) {
        const fd = eventfd();
        await refused(request, words(77), [fd]);
        close(fd);
      }
      const { frontEnd } = victim.device;
      frontEnd.send(Request.GET_VRING_BASE, state(99, 0), [], NEED_REPLY);
      assert.ok(frontEnd.receive());
    });

    const base = (): number => victim.device.regions[0].userAddress;
    const addresses: readonly [name: string, values: () => [number, number, number], reason: RegExp][] = [
      ['outside of memory', () => [2 ** 45, 2 ** 45, 2 ** 45], /not in the memory table/],
      ['in nothing at all', () => [0, 0, 0], /not in the memory table/],
      ['across the end of memory', () => [base() + MEMORY - 64, base(), base()], /not in the memory table/],
      ['at the end of all addresses', () => [-16, -16, -16], /above 2\^53/],
      ['out of line', () => [base() + 8, base(), base()], /out of line/],
    ];
    for (const [name, values, reason] of addresses) {
      it(name, async () => {
        const told = victim.daemon.log().length;
        victim.device.stopQueue(0);
        const [descriptors, used, available] = values();
        const fd = eventfd();
        victim.device.frontEnd.setRingAddresses(0, { descriptors, used, available });
        victim.device.frontEnd.setRingDescriptor(Request.SET_VRING_KICK, 0, fd);
        close(fd);
        await until('the log to say why', () => reason.test(victim.daemon.log().slice(told)));
        victim.device.startQueue(0, victim.device.stopQueue(0));
      });
    }

    it('a kick for a ring that has no addresses and no size', async () => {
      const late = new Cell();
      try {
        const daemon = await late.start();
        daemon.frontEnd.tell(Request.SET_FEATURES, words(1n << 32n));
        const fd = eventfd();
        daemon.frontEnd.setRingDescriptor(Request.SET_VRING_KICK, 1, fd);
        close(fd);
        await settled();
        assert.equal(daemon.frontEnd.ringBase(1), 0);
        assert.ok(daemon.running());
      } finally {
        await late.close();
      }
    });

    it('a base of more than 16 bits', async () => {
      victim.device.stopQueue(0);
      await refused(Request.SET_VRING_BASE, state(0, 0x10000));
      victim.device.startQueue(0, 0);
    });
  });

  describe('descriptors', () => {
    it('none where there must be one', async () => {
      await refused(Request.SET_VRING_KICK, words(0), [], /no descriptor/);
      await refused(Request.SET_VRING_CALL, words(0), [], /no descriptor/);
    });

    it('a kick that nobody can wait for', async () => {
      victim.device.stopQueue(0);
      const odd = [spare.fd, fs.openSync(cell.home, 'r')];
      victim.device.startQueue(0, 0);
      for (const fd of odd) await refused(Request.SET_VRING_KICK, words(0), [fd]);
      close(odd[1]);
      victim.device.startQueue(0, 0);
    });

    it('a call that would wait until somebody reads', async () => {
      const [reader, writer] = fullPipe();
      assert.equal(tell(Request.SET_VRING_CALL, words(0), [writer]), 0n);
      // Nobody is called for queue 0 now, so its reply is looked for.
      const forget = (): Pending => victim.client.start(Opcode.FORGET, 1n, [new Uint8Array(8)], { room: -1, queue: 0 });
      const first = forget();
      await until('the first FORGET to be served', () => victim.client.done(first));
      close(reader);
      const second = forget();
      await until('the second FORGET to be served', () => victim.client.done(second));
      close(writer);
      victim.device.startQueue(0, victim.device.stopQueue(0));
    });

    it('a hundred at once', () => {
      const many = Array.from({ length: 100 }, () => eventfd());
      victim.device.stopQueue(0);
      tell(Request.SET_VRING_ENABLE, state(0, 1), many);
      many.forEach(close);
      victim.device.startQueue(0, 0);
    });

    it('with messages that have none', () => {
      const fd = eventfd();
      for (let i = 0; i < 20; i++) tell(Request.SET_VRING_ENABLE, state(0, 1), [fd, fd, fd]);
      victim.device.frontEnd.ask(Request.GET_FEATURES, NO_PAYLOAD, [fd, fd]);
      close(fd);
    });
  });

  describe('messages', () => {
    it('unknown ones', async () => {
      for (const request of [0, 100, 999, 0x7fff_ffff, 0xffff_ffff]) await refused(request, words(1));
    });

    it('each of them too short', () => {
      for (const { id } of requests) {
        // Those without a payload do what they say.
        if ([Request.RESET_OWNER, Request.RESET_DEVICE].includes(id as 4)) continue;
        for (const length of [0, 1, 7]) {
          victim.device.frontEnd.send(id, new Uint8Array(length), [], NEED_REPLY);
          assert.ok(victim.device.frontEnd.receive(), `request ${id} of ${length} bytes`);
        }
      }
    });

    it('a configuration beyond its end', () => {
      for (const [offset, size] of [
        [0, 41],
        [40, 1],
        [0xffff_ffff, 1],
        [0xffff_fff0, 32],
      ]) {
        assert.equal(victim.device.frontEnd.config(offset, size).length, 0);
      }
    });
  });

  // These end the session, so each has a daemon of its own.

  async function cutOff(attack: (socket: Victim) => void, reason: RegExp): Promise<void> {
    const other = new Cell();
    try {
      const one = await other.attack();
      attack(one);
      assert.equal(await one.daemon.exit(), 0, one.daemon.log());
      assert.match(one.daemon.log(), reason);
      other.checkOutside();
    } finally {
      await other.close();
    }
  }

  it('a message of another version is cut off', () =>
    cutOff(({ device }) => device.frontEnd.sendRaw([1, 2, 0], NO_PAYLOAD), /cut off.*version 2/));

  it('a message of 4 GiB is cut off', () =>
    cutOff(({ device }) => device.frontEnd.sendRaw([1, 1, 0xffff_ffff], NO_PAYLOAD), /cut off.*4294967295 bytes/));

  it('a message that collects descriptors without an end is cut off', () =>
    cutOff(({ device }) => {
      const fds = Array.from({ length: 30 }, () => eventfd());
      device.frontEnd.sendRaw([Request.SET_CONFIG, 1, 4000], NO_PAYLOAD, fds);
      for (let i = 0; i < 20; i++) if (!device.frontEnd.sendRaw([0, 0, 0], NO_PAYLOAD, fds)) break;
      fds.forEach(close);
    }, /cut off.*descriptors/));

  it('a front-end that goes in the middle of a message', () =>
    cutOff(({ device }) => {
      device.frontEnd.sendRaw([Request.ADD_MEM_REG, 1, 40], new Uint8Array(20), [spare.fd]);
      device.frontEnd.close();
    }, /connected/));

  it('any message with anything in it', async function () {
    this.timeout(20_000);
    const seed = 20261121;
    const other = new Cell();
    try {
      let one = await other.attack();
      const message = fc.tuple(
        fc.oneof(fc.constantFrom(...requests.map((row) => row.id)), fc.nat(60)),
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.array(fc.oneof(fc.nat(4), fc.constantFrom(-1, 2 ** 31, 4096, 1 << 20))).map((list) => words(...list)),
        ),
        fc.nat(3),
      );
      const messages = fc.sample(message, { seed, numRuns: 1500 });
      for (const [request, payload, count] of messages) {
        const fds = Array.from({ length: count }, () => spare.fd);
        const whole = new Uint8Array(payload);
        if (!one.device.frontEnd.send(request, whole.subarray(0, 4000), fds)) {
          assert.equal(await one.daemon.exit(), 0, one.daemon.log());
          one = await other.attack();
        }
      }
      await settled();
      assert.ok(one.daemon.running(), `seed ${seed}: ${one.daemon.log().slice(-2000)}`);
      one.device.frontEnd.close();
      assert.equal(await one.daemon.exit(), 0, `seed ${seed}: ${one.daemon.log().slice(-2000)}`);
      other.checkOutside();
    } finally {
      await other.close();
    }
  });
});
