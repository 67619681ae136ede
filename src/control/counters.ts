/**
 * The counters of a running share, as its daemon tells them to whoever connects to `PID.counters`: a line of JSON at
 * once, then one a second. Cheap on purpose: views show rates without asking for a capture.
 *
 * Owns the shape, the check of what comes in, and what two of them say about the time between. Pure.
 */

export interface QueueCounters {
  /** Requests taken from the ring, so far. */
  readonly taken: number;
  /** Of these: answered, or done where no answer is wanted. */
  readonly answered: number;
}

export interface ShareCounters {
  /** Milliseconds on a clock of the daemon that only goes forward: when they were read, whenever they arrive. */
  readonly time: number;
  /** Replies that were an error (an ENOENT of LOOKUP counts as well). */
  readonly errors: number;
  /** By number; 0 is the high priority queue. */
  readonly queues: readonly QueueCounters[];
}

export const COUNTERS_INTERVAL_MS = 1000;

/** Longest line that is believed. */
export const LONGEST_COUNTERS = 64 << 10;
const MOST_QUEUES = 1024;

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;

/** Undefined for a line that does not say what it should. */
export function parseCounters(line: string): ShareCounters | undefined {
  if (line.length > LONGEST_COUNTERS) return undefined;
  let said: unknown;
  try {
    said = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { time, errors, queues } = (said ?? {}) as Record<string, unknown>;
  if (!isCount(time) || !isCount(errors) || !Array.isArray(queues) || queues.length > MOST_QUEUES) return undefined;
  const checked: QueueCounters[] = [];
  for (const queue of queues as unknown[]) {
    const { taken, answered } = (queue ?? {}) as Record<string, unknown>;
    if (!isCount(taken) || !isCount(answered)) return undefined;
    checked.push({ taken, answered });
  }
  return { time, errors, queues: checked };
}

export interface QueueActivity {
  readonly perSecond: number;
  readonly inFlight: number;
  readonly total: number;
}

export interface ShareActivity {
  readonly perSecond: number;
  readonly inFlight: number;
  readonly total: number;
  readonly errors: number;
  readonly queues: readonly QueueActivity[];
}

/** What has gone on between two readings; without an earlier one, the totals. */
export function activityBetween(before: ShareCounters | undefined, now: ShareCounters): ShareActivity {
  const seconds = before ? (now.time - before.time) / 1000 : 0;
  const queues = now.queues.map(({ taken, answered }, index): QueueActivity => {
    const earlier = before?.queues[index]?.taken;
    const perSecond = earlier === undefined || seconds <= 0 ? 0 : Math.max(0, (taken - earlier) / seconds);
    return { perSecond, inFlight: Math.max(0, taken - answered), total: taken };
  });
  const sum = (of: (queue: QueueActivity) => number): number => queues.reduce((total, queue) => total + of(queue), 0);
  return {
    perSecond: sum((queue) => queue.perSecond),
    inFlight: sum((queue) => queue.inFlight),
    total: sum((queue) => queue.total),
    errors: now.errors,
    queues,
  };
}
