/** The back-end's side of vhost-user as a whole: what is answered and refused, and what a reset and the end do. */
import assert from 'node:assert/strict';
import { Request } from '../../src/protocol/vhostUser/requests';
import { MAX_SLOTS } from '../../src/vhostUser/memoryTable';
import { Conversation, F_VERSION_1, u32, u64 } from './recordingDevice';

const R = Request;
const { running } = Conversation;

describe('vhost-user back-end', () => {
  describe('requests', () => {
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

    it('without protocol features rings stay enabled: nobody could enable them', () => {
      const talk = new Conversation();
      talk.say(R.SET_FEATURES, u64(F_VERSION_1));
      talk.say(R.RESET_OWNER);
      assert.ok(talk.backEnd.rings.all.every((ring) => ring.enabled));
    });

    it('before any features are agreed on it enables nothing', () => {
      const talk = new Conversation();
      talk.say(R.RESET_DEVICE);
      assert.ok(talk.backEnd.rings.all.every((ring) => !ring.enabled));
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
