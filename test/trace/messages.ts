/** Packets with the smallest FUSE messages in them, for tests of what is done with packets. */
import { InHeader, OutHeader } from '../../src/protocol/fuse/structs';
import type { Packet } from '../../src/trace/packet';
import { pack } from '../driver/pack';

type Fields = Partial<Omit<Packet, 'direction' | 'message'>>;

function packet(direction: Packet['direction'], message: Uint8Array, fields: Fields): Packet {
  return { time: 0n, taken: 0n, queue: 1, head: 0, length: message.length, ...fields, direction, message };
}

/** A request with 64 bytes of arguments that are all zero. */
export function request(opcode: number, fields: Fields): Packet {
  const message = new Uint8Array(InHeader.size + 64);
  message.set(pack(InHeader, { len: message.length, opcode, unique: 2, nodeid: 1 }));
  return packet('request', message, fields);
}

/** A reply without a body. */
export function reply(error: number, fields: Fields): Packet {
  return packet('reply', pack(OutHeader, { len: OutHeader.size, error, unique: 2 }), fields);
}
