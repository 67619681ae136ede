/**
 * What a request opens into: request, reply, phases, host system calls, queue, each decoded to the last field under the
 * kernel's names, with the tables' sentences. Pure: what a tree shows, without the tree.
 */
import type { Node } from '../../protocol/decode';
import { errnoName } from '../../protocol/errno';
import { splitFlags } from '../../protocol/flagTable';
import { opcodeByNumber } from '../../protocol/fuse/opcodes';
import { notificationName, type Message } from '../../protocol/message';
import { printId, printNode } from '../../protocol/print';
import { visible } from '../../protocol/text';
import { type Capture, DROPPED, RowFlag } from '../../trace/capture';
import type { CaptureReader } from '../../trace/captureReader';
import { hostCallLine } from '../../trace/hostCallLine';
import { instantOf, isDropped, isInFlight, isOrphan, phasesOf } from '../../trace/line';
import { sizeText } from '../../trace/sizeText';
import { printDuration, printInstant, printWait } from '../../trace/times';

export interface Detail {
  readonly label: string;
  readonly text: string;
  /** Paragraphs. */
  readonly doc?: readonly string[];
  /** A codicon. */
  readonly icon?: string;
  readonly bad?: boolean;
  /** Opened from the beginning. */
  readonly open?: boolean;
  readonly children?: readonly Detail[];
}

/** So many entries of one list are shown. */
const MOST = 500;

export function requestDetails(reader: CaptureReader, row: number): Detail[] {
  const parts: Detail[] = [];
  const request = reader.request(row);
  if (request) {
    parts.push(message('Request', request, reader.requestBytes(row).length, 'arrow-right', opcodeDoc(request.number)));
  }
  parts.push(answer(reader, row));
  if (!isOrphan(reader, row)) parts.push(phases(reader, row));
  const calls = hostCallsOf(reader, row);
  if (calls) parts.push(calls);
  parts.push(queueOf(reader, row), callerOf(reader, row));
  return parts;
}

const opcodeDoc = (number: number): string[] => {
  const row = opcodeByNumber(number);
  return row ? [`${row.name}: ${row.doc}`] : [`${number} is no opcode.`];
};

function answer(reader: CaptureReader, row: number): Detail {
  if (isDropped(reader, row)) {
    return { label: 'Reply', text: `${DROPPED}: the guest waits for ever`, icon: 'circle-slash', bad: true };
  }
  if (isInFlight(reader, row)) {
    return { label: 'Reply', text: 'in flight: not answered yet', icon: 'watch', bad: true };
  }
  const reply = reader.reply(row);
  if (!reply) return { label: 'Reply', text: 'none: this opcode wants no reply', icon: 'dash' };
  const error = reply.kind === 'reply' && reply.error < 0 ? errnoName(reply.error) : '';
  const title = reply.kind === 'reply' ? 'Reply' : `NOTIFY_${notificationName(reply.error)}`;
  const shown = message(title, reply, reader.replyBytes(row).length, error === '' ? 'arrow-left' : 'error', []);
  return error === '' ? shown : { ...shown, text: `${error} · ${shown.text}`, bad: true };
}

function message(label: string, of: Message, captured: number, icon: string, doc: readonly string[]): Detail {
  const cut = captured < of.length ? `, ${captured} captured` : '';
  const children = of.nodes.slice(0, MOST).map((node) => part(node, captured));
  for (const problem of of.problems) children.push({ label: 'problem', text: problem, icon: 'warning', bad: true });
  return { label, text: `${of.length} bytes${cut}`, icon, doc, children, open: true };
}

/** A structure or what is beside it; the header, which is alike everywhere, is closed. */
function part(node: Node, captured: number): Detail {
  const shown = field(node);
  // Not a field: data, or a name, of which the beginning says something.
  const there = node.field === undefined ? captured - node.at : 0;
  if (node.missing && !node.children && there > 0) return { ...shown, text: `${node.length} bytes, ${there} captured` };
  if (!shown.children) return shown;
  return { ...shown, text: shown.text || bytesOf(node), open: !/_(?:in|out)_header$/.test(node.name) };
}

/** A field, a structure or an entry of a listing. */
export function field(node: Node): Detail {
  const text = node.missing && !node.children ? 'not captured' : printNode(node);
  const doc = [...(node.doc ? [node.doc] : []), ...meanings(node), `Bytes ${node.at} to ${node.at + node.length - 1}.`];
  if (!node.children) return { label: node.name, text: text === '' ? bytesOf(node) : text, doc };
  const shown = node.children.filter((each) => each.field?.show !== 'padding');
  const children = shown.slice(0, MOST).map(field);
  const more = shown.length - children.length;
  if (more > 0) children.push({ label: '…', text: `${more} more` });
  return { label: node.name, text: text === '' ? '' : text, doc, children };
}

const bytesOf = ({ length }: Node): string => `${length} bytes`;

/** What the value's flags, or its one name, stand for. */
function meanings({ field: row, value }: Node): string[] {
  if (!row || value === null || typeof value === 'string') return [];
  if (row.flags) return splitFlags(row.flags, value).rows.map(({ name, doc }) => `${row.flags?.prefix}${name}: ${doc}`);
  const named = row.enum?.byValue.get(Number(value));
  return named ? [`${row.enum?.prefix}${named.name}: ${named.doc}`] : [];
}

function phases(capture: Capture, row: number): Detail {
  const latency = capture.columns.latency[row];
  const { queued, daemon, host, writing } = phasesOf(capture, row);
  const whole = queued + (Number.isNaN(latency) ? 0 : latency);
  const part = (label: string, time: number, doc: string): Detail => ({
    label,
    text: `${label === 'queued' ? printWait(time) : printDuration(time)}${whole > 0 ? `  ${bar(time / whole)}` : ''}`,
    doc: [doc],
  });
  const children = [part('queued', queued, 'From when the daemon could first see it in the queue until it was taken.')];
  if (!Number.isNaN(latency)) {
    children.push(
      part('daemon', daemon, 'In the daemon itself: the latency without host system calls and writing the reply.'),
      part('host', host, 'In system calls of the host.'),
      part('writing', writing, 'From the last system call to the reply.'),
    );
  }
  return {
    label: 'Phases',
    text: Number.isNaN(latency) ? 'no reply' : `${printDuration(latency)} after ${printWait(queued)} in the queue`,
    icon: 'clock',
    children,
  };
}

/** Ten places: `▮▮▮▯▯▯▯▯▯▯ 31 %`. */
function bar(part: number): string {
  const full = Math.max(0, Math.min(10, Math.round(part * 10)));
  return `${'▮'.repeat(full)}${'▯'.repeat(10 - full)} ${(part * 100).toFixed(0)} %`;
}

function hostCallsOf(capture: Capture, row: number): Detail | undefined {
  const counted = capture.columns.calls[row];
  const records = capture.hostCalls(row);
  if (counted === 0 && records.length === 0) return undefined;
  const start = capture.columns.start[row];
  const children = records.slice(0, MOST).map((record): Detail => {
    const where = record.otherThread ? ' · another thread' : '';
    return {
      label: hostCallLine(record),
      text: `+${printDuration(Math.max(0, record.start - start))} · ${printDuration(record.duration)}${where}`,
      icon: record.result < 0 ? 'error' : 'server-process',
      bad: record.result < 0,
    };
  });
  const missing = counted - children.length;
  if (missing > 0) {
    const why = records.length === 0 ? 'a share with --trace-syscalls tells them' : 'not in the capture';
    children.push({ label: `${missing} more`, text: why, icon: 'info' });
  }
  return {
    label: 'Host system calls',
    text: `${counted} · ${printDuration(capture.columns.host[row])}`,
    icon: 'server-process',
    children,
  };
}

function queueOf(reader: CaptureReader, row: number): Detail {
  const { queue, requestLength, replyLength, flags, payload } = reader.columns;
  const number = queue[row];
  const head = reader.head(row);
  const has = (bit: number): boolean => (flags[row] & bit) !== 0;
  const fact = (label: string, text: string, doc: string): Detail => ({ label, text, doc: [doc] });
  const children = [
    fact('queue', number === 0 ? '0 (hiprio)' : String(number), 'The virtqueue it came by; 0 is hiprio.'),
    fact(
      'head',
      head === undefined ? 'not kept any more' : String(head),
      "Index of the first descriptor of its chain in the queue's descriptor table.",
    ),
    fact('readable', `${requestLength[row]} bytes`, 'What the device reads from the chain: the request.'),
    fact('written', `${replyLength[row]} bytes`, 'What the device has written to the chain: the reply.'),
    fact('payload', sizeText(payload[row]), 'Data moved: written by the guest, or read.'),
  ];
  if (has(RowFlag.LATER)) {
    children.push(fact('answered later', 'yes', 'By another thread, or after a wait: the queue went on meanwhile.'));
  }
  return { label: 'Descriptor chain', text: `queue ${number}, head ${head ?? '?'}`, icon: 'list-tree', children };
}

function callerOf(reader: CaptureReader, row: number): Detail {
  const { uid, gid, pid, path } = reader.columns;
  const session = reader.session(row);
  const facts: [string, string, string][] = [
    ['taken', printInstant(instantOf(reader, row)), 'When the daemon took it from the queue.'],
    ['path', visible(reader.path(path[row])) || 'unknown', 'As the traffic so far tells it.'],
  ];
  if (!isOrphan(reader, row)) {
    facts.push(
      ['nodeid', printId(reader.request(row)?.nodeid ?? 0n), 'The inode, as the server named it.'],
      ['pid', String(pid[row]), 'The process in the guest.'],
      ['uid', String(uid[row]), 'Its user.'],
      ['gid', String(gid[row]), 'Its group.'],
    );
  }
  if (session) facts.push(['session', `FUSE 7.${session.minor}`, 'What INIT has negotiated.']);
  const children = facts.map(([label, text, doc]): Detail => ({ label, text, doc: [doc] }));
  return {
    label: 'Caller and inode',
    text: isOrphan(reader, row) ? 'no request' : `pid ${pid[row]}, uid ${uid[row]}`,
    icon: 'person',
    children,
  };
}
