/**
 * Requests as CSV (RFC 4180): a header, then one record each. Times are nanoseconds. docs/export-formats.md lists the
 * columns.
 */
import { replyLine } from '../../protocol/summary';
import { RowFlag, type Capture } from '../capture';
import { argumentsOf, errorName, instantOf, isDropped, isInFlight, isOrphan, kindOf, phasesOf } from '../line';
import { printInstant } from '../times';

export const csvColumns = [
  'row',
  'time',
  'start',
  'queue',
  'pid',
  'uid',
  'gid',
  'opcode',
  'nodeid',
  'path',
  'arguments',
  'error',
  'reply',
  'latency',
  'queued',
  'daemon',
  'host',
  'writing',
  'host_calls',
  'request_bytes',
  'reply_bytes',
  'payload_bytes',
  'in_flight',
  'later',
  'held',
  'changed',
  'dropped',
] as const;

export function* csv(capture: Capture, rows: Iterable<number>): Generator<string> {
  yield `${csvColumns.join(',')}\r\n`;
  for (const row of rows) yield `${record(capture, row).map(cell).join(',')}\r\n`;
}

function record(capture: Capture, row: number): (string | number)[] {
  const { columns } = capture;
  const orphan = isOrphan(capture, row);
  const request = capture.request(row);
  const reply = capture.reply(row);
  const path = capture.path(columns.path[row]);
  const phases = phasesOf(capture, row);
  const latency = columns.latency[row];
  const answered = !Number.isNaN(latency);
  return [
    row,
    printInstant(instantOf(capture, row)),
    columns.start[row],
    columns.queue[row],
    ...(orphan ? ['', '', ''] : [columns.pid[row], columns.uid[row], columns.gid[row]]),
    kindOf(capture, row),
    request === undefined ? '' : request.nodeid.toString(),
    path,
    request === undefined ? '' : argumentsOf(request, path, capture.path(capture.columns.otherPath[row])).join(' '),
    errorName(capture, row),
    reply === undefined ? '' : replyLine(reply).replace(/^-> /, ''),
    answered ? latency : '',
    phases.queued,
    ...(answered ? [phases.daemon, phases.host, phases.writing] : ['', '', '']),
    reply === undefined ? '' : columns.calls[row],
    columns.requestLength[row],
    reply === undefined ? '' : columns.replyLength[row],
    columns.payload[row],
    isInFlight(capture, row) ? 1 : 0,
    (columns.flags[row] & RowFlag.LATER) === 0 ? 0 : 1,
    answered ? columns.held[row] : '',
    (columns.flags[row] & RowFlag.CHANGED) === 0 ? 0 : 1,
    isDropped(capture, row) ? 1 : 0,
  ];
}

function cell(value: string | number): string {
  return typeof value === 'number' || !/[",\r\n]/.test(value) ? String(value) : `"${value.replaceAll('"', '""')}"`;
}
