/** Captures as they come: live, from files, cut off, foreign, damaged, hostile. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SEGMENT } from '../../src/trace/captureBytes';
import { CaptureReader } from '../../src/trace/captureReader';
import { block, BlockType, enhancedPacket, interfaceDescription } from '../../src/trace/pcapngWriter';
import { hex } from '../protocol/hex';
import { CaptureBuilder, CONTROL_INTERFACE, EPOCH, HOST_INTERFACE, queueInterface } from './captureBuilder';
import { everything, mixed, read } from './readWhole';

const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

describe('captures as they come', () => {
  it('a live capture that has grown is the same as one read at once, however it is cut', () => {
    const bytes = mixed().bytes();
    const whole = everything(read(bytes));
    assert.deepEqual(everything(read(bytes, Array.from(bytes.keys()))), whole, 'byte by byte');
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 20 }), (cuts) => {
        assert.deepEqual(everything(read(bytes, cuts)), whole);
      }),
      { numRuns: 30 },
    );
  });

  it('rows are told when they are complete', () => {
    const completed: number[] = [];
    const builder = new CaptureBuilder();
    const reader = new CaptureReader({ completed: (row) => completed.push(row) });
    let told = 0;
    const grow = (): number[] => {
      const bytes = builder.bytes();
      reader.push(bytes.subarray(told));
      told = bytes.length;
      return completed.splice(0);
    };
    const first = builder.request('READ', { in: { size: 4 } });
    const second = builder.request('GETATTR');
    assert.deepEqual([grow(), reader.count], [[], 2]);
    assert.equal(reader.reply(0), undefined);
    builder.reply(second).exchange('FORGET', { in: { nlookup: 1 } });
    assert.deepEqual([grow(), reader.count], [[1, 2], 3]);
    builder.reply(first, { outPayload: 'abcd' }).notification(7, new Uint8Array(0));
    assert.deepEqual([grow(), reader.count], [[0, 3], 4]);
    assert.equal(reader.reply(0)?.payload?.length, 4);
  });

  it('of a file nothing is kept, and it is read again where it is asked', () => {
    const builder = new CaptureBuilder({ snaplen: 1 << 20 });
    for (let i = 0; i < 40; i++) {
      builder.exchange('READ', { in: { size: 30_000 }, outPayload: new Uint8Array(30_000).fill(i) });
    }
    const bytes = builder.bytes();
    assert.ok(bytes.length > 4 * SEGMENT);
    const reader = new CaptureReader({ read: (at, length) => bytes.subarray(at, at + length) });
    reader.push(bytes);
    reader.end();
    for (const row of [39, 0, 17, 8, 9]) {
      assert.deepEqual(Array.from(reader.replyBytes(row).subarray(16)), Array<number>(30_000).fill(row));
      assert.equal(reader.request(row)?.opcode?.name, 'READ');
    }
  });

  it('of a file that has shrunk meanwhile there is less, and no error', () => {
    const bytes = mixed().bytes();
    const reader = new CaptureReader({ read: () => new Uint8Array(0) });
    reader.push(bytes);
    reader.end();
    for (let row = 0; row < reader.count; row++) {
      reader.request(row);
      reader.reply(row);
      assert.equal(reader.requestBytes(row).length, 0);
      assert.deepEqual(reader.hostCalls(row), []);
    }
  });

  it('of a live stream the oldest messages go, their rows stay', () => {
    const builder = new CaptureBuilder({ snaplen: 1 << 20 });
    for (let i = 0; i < 60; i++) builder.exchange('READ', { in: { size: 30_000 }, outPayload: 30_000 });
    const reader = builder.capture({ liveLimit: 2 * SEGMENT });
    assert.equal(reader.count, 60);
    assert.deepEqual([reader.requestBytes(0).length, reader.replyBytes(0).length], [0, 0]);
    assert.equal(reader.columns.payload[0], 30_000);
    assert.equal(reader.replyBytes(59).length, 30_016);
    assert.ok((reader.request(0)?.problems.length ?? 0) > 0);
  });
});

describe('captures that are not as they should be', () => {
  it('one that is cut off at any byte opens up to the last whole packet, with a note', () => {
    const bytes = mixed().bytes();
    const whole = everything(read(bytes));
    let rows = 0;
    for (let length = 28; length < bytes.length; length++) {
      const capture = read(bytes.subarray(0, length));
      assert.ok(capture.count >= rows, 'a longer one has no fewer rows');
      rows = capture.count;
      const atBlock = capture.fault === undefined;
      assert.equal(
        capture.notes.filter((note) => /^cut off at byte \d+: everything/.test(note)).length,
        atBlock ? 0 : 1,
      );
      for (let row = 0; row < rows; row++) {
        const { request, requestBytes } = whole.rows[row];
        assert.deepEqual(Array.from(capture.requestBytes(row)), requestBytes);
        if (length % 16 === 0) assert.deepEqual(capture.request(row), request);
      }
    }
    assert.equal(rows, whole.rows.length);
  });

  it('something else altogether', () => {
    const reader = read(Buffer.from('GIF89a, and so on and so on'));
    assert.deepEqual([reader.fault?.kind, reader.count], ['foreign', 0]);
    assert.match(reader.fault?.text ?? '', /^not a capture: .* byte 0$/);
  });

  it('packets of other link types, versions and kinds, and too short ones, are counted in the notes', () => {
    const other = (packet: number[], id = queueInterface(0)): Uint8Array =>
      enhancedPacket(id, 1n, Uint8Array.from(packet));
    const builder = new CaptureBuilder({ queues: 1 })
      .raw(interfaceDescription('eth0', 1))
      .raw(other(Array<number>(60).fill(2), 3))
      .raw(block(BlockType.SIMPLE_PACKET, new Uint8Array(44)))
      .raw(other([1, 0, ...Array<number>(60).fill(0)]))
      .raw(other([2, 9, ...Array<number>(60).fill(0)]))
      .raw(other([2]))
      .raw(other([]));
    for (const kind of [0, 1, 2, 3]) builder.raw(other([2, kind, ...Array<number>(10).fill(0)]));
    builder.exchange('GETATTR', { queue: 0 });
    const capture = builder.capture();
    assert.equal(capture.count, 1);
    assert.deepEqual(capture.notes, [
      '1 packet of other link types passed over',
      '1 packet without a time or an interface passed over',
      '8 packets not understood',
    ]);
  });

  it('messages shorter than their headers', () => {
    const builder = new CaptureBuilder();
    const request = builder.request('GETATTR', { raw: Uint8Array.of(1, 2, 3), head: 1 });
    builder.reply(request, { rawReply: Uint8Array.of(4) });
    const long = builder.request('LOOKUP', { names: [''], raw: new Uint8Array(40).fill(1) });
    builder.reply(long, { rawReply: new Uint8Array(16) });
    const capture = builder.capture();
    assert.deepEqual(Array.from(capture.columns.flags.subarray(0, 4)), [0, 17, 0, 17]);
    for (let row = 0; row < capture.count; row++) assert.doesNotThrow(() => [capture.request(row), capture.reply(row)]);
    assert.equal(capture.columns.opcode[2], 0xffff);
  });

  it('names, listings and counts that promise more than there is', () => {
    const names = hex('0204 ffff 00000000  0500000000000000 0100000000000000 0100000000000000 ffff 6100 0000');
    const builder = new CaptureBuilder()
      .packet(CONTROL_INTERFACE, 0, names)
      .exchange('BATCH_FORGET', { in: { count: 0xffff_ffff }, payload: new Uint8Array(20) })
      .exchange('LOOKUP', {
        raw: hex(
          '30000000 01000000 0200000000000000 0100000000000000 00000000 00000000 00000000 00000000 6162636465666768',
        ),
      });
    const listing = builder.request('READDIRPLUS', { in: { size: 4096 } });
    const entry = new Uint8Array(16 + 152 + 8);
    entry.set(hex('b0000000 00000000'), 0);
    new DataView(entry.buffer).setUint32(8, Number(listing.unique), true);
    new DataView(entry.buffer).setUint32(16, 77, true);
    new DataView(entry.buffer).setUint32(16 + 128 + 16, 0xffff_fff0, true);
    builder.reply(listing, { rawReply: entry });
    const capture = builder.capture();
    assert.deepEqual(capture.notes, ['1 packet not understood']);
    assert.equal(capture.path(capture.columns.path[1]), '', 'a name without an end');
    const long = new CaptureBuilder().exchange('LOOKUP', { names: ['x'.repeat(5000)], out: { nodeid: 3 } }).capture();
    assert.deepEqual([long.path(long.columns.path[0]), long.node(3n)?.paths], ['', []]);
    assert.equal(capture.node(77n), undefined);
  });

  it('host calls with more arguments and texts than there are bytes for', () => {
    const builder = new CaptureBuilder();
    builder.request('GETATTR', { at: 0, head: 1, queue: 1 });
    const call = new Uint8Array(40 + 16);
    call.set([2, 3, 1, 0, 1]);
    const view = new DataView(call.buffer);
    view.setBigUint64(8, EPOCH, true);
    view.setUint16(16, 0xffff, true);
    view.setUint32(20, 0xffff_ffff, true);
    const [record] = builder.packet(HOST_INTERFACE, 5, call).capture().hostCalls(0);
    assert.deepEqual([record.call, record.arguments, record.texts], [0xffff, [0n, 0n], []]);
  });

  it('of endless control messages a bounded number is kept', () => {
    const start = new CaptureBuilder().bytes();
    const message = (length: number): Uint8Array =>
      new CaptureBuilder()
        .vhostUser(1, { payload: new Uint8Array(length) })
        .bytes()
        .subarray(start.length);
    for (const [length, sent, kept] of [
      [20_000, 1500, (8 << 20) / 8192],
      [0, 65_600, 65536],
    ]) {
      const reader = new CaptureReader({ liveLimit: 1 });
      reader.push(start);
      const ten = join(...Array<Uint8Array>(10).fill(message(length)));
      for (let i = 0; i < sent; i += 10) reader.push(ten);
      assert.equal(reader.control.length, kept);
      assert.equal(reader.control[0].bytes.length, Math.min(8192, 12 + length));
      assert.match(reader.notes.join(), /messages of vhost-user left out/);
    }
  });

  it('of endless notes on the DAX window a bounded number is kept, of long ones fewer', () => {
    const start = new CaptureBuilder().bytes();
    for (const [length, sent, kept] of [
      [20_000, 2100, Math.ceil((16 << 20) / (40 + 8192))],
      [0, 65_600, 65536],
    ]) {
      const note = new CaptureBuilder().window(1, { nodeid: 2, path: '', text: 'x'.repeat(length) }).bytes();
      const reader = new CaptureReader({ liveLimit: 1 });
      reader.push(start);
      const ten = join(...Array<Uint8Array>(10).fill(note.subarray(start.length)));
      for (let i = 0; i < sent; i += 10) reader.push(ten);
      assert.equal(reader.windowNotes.length, kept);
      assert.match(reader.notes.join(), new RegExp(`^${sent - kept} notes on the DAX window left out`));
    }
  });

  it('of endless losses a bounded number of gaps is kept, and all lost packets are counted', () => {
    const builder = new CaptureBuilder();
    const before = builder.bytes().length;
    builder.exchange('FORGET', { in: { nlookup: 1 } }).lost(1);
    const [start, round] = [builder.bytes().subarray(0, before), builder.bytes().slice(before)];
    const droppedAt = round.length - 4 - 4 - 8;
    const reader = new CaptureReader({ liveLimit: 1 });
    reader.push(start);
    for (let i = 1; i <= 65_600; i++) {
      new DataView(round.buffer).setUint32(droppedAt, i, true);
      reader.push(round);
    }
    assert.deepEqual([reader.count, reader.gaps.length, reader.gaps.at(-1)?.packets], [65_600, 65_536, 65]);
    assert.match(reader.notes.join(), /^65600 packets lost/);
  });

  it('nothing throws and no row is without its columns, whatever bytes are changed', () => {
    const good = mixed().bytes();
    const change = fc.record({
      at: fc.nat(good.length - 1),
      value: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0xff), fc.nat(255)),
    });
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 4 }),
        (changes, cuts) => {
          const bad = good.slice();
          for (const { at, value } of changes) bad[at] = value;
          const capture = read(bad, cuts);
          assert.ok(capture.count < 40);
          everything(capture);
          for (let row = 0; row < capture.count; row++) assert.ok(capture.columns.path[row] < capture.paths);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('random packets in a good frame', () => {
    const kind = fc.nat(5);
    const packet = fc.tuple(kind, fc.uint8Array({ maxLength: 200 }), fc.nat(60));
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 20 }), (packets) => {
        const builder = new CaptureBuilder();
        for (const [each, bytes, opcode] of packets) {
          const at = Uint8Array.from([2, each, 0, 0, 0, 0, 0, 0, ...bytes]);
          if (each === 0 && at.length > 48)
            at.set([opcode, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0].slice(0, at.length - 44), 44);
          builder.packet(2, 0, at);
        }
        everything(builder.capture());
      }),
      { numRuns: 300 },
    );
  });
});
