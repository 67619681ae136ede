/** Rings: what starts them, what stops them, what they may not be. */
import assert from 'node:assert/strict';
import { Request } from '../../src/protocol/vhostUser/requests';
import { Conversation, F_VERSION_1, GIB, USER, join, table, u32, u64 } from './recordingDevice';

const R = Request;
const { running } = Conversation;

describe('vhost-user rings', () => {
  it('start once they have size, addresses, a kick and are enabled, in QEMU’s order and in UML’s', () => {
    const talk = Conversation.negotiated();
    talk.shareMemory();
    talk.done();
    talk.startRing(1, 7, 1024);
    assert.deepEqual(talk.done(), ['call 1 set', 'start 1 size 1024 base 7 event']);
    // UML: enabled before anything else is known.
    talk.say(R.SET_VRING_ENABLE, u32(0, 1));
    talk.say(R.SET_VRING_NUM, u32(0, 128));
    talk.say(R.SET_VRING_ADDR, join(u32(0, 0), u64(USER, USER + 0x8000, USER + 0x4000, 0)));
    assert.deepEqual(talk.done(), []);
    talk.say(R.SET_VRING_KICK, u64(0), 1);
    assert.deepEqual(talk.done(), ['start 0 size 128 base 0 event']);
    talk.end();
  });

  it('are enabled from the start without protocol features', () => {
    const talk = new Conversation();
    talk.say(R.SET_FEATURES, u64(F_VERSION_1));
    talk.say(R.SET_MEM_TABLE, table([0, GIB, USER, 0]), 1);
    talk.say(R.SET_VRING_NUM, u32(0, 64));
    talk.say(R.SET_VRING_ADDR, join(u32(0, 0), u64(USER, USER + 0x8000, USER + 0x4000, 0)));
    talk.say(R.SET_VRING_KICK, u64(0), 1);
    assert.equal(talk.done().at(-1), 'start 0 size 64 base 0', 'and EVENT_IDX only where it is agreed on');
    talk.end();
  });

  it('GET_VRING_BASE stops a ring, tells where it stopped, and gives its descriptors back', () => {
    const talk = running();
    talk.device.running.set(1, 0xfffe);
    const open = talk.device.open.size;
    assert.deepEqual(talk.say(R.GET_VRING_BASE, u32(1, 0)), u32(1, 0xfffe));
    assert.equal(talk.device.open.size, open - 2, 'kick and call are closed');
    assert.deepEqual(talk.say(R.GET_VRING_BASE, u32(1, 0)), u32(1, 0xfffe), 'and again');
    talk.startRing(1, 0xfffe);
    assert.deepEqual(talk.done(), ['stop 1', 'start 1 size 128 base 65534 event', 'call 1 set']);
    talk.end();
  });

  it('stop when they are disabled and go on when enabled', () => {
    const talk = running();
    talk.device.running.set(1, 5);
    talk.say(R.SET_VRING_ENABLE, u32(1, 0));
    talk.say(R.SET_VRING_ENABLE, u32(1, 0));
    talk.say(R.SET_VRING_ENABLE, u32(1, 1));
    assert.deepEqual(talk.done(), ['stop 1', 'start 1 size 128 base 5 event']);
  });

  it('go on with a new kick', () => {
    const talk = running();
    talk.device.running.set(0, 3);
    assert.equal(talk.acknowledged(R.SET_VRING_KICK, u64(0), 1), 0n);
    assert.deepEqual(talk.done(), ['stop 0', 'start 0 size 128 base 3 event']);
    talk.end();
  });

  it('a call may be replaced or taken away while the ring runs', () => {
    const talk = running();
    assert.equal(talk.acknowledged(R.SET_VRING_CALL, u64(1), 1), 0n);
    assert.equal(talk.acknowledged(R.SET_VRING_CALL, u64(1 | 0x100), 0), 0n);
    assert.deepEqual(talk.done(), ['call 1 set', 'call 1 none']);
    talk.end();
  });

  it('an error descriptor is taken and closed', () => {
    const talk = running();
    const open = talk.device.open.size;
    assert.equal(talk.acknowledged(R.SET_VRING_ERR, u64(1), 1), 0n);
    assert.equal(talk.device.open.size, open);
  });

  it('refuses what no ring can be', () => {
    const talk = Conversation.negotiated();
    for (const size of [0, 3, 100, 65536, 0xffff_ffff]) talk.refuses(/entries/, R.SET_VRING_NUM, u32(0, size));
    talk.refuses(/base/, R.SET_VRING_BASE, u32(0, 65536));
    const place = (descriptors: bigint, used: bigint, avail: bigint) =>
      join(u32(0, 0), u64(descriptors, used, avail, 0));
    talk.refuses(/out of line/, R.SET_VRING_ADDR, place(8n, 0n, 0n));
    talk.refuses(/out of line/, R.SET_VRING_ADDR, place(16n, 2n, 0n));
    talk.refuses(/out of line/, R.SET_VRING_ADDR, place(16n, 4n, 1n));
    talk.refuses(/above 2\^53/, R.SET_VRING_ADDR, place(2n ** 63n, 0n, 0n));
    talk.refuses(/above 2\^53/, R.SET_VRING_ADDR, place(0n, 2n ** 63n, 0n));
    talk.refuses(/above 2\^53/, R.SET_VRING_ADDR, place(0n, 0n, 2n ** 63n));
    for (const request of [R.SET_VRING_KICK, R.SET_VRING_CALL]) talk.refuses(/no descriptor/, request, u64(0), 0);
    talk.refuses(/polled/, R.SET_VRING_KICK, u64(0x100), 0);
    talk.end();
  });

  it('may be as large as virtio has them, and begin anywhere in 16 bits', () => {
    const talk = Conversation.negotiated();
    for (const size of [1, 32768]) assert.equal(talk.acknowledged(R.SET_VRING_NUM, u32(0, size)), 0n);
    assert.equal(talk.acknowledged(R.SET_VRING_BASE, u32(0, 0xffff)), 0n);
    assert.deepEqual(talk.say(R.GET_VRING_BASE, u32(0, 0)), u32(0, 0xffff));
    talk.end();
  });

  it('refuses rings that are not there', () => {
    const talk = Conversation.negotiated();
    const numbered = [R.SET_VRING_NUM, R.SET_VRING_BASE, R.SET_VRING_ENABLE, R.GET_VRING_BASE];
    for (const request of numbered) talk.refuses(/no ring 2/, request, u32(2, 1));
    for (const request of [R.SET_VRING_KICK, R.SET_VRING_CALL, R.SET_VRING_ERR])
      talk.refuses(/no ring 2/, request, u64(2), 1);
    talk.refuses(/no ring 4294967295/, R.SET_VRING_ADDR, join(u32(0xffff_ffff, 0), u64(0, 0, 0, 0)));
    talk.end();
  });

  it('refuses to change a ring that runs', () => {
    const talk = running();
    talk.refuses(/runs/, R.SET_VRING_NUM, u32(1, 64));
    talk.refuses(/runs/, R.SET_VRING_BASE, u32(1, 0));
    talk.refuses(/runs/, R.SET_VRING_ADDR, join(u32(1, 0), u64(USER, USER, USER, 0)));
    assert.equal(talk.device.running.size, 2);
    talk.end();
  });

  it('a ring that the device refuses does not run; the front-end is told why', () => {
    const talk = Conversation.negotiated();
    talk.shareMemory();
    talk.device.refuseRing = 'ring 0 is not in the memory table';
    talk.say(R.SET_VRING_NUM, u32(0, 128));
    talk.say(R.SET_VRING_ADDR, join(u32(0, 0), u64(USER, USER, USER, 0)));
    talk.say(R.SET_VRING_KICK, u64(0), 1);
    talk.refuses(/not in the memory table/, R.SET_VRING_ENABLE, u32(0, 1));
    assert.equal(talk.device.running.size, 0);
    talk.end();
  });
});
