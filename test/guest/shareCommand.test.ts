/** `virtiofs-studio share --command` as people run it: what goes in and comes out, what is refused, exit codes. */
import * as assert from 'node:assert/strict';
import { execFileSync, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Opcode } from '../../src/protocol/fuse/opcodes';
import { exited } from '../../src/vm/workplace';
import { readCaptureFile } from '../bench/readCapture';
import { need } from '../support/need';
import { CLI, finished, useShare } from './shareProcess';

describe('virtiofs-studio share --command', function () {
  this.timeout(120_000);
  const at = useShare();

  for (const kind of ['qemu', 'uml']) {
    it(`runs a command and ends with its status: ${kind}`, async () => {
      fs.writeFileSync(path.join(at.shared, 'file'), 'from the host\n');
      const { code, out, err } = await finished(
        at.share('--guest', kind, '--tag', 'my work', '--command', 'cat file; pwd; echo made >new; exit 42'),
      );
      assert.deepEqual([code, out], [42, 'from the host\n/mnt/my_work\n'], err);
      assert.equal(fs.readFileSync(path.join(at.shared, 'new'), 'utf8'), 'made\n');
      assert.match(err, /booting a guest/);
      await at.nothingIsLeft();
    });
  }

  for (const kind of ['qemu', 'uml']) {
    it(`keeps output and errors of a command apart, and gives it what there is to read: ${kind}`, async () => {
      const input = randomBytes(1_000_000);
      const child = at.share('--guest', kind, '--command', 'echo err >&2; cat; echo "err again" >&2; exit 3');
      const out: Buffer[] = [];
      child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
      child.stdin?.end(input);
      const { code, err } = await finished(child);
      assert.equal(code, 3, err);
      assert.ok(Buffer.concat(out).equals(input));
      assert.match(err, /^err\nerr again\n/m);
      await at.nothingIsLeft();
    });
  }

  it('gives a command pipes to write to, no terminal that it would lay its output out for', async () => {
    for (const name of ['one', 'two']) fs.writeFileSync(path.join(at.shared, name), '');
    const command = `[ -t 1 ] || [ -t 2 ] || ls; trap 'kill -9 0' EXIT; exit 3`;
    const { code, out, err } = await finished(at.share('--guest', 'uml', '--command', command));
    assert.deepEqual([code, out], [128 + 9, 'one\ntwo\n'], err);
    await at.nothingIsLeft();
  });

  for (const kind of ['qemu', 'uml']) {
    it(`ends when a command kills all programs of its guest: ${kind}`, async () => {
      // Its input stays open, as that of a service may.
      const { code, err } = await finished(at.share('--guest', kind, '--command', 'echo out; kill -9 -1'));
      assert.equal(code, 4, err);
      assert.match(err, /the command has ended every program of the guest.* \[guestProgramsGone\]/);
      await at.nothingIsLeft();
    });
  }

  it('ends when a command reboots the guest', async () => {
    const { code, err } = await finished(at.share('--guest', 'uml', '--command', 'reboot -f; sleep 60'));
    assert.equal(code, 4);
    assert.match(err, /the guest ended before the command did: reboot -f; sleep 60 \[guestGone\]/);
    await at.nothingIsLeft();
  });

  for (const kind of ['qemu', 'uml']) {
    it(`runs a long command, and hears after it that it is to power off: ${kind}`, async () => {
      const capture = path.join(at.base, 'c.fuse.pcapng');
      // Near the longest word that Linux gives a program.
      const command = `echo begin; : ${'x'.repeat(120_000)}\ncat; exit 6`;
      const child = at.share('--guest', kind, '--capture', capture, '--command', command);
      child.stdin?.end('read\n');
      const { code, out, err } = await finished(child);
      assert.deepEqual([code, out], [6, 'begin\nread\n'], err);
      readCaptureFile(capture, ({ count, columns }) => {
        assert.equal(columns.opcode[count - 1], Opcode.DESTROY, 'the guest was not killed but has unmounted');
      });
      await at.nothingIsLeft();
    });
  }

  it('keeps output and errors in order where both go into one file, and waits for no input that stays open', async () => {
    const log = path.join(at.base, 'log');
    const file = fs.openSync(log, 'a');
    const command = 'for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done';
    const words = [CLI, 'share', at.shared, '--guest', 'uml', '--command', command];
    const child = at.spawn(process.execPath, words, { stdio: ['pipe', file, file] });
    assert.equal((await exited(child)).code, 0);
    fs.closeSync(file);
    const expected = [1, 2, 3, 4, 5].map((i) => `out ${i}\nerr ${i}\n`).join('');
    assert.ok(fs.readFileSync(log, 'utf8').endsWith(expected), fs.readFileSync(log, 'utf8'));
    child.stdin?.destroy();
    await at.nothingIsLeft();
  });

  it("shows a User Mode Linux guest nothing of the host beside its share by a mount of the kernel's own", async () => {
    fs.writeFileSync(path.join(at.base, 'canary'), 'of the host');
    const places = ['/', at.base, '/tmp'].map((place, index) => {
      const on = `/run/host${index}`;
      return `mkdir ${on}; mount -t hostfs -o ${place} none ${on} && find ${on} -name canary`;
    });
    const command = `{ ${places.join('; ')}; } 2>/dev/null; mount | grep -c "type hostfs"`;
    const { out, err } = await finished(at.share('--guest', 'uml', '--command', command));
    // That of the command channel, and the first of these: what is `/` in it is that folder again.
    assert.equal(out, '2\n', err);
    await at.nothingIsLeft();
  });

  it('shares read-only, and more than one folder', async () => {
    const other = path.join(at.base, 'other');
    fs.mkdirSync(other);
    const { code, out } = await finished(
      at.share('--read-only', '--share', `${other}:two`, '--command', '(touch x || touch /mnt/two/x) 2>&1 || ls /mnt'),
    );
    assert.equal(code, 0);
    assert.match(out, /touch: x: Read-only file system\n.*Read-only file system\nshare\ntwo\n/);
  });

  it('says at its end which captures it has written', async () => {
    const other = path.join(at.base, 'captured');
    fs.mkdirSync(other);
    const capture = path.join(at.base, 'm.fuse.pcapng');
    const { code, err } = await finished(
      at.share('--guest', 'uml', '--share', `${other}:two`, '--capture', capture, '--command', 'true'),
    );
    const told = err.trimEnd().split('\n').slice(-2);
    for (const [index, tag] of ['share', 'two'].entries()) {
      const name = path.join(at.base, `m.${tag}.fuse.pcapng`);
      assert.ok(told[index].startsWith(`capture: "${name}", `), err);
      assert.ok(fs.statSync(name).size > 0);
    }
    assert.equal(code, 0);
  });

  it('ends with 3 and leaves nothing when there is no room for its output', async () => {
    const full = fs.openSync('/dev/full', 'w');
    const words = [CLI, 'share', at.shared, '--guest', 'uml', '--command', 'echo one; sleep 60'];
    const child = at.spawn(process.execPath, words, { stdio: ['ignore', full, 'pipe'] });
    fs.closeSync(full);
    let err = '';
    child.stderr?.on('data', (chunk) => (err += String(chunk)));
    assert.equal((await exited(child)).code, 3);
    assert.match(err, /error: standard output cannot be written: .*\[stdoutUnusable\]/);
    await at.nothingIsLeft();
  });

  it('makes faults by rule, which programs in the guest meet', async () => {
    for (const name of ['good', 'bad']) fs.writeFileSync(path.join(at.shared, name), `${name}\n`);
    const { code, out, err } = await finished(
      at.share('--guest', 'uml', '--fault', 'errno=EIO READ bad', '--command', 'cat good; cat bad; echo $?'),
    );
    assert.deepEqual([code, out], [0, 'good\n1\n'], err);
    assert.match(err, /^cat: .*Input\/output error$/m);
    assert.equal((await finished(at.share('--fault', 'errno=EIO REED', '--command', 'true'))).code, 2);
  });

  it('says when the capture cannot be written any more, goes on, and ends with 4', async function () {
    const [disk, kept] = ['disk', 'kept.fuse.pcapng'].map((name) => path.join(at.base, name));
    fs.mkdirSync(disk);
    const script =
      'mount -t tmpfs -o size=128k small "$1" || exit 99; disk=$1 kept=$2; shift 2; ' +
      '"$@"; status=$?; cp "$disk/capture" "$kept"; exit $status';
    const inNamespace = (...words: string[]): string[] => ['-m', 'sh', '-c', script, 'sh', disk, kept, ...words];
    const { status } = spawnSync('unshare', inNamespace('true'));
    need(this, 'a tmpfs in a mount namespace', status === 0, 'unshare -m and mount are not allowed');
    const words = ['--guest', 'uml', '--capture', path.join(disk, 'capture'), '--command'];
    const run = (command: string): ChildProcess =>
      at.spawn('unshare', inNamespace(process.execPath, CLI, 'share', at.shared, ...words, command));
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
    await at.nothingIsLeft();
  });

  for (const kind of ['qemu', 'uml']) {
    it(`a command waits for whoever reads its output, and nothing is lost: ${kind}`, async () => {
      const [begin, out] = ['begin', 'out'].map((name) => path.join(at.base, name));
      execFileSync('mkfifo', [begin]);
      const accelerator = kind === 'uml' ? [] : ['--accel', 'tcg'];
      const command = 'echo started >started; seq 300000 | cat; echo done >done; exit 7';
      // A real pipe, whose reader takes nothing before it is told to.
      const script = '{ "$@"; echo $? >"$0/status"; } | { read -r go <"$0/begin"; cat >"$0/out"; }';
      const words = [process.execPath, CLI, 'share', at.shared, '--guest', kind, ...accelerator, '--command', command];
      const child = at.spawn('sh', ['-c', script, at.base, ...words]);
      const over = finished(child);
      const there = (name: string): boolean => fs.existsSync(path.join(at.shared, name));
      while (!there('started') && child.exitCode === null) await sleep(20);
      // Long enough for a command that does not wait; its output has room in no buffer on the way.
      for (let waited = 0; waited < 100 && !there('done'); waited++) await sleep(20);
      assert.equal(there('done'), false, 'the command has not waited');
      fs.writeFileSync(begin, 'go\n');
      const { err } = await over;
      assert.equal(fs.readFileSync(path.join(at.base, 'status'), 'utf8'), '7\n', err);
      const lines = fs.readFileSync(out, 'latin1').trimEnd().split('\n');
      assert.equal(lines.length, 300_000);
      assert.ok(lines.every((line, index) => Number(line) === index + 1));
      await at.nothingIsLeft();
    });
  }

  it('warns as soon as the host has shortened a file of its DAX window, before QEMU dies of it', async () => {
    const file = path.join(at.shared, 'model.bin');
    fs.writeFileSync(file, Buffer.alloc(1 << 20, 'x'));
    const child = at.share(
      '--dax',
      '64M',
      '--command',
      'cat model.bin >/dev/null; echo read; read -r line; echo "$line"',
    );
    const ended = finished(child);
    let said = '';
    child.stderr?.on('data', (chunk) => (said += String(chunk)));
    await once(child.stdout ?? assert.fail(), 'data');
    fs.truncateSync(file, 8192);
    while (!said.includes('mappedFileShortened')) await once(child.stderr ?? assert.fail(), 'data');
    assert.match(said, /model\.bin: the host has shortened it from 1048576 to 8192 bytes/);
    child.stdin?.end('goes on\n');
    const { code, out, err } = await ended;
    assert.deepEqual([code, out], [0, 'read\ngoes on\n']);
    assert.match(err, /rename it over the old one/);
  });

  it('passes words on to the daemon, and refuses those that cannot be before anything starts', async () => {
    fs.writeFileSync(path.join(at.shared, 'file'), '');
    const noAttributes = ['--guest', 'uml', '--daemon-arg=--no-readdirplus'];
    const capture = path.join(at.base, 'capture');
    const { code, err } = await finished(at.share(...noAttributes, '--capture', capture, '--command', 'ls'));
    assert.equal(code, 0, err);
    readCaptureFile(capture, ({ count, columns }) => {
      const opcodes = new Set(Array.from({ length: count }, (_, row) => columns.opcode[row]));
      assert.deepEqual([opcodes.has(Opcode.READDIR), opcodes.has(Opcode.READDIRPLUS)], [true, false]);
    });
    for (const arg of ['--wriiteback', '--socket-path=/s', '--help']) {
      const refused = await finished(at.share(`--daemon-arg=${arg}`, '--command', 'true'));
      assert.equal(refused.code, 2, refused.err);
      assert.doesNotMatch(refused.err, /booting|starting/);
    }
    await at.nothingIsLeft();
  });

  it('passes words on to QEMU, and says what QEMU says of them', async () => {
    const { code, err } = await finished(at.share('--qemu-arg', '-nonsense', '--command', 'true'));
    assert.equal(code, 4);
    assert.match(err, /-nonsense: invalid option/);
    await at.nothingIsLeft();
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
      assert.equal((await finished(at.share(...words, '--command', 'true'))).code, 2, words.join(' '));
    }
    assert.equal((await finished(at.share())).code, 2, 'a shell without a terminal');
  });
});
