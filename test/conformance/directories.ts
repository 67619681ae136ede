/** Reading folders: all entries once, from any position, while they change. */
import assert from 'node:assert/strict';
import { fails, list, opened, put, test } from './case';
import { O, type Posix, S } from './posix';

const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `entry${String(i).padStart(4, '0')}`);

/** No more calls are under way at a time than a guest's terminal has room for, where names are short. */
const AT_A_TIME = 16;

/**
 * Empty files with names of `many`. In an emulated guest a call's way there and back takes most of its time: some go it
 * together.
 */
async function fill(fs: Posix, names: readonly string[]): Promise<void> {
  for (let from = 0; from < names.length; from += AT_A_TIME) {
    await Promise.all(names.slice(from, from + AT_A_TIME).map((name) => fs.mknod(name, S.IFREG | 0o644)));
  }
}

async function all(fs: Posix, fd: number, size: number): Promise<{ name: string; next: bigint; type: number }[]> {
  const found = [];
  for (;;) {
    const entries = await fs.getdents(fd, size);
    if (entries.length === 0) return found;
    found.push(...entries);
  }
}

export const directories = [
  test('an empty folder has . and ..', async ({ fs }) =>
    opened(fs, '.', O.RDONLY | O.DIRECTORY, async (fd) => {
      const names = (await all(fs, fd, 4096)).map(({ name }) => name);
      assert.deepEqual(names.sort(), ['.', '..']);
    })),
  test('types of entries', async ({ fs }) => {
    await put(fs, 'file');
    await fs.mkdir('folder');
    await fs.symlink('file', 'link');
    await fs.mknod('fifo', S.IFIFO | 0o600);
    await opened(fs, '.', O.RDONLY | O.DIRECTORY, async (fd) => {
      const types = new Map((await all(fs, fd, 4096)).map(({ name, type }) => [name, type]));
      assert.deepEqual(
        ['file', 'folder', 'link', 'fifo', '.'].map((name) => types.get(name)),
        [8, 4, 10, 1, 4],
      );
    });
  }),
  test('1,000 entries, each once', async ({ fs }) => {
    const names = many(1000);
    await fill(fs, names);
    assert.deepEqual(await list(fs, '.'), names);
  }),
  test('the same with a large buffer', async ({ fs }) => {
    const names = many(300);
    await fill(fs, names);
    await opened(fs, '.', O.RDONLY | O.DIRECTORY, async (fd) => {
      const found = (await all(fs, fd, 65_536)).map(({ name }) => name).filter((name) => !name.startsWith('.'));
      assert.deepEqual(found.sort(), names);
    });
  }),
  test('from the start again', async ({ fs }) => {
    await fill(fs, many(100));
    await opened(fs, '.', O.RDONLY | O.DIRECTORY, async (fd) => {
      const first = await all(fs, fd, 4096);
      await fs.seekDirectory(fd, 0n);
      const second = await all(fs, fd, 4096);
      assert.deepEqual(
        second.map(({ name }) => name),
        first.map(({ name }) => name),
      );
    });
  }),
  test('from every position', async ({ fs }) => {
    await fill(fs, many(60));
    await opened(fs, '.', O.RDONLY | O.DIRECTORY, async (fd) => {
      const entries = await all(fs, fd, 4096);
      for (const index of [0, 1, 17, 40, entries.length - 2]) {
        await fs.seekDirectory(fd, entries[index].next);
        const rest = await all(fs, fd, 4096);
        assert.deepEqual(
          rest.map(({ name }) => name),
          entries.slice(index + 1).map(({ name }) => name),
          `after entry ${index}`,
        );
      }
    });
  }),
  test('two readers of one folder do not disturb each other', async ({ fs }) => {
    await fill(fs, many(200));
    await opened(fs, '.', O.RDONLY | O.DIRECTORY, (one) =>
      opened(fs, '.', O.RDONLY | O.DIRECTORY, async (two) => {
        const first = await fs.getdents(one, 4096);
        const other = await all(fs, two, 4096);
        const rest = await all(fs, one, 4096);
        assert.equal(first.length + rest.length, 202);
        assert.equal(other.length, 202);
      }),
    );
  }),
  test('what is removed while reading leaves the others', async ({ fs }) => {
    const names = many(200);
    await fill(fs, names);
    await opened(fs, '.', O.RDONLY | O.DIRECTORY, async (fd) => {
      const seen: string[] = [];
      for (;;) {
        const entries = (await fs.getdents(fd, 4096)).map(({ name }) => name);
        if (entries.length === 0) break;
        for (const name of entries) {
          if (name.startsWith('.')) continue;
          seen.push(name);
          await fs.unlink(name);
        }
      }
      assert.deepEqual([...new Set(seen)].sort(), names);
    });
    assert.deepEqual(await list(fs, '.'), []);
  }),
  test('a position holds while entries before and behind it come and go', async ({ fs }) => {
    const names = many(120);
    await fill(fs, names);
    await opened(fs, '.', O.RDONLY | O.DIRECTORY, async (fd) => {
      const entries = await all(fs, fd, 4096);
      const at = 60;
      const gone = [entries[at], entries[at + 1], entries[at - 1], entries[at - 2]].map(({ name }) => name);
      for (const name of gone) await fs.unlink(name);
      await put(fs, 'new');
      await fs.seekDirectory(fd, entries[at].next);
      // POSIX leaves open whether what came or went meanwhile is among them; a guest that keeps listings shows it.
      const stay = ({ name }: { readonly name: string }): boolean => name !== 'new' && !gone.includes(name);
      const rest = (await all(fs, fd, 4096)).filter(stay).map(({ name }) => name);
      assert.deepEqual(
        rest,
        entries
          .slice(at + 1)
          .filter(stay)
          .map(({ name }) => name),
      );
      await fs.seekDirectory(fd, 0n);
      const again = (await all(fs, fd, 4096)).map(({ name }) => name).filter((name) => !name.startsWith('.'));
      assert.deepEqual(again.sort(), [...names.filter((name) => !gone.includes(name)), 'new'].sort());
    });
  }),
  test('long names', async ({ fs }) => {
    const names = Array.from({ length: 40 }, (_, i) => `${i}`.padStart(255, 'x'));
    for (const name of names) await put(fs, name);
    assert.deepEqual(await list(fs, '.'), names.sort());
  }),
  test('inode numbers of entries are those of stat', async ({ fs }) => {
    await put(fs, 'a');
    await fs.mkdir('d');
    await opened(fs, '.', O.RDONLY | O.DIRECTORY, async (fd) => {
      for (const { name, ino } of await fs.getdents(fd, 4096)) {
        if (!name.startsWith('.')) assert.equal(ino, (await fs.lstat(name)).ino, name);
      }
    });
  }),
  test('getdents of a file', async ({ fs }) => {
    await put(fs, 'a');
    await opened(fs, 'a', O.RDONLY, (fd) => fails('ENOTDIR', fs.getdents(fd, 4096)));
  }),
  test('opening a folder twice and closing once', async ({ fs }) => {
    await put(fs, 'a');
    const one = await fs.open('.', O.RDONLY | O.DIRECTORY);
    const two = await fs.open('.', O.RDONLY | O.DIRECTORY);
    await fs.close(one);
    assert.equal((await all(fs, two, 4096)).length, 3);
    await fs.close(two);
  }),
];
