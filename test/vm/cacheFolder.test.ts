/** What is kept between runs: where, made once, whole or not at all. Real processes, locks and kills. */
import * as assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { cacheFolder, cached, homeFolder } from '../../src/vm/cacheFolder';
import { lockFile } from '../../src/vm/fileLock';

/** JavaScript in a process of its own, with `cached` and `lockFile`. */
class Run {
  private readonly process: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private readonly reader: Interface;

  constructor(program: string) {
    const room = path.resolve(__dirname, '../../src/vm');
    const head = `
      const fs = require('node:fs');
      const { cached } = require(${JSON.stringify(path.join(room, 'cacheFolder.js'))});
      const { lockFile } = require(${JSON.stringify(path.join(room, 'fileLock.js'))});`;
    const argv = ['-e', `${head}(async () => {${program}})();`];
    this.process = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.reader = createInterface({ input: this.process.stdout ?? assert.fail('no output') });
    this.lines = this.reader[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.process.pid ?? assert.fail('no process');
  }

  /** Its next line of output; undefined when it has ended. */
  async line(): Promise<string | undefined> {
    const { value, done } = await this.lines.next();
    return done === true ? undefined : value;
  }

  async kill(): Promise<void> {
    this.reader.close();
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await ended;
  }
}

const STAYS = 'setInterval(() => {}, 1000);';

describe('the cache', () => {
  let folder: string;
  let runs: Run[];

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'virtiofs-cache-test-'));
    runs = [];
  });

  afterEach(async () => {
    await Promise.all(runs.map((run) => run.kill()));
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const start = (program: string): Run => {
    const run = new Run(program);
    runs.push(run);
    return run;
  };
  const lock = (): string => path.join(folder, 'thing.lock');
  const nothing = async (): Promise<void> => {};

  describe('is a folder', () => {
    it('below XDG_CACHE_HOME or the home folder', () => {
      assert.equal(cacheFolder({ XDG_CACHE_HOME: '/var/x' }), '/var/x/virtiofs-studio');
      assert.equal(cacheFolder({ XDG_CACHE_HOME: 'x', HOME: '/home/me' }), '/home/me/.cache/virtiofs-studio');
    });

    it('below the home folder of the password file where HOME says nothing', () => {
      for (const HOME of [undefined, '', 'relative']) assert.equal(homeFolder({ HOME }), os.userInfo().homedir);
      assert.equal(cacheFolder({}), path.join(os.userInfo().homedir, '.cache/virtiofs-studio'));
    });
  });

  it('makes a thing once, for all who ask at the same time', async () => {
    let made = 0;
    const make = async (scratch: string): Promise<void> => {
      made++;
      await new Promise((resolve) => setTimeout(resolve, 100));
      fs.writeFileSync(path.join(scratch, 'file'), 'whole');
    };
    const places = await Promise.all([1, 2, 3].map(() => cached('thing', make, { root: folder })));
    assert.deepEqual([made, new Set(places).size], [1, 1]);
    assert.equal(fs.readFileSync(path.join(places[0], 'file'), 'utf8'), 'whole');
    assert.deepEqual(fs.readdirSync(folder), ['thing']);
  });

  it('keeps nothing of what failed, and tries again', async () => {
    const failing = cached('thing', () => Promise.reject(new Error('no network')), { root: folder });
    await assert.rejects(failing, /no network/);
    assert.deepEqual(fs.readdirSync(folder), []);
    await cached('thing', nothing, { root: folder });
  });

  it('keeps nothing of a run that was killed in the middle', async () => {
    const make = `async (scratch) => { fs.writeFileSync(scratch + '/half', ''); console.log('half'); await new Promise(() => {}); }`;
    const killed = start(`${STAYS} await cached('thing', ${make}, { root: ${JSON.stringify(folder)} });`);
    assert.equal(await killed.line(), 'half');
    await killed.kill();
    assert.ok(!fs.existsSync(path.join(folder, 'thing')));
    const place = await cached('thing', async (scratch) => fs.writeFileSync(path.join(scratch, 'whole'), ''), {
      root: folder,
      waiting: () => assert.fail('waited for the dead'),
    });
    assert.deepEqual([fs.readdirSync(folder), fs.readdirSync(place)], [['thing'], ['whole']]);
  });

  it('has a thing on the disk before it has its name', async () => {
    const before = process.env['PATH'];
    const bin = path.join(folder, 'bin');
    const root = path.join(folder, 'root');
    fs.mkdirSync(bin);
    const sync = (script: string): void =>
      fs.writeFileSync(path.join(bin, 'sync'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const make = async (scratch: string): Promise<void> => fs.writeFileSync(path.join(scratch, 'file'), '');
    process.env['PATH'] = `${bin}:${before}`;
    try {
      sync('echo "sync: error syncing: Input/output error" >&2; exit 1');
      await assert.rejects(cached('thing', make, { root }), { code: 'cacheUnusable', message: /Input\/output error/ });
      assert.deepEqual(fs.readdirSync(root), []);
      sync(`ls "$2" "${root}" >"${folder}/seen"`);
      await cached('thing', make, { root });
      const seen = fs.readFileSync(path.join(folder, 'seen'), 'utf8');
      assert.match(seen, /^file$/m);
      assert.doesNotMatch(seen, /^thing$/m);
    } finally {
      process.env['PATH'] = before;
    }
  });

  it('says why where nothing can be kept', async () => {
    fs.writeFileSync(path.join(folder, 'file'), '');
    await assert.rejects(cached('thing', nothing, { root: path.join(folder, 'file/cache') }), {
      code: 'cacheUnusable',
      message: /not a directory \(ENOTDIR\)/,
    });
  });

  it('says why where its place is a link that leads nowhere', async () => {
    fs.symlinkSync(path.join(folder, 'missing'), path.join(folder, 'link'));
    await assert.rejects(cached('thing', nothing, { root: path.join(folder, 'link/cache') }), {
      code: 'cacheUnusable',
      message: /no such file or directory \(ENOENT\)/,
    });
    assert.deepEqual(fs.readdirSync(folder), ['link']);
  });

  describe('has a lock', () => {
    it('that one run at a time has, when several wait for one that is killed', async () => {
      const log = path.join(folder, 'log');
      const owner = start(`${STAYS} await lockFile(${JSON.stringify(lock())}, () => {}); console.log('mine');`);
      assert.equal(await owner.line(), 'mine');
      const waiters = [1, 2, 3, 4].map(() =>
        start(`
          const lock = await lockFile(${JSON.stringify(lock())}, (pid) => console.log(pid));
          fs.appendFileSync(${JSON.stringify(log)}, 'in ');
          await new Promise((resolve) => setTimeout(resolve, 30));
          fs.appendFileSync(${JSON.stringify(log)}, 'out ');
          lock.release();`),
      );
      for (const waiter of waiters) assert.equal(await waiter.line(), String(owner.pid), 'says for whom it waits');
      assert.ok(!fs.existsSync(log));
      await owner.kill();
      for (const waiter of waiters) assert.equal(await waiter.line(), undefined);
      assert.equal(fs.readFileSync(log, 'utf8'), 'in out '.repeat(4));
      assert.deepEqual(fs.readdirSync(folder), ['log']);
    });

    it('that nobody has because a process has the number of its last owner', async () => {
      fs.writeFileSync(lock(), `${process.pid}\n`);
      (await lockFile(lock(), () => assert.fail('waited for itself'), undefined)).release();
      assert.ok(!fs.existsSync(lock()));
    });

    it('that no other user can take and keep', async () => {
      const held = await lockFile(lock(), () => {}, undefined);
      assert.equal(fs.statSync(lock()).mode & 0o077, 0);
      held.release();
    });

    it('that is nothing which a link in its place leads to', async () => {
      const other = path.join(folder, 'other');
      fs.writeFileSync(other, 'precious');
      fs.symlinkSync(other, lock());
      await assert.rejects(cached('thing', nothing, { root: folder }), { code: 'cacheUnusable', message: /ELOOP/ });
      assert.equal(fs.readFileSync(other, 'utf8'), 'precious');
    });

    it('that is not to be had without flock(1), and says so', async () => {
      const before = process.env['PATH'];
      const bin = path.join(folder, 'bin');
      fs.mkdirSync(bin);
      process.env['PATH'] = bin;
      try {
        await assert.rejects(
          lockFile(lock(), () => {}, undefined),
          { code: 'toolMissing', message: /flock/ },
        );
        fs.writeFileSync(path.join(bin, 'flock'), '', { mode: 0o600 });
        await assert.rejects(
          lockFile(lock(), () => {}, undefined),
          { code: 'programNotRun', message: /flock cannot be started: permission denied \(EACCES\)$/ },
        );
      } finally {
        process.env['PATH'] = before;
      }
    });

    it('that is not waited for when it is wanted no more', async () => {
      const held = await lockFile(lock(), () => {}, undefined);
      const wanted = new AbortController();
      const { signal } = wanted;
      const make = (): Promise<void> => assert.fail('another makes it');
      const waiting = cached('thing', make, {
        waiting: () => setImmediate(() => wanted.abort()),
        root: folder,
        signal,
      });
      await assert.rejects(waiting, { name: 'AbortError' });
      assert.deepEqual(fs.readdirSync(folder), ['thing.lock']);
      assert.equal(spawnSync('flock', ['-n', lock(), 'true']).status, 1, 'it is still held');
      held.release();
      held.release();
      assert.deepEqual(fs.readdirSync(folder), []);
    });

    it('that is the file of that name, not one that was removed and made anew', async () => {
      const first = await lockFile(lock(), () => {}, undefined);
      fs.rmSync(lock());
      const second = await lockFile(lock(), () => {}, undefined);
      first.release();
      assert.equal(spawnSync('flock', ['-n', lock(), 'true']).status, 1, 'the second one is held');
      second.release();
    });
  });
});
