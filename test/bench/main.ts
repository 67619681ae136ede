/**
 * `npm run bench`: ours beside Debian's Rust virtiofsd and QEMU 7.2's C virtiofsd, driven by our own front-end, in one
 * run, interleaved round by round.
 *
 * Owns the command line and the order of things. What is measured is in `workloads.ts` and `walk.ts`, how in
 * `measurement.ts`, what it looks like in `report.ts`.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { type DaemonKind, startDaemon, usePeers, whyMissing } from '../driver/daemons';
import { directCalls } from './limit';
import { residentBytes } from './measure';
import { measure, type RowResult } from './measurement';
import { meanRatio, type ProcessFigures, ratio, report, withBenchmark } from './report';
import { FAST_OPTIONS, MeasuredSession } from './session';
import { makeTree } from './tree';
import { walkRow } from './walk';
import { sequences } from './workloads';

const rows = [...sequences, walkRow];
const KINDS: readonly DaemonKind[] = ['ours', 'rust', 'c'];
/** 64 requests of 1 MiB with their headers and tables, and room to spare. */
const GUEST_MEMORY = 192 << 20;

interface Options {
  readonly rounds: number;
  readonly only?: string;
  readonly depth: readonly number[];
  readonly daemons: readonly string[];
  readonly quick?: boolean;
  readonly scatter?: boolean;
  readonly readme?: boolean;
  readonly json?: boolean;
}

const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a positive number');
  return value;
};
const list = (text: string): string[] => text.split(',');

const program = new Command('bench')
  .description('Ours beside the Rust and the C virtiofsd: time, CPU, kicks and memory per operation.')
  .option('--rounds <n>', 'rounds per row; the median counts', positive, 5)
  .option('--only <text>', 'only rows whose name contains this')
  .option('--depth <list>', 'requests in flight', (text) => list(text).map(positive), [1, 16, 64])
  .option('--daemons <list>', 'which to run', list, [...KINDS])
  .option('--quick', 'short rounds: for a first look, not for figures')
  .option('--scatter', 'no two pages of a request are neighbours in guest memory')
  .option('--readme', "put the tables into the README's benchmark section as well")
  .option('--json', 'print JSON instead of tables');

/** This machine in a few words. */
function machine(): string {
  const cpus = os.cpus();
  return `${cpus.length} CPUs (${cpus[0].model.trim()}), Linux ${os.release().split('-')[0]}, Node ${process.versions.node}`;
}

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

async function bench(options: Options): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  await usePeers(say);
  const kinds = KINDS.filter((kind) => options.daemons.includes(kind));
  const missing = kinds.filter((kind) => whyMissing(kind) !== undefined);
  for (const kind of missing) say(`without ${kind}: ${whyMissing(kind)}`);
  const present = kinds.filter((kind) => !missing.includes(kind));
  const folder = makeTree();
  const sessions: MeasuredSession[] = [];
  try {
    const started = new Map<DaemonKind, number[]>();
    for (const kind of present) started.set(kind, await startTimes(kind, folder, options.quick ? 1 : 5));
    for (const kind of present) sessions.push(await MeasuredSession.start(kind, folder, GUEST_MEMORY));
    const plan = {
      rounds: options.rounds,
      milliseconds: options.quick ? 40 : 200,
      scatter: options.scatter === true,
    };
    const chosen = rows.filter((row) => row.name.toLowerCase().includes(options.only?.toLowerCase() ?? ''));
    const results: RowResult[] = [];
    for (const depth of options.depth) {
      for (const row of chosen) {
        const result = measure(row, sessions, depth, plan);
        results.push(result);
        const times = Object.entries(result.figures).map(([kind, f]) => `${kind} ${f.microseconds.toFixed(2)} µs`);
        say(`depth ${depth}  ${row.name}: ${times.join(', ')}  ratio ${ratio(result)?.toFixed(3) ?? '–'}`);
      }
    }
    const limits = options.depth.includes(1)
      ? directCalls(
          folder,
          chosen.map((row) => row.name),
          plan,
        )
      : new Map();
    const processes: ProcessFigures[] = sessions.map(({ daemon }) => ({
      kind: daemon.kind,
      startMilliseconds: started.get(daemon.kind) ?? [],
      residentBytes: residentBytes(daemon.pid),
    }));
    if (options.json) {
      const means = Object.fromEntries(options.depth.map((depth) => [depth, meanRatio(results, depth)]));
      const all = { date: new Date().toISOString(), rounds: plan.rounds, rows: results, means, processes };
      console.log(JSON.stringify({ ...all, direct: Object.fromEntries(limits) }, null, 2));
    } else {
      console.log(`\n${report(results, processes, limits)}`);
    }
    if (options.readme) {
      const file = path.resolve(__dirname, '../../../README.md');
      const command = ['npm run bench', ...(plan.rounds === 5 ? [] : [`-- --rounds ${plan.rounds}`])].join(' ');
      const tables = report(results, processes, limits);
      writeFileSync(file, withBenchmark(readFileSync(file, 'utf8'), tables, command, new Date(), machine()));
    }
  } finally {
    for (const session of sessions) await session.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

program.action(bench);
void program.parseAsync();
