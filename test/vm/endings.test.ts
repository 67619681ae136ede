/** A command that has something to clean up does so however it is told to end. Real processes, pipes and terminals. */
import * as assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { shellQuote } from '../../src/vm/shellQuote';

const HUNG_UP = 128 + os.constants.signals.SIGHUP;

describe('the end of a command', () => {
  let folder: string;
  let started: ChildProcess[];

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'virtiofs-endings-'));
    started = [];
  });

  afterEach(() => {
    started.forEach((child) => child.kill('SIGKILL'));
    fs.rmSync(folder, { recursive: true });
  });

  const place = (name: string): string => path.join(folder, name);

  /** A command that writes for ever, says so on `stream` while it cleans up, and leaves `cleaned` behind. */
  function command(stream: 'stdout' | 'stderr'): string[] {
    const module = path.resolve(__dirname, '../../src/vm/endings.js');
    const program = `
      const fs = require('node:fs');
      const { onTermination } = require(${JSON.stringify(module)});
      if (process.stdin.isTTY) process.stdin.setRawMode(true);
      onTermination(async () => {
        if (process.stdin.isTTY) process.stdin.setRawMode(false);
        process.${stream}.write('cleaning');
        await new Promise((resolve) => setTimeout(resolve, 20));
        fs.writeFileSync(${JSON.stringify(place('cleaned'))}, '');
      });
      fs.writeFileSync(${JSON.stringify(place('ready'))}, '');
      setInterval(() => process.${stream}.write('more'), 1);`;
    return [process.execPath, '-e', program];
  }

  function start(argv: readonly string[]): ChildProcess {
    const child = spawn(argv[0], argv.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
    started.push(child);
    return child;
  }

  async function appears(name: string): Promise<void> {
    for (let tries = 0; !fs.existsSync(place(name)); tries++) {
      assert.ok(tries < 500, `no ${name} within 10 s`);
      await sleep(20);
    }
  }

  for (const stream of ['stdout', 'stderr'] as const) {
    it(`comes when nobody reads its ${stream} any more, with everything cleaned up and without a word`, async () => {
      const child = start(command(stream));
      let complaints = '';
      child.stderr?.on('data', (chunk) => (complaints += String(chunk)));
      await appears('ready');
      child[stream]?.destroy();
      const status = await new Promise((resolve) => child.once('exit', resolve));
      assert.equal(status, HUNG_UP, complaints);
      assert.ok(fs.existsSync(place('cleaned')));
      if (stream === 'stdout') assert.equal(complaints, '');
    });
  }

  it('comes when its standard output cannot be written, with everything cleaned up, which is told', async () => {
    const full = fs.openSync('/dev/full', 'w');
    const [program, ...words] = command('stdout');
    const child = spawn(program, words, { stdio: ['pipe', full, 'pipe'] });
    fs.closeSync(full);
    started.push(child);
    let told = '';
    child.stderr?.on('data', (chunk) => (told += String(chunk)));
    const status = await new Promise((resolve) => child.once('close', resolve));
    assert.match(told, /^error: standard output cannot be written: .*\[stdoutUnusable\]\n {2}.*\n$/);
    assert.equal(status, 3);
    assert.ok(fs.existsSync(place('cleaned')));
  });

  it('does not come when its standard error cannot be written', async () => {
    const full = fs.openSync('/dev/full', 'w');
    const [program, ...words] = command('stderr');
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', full] });
    fs.closeSync(full);
    started.push(child);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await appears('ready');
    child.kill('SIGTERM');
    assert.equal(await ended, 128 + os.constants.signals.SIGTERM);
    assert.ok(fs.existsSync(place('cleaned')));
  });

  it('comes when its terminal is closed, and is no crash', async () => {
    const words = command('stdout').map(shellQuote).join(' ');
    // The shell outlives the terminal, to tell how the command has ended.
    const line = `trap : HUP; ${words}; echo $? >${place('status.new')}; mv ${place('status.new')} ${place('status')}`;
    const terminal = start(['script', '-qec', `sh -c ${shellQuote(line)}`, '/dev/null']);
    terminal.stdout?.resume();
    await appears('ready');
    terminal.kill('SIGKILL');
    await appears('status');
    assert.equal(fs.readFileSync(place('status'), 'utf8'), `${HUNG_UP}\n`);
    assert.ok(fs.existsSync(place('cleaned')));
  });
});
