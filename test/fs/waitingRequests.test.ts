import assert from 'node:assert/strict';
import type { Deferred } from '../../src/fs/fileSystem';
import { WaitingRequests } from '../../src/fs/waitingRequests';

const EAGAIN = 11;
const EINTR = 4;
const EBADF = 9;

/** An alarm that rings when told to. */
class HandAlarm {
  delay = 0;
  private then: (() => void) | undefined;

  wake(afterMilliseconds: number, then: () => void): void {
    this.delay = afterMilliseconds;
    this.then = then;
  }

  get set(): boolean {
    return this.then !== undefined;
  }

  ring(): void {
    const { then } = this;
    this.then = undefined;
    then?.();
  }
}

const answered = (finish: (result: number) => void): Deferred => ({ answerable: true, finish });

describe('requests that wait', () => {
  let alarm: HandAlarm;
  let waiting: WaitingRequests;
  let results: [name: number, result: number][];
  let free: Set<number>;
  /** Whose ring is stopped. */
  let stopped: Set<number>;

  beforeEach(() => {
    alarm = new HandAlarm();
    waiting = new WaitingRequests(alarm);
    results = [];
    free = new Set();
    stopped = new Set();
  });

  function add(name: number, node = 1, handle = 1, attempt?: () => number): void {
    waiting.add({
      node,
      handle,
      uniqueLow: name,
      uniqueHigh: 7,
      attempt: attempt ?? (() => (free.delete(node) ? 0 : -EAGAIN)),
      parked: {
        get answerable() {
          return !stopped.has(name);
        },
        finish: (result) => results.push([name, result]),
      },
    });
  }

  it('gives an unlocked inode to the one that has waited longest', () => {
    add(1);
    add(2);
    add(3, 2);
    free.add(1);
    waiting.retry(1);
    assert.deepEqual(results, [[1, 0]]);
    waiting.retry(1);
    assert.deepEqual(results, [[1, 0]]);
    assert.equal(waiting.count, 2);
  });

  it('does not try those of other inodes', () => {
    add(1, 1);
    free.add(1);
    waiting.retry(2);
    assert.deepEqual(results, []);
  });

  it('tries again by itself, less and less often, until nobody waits', () => {
    add(1);
    const delays: number[] = [];
    for (let i = 0; i < 7; i++) {
      delays.push(alarm.delay);
      alarm.ring();
    }
    assert.deepEqual(delays, [1, 2, 4, 8, 16, 25, 25]);
    free.add(1);
    alarm.ring();
    assert.deepEqual(results, [[1, 0]]);
    assert.equal(alarm.set, false);
  });

  it('starts quickly again when another comes', () => {
    add(1);
    for (let i = 0; i < 5; i++) alarm.ring();
    assert.equal(alarm.delay, 25);
    add(2, 2);
    assert.equal(alarm.delay, 1);
  });

  it('is tried in time, however many come and go meanwhile', () => {
    let [now, due] = [0, Infinity];
    let then = (): void => undefined;
    const busy = new WaitingRequests({
      wake(afterMilliseconds, called) {
        due = now + afterMilliseconds;
        then = called;
      },
    });
    const entry = { node: 1, handle: 1, uniqueHigh: 0, parked: answered(() => undefined) };
    let tried = 0;
    busy.add({ ...entry, uniqueLow: 1, attempt: () => (tried++, -EAGAIN) });
    for (; now < 10; now += 0.5) {
      busy.add({ ...entry, node: 2, uniqueLow: 2, attempt: () => -EAGAIN });
      busy.interrupt(2, 0);
      if (now >= due) then();
    }
    assert.ok(tried >= 3, `${tried} times`);
  });

  it('ends with an error of the host other than that it is locked', () => {
    add(1, 1, 1, () => -37);
    alarm.ring();
    assert.deepEqual(results, [[1, -37]]);
  });

  it('ends an interrupted one once', () => {
    add(1);
    add(2);
    assert.equal(waiting.interrupt(2, 6), false);
    assert.equal(waiting.interrupt(2, 7), true);
    assert.equal(waiting.interrupt(2, 7), false);
    assert.deepEqual(results, [[2, -EINTR]]);
  });

  it('ends those of a handle, of an inode, of all', () => {
    add(1, 1, 1);
    add(2, 1, 2);
    add(3, 2, 3);
    add(4, 3, 4);
    waiting.endOfHandle(2, -EBADF);
    waiting.endOfNode(2, -EBADF);
    waiting.endAll(-EINTR);
    assert.deepEqual(results, [
      [2, -EBADF],
      [3, -EBADF],
      [1, -EINTR],
      [4, -EINTR],
    ]);
    alarm.ring();
    assert.equal(results.length, 4);
  });

  it('answers one once that a finish of another has ended, though its turn has come', () => {
    waiting.add({
      node: 1,
      handle: 1,
      uniqueLow: 1,
      uniqueHigh: 7,
      attempt: () => 0,
      parked: answered(() => waiting.interrupt(2, 7)),
    });
    add(2, 1, 1, () => 0);
    add(3, 1, 1, () => 0);
    waiting.retry(1);
    assert.deepEqual(results, [
      [2, -EINTR],
      [3, 0],
    ]);
  });

  it('stands a finish that comes back with the next request', () => {
    const inner: number[] = [];
    waiting.add({
      node: 1,
      handle: 1,
      uniqueLow: 1,
      uniqueHigh: 0,
      attempt: () => 0,
      parked: answered((result) => {
        inner.push(result);
        waiting.interrupt(2, 7);
        add(3);
        waiting.retry(1);
      }),
    });
    add(2);
    waiting.retry(1);
    assert.deepEqual(inner, [0]);
    assert.deepEqual(results, [[2, -EINTR]]);
    assert.equal(waiting.count, 1);
  });

  it('takes nothing for one whose ring is stopped, until it goes on', () => {
    add(1);
    add(2);
    stopped.add(1);
    free.add(1);
    waiting.retry(1);
    free.add(1);
    alarm.ring();
    assert.deepEqual(results, [[2, 0]]);
    stopped.clear();
    alarm.ring();
    assert.deepEqual(results, [
      [2, 0],
      [1, 0],
    ]);
  });

  it('what ends one whose ring is stopped is told when it goes on, whatever it waited for', () => {
    for (const name of [1, 2, 3, 4]) add(name, name, name);
    for (const name of [1, 2, 3]) stopped.add(name);
    assert.equal(waiting.interrupt(1, 7), true);
    waiting.endOfHandle(2, -EBADF);
    waiting.endOfNode(3, -EBADF);
    for (const node of [1, 2, 3]) free.add(node);
    alarm.ring();
    assert.deepEqual(results, []);
    stopped.clear();
    alarm.ring();
    assert.deepEqual(results, [
      [1, -EINTR],
      [2, -EBADF],
      [3, -EBADF],
    ]);
    assert.equal(waiting.count, 1);
  });

  it('ends those whose ring will not go on, and no others; and all with the session', () => {
    for (const name of [1, 2, 3]) add(name);
    stopped.add(1);
    stopped.add(3);
    waiting.endUnanswerable(-EINTR);
    assert.deepEqual(results, [
      [1, -EINTR],
      [3, -EINTR],
    ]);
    add(4);
    stopped.add(4);
    waiting.endAll(-EBADF);
    assert.deepEqual(results.slice(2), [
      [2, -EBADF],
      [4, -EBADF],
    ]);
  });
});
