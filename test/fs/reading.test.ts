/** Reading on the passthrough file system: every byte of the file, from wherever the host has it. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ROOT } from '../../src/fs/fileSystem';
import type { HostCalls } from '../../src/fs/hostCalls';
import * as linux from '../../src/fs/linux';
import { Errno as E } from '../../src/protocol/errno';
import { ArenaPayload, check, failsWith, PIECE } from './client';
import type { Shared } from './shared';
import { sharing } from './sharing';
import { otherwise } from './wrappedCalls';

describe('passthrough: reading', () => {
  const { open, callsOf, wrapped } = sharing();
  const content = Buffer.from(Array.from({ length: 9000 }, (_, i) => i % 251));

  it('what is cached takes one call and no other thread', async () => {
    const { client, blocking } = open();
    const { handle } = await client.create(ROOT, 'a');
    await client.write(handle, 0, Buffer.alloc(20_000, 7));
    const calls = await callsOf(() => client.read(handle, 0, 20_000));
    assert.deepEqual(calls, ['preadv2']);
    assert.equal(blocking.made, 0);
  });

  it('what is not cached, or only in part, is read on the other thread, to the last byte', async () => {
    const { client, blocking } = open();
    const { handle } = await client.create(ROOT, 'a');
    const content = Buffer.from(Array.from({ length: 9000 }, (_, i) => i % 251));
    await client.write(handle, 0, content);
    wrapped().failName = 'preadv2';
    wrapped().failWith = E.EAGAIN;
    assert.deepEqual(await client.read(handle, 0, 20_000), content);
    assert.deepEqual(await client.read(handle, 4000, 3000), content.subarray(4000, 7000));
    assert.deepEqual((await client.read(handle, 9000, 10)).length, 0);
    assert.equal(blocking.made, 3);
  });

  it('a file system that cannot say what is cached: elsewhere, but for one in memory', async () => {
    const { client, blocking } = open();
    const { node, handle } = await client.create(ROOT, 'a');
    await client.write(handle, 0, 'abc');
    wrapped().failName = 'preadv2';
    wrapped().failWith = E.EOPNOTSUPP;
    assert.equal((await client.read(handle, 0, 10)).toString(), 'abc');
    assert.equal(blocking.made, 1);
    const second = check(client.open(node, linux.O_RDONLY));
    assert.deepEqual(await callsOf(() => client.read(second, 0, 10)), ['lseek']);
    assert.equal(blocking.made, 2);
  });

  it('in memory: at once', async () => {
    const { client, blocking } = open({}, true);
    const { handle } = await client.create(ROOT, 'a');
    await client.write(handle, 0, 'abc');
    assert.equal((await client.read(handle, 0, 10)).toString(), 'abc');
    assert.deepEqual(await callsOf(() => client.read(handle, 0, 10)), ['preadv2']);
    assert.equal(blocking.made, 0);
  });

  it('on a handle that is released meanwhile still reads that file', async () => {
    const { client, fs: file } = open();
    const { handle } = await client.create(ROOT, 'a');
    await client.write(handle, 0, 'first');
    wrapped().failName = 'preadv2';
    wrapped().failWith = E.EAGAIN;
    const reading = client.read(handle, 0, 5);
    file.release(handle);
    assert.equal(file.handle(handle, file.handleGeneration(handle), 2), -E.EBADF);
    const other = await client.create(ROOT, 'b');
    await client.write(other.handle, 0, 'other');
    assert.notEqual(other.handle, handle);
    assert.equal((await reading).toString(), 'first');
    assert.equal(file.handleCount, 1);
  });

  it('beyond the end, or up to it, takes no other thread either', async () => {
    const { client, blocking } = open();
    const { handle } = await client.create(ROOT, 'a');
    await client.write(handle, 0, content);
    for (const [offset, length] of [
      [8000, 1000],
      [9000, 0],
      [20_000, 0],
    ]) {
      const calls = await callsOf(async () => assert.equal((await client.read(handle, offset, 5000)).length, length));
      assert.deepEqual(calls, ['preadv2', 'lseek']);
    }
    assert.equal(blocking.made, 0);
  });

  describe('from a host that gives little at a time', () => {
    /** What it has cached of the file's start, in bytes. */
    let cached: number;
    /** What it gives instead of one piece where another thread waits for it, if anything. */
    let instead: (offset: number) => number | undefined;
    const little = (real: HostCalls): HostCalls =>
      otherwise(real, 'preadv2', (fd, vectors, count, offset, flags) => {
        if (!(flags & linux.RWF_NOWAIT)) return instead(offset) ?? real.preadv2(fd, vectors, 1, offset, 0);
        const fits = Math.min(count, Math.floor((cached - offset) / PIECE));
        return fits > 0 ? real.preadv2(fd, vectors, fits, offset, 0) : -E.EAGAIN;
      });
    const opened = (flags = linux.O_RDONLY): Shared & { handle: number } => {
      cached = 0;
      instead = () => undefined;
      const shared = open({ allowDirectIo: true }, false, (real) => withoutDirect(little(real)));
      fs.writeFileSync(path.join(shared.folder, 'a'), content);
      return { ...shared, handle: check(shared.client.open(shared.client.lookup(ROOT, 'a'), flags)) };
    };

    it('goes on until all is there that was asked for, or that there is', async () => {
      const { client, blocking, handle } = opened();
      assert.deepEqual(await client.read(handle, 500, 6000), content.subarray(500, 6500));
      assert.equal(blocking.made, 6);
      assert.deepEqual(await client.read(handle, 5500, 20_000), content.subarray(5500));
      assert.equal(blocking.made, 10);
    });

    it('goes on where what is cached ends', async () => {
      const { client, blocking, handle } = opened();
      cached = 3000;
      assert.deepEqual(await client.read(handle, 1000, 5000), content.subarray(1000, 6000));
      assert.equal(blocking.made, 3);
    });

    it('puts all of it where the reply has room for it', async () => {
      const { client, fs: file, handle } = opened();
      const at = client.name('');
      const payload = new ArenaPayload(client.arena, at + 8192, at);
      client.arena.zero(at, 8192);
      const read = client.outcome((c) => file.read(handle, 1000, 3000, payload, 16, c), payload);
      assert.equal(await read, 3000);
      assert.deepEqual(Buffer.from(client.arena.bytes(at + 16, 3000)), content.subarray(1000, 4000));
      assert.ok(client.arena.bytes(at, 16).every((byte) => byte === 0));
    });

    it('is an error where one comes after some bytes: a short reply would be the end of the file', async () => {
      const { client, handle } = opened();
      instead = (offset) => (offset >= 2000 ? -E.EIO : undefined);
      await assert.rejects(client.read(handle, 0, 5000), failsWith(E.EIO));
      assert.equal((await client.read(handle, 0, 2000)).length, 2000);
    });

    it('is an error where the host does not say whether the file ends there', async () => {
      const { client, handle } = opened();
      wrapped().failName = 'lseek';
      wrapped().failWith = E.ESTALE;
      await assert.rejects(client.read(handle, 0, 5000), failsWith(E.ESTALE));
      cached = 1000;
      await assert.rejects(client.read(handle, 0, 5000), failsWith(E.ESTALE));
    });

    it('ends where the file does by then', async () => {
      const { client, blocking, handle } = opened();
      instead = (offset) => (offset >= 3000 ? 0 : undefined);
      assert.deepEqual(await client.read(handle, 0, 5000), content.subarray(0, 3000));
      assert.equal(blocking.made, 4);
    });

    it('with O_DIRECT is as long as the host says', async () => {
      const { client, blocking, handle } = opened(linux.O_RDONLY | linux.O_DIRECT);
      cached = 9000;
      assert.deepEqual(await client.read(handle, 0, 5000), content.subarray(0, 1000));
      assert.equal(blocking.made, 1);
    });
  });

  it('into memory that the guest does not have reads nothing', async () => {
    const { client, fs: file, blocking } = open({ allowDirectIo: true }, false, withoutDirect);
    const { node, handle } = await client.create(ROOT, 'a');
    const direct = check(client.open(node, linux.O_RDONLY | linux.O_DIRECT));
    const nowhere = Object.assign(new ArenaPayload(client.arena, 0, 0), { replyVectors: () => -E.EFAULT });
    const made = await callsOf(async () => {
      for (const each of [handle, direct]) {
        assert.equal(await client.outcome((c) => file.read(each, 0, 10, nowhere, 0, c), nowhere), -E.EFAULT);
      }
    });
    assert.deepEqual([made, blocking.made], [[], 0]);
  });
});

/** Some file systems in memory do not have O_DIRECT. */
const withoutDirect = (real: HostCalls): HostCalls =>
  otherwise(real, 'openat', (directory, name, flags, mode) =>
    real.openat(directory, name, flags & ~linux.O_DIRECT, mode),
  );
