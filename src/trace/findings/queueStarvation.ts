/**
 * queue-starvation: requests whose wait in the queue was long, and a multiple of the time that serving them took.
 *
 * Says which of two causes it was. While such a request waited, the daemon was either serving others (it is busy), or
 * nothing was being served for at least half of the time (it was not running). A depth that stays 1 is no starvation: a
 * program that waits for each reply has nothing else to send, so nothing is said of it.
 */
import { Opcode } from '../../protocol/fuse/opcodeNumbers';
import type { Detector, DetectorContext } from './detector';
import { finding, Proof, type Finding } from './finding';
import { Groups } from './groups';
import type { Row } from './row';
import { starvation } from './thresholds';
import { duration, list, percent, times } from './words';

export class QueueStarvation implements Detector {
  private readonly proof: Proof;
  private readonly queues = new Groups();
  private answered = 0;
  /** When the last of the requests taken before is done. */
  private busyUntil = 0;
  /** When the last of those that a fault or a debugger held is done: what waited before that may have waited for it. */
  private heldUntil = 0;
  private waited = 0;
  private served = 0;
  private idle = 0;
  private longest = 0;
  private longestRow = 0;

  constructor({ rows }: DetectorContext) {
    this.proof = new Proof(rows);
  }

  take(row: Row): void {
    // SETLKW waits for somebody else's lock, on another thread: the daemon is not busy with it.
    if (!row.replied || row.opcode === Opcode.SETLKW) return;
    const { queued, latency } = row;
    if (!row.changed && row.start - queued >= this.heldUntil) {
      this.answered++;
      if (queued >= starvation.wait && queued >= starvation.factor * latency) this.starved(row, queued, latency);
    }
    if (row.held > 0 && row.end > this.heldUntil) this.heldUntil = row.end;
    if (row.end > this.busyUntil) this.busyUntil = row.end;
  }

  private starved(row: Row, queued: number, latency: number): void {
    this.proof.add(row.index);
    this.queues.add(row.queue, row.index);
    this.waited += queued;
    this.served += latency;
    const idle = row.start - Math.max(row.start - queued, this.busyUntil);
    if (idle >= queued / 2) this.idle++;
    if (queued > this.longest) {
      this.longest = queued;
      this.longestRow = row.index;
    }
  }

  end(): readonly Finding[] {
    const { total } = this.proof;
    if (total < starvation.requests || total < starvation.share * this.answered) return [];
    const queues = this.queues.largest(4).map(([queue, { count }]) => `queue ${queue}: ${count}`);
    const busy = total - this.idle;
    const cause =
      busy >= this.idle
        ? `For ${percent(busy, total)} of them the daemon was busy with requests before them.`
        : `For ${percent(this.idle, total)} of them nothing was being served most of that time: the daemon was not running.`;
    const text =
      `${times(total, 'request')} (${percent(total, this.answered)}; ${list(queues)}) waited ` +
      `${duration(this.waited / total)} on average and were then served in ${duration(this.served / total)}. ` +
      `The longest wait was ${duration(this.longest)} (#${this.longestRow}). ${cause}`;
    return [finding('queue-starvation', this.proof, text)];
  }
}
