/** What users other than root may do, who owns what they make, and set-user-ID and set-group-ID bits. */
import assert from 'node:assert/strict';
import { type Context, fails, get, permissions, put, test } from './case';
import { O, type Posix } from './posix';

const USER = 1001;
const GROUP = 1002;

async function user(
  { fork }: Context,
  work: (fs: Posix) => Promise<void>,
  groups: readonly number[] = [],
): Promise<void> {
  const process = await fork();
  await process.become(USER, GROUP, groups);
  await work(process);
  await process.exit();
}

export const permissionCases = [
  test('what a user makes belongs to that user', async (context) => {
    await context.fs.chmod('.', 0o777);
    await user(context, async (fs) => {
      await put(fs, 'file');
      await fs.mkdir('folder');
      await fs.symlink('file', 'link');
      await fs.mknod('fifo', 0o010600);
    });
    for (const name of ['file', 'folder', 'link', 'fifo']) {
      const { uid, gid } = await context.fs.lstat(name);
      assert.deepEqual([name, uid, gid], [name, USER, GROUP]);
    }
  }),
  test('a folder that is not writable', async (context) => {
    await put(context.fs, 'a');
    await user(context, async (fs) => {
      await fails('EACCES', fs.open('b', O.CREAT | O.WRONLY));
      await fails('EACCES', fs.mkdir('d'));
      await fails('EACCES', fs.unlink('a'));
      await fails('EACCES', fs.rename('a', 'b'));
      await fails('EACCES', fs.symlink('a', 'b'));
    });
  }),
  test('a folder that is not searchable', async (context) => {
    await context.fs.mkdir('d', 0o700);
    await put(context.fs, 'd/a');
    await user(context, async (fs) => {
      await fails('EACCES', fs.stat('d/a'));
      await fails('EACCES', fs.open('d/a', O.RDONLY));
      await fails('EACCES', fs.open('d', O.RDONLY | O.DIRECTORY));
    });
  }),
  test('a file that is not readable', async (context) => {
    await put(context.fs, 'a', 'secret', 0o600);
    await user(context, async (fs) => {
      await fails('EACCES', fs.open('a', O.RDONLY));
      await fails('EACCES', fs.open('a', O.WRONLY));
      await fails('EACCES', fs.truncate('a', 0));
    });
  }),
  test('group permissions and supplementary groups', async (context) => {
    await put(context.fs, 'a', 'for the group', 0o640);
    await context.fs.chown('a', 0, 5000);
    await user(context, (fs) => fails('EACCES', fs.open('a', O.RDONLY)));
    await user(
      context,
      async (fs) => {
        assert.equal(await get(fs, 'a'), 'for the group');
      },
      [5000],
    );
  }),
  test('a member of a folder’s group makes things in it', async (context) => {
    await context.fs.mkdir('d');
    await context.fs.chown('d', 0, 5000);
    await context.fs.chmod('d', 0o775);
    await user(
      context,
      async (fs) => {
        await put(fs, 'd/file');
        await fs.mkdir('d/folder');
        await fs.symlink('file', 'd/link');
        await fs.mknod('d/fifo', 0o010600);
      },
      [5000],
    );
    for (const name of ['file', 'folder', 'link', 'fifo']) {
      const { uid, gid } = await context.fs.lstat(`d/${name}`);
      assert.deepEqual([name, uid, gid], [name, USER, GROUP]);
    }
  }),
  test('only the owner changes modes and times', async (context) => {
    await put(context.fs, 'a');
    await context.fs.chmod('a', 0o666);
    await user(context, async (fs) => {
      await fails('EPERM', fs.chmod('a', 0o600));
      await fails('EPERM', fs.utimens('a', 1n, 1n));
      await fs.utimens('a', 'now', 'now');
    });
    await context.fs.chown('a', USER, GROUP);
    await user(context, async (fs) => {
      await fs.chmod('a', 0o600);
      await fs.utimens('a', 1n, 1n);
    });
  }),
  test('only root gives files away', async (context) => {
    await put(context.fs, 'a');
    await context.fs.chown('a', USER, GROUP);
    await user(
      context,
      async (fs) => {
        await fails('EPERM', fs.chown('a', 0, -1));
        await fails('EPERM', fs.chown('a', -1, 9999));
        await fs.chown('a', -1, 5000);
      },
      [5000],
    );
    assert.equal((await context.fs.stat('a')).gid, 5000);
  }),
  test('in a sticky folder only the owner removes', async (context) => {
    await context.fs.chmod('.', 0o1777);
    await put(context.fs, 'a');
    await user(context, async (fs) => {
      await fails('EPERM', fs.unlink('a'));
      await fails('EPERM', fs.rename('a', 'b'));
      await put(fs, 'own');
      await fs.unlink('own');
    });
  }),
  test('a set-group-ID folder gives its group on', async (context) => {
    await context.fs.mkdir('d');
    await context.fs.chown('d', 0, 5000);
    await context.fs.chmod('d', 0o2777);
    await user(context, async (fs) => {
      await put(fs, 'd/file');
      await fs.mkdir('d/folder');
    });
    const [file, folder] = [await context.fs.stat('d/file'), await context.fs.stat('d/folder')];
    assert.deepEqual([file.uid, file.gid, folder.gid], [USER, 5000, 5000]);
    assert.equal(permissions(folder.mode) & 0o2000, 0o2000);
  }),
  test('an outsider cannot make a set-group-ID program in a set-group-ID folder', async (context) => {
    await context.fs.mkdir('d');
    await context.fs.chown('d', 0, 5000);
    await context.fs.chmod('d', 0o2777);
    await user(context, async (fs) => {
      await fs.umask(0);
      await put(fs, 'd/program', '', 0o2775);
    });
    const { gid, mode } = await context.fs.stat('d/program');
    assert.deepEqual([gid, permissions(mode) & 0o2000], [5000, 0]);
  }),
  test('a member may', async (context) => {
    await context.fs.mkdir('d');
    await context.fs.chown('d', 0, 5000);
    await context.fs.chmod('d', 0o2777);
    await user(
      context,
      async (fs) => {
        await fs.umask(0);
        await put(fs, 'd/program', '', 0o775);
        await fs.chmod('d/program', 0o2775);
      },
      [5000],
    );
    assert.equal(permissions((await context.fs.stat('d/program')).mode), 0o2775);
  }),
  test('chmod by an owner outside of the group drops set-group-ID', async (context) => {
    await put(context.fs, 'a');
    await context.fs.chown('a', USER, 5000);
    await user(context, (fs) => fs.chmod('a', 0o2755));
    assert.equal(permissions((await context.fs.stat('a')).mode), 0o755);
  }),
  test('a write by another user drops set-user-ID and set-group-ID', async (context) => {
    await put(context.fs, 'a', 'program', 0o777);
    await context.fs.chmod('a', 0o6777);
    await user(context, async (fs) => {
      const fd = await fs.open('a', O.WRONLY);
      await fs.pwrite(fd, Buffer.from('P'), 0);
      await fs.close(fd);
    });
    assert.equal(permissions((await context.fs.stat('a')).mode), 0o777);
  }),
  test('a truncate by another user drops them too', async (context) => {
    await put(context.fs, 'a', 'program', 0o777);
    await context.fs.chmod('a', 0o6777);
    await user(context, (fs) => fs.truncate('a', 3));
    assert.equal(permissions((await context.fs.stat('a')).mode), 0o777);
  }),
  test('and so does O_TRUNC', async (context) => {
    await put(context.fs, 'a', 'program', 0o777);
    await context.fs.chmod('a', 0o6777);
    await user(context, async (fs) => fs.close(await fs.open('a', O.WRONLY | O.TRUNC)));
    assert.equal(permissions((await context.fs.stat('a')).mode), 0o777);
  }),
  test('root keeps them when writing', async ({ fs }) => {
    await put(fs, 'a', 'program', 0o777);
    await fs.chmod('a', 0o6777);
    const fd = await fs.open('a', O.WRONLY);
    await fs.pwrite(fd, Buffer.from('P'), 0);
    await fs.close(fd);
    assert.equal(permissions((await fs.stat('a')).mode), 0o6777);
  }),
];
