/** Every host call of every operation made to fail, in turn: the errno reaches the guest, nothing stays open. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ROOT, WriteWay, type FileSystem, type Handle, type Node } from '../../src/fs/fileSystem';
import * as linux from '../../src/fs/linux';
import { Errno } from '../../src/protocol/errno';
import { check, type Client } from './client';
import { isRoot, openDescriptors, share, type Shared } from './shared';
import { WrappedCalls } from './wrappedCalls';

/** What an operation finds: an empty file, open for reading and writing, a folder and a link. */
interface Scene {
  readonly client: Client;
  readonly fs: FileSystem;
  readonly file: Node;
  readonly handle: Handle;
  readonly folder: Node;
  readonly link: Node;
}

type Operation = (scene: Scene) => Promise<number> | number;

const { FATTR_MODE, FATTR_UID, FATTR_SIZE, FATTR_MTIME, FATTR_KILL_SUIDGID } = linux;
const nothing = { mode: 0, uid: 0, gid: 0, size: 0, atime: 0, atimeNsec: 0, mtime: 0, mtimeNsec: 0 };

function setting(valid: number, withHandle = false): Operation {
  return ({ client, fs: file, file: node, handle }) =>
    client.outcome((c) => file.setattr(node, withHandle ? handle : -1, { ...nothing, valid }, c));
}

/** Opens again and releases at once, so that what it opened is not counted as lost. */
function released(open: (scene: Scene) => number, release: 'release' | 'releasedir'): Operation {
  return (scene) => {
    const handle = open(scene);
    return handle < 0 ? handle : scene.fs[release](handle);
  };
}

const operations: Readonly<Record<string, Operation>> = {
  'lookup of an unknown name': ({ client, fs }) => fs.lookup(ROOT, client.name('unseen')),
  'lookup of a known name': ({ client, fs }) => fs.lookup(ROOT, client.name('file')),
  getattr: ({ fs, file }) => fs.getattr(file, -1, 0x7ff),
  chmod: setting(FATTR_MODE),
  'chmod of an open file': setting(FATTR_MODE, true),
  chown: setting(FATTR_UID),
  truncate: setting(FATTR_SIZE),
  'truncate of an open file': setting(FATTR_SIZE, true),
  'truncate that drops bits': setting(FATTR_SIZE | FATTR_KILL_SUIDGID),
  'truncate of an open file that drops bits': setting(FATTR_SIZE | FATTR_KILL_SUIDGID, true),
  utimens: setting(FATTR_MTIME),
  'everything at once': setting(FATTR_MODE | FATTR_UID | FATTR_SIZE | FATTR_MTIME),
  mkdir: ({ client, fs }) => client.outcome((c) => fs.mkdir(ROOT, client.name('new'), 0o40755, c)),
  mknod: ({ client, fs }) => client.outcome((c) => fs.mknod(ROOT, client.name('new'), 0o10644, 0, c)),
  symlink: ({ client, fs }) =>
    client.outcome((c) => fs.symlink(ROOT, client.name('new'), client.name('target', true), c)),
  readlink: ({ client, fs, link }) => fs.readlink(link, client.name(''), 100),
  link: ({ client, fs, file, folder }) => fs.link(file, folder, client.name('new')),
  create: async ({ client, fs }) => {
    const node = await client.outcome((c) => fs.create(ROOT, client.name('new'), 0o100644, linux.O_RDWR, false, c));
    if (node > 0) fs.release(fs.createdHandle);
    return node;
  },
  'create of what is there': async ({ client, fs }) => {
    const node = await client.outcome((c) => fs.create(ROOT, client.name('file'), 0o100644, linux.O_RDWR, false, c));
    if (node > 0) fs.release(fs.createdHandle);
    return node;
  },
  'create of what is there that drops bits': async ({ client, fs }) => {
    const flags = linux.O_RDWR | linux.O_TRUNC;
    const node = await client.outcome((c) => fs.create(ROOT, client.name('file'), 0o100644, flags, true, c));
    if (node > 0) fs.release(fs.createdHandle);
    return node;
  },
  tmpfile: async ({ client, fs }) => {
    const node = await client.outcome((c) => fs.tmpfile(ROOT, 0o100644, linux.O_RDWR, c));
    if (node > 0) fs.release(fs.createdHandle);
    return node;
  },
  unlink: ({ client, fs }) => fs.unlink(ROOT, client.name('unseen')),
  rmdir: ({ client, fs }) => fs.rmdir(ROOT, client.name('folder')),
  rename: ({ client, fs }) => fs.rename(ROOT, client.name('unseen'), ROOT, client.name('moved', true), 0),
  open: released(({ client, file }) => client.open(file, linux.O_RDWR), 'release'),
  'open that drops bits': released(
    ({ client, file }) => client.open(file, linux.O_RDWR | linux.O_TRUNC, true),
    'release',
  ),
  opendir: released(({ fs, folder }) => fs.opendir(folder, 0), 'releasedir'),
  readdir: ({ fs }) => {
    const handle = fs.opendir(ROOT, 0);
    if (handle < 0) return handle;
    const result = fs.readdir(handle, 5, 0, 4096, { entry: () => true });
    fs.releasedir(handle);
    return result;
  },
  read: ({ client, handle }) => client.read(handle, 0, 100).then((data) => data.length),
  write: ({ client, handle }) => client.write(handle, 0, 'abc'),
  'write that drops bits': ({ client, handle }) => client.write(handle, 0, 'abc', WriteWay.KillPriv),
  syncfs: ({ client, fs }) => client.outcome((c) => fs.syncfs(ROOT, c)),
  statfs: ({ client, fs }) => fs.statfs(ROOT, client.name('') + 8),
  access: ({ client, fs, file }) => client.outcome((c) => fs.access(file, 4, c)),
  getxattr: ({ client, fs, file }) => fs.getxattr(file, client.name('user.there'), client.name('', true), 100),
  listxattr: ({ client, fs, file }) => fs.listxattr(file, client.name(''), 100),
  setxattr: ({ client, fs, file }) => fs.setxattr(file, client.name('user.a'), client.name('', true), 1, 0),
  removexattr: ({ client, fs, file }) => {
    client.setxattr(file, 'user.there', 'value');
    return fs.removexattr(file, client.name('user.there'));
  },
  getlk: ({ client, fs, handle }) => fs.getlk(handle, client.lock(linux.F_WRLCK, 0, 9, 1)),
  setlk: async ({ client, fs, handle }) => {
    const result = await client.setlk(handle, client.lock(linux.F_WRLCK, 0, 9, 1));
    fs.dropLocks(handle, 1, 0);
    return result;
  },
  flock: ({ client, fs, handle }) => client.outcome((c) => fs.flock(handle, linux.F_WRLCK, false, c)),
  'short copy': ({ client, fs, handle }) => client.outcome((c) => fs.copyFileRange(handle, 0, handle, 8192, 1, 0, c)),
  ioctl: ({ client, fs, handle }) => fs.ioctl(handle, 0x80086601, client.name(''), 0, 4),
};

/** Calls whose failure the guest does not have to hear of, and what happens instead. */
const HARMLESS: Readonly<Record<string, string>> = {
  'create: 4': 'the new file cannot be had as O_PATH: the inode keeps the descriptor it has',
  'tmpfile: 4': 'the same',
  'unlink: 0': 'what is known by the name alone is not opened, and so ESTALE from then on',
  'unlink: 1': 'the same',
  'unlink: 2': 'the same',
  'rmdir: 0': 'the same',
  'rmdir: 1': 'the same',
  'rmdir: 2': 'the same',
  'rename: 0': 'the same',
  'rename: 1': 'the same',
  'rename: 2': 'the same',
  'rename: 3': 'the same',
};

const ERRNOS = ['ENOSPC', 'EDQUOT', 'EACCES', 'EMFILE', 'EIO'] as const;

describe('host calls that fail', () => {
  let wrapped: WrappedCalls;

  async function scene(): Promise<[Shared, Scene]> {
    const shared = share({}, (real) => (wrapped = new WrappedCalls(real)).calls);
    const { client, folder } = shared;
    fs.mkdirSync(path.join(folder, 'folder'));
    fs.symlinkSync('target', path.join(folder, 'link'));
    fs.writeFileSync(path.join(folder, 'unseen'), '');
    const { node, handle } = await client.create(ROOT, 'file');
    client.setxattr(node, 'user.there', 'value');
    const [link, inner] = [client.lookup(ROOT, 'link'), client.lookup(ROOT, 'folder')];
    // Used once, so that they have descriptors, which they keep.
    for (const used of [link, inner]) client.stat(used);
    return [shared, { client, fs: shared.fs, file: node, handle, folder: inner, link }];
  }

  for (const [name, operation] of Object.entries(operations)) {
    it(name, async function () {
      if (!isRoot) this.skip();
      const before = openDescriptors();
      const [shared, set] = await scene();
      const outcome = async (): Promise<number> => {
        try {
          return await operation(set);
        } catch (error) {
          if (error instanceof Error && 'errno' in error) return -Number(error.errno);
          throw error;
        }
      };
      // Failing calls first, each with every errno; then it must work, unless it takes the scene apart.
      for (const errno of ERRNOS) {
        for (let index = 0; ; index++) {
          wrapped.reset();
          wrapped.failAt = index;
          wrapped.failWith = Errno[errno];
          const nodes = shared.fs.nodeCount;
          const held = shared.fs.descriptorCount;
          const result = await outcome();
          const failed = wrapped.made[index];
          if (failed === undefined) {
            check(result);
            break;
          }
          rearrange(shared.folder);
          if (failed === 'close' || failed === 'resume' || `${name}: ${index}` in HARMLESS) continue;
          // What may go another way after a failure, with its own errno or without.
          const otherwise = failed === 'openat' && name === 'setlk';
          if (!otherwise) assert.equal(result, -Errno[errno], `${failed} (call ${index}) fails with ${errno}`);
          if (result < 0) {
            assert.equal(shared.fs.nodeCount, nodes, `${failed}: an inode stays known`);
            assert.equal(shared.fs.descriptorCount, held, `${failed}: a descriptor stays counted`);
          }
        }
        rearrange(shared.folder);
      }
      shared.end();
      assert.equal(openDescriptors(), before, 'descriptors are left open');
    });
  }

  /** What an operation has made or taken away is put back, on the host. */
  function rearrange(folder: string): void {
    for (const name of ['new', 'moved', 'folder/new']) {
      fs.rmSync(path.join(folder, name), { recursive: true, force: true });
    }
    fs.mkdirSync(path.join(folder, 'folder'), { recursive: true });
    fs.writeFileSync(path.join(folder, 'unseen'), '');
  }
});
