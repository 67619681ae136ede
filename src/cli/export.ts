/**
 * `virtiofs-studio export`: a capture as Chrome trace JSON, JSONL, CSV or, filtered, as pcapng again.
 *
 * Owns the options and where the output goes; the formats are src/trace/export.
 */
import { type Command, Option } from 'commander';
import { trouble } from '../base/catalogue';
import { VERSION } from '../base/version';
import type { Capture } from '../trace/capture';
import { chromeTrace } from '../trace/export/chrome';
import { csv } from '../trace/export/csv';
import { jsonLines } from '../trace/export/jsonl';
import { FilteredCapture } from '../trace/export/pcapng';
import { openSource, type CaptureSource } from './captureSource';
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
const LOOK_EVERY = 1024;

export function registerExport(program: Command): void {
  const list = (value: string, before: string[]): string[] => [...before, value];
  program
    .command('export')
    .description('turn a capture into another format: for Perfetto, spreadsheets, scripts, or a smaller capture')
    .argument('<file>', 'capture file, or - for standard input')
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

Exit codes: 0; 2 wrong options or no capture, 3 the output cannot be written, 4 a failure.`;

async function exportCapture(file: string, options: ExportOptions): Promise<void> {
  const wanted = both(filterOf(options.filter), followed(options.follow));
  const target = options.output ?? (process.stdout.isTTY ? undefined : '-');
  if (target === undefined) throw trouble('outputMissing');
  const source = await openSource(file, false);
  const progress = new Progress();
  try {
    const chunks: Uint8Array[] = [];
    if (source.grows) {
      if (options.to === 'pcapng') source.record((chunk) => chunks.push(chunk));
      await source.follow(async () => {}, new AbortController().signal);
    }
    const rows = rowsOf(source.capture, wanted);
    await writeWhole(target, options.force, async (output) => {
      // Progress is for a person who waits, and not between the lines of what they asked for.
      const show = process.stderr.isTTY && !(target === '-' && process.stdout.isTTY) ? progress.step : undefined;
      if (options.to === 'pcapng') await writePcapng(source, chunks, rows, output, show);
      else await writeText(source.capture, options.to, rows, output, show);
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

const written: Record<Exclude<Format, 'pcapng'>, (capture: Capture, rows: Uint32Array) => Iterable<string>> = {
  chrome: chromeTrace,
  jsonl: jsonLines,
  csv,
};

async function writeText(
  capture: Capture,
  format: Exclude<Format, 'pcapng'>,
  rows: Uint32Array,
  output: Output,
  show: ((line: string) => void) | undefined,
): Promise<void> {
  const watch = watcher(show);
  for (const text of written[format](capture, rows)) {
    const wait = output.push(text);
    if (wait) await wait;
    watch(output);
  }
}

async function writePcapng(
  source: CaptureSource,
  chunks: readonly Uint8Array[],
  rows: Uint32Array,
  output: Output,
  show: ((line: string) => void) | undefined,
): Promise<void> {
  const filtered = new FilteredCapture(source.capture, rows, `virtiofs-studio ${VERSION}`);
  const watch = watcher(show);
  for (const chunk of source.grows ? chunks : source.again()) {
    for (const block of filtered.push(chunk)) {
      const wait = output.push(block);
      if (wait) await wait;
      watch(output);
    }
  }
}

function watcher(show: ((line: string) => void) | undefined): (output: Output) => void {
  let shown = performance.now();
  let looks = 0;
  return (output) => {
    if (show === undefined || ++looks % LOOK_EVERY !== 0 || performance.now() - shown < SHOWN_EVERY_MS) return;
    shown = performance.now();
    show(`${(output.written / (1 << 20)).toFixed(0)} MiB written`);
  };
}
