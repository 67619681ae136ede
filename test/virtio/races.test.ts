/**
 * Every way in which the steps of driver and device can fall between each other when one goes to sleep and the other
 * has something for it: nobody may sleep while there is work and no kick or call on its way.
 *
 * A step is an access by `Atomics`, or the device's look at the driver's index, which may be a plain one. One side runs
 * as it is; at its n-th step the other side's steps are put in between.
 */
import assert from 'node:assert/strict';
import { Virtqueue } from '../../src/virtio/virtqueue';
import { RingBench } from './ringBench';

/** Runs `main`; `others[i]` happens before its step number `at[i]`, or after its end. The number of its steps. */
function interleave(main: () => void, others: readonly (() => void)[], at: readonly number[]): number {
  const { load, store } = Atomics;
  let step = 0;
  let inside = false;
  let next = 0;
  const meanwhile = (): void => {
    if (inside) return;
    inside = true;
    while (next < others.length && at[next] <= step) others[next++]();
    inside = false;
    step++;
  };
  const looks = Object.getOwnPropertyDescriptor(Virtqueue.prototype, 'backlog');
  assert.ok(looks);
  Object.defineProperty(Virtqueue.prototype, 'backlog', {
    ...looks,
    get(this: Virtqueue): unknown {
      meanwhile();
      return looks.get?.call(this);
    },
  });
  const hooked = Atomics as { load: typeof load; store: typeof store };
  hooked.load = ((...words: Parameters<typeof load>) => {
    meanwhile();
    return load(...words);
  }) as typeof load;
  hooked.store = ((...words: Parameters<typeof store>) => {
    meanwhile();
    return store(...words);
  }) as typeof store;
  try {
    main();
  } finally {
    hooked.load = load;
    hooked.store = store;
    Object.defineProperty(Virtqueue.prototype, 'backlog', looks);
  }
  const steps = step;
  for (; next < others.length; next++) others[next]();
  return steps;
}

/** Every choice of two moments, the second not before the first, among `steps` steps. */
function* moments(steps: number): Generator<[number, number]> {
  for (let first = 0; first <= steps; first++)
    for (let second = first; second <= steps; second++) yield [first, second];
}

const needEvent = (event: number, now: number, before: number): boolean =>
  ((now - event - 1) & 0xffff) < ((now - before) & 0xffff);

const ways = [true, false].flatMap((eventIndex) => [true, false].map((keepsOrder) => ({ eventIndex, keepsOrder })));

for (const way of ways) {
  const { eventIndex, keepsOrder } = way;
  const cpu = keepsOrder ? 'a CPU that keeps stores in order' : 'any CPU';
  describe(`ring races ${eventIndex ? 'with' : 'without'} EVENT_IDX, on ${cpu}`, () => {
    /** The device serves one request and goes to sleep while the driver brings another; what became of that. */
    function deviceSleeps(base: number, at: readonly [number, number]): { steps: number; lost: boolean } {
      const bench = new RingBench({ ...way, base });
      const { driver, guest, queue } = bench;
      queue.listen();
      bench.offer([bench.piece(40960, 1)]);
      const head = driver.chain([bench.piece(40961, 1)]);
      let kicked = false;
      let served = 0;
      let asleep = false;
      const serve = (): void => {
        for (queue.quiet(); ; queue.quiet()) {
          while (queue.pop(bench.chain) === 'chain') {
            queue.push(bench.chain.head, 0);
            served++;
          }
          if (!queue.listen()) break;
        }
        asleep = true;
      };
      const publish = (): void => {
        driver.offer(head);
        driver.setAvailableIndex(base + 2);
      };
      const kick = (): void => {
        const event = guest.getU16(driver.used + 4 + 8 * driver.size);
        const wanted = eventIndex ? needEvent(event, base + 2, base + 1) : (guest.getU16(driver.used) & 1) === 0;
        // A kick that comes while the device is awake wakes it again.
        if (wanted) kicked = true;
      };
      const steps = interleave(serve, [publish, kick], at);
      assert.ok(asleep);
      return { steps, lost: served < 2 && !kicked };
    }

    /** The driver looks for a reply and goes to sleep while the device brings one. */
    function driverSleeps(base: number, at: readonly [number, number]): { steps: number; lost: boolean } {
      const bench = new RingBench({ ...way, base });
      const { driver, guest, queue } = bench;
      for (let index = 0; index < 2; index++) bench.offer([bench.piece(40960 + index, 1)]);
      bench.serve();
      queue.mustSignal();
      queue.pop(bench.chain);
      let taken = 0;
      let called = false;
      const collect = (): void => {
        if (!eventIndex) guest.setU16(driver.available, 1);
        for (;;) {
          while (driver.take() >= 0) taken++;
          if (eventIndex) driver.armCalls();
          else Atomics.store(guest.u16, driver.available >>> 1, 0);
          if (driver.take() < 0) return;
          taken++;
        }
      };
      const push = (): void => queue.push(bench.chain.head, 0);
      const tell = (): void => {
        if (queue.mustSignal()) called = true;
      };
      const steps = interleave(collect, [push, tell], at);
      return { steps, lost: taken < 2 && !called };
    }

    for (const base of [0, 0xfffd, 0xfffe, 0xffff]) {
      it(`no kick is lost at index ${base}`, () => {
        const { steps } = deviceSleeps(base, [Infinity, Infinity]);
        assert.ok(steps >= (keepsOrder ? 4 : 5), `${steps} steps`);
        for (const at of moments(steps)) assert.equal(deviceSleeps(base, at).lost, false, `at ${at.join(' and ')}`);
      });

      it(`no call is lost at index ${base}`, () => {
        const { steps } = driverSleeps(base, [Infinity, Infinity]);
        assert.ok(steps >= 4, `${steps} steps`);
        for (const at of moments(steps)) assert.equal(driverSleeps(base, at).lost, false, `at ${at.join(' and ')}`);
      });
    }
  });
}
