/** Lookups: what they cost, and that a node is one inode for good, whatever guests and the host do with its names. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as fc from 'fast-check';
import type { Arena } from '../../src/base/arena';
import { ROOT } from '../../src/fs/fileSystem';
import type { HostCalls } from '../../src/fs/hostCalls';
import * as linux from '../../src/fs/linux';
import { Errno as E } from '../../src/protocol/errno';
import { check, type Client, failsWith } from './client';
import { sharing } from './sharing';
import { otherwise } from './wrappedCalls';

describe('lookups of the passthrough file system', () => {
  const { open, callsOf, wrapped } = sharing();

  it('take one call and no descriptor, whatever they find', async () => {
    const { client, folder, fs: file } = open();
    for (const name of ['a', 'b']) fs.writeFileSync(path.join(folder, name), name);
    assert.deepEqual(await callsOf(() => client.lookup(ROOT, 'a')), ['statx']);
    assert.deepEqual(await callsOf(() => client.lookup(ROOT, 'b')), ['statx']);
    assert.deepEqual(await callsOf(() => client.lookup(ROOT, 'b')), ['statx']);
    const missing = await callsOf(() => assert.throws(() => client.lookup(ROOT, 'no'), failsWith(E.ENOENT)));
    assert.deepEqual(missing, ['statx']);
    assert.equal(file.descriptorCount, 0);
    assert.equal(file.nodeCount, 3);
  });

  it('of a folder that is then read take two descriptors while it is open, one after', async () => {
    const { client, folder, fs: file } = open();
    fs.mkdirSync(path.join(folder, 'sub'));
    fs.writeFileSync(path.join(folder, 'sub/a'), '');
    const node = client.lookup(ROOT, 'sub');
    let handle = 0;
    assert.deepEqual(await callsOf(() => (handle = check(file.opendir(node, 0)))), ['openat', 'statx']);
    assert.equal(file.descriptorCount, 1);
    assert.equal(client.readdir(handle).length, 3);
    const inner = client.lookup(node, 'a');
    assert.deepEqual(await callsOf(() => file.releasedir(handle)), [], 'the inode keeps its descriptor');
    assert.equal(file.descriptorCount, 1);
    file.forget(node, 1);
    assert.equal(file.node(node, 0), -E.ESTALE);
    assert.equal(file.descriptorCount, 1, 'the inode in it is known by its name there');
    assert.equal(client.stat(inner).nlink, 1);
    assert.equal(file.descriptorCount, 1, 'and is not any more');
    file.forget(inner, 1);
    assert.equal(file.descriptorCount, 0);
  });

  it('of names longer than most take a descriptor at once', () => {
    const { client, folder, fs: file } = open();
    for (const length of [46, 47, 48, 255]) {
      fs.writeFileSync(path.join(folder, 'x'.repeat(length)), '');
      const node = client.lookup(ROOT, 'x'.repeat(length));
      assert.equal(file.descriptorCount, length < 48 ? 0 : 1);
      assert.equal(client.stat(node).size, 0);
      file.forget(node, 1);
    }
  });

  it('of names longer than most leave descriptors for what is known already', async () => {
    const { client, folder, fs: file } = open({ descriptors: 80 });
    const names = Array.from({ length: 100 }, (_, i) => `${i}-${'x'.repeat(60)}`);
    for (const name of names) fs.writeFileSync(path.join(folder, name), 'x');
    const known = client.lookup(ROOT, names[0]);
    assert.throws(() => names.forEach((name) => client.lookup(ROOT, name)), failsWith(E.EMFILE));
    assert.equal(file.descriptorCount, 70);
    assert.equal((await client.read(check(client.open(known, linux.O_RDONLY)), 0, 10)).toString(), 'x');
  });

  it('are of no more inodes than so many at a time, and find those that are known', () => {
    const { client, folder, fs: file } = open({ inodes: 3 });
    const long = 'x'.repeat(60);
    for (const name of ['a', 'b', 'c', long]) fs.writeFileSync(path.join(folder, name), '');
    const a = client.lookup(ROOT, 'a');
    client.lookup(ROOT, 'b');
    for (const name of ['c', long]) assert.throws(() => client.lookup(ROOT, name), failsWith(E.ENFILE));
    assert.equal(file.nodeCount, 3);
    assert.equal(client.lookup(ROOT, 'a'), a);
    file.forget(a, 2);
    client.lookup(ROOT, 'c');
  });

  it('lead to the same inode whatever guests do with its names', async () => {
    const { client, folder, fs: file } = open();
    fs.mkdirSync(path.join(folder, 'sub'));
    for (const name of ['a', 'b', 'c', 'd']) fs.writeFileSync(path.join(folder, name), name.repeat(7));
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => client.lookup(ROOT, name));
    const sub = client.lookup(ROOT, 'sub');
    client.rename(ROOT, 'a', sub, 'moved');
    check(file.unlink(ROOT, client.name('b')));
    client.rename(ROOT, 'c', ROOT, 'd');
    const contents: string[] = [];
    for (const node of [a, b, c, d]) {
      const handle = check(client.open(node, linux.O_RDONLY));
      contents.push((await client.read(handle, 0, 1)).toString());
    }
    assert.deepEqual(contents, ['a', 'b', 'c', 'd']);
    assert.deepEqual(
      [a, b, c, d].map((node) => client.stat(node).nlink),
      [1, 0, 1, 0],
    );
  });

  it('lead to the same inode in any order of what guests do', async () => {
    const { client, fs: file } = open();
    const folders = [ROOT, await client.mkdir(ROOT, 'one'), await client.mkdir(ROOT, 'two')];
    const held = new Map<number, { ino: number; lookups: number }>();
    const hold = (node: number): void => {
      if (node < 0) return;
      const { ino } = client.attributes();
      const before = held.get(node);
      if (before !== undefined) assert.equal(before.ino, ino);
      held.set(node, { ino, lookups: (before?.lookups ?? 0) + 1 });
    };
    const act = async (kind: number, a: number, b: number, from: number, to: number): Promise<void> => {
      const [parent, name] = [folders[a % 3], 'abcd'[from % 4]];
      const [newParent, newName] = [folders[b % 3], 'abcd'[to % 4]];
      const nodes = [...held.keys()];
      const some = nodes[(a + b * 3 + from * 9 + to) % Math.max(1, nodes.length)];
      if (kind === 0) hold(file.lookup(parent, client.name(name)));
      if (kind === 1) {
        const made = await client.outcome((c) => file.create(parent, client.name(name), 0o100644, 2, false, c));
        hold(made);
        if (made > 0) file.release(file.createdHandle);
      }
      if (kind === 2) file.unlink(parent, client.name(name));
      if (kind === 3) file.rename(parent, client.name(name), newParent, client.name(newName, true), to % 3 ? 0 : 2);
      if (some === undefined) return;
      if (kind === 4) hold(file.link(some, parent, client.name(name)));
      if (kind === 5) assert.equal(client.stat(some).ino, held.get(some)?.ino);
      if (kind === 6) {
        file.forget(some, held.get(some)?.lookups ?? 0);
        held.delete(some);
      }
    };
    const number = fc.nat(11);
    const step = fc.tuple(fc.nat(6), number, number, number, number);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120 }), async (steps) => {
        for (const [kind, a, b, from, to] of steps) await act(kind, a, b, from, to);
        for (const [node, { ino }] of held) assert.equal(client.stat(node).ino, ino);
        for (const [node, { lookups }] of held) file.forget(node, lookups);
        held.clear();
        assert.deepEqual([file.nodeCount, file.handleCount], [3, 0]);
        assert.ok(file.descriptorCount <= 2, 'more than the two folders have descriptors');
      }),
      { numRuns: 60 },
    );
  });

  it('are ESTALE where the host has put another inode under the name, or none, until it is looked up again', () => {
    const { client, folder, fs: file } = open();
    for (const name of ['gone', 'replaced', 'moved']) fs.writeFileSync(path.join(folder, name), name);
    const [gone, replaced, moved] = ['gone', 'replaced', 'moved'].map((name) => client.lookup(ROOT, name));
    fs.rmSync(path.join(folder, 'gone'));
    fs.writeFileSync(path.join(folder, 'other'), 'other');
    fs.renameSync(path.join(folder, 'other'), path.join(folder, 'replaced'));
    fs.renameSync(path.join(folder, 'moved'), path.join(folder, 'elsewhere'));
    for (const node of [gone, replaced, moved]) assert.equal(file.getattr(node, -1, 0), -E.ESTALE);
    assert.equal(file.descriptorCount, 0);
    assert.equal(client.open(replaced, linux.O_RDONLY), -E.ESTALE);
    assert.notEqual(client.lookup(ROOT, 'replaced'), replaced);
    assert.equal(client.lookup(ROOT, 'elsewhere'), moved);
    assert.equal(client.stat(moved).size, 5);
    for (const node of [gone, replaced]) file.forget(node, 1);
  });

  it('say what the host says where it fails to open what is known by its name', () => {
    const { client, folder, fs: file } = open();
    fs.writeFileSync(path.join(folder, 'a'), 'content');
    const node = client.lookup(ROOT, 'a');
    for (const [name, errno, told] of [
      ['openat', E.EIO, E.EIO],
      ['openat', E.EACCES, E.EACCES],
      ['openat', E.ENFILE, E.ENFILE],
      ['openat', E.ENOENT, E.ESTALE],
      ['openat', E.ENOTDIR, E.ESTALE],
      ['openat', E.ELOOP, E.ESTALE],
      ['statx', E.EIO, E.EIO],
    ] as const) {
      client.lookup(ROOT, 'a');
      wrapped().failName = name;
      wrapped().failWith = errno;
      assert.equal(client.open(node, linux.O_RDONLY), -told, `${name}: ${errno}`);
      wrapped().reset();
      assert.equal(file.descriptorCount, 0);
    }
    assert.equal(client.stat(node).size, 7);
  });

  it('give a folder back that was forgotten once nothing in it is known by its name there any more', () => {
    const { client, folder, fs: file } = open();
    for (const name of ['one', 'two']) fs.mkdirSync(path.join(folder, name));
    fs.writeFileSync(path.join(folder, 'one/a'), '');
    fs.linkSync(path.join(folder, 'one/a'), path.join(folder, 'two/b'));
    const one = client.lookup(ROOT, 'one');
    client.stat(one);
    const a = client.lookup(one, 'a');
    file.forget(one, 1);
    assert.deepEqual([file.descriptorCount, file.nodeCount], [1, 3]);
    const two = client.lookup(ROOT, 'two');
    assert.equal(client.lookup(two, 'b'), a);
    assert.deepEqual([file.descriptorCount, file.nodeCount], [1, 3], 'the other folder alone');
    file.forget(two, 1);
    file.forget(a, 2);
    assert.deepEqual([file.descriptorCount, file.nodeCount], [0, 1]);
  });

  it('lead to an inode by a name too long to be kept, whatever was kept before', () => {
    const { client, folder, fs: file } = open();
    const long = 'x'.repeat(100);
    fs.writeFileSync(path.join(folder, 'short'), 'content');
    const node = client.lookup(ROOT, 'short');
    fs.renameSync(path.join(folder, 'short'), path.join(folder, long));
    assert.equal(client.lookup(ROOT, long), node);
    assert.equal(client.stat(node).size, 7);
    file.forget(node, 2);
    assert.equal(file.descriptorCount, 0);
  });

  it('never open what has been put there instead', async () => {
    const { client, folder, fs: file } = open();
    fs.writeFileSync(path.join(folder, 'a'), 'a');
    fs.mkdirSync(path.join(folder, 'f'));
    const [a, f] = [client.lookup(ROOT, 'a'), client.lookup(ROOT, 'f')];
    fs.renameSync(path.join(folder, 'a'), path.join(folder, 'kept'));
    fs.rmdirSync(path.join(folder, 'f'));
    await client.mknod(ROOT, 'a', 0o10644);
    fs.symlinkSync('/', path.join(folder, 'f'));
    const made = await callsOf(() => assert.equal(client.open(a, linux.O_RDWR), -E.ESTALE));
    assert.deepEqual(made, ['openat', 'statx', 'close']);
    assert.equal(file.opendir(f, 0), -E.ESTALE);
  });

  it('notice an inode number that is used again', () => {
    const { client, folder, fs: file } = open();
    // ext4 gives the number just freed to the next file; elsewhere this shows less.
    const seen = new Set<number>();
    for (let i = 0; i < 20; i++) {
      const name = path.join(folder, 'a');
      fs.writeFileSync(name, String(i));
      const born = fs.statSync(name, { bigint: true }).birthtimeNs;
      const node = client.lookup(ROOT, 'a');
      assert.ok(!seen.has(node), 'another file under the old node');
      seen.add(node);
      fs.rmSync(name);
      // The clock that files are born by ticks every few milliseconds.
      do fs.writeFileSync(path.join(folder, 'clock'), '');
      while (fs.statSync(path.join(folder, 'clock'), { bigint: true }).ctimeNs === born);
      fs.rmSync(path.join(folder, 'clock'));
    }
    for (const node of seen) assert.ok(file.getattr(node, -1, 0) === -E.ESTALE);
  });

  it('give hard links one node, and a node that has ended another generation', () => {
    const { client, folder, fs: file } = open();
    fs.writeFileSync(path.join(folder, 'a'), '');
    fs.linkSync(path.join(folder, 'a'), path.join(folder, 'b'));
    const node = client.lookup(ROOT, 'a');
    assert.equal(client.lookup(ROOT, 'b'), node);
    file.forget(node, 1);
    assert.equal(file.node(node, file.nodeGeneration(node)), node);
    const generation = file.nodeGeneration(node);
    file.forget(node, 1);
    assert.equal(file.node(node, generation), -E.ESTALE);
    assert.equal(client.lookup(ROOT, 'a'), node);
    assert.equal(file.node(node, generation), -E.ESTALE);
    assert.equal(file.node(node, file.nodeGeneration(node)), node);
  });

  it('survive forgetting too much, and never forget the root', () => {
    const { client, folder, fs: file } = open();
    fs.writeFileSync(path.join(folder, 'a'), '');
    const node = client.lookup(ROOT, 'a');
    file.forget(node, 1e9);
    file.forget(node, 1);
    file.forget(ROOT, 1e9);
    assert.equal(file.node(ROOT, 0), ROOT);
    assert.equal(file.nodeCount, 1);
  });

  it('end with EMFILE before the process runs out, while known files still open', async () => {
    const { client, folder, fs: file } = open({ descriptors: 80 });
    for (let i = 0; i < 100; i++) fs.writeFileSync(path.join(folder, `f${i}`), 'x');
    let last = 0;
    assert.throws(() => {
      client.lookup(ROOT, 'f98');
      for (let i = 0; i < 100; i++) client.stat((last = client.lookup(ROOT, `f${i}`)));
    }, failsWith(E.EMFILE));
    last--;
    assert.equal(file.descriptorCount, 70);
    check(file.unlink(ROOT, client.name('f98')));
    assert.equal(file.descriptorCount, 70, 'nor does what is about to lose its name get one');
    const handle = check(client.open(last, linux.O_RDONLY));
    assert.equal((await client.read(handle, 0, 10)).toString(), 'x');
    file.release(handle);
    const made = await client.create(ROOT, 'made');
    assert.equal(await client.write(made.handle, 0, 'new'), 3);
    for (const node of [last, made.node]) file.forget(node, 1);
    file.release(made.handle);
    client.stat(client.lookup(ROOT, 'f99'));
  });

  describe('where the host', () => {
    let arena: Arena | undefined;
    /** A host on which statx says something else, once there is an arena to change it in. */
    const telling =
      (change: (arena: Arena, statx: number) => void) =>
      (real: HostCalls): HostCalls =>
        otherwise(real, 'statx', (directory, name, flags, mask, into) => {
          const result = real.statx(directory, name, flags, mask, into);
          if (result === 0 && arena) change(arena, into - arena.base);
          return result;
        });
    beforeEach(() => (arena = undefined));

    it('tells no time of birth take a descriptor at once: by a name another inode could pass for it', () => {
      const ageless = telling((its, at) => its.setU32(at, its.getU32(at) & ~linux.STATX_BTIME));
      const { client, folder, fs: file } = open({}, false, ageless);
      ({ arena } = client);
      fs.writeFileSync(path.join(folder, 'a'), '');
      const node = client.lookup(ROOT, 'a');
      assert.equal(file.descriptorCount, 1);
      assert.equal(client.lookup(ROOT, 'a'), node);
      assert.equal(file.descriptorCount, 1);
    });

    for (const [what, field] of [
      ['has mounted another part of the same file system', linux.Statx.mountId],
      ['has another file system in the same mount, as subvolumes are', linux.Statx.devMinor],
    ] as const) {
      it(`${what} tell so of a folder, and of nothing else`, async () => {
        let [mounted, leased] = [false, false];
        const mounts = telling((its, at) => {
          its.setU32(at, its.getU32(at) | linux.STATX_MNT_ID);
          if (mounted) its.setU32(at + field, its.getU32(at + field) + 1);
        });
        const host = (real: HostCalls): HostCalls =>
          otherwise(mounts(real), 'openat', (...call) =>
            leased && (call[2] & (linux.O_PATH | linux.O_EXCL)) === 0 ? -E.EAGAIN : real.openat(...call),
          );
        const { client, folder, fs: file } = open({}, false, host);
        ({ arena } = client);
        for (const name of ['plain', 'other']) fs.mkdirSync(path.join(folder, name));
        fs.writeFileSync(path.join(folder, 'file'), '');
        const crosses = (name: string): boolean => {
          client.lookup(ROOT, name);
          return file.crossedDevice;
        };
        mounted = true;
        assert.deepEqual(['other', 'file', 'other'].map(crosses), [true, false, true]);
        mounted = false;
        assert.equal(crosses('plain'), false);
        mounted = true;
        crosses('other');
        mounted = false;
        await client.create(ROOT, 'new');
        assert.equal(file.crossedDevice, false);
        // A file that is there already, and opens when a folder has been looked up meanwhile.
        leased = true;
        const created = client.create(ROOT, 'file');
        leased = false;
        mounted = true;
        crosses('other');
        mounted = false;
        await created;
        assert.equal(file.crossedDevice, false);
      });
    }

    it('gives a number to another inode at once know it by its type', () => {
      // The clock that files are born by ticks every few milliseconds.
      const sameTick = telling((its, at) => {
        if (its.getU16(at + linux.Statx.mode) >>> 12 !== linux.FileType.FOLDER) its.setU64(at + linux.Statx.ino, 4711);
        its.zero(at + linux.Statx.btime, 12);
      });
      const { client, folder, fs: file } = open({}, false, sameTick);
      ({ arena } = client);
      const at = path.join(folder, 'a');
      fs.writeFileSync(at, '');
      const before = client.lookup(ROOT, 'a');
      fs.rmSync(at);
      fs.symlinkSync('/', at);
      const after = client.lookup(ROOT, 'a');
      assert.notEqual(after, before);
      assert.equal(client.lookup(ROOT, 'a'), after, 'the one that is there is found again');
      assert.equal(client.readlink(after), '/');
      const made = callsOf(() => assert.equal(file.getattr(before, -1, 0), -E.ESTALE));
      file.forget(before, 1);
      return made.then((calls) => assert.deepEqual(calls, [], 'it has no name any more'));
    });

    for (const used of [false, true]) {
      it(`makes an inode like one that is known by ${used ? 'its descriptor' : 'its name'} take it for that`, async () => {
        const twins = telling((its, at) => {
          if (its.getU16(at + linux.Statx.mode) >>> 12 === linux.FileType.REGULAR)
            its.setU64(at + linux.Statx.ino, 4711);
          its.zero(at + linux.Statx.btime, 12);
        });
        const { client, folder, fs: file } = open({}, false, twins);
        ({ arena } = client);
        fs.writeFileSync(path.join(folder, 'a'), '');
        const node = client.lookup(ROOT, 'a');
        if (used) client.stat(node);
        const made = await client.create(ROOT, 'b');
        assert.deepEqual([made.node, file.nodeCount, file.descriptorCount], [node, 2, used ? 2 : 1]);
        file.release(made.handle);
        assert.equal(client.stat(node).nlink, 1);
        assert.equal(file.descriptorCount, 1);
        file.forget(node, 2);
        assert.deepEqual([file.nodeCount, file.descriptorCount], [1, 0]);
      });
    }

    it('gives a long name to an inode that is known between two calls lead to that one, by one descriptor', () => {
      const long = 'x'.repeat(60);
      let meanwhile = (): void => undefined;
      const host = (real: HostCalls): HostCalls =>
        otherwise(real, 'openat', (...call) => {
          meanwhile();
          return real.openat(...call);
        });
      const { client, folder, fs: file } = open({}, false, host);
      const at = (name: string): string => path.join(folder, name);
      for (const used of [true, false]) {
        for (const name of [long, 'known']) fs.writeFileSync(at(name), name);
        const node = client.lookup(ROOT, 'known');
        if (used) client.stat(node);
        meanwhile = () => {
          meanwhile = () => undefined;
          fs.renameSync(at('known'), at(long));
        };
        assert.equal(client.lookup(ROOT, long), node);
        assert.deepEqual([file.descriptorCount, client.stat(node).size], [1, 5]);
        file.forget(node, 2);
        assert.deepEqual([file.descriptorCount, file.nodeCount], [0, 1]);
      }
    });
  });

  /** What makes something by a name that takes a descriptor at once. */
  const makers: readonly [string, (client: Client, parent: number, name: string) => Promise<unknown>][] = [
    ['mkdir', (client, parent, name) => client.mkdir(parent, name)],
    ['mknod', (client, parent, name) => client.mknod(parent, name, 0o100644)],
    ['symlink', (client, parent, name) => client.symlink(parent, name, 'target')],
    ['create', (client, parent, name) => client.create(parent, name)],
  ];
  for (const [what, make] of makers) {
    it(`make nothing that the guest could not be told of: ${what}`, async () => {
      const { client, folder, fs: file } = open({ descriptors: 9, inodes: 10 });
      fs.mkdirSync(path.join(folder, 'sub'));
      for (let i = 0; i < 9; i++) fs.writeFileSync(path.join(folder, `f${i}`), '');
      const sub = client.lookup(ROOT, 'sub');
      // All descriptors are taken but one for an inode, which the folder will need.
      const held = Array.from({ length: 7 }, (_, i) => client.lookup(ROOT, `f${i}`));
      for (const node of held) client.stat(node);
      if (what === 'create') check(client.open(held[0], linux.O_RDONLY));
      await assert.rejects(make(client, sub, 'x'.repeat(60)), failsWith(E.EMFILE));
      file.forget(held[1], 1);
      file.forget(held[2], 1);
      for (let i = 1; i < 3; i++) client.lookup(ROOT, `f${i}`);
      client.lookup(ROOT, 'f7');
      await assert.rejects(make(client, sub, 'x'), failsWith(E.ENFILE));
      assert.deepEqual(fs.readdirSync(path.join(folder, 'sub')), []);
    });
  }
});
