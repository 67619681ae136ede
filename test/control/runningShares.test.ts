/** Which shares run, as daemons announce them and others find them. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  announceShare,
  countersSocketOf,
  debugSocketOf,
  openSharesFolder,
  resolveShare,
  runningShares,
  sharesFolder,
  socketOf,
  withdrawShare,
} from '../../src/control/runningShares';
import { need } from '../support/need';

describe('running shares', () => {
  let base: string;
  let folder: string;
  let servers: Server[];

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'virtiofs-shares-'));
    folder = join(base, 'run');
    servers = [];
  });

  afterEach(() => {
    for (const server of servers) server.close();
    rmSync(base, { recursive: true });
  });

  const listen = (socket: string): Promise<void> =>
    new Promise((resolve) => servers.push(createServer().listen(socket, resolve)));

  /** Announces a share of a process that is there: this one, or init. */
  async function share(pid: number, tag: string, started = '2026-01-01T00:00:00.000Z'): Promise<void> {
    openSharesFolder(folder);
    const directory = join(base, tag);
    mkdirSync(directory, { recursive: true });
    await listen(socketOf(pid, folder));
    announceShare({ pid, tag, directory, started }, folder);
  }

  const deadPid = (): number => spawnSync('true').pid;

  it('are none where nobody ever announced one', () => {
    assert.deepEqual(runningShares(folder), []);
  });

  it('are listed with tag, folder, process and socket, the oldest first', async () => {
    await share(process.pid, 'new', '2026-02-01T00:00:00.000Z');
    await share(1, 'old');
    const socket = socketOf(1, folder);
    const all = runningShares(folder);
    assert.deepEqual(
      all.map(({ tag }) => tag),
      ['old', 'new'],
    );
    assert.deepEqual(all[0], {
      pid: 1,
      tag: 'old',
      directory: join(base, 'old'),
      started: '2026-01-01T00:00:00.000Z',
      socket,
      counters: countersSocketOf(1, folder),
    });
  });

  it('live in a folder that only their user can enter, whatever the umask', () => {
    const before = process.umask(0o277);
    try {
      openSharesFolder(folder);
    } finally {
      process.umask(before);
    }
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.equal(openSharesFolder(folder), folder);
  });

  it('are not looked for in a folder that others can enter, nor in a link or a file', () => {
    mkdirSync(folder, { mode: 0o755 });
    chmodSync(folder, 0o755);
    assert.throws(() => runningShares(folder), { code: 'sharesFolderUnusable', exitCode: 3 });
    chmodSync(folder, 0o700);
    const link = join(base, 'link');
    symlinkSync(folder, link);
    assert.throws(() => runningShares(link), { code: 'sharesFolderUnusable' });
    const file = join(base, 'file');
    writeFileSync(file, '');
    assert.throws(() => openSharesFolder(file), { code: 'sharesFolderUnusable' });
  });

  it('are forgotten when their process is gone, with their socket', async () => {
    const pid = deadPid();
    await share(pid, 'gone');
    assert.deepEqual(runningShares(folder), []);
    assert.ok(!existsSync(socketOf(pid, folder)));
    assert.ok(!existsSync(join(folder, `${pid}.json`)));
  });

  it('are forgotten also when their process ended before it announced them; other files stay', async () => {
    openSharesFolder(folder);
    const [pid, other] = [deadPid(), deadPid()];
    for (const nameOf of [socketOf, countersSocketOf, debugSocketOf]) await listen(nameOf(pid, folder));
    writeFileSync(join(folder, `${other}.json.new`), '');
    await listen(socketOf(process.pid, folder));
    const stay = [`${process.pid}.sock`, `${pid}.txt`, 'notes.sock'];
    for (const name of stay.slice(1)) writeFileSync(join(folder, name), '');
    assert.deepEqual(runningShares(folder), []);
    assert.deepEqual(readdirSync(folder).sort(), stay.sort());
  });

  it('are gone when they are withdrawn', async () => {
    await share(process.pid, 'work');
    withdrawShare(process.pid, folder);
    assert.deepEqual(runningShares(folder), []);
    withdrawShare(process.pid, folder);
  });

  it('are passed over when what is written of them makes no sense, or their socket is not there', async () => {
    openSharesFolder(folder);
    for (const text of ['', 'null', '[]', '{"tag":1}', '{"tag":"x"', `"${'x'.repeat(70_000)}"`]) {
      await share(process.pid, 'work');
      writeFileSync(join(folder, `${process.pid}.json`), text);
      assert.deepEqual(runningShares(folder), [], text.slice(0, 20));
      servers.pop()?.close();
      rmSync(socketOf(process.pid, folder), { force: true });
    }
    announceShare({ pid: process.pid, tag: 't', directory: '/', started: '' }, folder);
    assert.deepEqual(runningShares(folder), []);
  });

  it('are meant by tag, process, folder and socket', async () => {
    await share(process.pid, 'work');
    await share(1, 'other');
    const all = runningShares(folder);
    for (const name of [
      'work',
      String(process.pid),
      join(base, 'work'),
      `${base}/work/`,
      socketOf(process.pid, folder),
    ]) {
      assert.equal(resolveShare(name, all).pid, process.pid, name);
    }
  });

  it('are meant by the process that started the daemon as well, where it has one only', async () => {
    const daemons = [1, 2].map(() => spawn('sleep', ['60'], { stdio: 'ignore' }));
    try {
      const [first, second] = daemons.map(({ pid = 0 }) => pid);
      await share(first, 'work');
      assert.equal(resolveShare(String(process.pid), runningShares(folder)).pid, first);
      await share(second, 'other');
      const all = runningShares(folder);
      assert.throws(() => resolveShare(String(process.pid), all), { code: 'shareAmbiguous' });
      assert.equal(resolveShare(String(second), all).pid, second);
    } finally {
      for (const daemon of daemons) daemon.kill('SIGKILL');
    }
  });

  it('are listed where a name means none or several', async () => {
    await share(process.pid, 'same');
    await share(1, 'same');
    const all = runningShares(folder);
    assert.throws(
      () => resolveShare('same', all),
      (error: Error & { code: string; remedy: string }) => {
        assert.equal(error.code, 'shareAmbiguous');
        assert.match(error.remedy, new RegExp(`${process.pid}  "same"`));
        return true;
      },
    );
    assert.throws(() => resolveShare('nothing', all), { code: 'shareUnknown', exitCode: 2 });
    assert.throws(() => resolveShare('nothing', []), /neither a capture nor a share/);
  });

  it('are looked for in XDG_RUNTIME_DIR where it is a folder of this user, else in one of the user in /tmp', () => {
    const file = join(base, 'file');
    writeFileSync(file, '');
    const before = process.env['XDG_RUNTIME_DIR'];
    try {
      process.env['XDG_RUNTIME_DIR'] = base;
      assert.equal(sharesFolder(), join(base, 'virtiofs-studio'));
      for (const odd of [undefined, '', 'relative', join(base, 'none'), file, join(file, 'x')]) {
        if (odd === undefined) delete process.env['XDG_RUNTIME_DIR'];
        else process.env['XDG_RUNTIME_DIR'] = odd;
        assert.equal(sharesFolder(), `/tmp/virtiofs-studio-${process.geteuid?.()}`, odd);
      }
    } finally {
      if (before === undefined) delete process.env['XDG_RUNTIME_DIR'];
      else process.env['XDG_RUNTIME_DIR'] = before;
    }
  });

  it('are looked for in /tmp where a socket in XDG_RUNTIME_DIR would have a path of more than 107 bytes', () => {
    const before = process.env['XDG_RUNTIME_DIR'];
    const elsewhere = `/tmp/virtiofs-studio-${process.geteuid?.()}`;
    try {
      for (const bytes of [71, 72]) {
        const runtime = join(base, 'x'.repeat(bytes - base.length - 1));
        mkdirSync(runtime);
        process.env['XDG_RUNTIME_DIR'] = runtime;
        const found = sharesFolder();
        assert.equal(found, bytes === 71 ? join(runtime, 'virtiofs-studio') : elsewhere);
        assert.ok(countersSocketOf(4_194_304_000, found).length <= 107);
      }
    } finally {
      if (before === undefined) delete process.env['XDG_RUNTIME_DIR'];
      else process.env['XDG_RUNTIME_DIR'] = before;
    }
  });

  it('of root are not put into the folder of a user whose environment it has inherited', function () {
    need(this, 'root', process.geteuid?.() === 0, 'only root can give a folder to another user');
    const before = process.env['XDG_RUNTIME_DIR'];
    chownSync(base, 65534, 65534);
    process.env['XDG_RUNTIME_DIR'] = base;
    try {
      assert.equal(sharesFolder(), '/tmp/virtiofs-studio-0');
      assert.deepEqual(readdirSync(base), []);
    } finally {
      if (before === undefined) delete process.env['XDG_RUNTIME_DIR'];
      else process.env['XDG_RUNTIME_DIR'] = before;
    }
  });
});
