/** The clock and the waiting times of the trace. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Arrivals, type Waiting } from '../../../src/daemon/trace/arrivals';
import { TraceClock } from '../../../src/daemon/trace/clock';

const value = (clock: TraceClock): bigint => (BigInt(clock.high) << 32n) | BigInt(clock.low);

describe('trace clock', () => {
  it('gives nanoseconds since the epoch in two halves, exactly', () => {
    const origin = 1_700_000_000_000;
    fc.assert(
      fc.property(fc.nat({ max: 100 * 86_400_000 }), fc.nat({ max: 999_999 }), (milliseconds, nanoseconds) => {
        const clock = new TraceClock(origin);
        // A double of that many milliseconds still tells nanoseconds apart for some hours.
        const exact = milliseconds < 3_600_000;
        clock.set(milliseconds + nanoseconds / 1e6);
        const expected = BigInt(origin + milliseconds) * 1_000_000n + BigInt(nanoseconds);
        const off = value(clock) - expected;
        assert.ok(exact ? off === 0n : off > -4n && off < 4n, `${off}`);
      }),
    );
  });

  it('carries from the low half to the high one', () => {
    const origin = Number((0x17n << 32n) / 1_000_000n);
    const clock = new TraceClock(origin);
    clock.set(0);
    const { high } = clock;
    clock.set(4295);
    assert.equal(clock.high, high + 1);
    assert.equal(value(clock), BigInt(origin) * 1_000_000n + 4_295_000_000n);
  });
});

/** A queue of which `nextAvail` is taken next and `backlog` more are there, all of them known. */
const queue = (nextAvail: number, backlog: number): Waiting => ({ nextAvail, waiting: backlog, backlog });

describe('how long requests have waited', () => {
  it('one that is taken as soon as it is seen has not', () => {
    const arrivals = new Arrivals(16, 5);
    assert.equal(arrivals.waited(queue(6, 0), 10), 0);
  });

  it('those seen together wait for those before them', () => {
    const arrivals = new Arrivals(16, 0);
    assert.deepEqual(
      [arrivals.waited(queue(1, 2), 10), arrivals.waited(queue(2, 1), 13), arrivals.waited(queue(3, 0), 17)],
      [0, 3, 7],
    );
  });

  it('one that comes meanwhile waits from when it was first seen', () => {
    const arrivals = new Arrivals(16, 0);
    arrivals.waited(queue(1, 0), 10);
    assert.equal(arrivals.waited(queue(2, 1), 12), 0);
    assert.equal(arrivals.waited(queue(3, 3), 15), 3);
  });

  it('goes on over the end of the index and of the ring', () => {
    const arrivals = new Arrivals(4, 65_534);
    assert.equal(arrivals.waited(queue(65_535, 3), 1), 0);
    assert.equal(arrivals.waited(queue(0, 2), 2), 1);
    assert.equal(arrivals.waited(queue(1, 1), 3), 2);
    assert.equal(arrivals.waited(queue(2, 0), 4), 3);
  });

  it('after a while without a look what is there is new', () => {
    const arrivals = new Arrivals(4, 0);
    arrivals.waited(queue(1, 0), 1);
    assert.equal(arrivals.waited(queue(1001, 3), 500), 0);
    assert.equal(arrivals.waited(queue(1002, 2), 501), 1);
  });

  it('are looked for again only after some microseconds', () => {
    const arrivals = new Arrivals(16, 0);
    const looks: number[] = [];
    const watched = (nextAvail: number, waiting: number, backlog: number, now: number): Waiting => ({
      nextAvail,
      waiting,
      get backlog() {
        looks.push(now);
        return backlog;
      },
    });
    arrivals.waited(watched(1, 2, 2, 10), 10);
    assert.equal(arrivals.waited(watched(2, 1, 3, 10.004), 10.004).toFixed(3), '0.004');
    assert.equal(arrivals.waited(watched(3, 0, 2, 10.008), 10.008).toFixed(3), '0.008');
    assert.equal(arrivals.waited(watched(4, 1, 1, 10.01), 10.01).toFixed(3), '0.002');
    assert.deepEqual(looks, [10, 10.008]);
  });
});
