/**
 * Measures one row: the same number of operations on each daemon in turn, round by round.
 */
import type { DaemonKind } from '../driver/daemons';
import { runOn, waitForTurn } from '../driver/host';
import { busyMilliseconds, confine, cpuMilliseconds, median } from './measure';
import type { MeasuredSession } from './session';
import type { Row } from './workloads';

/** Medians over the rounds, per operation. */
export interface Figures {
  readonly microseconds: number;
  readonly cpuMicroseconds: number;
  readonly kicks: number;
  readonly calls: number;
}

export interface RowResult {
  readonly name: string;
  readonly depth: number;
  readonly operations: number;
  readonly figures: Readonly<Partial<Record<DaemonKind, Figures>>>;
  /**
   * Part of the CPUs' time that went to other programs of this machine; above some hundredths the figures are noise.
   */
  readonly disturbed: number;
}

export interface Plan {
  readonly rounds: number;
  /** How long one round of one daemon is to last, about. */
  readonly milliseconds: number;
  readonly scatter: boolean;
}

interface Sample {
  readonly wall: number;
  readonly cpu: number;
  readonly kicks: number;
  readonly calls: number;
  readonly disturbed: number;
}

/** From this part of the CPUs' time on, a sample is taken again, so many times. */
const DISTURBED = 0.1;
const AGAIN = 3;

/**
 * Depth 1: front-end and daemon share one CPU (a wake-up across CPUs would drown everything), and the front-end does
 * not push a daemon aside that has just answered it: like a guest on a CPU of its own, it comes back when the daemon
 * has gone to sleep. Otherwise it is chance whether a request needs a kick. Deeper: one CPU each.
 */
function place(sessions: readonly MeasuredSession[], depth: number): void {
  runOn(0);
  waitForTurn();
  for (const session of sessions) confine(session.daemon.pid, depth === 1 ? 0 : 1);
}

const cpusOf = (depth: number): readonly number[] => (depth === 1 ? [0] : [0, 1]);

/** A sample while nobody else was at work, if that can be had. */
function quietSample(row: Row, session: MeasuredSession, depth: number, count: number, scatter: boolean): Sample {
  let best = sample(row, session, depth, count, scatter);
  for (let i = 0; i < AGAIN && best.disturbed > DISTURBED; i++) {
    const next = sample(row, session, depth, count, scatter);
    if (next.disturbed < best.disturbed) best = next;
  }
  return best;
}

function sample(row: Row, session: MeasuredSession, depth: number, count: number, scatter: boolean): Sample {
  const work = row.make(session, depth, scatter);
  work.run(Math.min(depth, count));
  const { device, daemon } = session;
  device.calls(1);
  const kicks = work.kicks;
  const cpus = cpusOf(depth);
  const busy = busyMilliseconds(cpus);
  const self = process.cpuUsage();
  const cpu = cpuMilliseconds(daemon.pid);
  const begin = performance.now();
  work.run(count);
  const elapsed = performance.now() - begin;
  const used = cpuMilliseconds(daemon.pid) - cpu;
  const own = process.cpuUsage(self);
  const others = busyMilliseconds(cpus) - busy - used - (own.user + own.system) / 1000;
  const result = {
    wall: elapsed - (work.excluded ?? 0),
    cpu: used,
    disturbed: Math.max(0, others / (elapsed * cpus.length)),
    kicks: work.kicks - kicks,
    calls: device.calls(1),
  };
  work.release();
  return result;
}

/** Operations for about `milliseconds`, found by doubling. Warms the daemon up as well. */
function calibrate(row: Row, session: MeasuredSession, depth: number, plan: Plan): number {
  for (let count = Math.max(1, depth >> 2); ; count *= 2) {
    const { wall } = sample(row, session, depth, count, plan.scatter);
    if (wall >= plan.milliseconds / 4) return Math.max(1, Math.round((count * plan.milliseconds) / wall));
  }
}

export function measure(row: Row, sessions: readonly MeasuredSession[], depth: number, plan: Plan): RowResult {
  place(sessions, depth);
  const count = Math.min(...sessions.map((session) => calibrate(row, session, depth, plan)));
  // One round that does not count: compilers, caches and branch predictors settle.
  for (const session of sessions) sample(row, session, depth, count, plan.scatter);
  const samples = new Map<DaemonKind, Sample[]>(sessions.map((session) => [session.daemon.kind, []]));
  for (let round = 0; round < plan.rounds; round++) {
    for (let i = 0; i < sessions.length; i++) {
      const session = sessions[(i + round) % sessions.length];
      samples.get(session.daemon.kind)?.push(quietSample(row, session, depth, count, plan.scatter));
    }
  }
  const figures: Partial<Record<DaemonKind, Figures>> = {};
  for (const [kind, taken] of samples) {
    const middle = (of: (s: Sample) => number): number => median(taken.map(of)) / count;
    figures[kind] = {
      microseconds: 1000 * middle((s) => s.wall),
      cpuMicroseconds: 1000 * middle((s) => s.cpu),
      kicks: middle((s) => s.kicks),
      calls: middle((s) => s.calls),
    };
  }
  const disturbed = median([...samples.values()].flat().map((taken) => taken.disturbed));
  return { name: row.name, depth, operations: count, figures, disturbed };
}
