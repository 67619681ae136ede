/** Writing and closing on the passthrough file system: where bytes go, and that no error of the host is lost. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Arena } from '../../src/base/arena';
import { type Caller, ROOT, WriteWay } from '../../src/fs/fileSystem';
import type { HostCalls } from '../../src/fs/hostCalls';
import * as linux from '../../src/fs/linux';
import { passthroughAreas } from '../../src/fs/passthrough';
import { Errno as E } from '../../src/protocol/errno';
import { need } from '../support/need';
import { ArenaPayload, check, CLIENT_AREA, failsWith, PIECE } from './client';
import type { Shared } from './shared';
import { sharing } from './sharing';
import { otherwise } from './wrappedCalls';

describe('passthrough: writing and closing', () => {
  const { open, callsOf, wrapped } = sharing();

  describe('writing', () => {
    for (const [how, extra] of [
      ['at once', 0],
      ['on the other thread', linux.O_SYNC],
    ] as const) {
      it(`${how}, is where it says or at the host's end, whatever the handle was opened with`, async () => {
        const { client, folder, blocking } = open();
        const { node } = await client.create(ROOT, 'a');
        for (const flags of [0, linux.O_APPEND]) {
          fs.writeFileSync(path.join(folder, 'a'), 'abcdef');
          const handle = check(client.open(node, linux.O_WRONLY | flags | extra));
          const made = await callsOf(async () => {
            await client.write(handle, 1, 'X', WriteWay.Append);
            await client.write(handle, 1, 'Y', WriteWay.Delayed);
            await client.write(handle, 2, 'Z');
          });
          assert.equal(fs.readFileSync(path.join(folder, 'a'), 'utf8'), 'aYZdefX');
          assert.deepEqual(made, extra ? [] : ['pwritev2', 'pwritev2', 'pwritev2']);
        }
        assert.equal(blocking.made, extra ? 6 : 0);
      });
    }

    it('that is synchronous is made on the other thread, any other at once', async () => {
      const { client, blocking, folder } = open();
      const plain = await client.create(ROOT, 'plain', linux.O_RDWR);
      await client.write(plain.handle, 0, 'abc');
      assert.equal(blocking.made, 0);
      const sync = await client.create(ROOT, 'sync', linux.O_RDWR | linux.O_SYNC);
      await client.write(sync.handle, 0, 'abc');
      assert.equal(blocking.made, 1);
      assert.equal(fs.readFileSync(path.join(folder, 'sync'), 'utf8'), 'abc');
      // The other thread has credentials of its own.
      const dropping = await callsOf(() => client.write(sync.handle, 0, 'abc', WriteWay.KillPriv));
      assert.deepEqual([dropping, blocking.made], [['dropFsetid', 'pwritev2', 'resume'], 1]);
    });

    it('to what the host has as append-only is at its end, and refused anywhere else', async () => {
      const { client, folder } = open({}, false, appendOnly);
      fs.writeFileSync(path.join(folder, 'a'), 'abc');
      const node = client.lookup(ROOT, 'a');
      assert.equal(client.open(node, linux.O_WRONLY), -E.EPERM);
      assert.equal(client.open(node, linux.O_WRONLY | linux.O_TRUNC), -E.EPERM);
      const handle = check(client.open(node, linux.O_WRONLY | linux.O_APPEND));
      await client.write(handle, 0, 'X', WriteWay.Append);
      await assert.rejects(client.write(handle, 0, 'Y', WriteWay.Delayed), failsWith(E.EPERM));
      await assert.rejects(client.write(handle, 0, 'Y'), failsWith(E.EPERM));
      assert.equal(fs.readFileSync(path.join(folder, 'a'), 'utf8'), 'abcX');
    });

    it('to such a file that CREATE finds there already as well', async () => {
      const { client, folder } = open({}, false, appendOnly);
      fs.writeFileSync(path.join(folder, 'a'), 'abc');
      await assert.rejects(client.create(ROOT, 'a', linux.O_WRONLY), failsWith(E.EPERM));
      await assert.rejects(
        client.create(ROOT, 'a', linux.O_WRONLY | linux.O_APPEND | linux.O_TRUNC),
        failsWith(E.EPERM),
      );
      const { handle } = await client.create(ROOT, 'a', linux.O_WRONLY | linux.O_APPEND);
      await client.write(handle, 0, 'X', WriteWay.Append);
      await assert.rejects(client.write(handle, 0, 'Y'), failsWith(E.EPERM));
      assert.equal(fs.readFileSync(path.join(folder, 'a'), 'utf8'), 'abcX');
    });

    it('to such a file is refused at its opening where a guest would collect the writes', async () => {
      const { client, folder } = open({ writeback: true }, false, appendOnly);
      fs.writeFileSync(path.join(folder, 'a'), 'abc');
      const flags = linux.O_WRONLY | linux.O_APPEND;
      assert.equal(client.open(client.lookup(ROOT, 'a'), flags), -E.EPERM);
      await assert.rejects(client.create(ROOT, 'a', flags), failsWith(E.EPERM));
    });
  });

  it('a program is set-user-ID no more when a user other than root allocates in it or copies into it', async function () {
    need(this, 'root', process.geteuid?.() === 0, 'others have their own host calls do that');
    const { client, folder, fs: file } = open();
    const source = await client.create(ROOT, 'source');
    await client.write(source.handle, 0, 'abc');
    const { handle } = await client.create(ROOT, 'program');
    const program = path.join(folder, 'program');
    const changes: ((caller: Caller) => number)[] = [
      (caller) => file.fallocate(handle, 0, 0, 100, caller),
      (caller) => file.copyFileRange(source.handle, 0, handle, 0, 3, 0, caller),
      (caller) => file.copyFileRange(source.handle, 0, handle, 0, 1 << 20, 0, caller),
    ];
    for (const change of changes) {
      for (const [uid, before, after] of [
        [0, 0o6777, 0o6777],
        [1000, 0o6777, 0o777],
        [1000, 0o7767, 0o3767],
        [1000, 0o2767, 0o2767],
        [1000, 0o644, 0o644],
      ]) {
        fs.chmodSync(program, before);
        client.uid = uid;
        await client.request(change);
        assert.equal(fs.statSync(program).mode & 0o7777, after);
      }
    }
  });

  describe('writing to a disk that fills up', () => {
    const ROOM = 5000;
    /** A host with so much room for each file, and which writes no more than 2000 bytes at a time. */
    const small = (real: HostCalls): HostCalls =>
      otherwise(real, 'pwritev2', (fd, vectors, count, offset, flags) => {
        const fits = Math.min(2, Math.floor((ROOM - offset) / PIECE), count);
        return fits > 0 ? real.pwritev2(fd, vectors, fits, offset, flags) : -E.ENOSPC;
      });
    const content = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => i % 251));

    it('what a program writes has a short count, and is one call', async () => {
      const { client } = open({}, false, small);
      const { handle } = await client.create(ROOT, 'a');
      const made = await callsOf(async () => assert.equal(await client.write(handle, 0, content(9000)), 2000));
      assert.deepEqual(made, ['pwritev2']);
      assert.equal(await client.write(handle, 2000, content(1000)), 1000);
    });

    it('what its kernel writes back is there to the last byte', async () => {
      const { client, folder } = open({}, false, small);
      const { handle } = await client.create(ROOT, 'a');
      const made = await callsOf(() => client.write(handle, 0, content(4500), WriteWay.Delayed));
      assert.deepEqual(made, ['pwritev2', 'pwritev2', 'pwritev2']);
      assert.deepEqual(fs.readFileSync(path.join(folder, 'a')), content(4500));
    });

    it('and where it does not fit that is an error, in which a short count would be lost', async () => {
      const { client } = open({}, false, small);
      const { handle } = await client.create(ROOT, 'a');
      await assert.rejects(client.write(handle, 0, content(9000), WriteWay.Delayed), failsWith(E.ENOSPC));
      const both = WriteWay.Delayed | WriteWay.KillPriv;
      await assert.rejects(client.write(handle, 0, content(9000), both), failsWith(E.ENOSPC));
      assert.equal(await client.write(handle, 0, content(4500), both), 4500);
    });

    it('the same for a file whose writes are made on the other thread', async () => {
      const { client, folder, blocking } = open({}, false, small);
      const { handle } = await client.create(ROOT, 'a', linux.O_RDWR | linux.O_SYNC);
      assert.equal(await client.write(handle, 0, content(9000)), 2000);
      assert.equal(blocking.made, 1);
      assert.equal(await client.write(handle, 0, content(4500), WriteWay.Delayed), 4500);
      assert.equal(blocking.made, 4);
      assert.deepEqual(fs.readFileSync(path.join(folder, 'a')), content(4500));
      await assert.rejects(client.write(handle, 0, content(9000), WriteWay.Delayed), failsWith(E.ENOSPC));
    });
  });

  describe('writing to a host that does not take it', () => {
    /** What it says to each write, one after the other; later ones are made. */
    let says: (number | undefined)[];
    const refusing = (real: HostCalls): HostCalls =>
      otherwise(real, 'pwritev2', (fd, vectors, count, offset, flags) => {
        const said = says.shift();
        return said === undefined ? real.pwritev2(fd, vectors, Math.min(1, count), offset, flags) : said;
      });
    const content = Buffer.alloc(3 * PIECE, 'content');

    for (const [how, extra] of [
      ['at once', 0],
      ['on the other thread', linux.O_SYNC],
    ] as const) {
      it(`${how}: its error is the guest's, for the first byte or a later one, and nothing is tried again`, async () => {
        const { client, folder } = open({}, false, refusing);
        const { handle } = await client.create(ROOT, 'a', linux.O_RDWR | extra);
        for (const error of [E.EIO, E.EINVAL]) {
          for (const way of [0, WriteWay.Delayed]) {
            says = [-error];
            await assert.rejects(client.write(handle, 0, content, way), failsWith(error));
          }
          assert.equal(fs.statSync(path.join(folder, 'a')).size, 0);
        }
        says = [undefined, -E.EIO];
        await assert.rejects(client.write(handle, 0, content, WriteWay.Delayed), failsWith(E.EIO));
        assert.equal(fs.statSync(path.join(folder, 'a')).size, PIECE);
      });

      it(`${how}: nothing written of what a kernel writes back is an error as well`, async () => {
        const { client } = open({}, false, refusing);
        const { handle } = await client.create(ROOT, 'a', linux.O_RDWR | extra);
        says = [0];
        assert.equal(await client.write(handle, 0, content), 0);
        for (const some of [[], [undefined]]) {
          says = [...some, 0, 0];
          await assert.rejects(client.write(handle, 0, content, WriteWay.Delayed), failsWith(E.EIO));
        }
      });

      it(`${how}: from memory that the guest does not have nothing is written`, async () => {
        const { client, fs: file, blocking } = open();
        const { handle } = await client.create(ROOT, 'a', linux.O_RDWR | extra);
        const nowhere = Object.assign(new ArenaPayload(client.arena, 0, 0), { requestVectors: () => -E.EFAULT });
        const made = await callsOf(async () => {
          const writing = client.outcome((c) => file.write(handle, 0, 10, nowhere, 0, WriteWay.Delayed, c), nowhere);
          assert.equal(await writing, -E.EFAULT);
        });
        assert.deepEqual([made, blocking.made], [[], 0]);
      });
    }
  });

  describe('writing with O_DIRECT', () => {
    const BLOCK = 500;
    let direct: Set<number>;
    /** A host that takes whole blocks alone through such a descriptor, on all threads. */
    const strict = (real: HostCalls): HostCalls => {
      const opening = otherwise(real, 'openat', (directory, name, flags, mode) => {
        const fd = real.openat(directory, name, flags & ~linux.O_DIRECT, mode);
        if (fd >= 0 && flags & linux.O_DIRECT) direct.add(fd);
        else direct.delete(fd);
        return fd;
      });
      return otherwise(opening, 'pwritev2', (fd, vectors, count, offset, flags) => {
        const refused = direct.has(fd) && bytesOf(vectors, count) % BLOCK !== 0;
        return refused ? -E.EINVAL : real.pwritev2(fd, vectors, count, offset, flags);
      });
    };
    let arena: Arena;
    const bytesOf = (vectors: number, count: number): number =>
      Array.from({ length: count }, (_, i) => arena.getU64(vectors - arena.base + i * 16 + 8)).reduce(
        (a, b) => a + b,
        0,
      );
    const content = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, i) => i % 251));

    for (const [how, killPriv] of [
      ['on the other thread', 0],
      ['at once', WriteWay.KillPriv],
    ] as const) {
      it(`${how}: what a program writes has to be whole blocks, what its kernel writes back has not`, async () => {
        direct = new Set();
        const { client, folder, fs: file } = open({ allowDirectIo: true, descriptors: 4 }, false, strict);
        arena = client.arena;
        const { node, handle } = await client.create(ROOT, 'a', linux.O_RDWR | linux.O_DIRECT);
        // All descriptors that a guest may have are taken.
        while (client.open(node, linux.O_RDONLY) >= 0);
        const held = file.descriptorCount;
        await assert.rejects(client.write(handle, 0, content(1234), killPriv), failsWith(E.EINVAL));
        assert.equal(await client.write(handle, 0, content(1000), killPriv), 1000);
        assert.equal(await client.write(handle, 0, content(4321), WriteWay.Delayed | killPriv), 4321);
        assert.deepEqual(fs.readFileSync(path.join(folder, 'a')), content(4321));
        assert.equal(file.descriptorCount, held);
        wrapped().failName = 'openat';
        wrapped().failWith = E.ENFILE;
        await assert.rejects(client.write(handle, 0, content(1234), WriteWay.Delayed | killPriv), failsWith(E.ENFILE));
      });
    }
  });

  describe('closing', () => {
    const FILE_SERVER = 0x6969;
    let full = false;
    let arena: Arena;
    /** A host whose files are on a server, which tells what has gone wrong with delayed writes when one is closed. */
    const remote = (real: HostCalls): HostCalls =>
      otherwise(
        otherwise(real, 'fstatfs', (fd, into) => {
          const result = real.fstatfs(fd, into);
          arena.setU32(into - arena.base, FILE_SERVER);
          return result;
        }),
        'close',
        (fd) => real.close(fd) || (full ? -E.ENOSPC : 0),
      );
    const openRemote = (options = {}): Shared => {
      full = false;
      const shared = open(options, false, remote);
      arena = shared.client.arena;
      return shared;
    };

    it('is no call on a local file system, which is asked for once', async () => {
      const { client, blocking } = open({}, true);
      const { node, handle } = await client.create(ROOT, 'a');
      const other = check(client.open(node, linux.O_WRONLY));
      assert.deepEqual(await callsOf(() => client.flush(handle)), ['fstatfs']);
      for (const each of [handle, other, check(client.open(node, linux.O_RDWR))]) {
        assert.deepEqual(await callsOf(async () => assert.equal(await client.flush(each), 0)), []);
      }
      assert.equal(blocking.made, 0);
    });

    it('is one where the host does not say what file system it is', async () => {
      const { client, blocking } = open({}, true);
      const { handle } = await client.create(ROOT, 'a');
      const { scratch } = passthroughAreas(CLIENT_AREA);
      client.arena.setU32(scratch, linux.LOCAL_FILE_SYSTEMS[0]);
      const made = await callsOf(async () => {
        wrapped().failName = 'fstatfs';
        wrapped().failWith = E.EIO;
        assert.equal(await client.flush(handle), 0);
      });
      assert.deepEqual(made, ['fstatfs', 'duplicate']);
      assert.equal(blocking.made, 1);
    });

    it('says what the host says when a descriptor of the file closes, and the handle goes on', async () => {
      const { client, fs: file, blocking, folder } = openRemote();
      const { handle } = await client.create(ROOT, 'a');
      const held = file.descriptorCount;
      await client.write(handle, 0, 'abc');
      full = true;
      const first = await callsOf(async () => assert.equal(await client.flush(handle), -E.ENOSPC));
      assert.deepEqual(first, ['fstatfs', 'duplicate']);
      full = false;
      assert.deepEqual(await callsOf(async () => assert.equal(await client.flush(handle), 0)), ['duplicate']);
      assert.equal(blocking.made, 2, 'the call that may wait is made elsewhere');
      assert.equal(file.descriptorCount, held);
      await client.write(handle, 3, 'def');
      assert.equal(fs.readFileSync(path.join(folder, 'a'), 'utf8'), 'abcdef');
    });

    it('drops the locks of the one who closes at once, and of nobody else', async () => {
      const { client, fs: file } = openRemote();
      const { handle } = await client.create(ROOT, 'a');
      for (const owner of [1, 2]) await client.setlk(handle, client.lock(linux.F_WRLCK, owner * 10, owner * 10, owner));
      const closing = client.flush(handle, 1);
      const inTheWay = (start: number): number => {
        const lock = client.lock(linux.F_WRLCK, start, start, 3);
        check(file.getlk(handle, lock));
        return lock.type;
      };
      assert.deepEqual([10, 20].map(inTheWay), [linux.F_UNLCK, linux.F_WRLCK]);
      assert.equal(await closing, 0);
      assert.deepEqual([10, 20].map(inTheWay), [linux.F_UNLCK, linux.F_WRLCK]);
    });

    it('asks nobody where nothing can have been written', async () => {
      const { client } = openRemote();
      const { node } = await client.create(ROOT, 'a');
      const handle = check(client.open(node, linux.O_RDONLY));
      assert.deepEqual(await callsOf(async () => assert.equal(await client.flush(handle), 0)), []);
    });

    it('is an error where the host gives no descriptor to ask it with', async () => {
      const { client } = openRemote();
      const { handle } = await client.create(ROOT, 'a');
      wrapped().failName = 'duplicate';
      wrapped().failWith = E.ENFILE;
      assert.equal(await client.flush(handle), -E.ENFILE);
      wrapped().failName = '';
      assert.equal(await client.flush(handle), 0);
    });

    /** A file on a server, closed by several at once when the guest holds all descriptors that it may. */
    async function closings(count: number): Promise<{ shared: Shared; handle: number; closing: Promise<number>[] }> {
      const shared = openRemote({ descriptors: 5 });
      const { client, fs: file } = shared;
      const { node, handle } = await client.create(ROOT, 'a');
      fs.mkdirSync(path.join(shared.folder, 'b'));
      while (client.open(node, linux.O_RDONLY) >= 0);
      assert.equal(file.descriptorCount, 5);
      wrapped().reset();
      const closing = Array.from({ length: count }, () => client.flush(handle));
      assert.equal(file.descriptorCount, 6, 'one more than others may have');
      assert.equal(wrapped().made.filter((name) => name === 'duplicate').length, 1);
      return { shared, handle, closing };
    }

    it('has its answer from the host also where the guest holds all descriptors: one after the other', async () => {
      const { shared, handle, closing } = await closings(4);
      full = true;
      const results: number[] = [];
      for (const one of closing) {
        results.push(await one);
        assert.ok(shared.fs.descriptorCount <= 6);
        full = results.length % 2 === 0;
      }
      // Each is asked once more, and not before the one before it has its answer.
      assert.equal(shared.blocking.made, 4);
      assert.deepEqual(results, [-E.ENOSPC, 0, -E.ENOSPC, 0]);
      assert.equal(shared.fs.descriptorCount, 5);
      full = false;
      assert.equal(await shared.client.flush(handle), 0);
    });

    it('takes turns with SYNCFS, which needs a descriptor as long as it takes', async () => {
      const { shared, closing } = await closings(2);
      const { fs: file, client } = shared;
      const syncing = [1, 2].map(() => client.outcome((caller) => file.syncfs(ROOT, caller)));
      assert.equal(file.descriptorCount, 6);
      assert.deepEqual(await Promise.all([...closing, ...syncing]), [0, 0, 0, 0]);
      assert.equal(file.descriptorCount, 5);
    });

    it('as does SYNCFS of what is forgotten before its turn', async () => {
      const { shared, closing } = await closings(1);
      const { fs: file, client } = shared;
      const node = client.lookup(ROOT, 'b');
      const syncing = client.outcome((caller) => file.syncfs(node, caller));
      file.forget(node, 1);
      assert.deepEqual(await Promise.all([...closing, syncing]), [0, -E.ESTALE]);
    });

    it('and does not wait for one that the host has given no descriptor', async () => {
      const { shared, closing } = await closings(4);
      wrapped().failAt = wrapped().made.length;
      wrapped().failWith = E.ENFILE;
      assert.deepEqual(await Promise.all(closing), [0, -E.ENFILE, 0, 0]);
      assert.equal(shared.fs.descriptorCount, 5);
    });

    it('nor does it lose its file when that is released meanwhile', async () => {
      const { shared, handle, closing } = await closings(3);
      full = true;
      shared.fs.release(handle);
      assert.deepEqual(await Promise.all(closing), [-E.ENOSPC, -E.ENOSPC, -E.ENOSPC]);
      full = false;
    });

    it('on a handle that is released meanwhile has its answer', async () => {
      const { client, fs: file } = openRemote();
      const { handle } = await client.create(ROOT, 'a');
      full = true;
      const closing = client.flush(handle);
      file.release(handle);
      assert.equal(await closing, -E.ENOSPC);
      full = false;
    });
  });
});

/** A host on which every file is append-only. */
function appendOnly(real: HostCalls): HostCalls {
  return otherwise(real, 'openat', (...[directory, path, flags, mode]) => {
    // O_EXCL of what is there is EEXIST before anything else.
    const changes = (flags & linux.O_ACCMODE) !== linux.O_RDONLY && (flags & linux.O_EXCL) === 0;
    const allowed = !changes || (flags & (linux.O_APPEND | linux.O_TRUNC)) === linux.O_APPEND;
    return allowed ? real.openat(directory, path, flags, mode) : -E.EPERM;
  });
}
