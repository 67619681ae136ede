/** The passthrough file system on a real folder: what the conformance list cannot see from the guest's side. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Errno as E } from '../../src/protocol/errno';
import { ROOT } from '../../src/fs/fileSystem';
import type { HostCalls } from '../../src/fs/hostCalls';
import * as linux from '../../src/fs/linux';
import { openPassthrough, PASSTHROUGH_AREAS_SIZE, passthroughAreas } from '../../src/fs/passthrough';
import { LinuxCalls } from '../../src/native/linuxCalls';
import { pinnedArena } from '../../src/native/memory';
import { check, CLIENT_AREA, type Entry, Errno, failsWith } from './client';
import { LaterCalls, OPTIONS } from './shared';
import { sharing } from './sharing';
import { otherwise, WrappedCalls } from './wrappedCalls';

describe('passthrough', () => {
  const { open, callsOf, wrapped } = sharing();

  describe('opening', () => {
    it('is for regular files; pipes, devices, sockets, links and folders get their errno', async () => {
      const { client, fs: file } = open();
      const tryOpen = (node: number): number => client.open(node, linux.O_RDWR);
      assert.equal(tryOpen(await client.mknod(ROOT, 'pipe', 0o10644)), -E.ENXIO);
      assert.equal(tryOpen(await client.mknod(ROOT, 'socket', 0o140644)), -E.ENXIO);
      assert.equal(tryOpen(await client.symlink(ROOT, 'link', '/')), -E.ELOOP);
      const inner = await client.mkdir(ROOT, 'folder');
      for (const flags of [linux.O_RDONLY, linux.O_RDWR]) assert.equal(client.open(inner, flags), -E.EISDIR);
      assert.equal(file.opendir((await client.create(ROOT, 'file')).node, 0), -E.ENOTDIR);
      for (const name of ['pipe', 'link', 'file']) assert.equal(file.opendir(client.lookup(ROOT, name), 0), -E.ENOTDIR);
    });

    it('for a moment, to change the size, is for regular files as well', async () => {
      const { client } = open();
      const size = { valid: linux.FATTR_SIZE, size: 0 };
      const made = callsOf(async () => {
        await assert.rejects(client.set(ROOT, size), failsWith(E.EISDIR));
        await assert.rejects(client.set(await client.mknod(ROOT, 'pipe', 0o10644), size), failsWith(E.EINVAL));
        await assert.rejects(client.set(await client.symlink(ROOT, 'link', '/'), size), failsWith(E.EINVAL));
      });
      const acts = ['mknodat', 'symlinkat', 'statx', 'openat', 'impersonate', 'resume'];
      assert.deepEqual(
        (await made).filter((name) => !acts.includes(name)),
        [],
      );
    });

    it('for a moment is what changes the size where the handle cannot write', async () => {
      const { client, folder } = open();
      fs.writeFileSync(path.join(folder, 'a'), 'content');
      const node = client.lookup(ROOT, 'a');
      const { FATTR_SIZE, FATTR_KILL_SUIDGID } = linux;
      const reading = check(client.open(node, linux.O_RDONLY));
      assert.equal((await client.set(node, { valid: FATTR_SIZE, size: 5 }, reading)).size, 5);
      const writing = check(client.open(node, linux.O_WRONLY));
      const plain = await callsOf(() => client.set(node, { valid: FATTR_SIZE, size: 4 }, writing));
      assert.deepEqual(plain, ['ftruncate', 'statx']);
      const dropping = await callsOf(() =>
        client.set(node, { valid: FATTR_SIZE | FATTR_KILL_SUIDGID, size: 3 }, writing),
      );
      assert.deepEqual(dropping, ['dropFsetid', 'ftruncate', 'resume', 'statx']);
    });

    it('a folder gives a handle that has no contents', async () => {
      const { client, fs: file } = open();
      const folder = check(file.opendir(ROOT, 0));
      const { handle } = await client.create(ROOT, 'a');
      await assert.rejects(client.read(folder, 0, 10), failsWith(E.EBADF));
      await assert.rejects(client.write(folder, 0, 'abc'), failsWith(E.EBADF));
      assert.equal(await client.outcome((c) => file.fallocate(folder, 0, 0, 10, c)), -E.EBADF);
      wrapped().reset();
      for (const [from, to] of [
        [folder, handle],
        [handle, folder],
      ]) {
        const copied = client.outcome((c) => file.copyFileRange(from, 0, to, 0, 1, 0, c));
        assert.deepEqual([await copied, wrapped().made], [-E.EBADF, []]);
      }
      assert.equal(file.lseek(folder, 0, linux.SEEK_END), -E.EINVAL);
      const nothing = { entry: () => assert.fail('an entry') };
      assert.equal(file.readdir(handle, 0, 0, 4096, nothing), -E.EBADF);
    });

    it('is refused where a guest holds all descriptors that it may', async () => {
      const { client, fs: file } = open({ descriptors: 5 });
      const { node, handle } = await client.create(ROOT, 'a');
      await client.setlk(handle, client.lock(linux.F_RDLCK, 0, 0, 1));
      while (client.open(node, linux.O_RDONLY) >= 0);
      assert.equal(file.descriptorCount, 5);
      assert.equal(client.open(node, linux.O_RDONLY), -E.EMFILE);
      assert.equal(file.opendir(ROOT, 0), -E.EMFILE);
      await assert.rejects(client.create(ROOT, 'b'), failsWith(E.EMFILE));
      assert.equal(await client.setlk(handle, client.lock(linux.F_RDLCK, 0, 0, 2)), -E.EMFILE);
      assert.equal(await client.setlk(handle, client.lock(linux.F_RDLCK, 5, 5, 1)), 0, 'it has a descriptor');
      assert.equal(file.descriptorCount, 5);
    });

    for (const allowDirectIo of [false, true]) {
      it(`hands on what a flag means for a file that is there${allowDirectIo ? ', O_DIRECT too where it may' : ''}`, async () => {
        let seen = 0;
        const host = (real: HostCalls): HostCalls =>
          otherwise(real, 'openat', (directory, name, flags, mode) => {
            seen = flags;
            // Some file systems in memory do not have it.
            return real.openat(directory, name, flags & ~linux.O_DIRECT, mode);
          });
        const { client, fs: file, blocking } = open({ allowDirectIo }, false, host);
        const { node, handle } = await client.create(ROOT, 'a');
        const own = linux.O_CLOEXEC | linux.O_NOCTTY | linux.O_NONBLOCK;
        const { O_RDWR, O_TRUNC, O_DSYNC, O_SYNC, O_LARGEFILE, O_NOATIME, O_DIRECT, O_NONBLOCK } = linux;
        const handed = [0, O_TRUNC, O_DSYNC, O_SYNC, O_LARGEFILE, O_NOATIME, ...(allowDirectIo ? [O_DIRECT] : [])];
        const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY, O_PATH, O_TMPFILE } = linux;
        const kept = [O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY, O_PATH, O_TMPFILE];
        for (const flag of [...handed, ...kept, O_NONBLOCK]) {
          file.release(check(client.open(node, O_RDWR | flag)));
          assert.equal(seen & ~own, O_RDWR | (handed.includes(flag) ? flag : 0), flag.toString(8));
          assert.equal(seen & own, own);
        }
        await client.write(handle, 0, 'abc');
        const direct = check(client.open(node, O_RDWR | O_DIRECT));
        assert.equal((await client.read(direct, 0, 10)).toString(), 'abc');
        assert.equal(blocking.made, allowDirectIo ? 1 : 0, 'a read of the disk is made elsewhere');
      });
    }

    it('with write-back reads what is opened for writing', async () => {
      const { client } = open({ writeback: true });
      const { node, handle } = await client.create(ROOT, 'a');
      await client.write(handle, 0, 'abc');
      const appending = check(client.open(node, linux.O_WRONLY | linux.O_APPEND));
      await client.write(appending, 0, 'X');
      assert.equal((await client.read(appending, 0, 10)).toString(), 'Xbc');
    });

    it('read-only answers EROFS to everything that changes', async () => {
      const { client, folder, fs: file } = open({ readOnly: true });
      fs.writeFileSync(path.join(folder, 'a'), 'abc');
      const node = client.lookup(ROOT, 'a');
      const handle = check(client.open(node, linux.O_RDONLY));
      assert.equal((await client.read(handle, 0, 10)).toString(), 'abc');
      const changes: Record<string, () => Promise<number> | number> = {
        'open for writing': () => client.open(node, linux.O_WRONLY),
        'open and truncate': () => client.open(node, linux.O_RDONLY | linux.O_TRUNC),
        create: () => client.outcome((c) => file.create(ROOT, client.name('n'), 0o100644, 2, false, c)),
        tmpfile: () => client.outcome((c) => file.tmpfile(ROOT, 0o100644, 2, c)),
        mkdir: () => client.outcome((c) => file.mkdir(ROOT, client.name('n'), 0o40755, c)),
        mknod: () => client.outcome((c) => file.mknod(ROOT, client.name('n'), 0o100644, 0, c)),
        symlink: () => client.outcome((c) => file.symlink(ROOT, client.name('n'), client.name('t', true), c)),
        link: () => file.link(node, ROOT, client.name('n')),
        unlink: () => file.unlink(ROOT, client.name('a')),
        rmdir: () => file.rmdir(ROOT, client.name('a')),
        rename: () => file.rename(ROOT, client.name('a'), ROOT, client.name('b', true), 0),
        setxattr: () => file.setxattr(node, client.name('user.a'), 0, 0, 0),
        removexattr: () => file.removexattr(node, client.name('user.a')),
        fallocate: () => client.outcome((c) => file.fallocate(handle, 0, 0, 10, c)),
        copy: () => client.outcome((c) => file.copyFileRange(handle, 0, handle, 0, 1, 0, c)),
        setattr: () =>
          client.set(node, { valid: linux.FATTR_MODE, mode: 0 }).then(
            () => 0,
            (error: unknown) => (error instanceof Errno ? -error.errno : 0),
          ),
      };
      for (const [name, change] of Object.entries(changes)) {
        assert.deepEqual([name, await change()], [name, -E.EROFS]);
      }
      assert.deepEqual(fs.readdirSync(folder), ['a']);
    });
  });

  it('a folder that cannot be opened, or looked at, is not shared, and nothing of it stays open', () => {
    const before = fs.readdirSync('/proc/self/fd').length;
    const arena = pinnedArena(PASSTHROUGH_AREAS_SIZE);
    const wrapped = new WrappedCalls(new LinuxCalls());
    const { calls } = wrapped;
    const alarm = { wake: () => assert.fail('nothing waits') };
    const host = { calls, blocking: new LaterCalls(calls), alarm, arena, areas: passthroughAreas(0) };
    const opened = (folder: string): unknown => openPassthrough(host, folder, OPTIONS);
    assert.equal(opened('/proc/self/nowhere'), -E.ENOENT);
    assert.equal(opened('/proc/self/status'), -E.ENOTDIR);
    assert.equal(opened(`/${'x'.repeat(4095)}`), -E.ENOTDIR, 'no room for it');
    wrapped.failWith = E.EIO;
    for (const name of ['openat', 'statx']) {
      wrapped.failName = name;
      assert.equal(opened('/proc/self'), -E.EIO);
    }
    assert.equal(fs.readdirSync('/proc/self/fd').length, before);
  });

  it('no program that is started meanwhile gets a descriptor of the share', async () => {
    const before = fs.readdirSync('/proc/self/fd');
    const { client, folder, fs: file } = open();
    const long = 'x'.repeat(60);
    for (const name of ['a', 'b', long]) fs.writeFileSync(path.join(folder, name), '');
    fs.mkdirSync(path.join(folder, 'sub'));
    for (const name of ['a', 'sub']) client.stat(client.lookup(ROOT, name));
    const [b, unused] = ['b', 'sub'].map((name) => client.lookup(ROOT, name));
    client.lookup(ROOT, long);
    for (const node of [ROOT, unused]) check(file.opendir(node, 0));
    const handle = check(client.open(b, linux.O_RDWR));
    await client.setlk(handle, client.lock(linux.F_WRLCK, 0, 9, 1));
    const made = await client.create(ROOT, 'made');
    await client.create(ROOT, 'kept');
    file.release(made.handle);
    await client.request((caller) => file.tmpfile(ROOT, 0o100600, linux.O_RDWR, caller));
    const opened = fs.readdirSync('/proc/self/fd').filter((fd) => !before.includes(fd));
    const flags = opened.flatMap((fd) => {
      const info = `/proc/self/fdinfo/${fd}`;
      return fs.existsSync(info)
        ? [parseInt(/flags:\s*([0-7]+)/.exec(fs.readFileSync(info, 'utf8'))?.[1] ?? '', 8)]
        : [];
    });
    assert.ok(flags.length >= 10, `${flags.length} descriptors`);
    for (const each of flags) assert.ok(each & linux.O_CLOEXEC, each.toString(8));
  });

  describe('what may wait for a device', () => {
    const LONG = 1 << 20;

    it('fsync, syncfs, fallocate and long copies go there as well', async () => {
      const { client, blocking, fs: file } = open();
      const { handle } = await client.create(ROOT, 'a');
      await client.request((c) => file.fsync(handle, false, c));
      await client.request((c) => file.fsync(handle, true, c));
      await client.request((c) => file.syncfs(ROOT, c));
      await client.request((c) => file.fallocate(handle, 0, 0, LONG, c));
      assert.equal(blocking.made, 4);
      const other = await client.create(ROOT, 'b');
      const copied = await client.request((c) => file.copyFileRange(handle, 0, other.handle, 0, LONG, 0, c));
      assert.equal(copied, LONG);
      assert.equal(blocking.made, 5);
    });

    it('SYNCFS is asked for by a file as well as by a folder', async () => {
      const { client, fs: file, blocking } = open();
      const { node } = await client.create(ROOT, 'a');
      assert.equal(await client.outcome((c) => file.syncfs(node, c)), 0);
      assert.equal(blocking.made, 1);
    });

    it('both files of a long copy are there to its end, whatever is released meanwhile', async () => {
      const { client, folder, fs: file } = open();
      const content = Buffer.alloc(LONG, 'content');
      fs.writeFileSync(path.join(folder, 'a'), content);
      const [from, to] = [
        check(client.open(client.lookup(ROOT, 'a'), linux.O_RDONLY)),
        (await client.create(ROOT, 'b')).handle,
      ];
      const copying = client.request((c) => file.copyFileRange(from, 0, to, 0, LONG, 0, c));
      for (const handle of [from, to]) file.release(handle);
      await client.create(ROOT, 'c');
      await client.create(ROOT, 'd');
      assert.equal(await copying, LONG);
      assert.ok(fs.readFileSync(path.join(folder, 'b')).equals(content));
      assert.equal(file.handleCount, 2);
    });

    it('is not begun where set-user-ID bits that have to go cannot be taken away', async () => {
      const { client, folder, fs: file, blocking } = open({ canImpersonate: true });
      fs.writeFileSync(path.join(folder, 'program'), 'program');
      fs.chmodSync(path.join(folder, 'program'), 0o4755);
      const handle = check(client.open(client.lookup(ROOT, 'program'), linux.O_RDWR));
      client.uid = 1000;
      wrapped().failWith = E.EIO;
      for (const name of ['statx', 'fchmod']) {
        wrapped().failName = name;
        assert.equal(await client.outcome((c) => file.fallocate(handle, 0, 0, LONG, c)), -E.EIO);
        assert.equal(await client.outcome((c) => file.copyFileRange(handle, 0, handle, 3, 1, 0, c)), -E.EIO);
      }
      assert.equal(blocking.made, 0);
      assert.equal(fs.readFileSync(path.join(folder, 'program'), 'utf8'), 'program');
    });

    it('takes no bits away where the daemon is an ordinary user, whose host does', async () => {
      const { client, fs: file } = open({ canImpersonate: false });
      const { handle } = await client.create(ROOT, 'a');
      client.uid = 1000;
      const made = await callsOf(() => client.request((c) => file.copyFileRange(handle, 0, handle, 8192, 1, 0, c)));
      assert.deepEqual(made, ['copyFileRange']);
    });
  });

  describe('folders', () => {
    it('are read without seeking, however small the replies', async () => {
      const { client, folder } = open();
      const names = Array.from({ length: 3000 }, (_, i) => `entry-${i}-${'x'.repeat(i % 60)}`);
      for (const name of names) fs.writeFileSync(path.join(folder, name), '');
      wrapped().reset();
      const listed = client.list(ROOT, 7);
      assert.deepEqual(listed.map((entry) => entry.name).sort(), ['.', '..', ...names].sort());
      assert.ok(!wrapped().made.includes('seekFolder'));
      assert.ok(wrapped().made.filter((name) => name === 'getdents64').length < 8);
    });

    it('can be gone on with at any entry told, and read by two at a time', () => {
      const { client, folder, fs: file } = open();
      for (let i = 0; i < 50; i++) fs.writeFileSync(path.join(folder, `f${i}`), '');
      const handle = check(file.opendir(ROOT, 0));
      const all = client.readdir(handle);
      for (const index of [0, 7, 20, 49, 3]) {
        const { nextLow, nextHigh } = all[index];
        const rest = client.readdir(handle, nextLow, nextHigh);
        assert.deepEqual(rest, all.slice(index + 1));
      }
      const other = check(file.opendir(ROOT, 0));
      const mine: Entry[] = [];
      const theirs: Entry[] = [];
      for (let i = 0; i < 20; i++) {
        const list = i % 2 ? mine : theirs;
        const { nextLow, nextHigh } = list.at(-1) ?? { nextLow: 0, nextHigh: 0 };
        list.push(...client.readdir(i % 2 ? handle : other, nextLow, nextHigh, 6));
      }
      assert.deepEqual(mine, all);
      assert.deepEqual(theirs, all);
    });

    it('are gone on with where that is, not where another position looks like it, nor for the next handle', async () => {
      const { client, folder, fs: file } = open();
      for (let i = 0; i < 9; i++) fs.writeFileSync(path.join(folder, `f${i}`), '');
      const handle = check(file.opendir(ROOT, 0));
      const first = (low: number, high: number): Promise<string[]> =>
        callsOf(() => file.readdir(handle, low, high, 4096, { entry: () => false }));
      const { nextLow, nextHigh } = client.readdir(handle, 0, 0, 3)[2];
      assert.deepEqual(await first(nextLow, nextHigh), []);
      assert.equal((await first(nextLow, (nextHigh ^ 1) >>> 0))[0], 'seekFolder');
      client.readdir(handle, 0, 0, 3);
      assert.equal((await first((nextLow ^ 1) >>> 0, nextHigh))[0], 'seekFolder');
      client.readdir(handle, 0, 0, 0);
      file.releasedir(handle);
      fs.writeFileSync(path.join(folder, 'fresh'), '');
      const next = check(file.opendir(ROOT, 0));
      assert.equal(next, handle);
      const all = client.readdir(next);
      assert.ok(all.some(({ name }) => name === 'fresh'));
      file.releasedir(next);
      assert.equal(check(file.opendir(ROOT, 0)), handle);
      const end = all[all.length - 1];
      assert.equal((await first(end.nextLow, end.nextHigh))[0], 'seekFolder', 'it stands at its beginning');
    });

    it('are told whole by a host that gives little at a time', () => {
      const little = (real: HostCalls): HostCalls =>
        otherwise(real, 'getdents64', (fd, into, capacity) => real.getdents64(fd, into, Math.min(capacity, 120)));
      const { client, folder } = open({}, false, little);
      const names = Array.from({ length: 40 }, (_, i) => `f${i}`);
      for (const name of names) fs.writeFileSync(path.join(folder, name), '');
      const told = client.list(ROOT).map(({ name }) => name);
      assert.deepEqual(told.sort(), ['.', '..', ...names].sort());
    });

    it('are told as far as a reply has room, and no call asks for more than there may be', async () => {
      const { client, folder, fs: file } = open();
      const handle = check(file.opendir(ROOT, 0));
      assert.deepEqual(await callsOf(() => client.readdir(handle)), ['getdents64']);
      const name = (i: number): string => `${i}-${'x'.repeat(200)}`;
      for (let i = 0; i < 1000; i++) fs.writeFileSync(path.join(folder, name(i)), '');
      assert.equal(client.readdir(check(file.opendir(ROOT, 0))).length, 1002);
    });

    it('are gone on with as they were read, also where reading another one fails meanwhile', () => {
      let fails = false;
      const failing = (real: HostCalls): HostCalls =>
        otherwise(real, 'getdents64', (fd, into, capacity) => {
          if (!fails) return real.getdents64(fd, into, capacity);
          client.arena.u8.fill(1, into - client.arena.base, into - client.arena.base + 4096);
          return -E.EIO;
        });
      const { client, folder, fs: file } = open({}, false, failing);
      for (let i = 0; i < 9; i++) fs.writeFileSync(path.join(folder, `f${i}`), '');
      const [handle, other] = [check(file.opendir(ROOT, 0)), check(file.opendir(ROOT, 0))];
      const all = client.readdir(check(file.opendir(ROOT, 0)));
      const { nextLow, nextHigh } = client.readdir(handle, 0, 0, 3)[2];
      fails = true;
      assert.throws(() => client.readdir(other), failsWith(E.EIO));
      fails = false;
      assert.deepEqual(client.readdir(handle, nextLow, nextHigh), all.slice(3));
      assert.deepEqual(client.readdir(other), all);
    });

    it("show the root itself as the root's parent", () => {
      const { client } = open();
      const entries = client.list(ROOT);
      const own = client.stat(ROOT).ino;
      assert.deepEqual(
        entries.filter(({ name }) => name.startsWith('.')).map(({ ino }) => ino),
        [own, own],
      );
    });

    it('show everything else with its own number', () => {
      const { client, folder } = open();
      fs.mkdirSync(path.join(folder, 'sub/inner'), { recursive: true });
      fs.writeFileSync(path.join(folder, '..file'), '');
      const own = (name: string): number => fs.statSync(path.join(folder, name)).ino;
      const numbers = (node: number): object =>
        Object.fromEntries(client.list(node).map(({ name, ino }) => [name, ino]));
      const root = { '.': own('.'), '..': own('.'), sub: own('sub'), '..file': own('..file') };
      assert.deepEqual(numbers(ROOT), root);
      assert.deepEqual(numbers(client.walk('sub/inner')), { '.': own('sub/inner'), '..': own('sub') });
    });
  });

  it('the target of a link is told whole, or not at all where there is no room for it', async () => {
    const { client, fs: file } = open();
    const at = client.name('');
    const short = await client.symlink(ROOT, 'short', 'target');
    const longest = await client.symlink(ROOT, 'longest', 'x'.repeat(4095));
    assert.equal(file.readlink(short, at, 7), 6);
    assert.equal(file.readlink(short, at, 6), -E.ENAMETOOLONG);
    assert.equal(file.readlink(longest, at, 4096), 4095);
    assert.equal(file.readlink(longest, at, 4095), 4095, 'no target is longer');
    assert.equal(file.readlink(longest, at, 4094), -E.ENAMETOOLONG);
  });

  it('xattrs are off unless asked for', () => {
    const { client, fs: file } = open({ xattr: false });
    assert.equal(file.getxattr(ROOT, client.name('user.a'), 0, 0), -E.ENOSYS);
    assert.equal(file.listxattr(ROOT, 0, 0), -E.ENOSYS);
    assert.equal(file.setxattr(ROOT, client.name('user.a'), 0, 0, 0), -E.ENOSYS);
    assert.equal(file.removexattr(ROOT, client.name('user.a')), -E.ENOSYS);
  });

  it('an ACL that a file has on the host is not told, nor touched', () => {
    const { client, fs: file, folder } = open();
    const ACCESS = 'system.posix_acl_access';
    const acl = Buffer.from(
      '0200000001000600ffffffff020006003930000004000400ffffffff10000600ffffffff20000400ffffffff',
      'hex',
    );
    const host = new LinuxCalls();
    const address = (at: number): number => client.arena.address(at);
    const onHost = (): [path: number, name: number, value: number] => {
      const value = CLIENT_AREA - 256;
      return [address(client.name(path.join(folder, 'a'))), address(client.name(ACCESS, true)), address(value)];
    };
    fs.writeFileSync(path.join(folder, 'a'), '');
    client.arena.u8.set(acl, CLIENT_AREA - 256);
    assert.equal(host.setxattr(...onHost(), acl.length, 0), 0);

    const a = client.lookup(ROOT, 'a');
    client.setxattr(a, 'user.first', '1');
    client.setxattr(a, 'user.second', '2');
    const names = client.listxattr(a).filter((name) => !name.startsWith('security.'));
    assert.deepEqual(names.sort(), ['user.first', 'user.second']);
    const [at] = onHost();
    assert.equal(file.listxattr(a, client.name('', true), 0), host.listxattr(at, 0, 0), 'room for more than is told');
    assert.throws(() => client.getxattr(a, ACCESS), failsWith(E.EOPNOTSUPP));
    assert.throws(() => client.setxattr(a, ACCESS, 'x'), failsWith(E.EOPNOTSUPP));
    assert.equal(file.removexattr(a, client.name(ACCESS)), -E.EOPNOTSUPP);
    assert.equal(host.getxattr(...onHost(), 256), acl.length);
  });

  it('ioctl passes file flags, the safe ones, and nothing else', async () => {
    const { client, fs: file } = open();
    const { handle } = await client.create(ROOT, 'a');
    const data = client.name('');
    const GETFLAGS = 0x80086601;
    const SETFLAGS = 0x40086602;
    assert.equal(file.ioctl(handle, 0x5401, data, 0, 64), -E.ENOTTY);
    assert.equal(file.ioctl(handle, GETFLAGS, data, 0, 4), 4);
    const old = client.arena.getU32(data);
    client.arena.setU32(data, old | 0x40);
    assert.equal(file.ioctl(handle, SETFLAGS, data, 4, 0), 0);
    for (const unsafe of [0x10, 0x20, 0x4000, 0x20000000]) {
      client.arena.setU32(data, old | unsafe);
      assert.equal(file.ioctl(handle, SETFLAGS, data, 4, 0), -E.EPERM);
    }
    assert.equal(file.ioctl(handle, GETFLAGS, data, 0, 4), 4);
    assert.equal(client.arena.getU32(data), old | 0x40);
    assert.equal(file.ioctl(handle, GETFLAGS, data, 0, 3), -E.EINVAL);
  });

  it('a reset gives everything back and ends every wait', async () => {
    const { client, folder, fs: file } = open();
    fs.writeFileSync(path.join(folder, 'x'), '');
    fs.mkdirSync(path.join(folder, 'sub'));
    fs.writeFileSync(path.join(folder, 'sub/y'), '');
    client.walk('sub/y');
    client.lookup(ROOT, 'x');
    const { node, handle } = await client.create(ROOT, 'a');
    const other = check(client.open(node, linux.O_RDWR));
    await client.setlk(other, client.lock(linux.F_WRLCK, 0, 9, 1));
    const waiting = client.setlk(handle, client.lock(linux.F_WRLCK, 0, 9, 2), true);
    check(file.opendir(ROOT, 0));
    file.reset();
    assert.equal(await waiting, -E.EINTR);
    assert.deepEqual([file.nodeCount, file.handleCount, file.descriptorCount], [1, 0, 0]);
    client.lookup(ROOT, 'a');
  });
});
