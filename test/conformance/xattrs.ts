/** Extended attributes and file flags. */
import assert from 'node:assert/strict';
import { fails, opened, permissions, put, test } from './case';
import { O } from './posix';

const CREATE = 1;
const REPLACE = 2;
const FS_IOC_GETFLAGS = 0x8008_6601;
const FS_IOC_SETFLAGS = 0x4008_6602;
const FS_NOATIME_FL = 0x80;
const TCGETS = 0x5401;
const BLKGETSIZE64 = 0x8008_1272;

/** user::rw-, user:12345:rw-, group::r--, mask::rw-, other::r--, as the attribute has it. */
const ACL = Buffer.from(
  '02000000 01000600ffffffff 0200060039300000 04000400ffffffff 10000600ffffffff 20000400ffffffff'.replaceAll(' ', ''),
  'hex',
);

export const xattrs = [
  test(
    'set, get, list, remove',
    async ({ fs }) => {
      await put(fs, 'a');
      await fs.setxattr('a', 'trusted.one', Buffer.from('first'));
      await fs.setxattr('a', 'trusted.two', Buffer.from([0, 255, 10]));
      assert.equal((await fs.getxattr('a', 'trusted.one')).toString(), 'first');
      assert.deepEqual([...(await fs.getxattr('a', 'trusted.two'))], [0, 255, 10]);
      const listed = (await fs.listxattr('a')).filter((name) => name.startsWith('trusted.'));
      assert.deepEqual(listed.sort(), ['trusted.one', 'trusted.two']);
      await fs.removexattr('a', 'trusted.one');
      await fails('ENODATA', fs.getxattr('a', 'trusted.one'));
    },
    'xattr',
    'trustedXattr',
  ),
  test(
    'empty and replaced values',
    async ({ fs }) => {
      await put(fs, 'a');
      await fs.setxattr('a', 'trusted.x', Buffer.alloc(0));
      assert.equal((await fs.getxattr('a', 'trusted.x')).length, 0);
      await fs.setxattr('a', 'trusted.x', Buffer.from('longer than before'));
      assert.equal((await fs.getxattr('a', 'trusted.x')).toString(), 'longer than before');
    },
    'xattr',
    'trustedXattr',
  ),
  test(
    'XATTR_CREATE and XATTR_REPLACE',
    async ({ fs }) => {
      await put(fs, 'a');
      await fails('ENODATA', fs.setxattr('a', 'trusted.x', Buffer.from('1'), REPLACE));
      await fs.setxattr('a', 'trusted.x', Buffer.from('1'), CREATE);
      await fails('EEXIST', fs.setxattr('a', 'trusted.x', Buffer.from('2'), CREATE));
      await fs.setxattr('a', 'trusted.x', Buffer.from('3'), REPLACE);
      assert.equal((await fs.getxattr('a', 'trusted.x')).toString(), '3');
    },
    'xattr',
    'trustedXattr',
  ),
  test(
    'a buffer too small, and one of size zero',
    async ({ fs }) => {
      await put(fs, 'a');
      await fs.setxattr('a', 'trusted.x', Buffer.from('0123456789'));
      await fails('ERANGE', fs.getxattr('a', 'trusted.x', 4));
    },
    'xattr',
    'trustedXattr',
  ),
  test(
    'attributes of folders and symbolic links',
    async ({ fs }) => {
      await fs.mkdir('d');
      await fs.symlink('d', 's');
      await fs.setxattr('d', 'trusted.x', Buffer.from('folder'));
      await fs.setxattr('s', 'trusted.x', Buffer.from('link'));
      assert.equal((await fs.getxattr('d', 'trusted.x')).toString(), 'folder');
      assert.equal((await fs.getxattr('s', 'trusted.x')).toString(), 'link');
    },
    'xattr',
    'trustedXattr',
  ),
  test(
    'user attributes of files',
    async ({ fs }) => {
      await put(fs, 'a');
      await fs.setxattr('a', 'user.comment', Buffer.from('hello'));
      assert.equal((await fs.getxattr('a', 'user.comment')).toString(), 'hello');
      assert.ok((await fs.listxattr('a')).includes('user.comment'));
    },
    'xattr',
  ),
  test(
    'user attributes of symbolic links',
    async ({ fs }) => {
      await fs.symlink('x', 's');
      await fails('EPERM', fs.setxattr('s', 'user.x', Buffer.from('1')));
    },
    'xattr',
  ),
  test(
    'attributes that are not there',
    async ({ fs }) => {
      await put(fs, 'a');
      await fails('ENODATA', fs.getxattr('a', 'user.none'));
      await fails('ENODATA', fs.removexattr('a', 'user.none'));
    },
    'xattr',
  ),
  test(
    'a value of 4,000 bytes',
    async ({ fs }) => {
      await put(fs, 'a');
      await fs.setxattr('a', 'user.big', Buffer.alloc(2000, 7));
      assert.ok((await fs.getxattr('a', 'user.big')).equals(Buffer.alloc(2000, 7)));
    },
    'xattr',
  ),
  test(
    'values and names as long as they can be',
    async ({ fs }) => {
      await put(fs, 'a');
      const name = `trusted.${'n'.repeat(255 - 'trusted.'.length)}`;
      const value = Buffer.alloc(65_536, 'v');
      await fs.setxattr('a', name, value);
      assert.ok((await fs.getxattr('a', name, 65_536)).equals(value));
      assert.deepEqual(await fs.listxattr('a'), [name]);
      await fails('E2BIG', fs.setxattr('a', name, Buffer.alloc(65_537)));
      await fails('ERANGE', fs.setxattr('a', `${name}n`, Buffer.alloc(1)));
      await fs.removexattr('a', name);
      assert.deepEqual(await fs.listxattr('a'), []);
    },
    'xattr',
    'trustedXattr',
  ),
  test(
    'POSIX ACLs are refused: whoever checks modes only would let the wrong users in',
    async ({ fs }) => {
      await put(fs, 'a', '', 0o644);
      for (const name of ['system.posix_acl_access', 'system.posix_acl_default']) {
        await fs.mkdir(name);
        await fails('EOPNOTSUPP', fs.setxattr(name, name, ACL));
        await fails('EOPNOTSUPP', fs.getxattr(name, name));
        await fails('EOPNOTSUPP', fs.removexattr(name, name));
      }
      await fails('EOPNOTSUPP', fs.setxattr('a', 'system.posix_acl_access', ACL));
      assert.equal(permissions((await fs.stat('a')).mode), 0o644);
    },
    'xattr',
  ),
  test(
    'file flags are shown and NOATIME can be set',
    async ({ fs }) =>
      opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
        const before = await fs.ioctl(fd, FS_IOC_GETFLAGS, 0);
        await fs.ioctl(fd, FS_IOC_SETFLAGS, before | FS_NOATIME_FL);
        assert.equal((await fs.ioctl(fd, FS_IOC_GETFLAGS, 0)) & FS_NOATIME_FL, FS_NOATIME_FL);
        await fs.ioctl(fd, FS_IOC_SETFLAGS, before);
      }),
    'fileFlags',
  ),
  test('ioctls for other things', async ({ fs }) =>
    opened(fs, 'a', O.CREAT | O.RDWR, async (fd) => {
      await fails('ENOTTY', fs.ioctl(fd, TCGETS, 0));
      await fails('ENOTTY', fs.ioctl(fd, BLKGETSIZE64, 0));
    })),
];
