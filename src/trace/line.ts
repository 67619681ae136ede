/**
 * One request as one line: when, on which queue, by whom, what, on which path, with which arguments, what came of it
 * and where the time went.
 *
 * Owns the order and wording of the line. Values in the kernel's terms are protocol/print.ts's, names are always
 * quoted, so that nothing a guest calls its files reaches the terminal as a command.
 */
import { errnoName } from '../protocol/errno';
import { opcodeByNumber } from '../protocol/fuse/opcodes';
import { notificationName, type Request } from '../protocol/message';
import { printId } from '../protocol/print';
import { replyLine, requestArguments } from '../protocol/summary';
import { quote } from '../protocol/text';
import { DROPPED, RowFlag, type Capture } from './capture';
import { paint, plain, type Palette } from './palette';
import { printDuration, printInstant, printSeconds, printWait } from './times';

export type TimeStyle = 'relative' | 'absolute' | 'delta';

export interface LineOptions {
  readonly time: TimeStyle;
  readonly palette: Palette;
  /** Long lists of flags are cut, which the line then says. */
  readonly brief?: boolean;
}

export const plainLines: LineOptions = { time: 'relative', palette: plain };

/** `before`: the row that the line above was about, for `delta`. */
export function requestLine(capture: Capture, row: number, options: LineOptions = plainLines, before?: number): string {
  const { palette } = options;
  const { queue, pid, uid } = capture.columns;
  const who = isOrphan(capture, row) ? '' : `pid=${pid[row]} uid=${uid[row]}`;
  return [
    paint(palette, 'dim', timeOf(capture, row, options.time, before)),
    paint(palette, 'dim', `q${queue[row]}`),
    paint(palette, 'dim', who),
    whatOf(capture, row, palette, options.brief),
    paint(palette, 'dim', durations(capture, row)),
  ]
    .filter((part) => part !== '')
    .join('  ');
}

/** The line's middle: opcode, path, arguments, reply. */
export function whatOf(capture: Capture, row: number, palette: Palette = plain, brief = false): string {
  const request = capture.request(row);
  const parts: string[] = [];
  let problems: readonly string[] = [];
  if (request) {
    const path = capture.path(capture.columns.path[row]);
    parts.push(paint(palette, 'opcode', opcodeName(request.number)));
    if (request.opcode?.name !== 'INIT') {
      const known = path !== '' && !/^\?\d+$/.test(path);
      const unsure = (capture.columns.flags[row] & RowFlag.PATH_UNSURE) === 0 ? '' : '(?)';
      parts.push(known ? paint(palette, 'path', quote(path)) + unsure : `nodeid=${printId(request.nodeid)}`);
    }
    parts.push(...argumentsOf(request, path, capture.path(capture.columns.otherPath[row]), brief));
    problems = request.problems;
  }
  parts.push(answer(capture, row, palette, brief));
  if (problems.length > 0) parts.push(paint(palette, 'note', `(${problems.join('; ')})`));
  return parts.filter((part) => part !== '').join(' ');
}

/** The arguments that matter, without what the paths say: the name that the first ends with, and the second. */
export function argumentsOf(request: Request, path: string, other: string, brief = false): string[] {
  const { names } = request;
  const known = isEntry(request) && path.endsWith(`/${names[0]}`);
  const parts = requestArguments(request, known ? 1 : 0, brief);
  if (!known || other === '') return parts;
  const without = (argument: string): string[] => parts.filter((part) => !part.startsWith(`${argument}=`));
  return names.length === 2
    ? [...without('newdir').slice(0, -1), `to ${quote(other)}`]
    : [...without('oldnodeid'), `of ${quote(other)}`];
}

const attributeNames: ReadonlySet<string> = new Set(['SETXATTR', 'GETXATTR', 'REMOVEXATTR']);

/** Is its first name one in a folder? */
function isEntry({ opcode, names }: Request): boolean {
  return opcode !== undefined && names.length > 0 && !attributeNames.has(opcode.name);
}

export function opcodeName(number: number): string {
  return opcodeByNumber(number)?.name ?? `opcode ${number}`;
}

export const isOrphan = (capture: Capture, row: number): boolean => (capture.columns.flags[row] & RowFlag.ORPHAN) !== 0;

/** Wanted a reply and has none. */
export function isInFlight(capture: Capture, row: number): boolean {
  return (capture.columns.flags[row] & (RowFlag.REPLIED | RowFlag.SILENT | RowFlag.ORPHAN)) === 0;
}

/** The name of the row's errno; '' without an error. */
export function errorName(capture: Capture, row: number): string {
  const error = capture.columns.error[row];
  return error < 0 ? errnoName(error) : '';
}

/** Wanted a reply, and a fault dropped it: in flight for ever. */
export const isDropped = (capture: Capture, row: number): boolean =>
  (capture.columns.flags[row] & RowFlag.DROPPED) !== 0;

function answer(capture: Capture, row: number, palette: Palette, brief: boolean): string {
  if (isDropped(capture, row)) return paint(palette, 'fault', `… ${DROPPED}`);
  if (isInFlight(capture, row)) return paint(palette, 'note', '… in flight');
  const reply = capture.reply(row);
  if (reply === undefined) return '';
  if (reply.kind === 'notification') return paint(palette, 'note', replyLine(reply));
  const text = paint(palette, reply.error === 0 ? 'answer' : 'fault', replyLine(reply, brief));
  return isOrphan(capture, row) ? `${paint(palette, 'note', '(no request)')} ${text}` : text;
}

/** What a row without a request is called, where only one word is wanted. */
export function kindOf(capture: Capture, row: number): string {
  if (!isOrphan(capture, row)) return opcodeName(capture.columns.opcode[row]);
  const { error } = capture.columns;
  return error[row] > 0 ? `NOTIFY_${notificationName(error[row])}` : '(no request)';
}

export function timeOf(capture: Capture, row: number, style: TimeStyle, before?: number): string {
  const start = capture.columns.start[row];
  if (style === 'absolute') return printInstant(instantOf(capture, row));
  if (style === 'relative') return printSeconds(start).padStart(12);
  const since = printSeconds(before === undefined ? 0 : start - capture.columns.start[before]);
  return `${since.startsWith('-') ? '' : '+'}${since}`.padStart(12);
}

/** When the row's request was taken, nanoseconds since the epoch. */
export const instantOf = (capture: Capture, row: number): bigint =>
  capture.origin + BigInt(Math.round(capture.columns.start[row]));

export interface Phases {
  readonly queued: number;
  readonly daemon: number;
  readonly host: number;
  readonly writing: number;
}

/** Where the time went, nanoseconds; the middle two and the last are 0 without a reply. */
export function phasesOf(capture: Capture, row: number): Phases {
  const { latency, queued, host, writing, held } = capture.columns;
  const whole = latency[row];
  const daemon = Number.isNaN(whole) ? 0 : Math.max(0, whole - host[row] - writing[row] - held[row]);
  return { queued: queued[row], daemon, host: host[row], writing: writing[row] };
}

function durations(capture: Capture, row: number): string {
  const { latency, flags, held } = capture.columns;
  const { queued, daemon, host, writing } = phasesOf(capture, row);
  if (isOrphan(capture, row)) return '';
  if (Number.isNaN(latency[row])) return `(queued ${printWait(queued)})`;
  const parts = [`queued ${printWait(queued)}`, `daemon ${printDuration(daemon)}`];
  if (capture.columns.calls[row] > 0) parts.push(`host ${printDuration(host)}`, `reply ${printDuration(writing)}`);
  if ((flags[row] & RowFlag.LATER) !== 0) parts.push('answered later');
  if (held[row] > 0) parts.push(`held ${printDuration(held[row])}`);
  if ((flags[row] & RowFlag.CHANGED) !== 0) parts.push('changed by a fault or a debugger');
  return `${printDuration(latency[row])} (${parts.join(', ')})`;
}
