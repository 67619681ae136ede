/**
 * The bench's first part: ours beside Debian's Rust virtiofsd and QEMU 7.2's C virtiofsd, driven by our own front-end,
 * interleaved round by round. What is measured is in `workloads.ts` and `walk.ts`, how in `measurement.ts`.
 */
import { rmSync } from 'node:fs';
import { type DaemonKind, startDaemon, usePeers, whyMissing } from '../driver/daemons';
import { directCalls } from './limit';
import { residentBytes } from './measure';
import { measure, type RowResult } from './measurement';
import type { Part, PartResult, Plan } from './part';
import { brief, meanRatio, type ProcessFigures, ratio, report } from './report';
import { FAST_OPTIONS, MeasuredSession } from './session';
import { makeTree } from './tree';
import { walkRow } from './walk';
import { sequences } from './workloads';

const rows = [...sequences, walkRow];
export const KINDS: readonly DaemonKind[] = ['ours', 'rust', 'c'];
/** 64 requests of 1 MiB with their headers and tables, and room to spare. */
const GUEST_MEMORY = 192 << 20;

export const daemons: Part = {
  name: 'daemons',
  about: [
    'One front-end, our own, drives all three daemons in turn on a tmpfs, interleaved round by round.',
    'Medians; each ratio is against the better of the two peers.',
    '"direct" is the same work as system calls of one process, with no daemon.',
  ].join(' '),
  measure: measureDaemons,
};

/** Start-up is timed with daemons of their own, which nothing else is asked of. */
async function startTimes(kind: DaemonKind, folder: string, times: number): Promise<number[]> {
  const taken: number[] = [];
  for (let i = 0; i < times; i++) {
    const daemon = await startDaemon(kind, folder, { arguments: FAST_OPTIONS[kind] });
    taken.push(daemon.startMilliseconds);
    daemon.frontEnd.close();
    await daemon.stop();
  }
  return taken;
}

async function measureDaemons(plan: Plan, say: (line: string) => void): Promise<PartResult> {
  await usePeers(say);
  const kinds = KINDS.filter((kind) => plan.daemons.includes(kind));
  const missing = kinds.filter((kind) => whyMissing(kind) !== undefined);
  for (const kind of missing) say(`without ${kind}: ${whyMissing(kind)}`);
  const present = kinds.filter((kind) => !missing.includes(kind));
  const folder = makeTree();
  const sessions: MeasuredSession[] = [];
  try {
    const started = new Map<DaemonKind, number[]>();
    for (const kind of present) started.set(kind, await startTimes(kind, folder, plan.quick ? 1 : 5));
    for (const kind of present) sessions.push(await MeasuredSession.start(kind, folder, GUEST_MEMORY));
    const chosen = rows.filter((row) => row.name.toLowerCase().includes(plan.only.toLowerCase()));
    const results: RowResult[] = [];
    for (const depth of plan.depths) {
      for (const row of chosen) {
        const result = measure(row, sessions, depth, plan);
        results.push(result);
        const times = Object.entries(result.figures).map(([kind, f]) => `${kind} ${f.microseconds.toFixed(2)} µs`);
        say(`depth ${depth}  ${row.name}: ${times.join(', ')}  ratio ${ratio(result)?.toFixed(3) ?? '–'}`);
      }
    }
    const names = chosen.map((row) => row.name);
    const limits = plan.depths.includes(1) ? directCalls(folder, names, plan) : new Map<string, number>();
    const processes: ProcessFigures[] = sessions.map(({ daemon }) => ({
      kind: daemon.kind,
      startMilliseconds: started.get(daemon.kind) ?? [],
      residentBytes: residentBytes(daemon.pid),
    }));
    const means = Object.fromEntries(plan.depths.map((depth) => [depth, meanRatio(results, depth)]));
    return {
      json: { rounds: plan.rounds, rows: results, means, processes, direct: Object.fromEntries(limits) },
      text: report(results, processes, limits),
      brief: brief(results),
    };
  } finally {
    for (const session of sessions) await session.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
