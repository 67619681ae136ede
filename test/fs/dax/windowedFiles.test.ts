/**
 * What is done around a request for a mapped file, and when. The window's books and the files are stand-ins that write
 * down what they are asked: in the real ones the host's own word of a change comes so soon that the order is not seen.
 */
import assert from 'node:assert/strict';
import { WindowedFiles } from '../../../src/fs/dax/windowedFiles';
import { DEFERRED, WriteWay, type AttributeChanges, type Caller, type Payload } from '../../../src/fs/fileSystem';
import * as linux from '../../../src/fs/linux';
import { Errno } from '../../../src/protocol/errno';

const MAPPED = 7;
const OTHER = 8;
/** By handle. */
const node = Int32Array.of(MAPPED, OTHER);
const [MAPPED_HANDLE, OTHER_HANDLE] = [0, 1];
const payload = {} as Payload;

describe('files of a share with a DAX window', () => {
  let said: string[];
  let result: number;
  let finish: ((result: number) => void) | undefined;

  const guest: Caller = {
    uid: 1,
    gid: 2,
    pid: 3,
    supplementaryGid: 4,
    uniqueLow: 5,
    uniqueHigh: 6,
    defer: () => ({ payload, answerable: true, finish: (end) => said.push(`guest hears ${end}`) }),
  };
  const books = {
    has: (of: number) => of === MAPPED,
    before: (of: number) => {
      if (of === MAPPED) said.push('before');
      return 0;
    },
    after: (_of: number, from = 0, to = 0) => void said.push(`after ${from}-${to}`),
    pushAll: () => void said.push('push all'),
  };
  /** A request: its caller comes last. Ends at once, or later where the result is DEFERRED. */
  const request =
    (name: string) =>
    (...values: unknown[]): number => {
      said.push(name);
      const caller = values.at(-1) as Caller;
      if (result === DEFERRED) finish = caller.defer().finish;
      return result;
    };
  const files = new WindowedFiles(
    books,
    { node },
    {
      open: request('open'),
      read: request('read'),
      write: request('write'),
      flush: request('flush'),
      fsync: request('fsync'),
      syncfs: request('syncfs'),
      fallocate: request('fallocate'),
      lseek: request('lseek'),
      copyFileRange: request('copy'),
    },
    { setattr: request('setattr') },
  );
  const changes = (valid: number): AttributeChanges => ({ valid }) as AttributeChanges;

  const changing: Record<string, (handle: number) => number> = {
    setattr: (handle) => files.setattr(node[handle], handle, changes(linux.FATTR_SIZE), guest),
    open: (handle) => files.open(node[handle], linux.O_TRUNC, false, guest),
    write: (handle) => files.write(handle, 100, 50, payload, 0, WriteWay.Delayed, guest),
    fallocate: (handle) => files.fallocate(handle, 3, 100, 50, guest),
    copy: (handle) => files.copyFileRange(OTHER_HANDLE, 0, handle, 100, 50, 0, guest),
  };
  const reading: Record<string, (handle: number) => number> = {
    setattr: (handle) => files.setattr(node[handle], handle, changes(1), guest),
    read: (handle) => files.read(handle, 0, 10, payload, 0, guest),
    flush: (handle) => files.flush(handle, guest),
    fsync: (handle) => files.fsync(handle, false, guest),
    lseek: (handle) => files.lseek(handle, 0, 0),
    copy: (handle) => files.copyFileRange(handle, 0, OTHER_HANDLE, 100, 50, 0, guest),
  };

  beforeEach(() => {
    said = [];
    result = 0;
    finish = undefined;
  });

  for (const [name, ask] of Object.entries(changing)) {
    it(`${name} changes a mapped file: what was stored comes first, and the window follows before the guest hears`, () => {
      result = 20;
      assert.equal(ask(MAPPED_HANDLE), 20);
      assert.deepEqual(said.slice(0, 2), ['before', name]);
      assert.match(said[2], /^after/);
      said = [];
      result = DEFERRED;
      assert.equal(ask(MAPPED_HANDLE), DEFERRED);
      assert.deepEqual(said, ['before', name], 'nothing is said to be changed while it waits');
      finish?.(20);
      assert.match(said[2], /^after/);
      assert.equal(said[3], 'guest hears 20');
    });

    it(`${name} changes another file: the window has no part in it`, () => {
      assert.equal(ask(OTHER_HANDLE), 0);
      assert.deepEqual(said, [name]);
    });
  }

  for (const [name, ask] of Object.entries(reading)) {
    it(`${name} sees what was stored into a mapped file`, () => {
      result = 20;
      assert.equal(ask(MAPPED_HANDLE), 20);
      assert.deepEqual(said, ['before', name]);
    });
  }

  it('takes what a request may have changed anew, and no more: the guest may be storing beside it', () => {
    const reached = (name: string, end: number): string | undefined => {
      said = [];
      result = end;
      changing[name](MAPPED_HANDLE);
      return said.find((line) => line.startsWith('after'));
    };
    assert.equal(reached('write', 20), 'after 100-120');
    assert.equal(reached('write', -28), 'after 100-150', 'some of what is written back may be there');
    assert.equal(reached('copy', 20), 'after 100-120');
    assert.equal(reached('copy', -5), 'after 100-100');
    assert.equal(reached('fallocate', 0), 'after 100-150');
    assert.equal(reached('setattr', 0), 'after 0-0');
    assert.equal(reached('open', 20), 'after 0-0');
  });

  it('makes nothing durable that could not be taken out of the window', () => {
    const failing = { ...books, before: () => -Errno.EIO };
    const told = new WindowedFiles(failing, { node }, { ...unused, fsync: request('fsync') }, { setattr: unused.read });
    assert.equal(told.fsync(MAPPED_HANDLE, false, guest), -Errno.EIO);
    assert.deepEqual(said, []);
  });

  it('asks as the guest asked', () => {
    let seen: Caller | undefined;
    const asking = new WindowedFiles(
      books,
      { node },
      { ...unused, write: (...values) => ((seen = values[6]), 1) },
      { setattr: unused.read },
    );
    asking.write(MAPPED_HANDLE, 0, 1, payload, 0, 0, guest);
    const { uid, gid, pid, supplementaryGid, uniqueLow, uniqueHigh } = seen as Caller;
    assert.deepEqual([uid, gid, pid, supplementaryGid, uniqueLow, uniqueHigh], [1, 2, 3, 4, 5, 6]);
  });

  it('syncs a file system when everything stored is in its files', () => {
    files.syncfs(MAPPED, guest);
    assert.deepEqual(said, ['push all', 'syncfs']);
  });
});

const never = (): number => assert.fail('not asked for');
const unused = {
  open: never,
  read: never,
  write: never,
  flush: never,
  fsync: never,
  syncfs: never,
  fallocate: never,
  lseek: never,
  copyFileRange: never,
};
