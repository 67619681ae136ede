/**
 * `virtiofs-studio share` as people run it: the command of the bundle, its exit codes, its terminal, and that nothing
 * is left however it ends.
 */
import * as assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SocketMessageReader, SocketMessageWriter, createMessageConnection } from 'vscode-jsonrpc/node';
import { type LauncherState, goodbye, stateChanged, stopGuest } from '../../src/control/launcher';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { toolboxFolder } from '../../src/vm/toolbox';
import { exited } from '../../src/vm/workplace';
import { onPath } from '../../src/vm/onPath';
import { readCaptureFile } from '../bench/readCapture';
import { need } from '../support/need';
import { needGuests } from './bootGuest';

const CLI = path.resolve(__dirname, '../../../dist/cli.js');

describe('virtiofs-studio share', function () {
  this.timeout(120_000);
  let base: string;
  let shared: string;
  let temporary: string;

  before(async function () {
    await needGuests(this);
    assert.ok(fs.existsSync(CLI), 'dist/cli.js is not built');
  });

  beforeEach(() => {
    base = fs.mkdtempSync('/tmp/virtiofs-share-');
    [shared, temporary] = ['shared', 'temporary'].map((name) => path.join(base, name));
    fs.mkdirSync(shared);
    fs.mkdirSync(temporary);
  });

  afterEach(() => fs.rmSync(base, { recursive: true, force: true }));

  const environment = (): NodeJS.ProcessEnv => ({ ...process.env, TMPDIR: temporary, TERM: 'xterm' });
  const share = (...words: string[]): ChildProcess => {
    const accelerator = words.includes('uml') ? [] : ['--accel', 'tcg'];
    return spawn(process.execPath, [CLI, 'share', shared, ...accelerator, ...words], { env: environment() });
  };

  async function finished(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
    let [out, err] = ['', ''];
    child.stdout?.on('data', (chunk) => (out += String(chunk)));
    child.stderr?.on('data', (chunk) => (err += String(chunk)));
    const { code } = await exited(child);
    return { code, out, err };
  }

  /** Command lines of processes that name the test's folder: the guest, the daemon, the janitor. */
  function processes(): string[] {
    return fs
      .readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .map((pid) => {
        try {
          return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        } catch {
          return ''; // It has just ended.
        }
      })
      .filter((line) => line.includes(base));
  }

  async function nothingIsLeft(): Promise<void> {
    for (let tries = 0; tries < 200 && (processes().length > 0 || fs.readdirSync(temporary).length > 0); tries++) {
      await sleep(25);
    }
    assert.deepEqual(processes(), []);
    assert.deepEqual(fs.readdirSync(temporary), []);
  }

  for (const kind of ['qemu', 'uml']) {
    it(`runs a command and ends with its status: ${kind}`, async () => {
      fs.writeFileSync(path.join(shared, 'file'), 'from the host\n');
      const { code, out, err } = await finished(
        share('--guest', kind, '--tag', 'my work', '--command', 'cat file; pwd; echo made >new; exit 42'),
      );
      assert.deepEqual([code, out], [42, 'from the host\n/mnt/my_work\n'], err);
      assert.equal(fs.readFileSync(path.join(shared, 'new'), 'utf8'), 'made\n');
      assert.match(err, /booting a guest/);
      await nothingIsLeft();
    });
  }

  for (const kind of ['qemu', 'uml']) {
    it(`keeps output and errors of a command apart, and gives it what there is to read: ${kind}`, async () => {
      const input = randomBytes(1_000_000);
      const child = share('--guest', kind, '--command', 'echo err >&2; cat; echo "err again" >&2; exit 3');
      const out: Buffer[] = [];
      child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
      child.stdin?.end(input);
      const { code, err } = await finished(child);
      assert.equal(code, 3, err);
      assert.ok(Buffer.concat(out).equals(input));
      assert.match(err, /^err\nerr again\n/m);
      await nothingIsLeft();
    });
  }

  it('keeps output and errors in order where both go into one file, and waits for no input that stays open', async () => {
    const log = path.join(base, 'log');
    const file = fs.openSync(log, 'a');
    const command = 'for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done';
    const words = [CLI, 'share', shared, '--guest', 'uml', '--command', command];
    const child = spawn(process.execPath, words, { env: environment(), stdio: ['pipe', file, file] });
    assert.equal((await exited(child)).code, 0);
    fs.closeSync(file);
    const expected = [1, 2, 3, 4, 5].map((i) => `out ${i}\nerr ${i}\n`).join('');
    assert.ok(fs.readFileSync(log, 'utf8').endsWith(expected), fs.readFileSync(log, 'utf8'));
    child.stdin?.destroy();
    await nothingIsLeft();
  });

  it('shares read-only, and more than one folder', async () => {
    const other = path.join(base, 'other');
    fs.mkdirSync(other);
    const { code, out } = await finished(
      share('--read-only', '--share', `${other}:two`, '--command', '(touch x || touch /mnt/two/x) 2>&1 || ls /mnt'),
    );
    assert.equal(code, 0);
    assert.match(out, /touch: x: Read-only file system\n.*Read-only file system\nshare\ntwo\n/);
  });

  it('says at its end which captures it has written', async () => {
    const other = path.join(base, 'captured');
    fs.mkdirSync(other);
    const capture = path.join(base, 'm.fuse.pcapng');
    const { code, err } = await finished(
      share('--guest', 'uml', '--share', `${other}:two`, '--capture', capture, '--command', 'true'),
    );
    const told = err.trimEnd().split('\n').slice(-2);
    for (const [index, tag] of ['share', 'two'].entries()) {
      const name = path.join(base, `m.${tag}.fuse.pcapng`);
      assert.ok(told[index].startsWith(`capture: "${name}", `), err);
      assert.ok(fs.statSync(name).size > 0);
    }
    assert.equal(code, 0);
  });

  it('ends with 3 and leaves nothing when there is no room for its output', async () => {
    const full = fs.openSync('/dev/full', 'w');
    const words = [CLI, 'share', shared, '--guest', 'uml', '--command', 'echo one; sleep 60'];
    const child = spawn(process.execPath, words, { stdio: ['ignore', full, 'pipe'], env: environment() });
    fs.closeSync(full);
    let err = '';
    child.stderr?.on('data', (chunk) => (err += String(chunk)));
    assert.equal((await exited(child)).code, 3);
    assert.match(err, /error: standard output cannot be written: .*\[stdoutUnusable\]/);
    await nothingIsLeft();
  });

  it('makes faults by rule, which programs in the guest meet', async () => {
    for (const name of ['good', 'bad']) fs.writeFileSync(path.join(shared, name), `${name}\n`);
    const { code, out, err } = await finished(
      share('--guest', 'uml', '--fault', 'errno=EIO READ bad', '--command', 'cat good; cat bad; echo $?'),
    );
    assert.deepEqual([code, out], [0, 'good\n1\n'], err);
    assert.match(err, /^cat: .*Input\/output error$/m);
    assert.equal((await finished(share('--fault', 'errno=EIO REED', '--command', 'true'))).code, 2);
  });

  it('says when the capture cannot be written any more, goes on, and ends with 4', async function () {
    const [disk, kept] = ['disk', 'kept.fuse.pcapng'].map((name) => path.join(base, name));
    fs.mkdirSync(disk);
    const script =
      'mount -t tmpfs -o size=128k small "$1" || exit 99; disk=$1 kept=$2; shift 2; ' +
      '"$@"; status=$?; cp "$disk/capture" "$kept"; exit $status';
    const inNamespace = (...words: string[]): string[] => ['-m', 'sh', '-c', script, 'sh', disk, kept, ...words];
    const { status } = spawnSync('unshare', inNamespace('true'));
    need(this, 'a tmpfs in a mount namespace', status === 0, 'unshare -m and mount are not allowed');
    const words = ['--guest', 'uml', '--capture', path.join(disk, 'capture'), '--command'];
    const run = (command: string): ChildProcess =>
      spawn('unshare', inNamespace(process.execPath, CLI, 'share', shared, ...words, command), {
        env: environment(),
      });
    const busy = 'for i in $(seq 500); do echo $i >file; done; cat file';

    const good = await finished(run(busy));
    assert.deepEqual([good.code, good.out], [4, '500\n'], good.err);
    assert.equal(good.err.match(/\[captureStopped\]/g)?.length, 1, good.err);
    assert.match(good.err, /error: the capture ".*capture" is incomplete: .*ENOSPC.*\n {2}The share goes on/);
    assert.match(good.err, /error: the command has ended, but not all .* capture of "share" \[captureIncomplete\]/);
    readCaptureFile(kept, ({ count, notes }) => {
      assert.ok(count > 50, `${count} requests`);
      assert.deepEqual(notes, []);
    });

    const bad = await finished(run(`${busy}; exit 42`));
    assert.equal(bad.code, 42, 'the status of the command stays its own');
    assert.match(bad.err, /\[captureIncomplete\]/);
    await nothingIsLeft();
  });

  for (const kind of ['qemu', 'uml']) {
    it(`a command waits for whoever reads its output, and nothing is lost: ${kind}`, async () => {
      const [begin, out] = ['begin', 'out'].map((name) => path.join(base, name));
      execFileSync('mkfifo', [begin]);
      const accelerator = kind === 'uml' ? [] : ['--accel', 'tcg'];
      const command = 'echo started >started; seq 300000 | cat; echo done >done; exit 7';
      // A real pipe, whose reader takes nothing before it is told to.
      const script = '{ "$@"; echo $? >"$0/status"; } | { read -r go <"$0/begin"; cat >"$0/out"; }';
      const words = [process.execPath, CLI, 'share', shared, '--guest', kind, ...accelerator, '--command', command];
      const child = spawn('sh', ['-c', script, base, ...words], { env: environment() });
      const over = finished(child);
      const there = (name: string): boolean => fs.existsSync(path.join(shared, name));
      while (!there('started') && child.exitCode === null) await sleep(20);
      // Long enough for a command that does not wait; its output has room in no buffer on the way.
      for (let waited = 0; waited < 100 && !there('done'); waited++) await sleep(20);
      assert.equal(there('done'), false, 'the command has not waited');
      fs.writeFileSync(begin, 'go\n');
      const { err } = await over;
      assert.equal(fs.readFileSync(path.join(base, 'status'), 'utf8'), '7\n', err);
      const lines = fs.readFileSync(out, 'latin1').trimEnd().split('\n');
      assert.equal(lines.length, 300_000);
      assert.ok(lines.every((line, index) => Number(line) === index + 1));
      await nothingIsLeft();
    });
  }

  it('passes words on to the daemon, and refuses those that cannot be before anything starts', async () => {
    fs.writeFileSync(path.join(shared, 'file'), '');
    const noAttributes = ['--guest', 'uml', '--daemon-arg=--no-readdirplus'];
    const capture = path.join(base, 'capture');
    const { code, err } = await finished(share(...noAttributes, '--capture', capture, '--command', 'ls'));
    assert.equal(code, 0, err);
    readCaptureFile(capture, ({ count, columns }) => {
      const opcodes = new Set(Array.from({ length: count }, (_, row) => columns.opcode[row]));
      assert.deepEqual([opcodes.has(Opcode.READDIR), opcodes.has(Opcode.READDIRPLUS)], [true, false]);
    });
    for (const arg of ['--wriiteback', '--socket-path=/s', '--help']) {
      const refused = await finished(share(`--daemon-arg=${arg}`, '--command', 'true'));
      assert.equal(refused.code, 2, refused.err);
      assert.doesNotMatch(refused.err, /booting|starting/);
    }
    await nothingIsLeft();
  });

  it('passes words on to QEMU, and says what QEMU says of them', async () => {
    const { code, err } = await finished(share('--qemu-arg', '-nonsense', '--command', 'true'));
    assert.equal(code, 4);
    assert.match(err, /-nonsense: invalid option/);
    await nothingIsLeft();
  });

  it('refuses what cannot be with status 2', async () => {
    for (const words of [
      ['--tag', 'x'.repeat(37)],
      ['--tag', 'a\nb'],
      ['--tag', ''],
      ['--memory', '1'],
      ['--cpus', '0'],
      ['--guest', 'vmware'],
      ['--share', 'nothing'],
      ['--no-such-option'],
    ]) {
      assert.equal((await finished(share(...words, '--command', 'true'))).code, 2, words.join(' '));
    }
    assert.equal((await finished(share())).code, 2, 'a shell without a terminal');
  });

  describe('leaves nothing', () => {
    async function running(kind: string): Promise<ChildProcess> {
      const child = share('--guest', kind, '--command', 'echo up; sleep 1000');
      await new Promise((resolve) => child.stdout?.once('data', resolve));
      assert.ok(processes().length >= 3, 'the guest, the daemon and the janitor run');
      return child;
    }

    for (const [signal, kind, status] of [
      ['SIGINT', 'qemu', 130],
      ['SIGTERM', 'uml', 143],
      ['SIGHUP', 'qemu', 129],
      ['SIGINT', 'uml', 130],
      ['SIGKILL', 'qemu', null],
      ['SIGKILL', 'uml', null],
    ] as const) {
      it(`after ${signal} with ${kind}`, async () => {
        const child = await running(kind);
        const ended = finished(child);
        child.kill(signal);
        const { code, err } = await ended;
        assert.equal(code, status);
        assert.doesNotMatch(err, /error/, 'whoever ends it knows that');
        await nothingIsLeft();
      });
    }

    it('when it is stopped while the guest boots', async () => {
      const child = share('--command', 'true');
      await new Promise((resolve) => child.stderr?.once('data', resolve));
      await sleep(500);
      child.kill('SIGINT');
      assert.equal((await finished(child)).code, 130);
      await nothingIsLeft();
    });

    it('when an editor stops it while KVM is tried, nor an answer about KVM', async function () {
      need(this, '/dev/kvm', fs.existsSync('/dev/kvm'), 'where there is none, none is tried');
      const cache = path.join(base, 'cache/virtiofs-studio');
      fs.mkdirSync(cache, { recursive: true });
      const toolbox = toolboxFolder('current') ?? assert.fail('no cache');
      fs.symlinkSync(toolbox, path.join(cache, path.basename(toolbox)));
      const control = path.join(base, 'control');
      const states: LauncherState[] = [];
      const editor = createServer((socket) => {
        const launcher = createMessageConnection(new SocketMessageReader(socket), new SocketMessageWriter(socket));
        launcher.onRequest(goodbye, () => null);
        launcher.onNotification(stateChanged, (state) => {
          states.push(state);
          if (state.kind === 'preparing' && state.step === 'kvm') void launcher.sendRequest(stopGuest);
        });
        launcher.listen();
      }).listen(control);
      try {
        await once(editor, 'listening');
        const words = [CLI, 'share', shared, '--control', control, '--command', 'true'];
        const env = { ...environment(), XDG_CACHE_HOME: path.join(base, 'cache') };
        const { code, err } = await finished(spawn(process.execPath, words, { env }));
        assert.equal(code, 0, err);
        assert.deepEqual(states.at(-1), { kind: 'stopped', reason: 'asked', status: 'before it was up' });
        assert.deepEqual(fs.readdirSync(cache), [path.basename(toolbox)]);
        await nothingIsLeft();
      } finally {
        editor.close();
      }
    });

    it('when its parent dies', async () => {
      const words = [CLI, 'share', shared, '--guest', 'uml', '--command', 'echo up; sleep 1000'];
      const program = `
        const child = require('node:child_process').spawn(process.execPath, ${JSON.stringify(words)},
          { stdio: ['ignore', 'pipe', 'ignore'] });
        child.stdout.once('data', () => process.kill(process.pid, 'SIGKILL'));`;
      await exited(spawn(process.execPath, ['-e', program], { env: environment(), stdio: 'ignore' }));
      await nothingIsLeft();
    });

    it('when its daemon is killed', async () => {
      const child = await running('qemu');
      const daemon = fs.readdirSync('/proc').find((pid) => {
        const file = `/proc/${pid}/cmdline`;
        return (
          /^\d+$/.test(pid) && fs.existsSync(file) && fs.readFileSync(file, 'utf8').includes(`--shared-dir=${shared}`)
        );
      });
      process.kill(Number(daemon), 'SIGKILL');
      await sleep(300);
      child.kill('SIGTERM');
      await finished(child);
      await nothingIsLeft();
    });
  });

  for (const kind of ['qemu', 'uml']) {
    it(`a terminal shows one prompt, lines that end as lines do, and nothing of the kernel: ${kind}`, async function () {
      need(this, 'script', onPath('script') !== undefined, 'the program of bsdutils is not installed');
      const accelerator = kind === 'uml' ? '' : ' --accel tcg';
      const command = `exec ${process.execPath} ${CLI} share ${shared} --guest ${kind}${accelerator}`;
      const terminal = spawn('script', ['-qec', command, '/dev/null'], { env: environment() });
      let screen = '';
      terminal.stdout.on('data', (chunk) => (screen += String(chunk)));
      const until = async (text: string): Promise<void> => {
        for (let tries = 0; !screen.includes(text); tries++) {
          assert.ok(tries < 1200, `"${text}" does not come:\n${screen}`);
          await sleep(25);
        }
      };
      await until('share# ');
      terminal.stdin.write('echo th""ere\r');
      await until('there\r\n');
      terminal.stdin.write('exit\r');
      assert.equal((await exited(terminal)).code, 0);
      const shown = screen.slice(screen.indexOf('ends the guest at once.'));
      assert.equal(shown.match(/guest:\/mnt\/share# /g)?.length, 2, shown);
      assert.match(shown, /^ends the guest at once\.(\r\n){3}BusyBox/);
      assert.ok(shown.endsWith('exit\r\n'), JSON.stringify(shown));
      assert.doesNotMatch(shown, /\r\r|reboot|Power/);
      await nothingIsLeft();
    });
  }

  it('gives a shell on a terminal, with job control, the right size, and Ctrl-C for the guest', async function () {
    need(this, 'script', onPath('script') !== undefined, 'the program of bsdutils is not installed');
    const command = `stty rows 40 cols 100; exec ${process.execPath} ${CLI} share ${shared} --guest uml`;
    const terminal = spawn('script', ['-qec', command, '/dev/null'], { env: environment() });
    let screen = '';
    terminal.stdout.on('data', (chunk) => (screen += String(chunk)));
    const seen = async (text: RegExp): Promise<void> => {
      for (let tries = 0; !text.test(screen); tries++) {
        assert.ok(tries < 600, `"${text}" does not come:\n${screen}`);
        await sleep(25);
      }
      screen = '';
    };
    await seen(/guest:\/mnt\/share# /);
    terminal.stdin.write('stty size; echo made >by-hand; tty\r');
    await seen(/40 100\s+\/dev\/tty0\s/);
    terminal.stdin.write('sleep 1000\r');
    await sleep(300);
    terminal.stdin.write('\x03');
    await seen(/\^C/);
    terminal.stdin.write('sleep 500 & jobs\r');
    await seen(/\[1\]\+? +Running +sleep 500/);
    terminal.stdin.write('exit\r');
    assert.equal((await exited(terminal)).code, 0);
    assert.equal(fs.readFileSync(path.join(shared, 'by-hand'), 'utf8'), 'made\n');
    await nothingIsLeft();
  });

  it('gives the guest the size of a terminal that changes, by no request of the guest', async function () {
    need(this, 'script', onPath('script') !== undefined, 'the program of bsdutils is not installed');
    const [name, capture] = [path.join(base, 'tty'), path.join(base, 'c.fuse.pcapng')];
    const words = `share ${shared} --guest uml --cache never --capture ${capture}`;
    const command = `stty rows 40 cols 100; tty >${name}; exec ${process.execPath} ${CLI} ${words}`;
    const terminal = spawn('script', ['-qec', command, '/dev/null'], { env: environment() });
    let screen = '';
    terminal.stdout.on('data', (chunk) => (screen += String(chunk)));
    const seen = async (text: RegExp, type?: string): Promise<void> => {
      for (let tries = 0; !text.test(screen); tries++) {
        assert.ok(tries < 600, `"${text}" does not come:\n${screen}`);
        if (type !== undefined && tries % 10 === 0) terminal.stdin.write(type);
        await sleep(25);
      }
      screen = '';
    };
    await seen(/guest:\/mnt\/share# /);
    terminal.stdin.write('cd /; ls /mnt/share/before; echo is $?\r');
    await seen(/is 1\s/);
    execFileSync('stty', ['-F', fs.readFileSync(name, 'utf8').trim(), 'rows', '50', 'cols', '120']);
    await seen(/50 120\s/, 'stty size\r');
    terminal.stdin.write('ls /mnt/share/after; echo is $?\r');
    await seen(/is 1\s/);
    terminal.stdin.write('exit\r');
    assert.equal((await exited(terminal)).code, 0);
    readCaptureFile(capture, (read) => {
      const { count, columns } = read;
      const paths = Array.from({ length: count }, (_, row) => read.path(columns.path[row]));
      const [from, to] = ['/before', '/after'].map((looked) => paths.indexOf(looked));
      assert.ok(from >= 0 && to > from, paths.join(' '));
      const pids = columns.pid.slice(from, to + 1);
      const others = paths.slice(from, to).filter((_, at) => ![pids[0], pids.at(-1)].includes(pids[at]));
      assert.deepEqual(others, []);
    });
    await nothingIsLeft();
  });

  it('ends the guest at once with Ctrl-]', async function () {
    need(this, 'script', onPath('script') !== undefined, 'the program of bsdutils is not installed');
    const command = `exec ${process.execPath} ${CLI} share ${shared} --guest uml`;
    const terminal = spawn('script', ['-qec', command, '/dev/null'], { env: environment() });
    let screen = '';
    terminal.stdout.on('data', (chunk) => (screen += String(chunk)));
    for (let tries = 0; !screen.includes('guest:/mnt/share# ') && tries < 600; tries++) {
      await sleep(25);
    }
    terminal.stdin.write('\x1d');
    await exited(terminal);
    await nothingIsLeft();
  });
});

describe('virtiofs-studio doctor', function () {
  this.timeout(60_000);

  it('finds this machine fit, and says so in words and in JSON', async function () {
    await needGuests(this);
    const words = spawnSync(process.execPath, [CLI, 'doctor'], { encoding: 'utf8' });
    assert.equal(words.status, 0, words.stdout + words.stderr);
    assert.match(words.stdout, /^ok +QEMU +QEMU emulator version \d+/m);
    const { stdout } = spawnSync(process.execPath, [CLI, 'doctor', '--json'], { encoding: 'utf8' });
    const findings = JSON.parse(stdout) as { subject: string; verdict: string; fix?: string }[];
    assert.ok(findings.every(({ verdict, fix }) => verdict === 'ok' || fix !== undefined));
    for (const subject of ['Node.js', 'koffi', 'QEMU', 'KVM', 'guest kernel', 'User Mode Linux', 'memory']) {
      assert.ok(
        findings.some((finding) => finding.subject === subject),
        subject,
      );
    }
  });
});
