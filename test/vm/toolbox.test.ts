/** Kernel modules, kernel images, small programs: everything of the guest tools that needs no network. */
import * as assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { gzipSync } from 'node:zlib';
import { elfKernel } from '../../src/vm/kernelImage';
import { lockProgram } from '../../src/vm/lockProgram';
import { dependencies, hasModule, resolveModules } from '../../src/vm/modules';
import { fetchToolbox, kernelFrom, namedKernel } from '../../src/vm/toolbox';
import { programWithLibraries } from '../support/hostPrograms';

describe('guest tools', () => {
  let folder: string;

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'virtiofs-toolbox-test-'));
  });

  afterEach(() => {
    fs.rmSync(folder, { recursive: true, force: true });
  });

  describe('kernel modules', () => {
    const module = (depends: string): Buffer => Buffer.from(`\x7fELF…\0license=GPL\0depends=${depends}\0name=x\0`);

    beforeEach(() => {
      fs.mkdirSync(path.join(folder, 'kernel'));
      fs.writeFileSync(path.join(folder, 'modules.builtin'), 'kernel/drivers/virtio_pci.ko\n');
      const names = ['virtiofs', 'fuse', 'virtio-ring', 'virtio'];
      fs.writeFileSync(path.join(folder, 'modules.order'), names.map((name) => `kernel/${name}.ko\n`).join(''));
      fs.writeFileSync(path.join(folder, 'kernel/virtiofs.ko'), module('fuse,virtio_ring,virtio'));
      fs.writeFileSync(path.join(folder, 'kernel/fuse.ko.gz'), gzipSync(module('')));
      fs.writeFileSync(path.join(folder, 'kernel/virtio-ring.ko'), module('virtio'));
      fs.writeFileSync(path.join(folder, 'kernel/virtio.ko'), module(''));
    });

    it('come with what they depend on, first, once, and without what is built in', () => {
      const names = resolveModules(folder, ['virtio_pci', 'virtiofs']).map(({ name }) => name);
      assert.deepEqual(names, ['fuse', 'virtio', 'virtio_ring', 'virtiofs']);
    });

    it('are decompressed', () => {
      assert.deepEqual(dependencies(resolveModules(folder, ['fuse'])[0].content), []);
      assert.deepEqual(dependencies(module('a-b,c')), ['a_b', 'c']);
    });

    it('that are compressed with what is not here, or not at all, are named', () => {
      const before = process.env['PATH'];
      fs.renameSync(path.join(folder, 'kernel/virtio.ko'), path.join(folder, 'kernel/virtio.ko.xz'));
      try {
        process.env['PATH'] = folder;
        assert.throws(() => resolveModules(folder, ['virtio']), { code: 'toolMissing', remedy: /install xz-utils$/ });
        fs.writeFileSync(path.join(folder, 'xz'), '', { mode: 0o644 });
        assert.throws(() => resolveModules(folder, ['virtio']), {
          code: 'kernelModulesUnusable',
          message: /virtio\.ko: xz cannot be started: permission denied \(EACCES\)$/,
        });
        fs.rmSync(path.join(folder, 'xz'));
        fs.writeFileSync(path.join(folder, 'xz'), '#!/bin/sh\necho "no xz file" >&2\nexit 1\n', { mode: 0o755 });
        assert.throws(() => resolveModules(folder, ['virtio']), {
          code: 'kernelModulesUnusable',
          message: /virtio\.ko: no xz file$/,
        });
      } finally {
        process.env['PATH'] = before;
      }
    });

    it('that are nowhere are named', () => {
      const refused = (name: string, message: RegExp): void =>
        assert.throws(() => resolveModules(folder, [name]), { code: 'kernelModulesUnusable', exitCode: 3, message });
      refused('ext4', /"ext4" is not among them, nor built in$/);
      const file = path.join(folder, 'kernel/virtio.ko');
      fs.rmSync(file);
      refused('virtio', /virtio\.ko: it is listed but not there$/);
      for (const suffix of ['.gz', '.xz']) {
        fs.writeFileSync(file + suffix, 'neither');
        refused('virtio', /virtio\.ko: .*\w/);
        fs.rmSync(file + suffix);
      }
      fs.mkdirSync(file);
      refused('virtio', /illegal operation on a directory \(EISDIR\)$/);
      assert.deepEqual([hasModule(folder, 'virtiofs'), hasModule(folder, 'ext4')], [true, false]);
    });
  });

  it('are not fetched into a path from which they could not be started', async () => {
    const before = process.env['XDG_CACHE_HOME'];
    try {
      for (const sign of [':', ';', '\n']) {
        process.env['XDG_CACHE_HOME'] = path.join(folder, `a${sign}b`);
        await assert.rejects(
          fetchToolbox('current', () => assert.fail('it is tried')),
          { code: 'cachePathBad' },
        );
      }
    } finally {
      if (before === undefined) delete process.env['XDG_CACHE_HOME'];
      else process.env['XDG_CACHE_HOME'] = before;
    }
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  describe('a kernel image', () => {
    it('is refused where it cannot be read', () => {
      const refused = { code: 'kernelUnusable', exitCode: 2 };
      assert.throws(() => namedKernel(folder), { ...refused, message: /it is no file/ });
      assert.throws(() => namedKernel(path.join(folder, 'none')), { ...refused, message: /\(ENOENT\)$/ });
      fs.writeFileSync(path.join(folder, 'vmlinuz-1.0'), '');
      assert.equal(namedKernel(path.join(folder, 'vmlinuz-1.0')).release, '1.0');
    });

    it('that is no zstd-compressed bzImage is left as it is', () => {
      assert.equal(elfKernel(Buffer.alloc(100), ['false']), undefined);
      assert.equal(elfKernel(Buffer.alloc(8192), ['false']), undefined);
    });

    it('gives its payload to the decompressor', () => {
      const image = Buffer.alloc(0x4000);
      image[0x1f1] = 3;
      image.write('HdrS', 0x202, 'latin1');
      image.writeUInt32LE(64, 0x248);
      image.writeUInt32LE(12, 0x24c);
      image.writeUInt32LE(0xfd2fb528, 4 * 512 + 64);
      const decompressor = ['sh', '-c', `[ "$(wc -c)" -eq 8 ] && printf '\\177ELF kernel'`];
      assert.equal(elfKernel(image, decompressor)?.toString('latin1'), '\x7fELF kernel');
    });

    it('is found together with its modules, wherever a package put them', () => {
      const tree = (name: string): string => path.join(folder, name);
      for (const name of ['boot', 'lib/modules/9.9-a', 'usr/lib/modules/9.9-b']) {
        fs.mkdirSync(tree(name), { recursive: true });
      }
      fs.writeFileSync(tree('lib/modules/9.9-a/modules.order'), '');
      fs.writeFileSync(tree('usr/lib/modules/9.9-b/modules.order'), '');
      assert.equal(kernelFrom(tree('boot/vmlinuz-9.9-a')).modulesFolder, tree('lib/modules/9.9-a'));
      const beside = kernelFrom(tree('usr/lib/modules/9.9-b/vmlinuz'));
      assert.deepEqual([beside.release, beside.modulesFolder], ['9.9-b', tree('usr/lib/modules/9.9-b')]);
      assert.equal(kernelFrom(tree('boot/bzImage')).modulesFolder, undefined);
    });
  });

  describe('programs for guests', () => {
    it('come with the loader and the libraries they need', () => {
      const files = programWithLibraries('/bin/sh', '/bin/dash');
      assert.equal(files[0].path, '/bin/dash');
      assert.ok(files.some((file) => /\/ld-linux[^/]*$/.test(file.path)));
      assert.ok(files.some((file) => /libc\.so/.test(file.path)));
      assert.throws(() => programWithLibraries('/no/such/program'), /ENOENT/);
    });

    for (const kind of ['posix', 'flock'] as const) {
      it(`take a ${kind} lock and hold it until their input ends`, async function () {
        if (process.arch !== 'x64') {
          this.skip();
        }
        const program = path.join(folder, 'lock');
        const file = path.join(folder, 'file');
        fs.writeFileSync(program, lockProgram(kind, 'x64'), { mode: 0o755 });
        fs.writeFileSync(file, '');
        const run = (path: string): number | null => spawnSync(program, [path], { input: '' }).status;

        const holder = spawn(program, [file]);
        assert.equal(String(await new Promise((resolve) => holder.stdout.once('data', resolve))), 'locked\n');
        const inode = `:${fs.statSync(file).ino} `;
        const line = fs
          .readFileSync('/proc/locks', 'utf8')
          .split('\n')
          .find((line) => line.includes(inode));
        assert.match(line ?? '', kind === 'posix' ? /POSIX .* WRITE/ : /FLOCK .* WRITE/);
        assert.equal(run(file), os.constants.errno.EAGAIN);
        holder.stdin.end();
        assert.equal(await new Promise((resolve) => holder.once('exit', resolve)), 0);
        assert.equal(run(file), 0);
        assert.equal(run(path.join(folder, 'nothing')), os.constants.errno.ENOENT);
      });
    }
  });
});
