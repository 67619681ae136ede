import assert from 'node:assert/strict';
import { initFlag2Rows, initFlagRows } from '../../src/fuse/initFlags';
import type { FuseOptions } from '../../src/fuse/options';
import { FopenFlag, InitFlag, InitFlag2 } from '../../src/protocol/fuse/flags';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { EntryOut, InitOut, OpenIn, OpenOut } from '../../src/protocol/fuse/structs';
import { Fields, pack, text } from '../driver/pack';
import { Workbench, nodeid, request } from './workbench';

const EIO = 5;
const EINVAL = 22;
const EPROTO = 71;

const reply = (body: Uint8Array): Fields<string> => new Fields<string>(InitOut, body);
const namesOf = (flags: number, values: Readonly<Record<string, number>>): string[] =>
  Object.keys(values).filter((name) => (flags & values[name]) !== 0);

function agreed(options: Partial<FuseOptions>): string[] {
  const { body } = new Workbench(options).init({});
  return [
    ...namesOf(reply(body).number('flags'), InitFlag),
    ...namesOf(reply(body).number('flags2'), InitFlag2),
  ].sort();
}

describe('FUSE session', () => {
  it('has a decision and a reason for every flag of the protocol', () => {
    assert.deepEqual(Object.keys(initFlagRows).sort(), Object.keys(InitFlag).sort());
    assert.deepEqual(Object.keys(initFlag2Rows).sort(), Object.keys(InitFlag2).sort());
    for (const row of [...Object.values(initFlagRows), ...Object.values(initFlag2Rows)]) assert.ok(row.why.length > 5);
  });

  it('agrees to what a modern guest offers, as far as it wants it', () => {
    const always = [
      'ASYNC_DIO',
      'ASYNC_READ',
      'AUTO_INVAL_DATA',
      'BIG_WRITES',
      'CREATE_SUPP_GROUP',
      'HAS_IOCTL_DIR',
      'INIT_EXT',
      'MAX_PAGES',
      'PARALLEL_DIROPS',
    ];
    const defaults = [
      'ATOMIC_O_TRUNC',
      'CACHE_SYMLINKS',
      'DO_READDIRPLUS',
      'FLOCK_LOCKS',
      'HANDLE_KILLPRIV_V2',
      'POSIX_LOCKS',
      'READDIRPLUS_AUTO',
      'SUBMOUNTS',
    ];
    assert.deepEqual(agreed({}), [...always, ...defaults].sort());
    assert.deepEqual(
      agreed({
        cache: 'never',
        posixLocks: false,
        flock: false,
        killpriv: false,
        announceSubmounts: false,
        readdirplus: false,
      }),
      always,
    );
  });

  it('truncates at OPEN only where it clears set-user-ID bits as well: a guest does so for its own truncations', () => {
    const both = InitFlag.ATOMIC_O_TRUNC | InitFlag.HANDLE_KILLPRIV_V2;
    const answered = (options: Partial<FuseOptions>, flags: number): number =>
      reply(new Workbench(options).init({ flags }).body).number('flags') & both;
    assert.equal(answered({}, both), both);
    assert.equal(answered({ killpriv: false }, both), 0);
    assert.equal(answered({ window: true }, both), 0);
    // Linux before 5.11.
    assert.equal(answered({}, InitFlag.ATOMIC_O_TRUNC), 0);
  });

  it('lets the guest collect writes only where it has a page cache', () => {
    assert.ok(agreed({ writeback: true, cache: 'always' }).includes('WRITEBACK_CACHE'));
    assert.ok(!agreed({ writeback: true, cache: 'never' }).includes('WRITEBACK_CACHE'));
    assert.ok(!agreed({ cache: 'always' }).includes('WRITEBACK_CACHE'));
  });

  it('allows shared mmap of direct files when told to', () => {
    assert.ok(agreed({ cache: 'never', allowMmap: true }).includes('DIRECT_IO_ALLOW_MMAP'));
    assert.ok(!agreed({ cache: 'auto', allowMmap: true }).includes('DIRECT_IO_ALLOW_MMAP'));
    assert.ok(!agreed({ cache: 'never' }).includes('DIRECT_IO_ALLOW_MMAP'));
  });

  it('tells its limits', () => {
    const fields = reply(new Workbench().init({ minor: 31 }).body);
    assert.equal(fields.number('major'), 7);
    assert.equal(fields.number('minor'), 46);
    assert.equal(fields.number('max_readahead'), 131072);
    assert.equal(fields.number('max_write'), 1 << 20);
    assert.equal(fields.number('max_pages'), 256);
    assert.equal(fields.number('time_gran'), 1);
    assert.equal(fields.number('max_background'), 65535);
    assert.equal(fields.number('congestion_threshold'), 49149);
    assert.equal(fields.number('map_alignment'), 0);
    assert.equal(fields.number('request_timeout'), 0);
  });

  for (const [minor, length] of [
    [27, 16],
    [28, 16],
    [31, 16],
    [35, 16],
    [36, 64],
    [46, 64],
    [99, 64],
  ] as const) {
    it(`speaks 7.${minor} with a request of ${length} bytes`, () => {
      const bench = new Workbench();
      const flags = length === 64 ? 0xffff_ffff : 0x3fff_ffff;
      const { error, body } = bench.init({ minor, length, flags });
      assert.equal(error, 0);
      assert.equal(body.length, 64);
      assert.equal(reply(body).number('flags2') !== 0, length === 64);
      assert.equal(bench.server.session.minor, Math.min(minor, 46));
    });
  }

  it('agrees to nothing for a guest that offers nothing (OSv)', () => {
    const { body } = new Workbench().init({ minor: 31, flags: 0, flags2: 0, length: 16 });
    assert.equal(reply(body).number('flags'), 0);
    assert.equal(reply(body).number('max_pages'), 0);
  });

  it('ignores flags2 without INIT_EXT', () => {
    const { body } = new Workbench().init({ flags: 0x3fff_ffff });
    assert.equal(reply(body).number('flags2'), 0);
  });

  it('refuses INIT_EXT without flags2, and versions before 7.27', () => {
    assert.equal(new Workbench().init({ length: 16 }).error, -EINVAL);
    assert.equal(new Workbench().init({ minor: 26 }).error, -EPROTO);
    assert.equal(new Workbench().init({ major: 6 }).error, -EPROTO);
  });

  it('answers a newer major version with its own and waits for the second INIT', () => {
    const bench = new Workbench();
    const { error, body } = bench.init({ major: 8, minor: 0 });
    assert.equal(error, 0);
    assert.equal(reply(body).number('major'), 7);
    assert.equal(bench.server.session.started, false);
    assert.equal(bench.init({}).error, 0);
    assert.equal(bench.server.session.started, true);
  });

  it('may be ended before it has begun', () => {
    const bench = new Workbench();
    assert.deepEqual(
      [bench.send(request({ opcode: Opcode.DESTROY, nodeid: 0n }), 16)].map(({ used, error }) => [used, error]),
      [[16, 0]],
    );
  });

  it('serves nothing before INIT and after DESTROY', () => {
    const bench = new Workbench();
    const lookup = request({ opcode: Opcode.LOOKUP }, text('a'));
    assert.equal(bench.send(lookup).error, -EIO);
    bench.init({});
    assert.equal(bench.send(lookup).error, 0);
    assert.equal(bench.send(request({ opcode: Opcode.DESTROY, nodeid: 0n }), 16).used, 16);
    assert.equal(bench.send(lookup).error, -EIO);
    assert.deepEqual(bench.fs.log, ['reset()', 'lookup(1, a)', 'reset()']);
  });

  it('forgets everything when a guest starts anew without a word', () => {
    const bench = Workbench.started();
    bench.init({});
    assert.deepEqual(bench.fs.log, ['reset()']);
    bench.server.reset();
    assert.deepEqual(bench.fs.log, ['reset()', 'reset()']);
    assert.equal(bench.server.session.started, false);
  });

  const { DIRECT_IO, KEEP_CACHE, CACHE_DIR, PARALLEL_DIRECT_WRITES } = FopenFlag;
  for (const [cache, seconds, file, folder] of [
    ['never', 0, DIRECT_IO | PARALLEL_DIRECT_WRITES, 0],
    ['metadata', 86400, DIRECT_IO | PARALLEL_DIRECT_WRITES, CACHE_DIR | KEEP_CACHE],
    ['auto', 1, 0, 0],
    ['always', 86400, KEEP_CACHE, CACHE_DIR | KEEP_CACHE],
  ] as const) {
    it(`cache=${cache}: names for ${seconds} s`, () => {
      const bench = Workbench.started({ cache });
      const entry = new Fields<string>(EntryOut, bench.send(request({ opcode: Opcode.LOOKUP }, text('a'))).body);
      assert.equal(entry.number('entry_valid'), seconds);
      assert.equal(entry.number('attr_valid'), seconds);
      const open = (opcode: number): number =>
        new Fields<string>(OpenOut, bench.send(request({ opcode, nodeid: nodeid(5) }, pack(OpenIn, {}))).body).number(
          'open_flags',
        );
      assert.equal(open(Opcode.OPEN), file);
      assert.equal(open(Opcode.OPENDIR), folder);
    });
  }
});
