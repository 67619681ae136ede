/** `virtiofs-studio dax`: the DAX window of a capture as text. What is counted is src/trace/dax/. */
import { type Command } from 'commander';
import { trouble } from '../base/catalogue';
import { quote } from '../protocol/text';
import { captureEnd, windowFigures } from '../trace/dax/windowFigures';
import { WindowHistory } from '../trace/dax/windowHistory';
import { stateText, windowJson, windowText } from '../trace/dax/windowText';
import { printSeconds } from '../trace/times';
import { onlyFileSource } from './captureSource';
import { Output } from './output';

interface DaxOptions {
  readonly json: boolean;
  readonly slices: string;
  readonly thrash: string;
  readonly at?: string;
}

export function registerDax(program: Command): void {
  program
    .command('dax')
    .description('the DAX window of a capture: how full it was, whose it was, what came back at once')
    .argument('<capture>', 'a capture file (a running share has none unless it was started with --capture)')
    .option('--json', 'as one JSON object', false)
    .option('--slices <n>', 'into how many slices time is cut', '20')
    .option('--thrash <ms>', 'a range that comes back within so many milliseconds counts as thrash', '1000')
    .option('--at <seconds>', 'what was mapped so long after the first packet, range by range')
    .addHelpText('after', HELP)
    .action(async (capture: string, options: DaxOptions) => {
      await dax(capture, options);
    });
}

const HELP = `
A share gets a window with "virtiofs-studio share --dax 64M". Files that are not in it are listed with the reason.

Examples:
  virtiofs-studio dax boot.fuse.pcapng
  virtiofs-studio dax boot.fuse.pcapng --at 2.5
  virtiofs-studio dax boot.fuse.pcapng --json | jq .files

Exit codes: 0; 2 wrong options or no capture, 3 the output cannot be written, 4 a failure.`;

/** Longer captures have no moments that could be named. */
const MOST_SECONDS = 1e9;

function numberOf(option: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || number < least || number > most) {
    throw trouble('viewOptionBad', 'dax', option, text, `a number from ${least} to ${most}`);
  }
  return number;
}

async function dax(name: string, options: DaxOptions): Promise<void> {
  const slices = Math.round(numberOf('--slices', options.slices, 1, 1000));
  const thrashMs = numberOf('--thrash', options.thrash, 0, 1e6);
  const seconds = options.at === undefined ? Infinity : numberOf('--at', options.at, 0, MOST_SECONDS);
  const source = onlyFileSource(name);
  try {
    const { capture } = source;
    const history = WindowHistory.of(capture);
    const end = captureEnd(capture, history);
    const time = Math.min(seconds * 1e9, end);
    if (options.at !== undefined && time < seconds * 1e9) {
      process.stderr.write(
        `note: --at ${options.at} is behind the capture's end; this is its end, at ${printSeconds(end).trim()} s\n`,
      );
    }
    const state = history.at(time);
    const output = new Output(process.stdout);
    if (options.json) {
      output.add(`${windowJson(capture, windowFigures(capture, history, { slices, thrashMs }), state)}\n`);
    } else if (options.at !== undefined) {
      output.add(`${stateText(capture, state, time).join('\n')}\n`);
    } else {
      output.add(`${windowText(windowFigures(capture, history, { slices, thrashMs })).join('\n')}\n`);
    }
    await output.flush();
    for (const note of source.notes()) process.stderr.write(`note: ${quote(name)}: ${note}\n`);
  } finally {
    source.close();
  }
}
