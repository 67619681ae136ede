/**
 * However the launcher ends, nothing of it stays: processes, sockets, folders. With real processes, and with a launcher
 * of its own in another process that is killed.
 */
import * as assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBackEnd, whileRunning } from '../../src/vm/backEnd';
import { Workplace, exited } from '../../src/vm/workplace';

function isAlive(pid: number): boolean {
  try {
    // A process that waits to be reaped is gone for this purpose.
    return !/^\d+ \(.*\) Z/s.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    assert.ok(tries < 250, `not within 5 s: ${what}`);
    await sleep(20);
  }
}

const pidOf = (child: ChildProcess): number => child.pid ?? assert.fail('no pid');

describe('a workplace', () => {
  it('ends its processes and removes its folder', async () => {
    const place = await Workplace.open();
    assert.equal(fs.statSync(place.folder).mode & 0o777, 0o700);
    fs.mkdirSync(path.join(place.folder, 'sub'));
    fs.writeFileSync(path.join(place.folder, 'sub/file'), '');
    const children = [await place.spawn(['sleep', '100'], 'ignore'), await place.spawn(['sleep', '100'], 'ignore')];
    await place.close();
    assert.ok(children.every((child) => !isAlive(pidOf(child))));
    assert.ok(!fs.existsSync(place.folder));
    await place.close();
    await assert.rejects(place.spawn(['true'], 'ignore'), /closing/);
  });

  it('is in TMPDIR, or in /tmp where no guest could be told of it there', async () => {
    const before = process.env['TMPDIR'];
    const base = fs.mkdtempSync('/tmp/virtiofs-base-');
    const long = path.join(base, 'x'.repeat(66 - base.length - 1));
    try {
      for (const [given, used] of [
        [base, base],
        [long, long],
        [`${long}x`, '/tmp'],
        [path.join(base, 'a b'), '/tmp'],
        [path.join(base, 'a:b'), '/tmp'],
        [path.join(base, 'a,b'), '/tmp'],
        [path.relative(process.cwd(), base), '/tmp'],
      ]) {
        fs.mkdirSync(given, { recursive: true });
        process.env['TMPDIR'] = given;
        const place = await Workplace.open();
        try {
          assert.equal(path.dirname(place.folder), used, given);
          if (given !== long) continue;
          const { socket } = await startBackEnd(place, 'share10', ['true']);
          assert.ok(fs.statSync(socket).isSocket());
        } finally {
          await place.close();
        }
      }
    } finally {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
      fs.rmSync(base, { recursive: true });
    }
  });

  it('says why neither a file nor a folder can be made in it', async () => {
    const place = await Workplace.open();
    assert.ok(fs.statSync(place.makeRoom('room')).isDirectory());
    assert.throws(() => place.makeRoom('room'), { code: 'temporaryUnusable', message: /EEXIST/ });
    assert.throws(() => place.write('room', Buffer.alloc(1)), { code: 'temporaryUnusable', message: /EISDIR/ });
    await place.close();
  });

  it('removes the folders that were made for it elsewhere', async () => {
    const place = await Workplace.open();
    const other = place.makeFolder('/tmp/virtiofs-elsewhere-');
    fs.writeFileSync(path.join(other, 'file'), '');
    for (const prefix of ['relative', '/tmp/a\n/b', '/tmp/a b'])
      assert.throws(() => place.makeFolder(prefix), /janitor/);
    await place.close();
    assert.ok(!fs.existsSync(other));
  });

  it('kills what does not end when asked, after a grace', async () => {
    const place = await Workplace.open();
    const child = await place.spawn(['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.1; done'], 'pipe');
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    await place.close(200);
    assert.equal(child.signalCode, 'SIGKILL');
  });

  it('ends what its processes have started', async () => {
    const place = await Workplace.open();
    const child = await place.spawn(['sh', '-c', 'sleep 100 & echo $!; wait'], 'pipe');
    const grandchild = Number(await new Promise((resolve) => child.stdout?.once('data', resolve)));
    assert.ok(isAlive(grandchild));
    await place.close();
    await until('the grandchild is gone', () => !isAlive(grandchild));
  });

  it('says when a program is not there', async () => {
    const place = await Workplace.open();
    await assert.rejects(place.spawn(['/no/such/program'], 'ignore'), {
      code: 'programNotRun',
      message: /\/no\/such\/program cannot be started: no such file or directory \(ENOENT\)$/,
    });
    await place.close();
  });

  for (const ending of ['process.kill(process.pid, "SIGKILL")', 'process.exit(0)', 'throw new Error("uncaught")']) {
    it(`leaves nothing when its launcher ends by ${ending}`, async () => {
      const module = path.resolve(__dirname, '../../src/vm/workplace.js');
      const program = `
        const { Workplace } = require(${JSON.stringify(module)});
        (async () => {
          const place = await Workplace.open();
          const ended = await place.spawn(['true'], 'ignore');
          await new Promise((resolve) => ended.once('exit', resolve));
          const child = await place.spawn(['sleep', '100'], 'ignore');
          const other = place.makeFolder('/tmp/virtiofs-elsewhere-');
          console.log(JSON.stringify([place.folder, other, child.pid]));
          setTimeout(() => { ${ending} }, 50);
        })();`;
      const launcher = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
      const said = await new Promise<Buffer>((resolve) => launcher.stdout.once('data', resolve));
      const [folder, other, pid] = JSON.parse(String(said)) as [string, string, number];
      assert.ok(fs.existsSync(folder) && fs.existsSync(other) && isAlive(pid));
      await exited(launcher);
      await until(
        'process and folders are gone',
        () => !isAlive(pid) && ![folder, other].some((one) => fs.existsSync(one)),
      );
    });
  }
});

describe('the socket of a back-end', () => {
  let place: Workplace;

  beforeEach(async () => {
    place = await Workplace.open();
  });

  afterEach(() => place.close());

  /** Accepts one connection on descriptor 3 and sends a word on it. */
  const ACCEPT = `
    const net = require('node:net');
    net.createServer((socket) => socket.end('served')).listen({ fd: 3 });`;

  it('takes connections before the daemon is up, and stays after the hand-over', async () => {
    const backEnd = await startBackEnd(place, 'share', [process.execPath, '-e', ACCEPT]);
    const socket = net.connect(backEnd.socket);
    const word = await new Promise<Buffer>((resolve, reject) => socket.once('data', resolve).once('error', reject));
    assert.equal(word.toString(), 'served');
    socket.destroy();
    assert.deepEqual(fs.readdirSync(place.folder), ['share.sock']);
  });

  it('comes with a pipe for the capture', async () => {
    const backEnd = await startBackEnd(place, 'share', ['sh', '-c', 'echo captured >&4'], { trace: true });
    const captured = await new Promise<Buffer>((resolve) => backEnd.trace?.once('data', resolve));
    assert.equal(captured.toString(), 'captured\n');
  });

  it('comes with a pipe for problems, beside it or alone', async () => {
    const backEnd = await startBackEnd(place, 'share', ['sh', '-c', 'echo trouble >&5'], { problems: true });
    const told = await new Promise<Buffer>((resolve) => backEnd.problems?.once('data', resolve));
    assert.equal(told.toString(), 'trouble\n');
    assert.equal(backEnd.trace, undefined);
  });

  it('that ends too early is reported with its own words', async () => {
    const backEnd = await startBackEnd(place, 'share', ['sh', '-c', 'echo no such folder >&2; exit 4']);
    const never = new Promise<never>(() => {});
    await assert.rejects(whileRunning(backEnd, never), /exit code 4 \[backEndNotUp\]\nno such folder/);
    const lacking = await startBackEnd(place, 'lacking', ['sh', '-c', 'echo no room >&2; exit 3']);
    await assert.rejects(whileRunning(lacking, never), { code: 'backEndLacks', exitCode: 3, message: /no room$/ });
  });

  it('that cannot be where it should is closed, so that the launcher can end', async () => {
    fs.mkdirSync(path.join(place.folder, 'share.sock'));
    await assert.rejects(startBackEnd(place, 'share', ['true']), { code: 'EISDIR' });
    assert.deepEqual(fs.readdirSync(place.folder), ['share.sock'], 'nothing listens as share.sock.new');
  });

  it('whose program is missing is a clear error', async () => {
    await assert.rejects(startBackEnd(place, 'share', ['/no/such/daemon']), {
      code: 'programNotRun',
      message: /\/no\/such\/daemon cannot be started: no such file or directory \(ENOENT\)$/,
    });
  });
});
