/** Reading, writing, appending, positions, truncation. */
import assert from 'node:assert/strict';
import { fails, get, opened, put, test } from './case';
import { O } from './posix';

/** Bytes that differ at every place a mistake would shift them to. */
export function pattern(length: number, seed = 0): Buffer {
  const data = Buffer.alloc(length);
  for (let i = 0; i < length; i++) data[i] = (i * 31 + (i >> 8) * 7 + (i >> 16) + seed) & 0xff;
  return data;
}

export const data = [
  test('what was written is read', async ({ fs }) =>
    opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
      const bytes = pattern(10_000);
      assert.equal(await fs.pwrite(fd, bytes, 0), bytes.length);
      assert.deepEqual(await fs.pread(fd, 20_000, 0), bytes);
    })),
  test('sizes around page borders', async ({ fs }) => {
    for (const size of [1, 4095, 4096, 4097, 8191, 8192, 12_289, 65_535, 65_537]) {
      await opened(fs, `f${size}`, O.CREAT | O.RDWR, async (fd) => {
        const bytes = pattern(size, size);
        assert.equal(await fs.pwrite(fd, bytes, 0), size);
        assert.deepEqual(await fs.pread(fd, size + 1, 0), bytes);
        assert.equal((await fs.fstat(fd)).size, size);
      });
    }
  }),
  test('256 KiB in one call', async ({ fs }) =>
    opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
      const bytes = pattern(262_144);
      assert.equal(await fs.pwrite(fd, bytes, 0), bytes.length);
      assert.ok((await fs.pread(fd, bytes.length, 0)).equals(bytes));
    })),
  test('3 MiB are more than one request', async ({ fs }) =>
    opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
      const bytes = Buffer.alloc(3 << 20, 0x5a);
      assert.equal(await fs.pwrite(fd, bytes, 0), bytes.length);
      assert.equal((await fs.fstat(fd)).size, bytes.length);
      assert.ok((await fs.pread(fd, 2 << 20, 1 << 20)).equals(bytes.subarray(1 << 20)));
    })),
  test('writes at odd offsets overlap', async ({ fs }) =>
    opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
      const expected = Buffer.alloc(20_000);
      const pieces: readonly (readonly [number, number])[] = [
        [0, 10_000],
        [4_095, 4_098],
        [9_999, 5_001],
        [1, 1],
        [19_999, 1],
      ];
      for (const [offset, length] of pieces) {
        const bytes = pattern(length, offset);
        bytes.copy(expected, offset);
        await fs.pwrite(fd, bytes, offset);
      }
      assert.ok((await fs.pread(fd, 30_000, 0)).equals(expected));
    })),
  test('reading at and behind the end', async ({ fs }) => {
    await put(fs, 'a', 'abc');
    await opened(fs, 'a', O.RDONLY, async (fd) => {
      assert.equal((await fs.pread(fd, 10, 3)).length, 0);
      assert.equal((await fs.pread(fd, 10, 1000)).length, 0);
      assert.equal((await fs.pread(fd, 10, 2)).toString(), 'c');
    });
  }),
  test('zero bytes', async ({ fs }) =>
    opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
      assert.equal(await fs.pwrite(fd, Buffer.alloc(0), 100), 0);
      assert.equal((await fs.fstat(fd)).size, 0);
    })),
  test('positions move with read and write', async ({ fs }) =>
    opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
      await fs.write(fd, Buffer.from('hello '));
      await fs.write(fd, Buffer.from('world'));
      assert.equal(await fs.lseek(fd, 0, 1), 11);
      assert.equal(await fs.lseek(fd, 6, 0), 6);
      assert.equal((await fs.read(fd, 100)).toString(), 'world');
      assert.equal(await fs.lseek(fd, -5, 2), 6);
      await fails('EINVAL', fs.lseek(fd, -1, 0));
    })),
  test('two descriptors see each other', async ({ fs }) => {
    await put(fs, 'a', 'first');
    await opened(fs, 'a', O.RDWR, (one) =>
      opened(fs, 'a', O.RDWR, async (two) => {
        await fs.pwrite(one, Buffer.from('SECOND'), 0);
        assert.equal((await fs.pread(two, 10, 0)).toString(), 'SECOND');
        assert.equal((await fs.fstat(two)).size, 6);
      }),
    );
  }),
  test('reading what is open for writing only', async ({ fs }) =>
    opened(fs, 'a', O.CREAT | O.WRONLY, (fd) => fails('EBADF', fs.pread(fd, 1, 0)))),
  test('writing what is open for reading only', async ({ fs }) => {
    await put(fs, 'a');
    await opened(fs, 'a', O.RDONLY, (fd) => fails('EBADF', fs.pwrite(fd, Buffer.from('x'), 0)));
  }),
  test('reading a folder', async ({ fs }) => opened(fs, '.', O.RDONLY, (fd) => fails('EISDIR', fs.read(fd, 1)))),
  test('O_APPEND writes at the end', async ({ fs }) => {
    await put(fs, 'a', 'start');
    await opened(fs, 'a', O.WRONLY | O.APPEND, async (fd) => {
      await fs.lseek(fd, 0, 0);
      await fs.write(fd, Buffer.from('+one'));
      await fs.write(fd, Buffer.from('+two'));
      assert.equal(await fs.lseek(fd, 0, 1), 13);
    });
    assert.equal(await get(fs, 'a'), 'start+one+two');
  }),
  test('O_APPEND by two descriptors in turn', async ({ fs }) => {
    await put(fs, 'a');
    await opened(fs, 'a', O.WRONLY | O.APPEND, (one) =>
      opened(fs, 'a', O.WRONLY | O.APPEND, async (two) => {
        for (let i = 0; i < 5; i++) {
          await fs.write(one, Buffer.from('1'));
          await fs.write(two, Buffer.from('2'));
        }
      }),
    );
    assert.equal(await get(fs, 'a'), '1212121212');
  }),
  test('what O_APPEND writes is behind what another process has added', async ({ fs, fork }) => {
    await put(fs, 'a', 'start');
    const other = await fork();
    await opened(fs, 'a', O.WRONLY | O.APPEND, async (fd) => {
      await opened(other, 'a', O.WRONLY | O.APPEND, (theirs) => other.write(theirs, Buffer.from('+theirs')));
      await fs.write(fd, Buffer.from('+ours'));
    });
    assert.equal(await get(other, 'a'), 'start+theirs+ours');
  }),
  test('O_APPEND set later holds from then on', async ({ fs, fork }) => {
    await put(fs, 'a', 'start');
    const other = await fork();
    await opened(fs, 'a', O.WRONLY, async (fd) => {
      await fs.setFlags(fd, O.APPEND);
      await opened(other, 'a', O.WRONLY | O.APPEND, (theirs) => other.write(theirs, Buffer.from('+theirs')));
      await fs.write(fd, Buffer.from('+ours'));
    });
    assert.equal(await get(other, 'a'), 'start+theirs+ours');
  }),
  test('O_APPEND taken away does not hold any more', async ({ fs }) => {
    await put(fs, 'a', 'start');
    await opened(fs, 'a', O.WRONLY | O.APPEND, async (fd) => {
      await fs.write(fd, Buffer.from('+end'));
      await fs.setFlags(fd, 0);
      await fs.pwrite(fd, Buffer.from('S'), 0);
    });
    assert.equal(await get(fs, 'a'), 'Start+end');
  }),
  test('O_TRUNC empties', async ({ fs }) => {
    await put(fs, 'a', 'content');
    await fs.close(await fs.open('a', O.WRONLY | O.TRUNC));
    assert.equal((await fs.stat('a')).size, 0);
  }),
  test('truncate shortens', async ({ fs }) => {
    await put(fs, 'a', 'content');
    await fs.truncate('a', 3);
    assert.equal(await get(fs, 'a'), 'con');
  }),
  test('truncate lengthens with zeros', async ({ fs }) => {
    await put(fs, 'a', 'abc');
    await fs.truncate('a', 6);
    assert.equal(await get(fs, 'a'), 'abc\0\0\0');
  }),
  test('what was cut off does not come back', async ({ fs }) => {
    await put(fs, 'a', pattern(9000));
    await fs.truncate('a', 4000);
    await fs.truncate('a', 9000);
    await opened(fs, 'a', O.RDONLY, async (fd) => {
      const bytes = await fs.pread(fd, 9000, 0);
      assert.ok(bytes.subarray(0, 4000).equals(pattern(9000).subarray(0, 4000)));
      assert.ok(bytes.subarray(4000).every((byte) => byte === 0));
    });
  }),
  test('ftruncate', async ({ fs }) =>
    opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
      await fs.write(fd, Buffer.from('0123456789'));
      await fs.ftruncate(fd, 4);
      assert.equal((await fs.fstat(fd)).size, 4);
      assert.equal(await fs.lseek(fd, 0, 1), 10);
      await fs.write(fd, Buffer.from('x'));
      assert.equal((await fs.pread(fd, 20, 0)).toString(), '0123\0\0\0\0\0\0x');
    })),
  test('truncate of a folder', async ({ fs }) => {
    await fs.mkdir('d');
    await fails('EISDIR', fs.truncate('d', 0));
  }),
  test('truncate of something missing', async ({ fs }) => fails('ENOENT', fs.truncate('a', 0))),
  test('truncate moves mtime', async ({ fs }) => {
    await put(fs, 'a', 'abc');
    await fs.utimens('a', 1n, 1n);
    await fs.truncate('a', 1);
    assert.ok((await fs.stat('a')).mtime > 1_000_000_000n);
  }),
  test('fsync, fdatasync and syncfs', async ({ fs }) => {
    await opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
      await fs.write(fd, Buffer.from('safe'));
      await fs.fdatasync(fd);
      await fs.fsync(fd);
      await fs.syncfs(fd);
    });
    await opened(fs, '.', O.RDONLY | O.DIRECTORY, (fd) => fs.fsync(fd));
  }),
  test(
    'the host reads what was written',
    async ({ fs, hostFolder }) => {
      const { readFileSync } = await import('node:fs');
      const bytes = pattern(100_000);
      await put(fs, 'a', bytes);
      assert.ok(readFileSync(`${hostFolder}/a`).equals(bytes));
    },
    'host',
  ),
];
