/** Each host call once as it works and once as it fails: arguments in the right places, errnos as negative numbers. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { LinuxCalls } from '../../src/native/linuxCalls';
import { NativeArena } from './nativeArena';

const E = {
  NOENT: 2,
  BADF: 9,
  AGAIN: 11,
  ACCES: 13,
  EXIST: 17,
  NOTDIR: 20,
  INVAL: 22,
  NOTTY: 25,
  RANGE: 34,
  NODATA: 61,
};
const CWD = -100;
const RDWR = 2;
const CREATE = 0o102;
const DIRECTORY = fs.constants.O_DIRECTORY;
const PATH = 0o10000000;
const EMPTY_PATH = 0x1000;
const NOFOLLOW = 0x100;
const NOT_A_DESCRIPTOR = 987_654;
const FAR = 5 * 2 ** 30 + 123;

describe('linux calls', () => {
  const native = new NativeArena();
  const { arena } = native;
  const calls = new LinuxCalls();
  let folder: string;
  let root: number;
  let file: number;

  const at = (name: string): string => path.join(folder, name);
  const text = (value: string): number => native.text(value);
  const bad = NOT_A_DESCRIPTOR;

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'calls-'));
    root = calls.openat(CWD, text(folder), DIRECTORY, 0);
    assert.ok(root >= 0);
  });

  beforeEach(() => {
    fs.writeFileSync(at('file'), '0123456789');
    fs.chmodSync(at('file'), 0o644);
    file = fs.openSync(at('file'), 'r+');
  });

  afterEach(() => {
    fs.closeSync(file);
    for (const name of fs.readdirSync(folder)) fs.rmSync(at(name), { recursive: true });
  });

  after(() => {
    assert.equal(calls.close(root), 0);
    fs.rmdirSync(folder);
  });

  it('openat, close', () => {
    const fd = calls.openat(root, text('new'), CREATE, 0o640);
    assert.equal(fs.fstatSync(fd).mode & 0o777, 0o640);
    assert.equal(calls.close(fd), 0);
    assert.equal(calls.close(bad), -E.BADF);
    assert.equal(calls.openat(root, text('none'), RDWR, 0), -E.NOENT);
    assert.equal(calls.openat(bad, text('none'), RDWR, 0), -E.BADF);
  });

  it('statx', () => {
    assert.equal(calls.statx(root, text('file'), NOFOLLOW, 0x7ff, native.at(0)), 0);
    assert.equal(arena.getU64(0x28), 10, 'stx_size');
    assert.equal(arena.getU64(0x20), fs.fstatSync(file).ino, 'stx_ino');
    assert.equal(arena.getU16(0x1c), fs.fstatSync(file).mode, 'stx_mode');
    assert.equal(calls.statx(file, text(''), EMPTY_PATH, 0x7ff, native.at(0)), 0);
    assert.equal(calls.statx(root, text('none'), 0, 0x7ff, native.at(0)), -E.NOENT);
  });

  it('mkdirat, mknodat', () => {
    assert.equal(calls.mkdirat(root, text('folder'), 0o750), 0);
    assert.equal(fs.statSync(at('folder')).mode & 0o777, 0o750);
    assert.equal(calls.mkdirat(root, text('folder'), 0o750), -E.EXIST);
    assert.equal(calls.mknodat(root, text('fifo'), 0o010600, 0), 0);
    assert.ok(fs.statSync(at('fifo')).isFIFO());
    assert.equal(calls.mknodat(root, text('fifo'), 0o010600, 0), -E.EXIST);
  });

  it('symlinkat, readlinkat', () => {
    assert.equal(calls.symlinkat(text('to/somewhere'), root, text('link')), 0);
    assert.equal(calls.readlinkat(root, text('link'), native.at(0), 100), 12);
    assert.equal(native.get(0, 12), 'to/somewhere');
    assert.equal(calls.readlinkat(root, text('link'), native.at(0), 4), 4, 'cut without a word, as the kernel does');
    assert.equal(calls.symlinkat(text('x'), root, text('link')), -E.EXIST);
    assert.equal(calls.readlinkat(root, text('file'), native.at(0), 100), -E.INVAL);
  });

  it('linkat, unlinkat', () => {
    assert.equal(calls.linkat(root, text('file'), root, text('other'), 0), 0);
    assert.equal(fs.fstatSync(file).nlink, 2);
    assert.equal(calls.linkat(root, text('none'), root, text('x'), 0), -E.NOENT);
    assert.equal(calls.unlinkat(root, text('other'), 0), 0);
    assert.equal(calls.unlinkat(root, text('other'), 0), -E.NOENT);
    fs.mkdirSync(at('folder'));
    assert.equal(calls.unlinkat(root, text('file'), 0x200), -E.NOTDIR, 'AT_REMOVEDIR');
    assert.equal(calls.unlinkat(root, text('folder'), 0x200), 0);
  });

  it('renameat2', () => {
    fs.writeFileSync(at('second'), 'second');
    assert.equal(calls.renameat2(root, text('file'), root, text('second'), 1), -E.EXIST, 'NOREPLACE');
    assert.equal(calls.renameat2(root, text('file'), root, text('second'), 2), 0, 'EXCHANGE');
    assert.equal(fs.readFileSync(at('file'), 'latin1'), 'second');
    assert.equal(calls.renameat2(root, text('file'), root, text('third'), 0), 0);
    assert.deepEqual(fs.readdirSync(folder).sort(), ['second', 'third']);
    assert.equal(calls.renameat2(root, text('none'), root, text('x'), 0), -E.NOENT);
  });

  it('fchmod, fchmodat, fchownat', () => {
    assert.equal(calls.fchmod(file, 0o600), 0);
    assert.equal(fs.fstatSync(file).mode & 0o777, 0o600);
    assert.equal(calls.fchmodat(root, text('file'), 0o644), 0);
    assert.equal(fs.fstatSync(file).mode & 0o777, 0o644);
    assert.equal(calls.fchmod(bad, 0o600), -E.BADF);
    assert.equal(calls.fchmodat(root, text('none'), 0o600), -E.NOENT);
    const { uid, gid } = fs.fstatSync(file);
    assert.equal(calls.fchownat(root, text('file'), uid, 0xffff_ffff, 0), 0, 'an id that stays');
    if (process.geteuid?.() === 0) {
      assert.equal(calls.fchownat(file, text(''), 0xffff_fff0, 7, EMPTY_PATH), 0);
      assert.deepEqual([fs.fstatSync(file).uid, fs.fstatSync(file).gid], [0xffff_fff0, 7]);
      fs.fchownSync(file, uid, gid);
    }
    assert.equal(calls.fchownat(root, text('none'), uid, gid, 0), -E.NOENT);
  });

  it('utimensat', () => {
    [1_700_000_000, 123_456_789, 1_600_000_000, 987_654_321].forEach((word, index) => arena.setU64(index * 8, word));
    assert.equal(calls.utimensat(root, text('file'), native.at(0), 0), 0);
    const { atimeNs, mtimeNs } = fs.fstatSync(file, { bigint: true });
    assert.deepEqual([atimeNs, mtimeNs], [1_700_000_000_123_456_789n, 1_600_000_000_987_654_321n]);
    arena.setU64(8, 2_000_000_000);
    assert.equal(calls.utimensat(root, text('file'), native.at(0), 0), -E.INVAL, 'nanoseconds of two seconds');
    assert.equal(calls.utimensat(root, text('none'), 0, 0), -E.NOENT);
  });

  it('ftruncate, beyond 4 GiB', () => {
    assert.equal(calls.ftruncate(file, FAR), 0);
    assert.equal(fs.fstatSync(file).size, FAR);
    assert.equal(calls.ftruncate(file, 3), 0);
    assert.equal(fs.fstatSync(file).size, 3);
    assert.equal(calls.ftruncate(file, -1), -E.INVAL);
  });

  for (const [name, read, write] of [
    [
      'preadv2, pwritev2',
      (...a: [number, number, number, number]) => calls.preadv2(...a, 0),
      (...a: [number, number, number, number]) => calls.pwritev2(...a, 0),
    ],
    [
      'preadv, pwritev2',
      (...a: [number, number, number, number]) => calls.preadv(...a),
      (...a: [number, number, number, number]) => calls.pwritev2(...a, 0),
    ],
  ] as const) {
    it(`${name}, in pieces, beyond 4 GiB`, () => {
      native.put(1024, 'abcdef');
      native.vector(0, 1024, 2);
      native.vector(16, 1028, 2);
      assert.equal(write(file, native.at(0), 2, FAR), 4);
      assert.equal(fs.fstatSync(file).size, FAR + 4);
      native.vector(0, 2048, 3);
      native.vector(16, 3072, 3);
      assert.equal(read(file, native.at(0), 2, FAR), 4, 'up to the end');
      assert.deepEqual([native.get(2048, 3), native.get(3072, 1)], ['abe', 'f']);
      assert.equal(read(file, native.at(0), 2, FAR + 4), 0);
      for (const call of [read, write]) assert.equal(call(bad, native.at(0), 1, 0), -E.BADF);
      assert.equal(read(root, native.at(0), 1, 0), -21, 'EISDIR');
    });
  }

  it('preadv2 with flags: what it does not know is refused', () => {
    assert.equal(calls.preadv2(file, native.vector(0, 1024, 4), 1, 0, 0x4000_0000), -95);
    assert.equal(calls.pwritev2(file, native.vector(0, 1024, 4), 1, 0, 0x10), 4, 'RWF_APPEND');
    assert.equal(fs.fstatSync(file).size, 14);
  });

  it('fsync, fdatasync, syncfs', () => {
    for (const call of [calls.fsync, calls.fdatasync, calls.syncfs]) {
      assert.equal(call.call(calls, file), 0);
      assert.equal(call.call(calls, bad), -E.BADF);
    }
  });

  it('fallocate, lseek, beyond 4 GiB', () => {
    assert.equal(calls.fallocate(file, 0, FAR, 5), 0);
    assert.equal(fs.fstatSync(file).size, FAR + 5);
    assert.equal(calls.lseek(file, 0, 2), FAR + 5);
    assert.equal(calls.lseek(file, FAR, 0), FAR);
    assert.equal(calls.lseek(file, 1, 3), 1, 'SEEK_DATA');
    assert.equal(calls.lseek(file, FAR + 6, 3), -6, 'ENXIO');
    assert.equal(calls.lseek(file, 0, 99), -E.INVAL);
    assert.equal(calls.fallocate(file, 0, 0, 0), -E.INVAL);
    assert.equal(calls.fallocate(bad, 0, 0, 1), -E.BADF);
  });

  it('getdents64, seekFolder with any 64-bit position', () => {
    for (let index = 0; index < 20; index++) fs.writeFileSync(at(`entry-${index}`), '');
    const fd = calls.openat(root, text('.'), DIRECTORY, 0);
    const names = new Map<string, [low: number, high: number]>();
    for (;;) {
      const length = calls.getdents64(fd, native.at(0), 512);
      assert.ok(length >= 0);
      if (length === 0) break;
      for (let entry = 0; entry < length; entry += arena.getU16(entry + 16)) {
        const name = native.get(entry + 19, arena.stringLength(entry + 19, 256));
        names.set(name, [arena.getU32(entry + 8), arena.getU32(entry + 12)]);
      }
    }
    assert.equal(names.size, 23);
    const [name, position] = [...names][5];
    assert.equal(calls.seekFolder(fd, ...position), 0);
    calls.getdents64(fd, native.at(0), 512);
    assert.equal(native.get(19, arena.stringLength(19, 256)), [...names.keys()][6], `what follows ${name}`);
    assert.equal(calls.seekFolder(fd, 0, 0), 0);
    assert.equal(calls.getdents64(fd, native.at(0), 8), -E.INVAL, 'no room for one entry');
    assert.equal(calls.getdents64(file, native.at(0), 512), -E.NOTDIR);
    assert.equal(calls.seekFolder(bad, 0, 0), -E.BADF);
    calls.close(fd);
  });

  it('fstatfs, faccessat2', () => {
    assert.equal(calls.fstatfs(root, native.at(0)), 0);
    assert.equal(arena.getU64(8), fs.statfsSync(folder).bsize, 'f_bsize');
    assert.equal(calls.fstatfs(bad, native.at(0)), -E.BADF);
    assert.equal(calls.faccessat2(root, text('file'), 4, 0), 0);
    assert.equal(calls.faccessat2(root, text('file'), 1, 0x200), -E.ACCES, 'it is not executable');
    assert.equal(calls.faccessat2(root, text('none'), 0, 0), -E.NOENT);
  });

  it('setxattr, getxattr, listxattr, removexattr', function () {
    const target = text(at('file'));
    const name = text('user.colour');
    native.put(0, 'green');
    const set = calls.setxattr(target, name, native.at(0), 5, 0);
    if (set === -95) this.skip(); // the temporary folder has no attributes
    assert.equal(set, 0);
    assert.equal(calls.setxattr(target, name, native.at(0), 5, 1), -E.EXIST, 'XATTR_CREATE');
    assert.equal(calls.getxattr(target, name, 0, 0), 5, 'its length');
    assert.equal(calls.getxattr(target, name, native.at(100), 4), -E.RANGE);
    assert.equal(calls.getxattr(target, name, native.at(100), 50), 5);
    assert.equal(native.get(100, 5), 'green');
    assert.ok(calls.listxattr(target, native.at(200), 200) >= 12);
    assert.match(native.get(200, 200), /user\.colour\0/);
    assert.equal(calls.removexattr(target, name), 0);
    assert.equal(calls.removexattr(target, name), -E.NODATA);
    assert.equal(calls.getxattr(target, name, 0, 0), -E.NODATA);
    assert.equal(calls.listxattr(text(at('none')), 0, 0), -E.NOENT);
  });

  it('copyFileRange, beyond 4 GiB', () => {
    assert.equal(calls.copyFileRange(file, 2, file, FAR, 100, 0), 8);
    assert.equal(fs.fstatSync(file).size, FAR + 8);
    native.vector(0, 1024, 8);
    calls.preadv(file, native.at(0), 1, FAR);
    assert.equal(native.get(1024, 8), '23456789');
    assert.equal(calls.copyFileRange(file, FAR, bad, 0, 1, 0), -E.BADF);
    assert.equal(calls.copyFileRange(file, 0, file, 0, 1, 99), -E.INVAL);
  });

  it('flock, fcntlLock', () => {
    const other = fs.openSync(at('file'), 'r+');
    assert.equal(calls.flock(file, 2 | 4), 0, 'LOCK_EX | LOCK_NB');
    assert.equal(calls.flock(other, 2 | 4), -E.AGAIN);
    assert.equal(calls.flock(file, 8), 0);
    // struct flock: a write lock of bytes FAR to the end.
    const lock = (type: number): number => {
      arena.zero(0, 32);
      arena.setU16(0, type);
      arena.setU64(8, FAR);
      return native.at(0);
    };
    assert.equal(calls.fcntlLock(file, 37, lock(1)), 0, 'F_OFD_SETLK');
    assert.equal(calls.fcntlLock(other, 37, lock(0)), -E.AGAIN);
    assert.equal(calls.fcntlLock(other, 36, lock(0)), 0, 'F_OFD_GETLK');
    assert.deepEqual([arena.getU16(0), arena.getU64(8), arena.getI32(24)], [1, FAR, -1]);
    assert.equal(calls.fcntlLock(bad, 37, lock(1)), -E.BADF);
    assert.equal(calls.flock(bad, 2), -E.BADF);
    fs.closeSync(other);
  });

  it('ioctl', () => {
    assert.equal(calls.ioctl(file, 0x5401, native.at(0)), -E.NOTTY, 'TCGETS');
    assert.equal(calls.ioctl(bad, 0x5401, native.at(0)), -E.BADF);
  });

  it('an O_PATH descriptor serves as a place, not as a file', () => {
    const place = calls.openat(root, text('file'), PATH, 0);
    assert.equal(calls.statx(place, text(''), EMPTY_PATH, 0x7ff, native.at(0)), 0);
    assert.equal(calls.fchmod(place, 0o600), -E.BADF);
    assert.equal(calls.close(place), 0);
  });

  it('a mode reaches the file as it is once the umask is cleared', () => {
    const module = path.join(__dirname, '../../src/native/linuxCalls.js');
    const script = `require(${JSON.stringify(module)}).clearUmask(); require('fs').writeFileSync(process.argv[1], '', { mode: 0o777 });`;
    assert.equal(spawnSync(process.execPath, ['-e', script, at('open')]).status, 0);
    assert.equal(fs.statSync(at('open')).mode & 0o777, 0o777);
  });
});
