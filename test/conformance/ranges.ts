/** Sparse files, fallocate, SEEK_DATA and SEEK_HOLE, copy_file_range. */
import assert from 'node:assert/strict';
import { fails, opened, put, test } from './case';
import { pattern } from './data';
import { O } from './posix';

const GIB = 2 ** 30;
const KEEP_SIZE = 1;
const PUNCH_HOLE = 2;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;

export const ranges = [
  test('a write far out leaves zeros before it', async ({ fs }) =>
    opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
      await fs.pwrite(fd, Buffer.from('end'), 1_000_000);
      assert.equal((await fs.fstat(fd)).size, 1_000_003);
      assert.ok((await fs.pread(fd, 4096, 500_000)).every((byte) => byte === 0));
    })),
  test('a sparse file larger than 4 GiB', async ({ fs }) =>
    opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
      const offset = 5 * GIB + 12_345;
      await fs.pwrite(fd, Buffer.from('far away'), offset);
      const { size, blocks } = await fs.fstat(fd);
      assert.equal(size, offset + 8);
      assert.ok(blocks * 512 < GIB, 'the hole takes no room');
      assert.equal((await fs.pread(fd, 100, offset)).toString(), 'far away');
      assert.equal(await fs.lseek(fd, 0, 2), offset + 8);
      await fs.ftruncate(fd, 6 * GIB);
      assert.equal((await fs.fstat(fd)).size, 6 * GIB);
    })),
  test('truncate to 100 GiB', async ({ fs }) => {
    await put(fs, 'a');
    await fs.truncate('a', 100 * GIB);
    assert.equal((await fs.stat('a')).size, 100 * GIB);
  }),
  test('fallocate makes a file longer', async ({ fs }) =>
    opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
      await fs.fallocate(fd, 0, 0, 100_000);
      const { size, blocks } = await fs.fstat(fd);
      assert.equal(size, 100_000);
      assert.ok(blocks * 512 >= 100_000);
    })),
  test('fallocate keeps the size when asked', async ({ fs }) =>
    opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
      await fs.write(fd, Buffer.from('abc'));
      await fs.fallocate(fd, KEEP_SIZE, 0, 100_000);
      assert.equal((await fs.fstat(fd)).size, 3);
    })),
  test('fallocate keeps what is there', async ({ fs }) =>
    opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
      await fs.pwrite(fd, pattern(5000), 0);
      await fs.fallocate(fd, 0, 1000, 20_000);
      assert.ok((await fs.pread(fd, 5000, 0)).equals(pattern(5000)));
    })),
  test('punching a hole leaves zeros', async ({ fs }) =>
    opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
      await fs.pwrite(fd, Buffer.alloc(40_960, 1), 0);
      await fs.fallocate(fd, PUNCH_HOLE | KEEP_SIZE, 8192, 16_384);
      const bytes = await fs.pread(fd, 40_960, 0);
      const expected = Buffer.alloc(40_960, 1);
      expected.fill(0, 8192, 8192 + 16_384);
      assert.ok(bytes.equals(expected));
    })),
  test('fallocate of what is open for reading', async ({ fs }) => {
    await put(fs, 'a');
    await opened(fs, 'a', O.RDONLY, (fd) => fails('EBADF', fs.fallocate(fd, 0, 0, 10)));
  }),
  test('fallocate with a length of zero', async ({ fs }) =>
    opened(fs, 'a', O.CREAT | O.RDWR, (fd) => fails('EINVAL', fs.fallocate(fd, 0, 0, 0)))),
  test(
    'SEEK_DATA and SEEK_HOLE find their way',
    async ({ fs }) =>
      opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
        await fs.pwrite(fd, Buffer.alloc(65_536, 1), 1 << 20);
        assert.equal(await fs.lseek(fd, 0, SEEK_DATA), 1 << 20);
        assert.equal(await fs.lseek(fd, 1 << 20, SEEK_HOLE), (1 << 20) + 65_536);
        assert.equal(await fs.lseek(fd, 0, SEEK_HOLE), 0);
      }),
    'seekData',
  ),
  test(
    'SEEK_DATA behind the end',
    async ({ fs }) =>
      opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
        await fs.write(fd, Buffer.from('abc'));
        await fails('ENXIO', fs.lseek(fd, 10, SEEK_DATA));
        await fails('ENXIO', fs.lseek(fd, 10, SEEK_HOLE));
        assert.equal(await fs.lseek(fd, 1, SEEK_HOLE), 3);
      }),
    'seekData',
  ),
  test(
    'SEEK_DATA and SEEK_HOLE at the end, in an empty file, and further out than any file',
    async ({ fs }) =>
      opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
        for (const size of [0, 5000]) {
          await fs.ftruncate(fd, size);
          for (const whence of [SEEK_DATA, SEEK_HOLE]) {
            await fails('ENXIO', fs.lseek(fd, size, whence));
            await fails('ENXIO', fs.lseek(fd, 2 ** 60, whence));
          }
        }
      }),
    'seekData',
  ),
  test('reading further out than any file is the end', async ({ fs }) => {
    await put(fs, 'a', 'abc');
    await opened(fs, 'a', O.RDONLY, async (fd) => {
      for (const offset of [2 ** 40, 2 ** 53, 2 ** 60]) assert.equal((await fs.pread(fd, 10, offset)).length, 0);
    });
  }),
  test(
    'copy_file_range between files',
    async ({ fs }) => {
      await put(fs, 'a', pattern(50_000));
      await opened(fs, 'a', O.RDONLY, (from) =>
        opened(fs, 'b', O.CREAT | O.RDWR, async (to) => {
          let done = 0;
          while (done < 30_000) {
            const copied = await fs.copyFileRange(from, 10_000 + done, to, 5000 + done, 30_000 - done);
            assert.ok(copied > 0);
            done += copied;
          }
          const bytes = await fs.pread(to, 50_000, 0);
          assert.ok(bytes.subarray(5000).equals(pattern(50_000).subarray(10_000, 40_000)));
          assert.equal(bytes.length, 35_000);
        }),
      );
    },
    'copyRange',
  ),
  test(
    'copy_file_range at the end copies what is there',
    async ({ fs }) => {
      await put(fs, 'a', 'short');
      await opened(fs, 'a', O.RDONLY, (from) =>
        opened(fs, 'b', O.CREAT | O.RDWR, async (to) => {
          assert.equal(await fs.copyFileRange(from, 2, to, 0, 1000), 3);
          assert.equal(await fs.copyFileRange(from, 5, to, 0, 1000), 0);
          assert.equal((await fs.pread(to, 10, 0)).toString(), 'ort');
        }),
      );
    },
    'copyRange',
  ),
  test(
    'copy_file_range within one file',
    async ({ fs }) =>
      opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
        await fs.pwrite(fd, pattern(8192), 0);
        assert.equal(await fs.copyFileRange(fd, 0, fd, 16_384, 8192), 8192);
        assert.ok((await fs.pread(fd, 8192, 16_384)).equals(pattern(8192)));
      }),
    'copyRange',
  ),
  test(
    'copy_file_range onto itself where it overlaps',
    async ({ fs }) =>
      opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
        await fs.pwrite(fd, pattern(200_000), 0);
        for (const length of [8192, 150_000]) {
          await fails('EINVAL', fs.copyFileRange(fd, 0, fd, 4096, length));
          await fails('EINVAL', fs.copyFileRange(fd, 4096, fd, 0, length));
          await fails('EINVAL', fs.copyFileRange(fd, 0, fd, 0, length));
        }
        assert.ok((await fs.pread(fd, 200_000, 0)).equals(pattern(200_000)));
      }),
    'copyRange',
  ),
];
