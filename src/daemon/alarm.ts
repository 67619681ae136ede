/** The alarms of the queue worker, kept by the time-out of its epoll_wait: one for each who waits. */
import type { Alarm } from '../fs/hostCalls';

/** What epoll_wait may wait for the sake of all of these: -1 without an alarm. */
export function soonest(alarms: readonly { timeout(): number }[]): number {
  let least = -1;
  for (const alarm of alarms) {
    const timeout = alarm.timeout();
    if (timeout >= 0 && (least < 0 || timeout < least)) least = timeout;
  }
  return least;
}

export class EpollAlarm implements Alarm {
  private due = Infinity;
  private then: (() => void) | undefined;

  wake(afterMilliseconds: number, then: () => void): void {
    this.due = performance.now() + afterMilliseconds;
    this.then = then;
  }

  /** What epoll_wait may wait: -1 without an alarm. */
  timeout(): number {
    return this.due === Infinity ? -1 : Math.max(0, Math.ceil(this.due - performance.now()));
  }

  /** Calls whoever is due. */
  ring(): void {
    if (this.due === Infinity || performance.now() < this.due) return;
    const { then } = this;
    this.due = Infinity;
    this.then = undefined;
    then?.();
  }
}
