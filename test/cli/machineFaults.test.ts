/**
 * Ordinary conditions of a machine (read-only, full, missing, forbidden) are told as such, with a remedy, or done
 * without; never as a fault of the program. The mounts are those of private namespaces.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import { existingFolder } from '../../src/cli/guestOptions';
import { cached, cacheFolder } from '../../src/vm/cacheFolder';
import { lockFile } from '../../src/vm/fileLock';
import { probeKvm } from '../../src/vm/kvm';
import { onPath } from '../../src/vm/onPath';
import { aptIsHere } from '../../src/vm/privateApt';
import { toolboxFolder } from '../../src/vm/toolbox';
import { QEMU_MODULES } from '../../src/vm/qemuArguments';
import { UML_MODULES } from '../../src/vm/umlArguments';
import { need } from '../support/need';

const CLI = path.resolve(__dirname, '../../../dist/cli.js');
/** `sh -c MOUNTED sh FOLDER OPTIONS COMMAND…`: COMMAND where a tmpfs with OPTIONS is at FOLDER. */
const MOUNTED = 'mount --make-rprivate / && mount -t tmpfs -o "$2" tmpfs "$1" && shift 2 && exec "$@"';

describe('a machine on which', () => {
  let base: string;
  let place: string;
  let environment: NodeJS.ProcessEnv;
  let before: readonly (readonly [string, string | undefined])[];

  beforeEach(() => {
    before = ['HOME', 'XDG_CACHE_HOME'].map((name) => [name, process.env[name]] as const);
    base = fs.mkdtempSync(path.join(os.tmpdir(), 'virtiofs-machine-'));
    fs.chmodSync(base, 0o755);
    place = path.join(base, 'place');
    fs.mkdirSync(place);
    environment = { ...process.env, XDG_CACHE_HOME: path.join(base, 'cache') };
  });

  afterEach(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    fs.rmSync(base, { recursive: true });
  });

  /** Guest tools that boot nothing, but get as far as that. */
  function makeTools(): void {
    const name = path.basename(toolboxFolder('current') ?? assert.fail('no cache'));
    const tools = path.join(base, 'cache/virtiofs-studio', name);
    for (const modules of ['usr/lib/modules/1.0', 'usr/lib/uml/modules/1.0']) {
      fs.mkdirSync(path.join(tools, modules), { recursive: true });
      const names = [...QEMU_MODULES, ...UML_MODULES].map((module) => `kernel/${module}.ko\n`).join('');
      fs.writeFileSync(path.join(tools, modules, 'modules.builtin'), names);
      fs.writeFileSync(path.join(tools, modules, 'modules.order'), '');
    }
    fs.mkdirSync(path.join(tools, 'usr/bin'));
    fs.writeFileSync(path.join(tools, 'usr/bin/busybox'), Buffer.alloc(1 << 20, 'no zeros'));
  }

  function assertTold(words: readonly string[], code: string, why: RegExp): void {
    const { status, stderr } = spawnSync(words[0], words.slice(1), { env: environment, encoding: 'utf8', cwd: '/' });
    const told = stderr.split('\n').filter((line) => !/^ *\d+\.\d s {2}/.test(line));
    assert.match(told[0], new RegExp(`^error: .* \\[${code}\\]$`), stderr);
    assert.match(told[0], why);
    assert.match(told[1], /^ {2}\S/);
    assert.deepEqual(told.slice(2), [''], 'nothing but the error');
    assert.equal(status, 3);
  }

  const cli = (...words: string[]): string[] => [process.execPath, CLI, ...words];

  /** `words` run where `place` is a tmpfs of its own. */
  function mounted(context: Mocha.Context, options: string, words: readonly string[]): string[] {
    const namespace = ['unshare', '-m', 'sh', '-c', MOUNTED, 'sh', place, options];
    const possible = spawnSync(namespace[0], [...namespace.slice(1), 'true']).status === 0;
    need(context, 'a mount namespace', possible, 'unshare -m and mount do not work for this user');
    return [...namespace, ...words];
  }

  /** In this process: what it may do is another user's business for a moment. */
  async function asUser<T>(context: Mocha.Context, uid: number, action: () => T | Promise<T>): Promise<T> {
    need(context, 'root', process.geteuid?.() === 0, 'only root can be somebody else');
    process.seteuid?.(uid);
    try {
      return await action();
    } finally {
      process.seteuid?.(0);
    }
  }

  it('the folder to share may not be entered or looked at', async function () {
    fs.mkdirSync(path.join(place, 'inner'));
    fs.chmodSync(place, 0);
    await asUser(this, 65534, () => {
      for (const folder of [place, path.join(place, 'inner')])
        assert.throws(() => existingFolder(folder), {
          code: 'sharedDirUnusable',
          message: /permission denied \(EACCES\)/,
        });
    });
  });

  it('the cache is read-only and has no guest tools', function () {
    need(this, 'apt', aptIsHere() && process.arch === 'x64', 'where there is none, nothing is fetched into a cache');
    environment['XDG_CACHE_HOME'] = place;
    const words = cli('share', base, '--guest', 'uml', '--command', 'true');
    assertTold(mounted(this, 'ro', words), 'cacheUnusable', /read-only file system \(EROFS\)/);
    // Without the machine's own tools; apt is there by whatever path it was found.
  });

  it('the cache is read-only, as doctor has it', function () {
    need(this, 'apt', aptIsHere() && process.arch === 'x64', 'where there is none, nothing is fetched into a cache');
    environment['XDG_CACHE_HOME'] = place;
    const looked = mounted(this, 'ro', cli('doctor', '--json'));
    const { stdout } = spawnSync(looked[0], looked.slice(1), { env: environment, encoding: 'utf8', cwd: '/' });
    const findings = JSON.parse(stdout) as { subject: string; verdict: string; found: string; fix?: string }[];
    const tools = findings.find(({ subject }) => subject === 'guest tools');
    need(this, 'no tools', tools?.verdict !== 'ok', 'this machine has its own, and needs no cache');
    assert.match(tools?.found ?? '', /cannot be kept in .*read-only file system \(EROFS\)/, stdout);
    assert.equal(tools?.verdict, 'missing');
    assert.ok(findings.every(({ fix }) => !fix?.includes('share --command')));
  });

  it('the folder for the dissector would be on a read-only file system', function () {
    const words = cli('wireshark', 'install', '--dir', path.join(place, 'lua/plugins'));
    assertTold(mounted(this, 'ro', words), 'dissectorUnusable', /read-only file system \(EROFS\)/);
  });

  it('this user has no home folder', async function () {
    delete process.env['HOME'];
    delete process.env['XDG_CACHE_HOME'];
    await asUser(this, 54321, async () => {
      assert.equal(cacheFolder(), undefined);
      await assert.rejects(
        cached('thing', async () => {}),
        { code: 'cacheNowhere' },
      );
    });
  });

  it('the answer about KVM cannot be kept', async function () {
    const there = fs.existsSync('/dev/kvm');
    need(this, '/dev/kvm', there, 'where there is none, none is tried');
    fs.writeFileSync(path.join(place, 'file'), '');
    process.env['XDG_CACHE_HOME'] = path.join(place, 'file');
    const said: string[] = [];
    const busybox = onPath('true') ?? assert.fail('no true');
    const kernel = { image: '/none', release: '1.0' };
    const tools = { name: 'none', machine: 'x64', qemu: ['false'], kernel, busybox } as const;
    const { works } = await probeKvm(tools, (line) => said.push(line));
    assert.equal(works, false);
    assert.match(said.at(-1) ?? '', /not kept .*: not a directory \(ENOTDIR\)/);
  });

  it('the guest tools are half removed', () => {
    makeTools();
    fs.rmSync(
      path.join(base, 'cache/virtiofs-studio', fs.readdirSync(path.join(base, 'cache/virtiofs-studio'))[0], 'usr/lib'),
      {
        recursive: true,
      },
    );
    assertTold(cli('share', base, '--guest', 'uml', '--command', 'true'), 'toolsDamaged', /ENOENT/);
  });

  for (const [how, options, why] of [
    ['is not there', undefined, /no such file or directory \(ENOENT\)/],
    ['is read-only', 'ro', /read-only file system \(EROFS\)/],
    ['is full', 'size=64k', /no space left on device \(ENOSPC\)/],
  ] as const) {
    it(`the folder for temporary files ${how}`, function () {
      makeTools();
      environment['TMPDIR'] = options === undefined ? path.join(base, 'none') : place;
      const words = cli('share', base, '--accel', 'tcg', '--command', 'true');
      assertTold(options === undefined ? words : mounted(this, options, words), 'temporaryUnusable', why);
    });
  }

  it('the folder of the demo is read-only or full', function () {
    makeTools();
    const words = cli('demo', '--guest', 'uml', place);
    assertTold(mounted(this, 'ro', words), 'demoFolderUnusable', /read-only file system \(EROFS\)/);
    assertTold(mounted(this, 'size=64k', words), 'demoFolderUnusable', /no space left on device \(ENOSPC\)/);
  });

  it('the capture of a daemon is refused when its socket is there already: that goes', () => {
    const socket = path.join(place, 'socket');
    const shared = path.join(base, 'shared');
    fs.mkdirSync(shared);
    const words = cli('daemon', `--shared-dir=${shared}`, `--socket-path=${socket}`, `--capture=${socket}`);
    assertTold([...words, '--log-level=warn'], 'captureUnusable', /ENXIO/);
    assert.ok(!fs.existsSync(socket));
  });

  it('a daemon is told to end as soon as it has its socket: that goes', async () => {
    const socket = path.join(place, 'socket');
    const [program, ...words] = cli('daemon', `--shared-dir=${base}`, `--socket-path=${socket}`);
    const daemon = spawn(program, words, { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
    const complaints = text(daemon.stderr);
    // Without a pause: the moment after is what matters.
    for (const begun = Date.now(); !fs.existsSync(socket);) assert.ok(Date.now() - begun < 10_000, 'no socket');
    daemon.kill('SIGTERM');
    const status = await new Promise((resolve) => daemon.once('exit', resolve));
    assert.equal(status, 0, await complaints);
    assert.ok(!fs.existsSync(socket));
  });

  it('the demo is told to end while another run fetches the guest tools: it says for whom it waits, and ends', async function () {
    need(this, 'apt', aptIsHere() && process.arch === 'x64', 'where there is none, nothing is fetched');
    const cache = path.join(base, 'cache/virtiofs-studio');
    const tools = path.basename(toolboxFolder('current') ?? assert.fail('no cache'));
    fs.mkdirSync(cache, { recursive: true });
    const held = await lockFile(path.join(cache, `${tools}.lock`), () => {}, undefined);
    try {
      const [program, ...words] = cli('demo', '--guest', 'uml', place);
      const demo = spawn(program, words, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      const waits = new Promise<void>((resolve) => {
        demo.stdout.on('data', (chunk) => (said += String(chunk)).includes('waiting for it') && resolve());
      });
      const ended = new Promise((resolve) => demo.once('exit', resolve));
      await Promise.race([waits, ended]);
      demo.kill('SIGTERM');
      assert.equal(await ended, 128 + os.constants.signals.SIGTERM, said);
      assert.match(said, new RegExp(`process ${process.pid} is fetching them`));
      assert.deepEqual([fs.readdirSync(place), fs.readdirSync(cache)], [[], [`${tools}.lock`]]);
    } finally {
      held.release();
    }
  });
});
