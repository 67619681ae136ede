/** What a timeline shows of single requests, as it asks: the decoded trees, lines for the table. Pure. */
import type { Node } from '../../protocol/decode';
import { opcodeByNumber } from '../../protocol/fuse/opcodes';
import type { Message } from '../../protocol/message';
import { printNode } from '../../protocol/print';
import { replyLine } from '../../protocol/summary';
import { visible } from '../../protocol/text';
import { sizeText } from '../../trace/sizeText';
import type { FieldNode, LineView, MessageView, PhaseTimes, RequestView } from '../../control/timeline';
import { DROPPED, type Capture } from '../../trace/capture';
import { hostCallLine } from '../../trace/hostCallLine';
import {
  argumentsOf,
  instantOf,
  isDropped,
  isInFlight,
  isOrphan,
  kindOf,
  phasesOf,
  requestLine,
} from '../../trace/line';
import { printInstant } from '../../trace/times';

/** So many fields of one message are shown; a listing of thousands of entries has more. */
export const MOST_FIELDS = 20_000;
const MOST_BYTES = 4 << 20;
const MOST_CALLS = 2000;

export function describeRequest(capture: Capture, row: number): RequestView {
  if (row >= capture.count) throw new Error(`there is no request ${row}`);
  const { columns } = capture;
  const request = capture.request(row);
  // The bytes are valid until the next call only.
  const requestBytes = request && capture.requestBytes(row).slice(0, MOST_BYTES);
  const reply = capture.reply(row);
  const replyBytes = reply && capture.replyBytes(row).slice(0, MOST_BYTES);
  const calls = capture.hostCalls(row);
  const messages: MessageView[] = [];
  if (request && requestBytes) messages.push(messageView('request', request, requestBytes));
  if (reply && replyBytes) messages.push(messageView(reply.kind, reply, replyBytes));
  return {
    row,
    line: requestLine(capture, row).trim(),
    opcode: kindOf(capture, row),
    doc: opcodeByNumber(columns.opcode[row])?.doc ?? '',
    path: visible(capture.path(columns.path[row])),
    instant: printInstant(instantOf(capture, row)),
    phases: reply && !isOrphan(capture, row) ? phaseTimes(capture, row) : undefined,
    messages,
    calls: calls.slice(0, MOST_CALLS).map((record) => ({
      text: hostCallLine(record),
      after: record.start - columns.start[row],
      duration: record.duration,
      failed: record.result < 0,
      otherThread: record.otherThread,
    })),
    callsMissing: columns.calls[row] - Math.min(MOST_CALLS, calls.length),
  };
}

function phaseTimes(capture: Capture, row: number): PhaseTimes {
  const { queued, daemon, host, writing } = phasesOf(capture, row);
  return { queued, daemon, host, reply: writing };
}

function messageView(title: string, message: Message, bytes: Uint8Array): MessageView {
  const budget = { left: MOST_FIELDS };
  const nodes = fieldNodes(message.nodes, budget);
  const problems = [...message.problems];
  if (budget.left <= 0) problems.push(`only the first ${MOST_FIELDS} fields are shown`);
  if (bytes.length < message.length) {
    problems.push(`the capture has ${sizeText(bytes.length)} of ${sizeText(message.length)}`);
  }
  return { title, bytes, length: message.length, nodes, problems };
}

function fieldNodes(nodes: readonly Node[], budget: { left: number }): FieldNode[] {
  const result: FieldNode[] = [];
  for (const node of nodes) {
    if (--budget.left < 0) break;
    const text = node.field?.show === 'padding' ? '(unused)' : printNode(node);
    const { name, at, length, doc, children } = node;
    result.push({
      name,
      at,
      length,
      text,
      ...(doc !== undefined && doc !== '' && { doc }),
      ...(children && children.length > 0 && { children: fieldNodes(children, budget) }),
    });
  }
  return result;
}

export function describeLine(capture: Capture, row: number): LineView {
  if (row >= capture.count) return { path: '', what: '', result: '', payload: 0 };
  const named = capture.path(capture.columns.path[row]);
  const path = visible(named);
  const payload = capture.columns.payload[row];
  const request = capture.request(row);
  const other = capture.path(capture.columns.otherPath[row]);
  const what = request ? argumentsOf(request, named, other).join(' ') : '';
  if (isDropped(capture, row)) return { path, what, result: `… ${DROPPED}`, payload };
  if (isInFlight(capture, row)) return { path, what, result: '… in flight', payload };
  const reply = capture.reply(row);
  return { path, what, result: reply ? replyLine(reply).replace(/^-> /, '') : '', payload };
}
