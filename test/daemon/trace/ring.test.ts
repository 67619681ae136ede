/** The ring between queue worker and main thread: blocks in order, dropped and counted when there is no room. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TraceReader, TraceWriter, makeTraceRing } from '../../../src/daemon/trace/ring';

const SIZE = 1024;

class Ring {
  private readonly address = makeTraceRing(SIZE);
  readonly writer: TraceWriter;
  readonly reader = new TraceReader(this.address, SIZE);

  constructor(keepsOrder?: boolean) {
    this.writer = new TraceWriter(this.address, SIZE, keepsOrder);
  }

  /** A block of `length` bytes of `value`; false when it was dropped. */
  put(length: number, value: number, reserved = length): boolean {
    const at = this.writer.reserve(reserved);
    if (at < 0) return false;
    this.writer.bytes.fill(value, at, at + length);
    this.writer.commit(length);
    return true;
  }

  /** All bytes that are there. */
  take(): number[] {
    const { written } = this.reader;
    const bytes = this.reader.between(this.reader.released, written).flatMap((piece) => [...piece]);
    this.reader.release(written);
    return bytes;
  }
}

const bytes = (length: number, value: number): number[] => Array.from({ length }, () => value);

describe('trace ring', () => {
  it('is empty at first', () => assert.deepEqual(new Ring().take(), []));

  it('shows what is committed, whether or not the CPU keeps stores in order', () => {
    for (const keepsOrder of [false, true]) {
      const ring = new Ring(keepsOrder);
      ring.put(8, 1);
      assert.deepEqual(ring.take(), bytes(8, 1));
    }
  });

  it('says on both ends whether blocks are wanted', () => {
    const ring = new Ring();
    assert.equal(ring.writer.on, false);
    ring.reader.on = true;
    assert.equal(ring.writer.on, true);
    ring.reader.on = false;
    assert.equal(ring.writer.on, false);
  });

  it('gives blocks as they were put in, back to back', () => {
    const ring = new Ring();
    ring.put(12, 1);
    ring.put(8, 2);
    assert.deepEqual(ring.take(), [...bytes(12, 1), ...bytes(8, 2)]);
    assert.deepEqual(ring.take(), []);
  });

  it('shows nothing before it is committed, and of a block that became shorter only that', () => {
    const ring = new Ring();
    ring.writer.reserve(100);
    assert.deepEqual(ring.take(), []);
    ring.put(40, 3, 100);
    ring.put(4, 4);
    assert.deepEqual(ring.take(), [...bytes(40, 3), ...bytes(4, 4)]);
  });

  it('can be filled to the last byte, then drops and counts, then goes on', () => {
    const ring = new Ring();
    for (let index = 0; index < SIZE / 64; index++) assert.ok(ring.put(64, index));
    assert.equal(ring.put(4, 9), false);
    assert.equal(ring.put(64, 9), false);
    assert.equal(ring.reader.dropped, 2);
    assert.equal(ring.take().length, SIZE);
    assert.ok(ring.put(64, 7));
    assert.deepEqual(ring.take(), bytes(64, 7));
    assert.equal(ring.reader.dropped, 2);
  });

  it('a block never wraps, and what is left of the lap is not given out', () => {
    const ring = new Ring();
    for (let round = 0; round < 50; round++) {
      assert.ok(ring.put(500, round) && ring.put(100, round + 1));
      assert.deepEqual(ring.take(), [...bytes(500, round), ...bytes(100, round + 1)]);
    }
  });

  it('what lies behind the gap unread is not written over', () => {
    const ring = new Ring();
    ring.put(104, 1);
    ring.take();
    assert.ok(ring.put(720, 2));
    // 304 bytes are free, but 200 of them at the end and 104 at the start.
    assert.equal(ring.put(256, 3), false);
    assert.ok(ring.put(200, 4) && ring.put(104, 5));
    assert.deepEqual(ring.take(), [...bytes(720, 2), ...bytes(200, 4), ...bytes(104, 5)]);
  });

  it('what is larger than the ring is dropped, not waited for', () => {
    const ring = new Ring();
    assert.equal(ring.put(SIZE + 4, 1), false);
    assert.ok(ring.put(SIZE, 2));
  });

  it('a place in it is where the next block goes: blocks before it and behind it can be told apart', () => {
    const ring = new Ring();
    ring.put(900, 1);
    const place = ring.writer.written;
    assert.deepEqual(
      ring.reader.between(ring.reader.released, place).flatMap((piece) => [...piece]),
      bytes(900, 1),
    );
    ring.reader.release(place);
    ring.put(400, 2);
    assert.deepEqual(ring.take(), bytes(400, 2));
  });

  it('random writers and readers: what is not counted as dropped comes out, in order', () => {
    const put = fc.tuple(fc.integer({ min: 1, max: 75 }), fc.nat(20));
    const step = fc.oneof({ weight: 4, arbitrary: put }, { weight: 1, arbitrary: fc.constant('take' as const) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const ring = new Ring();
        let expected: number[] = [];
        let dropped = 0;
        for (const [index, one] of steps.entries()) {
          if (one === 'take') {
            assert.deepEqual(ring.take(), expected);
            expected = [];
            continue;
          }
          const [words, more] = one;
          if (ring.put(words * 4, index & 0xff, (words + more) * 4)) expected.push(...bytes(words * 4, index & 0xff));
          else dropped++;
          assert.equal(ring.reader.dropped, dropped);
        }
        assert.deepEqual(ring.take(), expected);
      }),
      { numRuns: 80 },
    );
  });
});
