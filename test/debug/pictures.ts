/** Pictures of a READ, without a target. */
import { Picture, type PictureCall, type PictureFacts } from '../../src/debug/picture';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { machineOf } from '../../src/protocol/machine';
import { read } from './samples';

export const call = (duration: number, more: Partial<PictureCall> = {}): PictureCall => ({
  call: 0,
  arguments: [],
  machine: machineOf('x64'),
  texts: [],
  result: 0,
  duration,
  otherThread: false,
  ...more,
});

export function picture(more: Partial<PictureFacts> = {}): Picture {
  return new Picture({
    thread: 1001,
    name: 'READ',
    opcode: Opcode.READ,
    unique: '812',
    nodeid: '5',
    path: '/d/a.db',
    queue: 1,
    head: 4,
    uid: 1000,
    gid: 1000,
    pid: 4711,
    phase: 'entry',
    requestBytes: read().request,
    replyBytes: undefined,
    session: undefined,
    machine: machineOf('x64'),
    calls: [],
    current: undefined,
    descriptors: undefined,
    inode: undefined,
    handle: undefined,
    sessionFacts: [],
    can: new Set(),
    notes: [],
    ...more,
  });
}

export const answered = (more: Partial<PictureFacts> = {}): Picture =>
  picture({ phase: 'reply', replyBytes: read().reply, latency: 3_000, calls: [call(1_000), call(500)], ...more });
