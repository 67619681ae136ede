import assert from 'node:assert/strict';
import fc from 'fast-check';
import { concatenate } from '../../../src/protocol/encode';
import { CaptureBuilder } from '../captureBuilder';
import { readStrictly } from '../strictPcapng';
import { checkDissection } from './checkDissection';
import { everyHostCall, everyNotification, everyOpcode, everyVhostUser } from './samples';
import { Bench, hasTshark } from './tshark';
import { need } from '../../support/need';

/** Packets of all kinds, each as bytes. */
function allPackets(): { interfaceId: number; bytes: Uint8Array }[] {
  const builders = [everyOpcode('different'), everyNotification('different'), everyHostCall(), everyVhostUser()];
  return builders.flatMap((builder) => readStrictly(builder.bytes()).packets);
}

describe('a dissector that trusts nobody', function () {
  this.timeout(120_000);
  let bench: Bench;

  before(function () {
    need(this, 'tshark', hasTshark(), 'not on PATH');
    bench = new Bench();
  });
  after(() => bench?.remove());

  /** Everything that can be shown is shown: trees, columns, filters. */
  function noLuaError(capture: Uint8Array): void {
    const { output, errors } = bench.run(bench.file(capture), '-V');
    assert.equal(errors, '');
    assert.match(output, /^Filesystem in Userspace/m);
    const [bad] = /.*(Lua Error|Dissector bug|Malformed Packet).*/i.exec(output) ?? [];
    assert.equal(bad, undefined);
  }

  it('takes every packet cut at any length', () => {
    // Each kind once at each length; the tail is not in the file, as with a snap length of the capture.
    const builder = new CaptureBuilder();
    const seen = new Set<string>();
    for (const { interfaceId, bytes } of allPackets()) {
      const shape = `${bytes[1]}/${bytes.length}`;
      if (seen.has(shape)) continue;
      seen.add(shape);
      for (let length = 0; length < Math.min(bytes.length, 260); length++) {
        builder.packet(interfaceId, 0, bytes.slice(0, length), bytes.length);
      }
    }
    noLuaError(builder.bytes());
  });

  for (const snaplen of [0, 17]) {
    it(`shows what is there of messages cut at ${snaplen} bytes of data, as the decoder does`, async () => {
      const builder = new CaptureBuilder({ snaplen }).init({ flags: ['SETXATTR_EXT'] });
      builder.exchange('READ', { nodeid: 2, in: { fh: 1, size: 4096 }, outPayload: 4096 });
      builder.exchange('WRITE', { nodeid: 2, in: { fh: 1 }, payload: 4096, out: { size: 4096 } });
      builder.exchange('SETXATTR', { nodeid: 2, names: ['user.x'], in: {}, payload: 100 });
      builder.exchange('IOCTL', { nodeid: 2, in: { in_size: 90 }, payload: 90, out: {}, outPayload: 90 });
      const { packets } = await checkDissection(bench, builder.bytes());
      assert.equal(packets, 10);
      const file = bench.file(builder.bytes());
      assert.deepEqual(bench.select(file, 'fuse.truncated'), bench.select(file, 'fuse.cut'));
      assert.ok(bench.select(file, 'fuse.truncated').includes(4));
      assert.deepEqual(bench.select(file, 'fuse.malformed'), []);
    });
  }

  it('shows whole packets cut anywhere as the decoder does', async () => {
    const builder = new CaptureBuilder({ tag: 'cut' });
    const packets = readStrictly(everyOpcode('different').bytes()).packets;
    for (const keep of [41, 60, 79, 83, 97, 120, 171]) {
      for (const { interfaceId, bytes } of packets) {
        builder.packet(interfaceId, 0, bytes.slice(0, keep), bytes.length);
      }
    }
    assert.equal((await checkDissection(bench, builder.bytes())).packets, 7 * packets.length);
  });

  it('names what is wrong with a malformed message', () => {
    const builder = new CaptureBuilder();
    const header = (len: number, opcode: number): Uint8Array => {
      const bytes = new Uint8Array(40);
      new DataView(bytes.buffer).setUint32(0, len, true);
      new DataView(bytes.buffer).setUint32(4, opcode, true);
      return bytes;
    };
    builder.request('READ', { raw: header(40, 15) });
    builder.request('READ', { raw: header(12, 15) });
    builder.request('LOOKUP', { raw: concatenate([header(44, 1), new TextEncoder().encode('abcd')]) });
    builder.request(4711, { raw: header(40, 4711) });
    builder.exchange('DESTROY', { error: 5 });
    const file = bench.file(builder.bytes());
    assert.deepEqual(bench.select(file, 'fuse.malformed'), [1, 2, 3, 4, 6]);
    const said = bench.run(file, '-T', 'fields', '-e', '_ws.expert.message').output.split('\n');
    assert.deepEqual(said.slice(0, 4), [
      'fuse_read_in needs 40 bytes, 0 are left',
      'len is 12, less than its header,fuse_read_in needs 40 bytes, 0 are left',
      'name has no NUL',
      '4711 is no opcode',
    ]);
  });

  it('takes random changes of every packet, and agrees with the decoder on what they are', async () => {
    const packets = allPackets();
    const change = fc.record({ of: fc.nat(), at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) });
    const run = fc.asyncProperty(fc.array(change, { minLength: 3000, maxLength: 3000 }), async (changes) => {
      const builder = new CaptureBuilder();
      for (const { of, at, value } of changes) {
        const { interfaceId, bytes } = packets[of % packets.length];
        const changed = bytes.slice();
        // Not version and kind: those packets would be nobody's.
        changed[2 + (at % (bytes.length - 2))] = value;
        builder.packet(interfaceId, at % 1_000_000, changed);
      }
      await checkDissection(bench, builder.bytes());
    });
    await fc.assert(run, { numRuns: 1, endOnFailure: true });
  });

  it('takes random bytes behind a good version and kind', () => {
    const run = fc.property(
      fc.array(fc.uint8Array({ maxLength: 400 }), { minLength: 2000, maxLength: 2000 }),
      (all) => {
        const builder = new CaptureBuilder();
        all.forEach((bytes, i) => builder.packet(i % 3, i, concatenate([Uint8Array.of(2, i % 6), bytes])));
        noLuaError(builder.bytes());
      },
    );
    fc.assert(run, { numRuns: 1, endOnFailure: true });
  });

  it('ends a listing with more entries than anybody reads', () => {
    const names = 'a\0'.repeat(60_000);
    const builder = new CaptureBuilder().exchange('LISTXATTR', { in: { size: 1 << 17 }, outPayload: names });
    const { output, errors } = bench.run(bench.file(builder.bytes()), '-O', 'fuse');
    assert.equal(errors, '');
    assert.match(output, /LISTXATTR -> 60000 entries/);
    assert.match(output, /\[39999\]: "a"\n *… and more than these 40000/);
    assert.doesNotMatch(output, /Lua Error/i);
  });
});
