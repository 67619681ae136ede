import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { VERSION } from '../../src/base/version';

/** The built command line, as people start it. */
function cli(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['dist/cli.js', ...args], { encoding: 'utf8', timeout: 30_000 });
}

describe('virtiofs-studio on the command line', () => {
  it('lists its commands', () => {
    const { status, stdout } = cli('--help');
    assert.equal(status, 0);
    for (const command of ['share', 'trace', 'export', 'compare', 'doctor', 'daemon'])
      assert.match(stdout, new RegExp(`^  ${command} `, 'm'));
  });

  it('has a help text for each command', () => {
    for (const command of ['share', 'trace', 'export', 'compare', 'doctor', 'daemon', 'demo']) {
      const { status, stdout } = cli(command, '--help');
      assert.equal(status, 0, command);
      assert.match(stdout, new RegExp(`^Usage: virtiofs-studio ${command}`), command);
      assert.doesNotMatch(stdout, /default:\s+(false|\[\])/, command);
    }
  });

  it('prints its help for help, however that is asked for', () => {
    const { stdout } = cli('--help');
    for (const words of [['help'], ['help', '--help'], ['help', '-h']]) {
      const said = cli(...words);
      assert.deepEqual([said.status, said.stdout, said.stderr], [0, stdout, ''], words.join(' '));
    }
    const inner = cli('wireshark', 'help', '--help');
    assert.equal(inner.status, 0);
    assert.match(inner.stdout, /^Usage: virtiofs-studio wireshark/);
    assert.match(cli('help', 'trace').stdout, /^Usage: virtiofs-studio trace/);
    assert.equal(cli('help', 'nothing').status, 2);
  });

  it('knows its version', () => {
    assert.equal(cli('--version').stdout, `${VERSION}\n`);
    assert.equal(cli('daemon', '--version').stdout, `virtiofs-studio daemon ${VERSION}\n`);
  });

  it('ends with 2 and says why when it is asked for something wrong', () => {
    for (const [args, why] of [
      [[], /^Usage:/m],
      [['frobnicate'], /unknown command 'frobnicate'/],
      [['share', '--frobnicate'], /unknown option '--frobnicate'/],
      [['share', '--guest', 'amiga', '.'], /Allowed choices are qemu, uml/],
      [['share', '--guest', 'uml', '--kernel', '/boot/x', '--command', 'true', '.'], /--kernel is for QEMU only/],
      [['share', 'a', 'b'], /"b" is one more \[foldersTooMany\]\n.*--share DIR:TAG/],
      [['share', '--command', ' ', '.'], /nothing to run \[commandEmpty\]/],
      [['daemon', '--read-only'], /did you mean --readonly\?/],
      [['share', '--daemon-arg=--writebak', '--command', 'true', '.'], /did you mean --writeback\?/],
      [['share', '--daemon-arg=writeback', '--command', 'true', '.'], /did you mean --writeback\?/],
      [['share', '--inspect-daemon=x', '--command', 'true', '.'], /--inspect-daemon: "x" is not a number/],
      [['share', '--memory=2000G', '--command', 'true', '.'], /"2000G" is not a size from 96M to 1024G/],
      [['share', '--kernel=/', '--command', 'true', '.'], /"\/" cannot be read as a kernel: it is no file/],
      [['daemon', '--shared-dir=/', '-o', 'cahce=none'], /unknown option -o cahce; did you mean -o cache\?/],
      [['trace', '/dev/null'], /"\/dev\/null" is no regular file \[captureOfNoFile\]/],
      [['trace', 'x.pcapng', '--json', '--hex'], /--hex and --json do not go together/],
      [['demo', '--capture', '-'], /\[captureDash\]/],
      [['trace', 'x.pcapng', '--limit=1e3'], /"1e3" is not a number from 1 to/],
      [['share', '--dax-mount', 'always', '--command', 'true', '.'], /--dax-mount without a DAX window/],
      [['share', '--tag', 'a\nb', '--command', 'true', '.'], /newline/],
      [['share', '--tag', 'x'.repeat(37), '--command', 'true', '.'], /37 bytes/],
      [['daemon', '--frobnicate'], /unknown option --frobnicate/],
      [['daemon'], /no folder to share/],
      [['daemon', '--shared-dir=/', '--fd=3', '--sandbox=chroot'], /--sandbox=chroot is not implemented/],
    ] as const) {
      const { status, stdout, stderr } = cli(...args);
      assert.equal(status, 2, args.join(' '));
      assert.match(stderr, why);
      assert.equal(stdout, '');
    }
  });

  it('says whose help there is after a wrong option', () => {
    for (const words of [[], ['share'], ['trace'], ['wireshark', 'install']]) {
      const hint = `("${['virtiofs-studio', ...words].join(' ')} --help" shows what there is.)`;
      assert.equal(
        cli(...words, '--frobnicate')
          .stderr.trimEnd()
          .split('\n')
          .at(-1),
        hint,
      );
    }
  });

  it('ends with 3 when the machine lacks something', () => {
    const { status, stderr } = cli('daemon', '--shared-dir=/nonexistent', '--socket-path=/nonexistent/socket');
    assert.equal(status, 3);
    assert.match(stderr, /\/nonexistent/);
  });

  it('says so where the folder that it was started in is not there any more', () => {
    const gone = mkdtempSync(join(tmpdir(), 'virtiofs-cli-'));
    const script = `cd "${gone}" && rmdir "${gone}" && exec "$0" "$@"`;
    for (const words of [
      ['share', '--command', 'true'],
      ['share', '/', '--capture', 'c', '--command', 'true'],
    ]) {
      const line = ['-c', script, process.execPath, join(process.cwd(), 'dist/cli.js'), ...words];
      const { status, stderr } = spawnSync('/bin/sh', line, { encoding: 'utf8' });
      assert.equal(status, 3, stderr);
      assert.match(stderr, /^error: the current folder cannot be found: .*ENOENT.* \[currentFolderGone\]$/m);
      mkdirSync(gone);
    }
    rmSync(gone, { recursive: true });
  });

  it('ends before anything is started when there can be no such capture', () => {
    const folder = mkdtempSync(join(tmpdir(), 'virtiofs-cli-'));
    const own = join(folder, 'own.txt');
    writeFileSync(own, 'mine');
    const serve = ['daemon', `--shared-dir=${folder}`, `--socket-path=${folder}/socket`];
    const boot = ['share', folder, '--command', 'true'];
    try {
      for (const [args, code, status] of [
        [['--capture', own], 'captureTaken', 2],
        [['--capture', '-'], 'captureDash', 2],
        [['--capture', `${folder}/none/c`], 'captureUnusable', 3],
        [['--capture', folder], 'captureUnusable', 3],
        [['--capture-limit', '8M'], 'captureLimitAlone', 2],
        [['--capture', `${folder}/c`, '--capture-limit', '1k'], /numberBad|optionBadValue/, 2],
        [['--snaplen', '1M'], /numberBad|optionBadValue/, 2],
      ] as const) {
        for (const command of [serve, boot]) {
          const ended = cli(...command, ...args);
          const [told, remedy, ...more] = ended.stderr.trimEnd().split('\n');
          assert.equal(ended.status, status, ended.stderr);
          assert.match(told, /^error: .* \[\w+\]$/);
          assert.match(told, new RegExp(code));
          assert.ok(remedy.startsWith('  '), ended.stderr);
          assert.deepEqual(more, [], 'nothing but the error');
        }
      }
      assert.equal(readFileSync(own, 'utf8'), 'mine');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('ends as it would have when nobody reads its output', async () => {
    for (const args of [['--help'], ['share', '--help']]) {
      const child = spawn(process.execPath, ['dist/cli.js', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
      child.stdout.destroy();
      const complaints = text(child.stderr);
      const status = await new Promise((resolve) => child.once('close', resolve));
      assert.deepEqual([status, await complaints], [0, '']);
    }
  });

  it('tells libvirt what it can do', () => {
    assert.deepEqual(JSON.parse(cli('daemon', '--print-capabilities').stdout), {
      type: 'fs',
      features: ['separate-options'],
    });
  });
});
