/**
 * Parts of another share's DAX window, of which QEMU tells this share's daemon as of any memory: files that the guest
 * may shorten through the other share while this one's requests lie in them.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import * as wire from '../../src/protocol/fuse/structs';
import { pack } from '../driver/pack';
import { Cell, ROOT, type Victim, needCell } from './cell';
import { settled, until } from './patience';

const MEMORY = 32 << 20;
const REQUEST = MEMORY - 65536;
const WINDOW = 2 ** 38;
const SIZE = 2 << 20;
const OUT_HEADER = 16;
const EFAULT = -14;

describe('a part of another share’s DAX window', () => {
  let cell: Cell;
  let victim: Victim;
  let fd: number;

  before(async function () {
    needCell(this);
    cell = new Cell();
    fd = fs.openSync(path.join(cell.share, 'mapped'), 'w+');
    fs.ftruncateSync(fd, SIZE);
    fs.writeFileSync(path.join(cell.share, 'file'), 'abcdefgh');
    const device = { regions: [MEMORY], requestQueues: 2, memory: 'slots' } as const;
    victim = await cell.attack({ arguments: ['--queues', '2'], device, largest: 65536 });
    const region = { guestAddress: WINDOW, size: SIZE, userAddress: 2 ** 41, mapOffset: 0, fd };
    assert.equal(victim.device.frontEnd.addMemory(region), 0n);
  });
  after(() => cell?.close());

  /** READs eight bytes into the window; the used length and the reply's errno. */
  async function read(requestAt = REQUEST): Promise<number[]> {
    const { calls, device } = victim;
    const { nodeid } = calls.lookup(ROOT, 'file');
    const { fh } = calls.open(nodeid, 0);
    const args = pack(wire.ReadIn, { fh, size: 8 });
    const header = { len: 40 + args.length, opcode: Opcode.READ, unique: 4, nodeid };
    const { arena } = device.memory[0];
    arena.u8.set(pack(wire.InHeader, header), REQUEST);
    arena.u8.set(args, REQUEST + 40);
    arena.setU32(REQUEST + 4100, 0);
    const ring = device.ring(2);
    const head = ring.chain([
      { address: requestAt, length: header.len, write: false },
      { address: REQUEST + 4096, length: OUT_HEADER, write: true },
      { address: WINDOW, length: 8, write: true },
    ]);
    ring.offer(head);
    if (ring.publish()) device.kick(2);
    await until('it to come back', () => ring.take() >= 0);
    ring.free(head);
    return [ring.usedLength, arena.getI32(REQUEST + 4100)];
  }

  it('takes data, as other memory does', async () => {
    assert.deepEqual(await read(), [OUT_HEADER + 8, 0]);
    assert.equal(fs.readFileSync(path.join(cell.share, 'mapped'), 'latin1').slice(0, 8), 'abcdefgh');
    cell.checkHealth(victim);
  });

  it('costs no more than the requests that lie in it when it is shortened', async () => {
    fs.ftruncateSync(fd, 0);
    assert.deepEqual(await read(), [OUT_HEADER, EFAULT]);
    assert.deepEqual(await read(WINDOW), [0, 0], 'no request can be read there');
    await settled();
    cell.checkHealth(victim);
  });
});
