/**
 * The decoded request as a text, which is the source that is shown while it is stepped: its descriptor chain, its
 * fields, its handler, the host calls made for it, its reply; and at which line each of them is.
 */
import type { Node } from '../protocol/decode';
import { printNode } from '../protocol/print';
import { quote } from '../protocol/text';
import { hexDump } from '../trace/hexDump';
import { hostCallWords, hostResult } from '../trace/hostCallLine';
import { printDuration } from '../trace/times';
import { numbered, type Picture, type PictureCall } from './picture';

export interface RequestText {
  readonly text: string;
  /** From 1. */
  readonly lines: {
    readonly chain: number;
    readonly request: number;
    readonly handler: number;
    readonly calls: readonly number[];
    readonly reply: number;
  };
}

/** Data shown, and entries of a list. */
const MOST_DATA = 256;
const MOST_NODES = 200;

export function requestText(picture: Picture): RequestText {
  const { facts, request } = picture;
  const lines: string[] = [];
  const add = (line: string): number => lines.push(line);
  add(`# ${numbered(facts)}${facts.path === '' ? '' : ` ${quote(facts.path)}`}`);
  if (request.opcode) add(`# ${request.opcode.doc}`);
  add(
    `# pid=${facts.pid} uid=${facts.uid} gid=${facts.gid}, queue ${facts.queue}${facts.head === undefined ? '' : `, head ${facts.head}`}`,
  );
  for (const note of facts.notes) add(`# ${note}`);
  add('');
  const chain = add('descriptors');
  if (facts.descriptors === undefined) add('  # a capture does not have them');
  for (const { address, length, writable } of facts.descriptors ?? []) {
    add(
      `  0x${address.toString(16).padStart(9, '0')}  ${String(length).padStart(7)} bytes  ${writable ? 'reply' : 'request'}`,
    );
  }
  add('');
  const requestLine = add(`request  # ${request.length} bytes`);
  addNodes(lines, request.nodes, facts.requestBytes);
  for (const problem of request.problems) add(`  # ${problem}`);
  add('');
  const handler = add(`handler ${facts.name}`);
  const calls = facts.calls.map((call) => add(`  ${callLine(call)}`));
  add('');
  const reply = addReply(picture, lines);
  return { text: `${lines.join('\n')}\n`, lines: { chain, request: requestLine, handler, calls, reply } };
}

export function callLine(call: PictureCall): string {
  const words = hostCallWords(call);
  if (call.result === undefined) return `${words}${call.otherThread ? '  # on another thread' : ''}`;
  const where = call.otherThread ? ', other thread' : '';
  return `${words} = ${hostResult(call.result)}  # ${printDuration(call.duration)}${where}`;
}

function addReply(picture: Picture, lines: string[]): number {
  const { reply, facts } = picture;
  if (reply === undefined) return lines.push('reply  # not there yet');
  const at = lines.push(`reply  # ${reply.length} bytes${picture.error === undefined ? '' : `, ${picture.error}`}`);
  addNodes(lines, reply.nodes, facts.replyBytes ?? new Uint8Array(0));
  for (const problem of reply.problems) lines.push(`  # ${problem}`);
  return at;
}

function addNodes(lines: string[], nodes: readonly Node[], bytes: Uint8Array, depth = 1): void {
  const indent = '  '.repeat(depth);
  const shown = nodes.slice(0, MOST_NODES).filter((node) => node.field?.show !== 'padding');
  const widest = Math.max(0, ...shown.filter((node) => node.children === undefined).map(({ name }) => name.length));
  for (const node of shown) {
    if (node.children !== undefined) {
      lines.push(`${indent}${node.name}${typeof node.value === 'string' ? ` ${quote(node.value)}` : ''}`);
      addNodes(lines, node.children, bytes, depth + 1);
    } else if (node.value === null && node.field === undefined) {
      addData(lines, node, bytes, indent);
    } else lines.push(`${indent}${node.name.padEnd(widest)} = ${printNode(node)}`);
  }
  if (nodes.length > MOST_NODES) lines.push(`${indent}# and ${nodes.length - MOST_NODES} more`);
}

function addData(lines: string[], { name, at, length }: Node, bytes: Uint8Array, indent: string): void {
  lines.push(`${indent}${name}  # ${length} bytes`);
  const there = bytes.subarray(at, Math.min(at + length, at + MOST_DATA));
  for (const line of hexDump(there, [])) lines.push(`${indent}  ${line}`);
  if (length > there.length) lines.push(`${indent}  # and ${length - there.length} more`);
}
