/** Packets, and how replies find their requests. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { ExchangePairing } from '../../src/trace/exchanges';
import { PACKET_HEADER, type Packet, decodePacket, encodePacket } from '../../src/trace/packet';
import { hex } from '../protocol/hex';
import { reply, request } from './messages';

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const packet: fc.Arbitrary<Packet> = fc.record({
  time: u64,
  direction: fc.constantFrom('request', 'reply'),
  queue: fc.nat(0xffff),
  head: fc.nat(0xffff_ffff),
  taken: u64,
  length: fc.nat(0xffff_ffff),
  message: fc.uint8Array({ maxLength: 120 }),
});

describe('trace packet', () => {
  it('is what packet.ts says, byte by byte', () => {
    const bytes = encodePacket({
      time: 7n,
      direction: 'reply',
      queue: 2,
      head: 0x01020304,
      taken: 0x1122334455667788n,
      length: 1_048_592,
      message: Uint8Array.of(0xaa, 0xbb),
    });
    const wanted = hex(`
      01               ; version
      01               ; a reply
      0200             ; queue 2
      04030201         ; head
      8877665544332211 ; taken
      10001000         ; full length
      00000000
      aabb             ; as much of the message as was kept
    `);
    assert.deepEqual(bytes, wanted);
  });

  it('comes back as it was', () => {
    fc.assert(
      fc.property(packet, (one) => {
        assert.deepEqual(decodePacket(one.time, encodePacket(one)), { ...one });
      }),
    );
  });

  it('is none when too short, of another version, or of no direction', () => {
    const bytes = encodePacket({
      time: 0n,
      direction: 'request',
      queue: 0,
      head: 0,
      taken: 0n,
      length: 0,
      message: hex(''),
    });
    for (let length = 0; length < PACKET_HEADER; length++)
      assert.equal(decodePacket(0n, bytes.subarray(0, length)), undefined);
    assert.equal(
      decodePacket(
        0n,
        Uint8Array.from(bytes, (byte, at) => (at === 0 ? 2 : byte)),
      ),
      undefined,
    );
    assert.equal(
      decodePacket(
        0n,
        Uint8Array.from(bytes, (byte, at) => (at === 1 ? 2 : byte)),
      ),
      undefined,
    );
  });
});

describe('trace pairing', () => {
  it('gives a request with its reply, and how long that took', () => {
    const pairing = new ExchangePairing();
    assert.equal(pairing.take(request(Opcode.GETATTR, { time: 1000n, head: 5 })), undefined);
    const exchange = pairing.take(reply(-2, { time: 3500n, taken: 1000n, head: 5 }));
    assert.equal(exchange?.request.opcode?.name, 'GETATTR');
    assert.equal(exchange?.reply?.error, -2);
    assert.deepEqual([exchange?.nanoseconds, exchange?.replyLength], [2500, 16]);
    assert.equal(pairing.take(reply(0, { head: 5 })), undefined, 'given only once');
  });

  it('a request that wants no reply is complete at once', () => {
    const pairing = new ExchangePairing();
    for (const opcode of [Opcode.FORGET, Opcode.BATCH_FORGET]) {
      const exchange = pairing.take(request(opcode, {}));
      assert.equal(exchange?.request.number, opcode);
      assert.deepEqual([exchange?.reply, exchange?.nanoseconds, exchange?.replyLength], [undefined, undefined, 0]);
    }
  });

  it('replies in another order than the requests find theirs', () => {
    const pairing = new ExchangePairing();
    pairing.take(request(Opcode.SETLKW, { head: 1 }));
    pairing.take(request(Opcode.READ, { head: 2 }));
    assert.equal(pairing.take(reply(0, { head: 2 }))?.request.opcode?.name, 'READ');
    assert.equal(pairing.take(reply(0, { head: 1 }))?.request.opcode?.name, 'SETLKW');
  });

  it('the same head on another queue is another request', () => {
    const pairing = new ExchangePairing();
    pairing.take(request(Opcode.READ, { head: 1, queue: 1 }));
    pairing.take(request(Opcode.OPEN, { head: 1, queue: 2 }));
    assert.equal(pairing.take(reply(0, { head: 1, queue: 1 }))?.request.opcode?.name, 'READ');
    assert.equal(pairing.take(reply(0, { head: 1, queue: 2 }))?.request.opcode?.name, 'OPEN');
  });

  it('a request whose reply was lost gives way to the next with its head', () => {
    const pairing = new ExchangePairing();
    pairing.take(request(Opcode.READ, { head: 1 }));
    pairing.take(request(Opcode.WRITE, { head: 1 }));
    assert.equal(pairing.take(reply(0, { head: 1 }))?.request.opcode?.name, 'WRITE');
  });

  it('a reply whose request was lost is nothing', () => {
    assert.equal(new ExchangePairing().take(reply(0, {})), undefined);
  });

  it('an unknown opcode and a cut message are exchanges all the same', () => {
    const pairing = new ExchangePairing();
    pairing.take(request(4242, { head: 1 }));
    assert.equal(pairing.take(reply(-38, { head: 1 }))?.request.number, 4242);
    const whole = request(Opcode.GETATTR, { head: 1 });
    pairing.take({ ...whole, message: whole.message.subarray(0, 12) });
    assert.ok(pairing.take({ ...reply(0, { head: 1 }), message: new Uint8Array(3) }));
  });

  it('random packets never throw', () => {
    fc.assert(
      fc.property(fc.array(packet.map((one) => ({ ...one, queue: one.queue & 1, head: one.head & 3 }))), (packets) => {
        const pairing = new ExchangePairing();
        for (const one of packets) pairing.take(one);
      }),
    );
  });
});
