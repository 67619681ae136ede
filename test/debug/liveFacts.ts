/** What a daemon tells of requests that it holds, without a daemon. */
import type { Held, RequestFacts } from '../../src/control/debug';
import { Opcode } from '../../src/protocol/fuse/opcodes';

export const heldRequest = (more: Partial<Held> = {}): Held => ({
  request: 1,
  opcode: Opcode.READ,
  name: 'READ',
  unique: '812',
  nodeid: '5',
  path: '/a.db',
  queue: 1,
  head: 0,
  uid: 1000,
  gid: 1000,
  pid: 4711,
  phase: 'entry',
  inHandler: false,
  why: { kind: 'breakpoint', ids: [1], text: '' },
  waited: 0,
  since: 0,
  changed: false,
  ...more,
});

export const requestFacts = (more: Partial<RequestFacts> = {}): RequestFacts => ({
  held: heldRequest(),
  requestBytes: 0,
  replyBytes: 0,
  replyRoom: 0,
  session: { started: false, minor: 0, flags: 0, flags2: 0, maxWrite: 0, cache: 'auto', inodes: 1, handles: 0 },
  calls: [],
  can: [],
  ...more,
});
