/**
 * What a share has done so far, counted by the queue worker in memory that the main thread reads: a store a request, no
 * message, no lock. A reader may see a request as taken whose answer it does not see yet, never the other way round.
 */
import type { ShareCounters } from '../control/counters';

const ERRORS = 0;
const HEADER = 1;
const PER_QUEUE = 2;

/** Views over the shared block, the same on both threads. */
export class CounterBoard {
  private readonly values: Float64Array;
  readonly block: SharedArrayBuffer;

  /** `queues`: all of the device's, the high priority one (0) included. Or the block of a board made elsewhere. */
  constructor(queues: number | SharedArrayBuffer) {
    this.block = typeof queues === 'number' ? new SharedArrayBuffer(8 * (HEADER + queues * PER_QUEUE)) : queues;
    this.values = new Float64Array(this.block);
  }

  taken(queue: number): void {
    this.values[HEADER + queue * PER_QUEUE]++;
  }

  answered(queue: number): void {
    this.values[HEADER + queue * PER_QUEUE + 1]++;
  }

  /** Replies that were an error, so far. */
  set errors(count: number) {
    this.values[ERRORS] = count;
  }

  read(): ShareCounters {
    const { values } = this;
    const errors = values[ERRORS];
    const queues: { taken: number; answered: number }[] = [];
    for (let at = HEADER; at < values.length; at += PER_QUEUE) {
      // The answers first: read later, they could be more than the requests.
      const answered = values[at + 1];
      queues.push({ taken: values[at], answered });
    }
    return { time: performance.now(), errors, queues };
  }
}
