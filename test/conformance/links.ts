/** Hard links, symbolic links, and files without a name. */
import assert from 'node:assert/strict';
import { fails, get, list, opened, put, test } from './case';
import { O, S } from './posix';

export const links = [
  test('a hard link is the same file', async ({ fs }) => {
    await put(fs, 'a', 'one');
    await fs.link('a', 'b');
    const [a, b] = [await fs.stat('a'), await fs.stat('b')];
    assert.equal(a.ino, b.ino);
    assert.equal(b.nlink, 2);
    await put(fs, 'b', 'two');
    assert.equal(await get(fs, 'a'), 'two');
  }),
  test('the content stays until the last link goes', async ({ fs }) => {
    await put(fs, 'a', 'kept');
    await fs.link('a', 'b');
    await fs.unlink('a');
    assert.equal(await get(fs, 'b'), 'kept');
    assert.equal((await fs.stat('b')).nlink, 1);
  }),
  test('link across folders', async ({ fs }) => {
    await fs.mkdir('d');
    await put(fs, 'a', 'x');
    await fs.link('a', 'd/b');
    assert.equal(await get(fs, 'd/b'), 'x');
  }),
  test('link to a name that is there', async ({ fs }) => {
    await put(fs, 'a');
    await put(fs, 'b');
    await fails('EEXIST', fs.link('a', 'b'));
  }),
  test('link of a folder', async ({ fs }) => {
    await fs.mkdir('d');
    await fails('EPERM', fs.link('d', 'e'));
  }),
  test('link of something missing', async ({ fs }) => fails('ENOENT', fs.link('a', 'b'))),
  test('link of a symbolic link is one to the link itself', async ({ fs }) => {
    await fs.symlink('nowhere', 's');
    await fs.link('s', 't');
    assert.equal(await fs.readlink('t'), 'nowhere');
    assert.equal((await fs.lstat('s')).nlink, 2);
  }),
  test('a symbolic link leads to its target', async ({ fs }) => {
    await put(fs, 'a', 'target');
    await fs.symlink('a', 's');
    assert.equal(await fs.readlink('s'), 'a');
    assert.equal(await get(fs, 's'), 'target');
    const link = await fs.lstat('s');
    assert.equal(link.mode & S.IFMT, S.IFLNK);
    assert.equal(link.size, 1);
  }),
  test('symbolic links through folders and ..', async ({ fs }) => {
    await fs.mkdir('d');
    await fs.mkdir('e');
    await put(fs, 'e/a', 'there');
    await fs.symlink('../e', 'd/s');
    assert.equal(await get(fs, 'd/s/a'), 'there');
  }),
  test('a symbolic link to nowhere', async ({ fs }) => {
    await fs.symlink('missing', 's');
    await fails('ENOENT', fs.stat('s'));
    await fails('ENOENT', fs.open('s', O.RDONLY));
    await fs.lstat('s');
  }),
  test('symbolic links in a circle', async ({ fs }) => {
    await fs.symlink('b', 'a');
    await fs.symlink('a', 'b');
    await fails('ELOOP', fs.open('a', O.RDONLY));
  }),
  test('O_NOFOLLOW on a symbolic link', async ({ fs }) => {
    await put(fs, 'a');
    await fs.symlink('a', 's');
    await fails('ELOOP', fs.open('s', O.RDONLY | O.NOFOLLOW));
  }),
  test('O_EXCL does not follow a symbolic link', async ({ fs }) => {
    await fs.symlink('missing', 's');
    await fails('EEXIST', fs.open('s', O.CREAT | O.EXCL | O.WRONLY));
  }),
  test('symbolic link targets of 4,095 bytes, the most there can be', async ({ fs }) => {
    const target = `${'x/'.repeat(2047)}y`;
    await fs.symlink(target, 's');
    assert.equal(await fs.readlink('s'), target);
    assert.equal((await fs.lstat('s')).size, target.length);
  }),
  test('symbolic link targets are any bytes', async ({ fs }) => {
    const target = '/../ä \n€/no such*';
    await fs.symlink(target, 's');
    assert.equal(await fs.readlink('s'), target);
  }),
  test('symlink to a name that is there', async ({ fs }) => {
    await put(fs, 'a');
    await fails('EEXIST', fs.symlink('x', 'a'));
  }),
  test('readlink of a file', async ({ fs }) => {
    await put(fs, 'a');
    await fails('EINVAL', fs.readlink('a'));
  }),
  test('unlink of a symbolic link leaves the target', async ({ fs }) => {
    await put(fs, 'a', 'stays');
    await fs.symlink('a', 's');
    await fs.unlink('s');
    assert.equal(await get(fs, 'a'), 'stays');
  }),
  test('symbolic links belong to someone', async ({ fs }) => {
    await put(fs, 'a');
    await fs.symlink('a', 's');
    await fs.lchown('s', 1234, 5678);
    const [file, link] = [await fs.stat('a'), await fs.lstat('s')];
    assert.deepEqual([file.uid, link.uid, link.gid], [0, 1234, 5678]);
  }),
  test('an unlinked file lives while it is open', async ({ fs }) =>
    opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
      await fs.pwrite(fd, Buffer.from('still here'), 0);
      await fs.unlink('a');
      assert.equal((await fs.pread(fd, 100, 0)).toString(), 'still here');
      await fs.pwrite(fd, Buffer.from('!'), 10);
      await fs.ftruncate(fd, 5);
      const { nlink, size } = await fs.fstat(fd);
      assert.deepEqual({ nlink, size }, { nlink: 0, size: 5 });
      assert.deepEqual(await list(fs, '.'), []);
    })),
  test('fchmod and futimens of an unlinked file', async ({ fs }) =>
    opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
      await fs.unlink('a');
      await fs.fchmod(fd, 0o600);
      await fs.futimens(fd, 1_000_000_000n, 2_000_000_000n);
      const { mode, mtime } = await fs.fstat(fd);
      assert.deepEqual([mode & 0o777, mtime], [0o600, 2_000_000_000n]);
    })),
  test('an unlinked file is not the one that has its name now', async ({ fs }) => {
    await put(fs, 'a', 'content');
    await opened(fs, 'a', O.RDWR, async (fd) => {
      await fs.unlink('a');
      await put(fs, 'a', 'another');
      const [old, now] = [await fs.fstat(fd), await fs.stat('a')];
      assert.notEqual(old.ino, now.ino);
      await fs.ftruncate(fd, 3);
      assert.equal((await fs.pread(fd, 100, 0)).toString(), 'con');
      assert.equal(await get(fs, 'a'), 'another');
    });
  }),
  test('a file replaced by rename lives while it is open', async ({ fs }) => {
    await put(fs, 'a', 'old');
    await put(fs, 'b', 'new');
    await opened(fs, 'a', O.RDONLY, async (fd) => {
      await fs.rename('b', 'a');
      assert.equal((await fs.pread(fd, 10, 0)).toString(), 'old');
      assert.equal(await get(fs, 'a'), 'new');
    });
  }),
  test('a removed folder is empty while it is open', async ({ fs }) => {
    await fs.mkdir('d');
    await opened(fs, 'd', O.RDONLY | O.DIRECTORY, async (fd) => {
      await fs.rmdir('d');
      const entries = await fs.getdents(fd, 4096).catch((error: unknown) => {
        assert.match(String(error), /ENOENT/);
        return [];
      });
      assert.deepEqual(
        entries.filter(({ name }) => !name.startsWith('.')),
        [],
      );
    });
  }),
  test(
    'O_TMPFILE makes a file without a name',
    async ({ fs }) => {
      const fd = await fs.open('.', O.TMPFILE | O.RDWR, 0o600);
      await fs.pwrite(fd, Buffer.from('unnamed'), 0);
      assert.equal((await fs.pread(fd, 100, 0)).toString(), 'unnamed');
      const { nlink, mode } = await fs.fstat(fd);
      assert.deepEqual({ nlink, mode }, { nlink: 0, mode: S.IFREG | 0o600 });
      assert.deepEqual(await list(fs, '.'), []);
      await fs.close(fd);
    },
    'tmpfile',
  ),
];
