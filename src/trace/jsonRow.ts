/**
 * One request as JSON, for `trace --json` and `export --to jsonl`. docs/export-formats.md describes each member.
 *
 * Stable: members are added, never renamed. Fields have the kernel's names; integers of 64 bits are strings, since
 * JSON's readers round them; times are nanoseconds.
 */
import { find, plain, type Node, type Plain } from '../protocol/decode';
import { hostCalls } from '../protocol/hostCalls';
import { errnoName } from '../protocol/errno';
import { notificationName, type Message } from '../protocol/message';
import { RowFlag, type Capture, type ControlMessage, type HostCallRecord } from './capture';
import { decodeControl } from './controlLine';
import { hostCallLine, hostCallName } from './hostCallLine';
import { instantOf, isDropped, isInFlight, isOrphan, opcodeName, phasesOf } from './line';
import { printInstant } from './times';

export function jsonRow(capture: Capture, row: number): string {
  const { columns } = capture;
  const request = capture.request(row);
  const reply = capture.reply(row);
  const phases = phasesOf(capture, row);
  const latency = columns.latency[row];
  const path = capture.path(columns.path[row]);
  const other = capture.path(columns.otherPath[row]);
  const calls = capture.hostCalls(row);
  return JSON.stringify(
    {
      kind: isOrphan(capture, row) ? (reply?.kind ?? 'reply') : 'request',
      row,
      time: printInstant(instantOf(capture, row)),
      start: columns.start[row],
      queue: columns.queue[row],
      ...(request && {
        unique: request.unique,
        opcode: opcodeName(request.number),
        nodeid: request.nodeid,
        uid: columns.uid[row],
        gid: columns.gid[row],
        pid: columns.pid[row],
      }),
      path: path === '' ? null : path,
      ...(other !== '' && { otherPath: other }),
      ...((columns.flags[row] & RowFlag.PATH_UNSURE) !== 0 && { pathUnsure: true }),
      ...(request && { request: body(request, request.opcode?.names ?? []) }),
      inFlight: isInFlight(capture, row),
      ...(reply && {
        error: reply.error < 0 ? errnoName(reply.error) : null,
        ...(reply.kind === 'notification' && { notification: notificationName(reply.error) }),
        reply: body(reply, []),
      }),
      latency: Number.isNaN(latency) ? null : latency,
      phases: reply && !isOrphan(capture, row) ? phases : { queued: phases.queued },
      payload: columns.payload[row],
      later: (columns.flags[row] & RowFlag.LATER) !== 0,
      ...(columns.held[row] > 0 && { held: columns.held[row] }),
      ...((columns.flags[row] & RowFlag.CHANGED) !== 0 && { changed: true }),
      ...(isDropped(capture, row) && { dropped: true }),
      // A FORGET may have made some, of which only a reply would tell how many.
      hostCalls: reply ? columns.calls[row] : null,
      ...(calls.length > 0 && { calls: calls.map(hostCall) }),
    },
    bigAsText,
  );
}

export function jsonControl(capture: Capture, message: ControlMessage): string {
  const { name, answer, nodes } = decodeControl(message);
  return JSON.stringify(
    {
      kind: 'control',
      time: printInstant(capture.origin + BigInt(Math.round(message.start))),
      start: message.start,
      fromFrontEnd: message.fromFrontEnd,
      message: name,
      answer,
      descriptors: message.descriptors,
      payload: nodes.slice(1).map((node) => ({ [node.name]: plain(node) })),
    },
    bigAsText,
  );
}

/** Structures by the kernel's names, names by what each is, what the payload holds, and what is wrong. */
function body(message: Message, labels: readonly string[]): Record<string, unknown> {
  const { structs, names, payload, problems } = message;
  return {
    length: message.length,
    ...Object.fromEntries(structs.map((tree) => [tree.name, plain(tree)])),
    ...(names.length > 0 && { names: Object.fromEntries(names.map((name, i) => [labels[i] ?? `name${i}`, name])) }),
    ...(payload && { data: payloadOf(payload) }),
    ...extensions(message),
    ...(problems.length > 0 && { problems }),
  };
}

function payloadOf(data: Node): unknown {
  if (typeof data.value === 'string') return data.value;
  if (data.children === undefined) return { bytes: data.length };
  return { bytes: data.length, entries: data.children.map(entry) };
}

/** A record of the payload; a directory entry has its name beside its structures. */
function entry(node: Node): Plain {
  return node.children === undefined ? node.value : plain(node);
}

function extensions({ nodes }: Message): Record<string, unknown> {
  const tree = find({ name: '', at: 0, length: 0, value: null, children: nodes }, 'extensions');
  return tree ? { extensions: (tree.children ?? []).map((child) => ({ [child.name]: plain(child) })) } : {};
}

function hostCall(record: HostCallRecord): Record<string, unknown> {
  const row = hostCalls[record.call];
  let texts = 0;
  const args = record.arguments.map((value, index) => {
    const argument = row?.arguments[index];
    return [argument?.name ?? `arg${index}`, argument?.kind === 'path' ? (record.texts[texts++] ?? null) : value];
  });
  return {
    call: hostCallName(record.call),
    start: record.start,
    duration: record.duration,
    arguments: Object.fromEntries(args) as Record<string, unknown>,
    result: record.result,
    text: hostCallLine(record),
    ...(record.result < 0 && { error: errnoName(record.result) }),
    ...(record.otherThread && { otherThread: true }),
  };
}

/** For JSON.stringify: JSON has no numbers of 64 bits. */
export function bigAsText(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
