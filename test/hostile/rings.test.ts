/**
 * Rings and chains that no honest driver writes, against the real daemon: each costs its queue, or only its request,
 * and neither the queue beside it nor anything outside of the share.
 */
import assert from 'node:assert/strict';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import * as wire from '../../src/protocol/fuse/structs';
import { pack } from '../driver/pack';
import { cpuMilliseconds } from '../bench/measure';
import { DESC_INDIRECT, DESC_NEXT, DESC_WRITE, type RingWriter } from '../driver/ringWriter';
import { Cell, ROOT, type Victim, needCell } from './cell';
import { settled, until } from './patience';

/** The queue that is attacked; 1 is the healthy one. */
const ATTACKED = 2;
const SIZE = 64;
const MEMORY = 32 << 20;
/** Far from what the client uses, below the end of the only region. */
const REQUEST = MEMORY - 65536;
const REPLY = MEMORY - 32768;
const TABLE = MEMORY - 131072;
const IN_HEADER = 40;
const OUT_HEADER = 16;
/** A reply that has not been written. */
const UNTOUCHED = 0xa5a5_a5a5;

describe('hostile rings', () => {
  let cell: Cell;
  let victim: Victim;
  let ring: RingWriter;

  before(async function () {
    needCell(this);
    cell = new Cell();
    const device = { regions: [MEMORY], requestQueues: 2, queueSize: SIZE };
    victim = await cell.attack({ arguments: ['--queues', '2'], device });
    ring = victim.device.ring(ATTACKED);
  });
  after(() => cell?.close());

  /** A whole GETATTR of the root at REQUEST; what it asks can be made worse afterwards. */
  function writeRequest(length = IN_HEADER + wire.GetattrIn.size, opcode: number = Opcode.GETATTR): void {
    const { arena } = victim.device.memory[0];
    arena.zero(REQUEST, 4096);
    arena.u8.set(pack(wire.InHeader, { len: length, opcode, unique: 4, nodeid: ROOT }), REQUEST);
    arena.u8.fill(0xa5, REPLY, REPLY + 4096);
  }

  function offer(...heads: readonly number[]): void {
    for (const head of heads) ring.offer(head);
    ring.publish();
    victim.device.kick(ATTACKED);
  }

  /** The used length of the next chain that comes back. */
  async function used(): Promise<number> {
    await until('the chain to come back', () => ring.take() >= 0);
    return ring.usedLength;
  }

  function restart(): void {
    victim.device.startQueue(ATTACKED, victim.device.stopQueue(ATTACKED));
  }

  describe('stop their own queue, with the reason in the log', () => {
    const address = REQUEST;
    const set = (
      index: number,
      ...rest: Parameters<RingWriter['setDescriptor']> extends [number, ...infer R] ? R : never
    ) => ring.setDescriptor(index, ...rest);
    const indirect = (bytes: number, at = TABLE): void => set(0, at, bytes, DESC_INDIRECT, 0);

    const attacks: readonly [name: string, reason: RegExp, write: () => void, head?: number][] = [
      ['a loop of one', /never ends/, () => set(0, address, 40, DESC_NEXT, 0)],
      [
        'a loop through the whole table',
        /never ends/,
        () => Array.from({ length: SIZE }, (_, i) => set(i, address, 1, DESC_NEXT, (i + 1) % SIZE)),
      ],
      ['a loop of the largest lengths', /never ends/, () => set(0, address, 0xffff_ffff, DESC_NEXT | DESC_WRITE, 0)],
      ['a head beyond the table', /head beyond/, () => undefined, SIZE],
      ['the largest head', /head beyond/, () => undefined, 0xffff],
      ['a next index beyond the table', /next index/, () => set(0, address, 40, DESC_NEXT, SIZE)],
      [
        'a readable descriptor after a writable one',
        /readable descriptor after/,
        () => {
          set(0, REPLY, 120, DESC_WRITE | DESC_NEXT, 1);
          set(1, address, 56, 0, 0);
        },
      ],
      ['an indirect table with a successor', /successor/, () => set(0, TABLE, 16, DESC_INDIRECT | DESC_NEXT, 1)],
      ['an empty indirect table', /bad length/, () => indirect(0)],
      ['an indirect table of no whole entries', /bad length/, () => indirect(17)],
      ['the longest indirect table there can be', /bad length/, () => indirect(0xffff_fff0)],
      ['an indirect table outside of memory', /outside of guest memory/, () => indirect(16, 2 ** 45)],
      ['an indirect table at the end of all addresses', /outside of guest memory/, () => indirect(32, -16)],
      ['an indirect table across the end of memory', /outside of guest memory/, () => indirect(32, MEMORY - 16)],
      [
        'an indirect table that names itself',
        /inside of another/,
        () => {
          indirect(16);
          ring.rawEntry(TABLE, TABLE, 16, DESC_INDIRECT, 0);
        },
      ],
      [
        'a loop in an indirect table',
        /never ends/,
        () => {
          indirect(32);
          ring.rawEntry(TABLE, address, 1, DESC_NEXT, 1);
          ring.rawEntry(TABLE + 16, address, 1, DESC_NEXT, 0);
        },
      ],
      [
        'a next index beyond an indirect table',
        /next index/,
        () => {
          indirect(16);
          ring.rawEntry(TABLE, address, 1, DESC_NEXT, 1);
        },
      ],
    ];

    for (const [name, reason, write, head] of attacks) {
      it(name, async () => {
        const told = victim.daemon.log().length;
        writeRequest();
        write();
        offer(head ?? 0);
        await until('the log to say so', () => victim.daemon.log().length > told);
        const line = victim.daemon.log().slice(told);
        assert.match(line, new RegExp(`queue ${ATTACKED} is stopped`));
        assert.match(line, reason);
        cell.checkHealth(victim);
        assert.equal(ring.take(), -1, 'nothing is given back by a queue that is stopped');
        restart();
      });
    }

    it('an available index that runs ahead of the ring', async () => {
      const told = victim.daemon.log().length;
      ring.setAvailableIndex(SIZE + 1 + victim.device.stopQueue(ATTACKED));
      victim.device.startQueue(ATTACKED, 0);
      ring.setAvailableIndex(SIZE + 1);
      victim.device.kick(ATTACKED);
      await until('the log to say so', () => victim.daemon.log().length > told);
      assert.match(victim.daemon.log().slice(told), /available index/);
      cell.checkHealth(victim);
      restart();
    });
  });

  it('stop their own queue as well where requests that wait are offered once more, again and again', async () => {
    const { calls, daemon, device } = victim;
    const file = calls.create(ROOT, 'locked', 2, 0o644);
    calls.setlk(file.nodeid, file.fh, 1n, { type: 1, start: 0n, end: 9n, pid: 1 });
    const told = daemon.log().length;
    const args = pack(wire.LkIn, { fh: file.fh, owner: 5 });
    args.set(pack(wire.FileLock, { type: 1, start: 0n, end: 9n, pid: 1 }), wire.LkIn.offset.lk);
    const { arena } = device.memory[0];
    const header = { len: IN_HEADER + args.length, opcode: Opcode.SETLKW, unique: 4, nodeid: file.nodeid };
    arena.u8.set(pack(wire.InHeader, header), REQUEST);
    arena.u8.set(args, REQUEST + IN_HEADER);
    ring.setDescriptor(0, REQUEST, header.len, DESC_NEXT, 1);
    ring.setDescriptor(1, REPLY, OUT_HEADER, DESC_WRITE, 0);
    offer(...new Array<number>(SIZE).fill(0));
    await settled();
    cell.checkHealth(victim);
    assert.equal(daemon.log().length, told, 'as many as there are descriptors may wait');
    offer(0);
    await until('the log to say so', () => daemon.log().length > told);
    assert.match(daemon.log().slice(told), /more requests at a time than it has descriptors/);
    assert.equal(ring.take(), -1);
    cell.checkHealth(victim);
    restart();
    calls.release(file.nodeid, file.fh);
    calls.forget(file.nodeid);
  });

  describe('cost only their request', () => {
    afterEach(async () => {
      writeRequest();
      ring.setDescriptor(0, REQUEST, 56, DESC_NEXT, 1);
      ring.setDescriptor(1, REPLY, OUT_HEADER + wire.AttrOut.size, DESC_WRITE, 0);
      offer(0);
      assert.equal(await used(), OUT_HEADER + wire.AttrOut.size, 'the queue goes on');
      cell.checkHealth(victim);
    });

    const reply = (): number => victim.device.memory[0].arena.getU32(REPLY);
    const error = (): number => victim.device.memory[0].arena.getI32(REPLY + 4);
    const pieces = (...list: readonly [address: number, length: number, write?: boolean][]): void =>
      list.forEach(([address, length, write], i) =>
        ring.setDescriptor(
          i,
          address,
          length,
          (write ? DESC_WRITE : 0) | (i + 1 < list.length ? DESC_NEXT : 0),
          i + 1 < list.length ? i + 1 : 0,
        ),
      );

    for (const [name, at, length] of [
      ['outside of memory', 2 ** 40, 56],
      ['at the end of all addresses', -2048, 4096],
      ['across the end of memory', MEMORY - 20, 4096],
      ['of 4 GiB', MEMORY - 20, 0xffff_ffff],
    ] as const) {
      it(`a request ${name}`, async () => {
        writeRequest();
        pieces([at, length], [REPLY, 120, true]);
        offer(0);
        await used();
        assert.ok(reply() === UNTOUCHED || error() < 0);
      });

      it(`room for the reply ${name}`, async () => {
        writeRequest();
        pieces([REQUEST, 56], [at, length, true]);
        offer(0);
        assert.equal(await used(), 0, 'no byte is said to be written');
      });
    }

    it('data of a write or a read that are not in memory, or not all of them', async () => {
      const { calls } = victim;
      const file = calls.create(ROOT, 'data', 2, 0o644);
      const { arena } = victim.device.memory[0];
      const args = REQUEST + IN_HEADER;
      const good: [number, number][] = [[REQUEST, IN_HEADER + 40]];
      for (const data of [
        [[2 ** 40, 4096]],
        [
          [REQUEST + 4096, 2048],
          [2 ** 40, 2048],
        ],
        [[MEMORY - 2048, 4096]],
      ] as const) {
        writeRequest(IN_HEADER + wire.WriteIn.size + 4096, Opcode.WRITE);
        arena.setU64(REQUEST + wire.InHeader.offset.nodeid, Number(file.nodeid));
        arena.u8.set(pack(wire.WriteIn, { fh: file.fh, size: 4096 }), args);
        pieces(...good, ...data.map(([at, length]): [number, number] => [at, length]), [REPLY, 24, true]);
        offer(0);
        assert.equal(await used(), OUT_HEADER);
        assert.equal(error(), -14, 'EFAULT');

        calls.setattr(file.nodeid, { valid: 8, size: 4096 });
        writeRequest(IN_HEADER + wire.ReadIn.size, Opcode.READ);
        arena.setU64(REQUEST + wire.InHeader.offset.nodeid, Number(file.nodeid));
        arena.u8.set(pack(wire.ReadIn, { fh: file.fh, size: 4096 }), args);
        pieces(
          ...good,
          [REPLY, 16, true],
          ...data.map(([at, length]): [number, number, boolean] => [at, length, true]),
        );
        offer(0);
        assert.equal(await used(), OUT_HEADER);
        assert.equal(error(), -14, 'EFAULT');
        calls.setattr(file.nodeid, { valid: 8, size: 0 });
      }
      calls.release(file.nodeid, file.fh);
      calls.unlink(ROOT, 'data');
      calls.forget(file.nodeid);
    });

    it('a BATCH_FORGET of 2 GiB does not keep others waiting', async () => {
      const length = 2 ** 31;
      const count = (length - IN_HEADER - wire.BatchForgetIn.size) / wire.ForgetOne.size;
      writeRequest(IN_HEADER + wire.BatchForgetIn.size + count * wire.ForgetOne.size, Opcode.BATCH_FORGET);
      victim.device.memory[0].arena.setU32(REQUEST + IN_HEADER, count);
      const piece = 32 << 20;
      for (let i = 0; i < 128; i++)
        ring.rawEntry(TABLE + 16 * i, i === 0 ? REQUEST : 0, i === 0 ? 48 : piece - 65536, DESC_NEXT, i + 1);
      ring.rawEntry(TABLE + 16 * 128, REPLY, 16, DESC_WRITE, 0);
      ring.setDescriptor(0, TABLE, 16 * 129, DESC_INDIRECT, 0);
      const before = cpuMilliseconds(victim.daemon.pid);
      offer(0);
      await used();
      const spent = cpuMilliseconds(victim.daemon.pid) - before;
      assert.ok(spent < 200, `${spent} ms of work`);
    });

    it('a reply half inside of memory', async () => {
      writeRequest();
      pieces([REQUEST, 56], [REPLY, 16, true], [2 ** 40, 4096, true]);
      offer(0);
      assert.equal(await used(), 0);
    });

    it('nothing to read, nothing to write, pieces of no length', async () => {
      writeRequest();
      pieces([REQUEST, 0]);
      offer(0);
      assert.equal(await used(), 0);
      pieces([REPLY, 4096, true]);
      offer(0);
      await used();
      assert.ok(error() < 0);
      writeRequest();
      pieces([REQUEST, 40], [REQUEST, 0], [REQUEST + 40, 16], [REPLY, 0, true], [REPLY, 120, true], [REPLY, 0, true]);
      offer(0);
      assert.equal(await used(), OUT_HEADER + wire.AttrOut.size);
    });

    for (const room of [0, 1, 15, 16, 17, 119]) {
      it(`room of ${room} bytes for a reply of 120`, async () => {
        writeRequest();
        pieces([REQUEST, 56], [REPLY, room, true]);
        offer(0);
        assert.equal(await used(), room < OUT_HEADER ? 0 : OUT_HEADER);
        if (room >= OUT_HEADER) assert.ok(error() < 0);
        assert.equal(victim.device.memory[0].arena.u8[REPLY + room], 0xa5, 'no byte beyond');
      });
    }

    it('more pieces than a request can have', async () => {
      writeRequest();
      const count = 2048;
      for (let i = 0; i < count; i++) ring.rawEntry(TABLE + 16 * i, REQUEST, 1, DESC_NEXT, i + 1);
      ring.rawEntry(TABLE + 16 * (count - 1), REPLY, 120, DESC_WRITE, 0);
      ring.setDescriptor(0, TABLE, 16 * count, DESC_INDIRECT, 0);
      offer(0);
      await used();
      assert.ok(reply() === UNTOUCHED || error() < 0);
    });

    it('the same chain many times at once', async () => {
      writeRequest();
      pieces([REQUEST, 56], [REPLY, 120, true]);
      offer(...new Array<number>(SIZE).fill(0));
      for (let i = 0; i < SIZE; i++) assert.equal(await used(), 120);
    });

    it('a reply over its own request', async () => {
      writeRequest();
      pieces([REQUEST, 56], [REQUEST, 120, true]);
      offer(0);
      assert.equal(await used(), 120);
    });
  });

  it('a reply over the ring itself: the queue may stop, the daemon not', async () => {
    writeRequest();
    ring.setDescriptor(0, REQUEST, 56, DESC_NEXT, 1);
    ring.setDescriptor(1, ring.descriptors, 16 * SIZE, DESC_WRITE, 0);
    offer(0, 0, 0, 0);
    await settled();
    cell.checkHealth(victim);
    restart();
    ring.setDescriptor(0, REQUEST, 56, DESC_NEXT, 1);
    ring.setDescriptor(1, ring.used, 2000, DESC_WRITE, 0);
    offer(0, 0, 0, 0);
    await settled();
    cell.checkHealth(victim);
    restart();
  });

  it('a hiprio queue full of nonsense', async () => {
    const hiprio = victim.device.ring(0);
    for (let i = 0; i < SIZE; i++) {
      hiprio.setDescriptor(i, REQUEST + i, 40 + i, 0, 0);
      hiprio.offer(i);
    }
    hiprio.publish();
    victim.device.kick(0);
    let back = 0;
    await until('all of it to come back', () => {
      while (hiprio.take() >= 0) back++;
      return back === SIZE;
    });
    cell.checkHealth(victim);
    victim.device.startQueue(0, victim.device.stopQueue(0));
  });

  it('a guest that never looks at its replies', async () => {
    for (let round = 0; round < 40; round++) {
      writeRequest();
      ring.setDescriptor(0, REQUEST, 56, DESC_NEXT, 1);
      ring.setDescriptor(1, REPLY, 120, DESC_WRITE, 0);
      const { usedIndex } = ringState();
      offer(...new Array<number>(SIZE).fill(0));
      await until('them to be served', () => ringState().usedIndex === ((usedIndex + SIZE) & 0xffff));
    }
    cell.checkHealth(victim);
    restart();
  });

  function ringState(): { usedIndex: number } {
    return { usedIndex: Atomics.load(ring.memory.u16, (ring.used + 2) >>> 1) };
  }

  it('a guest that kicks without a request, and without an end', async () => {
    for (let i = 0; i < 20_000; i++) victim.device.kick(ATTACKED);
    cell.checkHealth(victim);
    await settled();
  });
});
