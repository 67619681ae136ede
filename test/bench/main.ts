/**
 * `npm run bench`: the figures of the README. Owns the command line and the order of things; each part knows what it
 * measures and what it looks like.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { captures } from './captureReport';
import { daemons, KINDS } from './daemons';
import { dax, gate, timeline, views } from './otherParts';
import type { Part } from './part';
import { withBenchmark } from './report';

const PARTS: readonly Part[] = [daemons, captures, gate, timeline, views, dax];

interface Options {
  readonly part: readonly Part[];
  readonly rounds: number;
  readonly only: string;
  readonly depth: readonly number[];
  readonly daemons: readonly string[];
  readonly quick: boolean;
  readonly scatter: boolean;
  readonly readme: boolean;
  readonly json: boolean;
}

const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a positive number');
  return value;
};
const list = (text: string): string[] => text.split(',');
const NAMES = PARTS.map((part) => part.name).join(', ');
const parts = (text: string): Part[] =>
  list(text).map((name) => {
    const part = PARTS.find((one) => one.name === name);
    if (part === undefined) throw new InvalidArgumentError(`some of ${NAMES}`);
    return part;
  });

const program = new Command('bench')
  .description('Measures what the README says of speed. Only on a machine with nothing else to do.')
  .addOption(new Option('--part <list>', `what is measured: ${NAMES}`).argParser(parts).default(PARTS, 'all'))
  .option('--rounds <n>', 'rounds per row; the median counts', positive, 5)
  .option('--only <text>', 'only rows whose name contains this (daemons)', '')
  .option('--depth <list>', 'requests in flight (daemons)', (text) => list(text).map(positive), [1, 16, 64])
  .option('--daemons <list>', 'which to run (daemons)', list, [...KINDS])
  .option('--quick', 'short rounds: for a first look, not for figures', false)
  .option('--scatter', 'no two pages of a request are neighbours in guest memory (daemons)', false)
  .option('--readme', "put the tables into the README's benchmark sections as well", false)
  .option('--json', 'print JSON instead of tables', false);

/** This machine in a few words. */
function machine(): string {
  const cpus = os.cpus();
  return `${cpus.length} CPUs (${cpus[0].model.trim()}), Linux ${os.release().split('-')[0]}, Node ${process.versions.node}`;
}

async function bench(options: Options): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const { rounds, quick, scatter, only, depth: depths } = options;
  const plan = { rounds, milliseconds: quick ? 40 : 200, quick, scatter, only, depths, daemons: options.daemons };
  const json: Record<string, unknown> = { date: new Date().toISOString(), machine: machine() };
  for (const part of options.part) {
    const result = await part.measure(plan, say);
    json[part.name] = result.json;
    if (!options.json) console.log(`\n${result.text}`);
    if (!options.readme) continue;
    const file = path.resolve(__dirname, '../../../README.md');
    const words = [`--part ${part.name}`, ...(rounds === 5 ? [] : [`--rounds ${rounds}`])].join(' ');
    const made = `Made by \`npm run bench -- ${words}\` on ${new Date().toISOString().slice(0, 10)}, ${machine()}.`;
    const text = withBenchmark(readFileSync(file, 'utf8'), part.name, `${made} ${part.about}`, result);
    writeFileSync(file, text);
  }
  if (options.json) console.log(JSON.stringify(json, null, 2));
}

program.action(bench);
void program.parseAsync();
