/** Messages on a stream: whole ones come out, however the stream is cut; what cannot be a message ends it. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { HEADER_SIZE, MAX_PAYLOAD, MessageReader, frameReply } from '../../src/vhostUser/framing';
import { join, u32 } from './recordingDevice';

interface Sent {
  readonly request: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}

const frame = ({ request, flags, payload }: Sent): Uint8Array => join(u32(request, flags, payload.length), payload);

const message: fc.Arbitrary<Sent> = fc.record({
  request: fc.nat(50),
  flags: fc.constantFrom(1, 9),
  payload: fc.uint8Array({ maxLength: 60 }),
});

/** What comes out when the bytes come in pieces that end at `cuts`; descriptor n comes with piece n. */
function read(bytes: Uint8Array, cuts: readonly number[]): { sent: Sent[]; descriptors: number[][] } {
  const reader = new MessageReader();
  const ends = [...new Set([...cuts.filter((cut) => cut > 0 && cut < bytes.length), bytes.length])];
  ends.sort((a, b) => a - b);
  const sent: Sent[] = [];
  const descriptors: number[][] = [];
  let at = 0;
  ends.forEach((end, index) => {
    const messages = reader.push(bytes.slice(at, end), [index]);
    if (typeof messages === 'string') assert.fail(messages);
    for (const { request, needReply, payload, descriptors: own } of messages) {
      const copy = new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength).slice();
      sent.push({ request, flags: needReply ? 9 : 1, payload: copy });
      descriptors.push([...own]);
    }
    at = end;
  });
  return { sent, descriptors };
}

describe('vhost-user framing', () => {
  it('any cut of the stream gives the same messages', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(300)), (messages, cuts) => {
        const bytes = join(...messages.map(frame));
        assert.deepEqual(
          read(bytes, cuts).sent,
          messages.map((one) => ({ ...one })),
        );
      }),
    );
  });

  it('one byte at a time as well', () => {
    const messages = [{ request: 1, flags: 1, payload: u32() }, { request: 5, flags: 9, payload: u32(1, 2, 3) }]; // prettier-ignore
    const bytes = join(...messages.map(frame));
    const cuts = Array.from(bytes, (_, index) => index);
    const { sent, descriptors } = read(bytes, cuts);
    assert.deepEqual(sent, messages);
    assert.deepEqual(descriptors[0], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 'those of its own bytes');
    assert.equal(descriptors.flat().length, bytes.length, 'none is lost, none is given twice');
  });

  it('asks for no byte beyond the message, so that descriptors stay with it', () => {
    const reader = new MessageReader();
    assert.equal(reader.wanted, HEADER_SIZE);
    reader.push(u32(5), [7]);
    assert.equal(reader.wanted, 8);
    reader.push(u32(1, 40), []);
    assert.equal(reader.wanted, 40);
    reader.push(new Uint8Array(39), []);
    assert.equal(reader.wanted, 1);
    const messages = reader.push(new Uint8Array(1), []);
    assert.ok(Array.isArray(messages));
    assert.deepEqual(messages[0].descriptors, [7]);
    assert.equal(reader.wanted, HEADER_SIZE);
  });

  for (const version of [0, 2, 3]) {
    it(`version ${version} ends the conversation`, () => {
      const verdict = new MessageReader().push(u32(1, version, 0), []);
      assert.match(String(verdict), new RegExp(`version ${version}`));
    });
  }

  it('a message too long to be true ends it before its payload is waited for', () => {
    assert.ok(Array.isArray(new MessageReader().push(u32(24, 1, MAX_PAYLOAD), [])));
    for (const size of [MAX_PAYLOAD + 1, 0x7fff_ffff, 0xffff_ffff]) {
      assert.match(String(new MessageReader().push(u32(24, 1, size), [])), /bytes/);
    }
  });

  it('descriptors of a message that never became whole are handed out to be closed', () => {
    const reader = new MessageReader();
    reader.push(u32(5, 1, 40), [7, 8]);
    assert.deepEqual(reader.abandon(), [7, 8]);
    assert.deepEqual(reader.abandon(), []);
  });

  it('descriptors that came with a bad header are handed out as well', () => {
    const reader = new MessageReader();
    reader.push(u32(5, 0, 40), [7]);
    assert.deepEqual(reader.abandon(), [7]);
  });

  it('more descriptors than any message brings end it, and are handed out as well', () => {
    const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => 100 + i);
    assert.ok(Array.isArray(new MessageReader().push(u32(5, 1, 40), numbers(64))));
    const reader = new MessageReader();
    assert.match(String(reader.push(u32(5, 1, 40), numbers(65))), /too many descriptors/);
    assert.deepEqual(reader.abandon(), numbers(65));
    const slow = new MessageReader();
    for (const one of numbers(64)) assert.ok(Array.isArray(slow.push(new Uint8Array(0), [one])));
    assert.match(String(slow.push(new Uint8Array(0), [1])), /too many descriptors/);
  });

  it('a reply is the request’s number, version 1, the reply flag, and its payload', () => {
    assert.deepEqual(frameReply(1, u32(5, 6)), u32(1, 5, 8, 5, 6));
    assert.deepEqual(frameReply(24, u32()), u32(24, 5, 0));
  });
});
