/**
 * A vhost-user message as text: `-> SET_MEM_TABLE nregions=1 … fds=1`, from the tables of protocol/vhostUser.
 *
 * A message to the front-end is an answer when its REPLY flag says so; else it is a request of the back-end's own
 * channel, as is everything that a capture says to be of it. Takes whatever bytes there are.
 */
import { decodeStruct, numberAt, type Node } from '../protocol/decode';
import { printFlags, printNode } from '../protocol/print';
import type { StructTable } from '../protocol/struct';
import {
  backendRequestRow,
  protocolFeatureBits,
  Request,
  requestRow,
  type RequestRow,
} from '../protocol/vhostUser/requests';
import { Header, HeaderFlag, headerFlags, Memory, MemoryRegion, U64 } from '../protocol/vhostUser/structs';
import { featureBits, featureNames } from '../protocol/virtio/fs';
import type { ControlMessage } from './capture';

export interface DecodedControl {
  readonly name: string;
  readonly answer: boolean;
  /** The header, the payload's structure, regions. */
  readonly nodes: readonly Node[];
  /** `name=value` of what the payload says. */
  readonly facts: readonly string[];
}

export function decodeControl(message: ControlMessage): DecodedControl {
  const { bytes } = message;
  const header = decodeStruct(Header, bytes);
  const id = numberAt(header, 'request') ?? 0;
  const flags = numberAt(header, 'flags') ?? 0;
  const answer = (flags & HeaderFlag.REPLY) !== 0;
  const own = message.backEndChannel !== true && (message.fromFrontEnd || answer);
  const row = own ? requestRow(id) : backendRequestRow(id);
  const payload = bytes.subarray(Math.min(bytes.length, Header.size));
  const tables = row && payload.length > 0 ? layout(row, answer, payload) : [];
  const nodes: Node[] = [header];
  let at = Header.size;
  for (const table of tables) {
    nodes.push(decodeStruct(table, bytes, at, Math.min(table.size, bytes.length - at)));
    at += table.size;
  }
  const name = `${own ? '' : 'BACKEND_'}${row?.name ?? `request ${id}`}`;
  return { name, answer, nodes, facts: nodes.slice(1).flatMap((node) => facts(node, id)) };
}

/** What the payload is made of; an answer to a request that has none of its own is the u64 of REPLY_ACK. */
function layout(row: RequestRow, answer: boolean, payload: Uint8Array): StructTable[] {
  const first = answer ? (row.reply ?? U64) : row.payload;
  if (first === null) return [];
  if (first.name !== Memory.name) return [first];
  const regions = Math.floor(Math.max(0, payload.length - Memory.size) / MemoryRegion.size);
  return [first, ...Array.from({ length: regions }, () => MemoryRegion)];
}

function facts(tree: Node, id: number): string[] {
  return (tree.children ?? []).flatMap((child) => {
    if (child.field?.show === 'padding' || child.missing) return [];
    if (child.field?.length === undefined && child.children) return facts(child, id);
    if (child.children) return [`${child.name}=[${child.children.length}]`];
    const features = child.name === 'u64' && typeof child.value === 'bigint' ? namedBits(id, child.value) : undefined;
    return [`${child.name}=${features ?? printNode(child)}`];
  });
}

function namedBits(id: number, value: bigint): string | undefined {
  const protocol = id === Request.GET_PROTOCOL_FEATURES || id === Request.SET_PROTOCOL_FEATURES;
  if (!protocol && id !== Request.GET_FEATURES && id !== Request.SET_FEATURES) return undefined;
  const names = featureNames(protocol ? protocolFeatureBits : featureBits, value);
  return names.join('|').replaceAll(' ', '') || '0';
}

/** `<- ` to the front-end, `-> ` from it, as seen from the front-end's side of the socket. */
export function controlLine(message: ControlMessage): string {
  const { name, answer, nodes, facts: words } = decodeControl(message);
  const flags = (numberAt(nodes[0], 'flags') ?? 0) & ~(HeaderFlag.VERSION | HeaderFlag.REPLY);
  return [
    message.fromFrontEnd ? '->' : '<-',
    answer ? `${name} answer` : name,
    ...words,
    ...(flags === 0 ? [] : [printFlags(headerFlags, flags)]),
    ...(message.descriptors === 0 ? [] : [`fds=${message.descriptors}`]),
  ].join(' ');
}
