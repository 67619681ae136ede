/**
 * Requests that wait for somebody to let go: locks (SETLKW, flock without LOCK_NB), and files that a host program has a
 * lease on (OPEN, CREATE, SETATTR of a size, SETUPMAPPING). No thread blocks for them, they are tried again.
 *
 * At once when a lock of the same inode is given up in this daemon; by an alarm, 1 ms and then doubling to 25 ms, for
 * holders that are not ours. In the order in which they came. Those whose ring is stopped (the front-end has paused its
 * guest) are left alone until it goes on: what they wait for is not taken for a guest that stands still, and what ends
 * them is told then. Knows neither locks nor leases nor descriptors: what is tried is the entry's own business.
 */
import { Errno } from '../protocol/errno';
import type { Deferred, Handle, Node } from './fileSystem';
import type { Alarm } from './hostCalls';

const SHORTEST_DELAY = 1;
const LONGEST_DELAY = 25;

export interface WaitingRequest {
  readonly node: Node;
  /** -1 for one that waits to be opened. */
  readonly handle: Handle;
  readonly uniqueLow: number;
  readonly uniqueHigh: number;
  /** The call once more: -EAGAIN to go on waiting, anything else is the request's result. */
  attempt(): number;
  readonly parked: Deferred;
}

interface Entry {
  readonly request: WaitingRequest;
  /** How it ends as soon as it can be answered. */
  verdict: number | undefined;
}

export class WaitingRequests {
  private readonly entries: Entry[] = [];
  private delay = SHORTEST_DELAY;
  /** What the alarm that is set was set to; Infinity without one. */
  private alarmSet = Infinity;

  constructor(private readonly alarm: Alarm) {}

  get count(): number {
    return this.entries.length;
  }

  add(request: WaitingRequest): void {
    this.entries.push({ request, verdict: undefined });
    this.delay = SHORTEST_DELAY;
    this.setAlarm();
  }

  /** Something of this inode has been unlocked. */
  retry(node: Node): void {
    if (this.entries.length > 0) this.attemptThose((request) => request.node === node);
  }

  /** The request ends with -EINTR. False when it does not wait here. */
  interrupt(uniqueLow: number, uniqueHigh: number): boolean {
    const chosen = (one: WaitingRequest): boolean => one.uniqueLow === uniqueLow && one.uniqueHigh === uniqueHigh;
    return this.endThose(chosen, -Errno.EINTR) > 0;
  }

  endOfHandle(handle: Handle, result: number): void {
    if (this.entries.length > 0) this.endThose((request) => request.handle === handle, result);
  }

  endOfNode(node: Node, result: number): void {
    if (this.entries.length > 0) this.endThose((request) => request.node === node, result);
  }

  /** The session is over, also for those that cannot be answered. */
  endAll(result: number): void {
    for (const entry of [...this.entries]) this.end(entry, result);
  }

  /** Their rings will not go on: nobody waits any more. */
  endUnanswerable(result: number): void {
    for (const entry of [...this.entries]) if (!entry.request.parked.answerable) this.end(entry, result);
  }

  private attemptThose(chosen: (request: WaitingRequest) => boolean): boolean {
    let ended = false;
    // A finish may bring the next request in, which may wait, unlock or interrupt: so only whole steps on the list.
    for (const entry of [...this.entries]) {
      const { request } = entry;
      if (!chosen(request) || !request.parked.answerable || !this.entries.includes(entry)) continue;
      const result = entry.verdict ?? request.attempt();
      if (result === -Errno.EAGAIN) continue;
      this.end(entry, result);
      ended = true;
    }
    return ended;
  }

  private endThose(chosen: (request: WaitingRequest) => boolean, result: number): number {
    const ending = this.entries.filter(({ request }) => chosen(request));
    for (const entry of ending) {
      if (entry.request.parked.answerable) this.end(entry, result);
      else entry.verdict = result;
    }
    return ending.length;
  }

  private end(entry: Entry, result: number): void {
    const index = this.entries.indexOf(entry);
    if (index < 0) return;
    this.entries.splice(index, 1);
    entry.request.parked.finish(result);
  }

  private setAlarm(): void {
    // Never put off: requests that come and go all the time would have nobody else's be tried again.
    if (this.alarmSet <= this.delay) return;
    this.alarmSet = this.delay;
    this.alarm.wake(this.delay, () => {
      this.alarmSet = Infinity;
      const ended = this.attemptThose(() => true);
      this.delay = ended ? SHORTEST_DELAY : Math.min(this.delay * 2, LONGEST_DELAY);
      if (this.entries.length > 0) this.setAlarm();
    });
  }
}
