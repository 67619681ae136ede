/** Modes, owners and times. */
import assert from 'node:assert/strict';
import { fails, opened, permissions, put, test } from './case';
import { O, S } from './posix';

const SECOND = 1_000_000_000n;

export const attributes = [
  test('chmod sets all twelve bits', async ({ fs }) => {
    await put(fs, 'a');
    for (const mode of [0o000, 0o777, 0o4755, 0o2755, 0o1644, 0o6711, 0o644]) {
      await fs.chmod('a', mode);
      assert.equal(permissions((await fs.stat('a')).mode), mode);
    }
  }),
  test('chmod of a folder', async ({ fs }) => {
    await fs.mkdir('d');
    await fs.chmod('d', 0o3750);
    assert.equal((await fs.stat('d')).mode, S.IFDIR | 0o3750);
  }),
  test('chmod follows a symbolic link', async ({ fs }) => {
    await put(fs, 'a');
    await fs.symlink('a', 's');
    await fs.chmod('s', 0o600);
    assert.equal(permissions((await fs.stat('a')).mode), 0o600);
  }),
  test('chmod of a fifo does not open it', async ({ fs }) => {
    await fs.mknod('fifo', S.IFIFO | 0o600);
    await fs.chmod('fifo', 0o640);
    assert.equal(permissions((await fs.stat('fifo')).mode), 0o640);
  }),
  test('fchmod', async ({ fs }) => {
    await opened(fs, 'a', O.CREAT | O.WRONLY, (fd) => fs.fchmod(fd, 0o604));
    assert.equal(permissions((await fs.stat('a')).mode), 0o604);
  }),
  test('fchmod of a read-only descriptor of a folder', async ({ fs }) => {
    await fs.mkdir('d');
    await opened(fs, 'd', O.RDONLY, (fd) => fs.fchmod(fd, 0o700));
    assert.equal(permissions((await fs.stat('d')).mode), 0o700);
  }),
  test('chown of user and group', async ({ fs }) => {
    await put(fs, 'a');
    await fs.chown('a', 1001, 1002);
    const { uid, gid } = await fs.stat('a');
    assert.deepEqual([uid, gid], [1001, 1002]);
  }),
  test('chown of one leaves the other', async ({ fs }) => {
    await put(fs, 'a');
    await fs.chown('a', 1001, -1);
    await fs.chown('a', -1, 1002);
    const { uid, gid } = await fs.stat('a');
    assert.deepEqual([uid, gid], [1001, 1002]);
  }),
  test('ids above 2^31', async ({ fs }) => {
    await put(fs, 'a');
    await fs.chown('a', 0xffff_fff0, 0x8000_0001);
    const { uid, gid } = await fs.stat('a');
    assert.deepEqual([uid, gid], [0xffff_fff0, 0x8000_0001]);
  }),
  test('chown takes set-user-ID and set-group-ID from a program', async ({ fs }) => {
    await put(fs, 'a');
    await fs.chmod('a', 0o6755);
    await fs.chown('a', 1001, 1001);
    assert.equal(permissions((await fs.stat('a')).mode), 0o755);
  }),
  test('times to the nanosecond', async ({ fs }) => {
    await put(fs, 'a');
    await fs.utimens('a', 1_234_567_890_123_456_789n, 987_654_321_000_000_001n);
    const { atime, mtime } = await fs.stat('a');
    assert.deepEqual([atime, mtime], [1_234_567_890_123_456_789n, 987_654_321_000_000_001n]);
  }),
  test('times before 1970', async ({ fs }) => {
    await put(fs, 'a');
    await fs.utimens('a', -1n * SECOND, -86_400n * SECOND);
    const { atime, mtime } = await fs.stat('a');
    assert.deepEqual([atime, mtime], [-1n * SECOND, -86_400n * SECOND]);
  }),
  test('a fraction of a second before 1970', async ({ fs }) => {
    await put(fs, 'a');
    await fs.utimens('a', -1n, -1_500_000_000n);
    const { atime, mtime } = await fs.stat('a');
    assert.deepEqual([atime, mtime], [-1n, -1_500_000_000n]);
  }),
  test('times after 2038', async ({ fs }) => {
    await put(fs, 'a');
    await fs.utimens('a', 5_000_000_000n * SECOND, 5_000_000_001n * SECOND);
    const { atime, mtime } = await fs.stat('a');
    assert.deepEqual([atime, mtime], [5_000_000_000n * SECOND, 5_000_000_001n * SECOND]);
  }),
  test('one time set, the other left out', async ({ fs }) => {
    await put(fs, 'a');
    await fs.utimens('a', SECOND, 2n * SECOND);
    await fs.utimens('a', 3n * SECOND, 'omit');
    await fs.utimens('a', 'omit', 4n * SECOND);
    const { atime, mtime } = await fs.stat('a');
    assert.deepEqual([atime, mtime], [3n * SECOND, 4n * SECOND]);
  }),
  test('time set to now', async ({ fs }) => {
    await put(fs, 'a');
    await fs.utimens('a', SECOND, SECOND);
    await fs.utimens('a', 'omit', 'now');
    const { atime, mtime, ctime } = await fs.stat('a');
    assert.equal(atime, SECOND);
    assert.ok(mtime > 1_600_000_000n * SECOND && mtime <= ctime + SECOND);
  }),
  test('times of a symbolic link itself', async ({ fs }) => {
    await put(fs, 'a');
    await fs.symlink('a', 's');
    await fs.utimens('a', SECOND, SECOND);
    await fs.utimens('s', 7n * SECOND, 8n * SECOND, false);
    const [file, link] = [await fs.stat('a'), await fs.lstat('s')];
    assert.deepEqual([file.mtime, link.mtime], [SECOND, 8n * SECOND]);
  }),
  test('times of a folder', async ({ fs }) => {
    await fs.mkdir('d');
    await fs.utimens('d', 5n * SECOND, 6n * SECOND);
    assert.equal((await fs.stat('d')).mtime, 6n * SECOND);
  }),
  test('writing moves mtime and ctime', async ({ fs }) => {
    await put(fs, 'a', 'x');
    await fs.utimens('a', SECOND, SECOND);
    await opened(fs, 'a', O.WRONLY, (fd) => fs.pwrite(fd, Buffer.from('y'), 0));
    assert.ok((await fs.stat('a')).mtime > SECOND);
  }),
  test('making and removing names moves the mtime of the folder', async ({ fs }) => {
    await fs.mkdir('d');
    await fs.utimens('d', SECOND, SECOND);
    await put(fs, 'd/a');
    assert.ok((await fs.stat('d')).mtime > SECOND);
    await fs.utimens('d', SECOND, SECOND);
    await fs.unlink('d/a');
    assert.ok((await fs.stat('d')).mtime > SECOND);
  }),
  test('chmod moves ctime, not mtime', async ({ fs }) => {
    await put(fs, 'a');
    await fs.utimens('a', SECOND, SECOND);
    const before = await fs.stat('a');
    await new Promise((resolve) => setTimeout(resolve, 20));
    await fs.chmod('a', 0o600);
    const after = await fs.stat('a');
    assert.equal(after.mtime, SECOND);
    assert.ok(after.ctime > before.ctime);
  }),
  test('stat and fstat agree', async ({ fs }) => {
    await put(fs, 'a', 'abc');
    const stat = await fs.stat('a');
    const fstat = await opened(fs, 'a', O.RDONLY, (fd) => fs.fstat(fd));
    assert.deepEqual({ ...fstat, atime: 0n }, { ...stat, atime: 0n });
  }),
  test('inode numbers are those of different files', async ({ fs }) => {
    for (const name of ['a', 'b', 'c']) await put(fs, name);
    const inodes = new Set<bigint>();
    for (const name of ['a', 'b', 'c']) inodes.add((await fs.stat(name)).ino);
    assert.equal(inodes.size, 3);
  }),
  test('access as root', async ({ fs }) => {
    await put(fs, 'a', '', 0o600);
    await fs.access('a', 0);
    await fs.access('a', 6);
    await fails('EACCES', fs.access('a', 1));
    await fs.chmod('a', 0o700);
    await fs.access('a', 7);
    await fails('ENOENT', fs.access('b', 0));
  }),
  test('statfs has sensible numbers', async ({ fs }) => {
    const { bsize, blocks, bfree, namelen } = await fs.statfs('.');
    assert.ok(bsize >= 512 && blocks > 0 && bfree >= 0 && bfree <= blocks);
    assert.ok(namelen >= 255);
  }),
  test(
    'the host sees modes, owners and times',
    async ({ fs, hostFolder }) => {
      const { statSync } = await import('node:fs');
      await put(fs, 'a', 'abc', 0o640);
      await fs.chown('a', 1001, 1002);
      await fs.utimens('a', SECOND, 2n * SECOND);
      const { mode, uid, gid, mtimeNs, size } = statSync(`${hostFolder}/a`, { bigint: true });
      assert.deepEqual([mode, uid, gid, mtimeNs, size], [0o100640n, 1001n, 1002n, 2n * SECOND, 3n]);
    },
    'host',
  ),
  test(
    'what the host changes is seen',
    async ({ fs, hostFolder }) => {
      const host = await import('node:fs');
      host.writeFileSync(`${hostFolder}/a`, 'from outside');
      host.chmodSync(`${hostFolder}/a`, 0o604);
      const { size, mode } = await fs.stat('a');
      assert.deepEqual([size, permissions(mode)], [12, 0o604]);
      host.unlinkSync(`${hostFolder}/a`);
      await fails('ENOENT', fs.stat('a'));
    },
    'host',
  ),
];
