/**
 * What a field's values in a row are, looked up slowly in the decoder's trees by the field's name: the reference that
 * the filter's own readers are compared with. Nothing of src/trace/filter is used here.
 */
import { find, type Node, type Value } from '../../../src/protocol/decode';
import { decodeReply, decodeRequest, type Message } from '../../../src/protocol/message';
import type { Line } from './tableRows';

export type Found = number | bigint | string;

/** Values of `opcode.field` or `opcode.reply.field`; none when the row does not have it. */
export function valuesIn(line: Line, name: string): Found[] {
  const [owner, ...rest] = name.split('.');
  if (!line.request) return [];
  const request = decodeRequest(line.request, line.session);
  if (request.opcode?.name !== owner.toUpperCase()) return [];
  if (rest[0] !== 'reply') {
    const index = request.opcode.names.indexOf(rest.join('.'));
    return index < 0 ? inMessage(request, rest.join('.')) : nameIn(request, rest.join('.'));
  }
  if (!line.reply) return [];
  const reply = decodeReply(line.reply, request, line.session);
  if (reply.kind !== 'reply' || reply.error !== 0) return [];
  return inMessage(reply, rest.slice(1).join('.'));
}

function nameIn({ nodes }: Message, label: string): Found[] {
  const [node] = nodes.filter((each) => each.name === label && each.field === undefined && !each.children);
  return node && !node.missing && node.length > 0 && typeof node.value === 'string' ? [node.value] : [];
}

function inMessage({ structs, payload }: Message, path: string): Found[] {
  const inStructs = structs.flatMap((tree) => scalar(tree, path));
  if (inStructs.length > 0) return inStructs;
  if (!payload) return [];
  if (path === 'target' && typeof payload.value === 'string' && !payload.missing) return [payload.value];
  return (payload.children ?? []).flatMap((each) => {
    if (each.children) return scalar(each, path);
    return path === 'name' && !each.missing ? present(each.value) : [];
  });
}

function scalar(tree: Node, path: string): Found[] {
  const node = find(tree, path);
  if (!node || node.missing || node.children) return [];
  const condition = node.field?.validIf;
  if (condition) {
    const flags = find(tree, condition[0])?.value;
    if (typeof flags !== 'number' || (flags & condition[1]) === 0) return [];
  }
  return present(node.value);
}

const present = (value: Value): Found[] => (value === null ? [] : [value]);
