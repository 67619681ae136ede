import assert from 'node:assert/strict';
import { DEFERRED } from '../../src/fs/fileSystem';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import * as wire from '../../src/protocol/fuse/structs';
import { Fields, pack, text } from '../driver/pack';
import { MemoryExchange } from '../support/memoryExchange';
import { fh, nodeid, parse, request, Workbench, type Reply } from './workbench';

const EINTR = 4;
const EIO = 5;
const EAGAIN = 11;

const node = { nodeid: nodeid(5) };
const fsync = (unique: bigint): Uint8Array =>
  request({ opcode: Opcode.FSYNC, unique, ...node }, pack(wire.FsyncIn, { fh: fh(2) }));
const ended = (exchange: MemoryExchange): Reply => {
  assert.notEqual(exchange.finished, undefined, 'not finished');
  return parse(exchange, exchange.finished ?? 0);
};

describe('FUSE requests that are answered later', () => {
  it('FSYNC: an acknowledgement or an error, whatever came in between', () => {
    const bench = Workbench.started();
    bench.fs.defer('fsync');
    const first = bench.park(fsync(11n));
    const second = bench.park(fsync(12n));
    assert.equal(bench.server.parked.count, 2);
    bench.send(request({ opcode: Opcode.LOOKUP, unique: 13n }, text('x')));
    bench.fs.deferred[1].finish(-EIO);
    bench.fs.deferred[0].finish(0);
    assert.equal(bench.server.parked.count, 0);
    assert.deepEqual([ended(first).unique, ended(first).error, ended(first).used], [11n, 0, 16]);
    assert.deepEqual([ended(second).unique, ended(second).error], [12n, -EIO]);
  });

  it('READ: the data are in the guest, the header tells how many', () => {
    const bench = Workbench.started();
    bench.fs.defer('read');
    const args = pack(wire.ReadIn, { fh: fh(2), size: 100 });
    const exchange = bench.park(request({ opcode: Opcode.READ, ...node }, args), 116);
    const { payload } = bench.fs.deferred[0];
    bench.arena.u8.set(Buffer.from('late'), 300);
    payload.push(16, 4, 300);
    bench.fs.deferred[0].finish(4);
    assert.equal(Buffer.from(ended(exchange).body).toString(), 'late');
  });

  it('WRITE and both COPY_FILE_RANGE: how much it was', () => {
    const bench = Workbench.started();
    bench.fs.defer('write');
    bench.fs.defer('copyFileRange');
    const write = pack(wire.WriteIn, { fh: fh(2), size: 3 });
    const copy = pack(wire.CopyFileRangeIn, { fh_in: fh(2), nodeid_out: nodeid(5), fh_out: fh(3), len: 10n });
    const parked = [
      bench.park(request({ opcode: Opcode.WRITE, ...node }, write, Buffer.from('abc'))),
      bench.park(request({ opcode: Opcode.COPY_FILE_RANGE, ...node }, copy)),
      bench.park(request({ opcode: Opcode.COPY_FILE_RANGE_64, ...node }, copy)),
    ];
    bench.fs.deferred.forEach((each, i) => each.finish(0x7000_0000 + i));
    assert.deepEqual(
      parked.map((exchange) => Buffer.from(ended(exchange).body).toString('hex')),
      ['0000007000000000', '0100007000000000', '0200007000000000'],
    );
  });

  it('OPEN: the handle, with its generation and what may be cached', () => {
    const bench = Workbench.started({ cache: 'always' });
    bench.fs.defer('open');
    const exchange = bench.park(request({ opcode: Opcode.OPEN, ...node }, pack(wire.OpenIn, { flags: 2 })), 32);
    bench.send(request({ opcode: Opcode.LOOKUP }, text('x')));
    bench.fs.deferred[0].finish(6);
    const opened = new Fields<string>(wire.OpenOut, ended(exchange).body);
    assert.deepEqual([opened.big('fh'), opened.number('open_flags')], [fh(6), 2]);
  });

  it('CREATE: the inode, its attributes and the handle, as the file system has them by then', () => {
    const bench = Workbench.started({ cache: 'always' });
    bench.fs.defer('create');
    const args = pack(wire.CreateIn, { flags: 0o102, mode: 0o100644 });
    const exchange = bench.park(request({ opcode: Opcode.CREATE, ...node }, args, text('x')), 176);
    bench.send(request({ opcode: Opcode.LOOKUP }, text('x')));
    bench.fs.createdHandle = 6;
    bench.fs.deferred[0].finish(7);
    const { body, error } = ended(exchange);
    assert.deepEqual([error, body.length], [0, wire.EntryOut.size + wire.OpenOut.size]);
    const entry = new Fields<string>(wire.EntryOut, body);
    assert.equal(entry.big('nodeid'), nodeid(7));
    const attr = new Fields<string>(wire.Attr, body.subarray(wire.EntryOut.offset.attr));
    assert.deepEqual([attr.big('size'), attr.number('mode')], [5_000_000_000n, 0o100644]);
    const opened = new Fields<string>(wire.OpenOut, body.subarray(wire.EntryOut.size));
    assert.deepEqual([opened.big('fh'), opened.number('open_flags')], [fh(6), 2]);
  });

  it('SETATTR: the attributes as the file system has them by then', () => {
    const bench = Workbench.started();
    bench.fs.defer('setattr');
    const args = pack(wire.SetattrIn, { valid: 8, size: 3n });
    const exchange = bench.park(request({ opcode: Opcode.SETATTR, ...node }, args), 120);
    bench.send(request({ opcode: Opcode.LOOKUP }, text('x')));
    bench.fs.deferred[0].finish(0);
    const { body, error } = ended(exchange);
    assert.deepEqual([error, body.length], [0, wire.AttrOut.size]);
    const attr = new Fields<string>(wire.Attr, body.subarray(wire.AttrOut.offset.attr));
    assert.deepEqual([attr.big('size'), attr.number('mode')], [5_000_000_000n, 0o100644]);
  });

  it('FLUSH: what close(2) is to answer', () => {
    const bench = Workbench.started();
    bench.fs.defer('flush');
    const flush = pack(wire.FlushIn, { fh: fh(2) });
    const parked = [0, -28].map(() => bench.park(request({ opcode: Opcode.FLUSH, ...node }, flush)));
    bench.fs.deferred.forEach((each, i) => each.finish(i === 0 ? 0 : -28));
    assert.deepEqual(
      parked.map((exchange) => ended(exchange).error),
      [0, -28],
    );
  });

  it('an end in the middle of another request does not touch its reply', () => {
    const bench = Workbench.started();
    bench.fs.defer('fsync');
    const late = bench.park(fsync(21n));
    bench.fs.defer('setlk');
    const getattr = request({ opcode: Opcode.GETATTR, unique: 22n, ...node }, pack(wire.GetattrIn, {}));
    bench.fs.getattr = () => {
      bench.fs.deferred[0].finish(0);
      return 0;
    };
    const reply = bench.send(getattr);
    assert.deepEqual([reply.unique, reply.body.length], [22n, 104]);
    assert.equal(ended(late).unique, 21n);
  });

  it('is finished once', () => {
    const bench = Workbench.started();
    bench.fs.defer('fsync');
    const exchange = bench.park(fsync(1n));
    bench.fs.deferred[0].finish(0);
    bench.fs.deferred[0].finish(-EIO);
    assert.equal(ended(exchange).error, 0);
  });

  it('a reply that is not in guest memory is given back empty', () => {
    const bench = Workbench.started();
    bench.fs.defer('fsync');
    const exchange = new MemoryExchange(bench.arena, fsync(1n), 16, { replyMapped: 0 });
    assert.equal(bench.server.handle(exchange), DEFERRED);
    bench.fs.deferred[0].finish(0);
    assert.equal(exchange.finished, 0);
  });

  it('of a ring that is stopped nothing is written: it is dropped', () => {
    const bench = Workbench.started();
    bench.fs.defer('fsync');
    const exchange = bench.park(fsync(1n));
    exchange.answerable = false;
    assert.equal(bench.fs.deferred[0].answerable, false);
    bench.fs.deferred[0].finish(-EIO);
    assert.equal(exchange.finished, 0);
    assert.ok(exchange.reply.every((byte) => byte === 0));
    assert.deepEqual([bench.server.parked.count, bench.server.failed], [0, 0]);
  });

  describe('INTERRUPT', () => {
    const interrupt = (unique: bigint): Uint8Array =>
      request({ opcode: Opcode.INTERRUPT, nodeid: 0n }, pack(wire.InterruptIn, { unique }));

    it('has no reply when the file system ends the wait', () => {
      const bench = Workbench.started();
      bench.fs.defer('setlk');
      const lock = request({ opcode: Opcode.SETLKW, unique: 31n, ...node }, pack(wire.LkIn, { fh: fh(2) }));
      const waiting = bench.park(lock);
      bench.fs.interrupt = (low) => {
        assert.equal(low, 31);
        bench.fs.deferred[0].finish(-EINTR);
        return true;
      };
      assert.equal(bench.send(interrupt(31n), 16).used, 0);
      assert.equal(ended(waiting).error, -EINTR);
    });

    it('has none for a request that cannot be ended, and asks again for one that has not come', () => {
      const bench = Workbench.started();
      bench.fs.defer('fsync');
      bench.park(fsync((7n << 32n) | 31n));
      assert.equal(bench.send(interrupt((7n << 32n) | 31n), 16).used, 0);
      assert.equal(bench.send(interrupt(31n), 16).error, -EAGAIN);
      assert.equal(bench.send(interrupt(31n), 0).used, 0);
    });
  });
});
