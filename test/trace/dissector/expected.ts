/**
 * What the dissector has to show of one message, from the product's own decoder: filter name, place and value of each
 * field. The filter names are spelled out here once more, so that a change of one of them shows.
 */
import type { Node } from '../../../src/protocol/decode';
import { numberAt } from '../../../src/protocol/decode';
import { splitFlags } from '../../../src/protocol/flagTable';
import type { Reply, Request } from '../../../src/protocol/message';
import { notificationName } from '../../../src/protocol/message';
import { printNode } from '../../../src/protocol/print';
import { quote } from '../../../src/protocol/text';
import { FuseAt } from '../../../src/trace/packet';

export interface Expected {
  /** The filter name; '' for a line that is no field. */
  readonly name: string;
  readonly pos: number;
  readonly size: number;
  /** As PDML shows it: a number, or a text. */
  readonly value?: bigint | string;
  /** What the line has to say. */
  readonly words?: string;
}

/** Collects what is expected of one packet whose message, or structures, begin at `base`. */
export class Expectation {
  readonly all: Expected[] = [];

  constructor(readonly base: number = FuseAt.message) {}

  private add(node: Node, name: string, value: bigint | string | undefined, words?: string): void {
    const rest = { ...(value === undefined ? {} : { value }), ...(words === undefined ? {} : { words }) };
    this.all.push({ name, pos: this.base + node.at, size: node.length, ...rest });
  }

  /** A structure's fields, called `prefix.field`. */
  fields(tree: Node, prefix: string): void {
    for (const child of tree.children ?? []) this.field(tree, child, `${prefix}.${child.name}`);
  }

  private field(parent: Node, node: Node, name: string): void {
    const { field } = node;
    if (field?.show === 'padding') return;
    if (node.missing)
      return (this.all.push({ name: '', pos: -1, size: 0, words: `${node.name}: ? (not captured)` }), undefined);
    if (node.children) {
      const isList = field?.length !== undefined;
      for (const child of node.children) this.field(node, child, isList ? name : `${name}.${child.name}`);
      return;
    }
    if (node.value === null || typeof node.value === 'string' || !field) return;
    if (field.validIf && ((numberAt(parent, field.validIf[0]) ?? 0) & field.validIf[1]) === 0) {
      this.add(node, '', undefined, `${node.name}: ${printNode(node)} (does not count, see ${field.validIf[0]})`);
      return;
    }
    this.add(node, name, BigInt(node.value), wordsOf(node));
    if (field.flags) {
      const { rows } = splitFlags(field.flags, node.value);
      for (const row of rows) {
        this.add(node, `${name}.${row.name.toLowerCase()}`, 1n, field.flags.prefix + row.name);
      }
    }
  }

  /** A name, target or other text. */
  text(node: Node, name: string): void {
    if (node.length === 0) return;
    if (node.missing && node.value === '') return;
    if (typeof node.value === 'string') this.add(node, name, node.value, quoted(node.value));
  }
}

/** Long lines are cut by Wireshark, which also shows some characters its own way. */
const quoted = (text: string): string | undefined =>
  /^[\x20-\x5b\x5d-\x7e]*$/.test(text) && text.length < 150 ? quote(text) : undefined;

/** What a person reads beside the number. */
function wordsOf(node: Node): string | undefined {
  const { field } = node;
  if (!field) return undefined;
  const text = printNode(node);
  if (field.flags) return text.length < 180 ? text : undefined;
  if (field.enum) return field.name === 'opcode' ? text.replace(/^FUSE_/, '') : text.replace(/^0x/, '');
  if (field.show === 'mode' || field.show === 'octal') return text;
  if (field.show === 'errno' && Number(node.value) > 0) return undefined;
  if (field.show === 'errno') return text === '0' ? 'OK' : /^E/.test(text) ? text : undefined;
  if (field.show === 'size' || field.show === 'device') return text;
  return undefined;
}

/** Where the fields of a message's structures are found, by the node's place among them. */
export function expectedRequest(request: Request): Expected[] {
  const expected = new Expectation();
  expected.fields(request.header, 'fuse');
  const prefix = `fuse.${request.opcode?.name.toLowerCase()}`;
  for (const node of request.nodes) {
    if (request.structs.includes(node)) expected.fields(node, prefix);
    else if (node.name === 'extensions') extensions(expected, node);
    else if (node === request.payload) payload(expected, node, prefix);
    else if (typeof node.value === 'string') expected.text(node, `fuse.${node.name}`);
    else if (node.name === 'rest') rest(expected, node);
  }
  return expected.all;
}

export function expectedReply(reply: Reply): Expected[] {
  const expected = new Expectation();
  expected.fields(reply.header, 'fuse');
  const prefix =
    reply.kind === 'notification'
      ? `fuse.notify.${notificationName(reply.error).toLowerCase()}`
      : `fuse.${reply.opcode?.name.toLowerCase()}.reply`;
  for (const node of reply.nodes) {
    if (reply.structs.includes(node)) expected.fields(node, prefix);
    else if (node === reply.payload) payload(expected, node, prefix);
    else if (node.name === 'rest') rest(expected, node);
  }
  return expected.all;
}

function rest(expected: Expectation, node: Node): void {
  if (!node.missing) expected.all.push({ name: 'fuse.rest', pos: expected.base + node.at, size: node.length });
}

function payload(expected: Expectation, node: Node, prefix: string): void {
  if (typeof node.value === 'string') return expected.text(node, `${prefix}.data`);
  if (!node.children) {
    if (node.length > 0 && !node.missing) {
      expected.all.push({ name: `${prefix}.data`, pos: expected.base + node.at, size: node.length });
    }
    return;
  }
  for (const child of node.children) {
    if (!child.children) expected.text(child, `${prefix}.name`);
    else {
      expected.fields(child, prefix);
      const name = child.children.find((each) => each.name === 'name' && !each.field);
      if (name) expected.text(name, `${prefix}.name`);
    }
  }
}

function extensions(expected: Expectation, node: Node): void {
  for (const child of node.children ?? []) {
    for (const part of child.children ?? []) {
      const struct = part.name.replace(/^fuse_/, '');
      if (part.name.startsWith('groups[')) {
        const at = { pos: expected.base + part.at, size: part.length, value: BigInt(part.value ?? 0) };
        expected.all.push({ name: 'fuse.supp_groups.groups', ...at });
      } else if (part.children) {
        expected.fields(part, `fuse.${struct}`);
        for (const text of part.children) if (!text.field) expected.text(text, `fuse.secctx.${text.name}`);
      }
    }
    if (child.name === 'fuse_ext_header') expected.fields(child, 'fuse.ext_header');
  }
}
