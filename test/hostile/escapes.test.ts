/**
 * Ways out of the shared folder: names with slashes and dots, links that point out, things swapped in by the host
 * between two requests, folders moved away, device nodes, numbers that were never given out. Nothing beside the share
 * is read or changed, and the answers say no more than an errno.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Opcode } from '../../src/protocol/fuse/opcodeNumbers';
import * as wire from '../../src/protocol/fuse/structs';
import { FuseError } from '../driver/fuseCalls';
import { pack, text } from '../driver/pack';
import { runBeside } from './companion';
import { Cell, INSIDE, ROOT, type Victim, needCell } from './cell';

const O_RDWR = 2;
const O_TRUNC = 0o1000;
const S_IFIFO = 0o010000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const S_IFSOCK = 0o140000;
/** The null device: harmless even if it were opened. */
const NULL_DEVICE = (1 << 8) | 3;

describe('ways out of the shared folder', () => {
  let cell: Cell;
  let victim: Victim;

  before(async function () {
    needCell(this);
    cell = new Cell();
    victim = await cell.attack();
  });
  after(() => cell?.close());
  afterEach(() => cell.checkHealth(victim));

  /** The errno, by name, of a call that must fail. */
  function errnoOf(call: () => unknown): string {
    try {
      call();
    } catch (error) {
      if (error instanceof FuseError) return error.code;
      throw error;
    }
    throw new Error('it has been done');
  }

  /** Sends names exactly as they are, NUL or not. */
  function send(opcode: number, parent: bigint, ...parts: readonly Uint8Array[]): number {
    return victim.client.call(opcode, parent, parts, { room: 4096 }).error;
  }

  describe('names', () => {
    const bad: readonly [name: string, bytes: Uint8Array][] = [
      ['../outside/canary', text('../outside/canary')],
      ['..', text('..')],
      ['.', text('.')],
      ['/', text('/')],
      ['an absolute path', text('/proc')],
      ['a path of the share', text('./inside')],
      ['a name with a slash at its end', text('inside/')],
      ['nothing', text('')],
      ['a NUL in the middle', text('inside\0../outside')],
      ['no NUL at the end', Buffer.from('inside')],
      ['300 bytes', text('x'.repeat(300))],
    ];
    const making = pack(wire.MkdirIn, { mode: 0o777 });
    const uses: readonly [name: string, send: (name: Uint8Array) => number][] = [
      ['LOOKUP', (name) => send(Opcode.LOOKUP, ROOT, name)],
      ['UNLINK', (name) => send(Opcode.UNLINK, ROOT, name)],
      ['RMDIR', (name) => send(Opcode.RMDIR, ROOT, name)],
      ['MKDIR', (name) => send(Opcode.MKDIR, ROOT, making, name)],
      ['MKNOD', (name) => send(Opcode.MKNOD, ROOT, pack(wire.MknodIn, { mode: 0o100644 }), name)],
      ['CREATE', (name) => send(Opcode.CREATE, ROOT, pack(wire.CreateIn, { flags: O_RDWR, mode: 0o100644 }), name)],
      ['SYMLINK at', (name) => send(Opcode.SYMLINK, ROOT, name, text('target'))],
      ['LINK to', (name) => send(Opcode.LINK, ROOT, pack(wire.LinkIn, { oldnodeid: inside() }), name)],
      ['RENAME from', (name) => send(Opcode.RENAME, ROOT, pack(wire.RenameIn, { newdir: ROOT }), name, text('new'))],
      ['RENAME to', (name) => send(Opcode.RENAME, ROOT, pack(wire.RenameIn, { newdir: ROOT }), text('inside'), name)],
      [
        'RENAME2 with an exchange',
        (name) => send(Opcode.RENAME2, ROOT, pack(wire.Rename2In, { newdir: ROOT, flags: 2 }), text('inside'), name),
      ],
    ];
    const inside = (): bigint => victim.calls.lookup(ROOT, 'inside').nodeid;
    for (const [use, attempt] of uses) {
      it(`${use} takes none of ${bad.length} that are no names`, () => {
        for (const [what, bytes] of bad) assert.ok(attempt(bytes) < 0, `${what} was taken`);
        assert.deepEqual(fs.readdirSync(cell.share), ['inside']);
      });
    }
  });

  describe('links that point out', () => {
    const targets = ['../outside/canary', '../outside', '..', '/'];

    it('are inodes of their own: followed by nothing', () => {
      const { calls } = victim;
      targets.push(`${cell.outside}/canary`);
      for (const [index, target] of targets.entries()) {
        const link = calls.symlink(ROOT, `link${index}`, target);
        assert.equal(calls.readlink(link.nodeid), target);
        assert.equal(
          errnoOf(() => calls.open(link.nodeid, 0)),
          'ELOOP',
        );
        assert.equal(
          errnoOf(() => calls.open(link.nodeid, O_RDWR | O_TRUNC)),
          'ELOOP',
        );
        assert.ok(errnoOf(() => calls.opendir(link.nodeid)));
        assert.equal(
          errnoOf(() => calls.lookup(link.nodeid, 'canary')),
          'ENOTDIR',
        );
        assert.equal(
          errnoOf(() => calls.create(link.nodeid, 'new', O_RDWR, 0o644)),
          'ENOTDIR',
        );
        assert.ok(errnoOf(() => calls.create(ROOT, `link${index}`, O_RDWR | O_TRUNC, 0o644)));
        calls.unlink(ROOT, `link${index}`);
        calls.forget(link.nodeid);
      }
    });

    it('are themselves what attributes, owners, times and hard links are of', () => {
      const { calls } = victim;
      const link = calls.symlink(ROOT, 'link', '../outside/canary');
      const attempt = (change: () => unknown): void => {
        try {
          change();
        } catch (error) {
          if (!(error instanceof FuseError)) throw error;
        }
      };
      attempt(() => calls.setattr(link.nodeid, { valid: 1, mode: 0o777 }));
      attempt(() => calls.setattr(link.nodeid, { valid: 2 | 4, uid: 4711, gid: 4711 }));
      attempt(() => calls.setattr(link.nodeid, { valid: 8, size: 0 }));
      attempt(() => calls.setattr(link.nodeid, { valid: 16 | 32, atime: 1, mtime: 1 }));
      attempt(() => calls.setxattr(link.nodeid, 'trusted.test', Buffer.from('x')));
      attempt(() => calls.setxattr(link.nodeid, 'user.test', Buffer.from('x')));
      attempt(() => calls.removexattr(link.nodeid, 'trusted.test'));
      attempt(() => calls.access(link.nodeid, 2));
      const again = calls.link(link.nodeid, ROOT, 'again');
      assert.equal(again.nodeid, link.nodeid);
      assert.equal(fs.readlinkSync(path.join(cell.share, 'again')), '../outside/canary');
      calls.unlink(ROOT, 'link');
      calls.unlink(ROOT, 'again');
      calls.forget(link.nodeid, 2);
    });

    it('swapped in by the host after the lookup: the file that was looked up is opened, or nothing', () => {
      const { calls } = victim;
      const at = path.join(cell.share, 'swapped');
      fs.writeFileSync(at, 'the first');
      const file = calls.lookup(ROOT, 'swapped');
      // Used once; one that never was is known by its name, which is now another's.
      calls.getattr(file.nodeid);
      fs.unlinkSync(at);
      fs.symlinkSync('../outside/canary', at);
      const handle = calls.open(file.nodeid, O_RDWR);
      assert.equal(Buffer.from(calls.read(file.nodeid, handle.fh, 0, 100)).toString(), 'the first');
      calls.write(file.nodeid, handle.fh, 0, Buffer.from('mine'));
      calls.setattr(file.nodeid, { valid: 1 | 8, mode: 0o600, size: 0 });
      calls.release(file.nodeid, handle.fh);
      calls.forget(file.nodeid);
      fs.unlinkSync(at);
    });

    it('swapped in for what has been looked up and not used yet: nothing', () => {
      const { calls } = victim;
      const at = path.join(cell.share, 'swapped');
      for (const make of [() => fs.writeFileSync(at, 'the first'), () => fs.mkdirSync(at)]) {
        make();
        const { nodeid } = calls.lookup(ROOT, 'swapped');
        fs.renameSync(at, path.join(cell.share, 'kept'));
        fs.symlinkSync('../outside', at);
        for (const use of [
          () => calls.open(nodeid, O_RDWR),
          () => calls.opendir(nodeid),
          () => calls.lookup(nodeid, 'canary'),
          () => calls.setattr(nodeid, { valid: 1 | 8, mode: 0, size: 0 }),
        ]) {
          assert.ok(['ESTALE', 'EISDIR', 'ENOTDIR'].includes(errnoOf(use)));
        }
        calls.forget(nodeid);
        fs.rmSync(at);
        fs.rmSync(path.join(cell.share, 'kept'), { recursive: true });
      }
    });

    it('swapped in for a folder: what is in the folder stays what it was', () => {
      const { calls } = victim;
      const at = path.join(cell.share, 'dir');
      fs.mkdirSync(at);
      fs.writeFileSync(path.join(at, 'canary'), 'mine');
      const folder = calls.lookup(ROOT, 'dir');
      calls.getattr(folder.nodeid);
      fs.renameSync(at, path.join(cell.share, 'moved'));
      fs.symlinkSync('../outside', at);
      const file = calls.lookup(folder.nodeid, 'canary');
      assert.equal(file.attributes.size, 4);
      calls.unlink(folder.nodeid, 'canary');
      calls.mkdir(folder.nodeid, 'new');
      assert.deepEqual(fs.readdirSync(path.join(cell.share, 'moved')), ['new']);
      fs.rmSync(at);
      fs.rmSync(path.join(cell.share, 'moved'), { recursive: true });
      calls.forget(folder.nodeid);
    });

    it('swapped in and out without a pause: never more than an error', async () => {
      const { calls } = victim;
      const at = path.join(cell.share, 'flips');
      const script = 'while :; do echo file >f; mv f flips; ln -s ../outside/canary l; mv l flips; done';
      const flipper = runBeside(script, cell.share);
      try {
        for (const end = Date.now() + 700; Date.now() < end;) {
          try {
            const made = calls.create(ROOT, 'flips', O_RDWR | O_TRUNC, 0o644);
            calls.write(made.nodeid, made.fh, 0, Buffer.from('guest'));
            calls.release(made.nodeid, made.fh);
            calls.forget(made.nodeid);
          } catch (error) {
            if (!(error instanceof FuseError)) throw error;
          }
        }
      } finally {
        await flipper();
        fs.rmSync(at, { force: true });
        for (const name of ['f', 'l']) fs.rmSync(path.join(cell.share, name), { force: true });
      }
    });
  });

  it('a folder that the host moves out of the share does not lead further up', () => {
    const { calls } = victim;
    fs.mkdirSync(path.join(cell.share, 'inner/deep'), { recursive: true });
    const inner = calls.lookup(ROOT, 'inner');
    const deep = calls.lookup(inner.nodeid, 'deep');
    const handle = calls.opendir(inner.nodeid);
    const away = path.join(cell.home, 'driver-away');
    fs.renameSync(path.join(cell.share, 'inner'), away);
    for (const parent of [inner.nodeid, deep.nodeid]) {
      assert.equal(
        errnoOf(() => calls.lookup(parent, '..')),
        'EINVAL',
      );
      assert.equal(
        errnoOf(() => calls.lookup(parent, '../outside')),
        'EINVAL',
      );
    }
    // '..' is among the entries, as a name and a number that open nothing.
    const entries = calls.readdirplus(inner.nodeid, handle.fh, 0n);
    assert.deepEqual(entries.map((entry) => entry.name).sort(), ['.', '..', 'deep']);
    assert.equal(entries.find((entry) => entry.name === '..')?.entry, undefined);
    calls.releasedir(inner.nodeid, handle.fh);
    calls.forget(deep.nodeid, 2);
    calls.forget(inner.nodeid);
    fs.rmSync(away, { recursive: true });
  });

  it("the '..' of the share's root is the root itself", () => {
    const { calls } = victim;
    const handle = calls.opendir(ROOT);
    const own = calls.getattr(ROOT).ino;
    const entries = calls.readdir(ROOT, handle.fh, 0n);
    assert.equal(entries.find((entry) => entry.name === '..')?.ino, own);
    calls.releasedir(ROOT, handle.fh);
  });

  it('nodes that the guest makes or finds are never opened (CVE-2020-35517)', () => {
    const { calls } = victim;
    const kinds: readonly [name: string, mode: number, rdev: number][] = [
      ['character', S_IFCHR, NULL_DEVICE],
      ['block', S_IFBLK, (7 << 8) | 255],
      ['fifo', S_IFIFO, 0],
      ['socket', S_IFSOCK, 0],
    ];
    for (const [name, mode, rdev] of kinds) {
      const node = calls.mknod(ROOT, name, mode | 0o666, rdev);
      for (const flags of [0, 1, O_RDWR, O_RDWR | O_TRUNC, 0o4000, 0o10000000, 0o200000]) {
        assert.equal(
          errnoOf(() => calls.open(node.nodeid, flags)),
          'ENXIO',
          `${name}, flags 0${flags.toString(8)}`,
        );
      }
      assert.ok(errnoOf(() => calls.opendir(node.nodeid)));
      assert.ok(errnoOf(() => calls.create(ROOT, name, O_RDWR, 0o644)));
      assert.ok(errnoOf(() => calls.setattr(node.nodeid, { valid: 8, size: 0 })));
      assert.ok(errnoOf(() => calls.syncfs(node.nodeid)));
      const { error } = victim.client.call(Opcode.BMAP, node.nodeid, [new Uint8Array(16)]);
      assert.equal(error, -38);
      calls.unlink(ROOT, name);
      calls.forget(node.nodeid);
    }
  });

  it('numbers that were never given out, are forgotten or belong to something else', () => {
    const { calls, client } = victim;
    const file = calls.lookup(ROOT, 'inside');
    const handle = calls.open(file.nodeid, 0);
    const folder = calls.opendir(ROOT);
    const wild = [0n, 2n ** 64n - 1n, 2n ** 32n, 2n ** 31n, 12345n, file.nodeid + (1n << 32n), file.nodeid + 1n];
    for (const nodeid of wild) {
      assert.equal(
        errnoOf(() => calls.getattr(nodeid)),
        'ESTALE',
      );
      assert.equal(
        errnoOf(() => calls.lookup(nodeid, 'inside')),
        'ESTALE',
      );
      assert.equal(
        errnoOf(() => calls.link(nodeid, ROOT, 'new')),
        'ESTALE',
      );
      assert.equal(
        errnoOf(() => calls.rename(ROOT, 'inside', nodeid, 'inside')),
        'ESTALE',
      );
      calls.forget(nodeid, 1);
    }
    // Descriptors that the daemon has open are not among them.
    const wildHandles = [...Array.from({ length: 40 }, (_, fd) => BigInt(fd)), 2n ** 64n - 2n, handle.fh + (1n << 32n)];
    for (const fh of wildHandles.filter((fh) => fh !== handle.fh)) {
      assert.equal(
        errnoOf(() => calls.read(file.nodeid, fh, 0, 16)),
        'EBADF',
      );
      assert.equal(
        errnoOf(() => calls.write(file.nodeid, fh, 0, Buffer.from('x'))),
        'EBADF',
      );
      assert.equal(
        errnoOf(() => calls.release(file.nodeid, fh)),
        'EBADF',
      );
      assert.equal(
        errnoOf(() => calls.setattr(file.nodeid, { valid: 8 | 64, size: 0, fh })),
        'EBADF',
      );
    }
    assert.equal(
      errnoOf(() => calls.read(ROOT, handle.fh, 0, 16)),
      'EBADF',
      'the handle of another inode',
    );
    assert.equal(
      errnoOf(() => calls.read(ROOT, folder.fh, 0, 16)),
      'EBADF',
      'a folder read as a file',
    );
    assert.equal(
      errnoOf(() => calls.readdir(file.nodeid, handle.fh, 0n)),
      'EBADF',
      'a file read as a folder',
    );
    assert.ok(
      errnoOf(() => calls.write(file.nodeid, handle.fh, 0, Buffer.from('x'))),
      'not open for writing',
    );
    calls.releasedir(ROOT, folder.fh);
    calls.release(file.nodeid, handle.fh);
    assert.equal(
      errnoOf(() => calls.read(file.nodeid, handle.fh, 0, 16)),
      'EBADF',
      'a handle that has ended',
    );
    // Forgotten more often than it was looked up, and once more.
    client.call(Opcode.FORGET, file.nodeid, [pack(wire.ForgetIn, { nlookup: -1 })], { room: -1, queue: 0 });
    client.call(Opcode.FORGET, file.nodeid, [pack(wire.ForgetIn, { nlookup: 1 })], { room: -1, queue: 0 });
    assert.equal(
      errnoOf(() => calls.getattr(file.nodeid)),
      'ESTALE',
    );
    assert.equal(fs.readFileSync(path.join(cell.share, 'inside'), 'utf8'), INSIDE);
  });

  it('an inode that the guest has forgotten does not live on in an open file', () => {
    const { calls } = victim;
    const made = calls.create(ROOT, 'mine', O_RDWR, 0o644);
    calls.forget(made.nodeid);
    assert.ok(errnoOf(() => calls.read(made.nodeid, made.fh, 0, 16)));
    const again = calls.lookup(ROOT, 'mine');
    assert.notEqual(again.nodeid, made.nodeid);
    calls.unlink(ROOT, 'mine');
    calls.forget(again.nodeid);
  });

  it('flags of an open that would do something else than open', () => {
    const { calls } = victim;
    const O_CREAT = 0o100;
    const O_TMPFILE = 0o20200000;
    const file = calls.lookup(ROOT, 'inside');
    for (const flags of [O_CREAT | O_RDWR, O_TMPFILE | O_RDWR, 0o10000000, 0xffff_ffff, 3]) {
      try {
        const handle = calls.open(file.nodeid, flags & ~O_TRUNC);
        calls.release(file.nodeid, handle.fh);
      } catch (error) {
        if (!(error instanceof FuseError)) throw error;
      }
    }
    calls.forget(file.nodeid);
    assert.deepEqual(fs.readdirSync(cell.share), ['inside']);
  });

  it('the flags that would lock the host out of a file are not set', () => {
    const { calls } = victim;
    const made = calls.create(ROOT, 'flags', O_RDWR, 0o644);
    const FS_IOC_SETFLAGS = 0x40086602;
    const IMMUTABLE = 0x10;
    const word = new Uint8Array([IMMUTABLE, 0, 0, 0]);
    assert.ok(['EPERM', 'ENOTTY'].includes(errnoOf(() => calls.ioctl(made.nodeid, made.fh, FS_IOC_SETFLAGS, word, 0))));
    for (const command of [0x5401, 0x541b, 0x1260, 0x4c00, 0x5452, 0x40049409]) {
      assert.equal(
        errnoOf(() => calls.ioctl(made.nodeid, made.fh, command, word, 4)),
        'ENOTTY',
      );
    }
    calls.release(made.nodeid, made.fh);
    calls.unlink(ROOT, 'flags');
    calls.forget(made.nodeid);
  });
});
