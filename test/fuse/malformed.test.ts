import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DEFERRED } from '../../src/fs/fileSystem';
import { REQUEST_CAPACITY } from '../../src/fuse/areas';
import { argumentBytes, isSilent, NOT_SERVED } from '../../src/fuse/shapes';
import { opcodes, Opcode } from '../../src/protocol/fuse/opcodes';
import * as wire from '../../src/protocol/fuse/structs';
import { pack, text } from '../driver/pack';
import { MemoryExchange } from '../support/memoryExchange';
import { fh, nodeid, parse, request, Workbench, type Reply } from './workbench';

const EBADF = 9;
const E2BIG = 7;
const EFAULT = 14;
const EINVAL = 22;
const EFBIG = 27;
const ERANGE = 34;
const ENAMETOOLONG = 36;
const ESTALE = 116;

/** The errno of one request, of which nothing must reach the file system. */
function refusal(bytes: Uint8Array, room = 4096): number {
  const bench = Workbench.started();
  const { error } = bench.send(bytes, room);
  assert.deepEqual(bench.fs.log, []);
  return error;
}

describe('malformed FUSE requests', () => {
  describe('names', () => {
    const bad: [what: string, name: Uint8Array, error: number][] = [
      ['with a slash', text('a/b'), EINVAL],
      ['that are a slash', text('/'), EINVAL],
      ['empty', text(''), EINVAL],
      ['"."', text('.'), EINVAL],
      ['".."', text('..'), EINVAL],
      ['that climb', text('../etc'), EINVAL],
      ['without a NUL', Buffer.from('abc'), EINVAL],
      ['that are not there at all', Buffer.of(), EINVAL],
      ['with a NUL inside', text('a\0b'), EINVAL],
      ['of 256 bytes', text('x'.repeat(256)), ENAMETOOLONG],
      ['of 5,000 bytes', text('x'.repeat(5000)), ENAMETOOLONG],
    ];
    const good = text('ok');
    const requests: [opcode: string, make: (name: Uint8Array) => Uint8Array][] = [
      ['LOOKUP', (name) => request({ opcode: Opcode.LOOKUP }, name)],
      ['UNLINK', (name) => request({ opcode: Opcode.UNLINK }, name)],
      ['RMDIR', (name) => request({ opcode: Opcode.RMDIR }, name)],
      ['MKDIR', (name) => request({ opcode: Opcode.MKDIR }, pack(wire.MkdirIn, {}), name)],
      ['MKNOD', (name) => request({ opcode: Opcode.MKNOD }, pack(wire.MknodIn, { mode: 0o100644 }), name)],
      ['CREATE', (name) => request({ opcode: Opcode.CREATE }, pack(wire.CreateIn, {}), name)],
      ['LINK', (name) => request({ opcode: Opcode.LINK }, pack(wire.LinkIn, { oldnodeid: nodeid(5) }), name)],
      ['RENAME to', (name) => request({ opcode: Opcode.RENAME }, pack(wire.RenameIn, { newdir: 1n }), good, name)],
      ['RENAME2 to', (name) => request({ opcode: Opcode.RENAME2 }, pack(wire.Rename2In, { newdir: 1n }), good, name)],
    ];
    for (const [opcode, make] of requests) {
      it(opcode, () => {
        for (const [what, name, error] of bad) assert.equal(refusal(make(name)), -error, what);
      });
    }

    it('RENAME from and SYMLINK at', () => {
      for (const [what, name] of bad.slice(0, 6)) {
        assert.equal(
          refusal(request({ opcode: Opcode.RENAME }, pack(wire.RenameIn, { newdir: 1n }), name, good)),
          -EINVAL,
          what,
        );
        assert.equal(refusal(request({ opcode: Opcode.SYMLINK }, name, good)), -EINVAL, what);
      }
      const long = text('x'.repeat(256));
      const args = pack(wire.RenameIn, { newdir: 1n });
      assert.equal(refusal(request({ opcode: Opcode.RENAME }, args, long, good)), -ENAMETOOLONG);
      assert.equal(refusal(request({ opcode: Opcode.SYMLINK }, long, good)), -ENAMETOOLONG);
    });

    it('of 255 bytes are fine, in any cut', () => {
      const bench = Workbench.started();
      const bytes = request({ opcode: Opcode.LOOKUP }, text('y'.repeat(255)));
      assert.equal(bench.send(bytes, 4096, { requestCuts: [1, 39, 0, 41, 7] }).error, 0);
      assert.deepEqual(bench.fs.log, [`lookup(1, ${'y'.repeat(255)})`]);
    });

    it('that only begin with dots are fine', () => {
      for (const name of ['.a', '..a', '...', 'a..']) {
        const bench = Workbench.started();
        assert.equal(bench.send(request({ opcode: Opcode.LOOKUP }, text(name))).error, 0);
        assert.deepEqual(bench.fs.log, [`lookup(1, ${name})`]);
      }
    });

    it('without a NUL are not looked for behind their request, where an earlier one was', () => {
      const bench = Workbench.started();
      assert.equal(bench.send(request({ opcode: Opcode.LOOKUP }, text('x'.repeat(400)))).error, -ENAMETOOLONG);
      assert.equal(bench.send(request({ opcode: Opcode.LOOKUP }, Buffer.from('y'.repeat(300)))).error, -EINVAL);
      assert.deepEqual(bench.fs.log, []);
    });

    it('targets of links: empty, too long, unfinished', () => {
      const to = (target: Uint8Array): number => refusal(request({ opcode: Opcode.SYMLINK }, good, target));
      assert.equal(to(text('')), -EINVAL);
      assert.equal(to(Buffer.from('abc')), -EINVAL);
      assert.equal(to(text('a\0b')), -EINVAL);
      assert.equal(to(text('z'.repeat(4096))), -ENAMETOOLONG);
      const longest = request({ opcode: Opcode.SYMLINK }, good, text('z'.repeat(4095)));
      assert.equal(Workbench.started().send(longest).error, 0);
    });

    it('extended attributes: empty, too long, unfinished, a value longer than the request', () => {
      const remove = (name: Uint8Array): number => refusal(request({ opcode: Opcode.REMOVEXATTR }, name));
      assert.equal(remove(text('')), -EINVAL);
      assert.equal(remove(Buffer.from('user.a')), -EINVAL);
      assert.equal(remove(text('u'.repeat(256))), -ERANGE);
      const longest = request({ opcode: Opcode.REMOVEXATTR }, text('u'.repeat(255)));
      assert.equal(Workbench.started().send(longest).error, 0);
      const set = (size: number, rest: Uint8Array): number =>
        refusal(request({ opcode: Opcode.SETXATTR }, pack(wire.SetxattrIn, { size }), rest));
      assert.equal(set(4, text('u')), -EINVAL);
      assert.equal(set(0xffff_ffff, text('u')), -E2BIG);
      assert.equal(set(2, text('u')), -EINVAL);
      assert.equal(set(0, Buffer.of()), -EINVAL);
    });
  });

  it('identities that were never given out', () => {
    const read = (node: bigint, handle: bigint): number =>
      refusal(request({ opcode: Opcode.READ, nodeid: node }, pack(wire.ReadIn, { fh: handle, size: 1 })));
    assert.equal(read(0n, fh(2)), -ESTALE);
    assert.equal(read(5n, fh(2)), -ESTALE);
    assert.equal(read((1n << 64n) - 1n, fh(2)), -ESTALE);
    assert.equal(read(nodeid(5), 2n), -EBADF);
    assert.equal(read(nodeid(5), (1n << 64n) - 1n), -EBADF);
    for (const row of opcodes) {
      if (!row.reply || ['INIT', 'DESTROY'].includes(row.name)) continue;
      const bench = Workbench.started();
      const { error } = bench.send(request({ opcode: row.number, nodeid: 77n }, new Uint8Array(200)));
      // These go by their handle: the inode may be forgotten by then.
      const expected = row.name.startsWith('RELEASE') ? -EBADF : -ESTALE;
      assert.ok(error === expected || error === -38, `${row.name}: ${error}`);
    }
    assert.equal(refusal(request({ opcode: Opcode.LINK }, pack(wire.LinkIn, { oldnodeid: 77n }), text('a'))), -ESTALE);
    const rename = request({ opcode: Opcode.RENAME }, pack(wire.RenameIn, { newdir: 77n }), text('a'), text('b'));
    assert.equal(refusal(rename), -ESTALE);
  });

  it('lengths that are not true', () => {
    const lookup = (len: number): number => refusal(request({ opcode: Opcode.LOOKUP, len }, text('a')));
    for (const len of [0, 39, 43, 0xffff_ffff]) assert.equal(lookup(len), -EINVAL, `${len}`);
    const write = (size: number): number =>
      refusal(
        request({ opcode: Opcode.WRITE, nodeid: nodeid(5) }, pack(wire.WriteIn, { fh: fh(2), size }), Buffer.alloc(8)),
      );
    for (const size of [0, 7, 9, 0x8000_0000, 0xffff_ffff]) assert.equal(write(size), -EINVAL, `${size}`);
    const bench = Workbench.started();
    const forget = request(
      { opcode: Opcode.BATCH_FORGET },
      pack(wire.BatchForgetIn, { count: 0x1000_0001 }),
      Buffer.alloc(16),
    );
    assert.equal(bench.send(forget, 16).used, 0);
    assert.equal(bench.server.counters.dropped, 1);
    assert.equal(refusal(request({ opcode: Opcode.SETXATTR }, Buffer.alloc(100_000))), -E2BIG);
    assert.equal(refusal(request({ opcode: Opcode.LOOKUP, total_extlen: 0xffff }, text('a'))), -EINVAL);
  });

  it('shorter than a header: said before anything is read in it', () => {
    assert.equal(refusal(request({ opcode: 999, len: 39 }, Buffer.alloc(8))), -EINVAL);
  });

  it('shorter than their arguments', () => {
    for (const { name, number: opcode } of opcodes) {
      const least = argumentBytes[opcode];
      if (least === NOT_SERVED || least === 0) continue;
      const bench = Workbench.started();
      const reply = bench.send(request({ opcode, nodeid: nodeid(5) }, new Uint8Array(least - 1)));
      assert.deepEqual([reply.used, reply.error], isSilent[opcode] ? [0, 0] : [16, -EINVAL], name);
      assert.equal(bench.server.lastRefusal.reason, 'shorter than its arguments', name);
      assert.deepEqual(bench.fs.log, [], name);
    }
  });

  it('RENAME2 with flags that there are not', () => {
    for (const flags of [8, 0x8000_0000]) {
      const args = pack(wire.Rename2In, { newdir: 1n, flags });
      assert.equal(refusal(request({ opcode: Opcode.RENAME2 }, args, text('a'), text('b'))), -EINVAL);
    }
  });

  it('BATCH_FORGET with a count that is not what is there, or beyond any request', () => {
    const one = pack(wire.ForgetOne, { nodeid: nodeid(5), nlookup: 1n });
    const dropped = (count: number, there: number): boolean => {
      const bench = Workbench.started();
      const all = Array.from({ length: there }, () => one);
      bench.send(request({ opcode: Opcode.BATCH_FORGET }, pack(wire.BatchForgetIn, { count }), ...all), 0);
      assert.equal(bench.fs.log.length, bench.server.counters.dropped === 1 ? 0 : count);
      assert.equal(bench.server.counters.unaddressable, 0, 'said before any of it is fetched');
      return bench.server.counters.dropped === 1;
    };
    assert.deepEqual([dropped(1, 2), dropped(2, 1)], [true, true]);
    assert.deepEqual([dropped(65_536, 65_536), dropped(65_537, 65_537)], [false, true]);
  });

  it('as long as the area for requests, and one byte longer', () => {
    const lookup = (bytes: number): number =>
      refusal(request({ opcode: Opcode.LOOKUP }, new Uint8Array(bytes - wire.InHeader.size).fill(0x61)));
    assert.equal(lookup(REQUEST_CAPACITY), -EINVAL);
    assert.equal(lookup(REQUEST_CAPACITY + 1), -E2BIG);
  });

  it('offsets beyond any file', () => {
    const far = 1n << 53n;
    const on = (opcode: number, args: Uint8Array, ...rest: Uint8Array[]): number =>
      refusal(request({ opcode, nodeid: nodeid(5) }, args, ...rest));
    assert.equal(on(Opcode.WRITE, pack(wire.WriteIn, { fh: fh(2), offset: far, size: 1 }), Buffer.alloc(1)), -EFBIG);
    assert.equal(on(Opcode.SETATTR, pack(wire.SetattrIn, { valid: 8, size: (1n << 64n) - 1n })), -EFBIG);
    assert.equal(on(Opcode.FALLOCATE, pack(wire.FallocateIn, { fh: fh(2), offset: far, length: 1n })), -EFBIG);
    assert.equal(on(Opcode.LSEEK, pack(wire.LseekIn, { fh: fh(2), offset: far, whence: 3 })), -6);
    const last = pack(wire.SetattrIn, { valid: 8, size: far - 1n });
    assert.equal(Workbench.started().send(request({ opcode: Opcode.SETATTR, nodeid: nodeid(5) }, last)).error, 0);
    assert.equal(on(Opcode.LSEEK, pack(wire.LseekIn, { fh: fh(2), whence: 1 })), -EINVAL);
    assert.equal(on(Opcode.SETATTR, pack(wire.SetattrIn, { valid: 16, atimensec: 0x3fff_ffff })), -EINVAL, 'UTIME_NOW');
  });

  it('what is not in guest memory costs that request and no other', () => {
    const bench = Workbench.started();
    const lookup = request({ opcode: Opcode.LOOKUP }, text('n'.repeat(100)));
    assert.equal(bench.send(lookup, 160, { requestMapped: 20, requestCuts: [20] }).used, 0);
    assert.equal(bench.server.opcode, 0, 'nothing is known of it');
    assert.equal(bench.send(lookup, 160, { requestMapped: 90, requestCuts: [90] }).error, -EFAULT);
    assert.equal(bench.send(lookup, 160, { replyMapped: 0 }).used, 0);
    const write = request(
      { opcode: Opcode.WRITE, nodeid: nodeid(5) },
      pack(wire.WriteIn, { fh: fh(2), size: 9 }),
      Buffer.alloc(9),
    );
    assert.equal(bench.send(write, 24, { requestMapped: 80, requestCuts: [40, 40] }).error, -EFAULT);
    assert.equal(bench.server.counters.unaddressable, 3);
    assert.equal(bench.send(lookup).error, 0);
  });

  it('truncated at every length: an errno or nothing, and only whole requests are done', () => {
    const args = pack(wire.Rename2In, { newdir: 1n });
    const whole = request({ opcode: Opcode.RENAME2 }, args, text('from'), text('to'));
    const bench = Workbench.started();
    for (let length = 0; length < whole.length; length++) {
      const asIs = bench.send(whole.subarray(0, length), 16);
      assert.ok(asIs.used === 0 || asIs.error < 0, `${length}`);
      const honest = Buffer.from(whole.subarray(0, length));
      if (length >= 4) honest.writeUInt32LE(length, 0);
      const reply = bench.send(honest, 16);
      assert.ok(reply.used === 0 || reply.error < 0, `${length}`);
    }
    assert.deepEqual(bench.fs.log, []);
  });

  describe('whatever a guest sends', () => {
    const check = (bytes: Uint8Array, room: number, options = {}): void => {
      const bench = Workbench.started();
      bench.fs.entries = [{ name: 'a', ino: 2, type: 8 }];
      const exchange = new MemoryExchange(bench.arena, bytes, room, options);
      const used = bench.server.handle(exchange);
      assert.notEqual(used, DEFERRED);
      if (used === 0) return;
      const reply: Reply = parse(exchange, used);
      const unique = Buffer.alloc(8);
      unique.set(bytes.subarray(8, 16));
      assert.equal(reply.unique, unique.readBigUInt64LE());
    };

    it('bytes', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(400), (bytes, room) => check(bytes, room)),
        { numRuns: 500 },
      );
    });

    it('a good header with anything behind it, in any cut', () => {
      const property = fc.property(
        fc.constantFrom(...opcodes.map((row) => row.number)),
        fc.constantFrom(1n, nodeid(5), 0n, 77n),
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(600),
        fc.array(fc.nat(90), { maxLength: 6 }),
        fc.boolean(),
        (opcode, node, rest, room, cuts, goodHandle) => {
          const body = Buffer.from(rest);
          if (goodHandle && body.length >= 8) body.writeBigUInt64LE(fh(2), 0);
          check(request({ opcode, nodeid: node }, body), room, { requestCuts: cuts, replyCuts: cuts });
        },
      );
      fc.assert(property, { numRuns: 2000 });
    });

    it('a good request with some bytes changed', () => {
      const good = request(
        { opcode: Opcode.SETXATTR, nodeid: nodeid(5) },
        pack(wire.SetxattrIn, { size: 3 }),
        text('user.a'),
        Buffer.from('abc'),
      );
      const property = fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 }),
        (changes) => {
          const bytes = Buffer.from(good);
          for (const [at, value] of changes) bytes[at] = value;
          check(bytes, 100);
        },
      );
      fc.assert(property, { numRuns: 1000 });
    });
  });
});
