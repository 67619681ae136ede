/** The configuration space: what is in it, and reads of any part of it. */
import assert from 'node:assert/strict';
import { Request } from '../../src/protocol/vhostUser/requests';
import { CONFIG_SIZE, configSpace } from '../../src/vhostUser/configSpace';
import { Conversation, join, u32 } from './recordingDevice';

const R = Request;

describe('vhost-user configuration space', () => {
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
