/** The memory table: regions that come, go and are refused, and what becomes of the rings in them. */
import assert from 'node:assert/strict';
import { Request } from '../../src/protocol/vhostUser/requests';
import { MAX_SLOTS } from '../../src/vhostUser/memoryTable';
import { Conversation, GIB, USER, join, region, table, u32, u64 } from './recordingDevice';

const R = Request;
const { running } = Conversation;

describe('vhost-user memory table', () => {
  it('takes a table of up to eight regions, and replaces it by the next', () => {
    const talk = Conversation.negotiated();
    const many = Array.from({ length: 8 }, (_, i): [number, number, number, number] => [
      i * GIB,
      GIB,
      USER + i * GIB,
      0,
    ]);
    assert.equal(talk.acknowledged(R.SET_MEM_TABLE, table(...many), 8), 0n);
    assert.equal(talk.device.regions.size, 8);
    assert.equal(talk.acknowledged(R.SET_MEM_TABLE, table([0, GIB, USER, 4096]), 1), 0n);
    assert.deepEqual([...talk.device.regions.keys()], [0]);
    assert.equal(talk.done().at(-1), 'add 0+40000000 at 1000');
    talk.end();
  });

  it('an empty table takes all memory away', () => {
    const talk = Conversation.negotiated();
    talk.shareMemory();
    assert.equal(talk.acknowledged(R.SET_MEM_TABLE, table(), 0), 0n);
    assert.equal(talk.device.regions.size, 0);
  });

  it('refuses a bad table and keeps the old one', () => {
    const talk = running();
    const bad: [RegExp, Uint8Array, number][] = [
      [/table of 9 regions/, join(u32(9, 0), new Uint8Array(9 * 32)), 9],
      [/table of 2 regions/, join(u32(2, 0), new Uint8Array(32)), 2],
      [/table of 4294967295 regions/, u32(0xffff_ffff, 0), 1],
      [/1 regions but 0 descriptors/, table([0, GIB, USER, 0]), 0],
      [/bad bounds/, table([0, GIB, USER, 0], [GIB, 0, USER, 0]), 2],
      [/bad bounds/, join(u32(1, 0), u64(2n ** 63n, GIB, USER, 0)), 1],
      [/bad bounds/, join(u32(1, 0), u64(0, 2n ** 64n - 1n, USER, 0)), 1],
      [/bad bounds/, join(u32(1, 0), u64(2 ** 53 - 1, GIB, USER, 0)), 1],
      [/bad bounds/, join(u32(1, 0), u64(0, GIB, 2 ** 53 - 1, 0)), 1],
      [/bad bounds/, join(u32(1, 0), u64(0, GIB, 2n ** 63n, 0)), 1],
      [/bad bounds/, join(u32(1, 0), u64(0, GIB, USER, 2n ** 64n - 4096n)), 1],
      [/bad bounds/, join(u32(1, 0), u64(0, GIB, USER, 2 ** 53 - 1)), 1],
      [/overlap/, table([0, GIB, USER, 0], [GIB - 1, GIB, USER + GIB, 0]), 2],
    ];
    for (const [reason, payload, count] of bad) talk.refuses(reason, R.SET_MEM_TABLE, payload, count);
    assert.deepEqual([talk.device.regions.size, talk.device.running.size], [1, 2]);
    talk.end();
  });

  it('takes regions that touch, in any order', () => {
    const talk = Conversation.negotiated();
    assert.equal(talk.acknowledged(R.SET_MEM_TABLE, table([GIB, GIB, USER, 0], [0, GIB, USER + GIB, 0]), 2), 0n);
    assert.equal(talk.acknowledged(R.ADD_MEM_REG, region(2 * GIB, GIB, USER + 2 * GIB), 1), 0n);
    assert.equal(talk.device.regions.size, 3);
    talk.end();
  });

  it('adds and removes regions one at a time', () => {
    const talk = Conversation.negotiated();
    assert.equal(talk.acknowledged(R.ADD_MEM_REG, region(0, GIB), 1), 0n);
    assert.equal(talk.acknowledged(R.ADD_MEM_REG, region(GIB, GIB, USER + GIB, 4096), 1), 0n);
    assert.equal(talk.acknowledged(R.REM_MEM_REG, region(0, GIB), 0), 0n);
    assert.deepEqual(talk.done(), ['add 0+40000000 at 0', 'add 40000000+40000000 at 1000', 'remove 0']);
    assert.equal(talk.acknowledged(R.REM_MEM_REG, region(GIB, GIB), 1), 0n, 'older QEMUs send a descriptor along');
    talk.end();
  });

  it('refuses regions that overlap, lack a descriptor, or are not there', () => {
    const talk = Conversation.negotiated();
    talk.acknowledged(R.ADD_MEM_REG, region(0, GIB), 1);
    talk.refuses(/overlap/, R.ADD_MEM_REG, region(GIB - 4096, 8192), 1);
    talk.refuses(/no descriptor/, R.ADD_MEM_REG, region(GIB, GIB), 0);
    talk.refuses(/bad bounds/, R.ADD_MEM_REG, region(GIB, 0), 1);
    talk.refuses(/no such region/, R.REM_MEM_REG, region(GIB, GIB), 0);
    talk.refuses(/no such region/, R.REM_MEM_REG, region(0, 4096), 0);
    talk.end();
  });

  it('takes as many slots as it has said, and no more', () => {
    const talk = Conversation.negotiated();
    const add = (i: number) => talk.acknowledged(R.ADD_MEM_REG, region(i * 4096, 4096, USER + i * 4096), 1);
    for (let i = 0; i < MAX_SLOTS; i++) assert.equal(add(i), 0n);
    talk.refuses(/too many/, R.ADD_MEM_REG, region(MAX_SLOTS * 4096, 4096), 1);
    talk.end();
  });

  it('keeps a region in which a running ring lies', () => {
    const talk = running();
    talk.refuses(/running ring/, R.REM_MEM_REG, region(0, GIB), 0);
    talk.say(R.GET_VRING_BASE, u32(0, 0));
    talk.say(R.GET_VRING_BASE, u32(1, 0));
    assert.equal(talk.acknowledged(R.REM_MEM_REG, region(0, GIB), 0), 0n);
  });

  it('knows by each part of a running ring, and by no byte beside it, that a region is in use', () => {
    const talk = Conversation.negotiated();
    const places = [0x10_0000, 0x20_0000, 0x30_0000];
    const regions = [...places, 0x40_0000, 0].map((at) => region(at, 0x10_0000, USER + at));
    for (const one of regions) assert.equal(talk.acknowledged(R.ADD_MEM_REG, one, 1), 0n);
    const [descriptors, used, avail] = places.map((at) => USER + at);
    talk.say(R.SET_VRING_NUM, u32(0, 64));
    talk.say(R.SET_VRING_ADDR, join(u32(0, 0), u64(descriptors, used, avail, 0)));
    talk.say(R.SET_VRING_KICK, u64(0), 1);
    assert.equal(talk.acknowledged(R.SET_VRING_ENABLE, u32(0, 1)), 0n);
    for (const one of regions.slice(0, 3)) talk.refuses(/running ring/, R.REM_MEM_REG, one, 0);
    for (const one of regions.slice(3)) assert.equal(talk.acknowledged(R.REM_MEM_REG, one, 0), 0n);
    talk.end();
  });

  it('rings stop for a new table and go on in it where they were', () => {
    const talk = running();
    talk.device.running.set(1, 41);
    talk.shareMemory();
    assert.deepEqual(talk.done(), [
      'stop 0',
      'stop 1',
      'remove 0',
      'add 0+40000000 at 0',
      'start 0 size 128 base 0 event',
      'start 1 size 128 base 41 event',
    ]);
    talk.end();
  });

  it('a table that cannot be mapped leaves nothing; the next one that can brings the rings back', () => {
    const talk = running();
    talk.device.refuseRegion = (guest) => (guest > 0 ? 'no' : undefined);
    assert.notEqual(talk.acknowledged(R.SET_MEM_TABLE, table([0, GIB, USER, 0], [GIB, GIB, USER + GIB, 0]), 2), 0n);
    assert.deepEqual([talk.device.regions.size, talk.device.running.size], [0, 0]);
    talk.shareMemory();
    assert.deepEqual([talk.device.regions.size, talk.device.running.size], [1, 2]);
    talk.end();
  });
});
