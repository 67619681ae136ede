/**
 * Anything at all: random bytes as requests, good requests with some of their bytes changed, and a guest that changes a
 * request while it is being served. On real files; the seed is in the name of each test, and the number of requests is
 * fixed, so that a failure can be had again.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { Worker } from 'node:worker_threads';
import * as path from 'node:path';
import fc from 'fast-check';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import { opcodes } from '../../src/protocol/fuse/opcodes';
import * as wire from '../../src/protocol/fuse/structs';
import { pack, text } from '../driver/pack';
import { Cell, INSIDE, ROOT, type Victim, needCell } from './cell';
import { type Known, goodRequests, request } from './goodRequests';
import { sleep, until } from './patience';

const SEED = 35517;
const IN_HEADER = 40;
const MEMORY = 32 << 20;
const QUEUE_SIZE = 256;
/** As many requests at a time. */
const BATCH = 16;
const ROOM = 4096;
const SLOT = 16384;
/** They end the session: then everything is refused until the next one. The good ones are mutated into them as well. */
const ENDING: readonly number[] = [Opcode.INIT, Opcode.DESTROY];
/** Requests between two looks at the daemon's health, each time with a new session. */
const ROUND = 256;

const ways: readonly { name: string; arguments: readonly string[]; share: number }[] = [
  { name: 'anything at all', arguments: [], share: 1 },
  // Decoding and printing is done by other code, which must not stumble either.
  { name: 'anything at all, printed as it comes', arguments: ['--log-level', 'debug'], share: 0.25 },
];

for (const way of ways)
  describe(way.name, () => {
    let cell: Cell;
    let victim: Victim;
    /** Numbers that mean something, so that requests get further than the first check. */
    let known: Known;
    let succeeded = 0;

    before(async function () {
      needCell(this);
      // A small file system of its own: what is made or allocated at random takes no space of the machine's.
      cell = new Cell({ tmpfs: '8m,nr_inodes=2000' });
      victim = await cell.attack({
        arguments: ['--queues', '2', '--writeback', '--rlimit-nofile', '1000', ...way.arguments],
        device: { regions: [MEMORY], requestQueues: 2, queueSize: QUEUE_SIZE },
      });
      prepare();
    });
    after(() => cell?.close());

    /** A health request needs its file, which random requests may well have removed: they are the guest's to remove. */
    function prepare(): void {
      const at = cell.inside('inside');
      fs.rmSync(at, { force: true, recursive: true });
      fs.writeFileSync(at, INSIDE);
      const { calls } = victim;
      calls.init();
      const file = calls.create(ROOT, 'file', 2, 0o644);
      const folder = calls.mkdir(ROOT, 'folder');
      const folderHandle = calls.opendir(ROOT).fh;
      known = { file: file.nodeid, fh: file.fh, folder: folder.nodeid, folderHandle };
    }

    function checkHealth(): void {
      for (const name of fs.readdirSync(cell.inside(''))) {
        fs.rmSync(cell.inside(name), { force: true, recursive: true });
      }
      prepare();
      cell.checkHealth(victim);
    }

    /** Sends whole requests of any bytes by queue 2, and waits until all have come back. */
    async function send(requests: readonly Uint8Array[]): Promise<void> {
      const { device } = victim;
      const ring = device.ring(2);
      const { arena } = device.memory[0];
      const first = MEMORY - BATCH * SLOT;
      let at = first;
      for (const bytes of requests) {
        arena.u8.set(bytes, at);
        const cut = Math.min(IN_HEADER, bytes.length);
        const head = ring.chain([
          { address: at, length: cut, write: false },
          { address: at + cut, length: bytes.length - cut, write: false },
          { address: at + SLOT - ROOM, length: 16, write: true },
          { address: at + SLOT - ROOM + 16, length: ROOM - 16, write: true },
        ]);
        ring.offer(head);
        at += SLOT;
      }
      ring.publish();
      device.kick(2);
      let back = 0;
      const collect = (): boolean => {
        for (let head = ring.take(); head >= 0; head = ring.take(), back++) ring.free(head);
        return back === requests.length;
      };
      // A lock that waits for another one is right to wait: then the queue stops, which ends it.
      for (const end = Date.now() + 100; !collect() && Date.now() < end;) await sleep(1);
      if (!collect()) {
        const base = device.stopQueue(2);
        assert.ok(collect(), 'a request has not come back');
        device.startQueue(2, base);
      }
      for (let i = 0; i < requests.length; i++) {
        const reply = first + i * SLOT + SLOT - ROOM;
        if (arena.getU32(reply) >= 16 && arena.getI32(reply + 4) === 0) succeeded++;
        arena.setU32(reply, 0);
      }
    }

    /** One time in twelve a value, else none. */
    const rarely = <T>(what: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
      fc.oneof({ arbitrary: fc.constant(undefined), weight: 11 }, { arbitrary: what, weight: 1 });

    const name = fc.oneof(
      fc.constantFrom('file', 'folder', 'inside', '..', '.', '', '../outside/canary', 'a/b', 'x'.repeat(256)),
      fc.string({ maxLength: 8 }),
    );
    const number = fc.oneof(
      fc.nat(16).map(BigInt),
      fc.constantFrom(2n ** 64n - 1n, 2n ** 63n, 2n ** 63n - 1n, 2n ** 53n, 2n ** 32n, 2n ** 31n, 4096n, 65536n),
      fc.bigInt(0n, 2n ** 64n - 1n),
      fc.constantFrom('file', 'fh', 'folder', 'folderHandle').map((what) => known[what as keyof Known]),
      fc.constant(ROOT),
    );
    /** Arguments of the opcode's own shape, each number any number, then names or bytes. */
    const shaped = fc.constantFrom(...opcodes.filter((row) => !ENDING.includes(row.number))).chain((row) =>
      fc
        .tuple(
          number,
          fc.array(number, { minLength: 8, maxLength: 8 }),
          fc.array(name, { maxLength: 2 }),
          fc.uint8Array({ maxLength: 64 }),
          rarely(fc.integer({ min: -8, max: 8 })),
        )
        .map(([nodeid, values, names, rest, wrongBy]) => {
          const parts: Uint8Array[] = row.in.map((table) => {
            const bytes = new Uint8Array(table.size);
            const words = new DataView(bytes.buffer);
            for (let i = 0; i + 8 <= table.size; i += 8) {
              // Mostly one 64-bit field or two of 32 bits: both get their share of odd numbers.
              words.setBigUint64(i, values[(i >> 3) % 8], true);
            }
            return bytes;
          });
          parts.push(...names.map((one) => text(one)), rest);
          const bytes = request(row.number, nodeid, ...parts);
          if (wrongBy !== undefined) new DataView(bytes.buffer).setUint32(0, bytes.length + wrongBy, true);
          return bytes;
        }),
    );

    /** Good requests, most of them with a few bytes changed, or cut short. */
    const mutated = fc
      .tuple(
        fc.nat(),
        fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0, 0x7f, 0x80, 0xff))), { maxLength: 3 }),
        rarely(fc.nat()),
      )
      .map(([which, changes, cut]) => {
        const good = goodRequests(known);
        const bytes = good[which % good.length];
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return cut === undefined ? bytes : bytes.slice(0, cut % bytes.length);
      });

    async function attack(what: fc.Arbitrary<Uint8Array>, seed: number, rounds: number): Promise<void> {
      succeeded = 0;
      for (let round = 0; round < rounds * way.share; round++) {
        // Made when the session's numbers are known; the same for the same seed.
        const requests = fc.sample(what, { seed: seed + round, numRuns: ROUND });
        for (let at = 0; at < ROUND; at += BATCH) {
          await send(requests.slice(at, at + BATCH));
          const where = `seed ${seed + round}, requests ${at} to ${at + BATCH}`;
          assert.ok(victim.daemon.running(), `${where}: ${victim.daemon.log().slice(-2000)}`);
        }
        checkHealth();
      }
    }

    it(`bytes (seed ${SEED})`, () => attack(fc.uint8Array({ maxLength: 300 }), SEED, 8));

    it(`requests of the right shape with any numbers and names (seed ${SEED + 100})`, async () => {
      await attack(shaped, SEED + 100, 24);
      assert.ok(succeeded > 200 * way.share, `${succeeded} were done`);
    });

    it(`good requests with some bytes changed (seed ${SEED + 200})`, async () => {
      await attack(mutated, SEED + 200, 32);
      assert.ok(succeeded > 2000 * way.share, `${succeeded} were done`);
    });

    it('a request that another processor changes while it is served', async function () {
      this.timeout(10_000);
      const { device, calls } = victim;
      const { arena } = device.memory[0];
      const ring = device.ring(2);
      const at = MEMORY - 65536;
      const file = calls.lookup(ROOT, 'inside');
      const write = pack(wire.WriteIn, { fh: 0, offset: 0, size: 64 });
      const header = { len: 40 + write.length + 64, opcode: Opcode.WRITE, unique: 9, nodeid: file.nodeid };
      arena.u8.set(pack(wire.InHeader, header), at);
      arena.u8.set(write, at + 40);
      // The other processor: flips the length, the opcode, the size, and a descriptor's address and length.
      const flips = [at, at + 4, at + 40 + wire.WriteIn.offset.size, ring.descriptors, ring.descriptors + 8];
      const workerData = { address: arena.base, flips, milliseconds: 1500 };
      const other = new Worker(path.join(__dirname, 'flipper.js'), { workerData });
      const ended = new Promise<void>((resolve) => other.once('exit', () => resolve()));
      ring.setDescriptor(0, at, header.len, 1, 1);
      ring.setDescriptor(1, at + 4096, 128, 2, 0);
      let served = 0;
      let stopped = false;
      const told = victim.daemon.log().length;
      const isStopped = (): boolean => /queue 2 is stopped/.test(victim.daemon.log().slice(told));
      try {
        for (const end = Date.now() + 1000; Date.now() < end && !stopped;) {
          for (let i = 0; i < 64; i++) ring.offer(0);
          ring.publish();
          device.kick(2);
          let back = 0;
          await until('them to be served, or the queue to be stopped', () => {
            while (ring.take() >= 0) back++;
            return back === 64 || (stopped = isStopped());
          });
          served += back;
        }
      } finally {
        // It writes into memory that goes with the daemon.
        await ended;
      }
      assert.ok(served > 0);
      device.startQueue(2, device.stopQueue(2));
      checkHealth();
    });
  });
