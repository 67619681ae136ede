/** Rings that no honest driver writes. Each breaks the queue with its reason; none is followed, none throws. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MAX_INDIRECT } from '../../src/virtio/virtqueue';
import { DESC_INDIRECT, DESC_NEXT, DESC_WRITE } from '../driver/ringWriter';
import { GUEST_BASE, RingBench } from './ringBench';

const BUFFER = GUEST_BASE + 50000;
const TABLE = 40960;

/** What becomes of a ring that `write` has prepared, with `head` made available. */
function broken(write: (bench: RingBench) => void, head = 0): string {
  const bench = new RingBench({ size: 8 });
  write(bench);
  bench.driver.offer(head);
  bench.driver.publish();
  assert.equal(bench.queue.pop(bench.chain), 'broken');
  return bench.queue.fault;
}

/** The same for an indirect table, with the length that descriptor 0 says it has. */
function brokenTable(bytes: number, write: (bench: RingBench) => void = () => undefined): string {
  return broken((bench) => {
    bench.driver.setDescriptor(0, GUEST_BASE + TABLE, bytes, DESC_INDIRECT, 0);
    write(bench);
  });
}

describe('hostile ring', () => {
  it('the available index runs ahead', () => {
    const bench = new RingBench({ size: 8 });
    bench.driver.setAvailableIndex(9);
    assert.equal(bench.queue.pop(bench.chain), 'broken');
    assert.match(bench.queue.fault, /available index/);
  });

  it('the available index goes back', () => {
    const bench = new RingBench({ size: 8 });
    bench.offer([bench.piece(50000, 1)]);
    bench.serve();
    bench.driver.setAvailableIndex(0);
    assert.equal(bench.queue.pop(bench.chain), 'broken');
  });

  it('a head out of range', () => {
    assert.match(
      broken(() => undefined, 8),
      /head/,
    );
    assert.match(
      broken(() => undefined, 0xffff),
      /head/,
    );
  });

  it('a next index out of range', () => {
    assert.match(
      broken((b) => b.driver.setDescriptor(0, BUFFER, 1, DESC_NEXT, 8)),
      /next index/,
    );
    assert.match(
      broken((b) => b.driver.setDescriptor(0, BUFFER, 1, DESC_NEXT, 0xffff)),
      /next index/,
    );
  });

  it('a loop of one, and of all', () => {
    assert.match(
      broken((b) => b.driver.setDescriptor(0, BUFFER, 1, DESC_NEXT, 0)),
      /never ends/,
    );
    const ring = (b: RingBench): void => {
      for (let i = 0; i < 8; i++) b.driver.setDescriptor(i, BUFFER, 1, DESC_NEXT, (i + 1) % 8);
    };
    assert.match(broken(ring), /never ends/);
  });

  it('a loop of maximal lengths: the count stays a number', () => {
    const write = (b: RingBench): void => b.driver.setDescriptor(0, BUFFER, 0xffff_ffff, DESC_NEXT | DESC_WRITE, 0);
    assert.match(broken(write), /never ends/);
  });

  it('readable after writable', () => {
    const write = (b: RingBench): void => {
      b.driver.setDescriptor(0, BUFFER, 1, DESC_NEXT | DESC_WRITE, 1);
      b.driver.setDescriptor(1, BUFFER, 1, 0, 0);
    };
    assert.match(broken(write), /readable descriptor after/);
  });

  it('an indirect descriptor that goes on', () => {
    assert.match(
      broken((b) => b.driver.setDescriptor(0, GUEST_BASE + TABLE, 16, DESC_INDIRECT | DESC_NEXT, 1)),
      /successor/,
    );
  });

  it('an indirect table inside of another', () => {
    const inner = (b: RingBench): void => b.driver.rawEntry(TABLE, GUEST_BASE + TABLE, 16, DESC_INDIRECT, 0);
    assert.match(brokenTable(16, inner), /inside of another/);
  });

  for (const bytes of [0, 1, 15, 17, 16 * (MAX_INDIRECT + 1), 0xffff_fff0, 0xffff_ffff]) {
    it(`an indirect table of ${bytes} bytes`, () => {
      assert.match(brokenTable(bytes), /bad length/);
    });
  }

  it('an indirect table outside of memory, or half outside', () => {
    const at = (address: number, bytes = 32): string =>
      broken((b) => b.driver.setDescriptor(0, address, bytes, DESC_INDIRECT, 0));
    assert.match(at(0), /outside of guest memory/);
    assert.match(at(GUEST_BASE - 16), /outside/);
    assert.match(at(GUEST_BASE + 256 * 1024 - 16), /outside/);
    assert.match(at(2 ** 53 - 16), /outside/);
  });

  it('a next index outside of the indirect table, and a loop in it', () => {
    assert.match(
      brokenTable(32, (b) => b.driver.rawEntry(TABLE, BUFFER, 1, DESC_NEXT, 2)),
      /next index/,
    );
    assert.match(
      brokenTable(32, (b) => b.driver.rawEntry(TABLE, BUFFER, 1, DESC_NEXT, 0)),
      /never ends/,
    );
  });

  it('readable after writable in an indirect table', () => {
    const write = (b: RingBench): void => {
      b.driver.rawEntry(TABLE, BUFFER, 1, DESC_NEXT | DESC_WRITE, 1);
      b.driver.rawEntry(TABLE + 16, BUFFER, 1, 0, 0);
    };
    assert.match(brokenTable(32, write), /readable descriptor after/);
  });

  it('the same descriptors for more requests at a time than there are descriptors', () => {
    const bench = new RingBench({ size: 8 });
    bench.driver.setDescriptor(0, BUFFER, 1, 0, 0);
    for (let taken = 0; taken < 8; taken++) {
      bench.driver.offer(0);
      bench.driver.publish();
      assert.equal(bench.queue.pop(bench.chain), 'chain');
    }
    bench.driver.offer(0);
    bench.driver.publish();
    assert.equal(bench.queue.pop(bench.chain), 'broken');
    assert.match(bench.queue.fault, /more requests at a time/);
  });

  it('buffers outside of memory do not break the queue: they cost the request an error', () => {
    const bench = new RingBench({ size: 8 });
    bench.driver.setDescriptor(0, 0, 40, DESC_NEXT, 1);
    bench.driver.setDescriptor(1, 2 ** 52, 0xffff_ffff, DESC_WRITE, 0);
    bench.driver.offer(0);
    bench.driver.publish();
    assert.equal(bench.queue.pop(bench.chain), 'chain');
    assert.ok(bench.chain.copyIn(0, 40, 0) < 0);
    assert.ok(bench.chain.writableVectors(0, 4096) < 0);
  });

  it('a longer chain than any request is walked and told as oversized', () => {
    const bench = new RingBench({ size: 4096 });
    for (let i = 0; i < 4096; i++) bench.driver.setDescriptor(i, BUFFER, 1, i < 4095 ? DESC_NEXT : 0, i + 1);
    bench.driver.offer(0);
    bench.driver.publish();
    assert.equal(bench.queue.pop(bench.chain), 'chain');
    assert.equal(bench.chain.oversized, true);
  });

  it('random bytes in every area: never a throw, never a wild address, always an end', () => {
    const entry = fc.record({
      address: fc.oneof(
        fc.integer({ min: 0, max: 1 << 20 }).map((offset) => GUEST_BASE - 4096 + offset),
        fc.double({ min: 0, max: 2 ** 53, noNaN: true }).map(Math.floor),
      ),
      length: fc.oneof(fc.nat(8192), fc.constantFrom(16, 32, 64, 0xffff_ffff, 0x8000_0000)),
      flags: fc.nat(0xffff),
      next: fc.oneof(fc.nat(15), fc.nat(0xffff)),
    });
    fc.assert(
      fc.property(
        fc.array(entry, { minLength: 8, maxLength: 8 }),
        fc.array(entry, { maxLength: 8 }),
        fc.array(fc.oneof(fc.nat(7), fc.nat(0xffff)), { minLength: 8, maxLength: 8 }),
        fc.oneof(fc.nat(8), fc.nat(0xffff)),
        (table, indirect, heads, available) => {
          const bench = new RingBench({ size: 8 });
          const { driver } = bench;
          table.forEach((e, i) => driver.setDescriptor(i, e.address, e.length, e.flags, e.next));
          indirect.forEach((e, i) => driver.rawEntry(TABLE + 16 * i, e.address, e.length, e.flags, e.next));
          heads.forEach((head) => driver.offer(head));
          driver.setAvailableIndex(available);
          for (let round = 0; round < 10; round++) {
            const result = bench.queue.pop(bench.chain);
            if (result === 'broken') assert.notEqual(bench.queue.fault, '');
            if (result !== 'chain') return;
            const { chain } = bench;
            assert.ok(chain.readable >= 0 && chain.writable >= 0);
            chain.copyIn(0, Math.min(chain.readable, 4096), 0);
            chain.copyOut(0, Math.min(chain.writable, 64), 0);
            chain.writableVectors(0, chain.writable);
            bench.queue.push(chain.head, 0);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
