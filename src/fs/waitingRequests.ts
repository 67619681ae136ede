/**
 * Requests that wait for somebody to let go: locks (SETLKW, flock without LOCK_NB), and files that a host program has a
 * lease on (OPEN, CREATE, SETATTR of a size, SETUPMAPPING). No thread blocks for them, they are tried again.
 *
 * At once when a lock of the same inode is given up in this daemon; by an alarm, 1 ms and then doubling to 25 ms, for
 * holders that are not ours. In the order in which they came. Knows neither locks nor leases nor descriptors: what is
 * tried is the entry's own business.
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

export class WaitingRequests {
  private entries: WaitingRequest[] = [];
  private delay = SHORTEST_DELAY;
  /** What the alarm that is set was set to; Infinity without one. */
  private alarmSet = Infinity;

  constructor(private readonly alarm: Alarm) {}

  get count(): number {
    return this.entries.length;
  }

  add(entry: WaitingRequest): void {
    this.entries.push(entry);
    this.delay = SHORTEST_DELAY;
    this.setAlarm();
  }

  /** Something of this inode has been unlocked. */
  retry(node: Node): void {
    if (this.entries.length > 0) this.attemptThose((entry) => entry.node === node);
  }

  /** The request ends with -EINTR. False when it does not wait here. */
  interrupt(uniqueLow: number, uniqueHigh: number): boolean {
    return this.endThose((entry) => entry.uniqueLow === uniqueLow && entry.uniqueHigh === uniqueHigh, -Errno.EINTR) > 0;
  }

  endOfHandle(handle: Handle, result: number): void {
    if (this.entries.length > 0) this.endThose((entry) => entry.handle === handle, result);
  }

  endOfNode(node: Node, result: number): void {
    if (this.entries.length > 0) this.endThose((entry) => entry.node === node, result);
  }

  endAll(result: number): void {
    this.endThose(() => true, result);
  }

  private attemptThose(chosen: (entry: WaitingRequest) => boolean): boolean {
    let ended = false;
    // A finish may bring the next request in, which may wait, unlock or interrupt: so only whole steps on the list.
    for (const entry of [...this.entries]) {
      if (!chosen(entry) || !this.entries.includes(entry)) continue;
      const result = entry.attempt();
      if (result === -Errno.EAGAIN) continue;
      this.take(entry);
      entry.parked.finish(result);
      ended = true;
    }
    return ended;
  }

  private endThose(chosen: (entry: WaitingRequest) => boolean, result: number): number {
    const ending = this.entries.filter(chosen);
    for (const entry of ending) this.take(entry);
    for (const entry of ending) entry.parked.finish(result);
    return ending.length;
  }

  private take(entry: WaitingRequest): void {
    const index = this.entries.indexOf(entry);
    if (index >= 0) this.entries.splice(index, 1);
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
