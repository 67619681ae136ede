/** Everything that is shown of one row: its line, and under it what was asked for besides: host calls, bytes. */
import type { Capture } from './capture';
import { hexDump } from './hexDump';
import { hostCallLine } from './hostCallLine';
import { requestLine, type LineOptions } from './line';
import { paint, type Palette } from './palette';
import { printDuration } from './times';

export interface RowTextOptions extends LineOptions {
  readonly syscalls: boolean;
  readonly hex: boolean;
}

const INDENT = '      ';

export function rowText(capture: Capture, row: number, options: RowTextOptions, before?: number): string[] {
  const lines = [requestLine(capture, row, options, before)];
  if (options.syscalls) lines.push(...hostCallLines(capture, row, options.palette));
  if (options.hex) lines.push(...hexLines(capture, row, options.palette));
  return lines;
}

/** Each with when it began after the request was taken, and how long it took. */
function hostCallLines(capture: Capture, row: number, palette: Palette): string[] {
  const start = capture.columns.start[row];
  const records = capture.hostCalls(row);
  const missing = capture.columns.calls[row] - records.length;
  const lines = records.map((record) => {
    const when = `+${printDuration(Math.max(0, record.start - start))}`.padStart(10);
    const where = record.otherThread ? '  (other thread)' : '';
    const line = hostCallLine(record);
    const text = record.result < 0 ? paint(palette, 'fault', line) : line;
    return `${INDENT}${paint(palette, 'dim', when)}  ${text}  ${paint(palette, 'dim', `${printDuration(record.duration)}${where}`)}`;
  });
  if (missing > 0) {
    const without = records.length === 0 ? 'made with --trace-syscalls a capture has them' : 'not in the capture';
    lines.push(INDENT + paint(palette, 'dim', `${missing} host calls (${without})`));
  }
  return lines;
}

function hexLines(capture: Capture, row: number, palette: Palette): string[] {
  const lines: string[] = [];
  const request = capture.request(row);
  if (request) lines.push(...message('request', capture.requestBytes(row), request, palette));
  const reply = capture.reply(row);
  if (reply) lines.push(...message('reply', capture.replyBytes(row), reply, palette));
  return lines;
}

function message(
  side: string,
  bytes: Uint8Array,
  { nodes, length }: { nodes: Parameters<typeof hexDump>[1]; length: number },
  palette: Palette,
): string[] {
  const cut = bytes.length < length ? `, ${bytes.length} captured` : '';
  return [
    INDENT + paint(palette, 'dim', `${side}, ${length} bytes${cut}`),
    ...hexDump(bytes, nodes).map((line) => INDENT + line),
  ];
}
