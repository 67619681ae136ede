/** A capture as its readers see it: every field byte by byte, and which reply belongs to which request. */
import assert from 'node:assert/strict';
import { Errno } from '../../src/protocol/errno';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { hostCallNumber } from '../../src/protocol/hostCalls';
import { RowFlag } from '../../src/trace/capture';
import type { CaptureReader } from '../../src/trace/captureReader';
import { FuseAt, HostCallAt, NamesAt, PacketKind, VhostUserAt, WindowAt } from '../../src/trace/packet';
import { BlockType, enhancedPacket, interfaceDescription, sectionHeader } from '../../src/trace/pcapngWriter';
import { hex } from '../protocol/hex';
import { CaptureBuilder, CONTROL_INTERFACE, EPOCH, HOST_INTERFACE } from './captureBuilder';
import { read, rowOf } from './readWhole';

const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

describe('a capture, read', () => {
  it('every field of a request and its reply', () => {
    const request = hex(`
      02 00 0300         ; version 2, request, queue 3
      0a000000           ; head 10
      e8030000 00000000  ; taken at 1000 ns
      34000000           ; 52 bytes
      0000 0000          ; flags, calls
      07000000           ; queued 7 ns
      00000000 00000000  ; host, writing
      00000000
      34000000 0f000000  ; fuse_in_header: len, READ
      0500000006000000   ; unique
      0200000001000000   ; nodeid 2^32 + 2
      e8030000 e9030000  ; uid 1000, gid 1001
      2a000000           ; pid 42
      0000 0000
      01000000 00000000 00000000
    `);
    const reply = hex(`
      02 01 0300         ; version 2, reply, queue 3
      0a000000           ; head 10
      e8030000 00000000  ; taken at 1000 ns
      10270000           ; 10000 bytes
      0300 0500          ; cut, later; 5 calls
      07000000           ; queued
      c8000000           ; host 200 ns
      32000000           ; writing 50 ns
      00000000
      10270000 00000000  ; fuse_out_header: len, no error
      0500000006000000   ; unique
      aabb
    `);
    const file = join(
      sectionHeader({ comment: '{"tag":"t","snaplen":2}' }),
      interfaceDescription('q'),
      enhancedPacket(0, 1000n, request),
      enhancedPacket(0, 1500n, reply, 40 + 10000),
    );
    const capture = read(file);
    assert.equal(capture.count, 1);
    assert.equal(capture.origin, 1000n);
    assert.deepEqual(rowOf(capture, 0), {
      start: 0,
      latency: 500,
      queued: 7,
      host: 200,
      writing: 50,
      opcode: Opcode.READ,
      queue: 3,
      error: 0,
      nodeid: 2 ** 32 + 2,
      uid: 1000,
      gid: 1001,
      pid: 42,
      requestLength: 52,
      replyLength: 10000,
      payload: 10000 - 16,
      path: '',
      calls: 5,
      flags: RowFlag.REPLIED | RowFlag.REPLY_CUT | RowFlag.LATER,
    });
    assert.deepEqual(Array.from(capture.requestBytes(0)), Array.from(request.subarray(40)));
    assert.deepEqual(Array.from(capture.replyBytes(0)), Array.from(reply.subarray(40)));
    assert.deepEqual([capture.request(0)?.opcode?.name, capture.request(0)?.unique], ['READ', 0x6_0000_0005n]);
    assert.deepEqual([capture.reply(0)?.error, capture.reply(0)?.length], [0, 10000]);
    assert.deepEqual(capture.share, { tag: 't', snaplen: 2 });
    assert.deepEqual(capture.notes, []);
  });

  it('every field of a host call', () => {
    const builder = new CaptureBuilder();
    const request = builder.request('LOOKUP', { names: ['a'], queue: 1, head: 4, at: 0 });
    const packet = hex(`
      02 03 0100         ; version 2, host call, queue 1
      04000000           ; head 4
      0000000000000000   ; taken: filled in below
      0600 0100          ; linkat; made on another thread
      02000000           ; two arguments
      feffffffffffffff   ; -ENOENT
      2003000000000000   ; 800 ns
      0300000000000000   ; arguments: 3, -100
      9cffffffffffffff
      612f6200 6300      ; "a/b", "c"
    `);
    new DataView(packet.buffer).setBigUint64(8, EPOCH, true);
    builder.packet(HOST_INTERFACE, 250, packet).hostCall('close').reply(request, { calls: 2 });
    const [call, second] = builder.capture().hostCalls(0);
    assert.deepEqual(call, {
      start: 250,
      duration: 800,
      call: hostCallNumber.linkat,
      result: -Errno.ENOENT,
      arguments: [3n, -100n],
      texts: ['a/b', 'c'],
      otherThread: true,
      machine: 'x86-64',
    });
    assert.deepEqual([second.call, second.otherThread, second.arguments], [hostCallNumber.close, false, []]);
  });

  it('every field of a vhost-user message', () => {
    const packet = hex(`
      02 02 0100         ; version 2, vhost-user, to the front-end
      02000000           ; two descriptors
      14000000 00000000  ; 20 bytes
      01000000 05000000 08000000 1122334455667788
    `);
    const [message] = new CaptureBuilder().packet(CONTROL_INTERFACE, 70, packet).capture().control;
    assert.deepEqual(
      { ...message, bytes: Buffer.from(message.bytes).toString('hex') },
      {
        start: 0,
        fromFrontEnd: false,
        descriptors: 2,
        bytes: '0100000005000000080000001122334455667788',
      },
    );
  });

  it('a request that wants no reply is complete by itself', () => {
    const { columns } = new CaptureBuilder().exchange('FORGET', { nodeid: 2, in: { nlookup: 1 } }).capture();
    assert.deepEqual([columns.flags[0], columns.latency[0], columns.replyLength[0]], [RowFlag.SILENT, NaN, 0]);
  });

  it('data moved: what was asked while in progress, what was moved, nothing after an error', () => {
    const builder = new CaptureBuilder()
      .exchange('READ', { in: { size: 4096 }, outPayload: 100 })
      .exchange('WRITE', { payload: 5000, out: { size: 4000 } })
      .exchange('WRITE', { payload: 5000, error: 'EIO' })
      .exchange('SETXATTR', { names: ['user.a'], payload: 'value' })
      .exchange('GETXATTR', { in: { size: 10 }, names: ['user.a'], outPayload: 'value' })
      .exchange('GETXATTR', { in: { size: 0 }, names: ['user.a'], out: { size: 5 } })
      .exchange('LISTXATTR', { in: { size: 90 }, outPayload: 'user.a' })
      .exchange('READDIR', { in: { size: 90 }, entries: [{ name: 'x' }] })
      .exchange('COPY_FILE_RANGE', { in: { len: 9 }, out: { size: 8 } })
      .exchange('COPY_FILE_RANGE_64', { in: { len: 9n << 32n }, out: { bytes_copied: 7n << 32n } })
      .exchange('GETATTR');
    builder.request('WRITE', { payload: 300 });
    const { columns, count } = builder.capture();
    const wanted = [100, 4000, 0, 5, 5, 0, 6, 32, 8, 0xffff_ffff, 0, 300];
    assert.deepEqual(Array.from(columns.payload.subarray(0, count)), wanted);
  });

  it('only the data of a message is cut, and the row says so', () => {
    const { columns } = new CaptureBuilder({ snaplen: 16 })
      .exchange('WRITE', { payload: 100 })
      .exchange('READ', { in: { size: 100 }, outPayload: 16 })
      .exchange('READ', { in: { size: 100 }, outPayload: 17 })
      .capture();
    const cut = RowFlag.REQUEST_CUT | RowFlag.REPLY_CUT;
    assert.deepEqual(
      [0, 1, 2].map((row) => columns.flags[row] & cut),
      [RowFlag.REQUEST_CUT, 0, RowFlag.REPLY_CUT],
    );
    assert.equal(columns.requestLength[0], 40 + 40 + 100);
  });

  it('times are exact to the nanosecond a hundred days after the beginning', () => {
    const late = 100 * 86_400 * 1e9 + 1;
    const { columns } = new CaptureBuilder()
      .exchange('GETATTR', { at: 0 })
      .exchange('GETATTR', { at: late, latency: 3 })
      .capture();
    assert.deepEqual([columns.start[1], columns.latency[1]], [late, 3]);
  });

  it('rows of another queue may have been taken before the first', () => {
    const { columns } = new CaptureBuilder()
      .exchange('GETATTR', { at: 5000 })
      .exchange('GETATTR', { at: 4000, queue: 0 })
      .capture();
    assert.deepEqual([columns.start[0], columns.start[1]], [0, -1000]);
  });

  it('packet times that a tool has moved move everything alike, and change no latency', () => {
    const plain = new CaptureBuilder().vhostUser(1).exchange('GETATTR', { latency: 7000 }).bytes();
    const view = new DataView(plain.buffer);
    for (let at = 0; at < plain.length; at += view.getUint32(at + 4, true)) {
      if (view.getUint32(at, true) !== BlockType.ENHANCED_PACKET) continue;
      view.setUint32(at + 12, view.getUint32(at + 12, true) + 800, true);
    }
    const { columns, control } = read(plain);
    assert.deepEqual([control[0].start, columns.start[0], columns.latency[0]], [0, 20_000, 7000]);
  });

  it('what INIT has negotiated holds from its reply on', () => {
    const builder = new CaptureBuilder()
      .exchange('GETATTR')
      .init({ minor: 31, flags: ['DO_READDIRPLUS', 'HAS_INODE_DAX'] })
      .exchange('GETATTR')
      .init({ minor: 40 })
      .exchange('GETATTR')
      .init({ error: 'EPROTO' })
      .exchange('GETATTR');
    const capture = builder.capture();
    assert.deepEqual(
      Array.from({ length: capture.count }, (_, row) => capture.session(row)?.minor),
      [undefined, undefined, 31, 31, 40, 40, 40],
    );
    const has = (name: string): boolean | undefined => capture.session(2)?.hasFlag(name);
    assert.deepEqual(
      ['DO_READDIRPLUS', 'HAS_INODE_DAX', 'INIT_EXT', 'WRITEBACK_CACHE', 'SECURITY_CTX', 'nonsense'].map(has),
      [true, true, true, false, false, false],
    );
  });

  it('what the writer says of the share is taken as it is, unless it is no JSON object', () => {
    const of = (comment: string) => read(sectionHeader({ comment })).share;
    assert.deepEqual(of('{"tag":"a","x":{"y":[1]}}'), { tag: 'a', x: { y: [1] } });
    for (const bad of ['', 'captured on a Tuesday', '[1]', 'null', '3', '{"a":']) assert.deepEqual(of(bad), {});
  });
});

describe('packets', () => {
  /** The shortest of each kind: all that is before what it is about. */
  const shortest: readonly [kind: PacketKind, length: number][] = [
    [PacketKind.Request, FuseAt.message],
    [PacketKind.Reply, FuseAt.message],
    [PacketKind.Dropped, FuseAt.message],
    [PacketKind.HostCall, HostCallAt.arguments],
    [PacketKind.VhostUser, VhostUserAt.message],
    [PacketKind.Names, NamesAt.records],
    [PacketKind.Window, WindowAt.text],
  ];
  const packet = (version: number, kind: number, length: number): Uint8Array => {
    const bytes = new Uint8Array(64);
    bytes.set([version, kind]);
    return bytes.subarray(0, length);
  };
  const strange = (bytes: Uint8Array): boolean => {
    const capture = new CaptureBuilder().packet(CONTROL_INTERFACE, 0, bytes).capture();
    const told = capture.notes.some((note) => note.startsWith('1 packet not understood'));
    if (told) assert.deepEqual([capture.count, capture.control.length], [0, 0]);
    return told;
  };

  it('are understood from the length on at which they say what they are about', () => {
    for (const [kind, length] of shortest) {
      assert.equal(strange(packet(2, kind, length)), false, `kind ${kind}`);
      assert.equal(strange(packet(2, kind, length - 1)), true, `kind ${kind}, a byte short`);
      for (const version of [0, 1, 3]) assert.equal(strange(packet(version, kind, length)), true, `version ${version}`);
    }
  });

  it('of kinds that nobody knows, or of next to nothing, are counted and passed over', () => {
    for (const kind of [shortest.length, 99, 255]) assert.equal(strange(packet(2, kind, 64)), true, `kind ${kind}`);
    for (const length of [0, 1, 2, 7]) assert.equal(strange(packet(2, PacketKind.Request, length)), true);
  });
});

describe('pairing', () => {
  const flagsOf = (capture: CaptureReader): number[] => Array.from(capture.columns.flags.subarray(0, capture.count));

  it('a request without a reply is in progress', () => {
    const builder = new CaptureBuilder();
    builder.request('GETATTR');
    const capture = builder.capture();
    assert.deepEqual([flagsOf(capture), capture.columns.latency[0]], [[0], NaN]);
    assert.deepEqual([capture.reply(0), capture.replyBytes(0).length], [undefined, 0]);
  });

  it('replies come in any order, each to its own head', () => {
    const builder = new CaptureBuilder();
    const requests = [1, 2, 3].map((pid) => builder.request('GETATTR', { pid }));
    [2, 0, 1].forEach((i) => builder.reply(requests[i], { latency: 1000 * (i + 1) }));
    const { columns, count } = builder.capture();
    assert.deepEqual(Array.from(columns.latency.subarray(0, count)), [1000, 2000, 3000]);
    assert.deepEqual(Array.from(columns.pid.subarray(0, count)), [1, 2, 3]);
  });

  it('the same head on two queues is two requests', () => {
    const builder = new CaptureBuilder({ queues: 3 });
    const first = builder.request('GETATTR', { queue: 1, head: 5, unique: 10 });
    const second = builder.request('GETATTR', { queue: 2, head: 5, unique: 10 });
    builder.reply(second, { error: 'EIO' }).reply(first);
    const { columns } = builder.capture();
    assert.deepEqual([columns.error[0], columns.error[1]], [0, -Errno.EIO]);
  });

  it('a reply belongs to the latest request with its head; the one before has lost its reply', () => {
    const builder = new CaptureBuilder();
    builder.request('GETATTR', { head: 5, unique: 10 });
    const second = builder.request('GETATTR', { head: 5, unique: 12 });
    builder.reply(second);
    assert.deepEqual(flagsOf(builder.capture()), [0, RowFlag.REPLIED]);
  });

  it('a reply of another unique, to nothing, or to what has its reply is one without a request', () => {
    const builder = new CaptureBuilder();
    const request = builder.request('GETATTR', { head: 5, unique: 2n ** 40n });
    builder
      .reply(request, { replyUnique: 2n ** 41n, error: 'EIO', latency: 77 })
      .reply(request)
      .reply(request)
      .reply({ ...request, head: 6 });
    const capture = builder.capture();
    const orphan = RowFlag.REPLIED | RowFlag.ORPHAN;
    assert.deepEqual(flagsOf(capture), [RowFlag.REPLIED, orphan, orphan, orphan]);
    const { opcode, nodeid, requestLength, error, latency, queue } = rowOf(capture, 1);
    assert.deepEqual([opcode, nodeid, requestLength, error, latency, queue], [0, 0, 0, -Errno.EIO, 77, 1]);
    assert.deepEqual([capture.request(1), capture.requestBytes(1).length], [undefined, 0]);
    assert.equal(capture.reply(1)?.unique, 2n ** 41n);
  });

  it('a reply to a request that wants none is one without a request', () => {
    const builder = new CaptureBuilder();
    builder.reply(builder.request('FORGET', { in: { nlookup: 1 } }));
    assert.deepEqual(flagsOf(builder.capture()), [RowFlag.SILENT, RowFlag.REPLIED | RowFlag.ORPHAN]);
  });

  it('a notification is a row of its own with its code', () => {
    const capture = new CaptureBuilder().notification(2, new Uint8Array(24)).capture();
    assert.deepEqual([flagsOf(capture), capture.columns.error[0]], [[RowFlag.REPLIED | RowFlag.ORPHAN], 2]);
    assert.equal(capture.reply(0)?.kind, 'notification');
  });

  it('an error that is none stays in the range of the column', () => {
    const builder = new CaptureBuilder()
      .exchange('GETATTR', { error: -0x7fff_ffff })
      .exchange('GETATTR', { error: 70_000 });
    assert.deepEqual(Array.from(builder.capture().columns.error.subarray(0, 2)), [-0x8000, 0x7fff]);
  });

  it('host calls belong to the request with their queue, head and time', () => {
    const builder = new CaptureBuilder();
    const first = builder.request('GETATTR', { head: 5 });
    builder.hostCall('statx', { result: 1 }).reply(first);
    const second = builder.request('GETATTR', { head: 5 });
    builder
      .hostCall('statx', { result: 2 })
      .hostCall('fsync', { result: 3, of: first })
      .hostCall('close', { of: null });
    builder.reply(second).hostCall('close', { result: 4 });
    const capture = builder.capture();
    assert.deepEqual(
      [0, 1].map((row) => capture.hostCalls(row).map((call) => call.result)),
      [[1], [2, 4]],
    );
    assert.match(capture.notes.join(), /^1 system call of the host whose requests/);
  });

  it('losses are told with the row they come before', () => {
    const builder = new CaptureBuilder().exchange('GETATTR').lost(2).lost(3).exchange('GETATTR').lost(1);
    const capture = builder.capture();
    assert.deepEqual(capture.gaps, [
      { row: 1, packets: 5 },
      { row: 2, packets: 1 },
    ]);
    assert.match(capture.notes.join(), /^6 packets lost/);
  });

  it('several shares in one section are told', () => {
    const merged = new CaptureBuilder({ tag: 'a' }).raw(interfaceDescription('b queue 1')).capture();
    assert.match(merged.notes.join(), /^several shares are mixed/);
    const apart = join(new CaptureBuilder({ tag: 'a' }).bytes(), new CaptureBuilder({ tag: 'b' }).bytes());
    assert.deepEqual([read(apart).notes, new CaptureBuilder().capture().notes], [[], []]);
  });

  it('a further section begins anew, unless it is the next piece of the same capture', () => {
    const of = (facts: Record<string, unknown>): CaptureBuilder => {
      const builder = new CaptureBuilder({ tag: 't', facts: { piece: 0 } })
        .init({ minor: 33 })
        .exchange('LOOKUP', { names: ['a'], out: { nodeid: 2 } });
      const pending = builder.request('GETATTR', { nodeid: 2 });
      return builder.section(facts).reply(pending).exchange('GETATTR', { nodeid: 2 });
    };
    const next = of({ piece: 1 }).capture();
    assert.deepEqual([next.count, next.path(next.columns.path[3]), next.session(3)?.minor], [4, '/a', 33]);
    for (const facts of [{ piece: 2 }, { piece: 1, tag: 'other' }, { piece: undefined }]) {
      const other = of(facts).capture();
      assert.deepEqual([other.count, other.path(other.columns.path[4]), other.session(4)], [5, '', undefined]);
      assert.equal(other.columns.flags[3], RowFlag.REPLIED | RowFlag.ORPHAN);
    }
  });
});
