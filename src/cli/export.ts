/**
 * `virtiofs-studio export`: a capture as Chrome trace JSON, JSONL, CSV or, filtered, as pcapng again.
 *
 * Owns the options and where the output goes; the formats are src/trace/export.
 */
import { type Command, Option } from 'commander';
import { trouble } from '../base/catalogue';
import { VERSION } from '../base/version';
import { chromeTrace } from '../trace/export/chrome';
import { csv } from '../trace/export/csv';
import { jsonLines } from '../trace/export/jsonl';
import { filteredCapture } from '../trace/export/pcapng';
import type { CapturePackets } from '../trace/packets';
import { openSource } from './captureSource';
import { type Output, writeWhole } from './output';
import { Progress } from './progress';
import { both, filterOf, rowsOf } from './rowFilter';
import { followed } from './traceOptions';

type Format = 'chrome' | 'jsonl' | 'csv' | 'pcapng';

interface ExportOptions {
  readonly to: Format;
  readonly output?: string;
  readonly filter?: string;
  readonly follow: readonly string[];
  readonly force: boolean;
}

/** How often the progress of a long export is shown. */
const SHOWN_EVERY_MS = 200;

export function registerExport(program: Command): void {
  const list = (value: string, before: string[]): string[] => [...before, value];
  program
    .command('export')
    .description('turn a capture into another format: for Perfetto, spreadsheets, scripts, or a smaller capture')
    .argument(
      '<file>',
      'capture file, - for standard input, or a running share, until it ends: its tag, folder, process id or socket',
    )
    .addOption(
      new Option('--to <format>', 'what to make of it')
        .choices(['chrome', 'jsonl', 'csv', 'pcapng'])
        .makeOptionMandatory(),
    )
    .option('-o, --output <file>', 'where to; - is standard output (default: standard output, if that is no terminal)')
    .option('--filter <expression>', 'only requests that it is true of')
    .option('--follow <what>', 'only those to do with inode=N, fh=N or pid=N; may be given several times', list, [])
    .option('--force', 'replace an output that is there', false)
    .addHelpText('after', HELP)
    .action(async (file: string, options: ExportOptions) => {
      await exportCapture(file, options);
    });
}

const HELP = `
Formats:
  chrome   Trace Event Format: open it in https://ui.perfetto.dev or chrome://tracing
  jsonl    one JSON object for each request, every field decoded
  csv      one line for each request (RFC 4180)
  pcapng   a capture with only the requests that pass the filter, their replies, host calls and all control messages

The output appears under its name when it is whole. docs/export-formats.md describes what is in it.

Examples:
  virtiofs-studio export work.fuse.pcapng --to chrome -o work.json
  virtiofs-studio export work.fuse.pcapng --to csv --filter 'opcode == READ' > reads.csv
  virtiofs-studio export work.fuse.pcapng --to pcapng --filter 'error < 0' -o errors.fuse.pcapng

Exit codes: 0; 2 wrong options or no capture, 3 the output cannot be written, 4 a failure, 130 Ctrl-C, 143
SIGTERM; 0 also when the reader of the output has gone.`;

async function exportCapture(file: string, options: ExportOptions): Promise<void> {
  const wanted = both(filterOf(options.filter), followed('export', options.follow));
  const target = options.output ?? (process.stdout.isTTY ? undefined : '-');
  if (target === undefined) throw trouble('outputMissing');
  const source = await openSource(file, { whole: true });
  const progress = new Progress();
  try {
    if (source.grows) await source.follow(async () => {}, new AbortController().signal);
    const rows = rowsOf(source.capture, wanted);
    await writeWhole(target, options.force, async (output) => {
      // Progress is for a person who waits, and not between the lines of what they asked for.
      const show = process.stderr.isTTY && !(target === '-' && process.stdout.isTTY) ? progress.step : undefined;
      await write(written[options.to](source.capture, rows), output, show);
    });
    progress.done();
    for (const note of source.notes()) process.stderr.write(`note: ${note}\n`);
    if (target !== '-') {
      process.stderr.write(`${rows.length} of ${source.capture.count} requests in ${JSON.stringify(target)}\n`);
    }
  } finally {
    progress.done();
    source.close();
  }
}

const written: Record<Format, (capture: CapturePackets, rows: Uint32Array) => Iterable<string | Uint8Array>> = {
  chrome: chromeTrace,
  jsonl: jsonLines,
  csv,
  pcapng: (capture, rows) => filteredCapture(capture, rows, `virtiofs-studio ${VERSION}`),
};

async function write(
  pieces: Iterable<string | Uint8Array>,
  output: Output,
  show: ((line: string) => void) | undefined,
): Promise<void> {
  const watch = watcher(show);
  for (const piece of pieces) {
    const wait = output.push(piece);
    if (wait) await wait;
    watch(output);
  }
}

function watcher(show: ((line: string) => void) | undefined): (output: Output) => void {
  let shown = performance.now();
  return (output) => {
    if (show === undefined || performance.now() - shown < SHOWN_EVERY_MS) return;
    shown = performance.now();
    show(`${(output.written / (1 << 20)).toFixed(0)} MiB written`);
  };
}
