/** Feature bits: which are offered, and which are taken. */
import assert from 'node:assert/strict';
import { Request } from '../../src/protocol/vhostUser/requests';
import { Conversation, F_EVENT_IDX, F_INDIRECT, F_PROTOCOL_FEATURES, F_VERSION_1, u64 } from './recordingDevice';

const R = Request;

describe('vhost-user negotiation', () => {
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
});
