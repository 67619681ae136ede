/** Requests that a scripted daemon holds. */
import { encodeReply, encodeRequest, encodeStruct } from '../../src/protocol/encode';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { OpenIn, OpenOut, ReadIn } from '../../src/protocol/fuse/structs';
import { hostCallNumber } from '../../src/protocol/hostCalls';
import { openFlags } from '../../src/protocol/fuse/flags';
import type { Scripted } from './scriptedDaemon';

const caller = { uid: 1000, gid: 1000, pid: 4711 };
const { RDWR, CREAT } = openFlags.value;

export const inode = {
  nodeid: '5',
  path: '/a.db',
  type: 'file',
  lookups: 1,
  generation: 1,
  ino: '1234',
  device: '66306',
  mount: '29',
  descriptor: 12,
};

export const handle = { fh: '3', nodeid: '5', kind: 'file', flags: RDWR, generation: 1, descriptor: 14 } as const;

export const read = (unique = 812): Scripted => ({
  request: encodeRequest(
    { opcode: Opcode.READ, unique, nodeid: 5, ...caller },
    encodeStruct(ReadIn, { fh: 3, offset: 4096, size: 8 }),
  ),
  reply: encodeReply(unique, 0, Uint8Array.from([0x73, 0x71, 0x6c, 0x69, 0x74, 0x65, 0x20, 0x33])),
  path: '/a.db',
  inode,
  handle,
  calls: [
    {
      call: hostCallNumber['preadv2'],
      name: 'preadv2',
      arguments: ['14', '0', '1', '4096', '8'],
      texts: [],
      result: -11,
      otherThread: false,
      milliseconds: 0.002,
    },
    {
      call: hostCallNumber['preadv'],
      name: 'preadv',
      arguments: ['14', '0', '1', '4096'],
      texts: [],
      result: 8,
      otherThread: true,
      milliseconds: 0.05,
    },
  ],
});

export const open = (unique = 900): Scripted => ({
  request: encodeRequest({ opcode: Opcode.OPEN, unique, nodeid: 5, ...caller }, encodeStruct(OpenIn, { flags: RDWR })),
  reply: encodeReply(unique, 0, encodeStruct(OpenOut, { fh: 3 })),
  path: '/a.db',
  inode,
});

export const lookup = (unique = 7, name = 'a.db'): Scripted => ({
  request: encodeRequest({ opcode: Opcode.LOOKUP, unique, nodeid: 1, ...caller }, name),
  reply: encodeReply(unique, -2),
  path: `/${name}`,
});

export { CREAT };
