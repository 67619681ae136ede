/**
 * `virtiofs-studio trace`: the requests of a capture or of a running share as lines, JSON, columns or statistics.
 *
 * Owns the options and the order of things; where rows come from is captureSource.ts, how they are printed
 * rowPrinter.ts.
 */
import { type Command, Option } from 'commander';
import { trouble } from '../base/catalogue';
import { listOfShares, runningShares } from '../control/runningShares';
import { openSource, type CaptureSource } from './captureSource';
import { columnsOf, fieldList } from './columns';
import { findingJson, FindingsPass, leftOut } from '../trace/findings/findings';
import { findingsText } from '../trace/findings/findingText';
import { statistics } from '../trace/statistics';
import { statisticsJson, statisticsTable } from '../trace/statisticsText';
import { Output } from './output';
import { both, filterOf } from './rowFilter';
import { RowPrinter } from './rowPrinter';
import { followed, groupsOf, isGroup, limitOf, paletteOf, type TraceOptions } from './traceOptions';

/** A request that has waited so long is shown before its reply comes. */
const LATE_MS = 1000;

export function registerTrace(program: Command): void {
  const list = (value: string, before: string[]): string[] => [...before, value];
  program
    .command('trace')
    .description('show the requests of a capture, or of a share that runs, decoded')
    .argument(
      '[source]',
      'capture file, - for standard input, or a running share: its tag, folder, process id or socket',
    )
    .option('--filter <expression>', 'only requests that it is true of: "opcode == READ && latency > 5ms"')
    .option('--follow <what>', 'only those to do with inode=N, fh=N or pid=N; may be given several times', list, [])
    .option('--fields <names>', 'these fields as columns, comma-separated; "help" lists them')
    .option('--stats [by]', 'counts, errors, bytes and latency instead of lines: by opcode, path or process')
    .option('--hex', 'the bytes of each message, with what they are', false)
    .option('--long', 'long lists of flags whole, as --hex shows them', false)
    .option('--syscalls', 'the host system calls of each request (of captures made with --trace-syscalls)', false)
    .option('--control', 'vhost-user messages as well', false)
    .option('--json', 'one JSON object a line', false)
    .option('--limit <n>', 'end after so many requests')
    .option('--findings', 'what is wrong or slow, and what to do about it, at the end', false)
    .option('--tail', 'wait for what a file still gets', false)
    .addOption(
      new Option('--time <how>', 'times since the beginning, in UTC, or since the line before')
        .choices(['relative', 'absolute', 'delta'])
        .default('relative'),
    )
    .addOption(new Option('--color <when>', 'colours').choices(['auto', 'always', 'never']).default('auto'))
    .addHelpText('after', HELP)
    .action(async (name: string | undefined, options: TraceOptions) => {
      // `--stats FILE`: the option's value is not obligatory, and that is none.
      const { stats } = options;
      const isSource = name === undefined && typeof stats === 'string' && !isGroup(stats);
      process.exitCode = await (isSource ? trace(stats, { ...options, stats: true }) : trace(name, options));
    });
}

const HELP = `
Each line: seconds since the beginning, queue, process and user in the guest, opcode, path, arguments, reply or errno,
then how long it took: waiting in the queue, in the daemon, in host system calls, writing the reply. Names are in quotes
and on one line, whatever is in them; (?) after a path: packets were lost since it was learned. "… (+9)": nine flags more,
which --long shows. "… in flight": no reply yet; a live trace shows such a request after a second, and again with its
reply. "… dropped by a fault": there will be none.

Examples:
  virtiofs-studio trace                                   the share that runs, or a list of those that do
  virtiofs-studio trace work.fuse.pcapng
  virtiofs-studio trace work --filter 'error < 0'         live, of the share with the tag "work"
  virtiofs-studio trace work.fuse.pcapng --stats=path --filter 'path ~ "*.db"'
  virtiofs-studio trace work.fuse.pcapng --follow inode=5 --syscalls
  virtiofs-studio trace work.fuse.pcapng --fields time,opcode,path,latency
  virtiofs-studio trace work.fuse.pcapng --json | jq 'select(.error)'

Ctrl-C ends a live trace, with its statistics where they were asked for.
Exit codes: 0, also when the reader of the output has gone; 2 wrong options or no capture, 3 the output cannot be
written, 4 a failure.`;

async function trace(name: string | undefined, options: TraceOptions): Promise<number> {
  const output = new Output(process.stdout);
  if (options.fields === 'help') {
    output.add(`${fieldList().join('\n')}\n`);
    await output.flush();
    return 0;
  }
  if (options.hex && options.json) throw trouble('hexOfJson');
  const by = groupsOf(options.stats);
  const wanted = both(filterOf(options.filter), followed('trace', options.follow));
  const limit = limitOf(options.limit);
  const columns = options.fields === undefined ? undefined : columnsOf(options.fields, options.json);
  const palette = paletteOf(options.color);
  const named = name ?? theOnlyShare(output);
  if (named === undefined) {
    await output.flush();
    return 0;
  }

  const source = await openSource(named, { tail: options.tail });
  try {
    const silent = by !== undefined;
    const { time, json, hex, syscalls, control } = options;
    const brief = !options.long && !hex;
    const printer = new RowPrinter(
      source.capture,
      output,
      { palette, time, json, hex, brief, syscalls, control, limit, wanted, columns: columns?.row, silent },
      silent,
    );
    if (columns?.header !== undefined && !silent) output.add(`${columns.header}\n`);
    await print(source, printer);
    if (by) {
      const rows = statistics(source.capture, printer.passed, by);
      output.add(`${(json ? statisticsJson(rows, by) : statisticsTable(rows, by)).join('\n')}\n`);
    }
    const pass = options.findings ? new FindingsPass(source.capture) : undefined;
    if (pass) output.add(findingsOf(pass, json));
    await output.flush();
    const left = leftOut(pass?.changed ?? 0);
    if (left !== undefined) process.stderr.write(`note: ${left}\n`);
    if (wanted !== undefined && printer.none) {
      process.stderr.write(`0 of ${source.capture.count} requests pass ${testsOf(options)}\n`);
    }
    for (const note of source.notes()) process.stderr.write(`note: ${note}\n`);
    return 0;
  } finally {
    source.close();
  }
}

function testsOf({ filter, follow }: TraceOptions): string {
  return [...(filter === undefined ? [] : ['the filter']), ...(follow.length === 0 ? [] : ['--follow'])].join(' and ');
}

function findingsOf(pass: FindingsPass, json: boolean): string {
  pass.advance(() => false);
  const found = pass.found();
  if (json) return found.map((each) => `${JSON.stringify({ kind: 'finding', ...findingJson(each) })}\n`).join('');
  const width = process.stdout.columns || 100;
  return `\n${findingsText(found, { width })}\n`;
}

/** Undefined when there are several; they are listed then. */
function theOnlyShare(output: Output): string | undefined {
  const shares = runningShares();
  if (shares.length === 0) throw trouble('shareNotRunning');
  if (shares.length === 1) {
    process.stderr.write(`${listOfShares(shares)}\n`);
    return shares[0].socket;
  }
  output.add(`${listOfShares(shares)}\n`);
  process.stderr.write('Several shares run: name one by its tag, folder or process id.\n');
  return undefined;
}

async function print(source: CaptureSource, printer: RowPrinter): Promise<void> {
  if (!source.grows) return printer.all();
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  let late: NodeJS.Timeout | undefined;
  try {
    await source.follow(async () => {
      await printer.fresh();
      if (printer.full) stop.abort();
      late ??= setInterval(() => void printer.late().catch(interrupt), LATE_MS);
    }, stop.signal);
  } finally {
    clearInterval(late);
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
  await printer.rest();
}
