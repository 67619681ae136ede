/** The capture as a stream of pcapng blocks: valid by the specification, and read back however it is cut. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  LINK_TYPE,
  type PcapngEvent,
  PcapngReader,
  pcapngPacket,
  pcapngStart,
  pcapngStatistics,
} from '../../src/trace/pcapng';
import { hex } from '../protocol/hex';
import { readStrictly } from './strictPcapng';

const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

interface Written {
  readonly time: bigint;
  readonly bytes: Uint8Array;
  readonly cut: number;
}

const time = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const packet: fc.Arbitrary<Written> = fc.record({ time, bytes: fc.uint8Array({ maxLength: 40 }), cut: fc.nat(9999) });
const stream = (packets: readonly Written[], name = 'virtio-fs work'): Uint8Array =>
  join(pcapngStart(name, 65536), ...packets.map((p) => pcapngPacket(p.time, p.bytes, p.bytes.length + p.cut)));

function read(bytes: Uint8Array, cuts: readonly number[] = []): { events: PcapngEvent[]; fault: string | undefined } {
  const reader = new PcapngReader();
  const events: PcapngEvent[] = [];
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  let at = 0;
  for (const end of ends) {
    for (const event of reader.push(bytes.slice(at, end))) {
      events.push(event.kind === 'packet' ? { ...event, bytes: event.bytes.slice() } : event);
    }
    at = end;
  }
  return { events, fault: reader.fault };
}

const packetsOf = (events: readonly PcapngEvent[]): Written[] =>
  events.map((event) => {
    assert.equal(event.kind, 'packet');
    return { time: event.time, bytes: event.bytes, cut: event.fullLength - event.bytes.length };
  });

describe('pcapng', () => {
  it('is what the specification says, byte by byte', () => {
    assert.deepEqual(
      pcapngStart('fs', 280),
      hex(`
        0a0d0d0a 1c000000  ; section header, 28 bytes
        4d3c2b1a           ; byte order
        0100 0000          ; version 1.0
        ffffffffffffffff   ; section length: not known
        1c000000
        01000000 28000000  ; interface description, 40 bytes
        9300 0000          ; LINKTYPE_USER0, reserved
        18010000           ; snap length 280
        0200 0200 66730000 ; if_name "fs", padded
        0900 0100 09000000 ; if_tsresol 10^-9, padded
        00000000           ; end of options
        28000000
      `),
    );
    assert.deepEqual(
      pcapngPacket(0x1122334455667788n, Uint8Array.of(1, 2, 3, 4, 5), 9),
      hex(`
        06000000 28000000  ; enhanced packet, 40 bytes
        00000000           ; interface 0
        44332211 88776655  ; time, high word first
        05000000 09000000  ; 5 bytes of 9
        01020304 05000000  ; padded
        28000000
      `),
    );
    assert.deepEqual(
      pcapngStatistics(0x1122334455667788n, 7),
      hex(`
        05000000 28000000  ; interface statistics, 40 bytes
        00000000           ; interface 0
        44332211 88776655  ; time
        0500 0800          ; isb_ifdrop
        0700000000000000   ; 7
        00000000           ; end of options
        28000000
      `),
    );
  });

  it('what is written is valid, whatever the names, lengths and times', () => {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 8 }), fc.string({ maxLength: 40 }), (packets, name) => {
        const strict = readStrictly(join(stream(packets, name), pcapngStatistics(1n, packets.length)));
        const wanted = {
          linkType: LINK_TYPE,
          snapLength: 65536,
          name: Buffer.from(name).toString(),
          resolution: 10n ** 9n,
        };
        assert.deepEqual(strict.interfaces, [wanted]);
        assert.deepEqual(
          strict.packets.map((p) => ({ time: p.time, bytes: p.bytes, cut: p.originalLength - p.bytes.length })),
          packets.map((p) => ({ ...p })),
        );
        assert.deepEqual(strict.dropped, [BigInt(packets.length)]);
      }),
    );
  });

  it('any cut of the stream gives the same packets', () => {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 8 }), (packets, cuts) => {
        const { events, fault } = read(stream(packets), cuts);
        assert.equal(fault, undefined);
        assert.deepEqual(
          packetsOf(events),
          packets.map((p) => ({ ...p })),
        );
      }),
    );
  });

  it('one byte at a time as well', () => {
    const packets = [
      { time: 1n, bytes: Uint8Array.of(1, 2, 3), cut: 0 },
      { time: 2n, bytes: new Uint8Array(0), cut: 5 },
    ];
    const bytes = stream(packets);
    assert.deepEqual(
      packetsOf(
        read(
          bytes,
          Array.from(bytes, (_, index) => index),
        ).events,
      ),
      packets,
    );
  });

  it('a stream that breaks off gives what was whole', () => {
    const bytes = stream([
      { time: 1n, bytes: Uint8Array.of(1), cut: 0 },
      { time: 2n, bytes: Uint8Array.of(2), cut: 0 },
    ]);
    for (let missing = 1; missing < 36; missing++) {
      const { events, fault } = read(bytes.subarray(0, bytes.length - missing));
      assert.deepEqual([events.length, fault], [1, undefined], `${missing} bytes missing`);
    }
  });

  it('tells how many packets were lost', () => {
    const { events } = read(join(pcapngStart('', 0), pcapngStatistics(5n, 3), pcapngStatistics(6n, 2 ** 40)));
    assert.deepEqual(events, [
      { kind: 'dropped', count: 3n },
      { kind: 'dropped', count: 2n ** 40n },
    ]);
  });

  it('passes over blocks, options and interfaces that it does not know', () => {
    const unknown = (type: number, body: Uint8Array) => {
      const words = new Uint32Array([type, 12 + body.length]);
      return join(new Uint8Array(words.buffer), body, new Uint8Array(words.buffer, 4, 4));
    };
    const one = pcapngPacket(9n, Uint8Array.of(1), 1);
    const comment = hex(
      '0000000000000000 00000000  0100 0500 68656c6c 6f000000  ffff 0400 00000000  0500 0800 0200000000000000',
    );
    const bytes = join(
      pcapngStart('', 0),
      unknown(10, new Uint8Array(8)),
      unknown(0x80000bad, new Uint8Array(0)),
      one,
      unknown(5, comment),
    );
    assert.deepEqual(read(bytes).events, [
      { kind: 'packet', time: 9n, bytes: Uint8Array.of(1), fullLength: 1 },
      { kind: 'dropped', count: 2n },
    ]);
  });

  it('says where a stream stops being a capture', () => {
    assert.match(read(Buffer.from('this is not a capture')).fault ?? '', /byte 0$/);
    const good = stream([{ time: 1n, bytes: Uint8Array.of(1), cut: 0 }]);
    for (const length of [0, 8, 13, 0xffff_fffc]) {
      const bad = join(good, new Uint8Array(new Uint32Array([6, length, 0, 0]).buffer));
      const { events, fault } = read(bad, [good.length - 3, good.length + 5]);
      assert.equal(events.length, 1, 'what came before is kept');
      assert.match(fault ?? '', new RegExp(`byte ${good.length}$`));
    }
  });

  it('a section of the other byte order is refused, not misread', () => {
    assert.notEqual(read(hex('0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c')).fault, undefined);
  });

  it('reads nothing any more after a fault', () => {
    const reader = new PcapngReader();
    assert.deepEqual([...reader.push(new Uint8Array(64))], []);
    assert.deepEqual([...reader.push(stream([]))], []);
    assert.match(reader.fault ?? '', /byte 0$/);
  });

  it('random bytes never throw, also behind a good start', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.nat(), { maxLength: 3 }),
        (start, noise, cuts) => {
          read(start ? join(pcapngStart('x', 256), noise) : noise, cuts);
        },
      ),
    );
  });

  it('a damaged byte anywhere never throws', () => {
    const good = join(stream([{ time: 1n, bytes: Uint8Array.of(1, 2, 3, 4, 5), cut: 0 }]), pcapngStatistics(1n, 1));
    for (let at = 0; at < good.length; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const bad = good.slice();
        bad[at] = value;
        read(bad);
      }
    }
  });
});
