/**
 * A capture in the Trace Event Format, which chrome://tracing and Perfetto open: a thread for each queue, a slice for
 * each request with its phases (or its host calls) inside, what never got a reply as a slice that does not end, and
 * counters.
 *
 * Slices of one thread have to nest. Requests of a queue overlap, so a queue has as many threads as it had requests
 * under way at a time. Phases that the capture knows only by their length are laid out in the usual order, the reply
 * last.
 */
import { replyLine } from '../../protocol/summary';
import { RowFlag, type Capture } from '../capture';
import { hostCallLine, hostCallName } from '../hostCallLine';
import { argumentsOf, isDropped, isInFlight, isOrphan, kindOf } from '../line';
import { printDuration } from '../times';
import { Lanes, LANES } from './lanes';
import { counterSeries } from './counters';

const PROCESS = 1;

export function* chromeTrace(capture: Capture, rows: Uint32Array): Generator<string> {
  yield '{"displayTimeUnit":"ns","traceEvents":[\n';
  yield json({ ph: 'M', name: 'process_name', pid: PROCESS, args: { name: processName(capture) } });
  const lanes = new Lanes();
  for (const row of byQueueAndBegin(capture, rows)) {
    for (const event of eventsOf(capture, row, lanes)) yield `,\n${json(event)}`;
  }
  for (const { name, values } of counterSeries(capture, rows)) {
    for (const [time, value] of values) {
      yield `,\n${json({ ph: 'C', name, pid: PROCESS, ts: micro(time), args: { value } })}`;
    }
  }
  for (const { queue, lane } of lanes.used()) {
    const tid = threadOf(queue, lane);
    const name = `queue ${queue}${queue === 0 ? ' (hiprio)' : ''}${lane === 0 ? '' : ` #${lane + 1}`}`;
    yield `,\n${json({ ph: 'M', name: 'thread_name', pid: PROCESS, tid, args: { name } })}`;
    yield `,\n${json({ ph: 'M', name: 'thread_sort_index', pid: PROCESS, tid, args: { sort_index: tid } })}`;
  }
  const notes = capture.notes.length === 0 ? {} : { notes: capture.notes.join('\n') };
  yield `\n],"otherData":${JSON.stringify({ origin: `${capture.origin}`, ...notes })}}\n`;
}

interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid?: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly id?: number;
  readonly s?: string;
  readonly args?: object;
}

const json = (event: TraceEvent): string => JSON.stringify(event);
const threadOf = (queue: number, lane: number): number => queue * LANES + lane + 1;
/** The format counts microseconds, with fractions. */
const micro = (nanoseconds: number): number => Math.round(nanoseconds) / 1000;

function processName({ share }: Capture): string {
  const { tag } = share;
  return typeof tag === 'string' ? `virtio-fs ${tag}` : 'virtio-fs';
}

/** When the slice of a row begins: when the daemon could first see the request. */
function beginOf({ columns }: Capture, row: number): number {
  return columns.start[row] - Math.round(columns.queued[row]);
}

function byQueueAndBegin(capture: Capture, rows: Uint32Array): Uint32Array {
  const { queue } = capture.columns;
  return rows.slice().sort((a, b) => queue[a] - queue[b] || beginOf(capture, a) - beginOf(capture, b) || a - b);
}

function* eventsOf(capture: Capture, row: number, lanes: Lanes): Generator<TraceEvent> {
  const { columns } = capture;
  const queue = columns.queue[row];
  const begin = beginOf(capture, row);
  const start = columns.start[row];
  const end = start + (Number.isNaN(columns.latency[row]) ? 0 : columns.latency[row]);
  const about = { pid: PROCESS, name: kindOf(capture, row), cat: 'fuse', ts: micro(begin) };
  const args = argumentsOfSlice(capture, row);
  if (isOrphan(capture, row)) {
    lanes.take(queue, -Infinity, -Infinity);
    yield { ...about, ph: 'i', tid: threadOf(queue, 0), s: 't', args };
    return;
  }
  const open = isInFlight(capture, row);
  const lane = lanes.take(queue, begin, open ? Infinity : end);
  if (lane === undefined) {
    // More at a time than a virtqueue holds: beside the threads.
    yield { ...about, ph: 'b', tid: threadOf(queue, 0), id: row, args };
    if (!open) yield { ...about, ph: 'e', tid: threadOf(queue, 0), id: row, ts: micro(end) };
    return;
  }
  const tid = threadOf(queue, lane);
  if (open) yield { ...about, ph: 'B', tid, args };
  else yield { ...about, ph: 'X', tid, dur: between(begin, end), args };
  const slice = (name: string, from: number, to: number, detail?: object): TraceEvent => ({
    ph: 'X',
    name,
    cat: 'phase',
    pid: PROCESS,
    tid,
    ts: micro(from),
    dur: between(from, to),
    ...(detail && { args: detail }),
  });
  if (start > begin) yield slice('queued', begin, start);
  if (!open && end > start) yield* insides(capture, row, start, end, slice);
}

/** So that a slice's end, as a reader computes it, is that of the one around it to the nanosecond. */
const between = (from: number, to: number): number => (Math.round(to) - Math.round(from)) / 1000;

function* insides(
  capture: Capture,
  row: number,
  start: number,
  end: number,
  slice: (name: string, from: number, to: number, detail?: object) => TraceEvent,
): Generator<TraceEvent> {
  const { host, writing, held } = capture.columns;
  const replyAt = Math.max(start, end - Math.round(writing[row]));
  const calls = capture.hostCalls(row);
  if (calls.length === 0) {
    const hostAt = Math.max(start, replyAt - Math.round(host[row]));
    const heldAt = Math.max(start, hostAt - Math.round(held[row]));
    if (heldAt > start) yield slice('daemon', start, heldAt);
    if (hostAt > heldAt) yield slice('held', heldAt, hostAt);
    if (replyAt > hostAt) yield slice('host calls', hostAt, replyAt);
  }
  let free = start;
  for (const call of calls) {
    const from = Math.min(Math.max(call.start, free), end);
    free = Math.min(Math.max(from, call.start + call.duration), end);
    yield slice(hostCallName(call.call), from, free, { call: hostCallLine(call) });
  }
  if (end > Math.max(replyAt, free)) yield slice('reply', Math.max(replyAt, free), end);
}

function argumentsOfSlice(capture: Capture, row: number): object {
  const { columns } = capture;
  const request = capture.request(row);
  const reply = capture.reply(row);
  const path = capture.path(columns.path[row]);
  return {
    row,
    ...(path !== '' && { path }),
    ...(request && {
      nodeid: request.nodeid.toString(),
      arguments: argumentsOf(request, path, capture.path(capture.columns.otherPath[row])).join(' '),
      pid: columns.pid[row],
      uid: columns.uid[row],
    }),
    ...(reply && { reply: replyLine(reply).replace(/^-> /, '') }),
    ...(columns.held[row] > 0 && { held: printDuration(columns.held[row]) }),
    ...((columns.flags[row] & RowFlag.CHANGED) !== 0 && { changed: true }),
    ...(isDropped(capture, row) && { dropped: true }),
  };
}
