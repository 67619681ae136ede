/**
 * The channel against the real far end: the part of the init script that serves commands, run by a shell of this
 * machine over socket pairs. And against streams that are cut in the worst places.
 */
import * as assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Duplex, PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandChannel, type GuestEvent } from '../../src/vm/commandChannel';
import { RECORDS_FOLDER, inFiles, onTheLine } from '../../src/vm/commandRecords';
import { guestInit } from '../../src/vm/guestInit';
import { shellQuote } from '../../src/vm/shellQuote';
import { Workplace, exited } from '../../src/vm/workplace';

const TOKEN = 'token0123';

/**
 * What the guest does once everything is mounted, as the init script has it. `script` is where it keeps a command;
 * `records` need no mount here.
 */
function serving(script: string, records = ''): string {
  const devices = { channel: '/dev/null', errors: '/dev/null' };
  const init = guestInit({ modules: [], mounts: [], ...devices, token: TOKEN, hostname: 'guest' });
  const between = (from: string, to: string): string => init.slice(init.indexOf(from), init.indexOf(to));
  const serve = `${between('say() {', '\ncat >/bin/leave')}\n${between('feed() {', '\nsay started')}`;
  const here = serve.replaceAll('/run/command', '"$run"').replaceAll('$records/', '"$records"/');
  const begin = `exec 6>&3 7>&4; carriers=; home=/usr; records=${shellQuote(records)}; run=${shellQuote(script)}`;
  return `${begin}\n${here}\nprintf '\\n${TOKEN} ready 1.2.3\\n' >&3\nserve`;
}

/** Each test of a suite gets a folder; a path in it. */
function ownFolder(): (name: string) => string {
  let folder: string;
  beforeEach(() => void (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'channel-test-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));
  return (name) => path.join(folder, name);
}

describe('the command channel', () => {
  const there = ownFolder();
  let shell: ChildProcess;
  let channel: CommandChannel;
  let events: GuestEvent[];

  beforeEach(() => {
    shell = spawn('/bin/sh', ['-c', serving(there('command'))], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe'],
    });
    events = [];
    const [, , , stream, errors] = shell.stdio;
    channel = new CommandChannel(stream as Duplex, errors as Readable, TOKEN, onTheLine, (event) => events.push(event));
  });

  afterEach(async () => {
    for (const line of shell.stdio.slice(3)) (line as Duplex).destroy();
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
      'head -c 300000 /dev/urandom >"$0.bytes"; cat "$0.bytes"; md5sum <"$0.bytes" >&2; rm "$0.bytes"',
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

  it('takes scripts of any length', async () => {
    for (const bytes of [3000, 4096, 65_535, 65_536, 65_537, 1 << 20]) {
      const { status, output } = await channel.run(`echo "${'x'.repeat(bytes)}" | wc -c; exit 5`);
      assert.deepEqual([status, output.toString().trim()], [5, `${bytes + 1}`]);
    }
    assert.equal((await channel.run('')).status, 0);
  });

  it('does nothing of a script whose half is there when the guest is told to end', async () => {
    const far = there('far');
    const given = channel.run(`touch "${far}"\n: ${'x'.repeat(200_000)}`);
    await new Promise(setImmediate);
    assert.equal(channel.busy, true);
    channel.sendLast('kill $PPID');
    await assert.rejects(given, { code: 'guestEnded' });
    await exited(shell);
    assert.equal(fs.existsSync(far), false);
  });

  it('takes scripts of any content', async () => {
    const { output } = await channel.run('cat <<\'END\'\n$x `y` "z" \\ Ü\nEND');
    assert.equal(output.toString(), '$x `y` "z" \\ Ü\n');
  });

  it('has a command in a process group of its own, which "kill 0" may end', async () => {
    const command = 'read -r pid name state parent group rest </proc/$$/stat; [ $group = $$ ]';
    for (const input of [undefined, Readable.from([Buffer.from('read\n')])]) {
      assert.equal((await channel.run(command, { ...(input && { input }) })).status, 0);
    }
  });

  it('says so when a command has ended with whoever would tell how, and the guest then ends', async () => {
    // As "kill -9 -1" does, of which only the first process of a guest is spared.
    const all = `read -r pid name state parent rest </proc/$$/stat; read -r pid name state first rest </proc/$parent/stat
      kill -9 $(cat /proc/$first/task/$first/children) $$`;
    const killed = channel.run(all, { input: new PassThrough() });
    await assert.rejects(killed, { code: 'guestProgramsGone', exitCode: 4 });
    await assert.rejects(channel.run('true'), { code: 'guestProgramsGone' });
    await exited(shell);
  });

  it('gives output as it comes', async () => {
    const chunks: string[] = [];
    const { output } = await channel.run('echo one; sleep 0.1; echo two', {
      onOutput: (chunk) => void chunks.push(chunk.toString()),
    });
    assert.deepEqual([chunks.join(''), chunks.length > 1, output.length], ['one\ntwo\n', true, 0]);
  });

  for (const [what, redirected] of [
    ['output', ''],
    ['errors', ' >&2'],
  ]) {
    it(`lets a command wait for whoever takes its ${what}, and loses nothing`, async () => {
      const far = there('far');
      const taken: Buffer[] = [];
      let waiting: (() => void) | undefined;
      let rest: NodeJS.Timeout | undefined;
      const take = (chunk: Buffer): Promise<void> => {
        taken.push(chunk);
        return new Promise((resolve) => (waiting = resolve));
      };
      // More than any buffer between has room for.
      const done = channel.run(
        `seq 1000000${redirected}; : >"${far}"`,
        what === 'errors' ? { onErrors: take } : { onOutput: take },
      );
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
      }
    });
  }

  it('gives errors apart to whoever takes them, exactly, and all of them before the end', async () => {
    const taken: Record<'out' | 'err', Buffer[]> = { out: [], err: [] };
    const apart = {
      onOutput: (chunk: Buffer) => void taken.out.push(chunk),
      onErrors: (chunk: Buffer) => void taken.err.push(chunk),
    };
    const bytes = 'head -c 300000 /dev/zero | tr "\\0" "\\377"';
    const { status } = await channel.run(`printf "\\n"; ${bytes}; { printf "\\n\\n"; ${bytes}; } >&2; exit 5`, apart);
    assert.equal(status, 5);
    const whole = Buffer.alloc(300_000, 0xff);
    assert.ok(Buffer.concat(taken.out).equals(Buffer.concat([Buffer.from('\n'), whole])));
    assert.ok(Buffer.concat(taken.err).equals(Buffer.concat([Buffer.from('\n\n'), whole])));
    assert.equal((await channel.run('echo a; echo b >&2; echo c')).output.toString(), 'a\nb\nc\n');
  });

  it('gives a command nothing to read unless it is told what', async () => {
    assert.deepEqual((await channel.run('cat; echo $?')).output.toString(), '0\n');
  });

  it('gives a command any bytes to read, and the end of them', async () => {
    const bytes = randomBytes(500_000);
    const pieces = [bytes.subarray(0, 1), bytes.subarray(1, 300_000), bytes.subarray(300_000)];
    const { output } = await channel.run('cat', { input: Readable.from(pieces, { objectMode: false }) });
    assert.ok(output.equals(bytes));
    assert.equal((await channel.run('cat; echo end', { input: Readable.from([]) })).output.toString(), 'end\n');
  });

  it('reads no faster than the command does, ends with it, and finds the next command after what was not read', async () => {
    let given = 0;
    const endless = new Readable({
      read() {
        given++;
        this.push(Buffer.alloc(65_536, 'x'));
      },
    });
    const far = there('far');
    const done = channel.run(`head -c 3; while [ ! -e "${far}" ]; do sleep 0.01; done; exit 4`, { input: endless });
    try {
      for (let before = -1; before !== given; await sleep(100)) before = given;
      assert.ok(given < 100, `${given} pieces are taken from whoever writes, and wait somewhere`);
    } finally {
      fs.writeFileSync(far, '');
    }
    const { status, output } = await done;
    assert.deepEqual([status, output.toString()], [4, 'xxx']);
    assert.equal((await channel.run('echo next')).output.toString(), 'next\n');
    assert.ok(endless.isPaused());
  });

  it('ends a command without waiting for an input that does not end', async () => {
    const silent = new PassThrough();
    assert.equal((await channel.run('echo over', { input: silent })).output.toString(), 'over\n');
    assert.equal((await channel.run('echo next')).output.toString(), 'next\n');
    silent.write('late');
    assert.equal((await channel.run('cat', { input: Readable.from([Buffer.from('new')]) })).output.toString(), 'new');
  });

  it('says why an input cannot be read; its command reads the end', async () => {
    const broken = new Readable({ read: () => {} });
    const done = channel.run('cat', { input: broken });
    broken.push('some');
    setImmediate(() => broken.destroy(new Error('the disk is gone')));
    await assert.rejects(done, /the disk is gone/);
    assert.equal((await channel.run('echo next')).output.toString(), 'next\n');
  });

  it('gives a command up after its time, and goes on with the next when it is done', async () => {
    await assert.rejects(channel.run('sleep 0.2; echo late\necho more', { timeoutMs: 50 }), {
      code: 'guestSlow',
      message: /within 50\.0 ms: sleep 0\.2; echo late$/,
    });
    await assert.rejects(channel.run('sleep 0.2', { timeoutMs: 50, title: 'sleeping '.repeat(100) }), {
      message: /: (sleeping )+.{0,9}…$/,
    });
    assert.equal((await channel.run('echo next')).output.toString(), 'next\n');
  });

  it('rejects what runs and what waits when the guest ends', async () => {
    const running = [channel.run('kill $PPID'), channel.run('echo never')];
    for (const result of await Promise.allSettled(running)) {
      assert.equal(result.status, 'rejected');
    }
    await assert.rejects(channel.run('true'), { code: 'guestEnded' });
  });
});

describe('the command channel to a guest that has no room for a script', () => {
  it('says so of one after the other, with input and without, and runs nothing of them', async () => {
    const shell = spawn('/bin/sh', ['-c', serving('/dev/full')], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe'],
    });
    const [, , , stream, errors] = shell.stdio;
    const channel = new CommandChannel(stream as Duplex, errors as Readable, TOKEN, onTheLine, () => {});
    const printed: Buffer[] = [];
    try {
      for (const script of ['echo run', `echo run; : ${'x'.repeat(200_000)}`]) {
        for (const more of [{}, { input: Readable.from([randomBytes(200_000)]) }, { onErrors: () => {} }]) {
          const done = channel.run(script, { ...more, onOutput: (chunk) => void printed.push(chunk) });
          await assert.rejects(done, { code: 'recordLost' });
        }
      }
      assert.equal(Buffer.concat(printed).toString(), '');
    } finally {
      for (const line of shell.stdio.slice(3)) (line as Duplex).destroy();
      await exited(shell);
    }
  });
});

describe('the command channel to a guest that reads files of the host', () => {
  const there = ownFolder();
  let shell: ChildProcess;
  let workplace: Workplace;
  let channel: CommandChannel;
  /** All that was written on the line. */
  let sent: string;

  beforeEach(async () => {
    workplace = await Workplace.open();
    const script = serving(there('command'), path.join(workplace.folder, RECORDS_FOLDER));
    shell = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe'] });
    const [, , , stream, errors] = shell.stdio;
    const write = (stream as Duplex).write.bind(stream);
    sent = '';
    (stream as Duplex).write = (chunk: Buffer | string) => {
      sent += String(chunk);
      return write(chunk);
    };
    channel = new CommandChannel(stream as Duplex, errors as Readable, TOKEN, inFiles(workplace), () => {});
  });

  afterEach(async () => {
    for (const line of shell.stdio.slice(3)) (line as Duplex).destroy();
    await exited(shell);
    await workplace.close();
  });

  const files = (): string[] => fs.readdirSync(path.join(workplace.folder, RECORDS_FOLDER));

  it('never has more on the line than a terminal has room for', async () => {
    const bytes = randomBytes(500_000);
    const script = `: ${'x'.repeat(300_000)}; cat`;
    assert.ok((await channel.run(script, { input: Readable.from([bytes]) })).output.equals(bytes));
    assert.equal((await channel.run('cat', { input: Readable.from([Buffer.from('few')]) })).output.toString(), 'few');
    assert.ok(sent.length < 2000, `${sent.length} bytes`);
  });

  it('keeps one file at most', async () => {
    await channel.run(`: ${'x'.repeat(300_000)}`);
    assert.equal(files().length, 1);
    await channel.run('cat', { input: Readable.from([randomBytes(200_000), randomBytes(200_000)]) });
    assert.equal(files().length, 1);
  });

  it('fails a command whose script or input the guest cannot read, of which nothing comes after the gap', async () => {
    const far = there('far');
    const unreadable = (): void => fs.unlinkSync(path.join(workplace.folder, RECORDS_FOLDER, files()[0]));
    const write = (shell.stdio[3] as Duplex).write;
    let left = Infinity;
    // The file is gone before its name is on the line.
    (shell.stdio[3] as Duplex).write = (chunk: Buffer | string) => {
      if (/^file/.test(String(chunk)) && left-- === 0) unreadable();
      return (write as (chunk: Buffer | string) => boolean)(chunk);
    };
    left = 1;
    await assert.rejects(channel.run(`echo run >"${far}"\n: ${'x'.repeat(200_000)}`), { code: 'recordLost' });
    assert.equal((await channel.run('echo next')).output.toString(), 'next\n');
    assert.equal(fs.existsSync(far), false);
    left = 1;
    const input = Readable.from([Buffer.alloc(65_536, 'a'), Buffer.alloc(65_536, 'b'), Buffer.alloc(65_536, 'c')]);
    await assert.rejects(channel.run(`cat >"${far}"`, { input }), { code: 'recordLost' });
    assert.equal((await channel.run(`wc -c <"${far}"`)).output.toString().trim(), '65536');
    left = Infinity;
    assert.equal((await channel.run('true', { input: Readable.from([randomBytes(300_000)]) })).status, 0);
  });

  it('says why a script or an input has no room, goes on, and can still tell the guest to end', async () => {
    fs.rmSync(path.join(workplace.folder, RECORDS_FOLDER), { recursive: true });
    await assert.rejects(channel.run(`: ${'x'.repeat(3000)}`), { code: 'temporaryUnusable' });
    await assert.rejects(channel.run('cat', { input: Readable.from([randomBytes(3000)]) }), {
      code: 'temporaryUnusable',
    });
    assert.equal((await channel.run('echo next')).output.toString(), 'next\n');
    channel.sendLast('kill $PPID');
    await exited(shell);
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
    const errors = new Readable({ read: () => {} });
    const channel = new CommandChannel(stream, errors, TOKEN, onTheLine, (event) => events.push(event));
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
