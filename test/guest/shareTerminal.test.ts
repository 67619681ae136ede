/** `virtiofs-studio share` on a terminal: the guest's shell in it, its size, its keys. */
import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onPath } from '../../src/vm/onPath';
import { readCaptureFile } from '../bench/readCapture';
import { need } from '../support/need';
import { Terminal, useShare } from './shareProcess';

describe('virtiofs-studio share on a terminal', function () {
  this.timeout(120_000);
  const at = useShare();

  before(function () {
    need(this, 'script', onPath('script') !== undefined, 'the program of bsdutils is not installed');
  });

  for (const kind of ['qemu', 'uml']) {
    it(`shows one prompt, lines that end as lines do, and nothing of the kernel: ${kind}`, async () => {
      const terminal = new Terminal(at, `--guest ${kind}${kind === 'uml' ? '' : ' --accel tcg'}`);
      await terminal.seen(/share# /);
      terminal.type('echo th""ere\r');
      await terminal.seen(/there\r\n/);
      terminal.type('exit\r');
      assert.equal(await terminal.left(), 0);
      const shown = terminal.screen.slice(terminal.screen.indexOf('ends the guest at once.'));
      assert.equal(shown.match(/guest:\/mnt\/share# /g)?.length, 2, shown);
      assert.match(shown, /^ends the guest at once\.(\r\n){3}BusyBox/);
      assert.ok(shown.endsWith('exit\r\n'), JSON.stringify(shown));
      assert.doesNotMatch(shown, /\r\r|reboot|Power/);
      await at.nothingIsLeft();
    });
  }

  it('gives a shell with job control, the right size, and Ctrl-C for the guest', async () => {
    const terminal = new Terminal(at, '--guest uml', 'stty rows 40 cols 100; ');
    await terminal.seen(/guest:\/mnt\/share# /);
    terminal.type('stty size; echo made >by-hand; tty\r');
    await terminal.seen(/40 100\s+\/dev\/tty0\s/);
    terminal.type('sleep 1000\r');
    await sleep(300);
    terminal.type('\x03');
    await terminal.seen(/\^C/);
    terminal.type('sleep 500 & jobs\r');
    await terminal.seen(/\[1\]\+? +Running +sleep 500/);
    terminal.type('exit\r');
    assert.equal(await terminal.left(), 0);
    assert.equal(fs.readFileSync(path.join(at.shared, 'by-hand'), 'utf8'), 'made\n');
    await at.nothingIsLeft();
  });

  for (const kind of ['qemu', 'uml']) {
    it(`takes a long paste at the prompt and for a program, and hears on: ${kind}`, async () => {
      const terminal = new Terminal(at, `--guest ${kind}${kind === 'uml' ? '' : ' --accel tcg'}`);
      await terminal.seen(/share# /);
      const lines = (text: string): string => Array.from({ length: 120 }, (_, i) => `${text} ${i}\r`).join('');
      terminal.type(`${lines(`n=$((n+1)); : ${'x'.repeat(40)}`)}echo $n lines; cat >pasted\r`);
      await terminal.seen(/120 lines\r\n/);
      terminal.type(`${lines('y'.repeat(50))}\x04echo al""ive\r`);
      await terminal.seen(/alive\r\n/);
      terminal.type('exit\r');
      assert.equal(await terminal.left(), 0);
      assert.equal(
        fs.readFileSync(path.join(at.shared, 'pasted'), 'utf8'),
        lines('y'.repeat(50)).replaceAll('\r', '\n'),
      );
      await at.nothingIsLeft();
    });
  }

  it('gives the guest the size of a terminal that changes, by no request of the guest', async () => {
    const [name, capture] = [path.join(at.base, 'tty'), path.join(at.base, 'c.fuse.pcapng')];
    const words = `--guest uml --cache never --capture ${capture}`;
    const terminal = new Terminal(at, words, `stty rows 40 cols 100; tty >${name}; `);
    await terminal.seen(/guest:\/mnt\/share# /);
    terminal.type('cd /; ls /mnt/share/before; echo is $?\r');
    await terminal.seen(/is 1\s/);
    execFileSync('stty', ['-F', fs.readFileSync(name, 'utf8').trim(), 'rows', '50', 'cols', '120']);
    await terminal.seen(/50 120\s/, 'stty size\r');
    terminal.type('ls /mnt/share/after; echo is $?\r');
    await terminal.seen(/is 1\s/);
    terminal.type('exit\r');
    assert.equal(await terminal.left(), 0);
    readCaptureFile(capture, (read) => {
      const { count, columns } = read;
      const paths = Array.from({ length: count }, (_, row) => read.path(columns.path[row]));
      const [from, to] = ['/before', '/after'].map((looked) => paths.indexOf(looked));
      assert.ok(from >= 0 && to > from, paths.join(' '));
      const pids = columns.pid.slice(from, to + 1);
      const others = paths.slice(from, to).filter((_, index) => ![pids[0], pids.at(-1)].includes(pids[index]));
      assert.deepEqual(others, []);
    });
    await at.nothingIsLeft();
  });

  it('ends the guest at once with Ctrl-]', async () => {
    const terminal = new Terminal(at, '--guest uml');
    await terminal.seen(/guest:\/mnt\/share# /);
    terminal.type('\x1d');
    await terminal.left();
    await at.nothingIsLeft();
  });
});
