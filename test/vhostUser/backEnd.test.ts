/** The back-end's side of vhost-user, message by message: what is offered, what each does, what is refused and why. */
import assert from 'node:assert/strict';
import { Request } from '../../src/protocol/vhostUser/requests';
import { MAX_SLOTS } from '../../src/vhostUser/backEnd';
import { CONFIG_SIZE, configSpace } from '../../src/vhostUser/configSpace';
import {
  Conversation,
  F_EVENT_IDX,
  F_INDIRECT,
  F_PROTOCOL_FEATURES,
  F_VERSION_1,
  join,
  u32,
  u64,
} from './recordingDevice';

const R = Request;
const USER = 0x7f00_0000_0000;
const GIB = 1 << 30;

/** ADD_MEM_REG and REM_MEM_REG. */
const region = (
  guest: number | bigint,
  size: number | bigint,
  user: number | bigint = USER,
  offset: number | bigint = 0,
) => u64(0, guest, size, user, offset);
const table = (...regions: [guest: number, size: number, user: number, offset: number][]): Uint8Array =>
  join(u32(regions.length, 0), ...regions.map((one) => u64(...one)));

function running(options: Partial<{ requestQueues: number }> = {}): Conversation {
  const talk = Conversation.negotiated(undefined, options);
  talk.shareMemory();
  talk.startRing(0);
  talk.startRing(1);
  talk.done();
  return talk;
}

describe('vhost-user back-end', () => {
  describe('negotiation', () => {
    it('offers VIRTIO 1, EVENT_IDX, indirect descriptors and protocol features', () => {
      const offered = F_VERSION_1 | F_EVENT_IDX | F_INDIRECT | F_PROTOCOL_FEATURES;
      assert.equal(new Conversation().number(R.GET_FEATURES), offered);
    });

    it('takes any part of them and nothing else', () => {
      const talk = Conversation.negotiated();
      assert.equal(talk.acknowledged(R.SET_FEATURES, u64(F_VERSION_1)), 0n);
      talk.refuses(/0x4000000000000000 were not offered/, R.SET_FEATURES, u64(1n << 62n));
      talk.refuses(/SET_FEATURES refused: feature bits 0x1 /, R.SET_FEATURES, u64(F_VERSION_1 | 1n));
    });

    it('offers CONFIG only with a tag: without one QEMU of that age complains', () => {
      const config = 1n << 9n;
      const offered = new Conversation().number(R.GET_PROTOCOL_FEATURES) ?? 0n;
      assert.equal(offered & config, config);
      assert.equal(new Conversation({ tag: undefined }).number(R.GET_PROTOCOL_FEATURES), offered & ~config);
    });

    it('does not take protocol features that it has not offered', () => {
      const talk = new Conversation({ tag: undefined });
      talk.say(R.SET_PROTOCOL_FEATURES, u64(0xffff_ffff_ffff_ffffn));
      assert.equal(talk.acknowledged(R.SET_OWNER), 0n, 'REPLY_ACK was');
    });

    it('answers NEED_REPLY only once REPLY_ACK is agreed on', () => {
      const talk = new Conversation();
      assert.equal(talk.acknowledged(R.SET_OWNER), undefined);
      talk.say(R.SET_PROTOCOL_FEATURES, u64(1 << 3));
      assert.equal(talk.acknowledged(R.SET_OWNER), 0n);
      assert.equal(talk.say(R.SET_OWNER), undefined, 'not asked for, not answered');
      assert.notEqual(talk.acknowledged(R.NET_SET_MTU, u64(1500)), 0n, 'a refusal is told');
    });

    it('a request that has its own reply is not acknowledged besides', () => {
      assert.equal(Conversation.negotiated().acknowledged(R.GET_QUEUE_NUM), 2n);
    });

    it('counts the queues, the hiprio one included, and the memory slots', () => {
      assert.equal(new Conversation({ requestQueues: 4 }).number(R.GET_QUEUE_NUM), 5n);
      assert.equal(new Conversation().number(R.GET_MAX_MEM_SLOTS), BigInt(MAX_SLOTS));
    });

    it('refuses what it does not offer, and what there is no such request', () => {
      const talk = Conversation.negotiated();
      const fixed = [
        R.SET_LOG_BASE,
        R.IOTLB_MSG,
        R.GET_INFLIGHT_FD,
        R.SET_INFLIGHT_FD,
        R.POSTCOPY_ADVISE,
        R.VRING_KICK,
      ];
      for (const request of fixed) talk.refuses(/not offered/, request, u64(0, 0, 0), 1);
      for (const request of [0, 99, 0xffff_ffff]) talk.refuses(/request \d+ refused/, request, u64(0));
      talk.end();
    });

    it('refuses payloads that are too short for their request', () => {
      const talk = Conversation.negotiated();
      const sized: [request: number, bytes: number][] = [
        [R.SET_FEATURES, 8],
        [R.SET_PROTOCOL_FEATURES, 8],
        [R.SET_MEM_TABLE, 8],
        [R.ADD_MEM_REG, 40],
        [R.REM_MEM_REG, 40],
        [R.SET_VRING_NUM, 8],
        [R.SET_VRING_ADDR, 40],
        [R.SET_VRING_BASE, 8],
        [R.GET_VRING_BASE, 8],
        [R.SET_VRING_KICK, 8],
        [R.SET_VRING_CALL, 8],
        [R.SET_VRING_ERR, 8],
        [R.SET_VRING_ENABLE, 8],
        [R.GET_CONFIG, 12],
        [R.SET_STATUS, 8],
      ];
      for (const [request, bytes] of sized) {
        talk.refuses(/bytes where/, request, new Uint8Array(bytes - 1), 1);
        talk.refuses(/bytes where/, request, new Uint8Array(0), 1);
      }
      talk.end();
    });
  });

  describe('memory', () => {
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
        [/bad bounds/, join(u32(1, 0), u64(0, GIB, USER, 2n ** 64n - 4096n)), 1],
        [/overlap/, table([0, GIB, USER, 0], [GIB - 1, GIB, USER + GIB, 0]), 2],
      ];
      for (const [reason, payload, count] of bad) talk.refuses(reason, R.SET_MEM_TABLE, payload, count);
      assert.deepEqual([talk.device.regions.size, talk.device.running.size], [1, 2]);
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

  describe('rings', () => {
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
      talk.refuses(/above 2\^53/, R.SET_VRING_ADDR, place(0n, 2n ** 63n, 0n));
      for (const request of [R.SET_VRING_KICK, R.SET_VRING_CALL]) talk.refuses(/no descriptor/, request, u64(0), 0);
      talk.refuses(/polled/, R.SET_VRING_KICK, u64(0x100), 0);
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

  describe('reset', () => {
    const ways: [string, (talk: Conversation) => void][] = [
      ['RESET_DEVICE', (talk) => assert.equal(talk.acknowledged(R.RESET_DEVICE), 0n)],
      ['RESET_OWNER', (talk) => assert.equal(talk.acknowledged(R.RESET_OWNER), 0n)],
      ['SET_STATUS 0', (talk) => assert.equal(talk.acknowledged(R.SET_STATUS, u64(0)), 0n)],
    ];
    for (const [name, reset] of ways) {
      it(`${name} stops the rings; memory stays; they are set up anew`, () => {
        const talk = running();
        talk.device.running.set(1, 99);
        reset(talk);
        assert.deepEqual(talk.done(), ['stop 0', 'stop 1']);
        assert.equal(talk.device.regions.size, 1);
        // Nothing of the old place is used.
        talk.say(R.SET_VRING_ENABLE, u32(1, 1));
        talk.say(R.SET_VRING_KICK, u64(1), 1);
        talk.shareMemory();
        assert.equal(talk.device.running.size, 0);
        talk.startRing(1, 0);
        assert.ok(talk.done().includes('start 1 size 128 base 0 event'));
        talk.end();
      });
    }

    it('before any features are agreed on it enables nothing', () => {
      const talk = new Conversation();
      talk.say(R.RESET_DEVICE);
      assert.ok(talk.backEnd.rings.every((ring) => !ring.enabled));
    });

    it('the status is kept and told', () => {
      const talk = Conversation.negotiated();
      assert.equal(talk.number(R.GET_STATUS), 0n);
      talk.say(R.SET_STATUS, u64(0x0f));
      assert.equal(talk.number(R.GET_STATUS), 0x0fn);
      talk.say(R.SET_STATUS, u64(0));
      assert.equal(talk.number(R.GET_STATUS), 0n);
    });
  });

  describe('configuration space', () => {
    const ask = (talk: Conversation, offset: number, size: number, room = size) =>
      talk.say(R.GET_CONFIG, join(u32(offset, size, 0), new Uint8Array(room)));

    it('holds the tag, padded, and the number of request queues (virtio 1.3, 5.11.4)', () => {
      const space = configSpace('work', 3);
      assert.equal(space.length, 40);
      assert.equal(Buffer.from(space.subarray(0, 36)).toString(), 'work'.padEnd(36, '\0'));
      assert.deepEqual(space.subarray(36), u32(3));
    });

    it('a tag of 36 bytes has no NUL', () => {
      const tag = 'ä'.repeat(18);
      assert.equal(Buffer.from(configSpace(tag, 1).subarray(0, 36)).toString(), tag);
    });

    it('is read whole and in any part', () => {
      const talk = Conversation.negotiated(undefined, { tag: 'work', requestQueues: 2 });
      const whole = configSpace('work', 2);
      for (let offset = 0; offset <= CONFIG_SIZE; offset++) {
        const size = CONFIG_SIZE - offset;
        const wanted = join(u32(offset, size, 0), whole.subarray(offset));
        assert.deepEqual(ask(talk, offset, size), wanted);
      }
      assert.deepEqual(ask(talk, 2, 1), join(u32(2, 1, 0), Buffer.from('r')));
    });

    it('answers with nothing beyond its end, for a payload too short, and without a tag', () => {
      const talk = Conversation.negotiated();
      const nothing = new Uint8Array(0);
      assert.deepEqual(ask(talk, 0, CONFIG_SIZE + 1), nothing);
      assert.deepEqual(ask(talk, CONFIG_SIZE, 1), nothing);
      assert.deepEqual(ask(talk, 0xffff_ffff, 0xffff_ffff, 0), nothing);
      assert.deepEqual(ask(talk, 0, 40, 39), nothing);
      assert.deepEqual(ask(new Conversation({ tag: undefined }), 0, 40), nothing);
    });

    it('is read-only', () => {
      Conversation.negotiated().refuses(/read-only/, R.SET_CONFIG, join(u32(0, 4, 0), u32(1)));
    });
  });

  describe('the back-end channel', () => {
    it('is kept open, replaced, and closed at the end', () => {
      const talk = Conversation.negotiated();
      assert.equal(talk.acknowledged(R.SET_BACKEND_REQ_FD, undefined, 1), 0n);
      assert.equal(talk.device.open.size, 1);
      assert.equal(talk.acknowledged(R.SET_BACKEND_REQ_FD, undefined, 1), 0n);
      assert.equal(talk.device.open.size, 1);
      talk.refuses(/no descriptor/, R.SET_BACKEND_REQ_FD, undefined, 0);
      talk.end();
    });
  });

  it('the end of the front-end stops and gives back everything', () => {
    const talk = running({ requestQueues: 3 });
    talk.backEnd.close();
    assert.deepEqual(talk.done(), ['stop 0', 'stop 1', 'remove 0']);
    talk.end();
  });
});
