/** Files that a program of the host has a lease on (fcntl F_SETLEASE): what meets it waits, and stops nobody else. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ROOT } from '../../src/fs/fileSystem';
import * as linux from '../../src/fs/linux';
import { LinuxCalls } from '../../src/native/linuxCalls';
import { Errno as E } from '../../src/protocol/errno';
import { check } from './client';
import { isRoot, type Shared } from './shared';
import { sharing } from './sharing';

const F_SETLEASE = 1024;
const nothing = { valid: 0, mode: 0, uid: 0, gid: 0, size: 0, atime: 0, atimeNsec: 0, mtime: 0, mtimeNsec: 0 };

describe('passthrough: leases', () => {
  const { open, wrapped } = sharing();

  describe('a file that a program of the host has a lease on', () => {
    const host = new LinuxCalls();
    let holder: number;
    let shared: Shared;
    // The host tells the holder by a signal, which would otherwise end it.
    const told = (): void => undefined;

    beforeEach(() => {
      process.on('SIGIO', told);
      shared = open({}, true);
      fs.writeFileSync(path.join(shared.folder, 'a'), 'content');
      holder = fs.openSync(path.join(shared.folder, 'a'), 'r+');
      assert.equal(host.fcntlLock(holder, F_SETLEASE, linux.F_WRLCK), 0);
    });

    afterEach(() => {
      fs.closeSync(holder);
      process.off('SIGIO', told);
    });

    const letGo = (): void => assert.equal(host.fcntlLock(holder, F_SETLEASE, linux.F_UNLCK), 0);

    const opening = (flags: number): Promise<number> => {
      const { client, fs: file } = shared;
      const node = client.lookup(ROOT, 'a');
      return client.outcome((caller) => file.open(node, flags, false, caller));
    };
    const creating = (flags: number, killPriv = false): Promise<number> => {
      const { client, fs: file } = shared;
      return client.outcome((caller) => file.create(ROOT, client.name('a'), 0o100600, flags, killPriv, caller));
    };
    const setting = (changes: Partial<typeof nothing>): Promise<number> => {
      const { client, fs: file } = shared;
      const node = client.lookup(ROOT, 'a');
      return client.outcome((caller) => file.setattr(node, -1, { ...nothing, ...changes }, caller));
    };
    const truncating = (size: number, also = 0): Promise<number> =>
      setting({ valid: linux.FATTR_SIZE | also, size, mode: 0o100640, mtime: 1000 });

    /** A request that comes while others wait: its attributes are not theirs. */
    const other = async (): Promise<void> => {
      fs.writeFileSync(path.join(shared.folder, 'b'), 'another');
      const { client } = shared;
      client.stat(client.lookup(ROOT, 'b'));
      client.name('b');
      await Promise.resolve();
    };

    describe('OPEN', () => {
      it('waits until the lease is given up', async () => {
        const { client, fs: file } = shared;
        const opened = opening(linux.O_RDWR | linux.O_TRUNC);
        assert.equal(file.handleCount, 0);
        assert.equal(fs.fstatSync(holder).size, 7);
        letGo();
        const handle = check(await opened);
        assert.equal(fs.fstatSync(holder).size, 0);
        assert.equal(await client.write(handle, 0, 'new'), 3);
      });

      it('is refused at once with O_NONBLOCK, as Linux does', async () => {
        assert.equal(await opening(linux.O_RDONLY | linux.O_NONBLOCK), -E.EAGAIN);
      });
    });

    describe('CREATE', () => {
      it('of a file that is there waits as well, and has its handle and attributes at its end', async () => {
        const { client, fs: file } = shared;
        const created = creating(linux.O_RDWR | linux.O_TRUNC);
        await other();
        assert.equal(file.handleCount, 0);
        assert.equal(fs.fstatSync(holder).size, 7);
        letGo();
        const node = check(await created);
        const attributes = client.attributes();
        assert.deepEqual([attributes.size, attributes.ino], [0, fs.fstatSync(holder).ino]);
        assert.equal(await client.write(file.createdHandle, 0, 'new'), 3);
        assert.equal(fs.readFileSync(path.join(shared.folder, 'a'), 'utf8'), 'new');
        assert.equal(client.lookup(ROOT, 'a'), node);
      });

      it('without O_TRUNC has them as they are by then', async () => {
        const { client } = shared;
        const created = creating(linux.O_RDWR);
        fs.writeSync(holder, 'longer content', 0);
        await other();
        letGo();
        check(await created);
        assert.equal(client.attributes().size, 14);
      });

      it('is refused at once with O_NONBLOCK, and with O_EXCL the file is there', async () => {
        assert.equal(await creating(linux.O_RDONLY | linux.O_NONBLOCK), -E.EAGAIN);
        assert.equal(await creating(linux.O_RDONLY | linux.O_EXCL), -E.EEXIST);
        assert.deepEqual([shared.fs.nodeCount, shared.fs.handleCount], [1, 0]);
      });

      it('is given up with an error of the host that comes later', async () => {
        const created = creating(linux.O_RDWR);
        letGo();
        wrapped().failName = 'openat';
        wrapped().failWith = E.EIO;
        assert.equal(await created, -E.EIO);
        assert.deepEqual([shared.fs.nodeCount, shared.fs.handleCount], [1, 0]);
      });
    });

    describe('SETATTR', () => {
      it('of a size waits, and what else it changes is there at its end', async () => {
        const { client } = shared;
        const changed = truncating(3, linux.FATTR_MTIME | linux.FATTR_MODE);
        await other();
        assert.equal(fs.fstatSync(holder).size, 7);
        letGo();
        assert.equal(await changed, 0);
        const { size, mode, mtime, ino } = client.attributes();
        assert.deepEqual([size, mode, mtime, ino], [3, 0o100640, 1000, fs.fstatSync(holder).ino]);
        const { size: really, mtimeMs } = fs.fstatSync(holder);
        assert.deepEqual([really, mtimeMs], [3, 1_000_000]);
        assert.equal(shared.fs.handleCount, 0);
      });

      it('waits with what it has asked for, whatever the next request asks', async () => {
        const { client, fs: file } = shared;
        const changes = { ...nothing, valid: linux.FATTR_SIZE, size: 3 };
        const node = client.lookup(ROOT, 'a');
        const changed = client.outcome((caller) => file.setattr(node, -1, changes, caller));
        Object.assign(changes, { valid: linux.FATTR_SIZE | linux.FATTR_MODE, size: 5, mode: 0 });
        letGo();
        assert.equal(await changed, 0);
        assert.equal(fs.fstatSync(holder).size, 3);
      });

      it('of anything else meets no lease', async () => {
        const { FATTR_MODE, FATTR_UID, FATTR_GID, FATTR_MTIME } = linux;
        const valid = FATTR_MODE | FATTR_MTIME | (isRoot ? FATTR_UID | FATTR_GID : 0);
        assert.equal(await setting({ valid, mode: 0o600, mtime: 1000 }), 0);
        assert.equal(shared.client.attributes().mode, 0o100600);
      });
    });

    it('what waits ends when it is interrupted, when its ring begins anew, and with the session', async () => {
      const { client, fs: file } = shared;
      for (const start of [() => opening(linux.O_RDONLY), () => creating(linux.O_RDWR), () => truncating(0)]) {
        const first = start();
        assert.equal(file.interrupt(client.lastUnique, 0), true);
        assert.equal(await first, -E.EINTR);
        const second = start();
        client.ring.runs = false;
        file.ringStops();
        file.ringBeganAnew();
        assert.equal(await second, -E.EINTR);
        client.ring.runs = true;
        const third = start();
        file.reset();
        assert.equal(await third, -E.EINTR);
        assert.deepEqual([file.nodeCount, file.handleCount, file.descriptorCount], [1, 0, 0]);
        assert.equal(fs.fstatSync(holder).size, 7);
      }
    });

    it('what waits ends when the guest forgets the inode, however often it does', async () => {
      const { client, fs: file } = shared;
      for (const start of [() => opening(linux.O_RDONLY), () => creating(linux.O_RDWR), () => truncating(0)]) {
        const waiting = start();
        const node = client.lookup(ROOT, 'a');
        file.forget(node, Infinity);
        assert.equal(await waiting, -E.EBADF);
        file.forget(node, Infinity);
        assert.deepEqual([file.nodeCount, file.handleCount, file.descriptorCount], [1, 0, 0]);
      }
    });

    it('also when it forgets the lookup that the waiting request has had for itself', async () => {
      const { client, fs: file } = shared;
      const waiting = creating(linux.O_RDWR);
      const node = client.lookup(ROOT, 'a');
      file.forget(node, 1);
      file.forget(node, 1);
      assert.equal(await waiting, -E.EBADF);
      assert.deepEqual([file.nodeCount, file.handleCount, file.descriptorCount], [1, 0, 0]);
    });

    it('all of them get it in turn', async () => {
      const { client } = shared;
      const [opened, created, changed] = [opening(linux.O_RDWR), creating(linux.O_RDWR), truncating(2)];
      letGo();
      const node = check(await created);
      assert.equal(await changed, 0);
      await client.write(check(await opened), 2, '!');
      assert.equal(client.stat(node).size, 3);
    });
  });
});
