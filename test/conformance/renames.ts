/** rename(2) and the flags of renameat2(2). */
import assert from 'node:assert/strict';
import { fails, get, list, put, test } from './case';
import { S } from './posix';

const NOREPLACE = 1;
const EXCHANGE = 2;
const WHITEOUT = 4;

export const renames = [
  test('rename moves a name', async ({ fs }) => {
    await put(fs, 'a', 'x');
    const { ino } = await fs.stat('a');
    await fs.rename('a', 'b');
    assert.deepEqual(await list(fs, '.'), ['b']);
    assert.equal((await fs.stat('b')).ino, ino);
  }),
  test('rename replaces a file', async ({ fs }) => {
    await put(fs, 'a', 'new');
    await put(fs, 'b', 'old');
    await fs.rename('a', 'b');
    assert.equal(await get(fs, 'b'), 'new');
    assert.deepEqual(await list(fs, '.'), ['b']);
  }),
  test('rename into another folder', async ({ fs }) => {
    await fs.mkdir('d');
    await put(fs, 'a', 'x');
    await fs.rename('a', 'd/b');
    assert.equal(await get(fs, 'd/b'), 'x');
    assert.deepEqual(await list(fs, '.'), ['d']);
  }),
  test('rename of a folder takes what is in it along', async ({ fs }) => {
    await fs.mkdir('d');
    await fs.mkdir('d/e');
    await put(fs, 'd/e/a', 'inside');
    await fs.mkdir('f');
    await fs.rename('d', 'f/g');
    assert.equal(await get(fs, 'f/g/e/a'), 'inside');
    await fails('ENOENT', fs.stat('d/e/a'));
  }),
  test('rename of a folder over an empty one', async ({ fs }) => {
    await fs.mkdir('d');
    await put(fs, 'd/a');
    await fs.mkdir('e');
    await fs.rename('d', 'e');
    assert.deepEqual(await list(fs, 'e'), ['a']);
  }),
  test('rename of a folder over one with something in it', async ({ fs }) => {
    await fs.mkdir('d');
    await fs.mkdir('e');
    await put(fs, 'e/a');
    await fails('ENOTEMPTY', fs.rename('d', 'e'));
  }),
  test('rename of a file over a folder', async ({ fs }) => {
    await put(fs, 'a');
    await fs.mkdir('d');
    await fails('EISDIR', fs.rename('a', 'd'));
  }),
  test('rename of a folder over a file', async ({ fs }) => {
    await fs.mkdir('d');
    await put(fs, 'a');
    await fails('ENOTDIR', fs.rename('d', 'a'));
  }),
  test('rename of a folder into itself', async ({ fs }) => {
    await fs.mkdir('d');
    await fails('EINVAL', fs.rename('d', 'd/e'));
  }),
  test('rename of something missing', async ({ fs }) => fails('ENOENT', fs.rename('a', 'b'))),
  test('rename between two links of one file does nothing', async ({ fs }) => {
    await put(fs, 'a', 'x');
    await fs.link('a', 'b');
    await fs.rename('a', 'b');
    assert.deepEqual(await list(fs, '.'), ['a', 'b']);
  }),
  test('rename onto itself does nothing', async ({ fs }) => {
    await put(fs, 'a', 'x');
    await fs.rename('a', 'a');
    assert.equal(await get(fs, 'a'), 'x');
  }),
  test('rename of a symbolic link moves the link', async ({ fs }) => {
    await put(fs, 'a');
    await fs.symlink('a', 's');
    await fs.rename('s', 't');
    assert.equal(await fs.readlink('t'), 'a');
  }),
  test('a moved folder has a new parent', async ({ fs }) => {
    await fs.mkdir('d');
    await fs.mkdir('e');
    await fs.rename('d', 'e/d');
    await put(fs, 'e/found', 'yes');
    assert.equal(await get(fs, 'e/d/../found'), 'yes');
  }),
  test(
    'RENAME_NOREPLACE keeps what is there',
    async ({ fs }) => {
      await put(fs, 'a', 'new');
      await put(fs, 'b', 'old');
      await fails('EEXIST', fs.rename('a', 'b', NOREPLACE));
      assert.equal(await get(fs, 'b'), 'old');
      await fs.rename('a', 'c', NOREPLACE);
      assert.equal(await get(fs, 'c'), 'new');
    },
    'exchange',
  ),
  test(
    'RENAME_EXCHANGE swaps two files',
    async ({ fs }) => {
      await put(fs, 'a', 'A');
      await put(fs, 'b', 'B');
      await fs.rename('a', 'b', EXCHANGE);
      assert.deepEqual([await get(fs, 'a'), await get(fs, 'b')], ['B', 'A']);
    },
    'exchange',
  ),
  test(
    'RENAME_EXCHANGE swaps a file and a folder in different folders',
    async ({ fs }) => {
      await fs.mkdir('d');
      await fs.mkdir('d/e');
      await put(fs, 'd/e/inside', 'x');
      await put(fs, 'a', 'A');
      await fs.rename('a', 'd/e', EXCHANGE);
      assert.equal((await fs.stat('a')).mode & S.IFMT, S.IFDIR);
      assert.equal(await get(fs, 'a/inside'), 'x');
      assert.equal(await get(fs, 'd/e'), 'A');
    },
    'exchange',
  ),
  test(
    'RENAME_EXCHANGE with something missing',
    async ({ fs }) => {
      await put(fs, 'a');
      await fails('ENOENT', fs.rename('a', 'b', EXCHANGE));
    },
    'exchange',
  ),
  test(
    'RENAME_WHITEOUT leaves a mark where the name was',
    async ({ fs }) => {
      await put(fs, 'a', 'A');
      await put(fs, 'b', 'B');
      await fs.rename('a', 'b', WHITEOUT);
      const { mode, rdev } = await fs.lstat('a');
      assert.deepEqual([mode & S.IFMT, rdev], [S.IFCHR, 0]);
      assert.equal(await get(fs, 'b'), 'A');
      await fs.unlink('a');
    },
    'whiteout',
  ),
];
