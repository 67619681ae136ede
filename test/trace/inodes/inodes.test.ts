import assert from 'node:assert/strict';
import { Inodes } from '../../../src/trace/inodes/inodes';
import { TO_END } from '../../../src/trace/inodes/locks';
import type { CaptureReader } from '../../../src/trace/captureReader';
import { CaptureBuilder } from '../captureBuilder';

const never = (): boolean => false;
const SECOND = 1e9;

function inodesOf(capture: CaptureReader): Inodes {
  const inodes = new Inodes(capture);
  assert.ok(inodes.advance(capture.count, never));
  return inodes;
}

const file = (nodeid: number, size = 0) => ({
  nodeid,
  entry_valid: 1,
  attr_valid: 2,
  attr: { mode: 0o100644, size },
});

/** A capture to which more can be added. */
class Growing {
  readonly builder = new CaptureBuilder().init();
  readonly capture = this.builder.capture();
  readonly inodes = new Inodes(this.capture);
  private read = this.builder.bytes().length;

  more(add: (builder: CaptureBuilder) => unknown): Inodes {
    add(this.builder);
    const bytes = this.builder.bytes();
    this.capture.push(bytes.subarray(this.read));
    this.read = bytes.length;
    assert.ok(this.inodes.advance(this.capture.count, never));
    return this.inodes;
  }
}

describe('inodes, as the guest knows them', () => {
  it('have their names, what was moved, and until when the guest may use what it was told', () => {
    const capture = new CaptureBuilder()
      .init()
      .exchange('LOOKUP', { at: SECOND, latency: 1000, names: ['a.db'], out: file(2, 4096) })
      .exchange('READ', { nodeid: 2, in: { fh: 0, size: 4096 }, outPayload: 100 })
      .exchange('WRITE', { nodeid: 2, payload: 50 })
      .capture();
    const [inode] = inodesOf(capture).list('bytes', 10);
    assert.deepEqual([inode.nodeid, inode.read, inode.written, inode.requests], [2, 100, 50, 2]);
    assert.deepEqual(
      inode.facts?.paths.map((path) => capture.path(path)),
      ['/a.db'],
    );
    assert.equal(inode.facts?.lookups, 1);
    const told = capture.columns.start[1] + 1000;
    assert.equal(inode.nameUntil, told + SECOND);
    assert.equal(inode.attributesUntil, told + 2 * SECOND);
    assert.equal(inode.size, 4096);
    assert.equal(inode.looked, 1);
  });

  it('go when the guest forgets them', () => {
    const growing = new Growing();
    growing.more((b) => b.exchange('LOOKUP', { names: ['a'], out: file(2) }));
    assert.equal(growing.inodes.list('recent', 10).filter(({ nodeid }) => nodeid === 2).length, 1);
    growing.more((b) => b.exchange('FORGET', { nodeid: 2, in: { nlookup: 1 } }));
    assert.equal(growing.inodes.list('recent', 10).filter(({ nodeid }) => nodeid === 2).length, 0);
  });

  it('are listed by lookups, bytes and age, also those known before the capture', () => {
    const growing = new Growing();
    const inodes = growing.more((b) => {
      b.names([{ nodeid: 9, parent: 1, name: 'old', lookups: 77 }]);
      b.exchange('LOOKUP', { names: ['a'], out: file(2) });
      b.exchange('LOOKUP', { names: ['b'], out: file(3) });
      b.exchange('READ', { nodeid: 3, in: { fh: 0, size: 10 }, outPayload: 10 });
    });
    const ids = (order: Parameters<Inodes['list']>[0]) => inodes.list(order, 3).map(({ nodeid }) => nodeid);
    assert.equal(ids('lookups')[0], 9);
    assert.equal(ids('bytes')[0], 3);
    assert.equal(ids('age').indexOf(2) < ids('age').indexOf(3), true);
    assert.equal(inodes.known, 4);
  });
});

describe('open handles', () => {
  it('are there from OPEN to RELEASE, with their flags, who opened them and what went through them', () => {
    const growing = new Growing();
    growing.more((b) => {
      b.exchange('LOOKUP', { names: ['a'], out: file(2) });
      b.exchange('OPEN', { nodeid: 2, pid: 44, uid: 1000, in: { flags: 2 }, out: { fh: 5, open_flags: 2 } });
      b.exchange('WRITE', { nodeid: 2, in: { fh: 5 }, payload: 30 });
      b.exchange('OPENDIR', { nodeid: 1, out: { fh: 6 } });
    });
    const [handle, folder] = growing.inodes.opened(10);
    assert.deepEqual(
      [handle.fh, handle.nodeid, handle.flags, handle.openFlags, handle.pid, handle.uid, handle.written, handle.row],
      [5, 2, 2, 2, 44, 1000, 30, 2],
    );
    assert.ok(folder.folder);
    assert.equal(growing.inodes.inodeOf(2).handles, 1);
    assert.ok(growing.inodes.inodeOf(2).keepCache);
    growing.more((b) => b.exchange('RELEASE', { nodeid: 2, in: { fh: 5 } }));
    assert.deepEqual(
      growing.inodes.opened(10).map(({ fh }) => fh),
      [6],
    );
    assert.equal(growing.inodes.inodeOf(2).handles, 0);
  });

  it('come from CREATE too, and are of the inode that it made', () => {
    const inodes = inodesOf(
      new CaptureBuilder()
        .init()
        .exchange('CREATE', { names: ['new'], in: { flags: 0o101 }, out: [file(8), { fh: 3, open_flags: 0 }] })
        .capture(),
    );
    assert.deepEqual(
      inodes.opened(10, 8).map(({ fh, flags }) => [fh, flags]),
      [[3, 0o101]],
    );
  });

  it('end with the session', () => {
    const growing = new Growing();
    growing.more((b) => b.exchange('OPEN', { nodeid: 1, out: { fh: 5 } }));
    assert.equal(growing.inodes.handles.count, 1);
    growing.more((b) => b.init());
    assert.equal(growing.inodes.handles.count, 0);
  });
});

describe('locks', () => {
  const lock = (type: number, start = 0, end = 99, owner = 7) => ({
    nodeid: 2,
    pid: 44,
    in: { owner, lk: { start, end, type, pid: 44 } },
  });

  it('are held when SETLK succeeds; an unlock takes its range out', () => {
    const growing = new Growing();
    const held = (add: (b: CaptureBuilder) => unknown) =>
      growing
        .more(add)
        .held(2)
        .map(({ start, end, exclusive }) => [Number(start), Number(end), exclusive]);
    assert.deepEqual(
      held((b) => b.exchange('SETLK', lock(1))),
      [[0, 99, true]],
    );
    assert.deepEqual(
      held((b) => b.exchange('SETLK', lock(2, 40, 59))),
      [
        [0, 39, true],
        [60, 99, true],
      ],
    );
    assert.deepEqual(
      held((b) => b.exchange('SETLK', { ...lock(1, 0, 10, 8), error: 'EAGAIN' })),
      [
        [0, 39, true],
        [60, 99, true],
      ],
    );
    assert.deepEqual(
      held((b) => b.exchange('FLUSH', { nodeid: 2, in: { lock_owner: 7 } })),
      [],
    );
  });

  it('are wanted while SETLKW waits', () => {
    const growing = new Growing();
    let sent: ReturnType<CaptureBuilder['request']> | undefined;
    growing.more((b) => (sent = b.request('SETLKW', lock(1, 5, 6))));
    const [wanted] = growing.inodes.wanted();
    assert.deepEqual([wanted.start, wanted.end, wanted.exclusive, wanted.pid], [5n, 6n, true, 44]);
    growing.more((b) => b.reply(sent));
    assert.deepEqual([growing.inodes.wanted().length, growing.inodes.held(2).length], [0, 1]);
  });

  it('reach to the end of the file, wherever that is; a flock goes with its RELEASE', () => {
    const growing = new Growing();
    growing.more((b) =>
      b.exchange('SETLK', {
        nodeid: 2,
        in: { owner: 9, lk: { start: 0, end: 9223372036854775807n, type: 1, pid: 1 }, lk_flags: 1 },
      }),
    );
    assert.deepEqual(
      growing.inodes.held().map(({ end, flock }) => [end, flock]),
      [[TO_END, true]],
    );
    growing.more((b) => b.exchange('RELEASE', { nodeid: 2, in: { fh: 1, release_flags: 2, lock_owner: 9 } }));
    assert.equal(growing.inodes.held().length, 0);
  });

  it('are told to the byte, as are their owners, also where a double could not', () => {
    const growing = new Growing();
    const far = (type: number, start: bigint, end: bigint, owner = 2n ** 60n) => ({
      nodeid: 2,
      in: { owner, lk: { start, end, type, pid: 1 } },
    });
    growing.more((b) => b.exchange('SETLK', far(1, 2n ** 62n + 1n, TO_END - 1n)));
    growing.more((b) => b.exchange('SETLK', far(2, 2n ** 62n + 3n, 2n ** 62n + 5n)));
    growing.more((b) => b.exchange('SETLK', far(2, 0n, TO_END, 2n ** 60n + 1n)));
    assert.deepEqual(
      growing.inodes.held().map(({ start, end }) => [start, end]),
      [
        [2n ** 62n + 1n, 2n ** 62n + 2n],
        [2n ** 62n + 6n, TO_END - 1n],
      ],
    );
  });

  it('of a guest that takes them without end are remembered up to a bound', () => {
    const growing = new Growing();
    const inodes = growing.more((b) => {
      for (let i = 0; i < 4200; i++) b.exchange('SETLK', lock(1, 2 * i, 2 * i, i));
    });
    assert.equal(inodes.held().length, 4096);
    assert.ok(inodes.full);
  });
});

describe('the reducer', () => {
  it('gives the same whether rows come in one go or bit by bit, and after the oldest rows were dropped', () => {
    const growing = new Growing();
    const all = new CaptureBuilder().init();
    for (let i = 0; i < 900; i++) {
      const add = (b: CaptureBuilder): void => {
        b.exchange('LOOKUP', { names: [`f${i % 90}`], out: file(2 + (i % 90)) });
        if (i % 3 === 0) b.exchange('READ', { nodeid: 2 + (i % 90), in: { fh: 0, size: 8 }, outPayload: 8 });
      };
      add(all);
      growing.more(add);
      if (i === 400) growing.inodes.drop(growing.capture.drop(300));
    }
    const seen = (inodes: Inodes) =>
      inodes.list('bytes', 50).map(({ nodeid, read, requests }) => [nodeid, read, requests]);
    assert.deepEqual(seen(growing.inodes).sort(), seen(inodesOf(all.capture())).sort());
  });
});
