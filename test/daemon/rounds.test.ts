/** The turns of several rings, over plain memory: who is served when, and when kicks are asked for. */
import assert from 'node:assert/strict';
import type { CounterBoard } from '../../src/daemon/counterBoard';
import type { Gate } from '../../src/daemon/gate/gate';
import { QueueExchange } from '../../src/daemon/queueExchange';
import { Rounds, type RunningQueue } from '../../src/daemon/rounds';
import { Tidings } from '../../src/daemon/tidings';
import { Arrivals } from '../../src/daemon/trace/arrivals';
import type { Tracer } from '../../src/daemon/trace/tracer';
import { DEFERRED } from '../../src/fs/fileSystem';
import { Counters } from '../../src/fuse/counters';
import { RingBench } from '../virtio/ringBench';

const SIZE = 16;
const NO_DESCRIPTOR = -1;
const TURN = 256;

/** Rings with their drivers, and a server that only notes the queues of what it is given. */
class Share {
  readonly benches: RingBench[];
  readonly served: number[] = [];
  readonly warnings: string[] = [];
  readonly gate = { frozen: false, armed: false };
  readonly rounds: Rounds;
  private readonly running: RunningQueue[];
  /** Called for each request, with its queue. What it says is the reply's length, or DEFERRED. */
  onRequest: (queue: number) => number = () => 0;

  constructor(queues: number, pollMicroseconds = 0) {
    this.rounds = new Rounds(
      {
        pollMicroseconds,
        tracer: { on: false, pause: () => undefined } as unknown as Tracer,
        counters: { taken: () => undefined, answered: () => undefined } as unknown as CounterBoard,
        gate: this.gate as Gate,
        warn: (text) => this.warnings.push(text),
      },
      {
        handle: ({ queue }) => {
          this.served.push(queue);
          return this.onRequest(queue);
        },
        opcode: 0,
        counters: new Counters(),
        lastRefusal: { opcode: 0, error: 0, reason: '' },
      },
    );
    this.benches = Array.from({ length: queues }, () => new RingBench({ size: SIZE }));
    // The last one first: order is by index, not by age.
    this.running = this.benches.map((bench, index) => this.ring(bench, index));
    for (const running of this.running.slice().reverse()) this.rounds.add(running);
    this.rounds.work();
  }

  /** Whether the device wanted a kick for it. */
  offer(index: number): boolean {
    const bench = this.benches[index];
    return bench.offer([bench.piece(bench.free, 1)]).kick;
  }

  /** A request that costs nothing to repeat: its reply is taken and its descriptors given back. */
  again(index: number): void {
    const { driver } = this.benches[index];
    for (let head = driver.take(); head >= 0; head = driver.take()) driver.free(head);
    this.offer(index);
  }

  kick(): void {
    this.rounds.wake();
    this.rounds.work();
  }

  remove(index: number): RunningQueue {
    this.rounds.remove(this.running[index]);
    return this.running[index];
  }

  private ring({ chain, queue }: RingBench, index: number): RunningQueue {
    const owner = { replace: () => undefined, complete: () => undefined, deliver: () => undefined, runs: () => true };
    return {
      ring: {
        index,
        size: SIZE,
        addresses: undefined,
        base: 0,
        kick: NO_DESCRIPTOR,
        call: NO_DESCRIPTOR,
        enabled: true,
        started: true,
      },
      queue,
      tidings: new Tidings(),
      arrivals: new Arrivals(SIZE, 0),
      exchange: new QueueExchange(chain, index, owner),
      broken: false,
    };
  }
}

describe('rounds of the rings', () => {
  it('ask every ring for a kick when all have run dry', () => {
    const share = new Share(3);
    for (const index of [0, 1, 2]) assert.equal(share.offer(index), true);
    share.kick();
    for (const index of [0, 1, 2]) assert.equal(share.offer(index), true);
  });

  it('serve all rings at one kick, the high priority queue first', () => {
    const share = new Share(3);
    for (const index of [2, 1, 0, 1]) share.offer(index);
    share.kick();
    assert.deepEqual(share.served, [0, 1, 1, 2]);
  });

  it('see what comes on another ring meanwhile without a kick', () => {
    const share = new Share(2);
    share.offer(1);
    share.onRequest = (queue) => {
      if (queue === 1) assert.equal(share.offer(0), true, 'the first one since it slept');
      return 0;
    };
    share.kick();
    assert.deepEqual(share.served, [1, 0]);
    share.served.length = 0;
    let left = 3;
    share.onRequest = (queue) => {
      if (left-- > 0) assert.equal(share.offer(1 - queue), left === 2, 'and none for those after it');
      return 0;
    };
    share.offer(1);
    share.kick();
    assert.deepEqual(share.served, [1, 0, 1, 0]);
  });

  it('give each ring its part, and others a turn, however fast one is filled', () => {
    const share = new Share(3);
    share.onRequest = (queue) => {
      if (queue === 1) share.again(1);
      return 0;
    };
    for (const index of [1, 2]) share.offer(index);
    share.kick();
    assert.equal(share.rounds.busy, true);
    assert.deepEqual(share.served, [...new Array<number>(TURN).fill(1), 2]);
    share.onRequest = () => 0;
    share.rounds.work();
    assert.equal(share.rounds.busy, false);
    assert.equal(share.served.length, TURN + 2);
  });

  it('go on with the others where a driver gives nonsense', () => {
    const share = new Share(3);
    share.offer(0);
    share.benches[1].driver.setAvailableIndex(SIZE + 1);
    share.offer(2);
    share.kick();
    assert.deepEqual(share.served, [0, 2]);
    assert.equal(share.warnings.length, 1);
    assert.match(share.warnings[0], /^queue 1 is stopped: the driver gave the available index/);
    assert.equal(share.rounds.busy, false);
    share.offer(2);
    share.kick();
    assert.deepEqual(share.served, [0, 2, 2]);
    assert.equal(share.warnings.length, 1);
  });

  it('serve nothing while the world stands still, and all of it afterwards', () => {
    const share = new Share(2);
    share.onRequest = () => {
      share.gate.frozen = true;
      return DEFERRED;
    };
    for (const index of [0, 1, 1]) share.offer(index);
    share.kick();
    assert.deepEqual(share.served, [0]);
    share.kick();
    assert.deepEqual(share.served, [0]);
    assert.equal(share.rounds.busy, false);
    share.gate.frozen = false;
    share.onRequest = () => 0;
    share.kick();
    assert.deepEqual(share.served, [0, 1, 1]);
  });

  it('are polled where that is asked for, in short turns between those of others', () => {
    const hour = 3600e6;
    const share = new Share(2, hour);
    share.offer(1);
    for (let turn = 0; turn < 20; turn++) share.rounds.work();
    assert.equal(share.rounds.busy, true);
    assert.equal(share.offer(1), false, 'no kick is wanted');
    share.rounds.work();
    assert.deepEqual(share.served, [1, 1]);
  });

  it('ask for kicks when the time to poll them is over', () => {
    const share = new Share(1, 1);
    while (share.rounds.busy) share.rounds.work();
    assert.equal(share.offer(0), true);
    share.kick();
    assert.deepEqual(share.served, [0]);
  });

  it('leave a ring alone that was removed', () => {
    const share = new Share(2);
    const running = share.remove(1);
    share.offer(0);
    share.offer(1);
    share.kick();
    assert.deepEqual(share.served, [0]);
    share.rounds.add(running);
    share.rounds.work();
    assert.deepEqual(share.served, [0, 1]);
  });
});
