/** A descriptor chain as two byte strings, however the driver has cut them and wherever they lie. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { IOV_MAX, MAX_PIECES, type Chain, type ExportTarget } from '../../src/virtio/chain';
import { GUEST_BASE, RingBench, SCRATCH } from './ringBench';

const EFAULT = 14;

/** What the iovecs made last say. */
function vectors(bench: RingBench, count: number): [address: number, length: number][] {
  const { arena, chain } = bench;
  return Array.from({ length: count }, (_, index) => {
    const at = chain.vectors - arena.base + index * 16;
    return [arena.getU64(at), arena.getU64(at + 8)];
  });
}

/** A chain over pieces of guest memory, given by offset and length. */
function chain(bench: RingBench, readable: readonly [number, number][], writable: readonly [number, number][]): Chain {
  bench.chain.begin(3);
  for (const [offset, length] of readable) assert.ok(bench.chain.add(GUEST_BASE + offset, length, false));
  for (const [offset, length] of writable) assert.ok(bench.chain.add(GUEST_BASE + offset, length, true));
  return bench.chain;
}

/** Cuts of a length into pieces that lie apart from each other, in shuffled order. */
const scattered = (total: number): fc.Arbitrary<[number, number][]> =>
  fc.array(fc.integer({ min: 0, max: total }), { maxLength: 6 }).chain((marks) => {
    const cuts = [0, ...[...marks].sort((a, b) => a - b), total];
    const pieces = cuts.slice(1).map((end, index) => [cuts[index], end - cuts[index]]);
    const order = pieces.map((_, index) => index);
    return fc
      .shuffledSubarray(order, { minLength: order.length, maxLength: order.length })
      .map((places) => pieces.map(([, length], index): [number, number] => [65536 + places[index] * 1024, length]));
  });

describe('descriptor chain', () => {
  it('counts its bytes and keeps its head', () => {
    const bench = new RingBench();
    const made = chain(
      bench,
      [
        [0, 40],
        [4096, 16],
      ],
      [
        [8192, 16],
        [12288, 100],
      ],
    );
    assert.deepEqual([made.head, made.readable, made.writable, made.oversized], [3, 56, 116, false]);
  });

  it('tells a debugger its pieces, and which of them are for the reply', () => {
    const made = chain(new RingBench(), [[0, 40]], [[64, 16]]);
    assert.deepEqual(
      [...made.pieces()],
      [
        { address: GUEST_BASE, length: 40, writable: false },
        { address: GUEST_BASE + 64, length: 16, writable: true },
      ],
    );
  });

  it('begins anew', () => {
    const bench = new RingBench();
    chain(bench, [[0, 40]], [[64, 16]]);
    bench.chain.begin(5);
    assert.deepEqual([bench.chain.head, bench.chain.readable, bench.chain.writable], [5, 0, 0]);
    assert.equal(bench.chain.copyIn(0, 1, SCRATCH), -EFAULT);
  });

  it('takes no readable piece after a writable one (virtio 1.3, 2.7.4.2)', () => {
    const bench = new RingBench();
    chain(bench, [[0, 40]], [[64, 16]]);
    assert.equal(bench.chain.add(GUEST_BASE + 128, 8, false), false);
  });

  it('reads a word of the request wherever its bytes lie, with 0 for those that are not there', () => {
    const bench = new RingBench();
    const total = 40;
    fc.assert(
      fc.property(scattered(total), fc.nat(total + 4), (pieces, skip) => {
        const bytes = Uint8Array.from({ length: total + 8 }, (_, index) => (index < total ? 0x80 + index * 3 : 0));
        let at = 0;
        for (const [offset, size] of pieces) {
          bench.guest.u8.set(bytes.subarray(at, at + size), offset);
          at += size;
        }
        const wanted = new DataView(bytes.buffer).getUint32(skip, true);
        assert.equal(chain(bench, pieces, []).peek(skip), wanted);
      }),
      { numRuns: 300 },
    );
  });

  it('copies any part of the request, however it is cut', () => {
    const bench = new RingBench();
    const total = 500;
    fc.assert(
      fc.property(scattered(total), fc.nat(total), fc.nat(total), (pieces, from, to) => {
        const skip = Math.min(from, to);
        const length = Math.max(from, to) - skip;
        const wanted = Uint8Array.from({ length: total }, (_, index) => (index * 7) & 0xff);
        let at = 0;
        for (const [offset, size] of pieces) {
          bench.guest.u8.set(wanted.subarray(at, at + size), offset);
          at += size;
        }
        const made = chain(bench, pieces, []);
        bench.arena.u8.fill(0xee, SCRATCH, SCRATCH + total + 1);
        assert.equal(made.copyIn(skip, length, SCRATCH), 0);
        assert.deepEqual(bench.arena.bytes(SCRATCH, length), wanted.subarray(skip, skip + length));
        assert.equal(bench.arena.u8[SCRATCH + length], 0xee, 'nothing beyond');
      }),
      { numRuns: 200 },
    );
  });

  it('copies into any part of the reply, and touches nothing else', () => {
    const bench = new RingBench();
    const total = 300;
    fc.assert(
      fc.property(scattered(total), fc.nat(total), fc.nat(total), (pieces, from, to) => {
        const skip = Math.min(from, to);
        const length = Math.max(from, to) - skip;
        bench.guest.u8.fill(0, 65536);
        bench.arena.u8.fill(0xbb, SCRATCH, SCRATCH + length);
        const made = chain(bench, [[0, 40]], pieces);
        assert.equal(made.copyOut(skip, length, SCRATCH), 0);
        const got = pieces.flatMap(([offset, size]) => [...bench.guest.bytes(offset, size)]);
        const wanted = got.map((_, index) => (index >= skip && index < skip + length ? 0xbb : 0));
        assert.deepEqual(got, wanted);
        assert.equal(bench.guest.u8.subarray(65536).filter((byte) => byte !== 0).length, length);
      }),
      { numRuns: 200 },
    );
  });

  /** Host addresses are places in the guest's block here. */
  const target = (bench: RingBench): ExportTarget => ({ address: 0, bytes: bench.guest.u8, u32: bench.guest.u32 });

  it('copies the first bytes of either side elsewhere, for a trace', () => {
    const bench = new RingBench();
    fc.assert(
      fc.property(scattered(200), scattered(300), fc.nat(200), fc.nat(300), (readable, writable, first, second) => {
        bench.guest.u8.forEach((_, at) => (bench.guest.u8[at] = at < 65536 ? 0 : (at * 11) & 0xff));
        const made = chain(bench, readable, writable);
        const bytes = (pieces: [number, number][]): number[] =>
          pieces.flatMap(([offset, size]) => [...bench.guest.bytes(offset, size)]);
        made.exportRequest(first, target(bench), 1024);
        made.exportReply(second, target(bench), 2048);
        assert.deepEqual([...bench.guest.bytes(1024, first)], bytes(readable).slice(0, first));
        assert.deepEqual([...bench.guest.bytes(2048, second)], bytes(writable).slice(0, second));
        assert.deepEqual([bench.guest.u8[1024 + first], bench.guest.u8[2048 + second]], [0, 0], 'nothing beyond');
      }),
      { numRuns: 30 },
    );
  });

  it('for a trace: what cannot be addressed ends it, and a border of regions does not', () => {
    const bench = new RingBench();
    bench.memory.setRegions([bench.region(8192, 4096), { ...bench.region(12288, 4096), hostBase: 65536 }]);
    bench.guest.u8.fill(1, 8192, 12288);
    bench.guest.u8.fill(2, 65536, 65536 + 4096);
    const made = chain(
      bench,
      [
        [12284, 8],
        [20480, 8],
        [8192, 8],
      ],
      [],
    );
    made.exportRequest(24, target(bench), 1024);
    assert.deepEqual([...bench.guest.bytes(1024, 12)], [1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0]);
  });

  it('peeks at no more of a word than lies in memory', () => {
    const bench = new RingBench();
    bench.guest.u8.fill(0xee);
    for (let there = 1; there < 4; there++) {
      bench.memory.setRegions([bench.region(0, 1000 + there)]);
      assert.equal(chain(bench, [[1000, 8]], []).peek(0), 0xeeeeeeee >>> (32 - 8 * there));
    }
  });

  it('is -EFAULT beyond its end', () => {
    const bench = new RingBench();
    const made = chain(bench, [[0, 40]], [[64, 16]]);
    assert.equal(made.copyIn(0, 41, SCRATCH), -EFAULT);
    assert.equal(made.copyIn(40, 1, SCRATCH), -EFAULT);
    assert.equal(made.copyOut(16, 1, SCRATCH), -EFAULT);
    assert.equal(made.writableVectors(0, 17), -EFAULT);
    assert.equal(made.copyIn(40, 0, SCRATCH), 0, 'nothing of it is fine');
  });

  it('makes one iovec for each piece, cut to what is asked for', () => {
    const bench = new RingBench();
    const made = chain(
      bench,
      [
        [0, 40],
        [4096, 100],
        [16384, 50],
      ],
      [],
    );
    assert.equal(made.readableVectors(40, 120), 2);
    assert.deepEqual(vectors(bench, 2), [
      [4096, 100],
      [16384, 20],
    ]);
    assert.equal(made.readableVectors(30, 20), 2);
    assert.deepEqual(vectors(bench, 2), [
      [30, 10],
      [4096, 10],
    ]);
    assert.equal(made.readableVectors(40, 0), 0);
  });

  it('joins pages that lie side by side', () => {
    const bench = new RingBench();
    const made = chain(
      bench,
      [],
      [
        [0, 16],
        [4096, 4096],
        [8192, 4096],
        [12288, 4096],
        [65536, 4096],
      ],
    );
    assert.equal(made.writableVectors(16, 16384), 2);
    assert.deepEqual(vectors(bench, 2), [
      [4096, 12288],
      [65536, 4096],
    ]);
  });

  it('has each byte asked for in its iovecs, in order, and joins all that lies side by side', () => {
    const bench = new RingBench();
    // Three regions, adjacent for the guest, two of them apart on the host; pieces of a few bytes around the borders.
    const [first, second, third] = [65536, 16384, 16384 + 64];
    bench.memory.setRegions([
      { ...bench.region(0, 64), hostBase: first },
      { ...bench.region(64, 64), hostBase: second },
      { ...bench.region(128, 64), hostBase: third, mayFault: true },
    ]);
    const hostOf = (offset: number): number => [first, second, third][offset >>> 6] + (offset & 63);
    const piece = fc.record({
      gap: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: -40, max: 40 })),
      length: fc.integer({ min: 0, max: 40 }),
    });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.nat(60), fc.nat(200), (cuts, skip, most) => {
        const pieces: [number, number][] = [];
        let end = 0;
        for (const { gap, length } of cuts) {
          const at = Math.min(Math.max(0, end + gap), 192 - length);
          pieces.push([at, length]);
          end = at + length;
        }
        const all = pieces.flatMap(([at, length]) => Array.from({ length }, (_, index) => hostOf(at + index)));
        const length = Math.min(most, Math.max(0, all.length - skip));
        const wanted = all.slice(skip, skip + length);
        const count = chain(bench, [], pieces).writableVectors(skip, length);
        const made = vectors(bench, count);
        assert.deepEqual(
          made.flatMap(([at, size]) => Array.from({ length: size }, (_, index) => at + index)),
          wanted,
        );
        const breaks = wanted.filter((at, index) => index > 0 && at !== wanted[index - 1] + 1).length;
        assert.equal(made.length, length === 0 ? 0 : breaks + 1);
      }),
    );
  });

  it('cuts a piece that runs over the border of two regions', () => {
    const bench = new RingBench();
    const { guest, arena } = bench;
    // Adjacent for the guest, apart on the host.
    bench.memory.setRegions([
      { ...bench.region(0, 8192), hostBase: 65536 },
      { ...bench.region(8192, 8192), hostBase: 0 },
    ]);
    const made = chain(bench, [[8000, 400]], [[8100, 200]]);
    assert.equal(made.readableVectors(0, 400), 2);
    assert.deepEqual(vectors(bench, 2), [
      [65536 + 8000, 192],
      [0, 208],
    ]);
    guest.u8.fill(1, 65536 + 8000, 65536 + 8192);
    guest.u8.fill(2, 0, 208);
    assert.equal(made.copyIn(0, 400, SCRATCH), 0);
    assert.deepEqual([...arena.bytes(SCRATCH, 400)], [...Array<number>(192).fill(1), ...Array<number>(208).fill(2)]);
    arena.u8.fill(9, SCRATCH, SCRATCH + 200);
    assert.equal(made.copyOut(0, 200, SCRATCH), 0);
    assert.deepEqual([...guest.bytes(65536 + 8100, 92)], Array<number>(92).fill(9));
    assert.deepEqual([...guest.bytes(0, 108)], Array<number>(108).fill(9));
  });

  it('is -EFAULT where a piece cannot be addressed, and only there', () => {
    const bench = new RingBench();
    bench.chain.begin(0);
    bench.chain.add(GUEST_BASE, 40, false);
    bench.chain.add(GUEST_BASE - 8, 16, false); // before the region
    bench.chain.add(GUEST_BASE + 4096, 16, false);
    const { chain: made } = bench;
    assert.equal(made.copyIn(0, 40, SCRATCH), 0);
    assert.equal(made.copyIn(0, 41, SCRATCH), -EFAULT);
    assert.equal(made.copyIn(56, 16, SCRATCH), 0);
    assert.equal(made.readableVectors(40, 1), -EFAULT);
    assert.equal(made.readableVectors(56, 16), 1);
  });

  it('is -EFAULT where a piece leaves the region on its way', () => {
    const bench = new RingBench({ guestBytes: 65536 });
    const made = chain(bench, [[65000, 1000]], [[65535, 2]]);
    assert.equal(made.copyIn(0, 536, SCRATCH), 0);
    assert.equal(made.copyIn(0, 537, SCRATCH), -EFAULT);
    assert.equal(made.writableVectors(0, 1), 1);
    assert.equal(made.writableVectors(0, 2), -EFAULT);
  });

  it('does not trust lengths and addresses that overflow', () => {
    const bench = new RingBench();
    bench.chain.begin(0);
    bench.chain.add(2 ** 64 - 4096, 0xffff_ffff, true); // wraps around in 64 bits
    bench.chain.add(GUEST_BASE, 0xffff_ffff, true); // longer than the region
    assert.equal(bench.chain.writable, 2 * 0xffff_ffff);
    assert.equal(bench.chain.copyOut(0, 16, SCRATCH), -EFAULT);
    assert.equal(bench.chain.writableVectors(0xffff_ffff, 0xffff_ffff), -EFAULT);
    assert.equal(bench.chain.writableVectors(0xffff_ffff, 4096), 1);
  });

  it('skips pieces of no length', () => {
    const bench = new RingBench();
    const made = chain(
      bench,
      [
        [0, 0],
        [100, 4],
        [1 << 30, 0],
        [200, 4],
      ],
      [],
    );
    assert.equal(made.readableVectors(0, 8), 2);
    assert.deepEqual(vectors(bench, 2), [
      [100, 4],
      [200, 4],
    ]);
  });

  it('joins nothing across a piece of no length', () => {
    const bench = new RingBench();
    const made = chain(
      bench,
      [],
      [
        [4096, 16],
        [8192, 0],
        [8192, 16],
      ],
    );
    assert.equal(made.writableVectors(0, 32), 2);
    assert.deepEqual(vectors(bench, 2), [
      [4096, 16],
      [8192, 16],
    ]);
  });

  it('gives at most IOV_MAX iovecs', () => {
    const bench = new RingBench();
    const apart = Array.from({ length: IOV_MAX + 1 }, (_, index): [number, number] => [index * 64, 16]);
    const made = chain(bench, [], apart);
    assert.equal(made.writableVectors(0, IOV_MAX * 16), IOV_MAX);
    assert.equal(made.writableVectors(0, IOV_MAX * 16 + 1), -EFAULT);
  });

  it('says so when it is longer than any request', () => {
    const bench = new RingBench();
    bench.chain.begin(0);
    for (let index = 0; index < MAX_PIECES; index++) bench.chain.add(GUEST_BASE, 1, false);
    assert.equal(bench.chain.oversized, false);
    assert.equal(bench.chain.add(GUEST_BASE, 1, true), true, 'the ring is not broken by it');
    assert.equal(bench.chain.oversized, true);
    bench.chain.begin(0);
    assert.equal(bench.chain.oversized, false);
  });
});
