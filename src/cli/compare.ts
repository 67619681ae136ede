/** `virtiofs-studio compare`: two captures side by side. What is compared is src/trace/compare.ts. */
import { type Command, Option } from 'commander';
import { trouble } from '../base/catalogue';
import { quote } from '../protocol/text';
import { compareCaptures } from '../trace/compare';
import { comparisonJson, comparisonText } from '../trace/compareText';
import { onlyFileSource } from './captureSource';
import { Output } from './output';

interface CompareOptions {
  readonly json: boolean;
  readonly by: 'queue' | 'process';
  readonly context: string;
}

/** Requests that only one has, at most so many of each. */
const MOST_SHOWN = 20;

export function registerCompare(program: Command): void {
  program
    .command('compare')
    .description('two captures side by side: counts, errors and latency, what only one asks, where they part')
    .argument('<a>', 'a capture file (a running share has none unless it was started with --capture)')
    .argument('<b>', 'another one')
    .option('--json', 'as one JSON object', false)
    .addOption(
      new Option('--by <what>', 'whose order of requests is compared').choices(['queue', 'process']).default('queue'),
    )
    .option('--context <n>', 'requests shown around the place where they part', '3')
    .addHelpText('after', HELP)
    .action(async (a: string, b: string, options: CompareOptions) => {
      await compare(a, b, options);
    });
}

const HELP = `
Two requests are the same when opcode, path and the arguments that matter are; nodeids, handles, process ids, times and
the data itself may differ. With --by process the n-th process of A is held against the n-th of B.

Examples:
  virtiofs-studio compare before.fuse.pcapng after.fuse.pcapng
  virtiofs-studio compare a.fuse.pcapng b.fuse.pcapng --json | jq .divergence

Exit codes: 0, whether they differ or not; 2 wrong options or no capture,
3 the output cannot be written, 4 a failure.`;

async function compare(a: string, b: string, options: CompareOptions): Promise<void> {
  if (!/^\d{1,4}$/.test(options.context)) {
    throw trouble('viewOptionBad', 'compare', '--context', options.context, 'a number from 0 to 9999');
  }
  const first = onlyFileSource(a);
  try {
    const second = onlyFileSource(b);
    try {
      const captures = [first.capture, second.capture] as const;
      const { by } = options;
      const found = compareCaptures(...captures, { by, context: Number(options.context), most: MOST_SHOWN });
      const output = new Output(process.stdout);
      if (options.json) output.add(`${comparisonJson(captures, [a, b], found)}\n`);
      else output.add(`${comparisonText(captures, [quote(a), quote(b)], found, by).join('\n')}\n`);
      await output.flush();
      for (const [name, source] of [
        [a, first],
        [b, second],
      ] as const) {
        for (const note of source.notes()) process.stderr.write(`note: ${quote(name)}: ${note}\n`);
      }
    } finally {
      second.close();
    }
  } finally {
    first.close();
  }
}
