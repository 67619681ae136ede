/** What the dissector has to show of host calls and vhost-user messages, from the protocol's tables. */
import { decodeStruct, numberAt, type Node } from '../../../src/protocol/decode';
import { splitFlags, tableOn } from '../../../src/protocol/flagTable';
import { hostCalls } from '../../../src/protocol/hostCalls';
import type { StructTable } from '../../../src/protocol/struct';
import { decodeText } from '../../../src/protocol/text';
import { backendRequestRow, requestRow } from '../../../src/protocol/vhostUser/requests';
import * as v from '../../../src/protocol/vhostUser/structs';
import { HostCallAt, HostCallFlag, MAX_ARGUMENTS, VhostUserAt, VhostUserFlag } from '../../../src/trace/packet';
import { Expectation, type Expected } from './expected';

export interface OfPacket {
  readonly kind: string;
  readonly fields: Expected[];
}

export function expectedHostCall(packet: Uint8Array): OfPacket {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const row = hostCalls[view.getUint16(HostCallAt.call, true)];
  const count = view.getUint32(HostCallAt.count, true);
  const isArm64 = (view.getUint16(HostCallAt.flags, true) & HostCallFlag.ARM64) !== 0;
  const machine = isArm64 ? 'arm64' : 'x86-64';
  const number = (name: string, pos: number, size: number, value: number | bigint): Expected => {
    return { name: `hostcall.${name}`, pos, size, value: BigInt(value) };
  };
  const fields = [
    number('queue', HostCallAt.queue, 2, view.getUint16(HostCallAt.queue, true)),
    number('head', HostCallAt.head, 4, view.getUint32(HostCallAt.head, true)),
    number('call', HostCallAt.call, 2, view.getUint16(HostCallAt.call, true)),
    number('count', HostCallAt.count, 4, count),
    number('result', HostCallAt.result, 8, view.getBigInt64(HostCallAt.result, true)),
  ];
  let text = HostCallAt.arguments + 8 * Math.min(count, MAX_ARGUMENTS);
  for (let i = 0; i < Math.min(count, MAX_ARGUMENTS); i++) {
    const place = HostCallAt.arguments + 8 * i;
    const of = row?.arguments[i];
    if (place + 8 > packet.length) break;
    if (of?.kind === 'path') {
      const nul = packet.indexOf(0, text);
      const end = nul < 0 ? packet.length : nul;
      const value = decodeText(packet, text, end - text);
      if (text < packet.length)
        fields.push({ name: `hostcall.${row.name}.${of.name}`, pos: text, size: end + 1 - text, value });
      text = nul < 0 ? packet.length : nul + 1;
      continue;
    }
    const value = view.getBigInt64(place, true);
    fields.push(number(of ? `${row.name}.${of.name}` : 'argument', place, 8, value));
    if (!of?.flags) continue;
    for (const bit of splitFlags(tableOn(of.flags, machine), value).rows) {
      fields.push(number(`${row.name}.${of.name}.${bit.name.toLowerCase()}`, place, 8, 1));
    }
  }
  return { kind: row?.name ?? 'unknown call', fields };
}

export function expectedVhostUser(packet: Uint8Array): OfPacket {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const expected = new Expectation(0);
  const header = decodeStruct(v.Header, packet, VhostUserAt.message);
  expected.fields(header, 'vhost_user');
  const isReply = ((numberAt(header, 'flags') ?? 0) & v.HeaderFlag.REPLY) !== 0;
  const direction = view.getUint16(VhostUserAt.direction, true);
  const backend =
    (direction & VhostUserFlag.BACK_END_CHANNEL) !== 0 || ((direction & VhostUserFlag.TO_FRONT_END) !== 0) !== isReply;
  const id = numberAt(header, 'request') ?? 0;
  const row = backend ? backendRequestRow(id) : requestRow(id);
  const from = VhostUserAt.message + v.Header.size;
  const left = Math.min(packet.length - from, numberAt(header, 'size') ?? 0);
  const table: StructTable | null | undefined = isReply ? (row?.reply ?? v.U64) : row?.payload;
  if (row && table && left > 0) {
    const prefix = table === v.U64 ? 'vhost_user' : `vhost_user${backend ? '.backend' : ''}.${row.name.toLowerCase()}`;
    const tree: Node = decodeStruct(table, packet, from, left);
    expected.fields(tree, prefix);
    if (table === v.Memory && left >= v.Memory.size) {
      const count = Math.min(numberAt(tree, 'nregions') ?? 0, v.MAX_TABLE_REGIONS);
      for (let i = 0, at = from + v.Memory.size; i < count && at + v.MemoryRegion.size <= from + left; i++) {
        expected.fields(decodeStruct(v.MemoryRegion, packet, at), 'vhost_user.region');
        at += v.MemoryRegion.size;
      }
    }
  }
  return { kind: `${row?.name ?? 'unknown request'}${isReply ? ' reply' : ''}`, fields: expected.all };
}
