/** The threads of held requests and of queues, from what a daemon tells: what is said of them, and in which order. */
import assert from 'node:assert/strict';
import type { Held } from '../../src/control/debug';
import { HeldThreads, threadOf } from '../../src/debug/heldThreads';
import { QueueThreads } from '../../src/debug/queueThreads';
import type { Stop } from '../../src/debug/target';
import { heldRequest } from './liveFacts';

/** One request queue beside the hiprio one: threads 1 and 2. */
class Told {
  readonly lines: string[] = [];
  readonly stops: Stop[] = [];
  readonly queues: QueueThreads;
  readonly threads: HeldThreads;

  constructor(stopWorld = false) {
    const say = (text: string) => (thread: number) => void this.lines.push(`${text} ${thread}`);
    const events = {
      stopped: (stop: Stop) => {
        this.stops.push(stop);
        this.lines.push(`stopped ${stop.thread}: ${stop.reason}, ${stop.description}`);
      },
      running: say('running'),
      threadBegan: say('began'),
      threadEnded: say('ended'),
      output: () => assert.fail('nothing is written'),
      progress: () => assert.fail('nothing takes long'),
      ended: () => assert.fail('nothing is over'),
    };
    this.queues = new QueueThreads(2, stopWorld, events);
    this.threads = new HeldThreads(this.queues, events);
  }

  take(held: Partial<Held>, fresh = false): string[] {
    this.threads.take(heldRequest(held), fresh);
    return this.lines.splice(0);
  }

  drop(request: number): string[] {
    this.threads.drop(request);
    return this.lines.splice(0);
  }
}

const why = (kind: Held['why']['kind'], ids: number[] = [], text = ''): Held['why'] => ({ kind, ids, text });
const preadv2 = { call: 0, name: 'preadv2', arguments: [], texts: [], otherThread: false };

describe('threads of held requests', () => {
  it('begin, stop, go on by themselves, and end', () => {
    const told = new Told();
    assert.deepEqual(told.take({ request: 7, why: why('pause') }, true), ['began 1007', 'stopped 1007: pause, entry']);
    assert.deepEqual(told.threads.threads(), [{ id: 1007, name: 'READ unique=812 /a.db' }]);
    assert.ok(told.threads.isStopped(1007));
    assert.equal(told.threads.request(1007), 7);
    assert.deepEqual(told.take({ request: 7, phase: 'waiting' }), ['running 1007']);
    assert.ok(!told.threads.isStopped(1007));
    assert.deepEqual(told.take({ request: 7, phase: 'reply', why: why('step') }), ['stopped 1007: step, reply']);
    assert.deepEqual(told.drop(7), ['ended 1007']);
    assert.deepEqual(told.drop(7), [], 'once');
    assert.deepEqual(told.threads.threads(), []);
  });

  it('are told as new once, whoever tells first', () => {
    const told = new Told();
    told.take({ request: 1 }, true);
    assert.deepEqual(told.take({ request: 1, why: why('pause') }, true), ['stopped 1001: pause, entry']);
  });

  it('say why they stop, in DAP’s words, and for which rules', () => {
    const told = new Told();
    told.threads.setLines(new Set([3]));
    const reasons: [Held['why'], string][] = [
      [why('breakpoint', [3]), 'breakpoint'],
      [why('breakpoint', [4]), 'function breakpoint'],
      [why('exception', [9], 'EIO'), 'exception'],
      [why('pause'), 'pause'],
      [why('step'), 'step'],
      [why('rerun'), 'restart'],
      [why('answer'), 'goto'],
    ];
    for (const [kind] of reasons) told.take({ request: 1, why: kind });
    assert.deepEqual(
      told.stops.map(({ reason }) => reason),
      reasons.map(([, reason]) => reason),
    );
    assert.deepEqual([told.stops[2].text, told.stops[2].rules], ['EIO', [9]]);
    assert.ok(!('text' in told.stops[0]), 'nothing where nothing is said');
  });

  it('say which host call they stand at', () => {
    const told = new Told();
    const before = told.take({ request: 1, phase: 'call', call: preadv2, why: why('step') });
    const after = told.take({ request: 1, phase: 'called', call: preadv2, why: why('step') });
    assert.deepEqual([before, after], [['stopped 1001: step, before preadv2'], ['stopped 1001: step, after preadv2']]);
  });

  it('a thread that is none is refused', () => {
    const { threads } = new Told();
    for (const thread of [1, threadOf(7)]) {
      assert.ok(!threads.isStopped(thread));
      assert.throws(() => threads.request(thread), { code: 'debugNotStopped' });
    }
  });

  it('keep the queues while one stands in its handler: told after it, and let go before it', () => {
    const told = new Told();
    told.take({ request: 1 }, true);
    const inside = told.take({ request: 2, phase: 'call', call: preadv2, inHandler: true, why: why('step') }, true);
    assert.deepEqual(inside, [
      'began 1002',
      'stopped 1002: step, before preadv2',
      'stopped 1: pause, waits',
      'stopped 2: pause, waits',
    ]);
    assert.deepEqual(told.threads.inTheWay, [2]);
    assert.deepEqual(told.take({ request: 2, phase: 'waiting' }), ['running 1', 'running 2', 'running 1002']);
    assert.deepEqual(told.threads.inTheWay, []);
  });

  it('keep the queues, every one of them, where the whole share is stopped', () => {
    const told = new Told(true);
    told.take({ request: 1 }, true);
    told.take({ request: 2 }, true);
    assert.deepEqual(told.threads.inTheWay, [1, 2]);
    told.take({ request: 2, phase: 'call', call: preadv2, inHandler: true, why: why('step') });
    assert.deepEqual(told.threads.inTheWay, [2], 'the other one may not go on before it');
    told.take({ request: 2, phase: 'reply', why: why('step') });
    assert.deepEqual(told.drop(1), ['ended 1001']);
    assert.deepEqual(told.drop(2), ['running 1', 'running 2', 'ended 1002']);
  });
});
