/** The device side of a split virtqueue against our driver side: order, wrap-around, notifications, indirect tables. */
import assert from 'node:assert/strict';
import { AvailFlag, UsedFlag } from '../../src/protocol/virtio/ring';
import { MAX_INDIRECT, type Virtqueue } from '../../src/virtio/virtqueue';
import { RingBench } from './ringBench';

/** Sets used_event: the driver wants to hear of used entry number `index`. */
function askForCallAt(bench: RingBench, index: number): void {
  const { driver } = bench;
  bench.guest.setU16(driver.available + 4 + 2 * driver.size, index & 0xffff);
}

/** avail_event: from which index on the device wants a kick. */
function kickWantedAt(bench: RingBench): number {
  const { driver } = bench;
  return bench.guest.getU16(driver.used + 4 + 8 * driver.size);
}

describe('virtqueue', () => {
  it('is empty at first', () => {
    const { queue, chain } = new RingBench();
    assert.equal(queue.look(), false);
    assert.equal(queue.pop(chain), 'empty');
  });

  it('gives chains in the order in which they were made available', () => {
    const bench = new RingBench();
    const heads = [0, 1, 2].map((index) => bench.offer([bench.piece(40960 + index, 1)]).head);
    assert.deepEqual([bench.serve(), bench.serve(), bench.serve()], heads);
    assert.equal(bench.queue.pop(bench.chain), 'empty');
  });

  it('walks a chain: readable bytes, then room', () => {
    const bench = new RingBench();
    bench.guest.u8.set([1, 2, 3], 40960);
    bench.guest.u8.set([4, 5], 45056);
    bench.offer([bench.piece(40960, 3), bench.piece(45056, 2), bench.piece(50000, 100, true)]);
    assert.equal(bench.queue.pop(bench.chain), 'chain');
    assert.deepEqual([...bench.request()], [1, 2, 3, 4, 5]);
    assert.equal(bench.chain.writable, 100);
  });

  it('gives chains back in any order, with the length written', () => {
    const bench = new RingBench();
    const [first, second] = [bench.offer([bench.piece(40960, 1)]), bench.offer([bench.piece(40961, 1)])];
    bench.queue.pop(bench.chain);
    bench.queue.pop(bench.chain);
    bench.queue.push(second.head, 77);
    bench.queue.push(first.head, 0xffff_ffff);
    assert.deepEqual([bench.driver.take(), bench.driver.usedLength], [second.head, 77]);
    assert.deepEqual([bench.driver.take(), bench.driver.usedLength], [first.head, 0xffff_ffff]);
    assert.equal(bench.driver.take(), -1);
  });

  for (const size of [1, 4, 256]) {
    it(`goes round a ring of ${size} and through 2^16`, () => {
      const bench = new RingBench({ size, base: 0xfff0 });
      for (let round = 0; round < 0x20 + size; round++) {
        bench.guest.u8[40960] = round;
        const { head } = bench.offer([bench.piece(40960, 1)]);
        assert.equal(bench.queue.pop(bench.chain), 'chain');
        assert.equal(bench.request()[0], round & 0xff);
        bench.queue.push(head, round);
        assert.equal(bench.driver.take(), head);
        assert.equal(bench.driver.usedLength, round);
        bench.driver.free(head);
      }
      assert.equal(bench.queue.nextAvail, (0xfff0 + 0x20 + size) & 0xffff);
      assert.equal(bench.queue.nextUsed, bench.queue.nextAvail);
    });
  }

  it('takes a ring that is full to the last entry', () => {
    const bench = new RingBench({ size: 8, base: 0xfffc });
    for (let index = 0; index < 8; index++) bench.offer([bench.piece(40960, 1)]);
    for (let index = 0; index < 8; index++) bench.serve();
    assert.equal(bench.queue.pop(bench.chain), 'empty');
  });

  it('takes the chain from an indirect table', () => {
    const bench = new RingBench({ size: 4 });
    bench.guest.u8.set([9, 8, 7], 50000);
    const pieces = Array.from({ length: 100 }, (_, index) => bench.piece(50000 + index, 1, index >= 3));
    const { head } = bench.offer(pieces, 40960);
    assert.equal(bench.queue.pop(bench.chain), 'chain');
    assert.deepEqual([bench.chain.head, bench.chain.readable, bench.chain.writable], [head, 3, 97]);
    assert.deepEqual([...bench.request()], [9, 8, 7]);
  });

  it('takes an indirect table as long as any', () => {
    const bench = new RingBench();
    const pieces = Array.from({ length: MAX_INDIRECT }, () => bench.piece(200_000, 1));
    bench.offer(pieces, 65536);
    assert.equal(bench.queue.pop(bench.chain), 'chain');
    assert.equal(bench.chain.oversized, true);
  });

  it('takes an indirect table at the end of a direct chain', () => {
    const bench = new RingBench();
    const { driver } = bench;
    driver.setDescriptor(0, bench.piece(50000, 3).address, 3, 1, 1);
    // Its WRITE flag says nothing (2.7.5.3.2).
    driver.setDescriptor(1, bench.piece(40960, 32).address, 32, 4 | 2, 0);
    driver.rawEntry(40960, bench.piece(50100, 4).address, 4, 1, 1);
    driver.rawEntry(40976, bench.piece(50200, 5).address, 5, 2, 0);
    driver.offer(0);
    driver.publish();
    assert.equal(bench.queue.pop(bench.chain), 'chain');
    assert.deepEqual([bench.chain.readable, bench.chain.writable], [7, 5]);
  });

  it('takes an indirect table that lies across two regions of memory, cut anywhere', () => {
    for (const cut of [40960 + 16, 40960 + 20, 40960 + 28]) {
      const bench = new RingBench();
      bench.memory.setRegions([bench.region(0, cut), bench.region(cut, 256 * 1024 - cut)]);
      bench.offer([bench.piece(50000, 3), bench.piece(50100, 4), bench.piece(50200, 5, true)], 40960);
      assert.equal(bench.queue.pop(bench.chain), 'chain', bench.queue.fault);
      assert.deepEqual([bench.chain.readable, bench.chain.writable], [7, 5]);
    }
  });

  it('needs an indirect table no more once the request is taken: the driver may change it', () => {
    const bench = new RingBench();
    bench.offer([bench.piece(50000, 3), bench.piece(50100, 4, true)], 40960);
    bench.queue.pop(bench.chain);
    bench.guest.zero(40960, 32);
    assert.deepEqual([bench.chain.readable, bench.chain.writable], [3, 4]);
    assert.deepEqual(
      [...bench.chain.pieces()].map(({ length }) => length),
      [3, 4],
    );
  });

  it('takes an indirect table that lies between words', () => {
    const bench = new RingBench();
    const { driver } = bench;
    driver.rawEntry(40960, bench.piece(50000, 3).address, 3, 1, 1);
    driver.rawEntry(40976, bench.piece(50100, 4).address, 4, 2, 0);
    bench.guest.u8.copyWithin(40963, 40960, 40992);
    driver.setDescriptor(0, bench.piece(40963, 32).address, 32, 4, 0);
    driver.offer(0);
    driver.publish();
    assert.equal(bench.queue.pop(bench.chain), 'chain');
    assert.deepEqual([bench.chain.readable, bench.chain.writable], [3, 4]);
  });

  it('goes on after a stop where it stopped', () => {
    const bench = new RingBench();
    for (const length of [1, 2, 3]) bench.offer([bench.piece(40960, length)]);
    bench.serve();
    const base = bench.queue.nextAvail;
    assert.equal(base, 1);
    bench.start(base);
    assert.equal(bench.queue.nextUsed, 1, 'the used index is what the ring says');
    assert.equal(bench.queue.pop(bench.chain), 'chain');
    assert.equal(bench.chain.readable, 2);
  });

  describe('that was stopped with chains taken from it', () => {
    /** Three offered, two taken, one of them given back. */
    const stopped = (): { bench: RingBench; before: Virtqueue; head: number } => {
      const bench = new RingBench({ size: 4, base: 0xffff });
      for (const length of [1, 2, 3]) bench.offer([bench.piece(40960, length)]);
      const before = bench.queue;
      before.pop(bench.chain);
      const { head } = bench.chain;
      bench.serve();
      return { bench, before, head };
    };

    it('has them given back when it goes on', () => {
      const { bench, before, head } = stopped();
      const queue = bench.start(before.nextAvail);
      assert.equal(queue.continues(before), true);
      queue.push(head, 9);
      assert.deepEqual([bench.driver.take(), bench.driver.usedLength], [1, 0]);
      assert.deepEqual([bench.driver.take(), bench.driver.usedLength], [head, 9]);
      assert.equal(bench.serve(), 2);
    });

    it('counts them as taken: no more at a time than it has descriptors', () => {
      const { bench, before } = stopped();
      const queue = bench.start(before.nextAvail);
      queue.continues(before);
      // The same head over and over, as no driver does.
      for (let i = 0; i < 3; i++) bench.driver.offer(2);
      bench.driver.publish();
      const results = Array.from({ length: 4 }, () => queue.pop(bench.chain));
      assert.deepEqual(results, ['chain', 'chain', 'chain', 'broken']);
      assert.equal(queue.fault, 'more requests at a time than it has descriptors');
    });

    it('does not go on where its indices, or its size, are others', () => {
      const { bench, before } = stopped();
      assert.equal(bench.start((before.nextAvail + 1) & 0xffff).continues(before), false);
      bench.guest.setU16(bench.driver.used + 2, before.nextAvail);
      assert.equal(bench.start(before.nextAvail).continues(before), false, 'its driver has all back');
      const larger = new RingBench({ size: 8, base: before.nextAvail });
      larger.guest.setU16(larger.driver.used + 2, before.nextUsed);
      assert.equal(larger.start(before.nextAvail).continues(before), false);
    });
  });

  describe('notifications with EVENT_IDX', () => {
    it('the first used chain is always told, then only when the driver asked', () => {
      const bench = new RingBench();
      for (let index = 0; index < 6; index++) bench.offer([bench.piece(40960, 1)]);
      askForCallAt(bench, 3);
      bench.serve();
      assert.equal(bench.queue.mustSignal(), true, 'nobody was told of anything yet');
      bench.serve();
      bench.serve();
      assert.equal(bench.queue.mustSignal(), false, 'entries 1 and 2');
      bench.serve();
      assert.equal(bench.queue.mustSignal(), true, 'entry 3');
      bench.serve();
      assert.equal(bench.queue.mustSignal(), false, 'entry 4');
    });

    it('a batch that passes the event is told once', () => {
      const bench = new RingBench();
      for (let index = 0; index < 8; index++) bench.offer([bench.piece(40960, 1)]);
      bench.serve();
      bench.queue.mustSignal();
      askForCallAt(bench, 2);
      for (let index = 0; index < 5; index++) bench.serve();
      assert.equal(bench.queue.mustSignal(), true);
      assert.equal(bench.queue.mustSignal(), false, 'nothing new');
    });

    it('tells across 2^16', () => {
      const bench = new RingBench({ base: 0xfffe });
      for (let index = 0; index < 5; index++) bench.offer([bench.piece(40960, 1)]);
      bench.serve();
      bench.queue.mustSignal();
      askForCallAt(bench, 1);
      bench.serve(); // 0xffff
      bench.serve(); // 0
      assert.equal(bench.queue.mustSignal(), false);
      bench.serve(); // 1
      assert.equal(bench.queue.mustSignal(), true);
    });

    it('nothing pushed, nothing to tell', () => {
      assert.equal(new RingBench().queue.mustSignal(), false);
    });

    it('the driver kicks for the first request after listen(), not while the device works', () => {
      const bench = new RingBench();
      assert.equal(bench.queue.listen(), false);
      assert.equal(kickWantedAt(bench), 0);
      assert.equal(bench.offer([bench.piece(40960, 1)]).kick, true);
      bench.queue.quiet();
      assert.equal(bench.offer([bench.piece(40960, 1)]).kick, false);
      bench.serve();
      bench.serve();
      assert.equal(bench.queue.listen(), false);
      assert.equal(kickWantedAt(bench), 2);
      assert.equal(bench.offer([bench.piece(40960, 1)]).kick, true);
    });

    it('listen() sees the request that came in between: no kick can be relied on for it', () => {
      const bench = new RingBench();
      bench.queue.listen();
      bench.offer([bench.piece(40960, 1)]);
      bench.queue.quiet();
      bench.serve();
      assert.equal(bench.queue.pop(bench.chain), 'empty');
      // The driver publishes just now. It still sees the old avail_event, so it does not kick.
      assert.equal(bench.offer([bench.piece(40960, 1)]).kick, false);
      assert.equal(bench.queue.listen(), true);
      bench.serve();
      assert.equal(bench.queue.listen(), false);
    });
  });

  describe('notifications without EVENT_IDX', () => {
    it('the driver’s flag decides about calls', () => {
      const bench = new RingBench({ eventIndex: false });
      for (let index = 0; index < 3; index++) bench.offer([bench.piece(40960, 1)]);
      bench.serve();
      assert.equal(bench.queue.mustSignal(), true);
      assert.equal(bench.queue.mustSignal(), false, 'nothing new');
      bench.guest.setU16(bench.driver.available, AvailFlag.NO_INTERRUPT);
      bench.serve();
      assert.equal(bench.queue.mustSignal(), false);
      bench.guest.setU16(bench.driver.available, 0);
      bench.serve();
      assert.equal(bench.queue.mustSignal(), true);
    });

    it('the device’s flag decides about kicks, and the race is seen', () => {
      const bench = new RingBench({ eventIndex: false });
      bench.queue.quiet();
      assert.equal(bench.guest.getU16(bench.driver.used), UsedFlag.NO_NOTIFY);
      assert.equal(bench.offer([bench.piece(40960, 1)]).kick, false);
      assert.equal(bench.queue.listen(), true);
      assert.equal(bench.guest.getU16(bench.driver.used), 0);
      bench.serve();
      assert.equal(bench.queue.listen(), false);
      assert.equal(bench.offer([bench.piece(40960, 1)]).kick, true);
    });
  });
});
