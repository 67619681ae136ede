/**
 * A message's bytes with what each group of them is: offset, bytes, field, value; bytes that no field covers as text.
 *
 * Works on the tree of nodes that the decoder gives, and on however many of the bytes were captured.
 */
import type { Node } from '../protocol/decode';
import { printNode } from '../protocol/print';

const PER_LINE = 16;
const BYTES_WIDTH = PER_LINE * 3 - 1;

/** Lines for `bytes`; `nodes` lie in order, as in `Message.nodes`. */
export function hexDump(bytes: Uint8Array, nodes: readonly Node[]): string[] {
  const lines: string[] = [];
  let at = 0;
  const raw = (end: number): void => {
    const to = Math.min(end, bytes.length);
    for (; at < to; at += PER_LINE) lines.push(row(bytes, at, Math.min(to, at + PER_LINE), undefined));
    at = Math.max(to, Math.min(at, to));
  };
  for (const { node, name } of leaves(nodes, '')) {
    if (node.at >= bytes.length) break;
    // A record that says it begins inside of another one is shown where its own bytes begin.
    if (node.at + node.length <= at) continue;
    raw(node.at);
    const value = printNode(node);
    if (node.value === null && !node.field) {
      raw(node.at + node.length);
      continue;
    }
    const text = node.field?.show === 'padding' ? `${name} (unused)` : `${name} = ${value}`;
    const end = Math.min(node.at + node.length, bytes.length);
    lines.push(row(bytes, at, Math.min(end, at + PER_LINE), text));
    at = Math.min(end, at + PER_LINE);
    raw(end);
  }
  raw(bytes.length);
  return lines;
}

function* leaves(nodes: readonly Node[], prefix: string): Generator<{ node: Node; name: string }> {
  for (const node of nodes) {
    const name = prefix === '' ? node.name : `${prefix}.${node.name}`;
    if (node.children && node.children.length > 0) yield* leaves(node.children, name);
    else yield { node, name };
  }
}

function row(bytes: Uint8Array, from: number, to: number, annotation: string | undefined): string {
  let hex = '';
  let text = '';
  for (let i = from; i < to; i++) {
    hex += `${i === from ? '' : ' '}${bytes[i].toString(16).padStart(2, '0')}`;
    text += bytes[i] >= 0x20 && bytes[i] < 0x7f ? String.fromCharCode(bytes[i]) : '.';
  }
  return `${from.toString(16).padStart(6, '0')}  ${hex.padEnd(BYTES_WIDTH)}  ${annotation ?? `|${text}|`}`;
}
