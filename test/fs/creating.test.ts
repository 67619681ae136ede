/** Files and all else that a guest makes: what that costs, whose it is and how it is, and CREATE of what is there. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Errno as E } from '../../src/protocol/errno';
import { GROUPS_UNTOLD, NO_GROUP, ROOT } from '../../src/fs/fileSystem';
import * as linux from '../../src/fs/linux';
import { check, failsWith } from './client';
import { isRoot } from './shared';
import { sharing } from './sharing';

describe('passthrough: created files', () => {
  const { open, callsOf, wrapped } = sharing();

  it('take two calls; the inode lives on the open descriptor until that is released', async () => {
    const { client, fs: file } = open();
    let made = { node: 0, handle: 0 };
    assert.deepEqual(
      (await callsOf(async () => (made = await client.create(ROOT, 'new')))).filter((name) => !isActing(name)),
      ['openat', 'statx'],
    );
    assert.equal(file.descriptorCount, 1);
    await client.write(made.handle, 0, 'hello');
    file.release(made.handle);
    assert.equal(file.descriptorCount, 1);
    assert.equal(client.stat(made.node).size, 5);
    const again = check(client.open(made.node, linux.O_RDONLY));
    assert.equal((await client.read(again, 0, 10)).toString(), 'hello');
  });

  it('need no second descriptor when forgotten first', async () => {
    const { client, fs: file } = open();
    const { node, handle } = await client.create(ROOT, 'new');
    file.forget(node, 1);
    assert.deepEqual(await callsOf(() => file.release(handle)), ['close']);
    assert.equal(file.descriptorCount, 0);
  });

  it('can be executed on the host once they are released', async () => {
    const { client, folder, fs: file } = open();
    const { handle } = await client.create(ROOT, 'program', linux.O_WRONLY, 0o100755);
    await client.write(handle, 0, '#!/bin/sh\nexit 0\n');
    file.release(handle);
    const links = fs.readdirSync('/proc/self/fd').flatMap((fd) => {
      const info = fs.existsSync(`/proc/self/fdinfo/${fd}`) ? fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8') : '';
      const isProgram = fs.existsSync(`/proc/self/fd/${fd}`) && info !== '';
      return isProgram && fs.readlinkSync(`/proc/self/fd/${fd}`) === path.join(folder, 'program') ? [info] : [];
    });
    assert.equal(links.length, 1);
    const flags = parseInt(/flags:\s*([0-7]+)/.exec(links[0])?.[1] ?? '0', 8);
    assert.ok(flags & linux.O_PATH, 'still open for writing');
  });

  it('that are there already are opened with all checks', async () => {
    const { client, folder, fs: file } = open();
    fs.writeFileSync(path.join(folder, 'old'), 'content');
    fs.symlinkSync('old', path.join(folder, 'link'));
    const { node, handle } = await client.create(ROOT, 'old', linux.O_RDWR | linux.O_TRUNC);
    assert.equal(client.attributes().size, 0);
    assert.equal(node, client.lookup(ROOT, 'old'));
    await assert.rejects(client.create(ROOT, 'old', linux.O_RDWR | linux.O_EXCL), failsWith(E.EEXIST));
    await assert.rejects(client.create(ROOT, 'link'), failsWith(E.ELOOP));
    file.release(handle);
  });

  it('that are there already lose set-user-ID and set-group-ID with O_TRUNC, where the guest asks for it', async function () {
    if (!isRoot) this.skip();
    const { client, folder } = open();
    const program = path.join(folder, 'program');
    fs.writeFileSync(program, 'content');
    for (const [killPriv, left] of [
      [false, 0o6777],
      [true, 0o777],
    ] as const) {
      fs.chmodSync(program, 0o6777);
      await client.create(ROOT, 'program', linux.O_WRONLY | linux.O_TRUNC, 0o100644, killPriv);
      assert.equal(fs.statSync(program).mode & 0o7777, left);
      assert.equal(client.attributes().mode & 0o7777, left);
    }
  });

  it('that are there already are for who may have them so: else ESTALE, and the guest knows nothing by it', async function () {
    if (!isRoot) this.skip();
    const { client, folder, fs: file } = open();
    const at = path.join(folder, 'old');
    fs.chmodSync(folder, 0o755);
    fs.writeFileSync(at, 'content');
    const { O_RDONLY, O_WRONLY, O_RDWR, O_TRUNC } = linux;
    const cases: readonly [uid: number, mode: number, may: number[], mayNot: number[]][] = [
      [1000, 0o604, [O_RDONLY], [O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC]],
      [1000, 0o602, [O_WRONLY], [O_RDONLY, O_RDWR, O_RDONLY | O_TRUNC]],
      [1000, 0o606, [O_RDONLY, O_WRONLY, O_RDWR], []],
      [1000, 0o600, [], [O_RDONLY, O_WRONLY, O_RDWR | O_TRUNC]],
      [0, 0, [O_RDONLY, O_RDWR], []],
    ];
    for (const [uid, mode, may, mayNot] of cases) {
      client.uid = client.gid = uid;
      fs.chmodSync(at, mode);
      for (const flags of [...may, ...mayNot]) {
        const node = await client.outcome((c) => file.create(ROOT, client.name('old'), 0o100600, flags, false, c));
        const what = `user ${uid}, mode ${mode.toString(8)}, flags ${flags}`;
        if (may.includes(flags)) {
          assert.ok(node > 0, what);
          file.release(file.createdHandle);
          file.forget(node, 1);
        } else assert.equal(node, -E.ESTALE, what);
        assert.deepEqual([file.nodeCount, file.handleCount, file.descriptorCount], [1, 0, 0], what);
      }
    }
    assert.equal(fs.readFileSync(at, 'utf8'), 'content');
  });

  it('that are there already are for members of their group where the guest has told that the caller is one', async function () {
    if (!isRoot) this.skip();
    const { client, folder, fs: file } = open();
    fs.chmodSync(folder, 0o755);
    fs.writeFileSync(path.join(folder, 'ours'), 'content', { mode: 0o640 });
    fs.chownSync(path.join(folder, 'ours'), 0, 4321);
    client.uid = client.gid = 1000;
    for (const [group, told] of [
      [4321, 0],
      [4322, -E.ESTALE],
      [NO_GROUP, -E.ESTALE],
      [GROUPS_UNTOLD, -E.ESTALE],
    ]) {
      client.supplementaryGid = group;
      const node = await client.outcome((c) => file.create(ROOT, client.name('ours'), 0o100600, 0, false, c));
      assert.equal(Math.min(0, node), told, `group ${group}`);
    }
  });

  it("that are there already are nobody else's where the host cannot say who may have them", async function () {
    if (!isRoot) this.skip();
    const { client, folder, fs: file } = open();
    fs.chmodSync(folder, 0o755);
    fs.writeFileSync(path.join(folder, 'secret'), 'of the host', { mode: 0o600 });
    client.uid = client.gid = 1000;
    wrapped().failName = 'faccessat2';
    // Linux before 5.8 does not have the call, and some sandboxes refuse what they do not know.
    for (const errno of [E.ENOSYS, E.EPERM, E.EIO]) {
      wrapped().failWith = errno;
      await assert.rejects(client.create(ROOT, 'secret', linux.O_RDONLY), failsWith(E.ESTALE));
    }
    assert.deepEqual([file.nodeCount, file.handleCount, file.descriptorCount], [1, 0, 0]);
  });

  it('that are there already are asked about by nobody where the daemon is an ordinary user', async () => {
    const { client, folder } = open({ canImpersonate: false });
    fs.writeFileSync(path.join(folder, 'old'), 'content', { mode: 0o600 });
    client.uid = client.gid = 1000;
    const made = await callsOf(() => client.create(ROOT, 'old', linux.O_RDONLY));
    assert.deepEqual(made, ['openat', 'statx', 'openat', 'statx', 'openat']);
  });

  it('without a name can get one as long as that was not excluded; those that have lost theirs cannot', async () => {
    const { client, folder, fs: file } = open();
    const unnamed = (flags: number): Promise<number> =>
      client.request((caller) => file.tmpfile(ROOT, 0o100600, linux.O_RDWR | flags, caller));
    const node = await unnamed(0);
    await client.write(file.createdHandle, 0, 'unnamed');
    assert.equal(client.link(node, ROOT, 'named'), node);
    assert.equal(client.attributes().nlink, 1);
    assert.equal(fs.readFileSync(path.join(folder, 'named'), 'utf8'), 'unnamed');
    check(file.unlink(ROOT, client.name('named')));
    for (const lost of [node, await unnamed(linux.O_EXCL)]) {
      assert.equal(file.link(lost, ROOT, client.name('again')), -E.ENOENT);
    }
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  it('have the mode that was asked for, with all of its bits', async function () {
    if (!isRoot) this.skip();
    const { client, folder, fs: file } = open();
    const mode = (name: string): number => fs.statSync(path.join(folder, name)).mode & 0o7777;
    await client.create(ROOT, 'file', linux.O_RDWR, 0o106751);
    await client.mkdir(ROOT, 'folder', 0o41751);
    assert.deepEqual([mode('file'), mode('folder')], [0o6751, 0o1751]);
    await client.request((caller) => file.tmpfile(ROOT, 0o106640, linux.O_RDWR, caller));
    assert.equal(client.attributes().mode, 0o106640);
  });

  it('are given such a mode later as well, and an owner or a group by itself', async function () {
    if (!isRoot) this.skip();
    const { client, folder } = open();
    const { node, handle } = await client.create(ROOT, 'file');
    const seen = (): number[] => {
      const { mode, uid, gid } = fs.statSync(path.join(folder, 'file'));
      return [mode & 0o7777, uid, gid];
    };
    const { FATTR_MODE, FATTR_UID, FATTR_GID } = linux;
    await client.set(node, { valid: FATTR_MODE, mode: 0o106751 });
    assert.deepEqual(seen(), [0o6751, 0, 0]);
    await client.set(node, { valid: FATTR_MODE, mode: 0o101640 }, handle);
    assert.deepEqual(seen(), [0o1640, 0, 0]);
    await client.set(node, { valid: FATTR_UID, uid: 1234, gid: 5 });
    await client.set(node, { valid: FATTR_GID, uid: 5, gid: 2345 });
    assert.deepEqual(seen(), [0o1640, 1234, 2345]);
    const { FATTR_SIZE, FATTR_KILL_SUIDGID } = linux;
    for (const [valid, left] of [
      [FATTR_SIZE, 0o6777],
      [FATTR_SIZE | FATTR_KILL_SUIDGID, 0o777],
    ]) {
      await client.set(node, { valid: FATTR_MODE, mode: 0o106777 });
      await client.set(node, { valid });
      assert.equal(seen()[0], left);
    }
  });

  it('have each of their times set by itself, to what is said or to now', async () => {
    const { client } = open();
    const { node } = await client.create(ROOT, 'file');
    const { FATTR_ATIME, FATTR_MTIME, FATTR_ATIME_NOW, FATTR_MTIME_NOW } = linux;
    const times = { atime: 1000, atimeNsec: 1, mtime: 2000, mtimeNsec: 2 };
    await client.set(node, { valid: FATTR_ATIME | FATTR_MTIME, ...times });
    const after = async (valid: number): Promise<number[]> => {
      const { atime, mtime } = await client.set(node, { valid, ...times, atime: 3000, mtime: 4000 });
      return [atime, mtime];
    };
    assert.deepEqual(await after(FATTR_ATIME), [3000, 2000]);
    assert.deepEqual(await after(FATTR_MTIME), [3000, 4000]);
    const [atime, kept] = await after(FATTR_ATIME | FATTR_ATIME_NOW);
    assert.ok(atime > 1e9 && kept === 4000);
    const [still, mtime] = await after(FATTR_MTIME | FATTR_MTIME_NOW);
    assert.ok(still === atime && mtime > 1e9);
  });

  it('belong to the caller', async function () {
    if (!isRoot) this.skip();
    const { client, folder } = open();
    fs.chmodSync(folder, 0o777);
    client.uid = 1234;
    client.gid = 2345;
    await client.create(ROOT, 'file');
    await client.mkdir(ROOT, 'folder');
    await client.symlink(ROOT, 'link', 'file');
    await client.mknod(ROOT, 'pipe', 0o10644);
    for (const name of ['file', 'folder', 'link', 'pipe']) {
      const { uid, gid } = fs.lstatSync(path.join(folder, name));
      assert.deepEqual([name, uid, gid], [name, 1234, 2345]);
    }
    assert.equal(process.geteuid?.(), 0);
  });
});

function isActing(name: string): boolean {
  return name === 'impersonate' || name === 'resume';
}
