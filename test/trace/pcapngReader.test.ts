/** Taking pcapng streams apart: however they are cut, whoever wrote them, whatever is wrong with them. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isPcapng, LONGEST_BLOCK, PcapngReader } from '../../src/trace/pcapngReader';
import {
  block,
  type BlockOption,
  BlockType,
  enhancedPacket,
  interfaceDescription,
  interfaceStatistics,
  optionList,
  sectionHeader,
} from '../../src/trace/pcapngWriter';
import { hex } from '../protocol/hex';
import { readStrictly } from './strictPcapng';

const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** What a stream has, in order: comments, times and bytes of packets with their places, numbers lost. */
type Found = ['section', ...string[]] | ['packet', bigint, string, number] | ['lost', number];

function read(bytes: Uint8Array, cuts: readonly number[] = [], ended = true) {
  const found: Found[] = [];
  const names: string[] = [];
  const reader = new PcapngReader({
    section: (comments) => found.push(['section', ...comments]),
    interface: (name) => names.push(name),
    packet: (from, view, at, captured, position, high, low) => {
      assert.equal(view.buffer, from.buffer);
      assert.equal(view.byteOffset, from.byteOffset);
      const time = (BigInt(high) << 32n) | BigInt(low);
      found.push(['packet', time, Buffer.from(from.subarray(at, at + captured)).toString('hex'), position]);
    },
    lost: (packets) => found.push(['lost', packets]),
  });
  let at = 0;
  for (const end of [...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    // A copy that is destroyed afterwards: nothing may refer to a chunk that is gone.
    const chunk = bytes.slice(at, end);
    reader.push(chunk);
    chunk.fill(0xee);
    at = end;
  }
  if (ended) reader.end();
  return { found, names, fault: reader.fault, passedOver: reader.passedOver };
}

const START = join(sectionHeader(), interfaceDescription('queue 1'));
const packet = (time: bigint, ...bytes: number[]): Uint8Array => enhancedPacket(0, time, Uint8Array.from(bytes));
const times = (found: readonly Found[]): unknown[] =>
  found.filter(([kind]) => kind === 'packet').map((each) => each[1]);

describe('pcapng blocks, written', () => {
  it('are what the specification says, byte by byte', () => {
    assert.deepEqual(
      sectionHeader({ os: 'L', application: 'ab', comment: '{}' }),
      hex(`
        0a0d0d0a 38000000  ; section header, 56 bytes
        4d3c2b1a           ; byte order
        0100 0000          ; version 1.0
        ffffffffffffffff   ; section length: not known
        0300 0100 4c000000 ; shb_os "L", padded
        0400 0200 61620000 ; shb_userappl "ab", padded
        0100 0200 7b7d0000 ; opt_comment "{}", padded
        00000000           ; end of options
        38000000
      `),
    );
    assert.deepEqual(
      interfaceDescription('fs'),
      hex(`
        01000000 28000000  ; interface description, 40 bytes
        9300 0000          ; LINKTYPE_USER0, reserved
        00000000           ; snap length 0: no limit
        0200 0200 66730000 ; if_name "fs", padded
        0900 0100 09000000 ; if_tsresol 10^-9, padded
        00000000           ; end of options
        28000000
      `),
    );
    assert.deepEqual(
      enhancedPacket(3, 0x1122334455667788n, Uint8Array.of(1, 2, 3, 4, 5), 9),
      hex(`
        06000000 28000000  ; enhanced packet, 40 bytes
        03000000           ; interface 3
        44332211 88776655  ; time, high word first
        05000000 09000000  ; 5 bytes of 9
        01020304 05000000  ; padded
        28000000
      `),
    );
    assert.deepEqual(
      interfaceStatistics(0, 0x1122334455667788n, 7n),
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

  it('are valid whatever the texts, lengths and times', () => {
    const one = fc.record({
      time: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      bytes: fc.uint8Array({ maxLength: 40 }),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 8 }), fc.string({ maxLength: 40 }), (packets, text) => {
        const strict = readStrictly(
          join(
            sectionHeader({ comment: text, os: text }),
            interfaceDescription(text),
            ...packets.map((p) => enhancedPacket(0, p.time, p.bytes, p.bytes.length + 5)),
            interfaceStatistics(0, 1n, 9n),
          ),
        );
        assert.deepEqual(
          strict.packets.map((p) => [p.time, Array.from(p.bytes), p.originalLength]),
          packets.map((p) => [p.time, Array.from(p.bytes), p.bytes.length + 5]),
        );
        assert.equal(strict.interfaces[0].name, Buffer.from(text).toString());
        assert.deepEqual(strict.dropped, [9n]);
      }),
    );
  });

  it('a text longer than an option can be is cut', () => {
    const bytes = sectionHeader({ comment: 'x'.repeat(100_000) });
    assert.equal(readStrictly(bytes).packets.length, 0);
  });
});

describe('pcapng blocks, read', () => {
  const two = join(
    START,
    packet(5n, 1, 2, 3),
    packet(6n),
    interfaceStatistics(0, 7n, 3n),
    interfaceStatistics(0, 8n, 5n),
  );

  it('packets with their times and places; how many were lost since last told', () => {
    const { found, fault } = read(join(two, sectionHeader({ comment: 'next' })));
    const at = START.length + 28;
    assert.equal(fault, undefined);
    assert.deepEqual(found, [
      ['section'],
      ['packet', 5n, '010203', at],
      ['packet', 6n, '', at + 36],
      ['lost', 3],
      ['lost', 2],
      ['section', 'next'],
    ]);
  });

  it('any cut of the stream gives the same', () => {
    const whole = read(two);
    assert.deepEqual(read(two, Array.from(two.keys())), whole, 'byte by byte');
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), (cuts) => {
        assert.deepEqual(read(two, cuts), whole);
      }),
    );
  });

  it('a stream that breaks off anywhere gives what was whole, and says where', () => {
    const blocks = [START.length, START.length + 36, START.length + 68];
    for (let length = START.length; length < blocks[2]; length++) {
      const { found, fault } = read(two.subarray(0, length));
      const whole = blocks.filter((end) => end <= length).length;
      assert.equal(found.length, whole, `${length} bytes`);
      const last = blocks[whole - 1];
      if (length === last) assert.equal(fault, undefined);
      else assert.equal(fault?.text, `cut off at byte ${last}: everything up to there is shown`);
    }
    assert.equal(read(two.subarray(0, START.length + 5), [], false).fault, undefined, 'more may come');
  });

  it('a section of the other byte order', () => {
    const { found, fault } = read(
      hex(`
        0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c
        00000001 00000020 0093 0000 00000000
        0009 0001 09000000 00000000  ; if_tsresol 9
        00000020
        00000006 00000024 00000000 00000001 00000002 00000003 00000003 aabbcc00 00000024
        00000005 00000028 00000000 00000000 00000000 0005 0008 0000000100000002 00000000 00000028
      `),
    );
    assert.equal(fault, undefined);
    assert.deepEqual(found, [['section'], ['packet', 0x1_0000_0002n, 'aabbcc', 88], ['lost', 2 ** 32 + 2]]);
  });

  const interfaceWith = (linkType: number, ...options: BlockOption[]): Uint8Array =>
    block(BlockType.INTERFACE, Uint8Array.of(linkType, 0, 0, 0, 0, 0, 0, 0), optionList(options));

  it('times of any resolution and offset', () => {
    const resolution = (value: number): BlockOption => ({ code: 9, value: Uint8Array.of(value) });
    const offset = (seconds: bigint): BlockOption => {
      const value = new Uint8Array(8);
      new DataView(value.buffer).setBigInt64(0, seconds, true);
      return { code: 14, value };
    };
    const timeOf = (ticks: bigint, ...options: BlockOption[]): unknown[] =>
      times(read(join(sectionHeader(), interfaceWith(147, ...options), packet(ticks))).found);
    assert.deepEqual(timeOf(1_700_000_000_123_456n), [1_700_000_000_123_456_000n], 'microseconds unless said');
    assert.deepEqual(timeOf(1_700_000_000n, resolution(0)), [1_700_000_000_000_000_000n]);
    assert.deepEqual(timeOf(5_000_000_000_000n, resolution(12)), [5_000_000_000n]);
    assert.deepEqual(timeOf((7n << 30n) + (1n << 29n), resolution(0x80 | 30)), [7_500_000_000n]);
    assert.deepEqual(timeOf(123n, resolution(9), offset(1_700_000_000n)), [1_700_000_000_000_000_123n]);
    assert.deepEqual(timeOf(3_000_000_000n, resolution(9), offset(-2n)), [1_000_000_000n]);
    assert.equal(timeOf(2n ** 64n - 1n, resolution(0x7f)).length, 1);
    assert.equal(timeOf(2n ** 64n - 1n, resolution(0xff), offset(-(2n ** 63n))).length, 1);
  });

  it('passes over blocks, options, interfaces and packets that it does not know, and counts the packets', () => {
    const bytes = join(
      sectionHeader(),
      block(BlockType.NAME_RESOLUTION, new Uint8Array(4)),
      interfaceWith(1),
      interfaceWith(147, { code: 2, value: 'q' }, { code: 0x8bad, value: 'x' }, { code: 9, value: Uint8Array.of(9) }),
      block(BlockType.DECRYPTION_SECRETS, new Uint8Array(16)),
      enhancedPacket(0, 1n, Uint8Array.of(1)),
      enhancedPacket(1, 2n, Uint8Array.of(2)),
      enhancedPacket(2, 3n, Uint8Array.of(3)),
      block(BlockType.SIMPLE_PACKET, new Uint8Array(8)),
      block(BlockType.ENHANCED_PACKET, new Uint8Array(4)),
      block(BlockType.ENHANCED_PACKET, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0)),
      block(0x8000_0bad),
      interfaceStatistics(0, 4n, 100n),
      interfaceStatistics(7, 4n, 100n),
      block(BlockType.STATISTICS, new Uint8Array(4)),
      block(BlockType.STATISTICS, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 200, 0)),
    );
    const { found, names, fault, passedOver } = read(bytes);
    assert.equal(fault, undefined);
    assert.deepEqual(names, ['q']);
    assert.deepEqual(times(found), [2n]);
    assert.deepEqual(passedOver, { otherLink: 1, unusable: 4 });
    assert.equal(found.length, 2, 'nothing lost on the interfaces of this format');
  });

  it('passes over a packet that says it has a byte more than its block', () => {
    const short = block(
      BlockType.ENHANCED_PACKET,
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0),
    );
    const { found, passedOver } = read(join(START, short));
    assert.deepEqual([times(found), passedOver.unusable], [[], 1]);
  });

  it('an interface that is too short for its link type is none of ours', () => {
    const { names } = read(join(sectionHeader(), block(BlockType.INTERFACE, Uint8Array.of(147, 0, 0, 0))));
    assert.deepEqual(names, []);
  });

  it('options of another length than they have are not read, nor such as leave their block', () => {
    const ours = (...options: BlockOption[]): Uint8Array => join(sectionHeader(), interfaceWith(147, ...options));
    const twoBytes = ours({ code: 9, value: Uint8Array.of(9, 0) }, { code: 14, value: Uint8Array.of(1, 0, 0, 0) });
    assert.deepEqual(times(read(join(twoBytes, packet(5n))).found), [5000n]);
    const head = Uint8Array.of(147, 0, 0, 0, 0, 0, 0, 0);
    const leaves = block(BlockType.INTERFACE, head, Uint8Array.of(2, 0, 8, 0, 0x61, 0x62, 0x63, 0x64));
    assert.deepEqual(read(join(sectionHeader(), leaves)).names, ['']);
    const drop = Uint8Array.of(5, 0, 4, 0, 9, 0, 0, 0);
    const odd = block(BlockType.STATISTICS, new Uint8Array(12), drop);
    assert.deepEqual(read(join(START, odd)).found, [['section']]);
  });

  it('a number of lost packets that goes back loses none', () => {
    const { found } = read(join(START, interfaceStatistics(0, 1n, 5n), interfaceStatistics(0, 2n, 3n)));
    assert.deepEqual(found, [['section'], ['lost', 5]]);
  });

  it('interfaces of a section end with it', () => {
    const { found, passedOver } = read(join(START, packet(1n), sectionHeader(), packet(2n)));
    assert.deepEqual([times(found), passedOver.unusable], [[1n], 1]);
  });

  it('something else altogether is no capture, and what to do is said', () => {
    const remedyOf = (bytes: Uint8Array): string[] => {
      const { fault, found } = read(bytes);
      assert.equal(found.length, 0);
      assert.equal(fault?.kind, 'foreign');
      assert.match(fault.text, /^not a capture: /);
      return [fault.text, fault.remedy];
    };
    assert.match(remedyOf(Buffer.from('this is not a capture'))[0], /byte 0$/);
    assert.match(remedyOf(new Uint8Array(0))[0], /empty/);
    assert.match(remedyOf(Uint8Array.of(0x0a, 0x0d))[0], /byte 0$/);
    assert.match(remedyOf(hex('d4c3b2a1 02000400 00000000 00000000 00000400 01000000'))[1], /editcap -F pcapng/);
    for (const magic of ['a1b2c3d4', 'a1b23c4d', '4d3cb2a1']) assert.match(remedyOf(hex(magic))[1], /editcap/);
    assert.match(remedyOf(hex('1f8b0800'))[1], /gunzip/);
    assert.match(remedyOf(hex('28b52ffd00'))[1], /unzstd/);
    assert.match(remedyOf(hex('0a0d0d0a 1c000000 00000000'))[0], /byte order at byte 0$/);
    for (const major of [0, 2]) {
      const section = hex(`0a0d0d0a 1c000000 4d3c2b1a 0${major}00 0000 ffffffffffffffff 1c000000`);
      assert.match(remedyOf(section)[0], new RegExp(`version ${major}`));
    }
  });

  it('a file is known as pcapng by its first twelve bytes, in either byte order', () => {
    for (const order of ['4d3c2b1a', '1a2b3c4d']) {
      assert.equal(isPcapng(hex(`0a0d0d0a 1c000000 ${order}`)), true);
      assert.equal(isPcapng(hex(`0a0d0d0a 1c000000 ${order}`).subarray(0, 11)), false);
      assert.equal(isPcapng(hex(`0a0d0d0b 1c000000 ${order}`)), false);
    }
    assert.equal(isPcapng(hex('0a0d0d0a 1c000000 00000000')), false);
  });

  it('says where a stream stops making sense, and keeps what came before', () => {
    const good = join(START, packet(1n, 1));
    const word = (value: number): Uint8Array => new Uint8Array(new Uint32Array([value]).buffer);
    for (const length of [0, 8, 13, LONGEST_BLOCK + 4, 0xffff_fffc]) {
      const { found, fault } = read(join(good, word(6), word(length), new Uint8Array(8)), [
        good.length - 3,
        good.length + 5,
      ]);
      assert.deepEqual(times(found), [1n], 'what came before is kept');
      assert.equal(fault?.kind, 'damaged');
      assert.match(fault.text, new RegExp(`^damaged at byte ${good.length}: .*: everything up to there is shown$`));
      assert.match(fault.remedy, /export it as a capture/);
    }
    const uneven = new Uint8Array(37);
    new DataView(uneven.buffer).setUint32(0, 6, true);
    for (const at of [4, 33]) new DataView(uneven.buffer).setUint32(at, 37, true);
    assert.match(read(join(good, uneven)).fault?.text ?? '', /a block of 37 bytes/);
    const short = join(word(BlockType.SECTION_HEADER), word(24), word(0x1a2b3c4d), word(1), word(0), word(24));
    assert.match(read(join(good, short)).fault?.text ?? '', /section header that is too short/);
    const bad = packet(2n, 2);
    bad[bad.length - 4] ^= 4;
    assert.match(read(join(good, bad)).fault?.text ?? '', /two lengths/);
  });

  it('a reply of a megabyte passes; a longer block than is believed is not waited for', () => {
    const large = enhancedPacket(0, 9n, new Uint8Array((1 << 20) + 200));
    assert.deepEqual(times(read(join(START, large), [START.length + 100, START.length + 500_000]).found), [9n]);
    const length = new Uint32Array([6, LONGEST_BLOCK, 0]);
    assert.equal(read(join(START, new Uint8Array(length.buffer)), [], false).fault, undefined, 'the longest');
  });

  it('more interfaces than a device can have are not believed', () => {
    const many = join(...Array<Uint8Array>(65_600).fill(interfaceDescription('')));
    const { names, found, passedOver } = read(
      join(sectionHeader(), many, enhancedPacket(65_599, 1n, new Uint8Array(0))),
    );
    assert.deepEqual([names.length, times(found), passedOver.unusable], [65_538, [], 1]);
  });

  it('reads nothing any more after a fault', () => {
    const found: unknown[] = [];
    const take = (): number => found.push(1);
    const reader = new PcapngReader({ section: take, interface: take, packet: take, lost: take });
    reader.push(new Uint8Array(64));
    reader.push(START);
    reader.end();
    assert.deepEqual([found.length, reader.fault?.at], [0, 0]);
  });

  it('random bytes and damaged bytes never throw, and nothing is found that was not there', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.nat(), { maxLength: 3 }),
        (start, noise, cuts) => {
          read(start ? join(START, noise) : noise, cuts);
        },
      ),
    );
    for (let at = 0; at < two.length; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const bad = two.slice();
        bad[at] = value;
        assert.ok(read(bad, [at, at + 1]).found.length <= 5);
      }
    }
  });
});
