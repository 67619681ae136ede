/** CPU time that a daemon's queue worker needs for an operation, at a depth at which it has always something to do. */
import { threadMilliseconds } from './measure';
import type { MeasuredSession } from './session';
import type { Row } from './workloads';

const QUEUE_WORKER = 'queue worker';
const DEPTH = 16;

/** How many operations take about so many milliseconds. */
export function calibrate(row: Row, session: MeasuredSession, milliseconds: number): number {
  for (let count = 256; ; count *= 2) {
    const begun = performance.now();
    workerMicroseconds(row, session, count);
    const wall = performance.now() - begun;
    if (wall >= milliseconds / 4) return Math.round((count * milliseconds) / wall);
  }
}

/** Of one operation. */
export function workerMicroseconds(row: Row, session: MeasuredSession, count: number): number {
  const work = row.make(session, DEPTH, false);
  work.run(DEPTH);
  const before = threadMilliseconds(session.daemon.pid, QUEUE_WORKER);
  work.run(count);
  const used = threadMilliseconds(session.daemon.pid, QUEUE_WORKER) - before;
  work.release();
  return (1000 * used) / count;
}
