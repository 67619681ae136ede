import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VERSION } from '../../src/base/version';
import { dissectorLua } from '../../src/trace/dissector/dissector';
import { CaptureBuilder } from '../trace/captureBuilder';
import { need } from '../support/need';

describe('virtiofs-studio wireshark', function () {
  this.timeout(30_000);
  let home: string;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'virtiofs-home-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  /** The built command line with a HOME of its own; `path`: where it looks for tshark. */
  function wireshark(
    args: readonly string[],
    path = process.env.PATH,
  ): { status: number | null; out: string; err: string } {
    const env = { HOME: home, PATH: path };
    const options = { encoding: 'utf8', timeout: 30_000, env } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/cli.js', 'wireshark', ...args], options);
    return { status, out: stdout, err: stderr };
  }

  const folder = (): string => join(home, '.local/lib/wireshark/plugins');

  for (const [how, path] of [
    ['by itself', '/nonexistent'],
    ['as tshark says, where it is there', process.env.PATH],
  ] as const) {
    it(`finds the folder of the user's plugins ${how}`, () => {
      const { status, out } = wireshark(['install'], path);
      assert.equal(status, 0);
      const [file] = readdirSync(folder());
      assert.match(out, new RegExp(`^Installed ${join(folder(), file)}\n`));
      assert.match(out, /"virtiofs-studio wireshark uninstall" removes it/);
      assert.equal(readFileSync(join(folder(), file), 'utf8'), dissectorLua(VERSION));
      assert.deepEqual(readdirSync(folder()), ['virtiofs-studio.lua']);
    });
  }

  it('asks tshark, and believes it', () => {
    const bin = join(home, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'tshark'), `#!/bin/sh\nprintf 'Personal Lua Plugins:\\t\\t${home}/else where\\n'\n`, {
      mode: 0o755,
    });
    assert.equal(wireshark(['install'], `${bin}:/usr/bin:/bin`).status, 0);
    assert.deepEqual(readdirSync(join(home, 'else where')), ['virtiofs-studio.lua']);
  });

  it('installs into the folder it is given, again over its own file, and removes it', () => {
    const dir = join(home, 'a/b');
    assert.equal(wireshark(['install', '--dir', dir]).status, 0);
    const file = join(dir, 'virtiofs-studio.lua');
    const [mark] = dissectorLua(VERSION).split('\n');
    writeFileSync(file, `${mark}\n-- an older one\n`);
    assert.equal(wireshark(['install', '--dir', dir]).status, 0);
    assert.equal(readFileSync(file, 'utf8'), dissectorLua(VERSION));
    assert.match(wireshark(['uninstall', '--dir', dir]).out, /^Removed /);
    assert.ok(!existsSync(file));
    const again = wireshark(['uninstall', '--dir', dir]);
    assert.equal(again.status, 0);
    assert.match(again.out, /^Nothing to remove/);
  });

  it("leaves somebody else's file alone", () => {
    const file = join(home, 'virtiofs-studio.lua');
    writeFileSync(file, '-- mine\n');
    for (const what of ['install', 'uninstall']) {
      const { status, err } = wireshark([what, '--dir', home]);
      assert.equal(status, 2);
      assert.match(err, /not the dissector of virtiofs-studio \[dissectorForeign\]/);
      assert.equal(readFileSync(file, 'utf8'), '-- mine\n');
    }
  });

  it('says why it cannot write', () => {
    writeFileSync(join(home, 'file'), '');
    const { status, err } = wireshark(['install', '--dir', join(home, 'file/folder')]);
    assert.equal(status, 3);
    assert.match(err, /cannot be written or removed: not a directory \(ENOTDIR\) \[dissectorUnusable\]/);
    assert.deepEqual(readdirSync(home), ['file']);
  });

  it('prints it', () => {
    const { status, out } = wireshark(['print']);
    assert.equal(status, 0);
    assert.equal(out, dissectorLua(VERSION));
  });

  it('is then used by tshark, without any preference', function () {
    need(this, 'tshark', spawnSync('tshark', ['--version']).status === 0, 'not on PATH');
    assert.equal(wireshark(['install']).status, 0);
    const file = join(home, 'a.fuse.pcapng');
    writeFileSync(file, new CaptureBuilder().exchange('READLINK', { outPayload: 'target' }).bytes());
    // Not as root, who gets no plugins of the user from Wireshark 4.4 on.
    chmodSync(home, 0o755);
    const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const env = { HOME: home, PATH: process.env.PATH };
    const { stdout } = spawnSync('tshark', ['-r', file, '-Y', 'fuse.readlink.reply.data'], {
      encoding: 'utf8',
      env,
      ...user,
    });
    assert.match(stdout, /FUSE .* READLINK -> "target"/);
  });

  it('has help', () => {
    for (const args of [['--help'], ['install', '--help'], ['uninstall', '--help'], ['print', '--help']]) {
      const { status, out } = wireshark(args);
      assert.equal(status, 0);
      assert.match(out, /^Usage: virtiofs-studio wireshark/);
    }
    assert.equal(wireshark([]).status, 2);
  });
});
