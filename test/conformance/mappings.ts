/** Files as memory. */
import assert from 'node:assert/strict';
import { type Context, fails, get, opened, put, test } from './case';
import { pattern } from './data';
import { type Mapping, O, type Posix } from './posix';

const PAGE = 4096;

async function mapped(
  fs: Posix,
  path: string,
  length: number,
  work: (m: Mapping, fd: number) => Promise<void>,
  flags = 0,
): Promise<void> {
  assert.ok(fs.map);
  await opened(fs, path, O.RDWR | flags, async (fd) => {
    const mapping = (await fs.map?.(fd, length)) ?? assert.fail('no mapping');
    await work(mapping, fd);
    await mapping.unmap();
  });
}

export const mappings = [
  test(
    'a mapping shows what is in the file',
    async ({ fs }) => {
      await put(fs, 'a', pattern(3 * PAGE));
      await mapped(fs, 'a', 3 * PAGE, async (memory) => {
        assert.ok((await memory.load(100, 2 * PAGE)).equals(pattern(3 * PAGE).subarray(100, 100 + 2 * PAGE)));
      });
    },
    'mmap',
  ),
  test(
    'what is stored is in the file',
    async ({ fs }) => {
      await put(fs, 'a', Buffer.alloc(2 * PAGE));
      await mapped(fs, 'a', 2 * PAGE, async (memory, fd) => {
        await memory.store(PAGE - 3, Buffer.from('across'));
        await memory.sync();
        assert.equal((await fs.pread(fd, 6, PAGE - 3)).toString(), 'across');
      });
      assert.equal((await get(fs, 'a')).slice(PAGE - 3, PAGE + 3), 'across');
    },
    'mmap',
  ),
  test(
    'what is stored is at its place in a file that is open for appending',
    async ({ fs }) => {
      await put(fs, 'a', pattern(2 * PAGE));
      const store = async (memory: Mapping, fd: number): Promise<void> => {
        await memory.store(PAGE + 10, Buffer.from('here'));
        await memory.sync();
        assert.equal((await fs.fstat(fd)).size, 2 * PAGE);
        await fs.write(fd, Buffer.from('there'));
      };
      await mapped(fs, 'a', 2 * PAGE, store, O.APPEND);
      await opened(fs, 'a', O.RDONLY, async (fd) => {
        const expected = Buffer.concat([pattern(2 * PAGE), Buffer.from('there')]);
        expected.set(Buffer.from('here'), PAGE + 10);
        assert.ok((await fs.pread(fd, 4 * PAGE, 0)).equals(expected));
      });
    },
    'mmap',
  ),
  test(
    'what is written is in the mapping',
    async ({ fs }) => {
      await put(fs, 'a', Buffer.alloc(PAGE));
      await mapped(fs, 'a', PAGE, async (memory, fd) => {
        await memory.load(0, 1);
        await fs.pwrite(fd, Buffer.from('fresh'), 10);
        assert.equal((await memory.load(10, 5)).toString(), 'fresh');
      });
    },
    'mmap',
  ),
  test(
    'two processes share a mapping',
    async ({ fs, fork }: Context) => {
      await put(fs, 'a', Buffer.alloc(PAGE));
      const other = await fork();
      await mapped(fs, 'a', PAGE, (one) =>
        mapped(other, 'a', PAGE, async (two) => {
          await one.store(0, Buffer.from('seen'));
          assert.equal((await two.load(0, 4)).toString(), 'seen');
        }),
      );
    },
    'mmap',
  ),
  test(
    'the part of the last page behind the end is zero, and stays out of the file',
    async ({ fs }) => {
      await put(fs, 'a', 'short');
      await mapped(fs, 'a', PAGE, async (memory) => {
        assert.ok((await memory.load(5, 100)).every((byte) => byte === 0));
        await memory.store(5, Buffer.from('lost'));
        await memory.store(0, Buffer.from('S'));
        await memory.sync();
      });
      assert.equal(await get(fs, 'a'), 'Short');
    },
    'mmap',
  ),
  test(
    'a mapping outlives the name',
    async ({ fs }) => {
      await put(fs, 'a', Buffer.alloc(PAGE, 1));
      await mapped(fs, 'a', PAGE, async (memory) => {
        await fs.unlink('a');
        await memory.store(0, Buffer.from('x'));
        await memory.sync();
        assert.equal((await memory.load(0, 1)).toString(), 'x');
      });
    },
    'mmap',
  ),
  test(
    'a writable mapping of what is open for reading',
    async ({ fs }) => {
      await put(fs, 'a', 'x');
      await opened(fs, 'a', O.RDONLY, (fd) => fails('EACCES', fs.map?.(fd, PAGE) ?? assert.fail('no mapping')));
    },
    'mmap',
  ),
  test(
    'a guest that caches nothing maps nothing',
    async ({ fs }) => {
      await put(fs, 'a', 'x');
      await opened(fs, 'a', O.RDWR, (fd) => fails('ENODEV', fs.map?.(fd, PAGE) ?? assert.fail('no mapping')));
    },
    'mmapRefused',
  ),
];
