/** Making, finding and removing names. */
import assert from 'node:assert/strict';
import { fails, get, list, permissions, put, test } from './case';
import { O, S } from './posix';

export const names = [
  test('create makes an empty file', async ({ fs }) => {
    await put(fs, 'a');
    const { size, mode, nlink } = await fs.stat('a');
    assert.deepEqual({ size, type: mode & S.IFMT, nlink }, { size: 0, type: S.IFREG, nlink: 1 });
  }),
  test('create with O_EXCL fails on what is there', async ({ fs }) => {
    await put(fs, 'a');
    await fails('EEXIST', fs.open('a', O.CREAT | O.EXCL | O.WRONLY));
  }),
  test('create without O_EXCL opens what is there', async ({ fs }) => {
    await put(fs, 'a', 'old');
    await fs.close(await fs.open('a', O.CREAT | O.WRONLY));
    assert.equal(await get(fs, 'a'), 'old');
  }),
  test('open of a missing file', async ({ fs }) => fails('ENOENT', fs.open('a', O.RDONLY))),
  test('open below a missing folder', async ({ fs }) => fails('ENOENT', fs.open('no/a', O.CREAT | O.WRONLY))),
  test('open below a file', async ({ fs }) => {
    await put(fs, 'a');
    await fails('ENOTDIR', fs.open('a/b', O.RDONLY));
  }),
  test('open of a folder for writing', async ({ fs }) => {
    await fs.mkdir('d');
    await fails('EISDIR', fs.open('d', O.WRONLY));
  }),
  test('O_DIRECTORY on a file', async ({ fs }) => {
    await put(fs, 'a');
    await fails('ENOTDIR', fs.open('a', O.RDONLY | O.DIRECTORY));
  }),
  test('create obeys the umask', async ({ fs }) => {
    await fs.umask(0o027);
    await put(fs, 'a', '', 0o666);
    await fs.mkdir('d', 0o777);
    assert.equal(permissions((await fs.stat('a')).mode), 0o640);
    assert.equal(permissions((await fs.stat('d')).mode), 0o750);
  }),
  test('create keeps set-user-ID and sticky bits asked for', async ({ fs }) => {
    await fs.umask(0);
    await put(fs, 'a', '', 0o4755);
    await fs.mkdir('d', 0o1777);
    assert.equal(permissions((await fs.stat('a')).mode), 0o4755);
    assert.equal(permissions((await fs.stat('d')).mode), 0o1777);
  }),
  test('a read-only mode does not hinder the one who creates', async ({ fs }) => {
    const fd = await fs.open('a', O.CREAT | O.RDWR, 0o400);
    assert.equal(await fs.pwrite(fd, Buffer.from('x'), 0), 1);
    await fs.close(fd);
    assert.equal(await get(fs, 'a'), 'x');
  }),
  test('names of 255 bytes', async ({ fs }) => {
    const name = 'n'.repeat(255);
    await put(fs, name, 'long');
    assert.deepEqual(await list(fs, '.'), [name]);
    assert.equal(await get(fs, name), 'long');
    await fs.unlink(name);
  }),
  test('names of 256 bytes', async ({ fs }) => {
    const name = 'n'.repeat(256);
    await fails('ENAMETOOLONG', fs.open(name, O.CREAT | O.WRONLY));
    await fails('ENAMETOOLONG', fs.stat(name));
    await fails('ENAMETOOLONG', fs.mkdir(name));
  }),
  test('names with any bytes but slash and NUL', async ({ fs }) => {
    const strange = ['a b', 'ä€😀', '\n', '*?[', '-rf', '\\', '"', '%s%n', '...', '.hidden', '\x01\x7f'];
    for (const name of strange) await put(fs, name, name);
    assert.deepEqual(await list(fs, '.'), [...strange].sort());
    for (const name of strange) assert.equal(await get(fs, name), name);
  }),
  test('case of letters matters', async ({ fs }) => {
    await put(fs, 'A', 'upper');
    await put(fs, 'a', 'lower');
    assert.equal(await get(fs, 'A'), 'upper');
  }),
  test('unlink removes', async ({ fs }) => {
    await put(fs, 'a');
    await fs.unlink('a');
    await fails('ENOENT', fs.stat('a'));
    await fails('ENOENT', fs.unlink('a'));
  }),
  test('unlink of a folder', async ({ fs }) => {
    await fs.mkdir('d');
    await fails('EISDIR', fs.unlink('d'));
  }),
  test('a name can be used again at once', async ({ fs }) => {
    for (let i = 0; i < 20; i++) {
      await put(fs, 'a', `${i}`);
      assert.equal(await get(fs, 'a'), `${i}`);
      await fs.unlink('a');
    }
  }),
  test('a name that becomes a folder', async ({ fs }) => {
    await put(fs, 'a');
    await fs.unlink('a');
    await fs.mkdir('a');
    assert.equal((await fs.stat('a')).mode & S.IFMT, S.IFDIR);
    await put(fs, 'a/b');
  }),
  test('mkdir and rmdir', async ({ fs }) => {
    await fs.mkdir('d', 0o700);
    const { mode, nlink } = await fs.stat('d');
    assert.equal(mode, S.IFDIR | 0o700);
    assert.ok(nlink >= 1);
    await fs.rmdir('d');
    await fails('ENOENT', fs.stat('d'));
  }),
  test('mkdir of what is there', async ({ fs }) => {
    await put(fs, 'a');
    await fs.mkdir('d');
    await fails('EEXIST', fs.mkdir('a'));
    await fails('EEXIST', fs.mkdir('d'));
  }),
  test('rmdir of a folder with something in it', async ({ fs }) => {
    await fs.mkdir('d');
    await put(fs, 'd/a');
    await fails('ENOTEMPTY', fs.rmdir('d'));
    await fs.unlink('d/a');
    await fs.rmdir('d');
  }),
  test('rmdir of a file', async ({ fs }) => {
    await put(fs, 'a');
    await fails('ENOTDIR', fs.rmdir('a'));
  }),
  test('folders thirty deep', async ({ fs }) => {
    const path = Array.from({ length: 30 }, (_, i) => `level${i}`);
    for (let i = 1; i <= path.length; i++) await fs.mkdir(path.slice(0, i).join('/'));
    await put(fs, `${path.join('/')}/leaf`, 'deep');
    assert.equal(await get(fs, `${path.join('/')}/../${path.at(-1)}/leaf`), 'deep');
  }),
  test('folders deeper than a path can be long', async ({ fs }) => {
    const name = 'd'.repeat(255);
    for (let depth = 0; depth < 20; depth++) {
      await fs.mkdir(name);
      await fs.chdir(name);
    }
    await put(fs, 'leaf', 'deep');
    await fs.link('leaf', 'other');
    await fs.rename('leaf', 'moved');
    assert.equal(await get(fs, 'moved'), 'deep');
    assert.deepEqual(await list(fs, '.'), ['moved', 'other']);
    await fs.truncate('moved', 2);
    assert.equal((await fs.stat('other')).size, 2);
    // No path leads there for whoever tidies up afterwards.
    for (const leaf of ['moved', 'other']) await fs.unlink(leaf);
    for (let depth = 0; depth < 20; depth++) {
      await fs.chdir('..');
      await fs.rmdir(name);
    }
  }),
  test('mknod makes fifos and sockets', async ({ fs }) => {
    await fs.mknod('fifo', S.IFIFO | 0o640);
    await fs.mknod('socket', S.IFSOCK | 0o600);
    assert.equal((await fs.lstat('fifo')).mode, S.IFIFO | 0o640);
    assert.equal((await fs.lstat('socket')).mode, S.IFSOCK | 0o600);
  }),
  test('mknod makes a plain file', async ({ fs }) => {
    await fs.mknod('a', S.IFREG | 0o604);
    assert.equal((await fs.stat('a')).mode, S.IFREG | 0o604);
  }),
  test('mknod keeps device numbers', async ({ fs }) => {
    await fs.mknod('null', S.IFCHR | 0o666, 0x103);
    const { mode, rdev } = await fs.lstat('null');
    assert.deepEqual({ type: mode & S.IFMT, rdev }, { type: S.IFCHR, rdev: 0x103 });
  }),
  test('mknod of what is there', async ({ fs }) => {
    await put(fs, 'a');
    await fails('EEXIST', fs.mknod('a', S.IFIFO | 0o600));
  }),
  test('a trailing slash asks for a folder', async ({ fs }) => {
    await put(fs, 'a');
    await fs.mkdir('d/');
    await fs.stat('d/');
    await fails('ENOTDIR', fs.stat('a/'));
  }),
];
