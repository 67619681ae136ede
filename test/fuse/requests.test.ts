import assert from 'node:assert/strict';
import { WriteWay } from '../../src/fs/fileSystem';
import { Errno } from '../../src/protocol/errno';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import * as wire from '../../src/protocol/fuse/structs';
import { Fields, pack, text } from '../driver/pack';
import { fh, hex, nodeid, type Reply, request, Workbench } from './workbench';

const u8 = (value: string): Uint8Array => Buffer.from(value);

/** What the file system was asked for by one request. */
function asked(bytes: Uint8Array, room = 4096): string[] {
  const bench = Workbench.started();
  assert.equal(bench.send(bytes, room).error, 0);
  return bench.fs.log;
}

describe('FUSE requests, byte by byte', () => {
  it('LOOKUP', () => {
    const bench = Workbench.started({ cache: 'auto' });
    const bytes = hex(`
      2e000000          # len 46
      01000000          # opcode LOOKUP
      1122334455667788  # unique
      0100000000000000  # nodeid: the root
      e8030000 e9030000 2a000000  # uid 1000, gid 1001, pid 42
      0000 0000         # total_extlen, padding
      612e747874 00     # "a.txt"
    `);
    const { used, exchange } = bench.send(bytes, 144);
    assert.deepEqual(bench.fs.log, ['lookup(1, a.txt)']);
    assert.deepEqual(
      Buffer.from(exchange.reply.subarray(0, used)).toString('hex'),
      Buffer.from(
        hex(`
        90000000 00000000 1122334455667788  # len 144, error 0, unique
        05000000 07000000                   # nodeid: node 5, its generation
        0000000000000000                    # generation
        0100000000000000 0100000000000000   # entry_valid, attr_valid: 1 s
        00000000 00000000                   # and nanoseconds
        0200000001000000                    # ino
        00f2052a01000000                    # size 5,000,000,000
        0003950000000000                    # blocks
        00f1536500000000                    # atime 1,700,000,000
        fbffffffffffffff                    # mtime -5: before 1970
        02f1536500000000                    # ctime
        01000000 02000000 03000000          # nanoseconds of the three
        a4810000                            # mode 0100644
        02000000                            # nlink
        e8030000 e9030000                   # uid, gid
        23081000                            # rdev 8:0x123 as new_encode_dev has it
        00100000                            # blksize
        00000000                            # flags
      `),
      ).toString('hex'),
    );
  });

  it('READ', () => {
    const bench = Workbench.started();
    const bytes = hex(`
      50000000 0f000000 0700000000000000  # len 80, READ, unique 7
      05000000 07000000                   # nodeid: node 5
      00000000 00000000 01000000 00000000 # uid, gid, pid, no extensions
      02000000 03000000                   # fh: handle 2
      0010000001000000                    # offset 4 GiB and 4096
      00100000                            # size 4096
      00000000                            # read_flags
      0000000000000000                    # lock_owner
      00800000 00000000                   # flags O_LARGEFILE, padding
    `);
    const { body, exchange } = bench.send(bytes, 16 + 4096, { replyCuts: [16, 3] });
    assert.deepEqual(bench.fs.log, ['read(2, 4294971392, 4096)']);
    assert.equal(Buffer.from(body).toString(), 'hello');
    assert.deepEqual(exchange.pulled, [[0, 80]]);
  });

  it('READ further out than a number can say: the end of the file, unless the file reaches there itself', () => {
    const bench = Workbench.started();
    const args = pack(wire.ReadIn, { fh: fh(2), offset: 1n << 60n, size: 100 });
    const read = (): Reply => bench.send(request({ opcode: Opcode.READ, nodeid: nodeid(5) }, args), 116);
    const { error, used } = read();
    assert.deepEqual([error, used], [0, 16]);
    bench.fs.answer('lseek', 2 ** 60);
    assert.equal(read().error, -75);
    bench.fs.answer('lseek', -9);
    assert.equal(read().error, -9);
    assert.deepEqual(
      bench.fs.log.filter((line) => line.startsWith('read(')),
      [],
    );
  });

  it('READ of a whole file at once, and of no more than there is room for', () => {
    const bench = Workbench.started();
    const bytes = request(
      { opcode: Opcode.READ, nodeid: nodeid(5) },
      pack(wire.ReadIn, { fh: fh(2), size: 0xffff_ffff }),
    );
    bench.send(bytes, 16 + 300_000);
    assert.deepEqual(bench.fs.log, ['read(2, 0, 300000)']);
  });

  it('WRITE, without its data passing through the arena', () => {
    const bench = Workbench.started();
    const args = pack(wire.WriteIn, { fh: fh(2), offset: 4096n, size: 300, write_flags: 4 });
    const data = Buffer.alloc(300, 'w');
    const { body, exchange } = bench.send(request({ opcode: Opcode.WRITE, nodeid: nodeid(5) }, args, data), 24, {
      requestCuts: [40, 40, 100],
    });
    assert.deepEqual(bench.fs.log, [`write(2, 4096, 300, 1, ${'w'.repeat(64)})`]);
    assert.equal(new Fields<string>(wire.WriteOut, body).number('size'), 300);
    assert.deepEqual(exchange.pulled, [
      [0, 80],
      [80, 64],
    ]);
  });

  it('GETATTR by node, by handle, and with the handle that is none', () => {
    const get = (values: object): string[] =>
      asked(request({ opcode: Opcode.GETATTR, nodeid: nodeid(5) }, pack<string>(wire.GetattrIn, { ...values })));
    assert.deepEqual(get({}), ['getattr(5, -1, 2047)']);
    assert.deepEqual(get({ fh: fh(2) }), ['getattr(5, -1, 2047)']);
    assert.deepEqual(get({ getattr_flags: 1, fh: fh(2) }), ['getattr(5, 2, 2047)']);
    assert.deepEqual(get({ getattr_flags: 1, fh: (1n << 64n) - 1n }), ['getattr(5, -1, 2047)']);
  });

  it('STATX', () => {
    const bench = Workbench.started();
    const bytes = request({ opcode: Opcode.STATX, nodeid: nodeid(5) }, pack(wire.StatxIn, { sx_mask: 0xffff_ffff }));
    const { body } = bench.send(bytes);
    assert.deepEqual(bench.fs.log, ['getattr(5, -1, 4095)']);
    assert.equal(body.length, 288);
    const stat = new Fields<string>(wire.Statx, body, wire.StatxOut.offset.stat);
    assert.equal(stat.number('mask'), 0xfff);
    assert.equal(stat.number('size'), 5_000_000_000);
    assert.equal(stat.number('rdev_minor'), 0x123);
  });

  it('SETATTR', () => {
    const values = { valid: 0x7f, fh: fh(2), size: 1n << 40n, atime: -1n, mtime: 2n, atimensec: 3, mtimensec: 4 };
    const args = pack(wire.SetattrIn, { ...values, mode: 0o100644, uid: 7, gid: 8 });
    const bench = Workbench.started();
    assert.equal(bench.send(request({ opcode: Opcode.SETATTR, nodeid: nodeid(5) }, args)).body.length, 104);
    assert.deepEqual(bench.fs.log, ['setattr(5, 2, 127, 420, 7, 8, 1099511627776, -1, 3, 2, 4)']);
    assert.equal(bench.fs.caller, '1000:1001 42');
  });

  it('names: UNLINK, RMDIR, RENAME, RENAME2, LINK, READLINK', () => {
    assert.deepEqual(asked(request({ opcode: Opcode.UNLINK }, text('a'))), ['unlink(1, a)']);
    assert.deepEqual(asked(request({ opcode: Opcode.RMDIR }, text('ü'))), ['rmdir(1, ü)']);
    const newdir = nodeid(6);
    assert.deepEqual(asked(request({ opcode: Opcode.RENAME }, pack(wire.RenameIn, { newdir }), text('a'), text('b'))), [
      'rename(1, a, 6, b, 0)',
    ]);
    const args = pack(wire.Rename2In, { newdir, flags: 2 });
    assert.deepEqual(asked(request({ opcode: Opcode.RENAME2 }, args, text('a'), text('b'))), ['rename(1, a, 6, b, 2)']);
    const link = pack(wire.LinkIn, { oldnodeid: nodeid(5) });
    assert.deepEqual(asked(request({ opcode: Opcode.LINK, nodeid: nodeid(6) }, link, text('l'))), ['link(5, 6, l)']);
    const bench = Workbench.started();
    const { body } = bench.send(request({ opcode: Opcode.READLINK, nodeid: nodeid(5) }), 16 + 100);
    assert.equal(Buffer.from(body).toString(), 'a/target');
    bench.send(request({ opcode: Opcode.READLINK, nodeid: nodeid(5) }), 16 + 8192);
    assert.deepEqual(bench.fs.log, ['readlink(5, 100)', 'readlink(5, 4096)'], 'no target is longer than a path');
  });

  it('what makes an inode: SYMLINK, MKNOD, MKDIR, CREATE, TMPFILE', () => {
    assert.deepEqual(asked(request({ opcode: Opcode.SYMLINK }, text('l'), text('../to/there'))), [
      'symlink(1, l, ../to/there)',
    ]);
    const node = pack(wire.MknodIn, { mode: 0o020666, rdev: 0x103, umask: 0o022 });
    assert.deepEqual(asked(request({ opcode: Opcode.MKNOD }, node, text('n'))), ['mknod(1, n, 20644, 259)']);
    const folder = pack(wire.MkdirIn, { mode: 0o1777, umask: 0o027 });
    assert.deepEqual(asked(request({ opcode: Opcode.MKDIR }, folder, text('d'))), ['mkdir(1, d, 41750)']);
    const file = pack(wire.CreateIn, { mode: 0o100666, umask: 0o002, flags: 0o100_0702 });
    const bench = Workbench.started({ cache: 'always' });
    const { body } = bench.send(request({ opcode: Opcode.CREATE }, file, text('f')), 160);
    assert.deepEqual(bench.fs.log, ['create(1, f, 100664, 1000302, false)']);
    const opened = new Fields<string>(wire.OpenOut, body, wire.EntryOut.size);
    assert.equal(opened.big('fh'), fh(4));
    assert.equal(opened.number('open_flags'), 2);
    const truncating = pack(wire.CreateIn, { mode: 0o100644, flags: 0o1101, open_flags: 1 });
    assert.deepEqual(asked(request({ opcode: Opcode.CREATE }, truncating, text('f'))), [
      'create(1, f, 100644, 1101, true)',
    ]);
    // The kernel's placeholder for a name that there is not.
    assert.deepEqual(asked(request({ opcode: Opcode.TMPFILE }, file, text('/'))), ['tmpfile(1, 100664, 1000302)']);
  });

  it("a caller's group as an extension (FUSE_CREATE_SUPP_GROUP)", () => {
    const group = hex('10000000 20000000  01000000 5a000000'); // 16 bytes, type 32, one group: 90
    const folder = pack(wire.MkdirIn, { mode: 0o755 });
    const bench = Workbench.started();
    const send = (extension: Uint8Array, total: number): number =>
      bench.send(request({ opcode: Opcode.MKDIR, total_extlen: total }, folder, text('odd'), extension)).error;
    assert.equal(send(group, 2), 0);
    assert.equal(bench.fs.caller, '1000:1001+90 42');
    assert.equal(send(hex('10000000 20000000  00000000 00000000'), 2), 0);
    assert.equal(bench.fs.caller, '1000:1001 42');
    assert.equal(send(hex('10000000 20000000  02000000 5a000000'), 2), -22, 'more groups than there are');
    assert.equal(send(hex('00000000 20000000  01000000 5a000000'), 2), -22, 'an extension of no length');
    assert.equal(send(hex('18000000 20000000  01000000 5a000000'), 2), -22, 'longer than the request');
    assert.equal(send(hex('10000000 01000000  01000000 5a000000'), 2), -22, 'a security context');
    assert.equal(send(group, 3), -22, 'the name is part of it');
    assert.equal(send(hex(''), 0), 0);
    assert.equal(bench.fs.caller, '1000:1001 42', 'nothing stays of the request before');
  });

  it('no extensions where none were agreed on: the field is padding', () => {
    const bench = new Workbench();
    bench.init({ minor: 31, flags: 0, length: 16 });
    const bytes = request({ opcode: Opcode.MKDIR, total_extlen: 0x1234 }, pack(wire.MkdirIn, {}), text('d'));
    assert.equal(bench.send(bytes).error, 0);
    assert.equal(bench.fs.log.at(-1), 'mkdir(1, d, 40000)');
    assert.equal(bench.fs.caller, '1000:1001+? 42', 'what groups there are is not told');
  });

  describe('WRITE by a file that is open for appending', () => {
    const APPENDING = 0o2001;
    const way = (writeFlags: number, bench = Workbench.started()): string => {
      const args = pack(wire.WriteIn, { fh: fh(2), offset: 7n, size: 1, write_flags: writeFlags, flags: APPENDING });
      assert.equal(
        bench.send(request({ opcode: Opcode.WRITE, nodeid: nodeid(5) }, args, Buffer.from('w')), 24).error,
        0,
      );
      return bench.fs.log.at(-1) ?? '';
    };

    it("is at the host's end", () => {
      assert.equal(way(0), `write(2, 7, 1, ${WriteWay.Append}, w)`);
      assert.equal(way(4), `write(2, 7, 1, ${WriteWay.Append | WriteWay.KillPriv}, w)`);
    });

    it('is at its place where the kernel writes back pages', () => {
      assert.equal(way(1), `write(2, 7, 1, ${WriteWay.Delayed}, w)`);
      assert.equal(way(5), `write(2, 7, 1, ${WriteWay.Delayed | WriteWay.KillPriv}, w)`);
    });

    it('is at its place where the kernel collects writes, and it does so only where that was agreed', () => {
      const options = { cache: 'auto', writeback: true } as const;
      assert.equal(way(0, Workbench.started(options)), 'write(2, 7, 1, 0, w)');
      const refusing = new Workbench(options);
      refusing.init({ flags: 0 });
      assert.equal(way(0, refusing), `write(2, 7, 1, ${WriteWay.Append}, w)`);
    });
  });

  it('OPEN, FLUSH, RELEASE, FSYNC', () => {
    const of = (opcode: number, args: Uint8Array): string[] => asked(request({ opcode, nodeid: nodeid(5) }, args));
    assert.deepEqual(of(Opcode.OPEN, pack(wire.OpenIn, { flags: 0o1702, open_flags: 1 })), ['open(5, 1002, true)']);
    assert.deepEqual(of(Opcode.FLUSH, pack(wire.FlushIn, { fh: fh(2), lock_owner: (9n << 32n) | 8n })), [
      'flush(2, 8, 9)',
    ]);
    assert.deepEqual(of(Opcode.RELEASE, pack(wire.ReleaseIn, { fh: fh(2) })), ['release(2)']);
    assert.deepEqual(of(Opcode.RELEASE, pack(wire.ReleaseIn, { fh: fh(2), release_flags: 1, lock_owner: 3n })), [
      'dropLocks(2, 3, 0)',
      'release(2)',
    ]);
    assert.deepEqual(of(Opcode.FSYNC, pack(wire.FsyncIn, { fh: fh(2), fsync_flags: 1 })), ['fsync(2, true)']);
    assert.deepEqual(of(Opcode.FSYNCDIR, pack(wire.FsyncIn, { fh: fh(2) })), ['fsync(2, false)']);
    assert.deepEqual(of(Opcode.SYNCFS, new Uint8Array(8)), ['syncfs(5)']);
    assert.deepEqual(of(Opcode.ACCESS, pack(wire.AccessIn, { mask: 6 })), ['access(5, 6)']);
  });

  it('LSEEK is left to a guest that collects writes, which knows more than the host', () => {
    const bench = Workbench.started({ cache: 'auto', writeback: true });
    const ask = pack(wire.LseekIn, { fh: fh(2), offset: 5n, whence: 4 });
    assert.equal(bench.send(request({ opcode: Opcode.LSEEK, nodeid: nodeid(5) }, ask)).error, -Errno.ENOSYS);
    assert.deepEqual(bench.fs.log, []);
  });

  it('FALLOCATE, LSEEK, COPY_FILE_RANGE and its _64 form', () => {
    const of = (opcode: number, args: Uint8Array): string[] => asked(request({ opcode, nodeid: nodeid(5) }, args));
    assert.deepEqual(
      of(Opcode.FALLOCATE, pack(wire.FallocateIn, { fh: fh(2), offset: 4096n, length: 1n << 33n, mode: 3 })),
      ['fallocate(2, 3, 4096, 8589934592)'],
    );
    assert.deepEqual(of(Opcode.LSEEK, pack(wire.LseekIn, { fh: fh(2), offset: 5n, whence: 4 })), ['lseek(2, 5, 4)']);
    const copy = pack(wire.CopyFileRangeIn, {
      fh_in: fh(2),
      off_in: 1n,
      nodeid_out: nodeid(6),
      fh_out: fh(3),
      off_out: 2n,
      len: 1n << 40n,
    });
    const bench = Workbench.started();
    const short = bench.send(request({ opcode: Opcode.COPY_FILE_RANGE, nodeid: nodeid(5) }, copy));
    assert.equal(new Fields<string>(wire.WriteOut, short.body).number('size'), 0x7fff_f000);
    const long = bench.send(request({ opcode: Opcode.COPY_FILE_RANGE_64, nodeid: nodeid(5) }, copy));
    assert.equal(new Fields<string>(wire.CopyFileRangeOut, long.body).number('bytes_copied'), 0x7fff_f000);
    assert.deepEqual(bench.fs.log, Array(2).fill('copyFileRange(2, 1, 3, 2, 2147479552, 0)'));
  });

  it('extended attributes, whose long form of SETXATTR is not agreed on', () => {
    const of = (opcode: number, ...parts: Uint8Array[]): string[] =>
      asked(request({ opcode, nodeid: nodeid(5) }, ...parts));
    const short = pack(wire.SetxattrIn, { size: 3, flags: 1 }).subarray(0, 8);
    assert.deepEqual(of(Opcode.SETXATTR, short, text('user.a'), u8('abc')), ['setxattr(5, user.a, abc, 1)']);
    const bench = new Workbench();
    bench.init({ minor: 31, flags: 0, length: 16 });
    const old = request({ opcode: Opcode.SETXATTR, nodeid: nodeid(5) }, short, text('user.a'), u8('abc'));
    assert.equal(bench.send(old).error, 0);
    assert.equal(bench.fs.log.at(-1), 'setxattr(5, user.a, abc, 1)');
    assert.deepEqual(of(Opcode.REMOVEXATTR, text('user.a')), ['removexattr(5, user.a)']);

    const get = request({ opcode: Opcode.GETXATTR }, pack(wire.GetxattrIn, { size: 10 }), text('user.a'));
    assert.equal(Buffer.from(Workbench.started().send(get, 26).body).toString(), 'value');
    const size = request({ opcode: Opcode.GETXATTR }, pack(wire.GetxattrIn, {}), text('user.a'));
    assert.equal(new Fields<string>(wire.GetxattrOut, Workbench.started().send(size, 24).body).number('size'), 5);
    const list = request({ opcode: Opcode.LISTXATTR }, pack(wire.GetxattrIn, { size: 10 }));
    assert.equal(Buffer.from(Workbench.started().send(list, 26).body).toString(), 'user.a\0');
    assert.equal(Workbench.started().send(get, 25).error, -22, 'no room for the size it says');
  });

  it('locks: of a range, to the end, and flock', () => {
    const end = 0x7fff_ffff_ffff_ffffn;
    const lock = (start: bigint, last: bigint, type: number, flags = 0): Uint8Array =>
      Buffer.concat([
        pack(wire.LkIn, { fh: fh(2), owner: 6n }).subarray(0, 16),
        pack(wire.FileLock, { start, end: last, type, pid: 42 }),
        pack(wire.LkIn, { lk_flags: flags }).subarray(40),
      ]);
    const of = (opcode: number, args: Uint8Array): string[] => asked(request({ opcode, nodeid: nodeid(5) }, args));
    assert.deepEqual(of(Opcode.SETLK, lock(10n, 19n, 1)), ['setlk(2, 1, 10, 19, false)']);
    assert.deepEqual(of(Opcode.SETLKW, lock(0n, end, 0)), ['setlk(2, 0, 0, 9223372036854775807, true)']);
    assert.deepEqual(of(Opcode.SETLK, lock(0n, end, 2, 1)), ['flock(2, 2, false)']);
    assert.deepEqual(of(Opcode.SETLKW, lock(0n, end, 1, 1)), ['flock(2, 1, true)']);
    const bench = Workbench.started();
    const { body } = bench.send(request({ opcode: Opcode.GETLK, nodeid: nodeid(5) }, lock(3n, end, 1)));
    const found = new Fields<string>(wire.FileLock, body);
    assert.deepEqual(bench.fs.log, ['getlk(2, 1, 3, 9223372036854775807, 6, 0)']);
    assert.equal(found.big('start'), 3n);
    assert.equal(found.big('end'), end);
    assert.equal(found.number('pid'), 99);
    const send = (args: Uint8Array): number =>
      Workbench.started().send(request({ opcode: Opcode.SETLK, nodeid: nodeid(5) }, args)).error;
    assert.equal(send(lock(0n, 1n, 3)), -22, 'no such type');
    assert.equal(send(lock(2n, 1n, 0)), -22, 'ends before it starts');
    assert.equal(send(lock(1n << 63n, end, 0)), -75, 'beyond any place of a file');
    assert.deepEqual(of(Opcode.SETLK, lock((1n << 53n) + 1n, end - 1n, 1)), [
      'setlk(2, 1, 9007199254740993, 9223372036854775806, false)',
    ]);
    assert.deepEqual(of(Opcode.SETLK, lock(1n, (1n << 64n) - 1n, 1)), ['setlk(2, 1, 1, 9223372036854775807, false)']);
  });

  it('IOCTL: data in and out, nothing unrestricted', () => {
    const args = { fh: fh(2), cmd: 0x40086602, in_size: 4, out_size: 8 };
    const send = (
      values: object,
      data: Uint8Array,
      room = 16 + 16 + 8,
    ): { error: number; log: string[]; out: string } => {
      const bench = Workbench.started();
      const bytes = request(
        { opcode: Opcode.IOCTL, nodeid: nodeid(5) },
        pack<string>(wire.IoctlIn, { ...args, ...values }),
        data,
      );
      const { error, body } = bench.send(bytes, room);
      return { error, log: bench.fs.log, out: Buffer.from(body).toString('hex') };
    };
    const done = send({}, hex('01020304'));
    assert.deepEqual(done.log, ['ioctl(2, 40086602, 4, 8)']);
    assert.equal(done.out, '00'.repeat(16) + 'ab'.repeat(8));
    assert.deepEqual(send({ flags: 2 }, hex('01020304')), { error: -25, log: [], out: '' });
    assert.equal(send({}, hex('0102')).error, -22);
    assert.equal(send({}, hex('01020304'), 16 + 16 + 7).error, -22);
  });

  it('FORGET and BATCH_FORGET have no reply, and leave the root alone', () => {
    const bench = Workbench.started();
    const one = (node: bigint, nlookup: bigint): Uint8Array => pack(wire.ForgetOne, { nodeid: node, nlookup });
    const forget = (node: bigint, count: bigint): number =>
      bench.send(request({ opcode: Opcode.FORGET, nodeid: node }, pack(wire.ForgetIn, { nlookup: count })), 0).used;
    assert.equal(forget(nodeid(5), 3n), 0);
    assert.equal(forget(1n, 1n), 0);
    assert.equal(forget(99n, 1n), 0);
    assert.equal(bench.server.counters.staleForgets, 1);
    const batch = pack(wire.BatchForgetIn, { count: 3 });
    const three = [one(nodeid(5), 1n), one(77n, 1n), one(nodeid(6), 1n << 40n)];
    assert.equal(bench.send(request({ opcode: Opcode.BATCH_FORGET, nodeid: 0n }, batch, ...three), 0).used, 0);
    assert.deepEqual(bench.fs.log, ['forget(5, 3)', 'forget(5, 1)', 'forget(6, 1099511627776)']);
    assert.equal(bench.server.counters.staleForgets, 2);
  });

  it('BATCH_FORGET longer than the arena has room for', () => {
    const bench = Workbench.started();
    const count = 10_000;
    const all = Array.from({ length: count }, (_, i) =>
      pack(wire.ForgetOne, { nodeid: nodeid(2 + (i % 8)), nlookup: BigInt(i + 1) }),
    );
    bench.send(request({ opcode: Opcode.BATCH_FORGET }, pack(wire.BatchForgetIn, { count }), ...all), 0);
    assert.equal(bench.fs.log.length, count);
    assert.equal(bench.fs.log.at(-1), `forget(9, ${count})`);
  });

  it('STATFS', () => {
    const { body } = Workbench.started().send(request({ opcode: Opcode.STATFS }), 96);
    const fields = new Fields<string>(wire.Kstatfs, body);
    const names = ['bsize', 'blocks', 'bfree', 'bavail', 'files', 'ffree', 'namelen', 'frsize'];
    assert.deepEqual(
      names.map((name) => fields.number(name)),
      [101, 102, 103, 104, 105, 106, 108, 109],
    );
  });

  it('marks the root of another file system', () => {
    const bench = Workbench.started();
    bench.fs.crossedDevice = true;
    const { body } = bench.send(request({ opcode: Opcode.LOOKUP }, text('mnt')));
    assert.equal(new Fields<string>(wire.Attr, body, wire.EntryOut.offset.attr).number('flags'), 1);
  });
});
