import assert from 'node:assert/strict';
import { NamesFlag, WindowWhat } from '../../../src/trace/packet';
import { CaptureBuilder } from '../captureBuilder';
import { checkDissection } from './checkDissection';
import { Bench, hasTshark } from './tshark';
import { need } from '../../support/need';

/** A short story; the comments are packet numbers. */
function story(): CaptureBuilder {
  const builder = new CaptureBuilder({ tag: 'work' }).init(); // 1, 2
  const file = { nodeid: 2, attr: { mode: 0o100644, size: 8192, uid: 1000 } };
  builder
    .exchange('LOOKUP', { nodeid: 1, names: ['a.db'], out: file, pid: 41 }) // 3, 4
    .exchange('OPEN', {
      nodeid: 2,
      in: { flags: 0o102 },
      out: { fh: 5 },
      hostCalls: [{ call: 'openat', arguments: [7, 0, 0o102, 0], texts: ['a.db'], result: 9, duration: 4000 }],
    }) // 5, host call 6, 7
    .exchange('READ', { nodeid: 2, in: { fh: 5, size: 4096 }, outPayload: 4096, latency: 40_000 }) // 8, 9
    .exchange('READ', { nodeid: 2, in: { fh: 5, size: 131072 }, outPayload: 8192, latency: 7_000_000 }) // 10, 11
    .exchange('MKDIR', { names: ['dir'], in: { mode: 0o755 }, out: { nodeid: 3 } }) // 12, 13
    .exchange('RENAME', { nodeid: 1, in: { newdir: 3 }, names: ['a.db', 'b.db'] }) // 14, 15
    .exchange('GETATTR', { nodeid: 2, in: {}, out: { attr: file.attr } }) // 16, 17
    .exchange('LOOKUP', { nodeid: 3, names: ['none'], error: 'ENOENT' }) // 18, 19
    .exchange('SETATTR', { nodeid: 2, in: { valid: 1, mode: 0o600, size: 4711 }, error: 'EPERM' }); // 20, 21
  builder.exchange('FORGET', { nodeid: 2, in: { nlookup: 1 } }); // 22
  // Two in flight at a time, answered the other way round, by the heads alone.
  const first = builder.request('GETATTR', { nodeid: 2, unique: 900, head: 10 }); // 23
  const second = builder.request('GETATTR', { nodeid: 3, unique: 900, head: 20 }); // 24
  builder.reply(second, { latency: 10_000 }).reply(first, { latency: 90_000 }); // 25, 26
  builder.request('FSYNC', { nodeid: 2, in: { fh: 5 } }); // 27, in flight
  builder.reply({ ...first, unique: 5555 }, { error: 'EIO' }); // 28, of no request
  const held = { latency: 2_500_000_000, held: 2_000_000_000, host: 400_000_000, changed: true };
  builder.exchange('STATFS', { nodeid: 1, error: 'EIO', ...held }); // 29, 30, by a debugger
  builder.exchange('STATFS', { nodeid: 1, latency: 900_000, held: 800_000, changed: false }); // 31, 32
  return builder;
}

describe('requests, replies and filters in tshark', function () {
  this.timeout(60_000);
  let bench: Bench;
  let file: string;
  const select = (filter: string): number[] => bench.select(file, filter);

  before(function () {
    need(this, 'tshark', hasTshark(), 'not on PATH');
    bench = new Bench();
    file = bench.file(story().bytes());
  });
  after(() => bench?.remove());

  it('agrees with the decoder on every field', async () => {
    assert.equal((await checkDissection(bench, file)).packets, 32);
  });

  for (const [filter, packets] of [
    ['fuse.opcode == "READ"', [8, 10]],
    ['fuse.opcode == 15', [8, 10]],
    ['fuse.reply_to == "READ"', [9, 11]],
    ['fuse.read.size > 4096', [10]],
    ['fuse.open.flags.creat && fuse.open.flags.rdwr', [5]],
    ['fuse.open.flags & 0x40', [5]],
    ['fuse.errno == "ENOENT"', [19]],
    ['fuse.errno', [19, 21, 28, 30]],
    ['fuse.error < 0', [19, 21, 28, 30]],
    ['fuse.failed', [19, 21, 28, 30]],
    ['fuse.no_request', [28]],
    ['fuse.time > 0.005', [11, 30]],
    ['fuse.held', [30, 32]],
    ['fuse.held > 1', [30]],
    ['fuse.changed', [30]],
    ['fuse.daemon > 0.09 && fuse.daemon < 0.11', [30]],
    ['fuse.time > 0.00003 && fuse.time < 0.00005', [9]],
    ['fuse.opcode && !fuse.response_in', [22, 27]],
    ['fuse.request_in == 24', [25]],
    ['fuse.response_in == 26', [23]],
    ['fuse.path == "/a.db"', [3, 4, 5, 7, 8, 9, 10, 11, 14, 15]],
    ['fuse.path matches "b\\\\.db$"', [16, 17, 20, 21, 22, 23, 26, 27]],
    ['fuse.name == "none"', [18]],
    ['fuse.pid == 41', [3]],
    ['fuse.fh == 5', [7, 8, 10, 27]],
    ['fuse.setattr.mode == 0600', [20]],
    ['fuse.setattr.size', []],
    ['fuse.lookup.reply.attr.size >= 8192', [4]],
    ['hostcall.call == "openat" && hostcall.openat.pathname == "a.db"', [6]],
    ['hostcall.request_in == 5', [6]],
    ['hostcall.path contains "a.db"', [6]],
    ['vhost_user', []],
    ['hostcall.duration > 0.000003', [6]],
    ['fuse.host_call == 6', [7]],
    ['fuse.queue == 0', [22]],
    ['fuse.malformed', []],
  ] as const) {
    it(`selects by ${filter}`, () => assert.deepEqual(select(filter), packets));
  }

  it('says in the Info column what happens, and to which file', () => {
    const lines = bench.info(file);
    assert.equal(lines[7], 'READ nodeid=2 fh=5 offset=0 size=4K  /a.db');
    assert.equal(lines[8], 'READ -> 4096 bytes (40.0 µs)  /a.db');
    assert.equal(lines[13], 'RENAME nodeid=1 newdir=3 "a.db" "b.db"  /a.db');
    assert.equal(lines[15], 'GETATTR nodeid=2  /dir/b.db');
    assert.equal(lines[18], 'LOOKUP -> ENOENT (10.0 µs)  /dir/none');
    assert.equal(lines[29], 'STATFS -> EIO (2.500 s, held 2.000 s, changed)  /');
    assert.match(lines[31], /^STATFS -> .* \(900\.0 µs, held 800\.0 µs\) {2}\/$/);
    assert.equal(lines[5], 'openat(dirfd=7, pathname="a.db", flags=O_RDWR|O_CREAT, mode=0000) = 9');
  });

  it('marks a reply that a fault has dropped, with its request', () => {
    const dropped = story();
    const request = dropped.request('LOOKUP', { nodeid: 3, names: ['b.db'] }); // 33
    const lost = bench.file(dropped.replyDropped(request, { calls: 1 }).bytes()); // 34
    assert.deepEqual(bench.select(lost, 'fuse.dropped'), [34]);
    assert.deepEqual(bench.select(lost, 'fuse.dropped && fuse.request_in == 33 && fuse.changed'), [34]);
    assert.deepEqual(bench.select(lost, 'fuse.malformed || fuse.response_in == 34'), []);
    assert.equal(bench.info(lost)[33], 'LOOKUP reply dropped by a fault  /dir/b.db');
  });

  it('shows a message as a tree', () => {
    const { output } = bench.run(file, '-Y', 'frame.number == 5', '-O', 'fuse');
    const [, ...tree] = output.trimEnd().split('\n');
    assert.deepEqual(tree, [
      'Filesystem in Userspace (virtio-fs), OPEN nodeid=2 flags=O_RDWR|O_CREAT',
      '    capture',
      '        kind: request (0)',
      '        queue: 1',
      '        head: 0',
      '        taken: Nov 14, 2023 22:13:20.000060000 UTC',
      '        length: 48',
      '        queued: 0.000000000 seconds',
      '    fuse_in_header',
      '        len: 48',
      '        opcode: OPEN (14)',
      '        unique: 6',
      '        nodeid: 2',
      '        uid: 1000',
      '        gid: 1000',
      '        pid: 100',
      '        total_extlen: 0',
      '    fuse_open_in',
      '        flags: 0x00000042 (O_RDWR|O_CREAT)',
      '            O_RDWR: Read and write.',
      '            O_CREAT: Make the file if it is not there.',
      '        open_flags: 0x00000000 (0)',
      '    [path: /a.db]',
      '    [Reply in: 7]',
    ]);
  });

  it('takes each session as INIT has settled it', async () => {
    const builder = new CaptureBuilder();
    for (const minor of [4, 7, 8, 11, 22, 30, 46]) {
      builder.init({ minor });
      const short = new Uint8Array(40 + 24);
      const view = new DataView(short.buffer);
      [64, 15].forEach((value, i) => view.setUint32(4 * i, value, true));
      view.setUint32(56, 512, true);
      builder.exchange('READ', { raw: short, unique: 0, rawReply: new Uint8Array([16, ...new Uint8Array(15)]) });
      builder.exchange('LOOKUP', { names: ['x'], out: { nodeid: 4 } });
      builder.exchange('MKNOD', { names: ['node'], in: { mode: 0o20644, rdev: 0x501 }, out: { nodeid: 5 } });
      builder.exchange('SETXATTR', { names: ['user.a'], in: {}, payload: 'value' });
      builder.exchange('STATFS', { out: { st: { bsize: 4096 } } });
    }
    await checkDissection(bench, builder.bytes());
  });

  it('knows paths from before the capture', () => {
    const builder = new CaptureBuilder().names([
      { nodeid: 9, parent: 1, name: 'old' },
      { nodeid: 10, parent: 9, name: 'file' },
    ]);
    const known = bench.file(builder.exchange('GETATTR', { nodeid: 10, out: {} }).bytes());
    assert.deepEqual(bench.select(known, 'fuse.path == "/old/file"'), [2, 3]);
    assert.deepEqual(bench.select(known, 'fuse.known.name == "file" && fuse.known.nodeid == 10'), [1]);
  });

  it('and that a nodeid has no name any more', () => {
    const builder = new CaptureBuilder()
      .names([
        { nodeid: 9, parent: 1, name: 'a' },
        { nodeid: 10, parent: 1, name: 'b' },
      ])
      .names([{ nodeid: 9, parent: 1, name: '' }], NamesFlag.ONLY)
      .exchange('GETATTR', { nodeid: 9, out: {} })
      .exchange('GETATTR', { nodeid: 10, out: {} });
    assert.deepEqual(bench.select(bench.file(builder.bytes()), 'fuse.path'), [5, 6]);
  });

  it('says what there is to say of files and the DAX window', () => {
    const builder = new CaptureBuilder()
      .window(WindowWhat.REFUSED, { nodeid: 9, path: 'a/b', text: 'it is empty' })
      .window(WindowWhat.MAPPED, { nodeid: 10, path: 'c', fileOffset: 4096, length: 8192, windowOffset: 65536 })
      .packet(0, 0, Uint8Array.of(2, 5, 0, 0));
    const file = bench.file(builder.bytes());
    assert.deepEqual(bench.select(file, 'fuse.window.path == "a/b" && fuse.window.text == "it is empty"'), [1]);
    assert.deepEqual(bench.select(file, 'fuse.window.nodeid == 10 && fuse.window.window_offset == 0x10000'), [2]);
    const { output, errors } = bench.run(file);
    assert.equal(errors, '');
    assert.match(output, /DAX window: without the window: "\/a\/b": it is empty/);
    assert.match(output, /\(cut\)/);
  });

  it('leaves packets of link type USER0 that are not ours to others', () => {
    const foreign = new CaptureBuilder().packet(0, 0, Uint8Array.of(0x45, 0, 0, 20)).packet(0, 1, new Uint8Array(0));
    const other = bench.file(foreign.bytes());
    const { output, errors } = bench.run(other, '-V');
    assert.equal(errors, '');
    const alone = bench.withoutDissector(other, '-V');
    assert.match(alone, /not handled: DLT=147/);
    assert.deepEqual(output.replace('fuse:user_dlt', 'user_dlt'), alone);
    assert.deepEqual(bench.select(other, 'fuse || hostcall || vhost_user'), []);
  });
});
