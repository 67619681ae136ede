/**
 * The channel against the real far end: the part of the init script that serves commands, run by a shell of this
 * machine over a socket pair. And against streams that are cut in the worst places.
 */
import * as assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandChannel, type GuestEvent } from '../../src/vm/commandChannel';
import { exited } from '../../src/vm/workplace';
import { guestInit } from '../../src/vm/guestInit';

const TOKEN = 'token0123';

/** What the guest does once everything is mounted, as the init script has it. */
function serving(): string {
  const init = guestInit({ modules: [], mounts: [], channel: '/dev/null', token: TOKEN, hostname: 'guest' });
  const serve = init.slice(init.indexOf('serve() {'), init.indexOf('\nsay started'));
  return `home=/usr; run=$(mktemp)\n${serve.replaceAll('/run/command', '$run')}\nprintf '\\n${TOKEN} ready 1.2.3\\n' >&3\nserve; rm $run`;
}

describe('the command channel', () => {
  let shell: ChildProcess;
  let channel: CommandChannel;
  let events: GuestEvent[];

  beforeEach(() => {
    shell = spawn('/bin/sh', ['-c', serving()], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
    events = [];
    channel = new CommandChannel(shell.stdio[3] as Duplex, TOKEN, (event) => events.push(event));
  });

  afterEach(async () => {
    (shell.stdio[3] as Duplex).destroy();
    await exited(shell);
  });

  it('returns what a command prints, and its status', async () => {
    const { status, output } = await channel.run('echo out; echo err >&2; exit 3');
    assert.deepEqual([status, output.toString()], [3, 'out\nerr\n']);
    assert.deepEqual(events, [{ kind: 'ready', release: '1.2.3' }]);
  });

  it('runs a command in the first share, or apart from it', async () => {
    assert.equal((await channel.run('pwd')).output.toString(), '/usr\n');
    assert.equal((await channel.run('pwd', { folder: '/' })).output.toString(), '/\n');
  });

  it('is exact for any bytes, newlines or none at the end', async () => {
    assert.equal((await channel.run('printf abc')).output.toString(), 'abc');
    assert.equal((await channel.run('printf "\\n\\n"')).output.toString(), '\n\n');
    assert.equal((await channel.run('true')).output.length, 0);
    const { output } = await channel.run(
      'head -c 300000 /dev/urandom >$0.bytes; cat $0.bytes; md5sum <$0.bytes >&2; rm $0.bytes',
    );
    assert.equal(output.length, 300_000 + 36);
  });

  it('is not deceived by output that looks like its own lines', async () => {
    const { status, output } = await channel.run(`printf '\\n0123456789abcdef 0\\n'; exit 1`);
    assert.deepEqual([status, output.toString()], [1, '\n0123456789abcdef 0\n']);
  });

  it('runs commands one after another in the order they were given', async () => {
    const results = await Promise.all([1, 2, 3].map((n) => channel.run(`sleep 0.0${4 - n}; echo ${n}`)));
    assert.deepEqual(
      results.map(({ output }) => output.toString()),
      ['1\n', '2\n', '3\n'],
    );
  });

  it('takes scripts of any content', async () => {
    const { output } = await channel.run('cat <<\'END\'\n$x `y` "z" \\ Ü\nEND');
    assert.equal(output.toString(), '$x `y` "z" \\ Ü\n');
  });

  it('gives output as it comes', async () => {
    const chunks: string[] = [];
    const { output } = await channel.run('echo one; sleep 0.1; echo two', {
      onOutput: (chunk) => void chunks.push(chunk.toString()),
    });
    assert.deepEqual([chunks.join(''), chunks.length > 1, output.length], ['one\ntwo\n', true, 0]);
  });

  it('lets a command wait for whoever takes its output, and loses nothing', async () => {
    const far = path.join(os.tmpdir(), `channel-${process.pid}`);
    const taken: Buffer[] = [];
    let waiting: (() => void) | undefined;
    let rest: NodeJS.Timeout | undefined;
    const take = (chunk: Buffer): Promise<void> => {
      taken.push(chunk);
      return new Promise((resolve) => (waiting = resolve));
    };
    // More than any buffer between has room for.
    const done = channel.run(`seq 1000000; : >${far}`, { onOutput: take });
    try {
      while (waiting === undefined) await sleep(5);
      // Long enough for a command that does not wait.
      for (let waited = 0; waited < 100 && !fs.existsSync(far); waited++) await sleep(10);
      assert.equal(fs.existsSync(far), false, 'the command has not waited');
      assert.equal(taken.length, 1);
      rest = setInterval(() => waiting?.(), 0);
      assert.equal((await done).status, 0);
      const lines = Buffer.concat(taken).toString().trimEnd().split('\n');
      assert.ok(lines.length === 1_000_000 && lines.every((line, index) => line === String(index + 1)));
      assert.equal((await channel.run('echo next')).output.toString(), 'next\n');
    } finally {
      clearInterval(rest);
      fs.rmSync(far, { force: true });
    }
  });

  it('gives a command up after its time, and goes on with the next when it is done', async () => {
    await assert.rejects(channel.run('sleep 0.2; echo late', { timeoutMs: 50 }), /not done in 50 ms/);
    assert.equal((await channel.run('echo next')).output.toString(), 'next\n');
  });

  it('rejects what runs and what waits when the guest ends', async () => {
    const running = [channel.run('kill $PPID'), channel.run('echo never')];
    for (const result of await Promise.allSettled(running)) {
      assert.equal(result.status, 'rejected');
    }
    await assert.rejects(channel.run('true'), /the guest has ended/);
  });
});

describe('the command channel, byte by byte', () => {
  it('understands lines however the stream is cut', async () => {
    let sent = '';
    const stream = new Duplex({
      read: () => {},
      write: (chunk, _encoding, done) => {
        sent += String(chunk);
        done();
      },
    });
    const events: GuestEvent[] = [];
    const channel = new CommandChannel(stream, TOKEN, (event) => events.push(event));
    const result = channel.run('anything');
    await new Promise(setImmediate);
    const [token] = sent.split(' ');
    const bytes = `noise\n${TOKEN} started\n\n${TOKEN} failed mount a b\nout\n${token.slice(0, 5)}put\n${token} 42\n`;
    for (const byte of Buffer.from(bytes)) {
      stream.push(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    const { status, output } = await result;
    assert.deepEqual(events, [{ kind: 'started' }, { kind: 'failed', what: 'mount a b' }]);
    assert.equal(status, 42);
    assert.equal(output.toString(), `noiseout\n${token.slice(0, 5)}put`);
  });
});
