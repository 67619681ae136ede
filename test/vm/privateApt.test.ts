import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cached } from '../../src/vm/cacheFolder';
import { fetchPackages, mirrorOfTemplate } from '../../src/vm/privateApt';
import { exited } from '../../src/vm/workplace';
import { need } from '../support/need';

describe("the mirror that python-apt's description of a distribution names", () => {
  it('is the first archive, without a slash at its end', () => {
    const template = [
      'ChangelogURI: https://changes.example/%s',
      '',
      'Suite: {series}',
      'BaseURI: https://archive.example/debian/',
      '',
      'Suite: {series}-security',
      'BaseURI: https://security.example/',
    ].join('\n');
    assert.equal(mirrorOfTemplate(template), 'https://archive.example/debian');
  });

  it('is unknown where no archive is named', () => {
    assert.equal(mirrorOfTemplate('Suite: {series}\n'), undefined);
  });
});

describe('programs that fetch and unpack packages', () => {
  const path = process.env['PATH'];
  let folder: string;
  let runs: ChildProcess[];

  /** Stands in for a program of apt's, which says `NAME.N`, its N-th start, in the folder once it has come there. */
  const program = (name: string, script: string): void => {
    const said = `cd "${folder}"; echo $$ >$$; n=0; while ! ln $$ ${name}.$n 2>/dev/null; do n=$((n+1)); done`;
    writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${script.replaceAll('HERE', () => said)}\n`, { mode: 0o755 });
  };
  const said = async (name: string): Promise<number> => {
    while (!existsSync(join(folder, name))) await sleep(5);
    const pid = Number(readFileSync(join(folder, name), 'utf8'));
    assert.ok(existsSync(`/proc/${pid}`));
    return pid;
  };
  const hasEnded = async (pid: number): Promise<void> => {
    for (let tries = 0; existsSync(`/proc/${pid}`); tries++) {
      assert.ok(tries < 1000, `process ${pid} lives on`);
      await sleep(5);
    }
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'virtiofs-apt-test-'));
    runs = [];
    mkdirSync(join(folder, 'bin'));
    mkdirSync(join(folder, 'target'));
    process.env['PATH'] = `${join(folder, 'bin')}:${path}`;
  });

  afterEach(async () => {
    process.env['PATH'] = path;
    for (const run of runs) {
      run.kill('SIGKILL');
      await exited(run);
    }
    for (const name of readdirSync(folder).filter((name) => name.includes('.'))) {
      const pid = readFileSync(join(folder, name), 'utf8').trim();
      if (existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8') === 'sleep\x001000\x00') {
        process.kill(Number(pid), 'SIGKILL');
      }
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const MIRROR = 'indextargets) echo http://mirror.example/debian main Debian ;;';
  /** Whose lists take their time. */
  const slowApt = (): void => program('apt-get', `case $1 in ${MIRROR} *) HERE; exec sleep 1000 ;; esac`);
  /** That has three packages. */
  const quickApt = (): void => {
    const three = 'for n in a b c; do : >"$dir/${n}_1_all.deb"; done';
    const find = 'for word; do case $word in Dir::Cache::archives=*) dir=${word#*=} ;; esac; done';
    program('apt-get', `${find}\ncase $1 in ${MIRROR} *) case $* in *install*) ${three} ;; esac ;; esac`);
  };
  const selection = { suites: ['a'], packages: ['b'] };
  const fetch = (signal?: AbortSignal): Promise<unknown> =>
    fetchPackages(selection, join(folder, 'target'), () => {}, signal);

  /** Fills the cache in a process of its own. */
  const fetchApart = (): ChildProcess => {
    const room = (name: string): string => JSON.stringify(resolve(__dirname, '../../src/vm', name));
    const script = `
      const { cached } = require(${room('cacheFolder.js')});
      const { fetchPackages } = require(${room('privateApt.js')});
      const make = (scratch, lock) =>
        fetchPackages(${JSON.stringify(selection)}, scratch, () => {}, undefined, lock);
      cached('thing', make, { root: ${JSON.stringify(join(folder, 'cache'))} });`;
    const run = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'inherit', 'inherit'] });
    runs.push(run);
    return run;
  };

  it('have ended when they are wanted no more', async () => {
    slowApt();
    const wanted = new AbortController();
    const ended = assert.rejects(fetch(wanted.signal), { name: 'AbortError' });
    const apt = await said('apt-get.0');
    wanted.abort();
    await ended;
    assert.ok(!existsSync(`/proc/${apt}`));
  });

  it('have all ended when one of two that unpack has failed, and none is started after it', async () => {
    quickApt();
    program('dpkg-deb', 'echo $2');
    const failing = `echo $PPID >"${folder}/shell"; echo no room >&2; exit 2`;
    // Goes on until the other is known to have ended, and a moment longer.
    const other = `until [ -s shell ] && [ ! -e /proc/$(cat shell) ]; do sleep 0.01; done; sleep 0.1`;
    program('tar', `read -r file; HERE; case $file in *c_1*) ${failing} ;; *) ${other}; : >done ;; esac`);
    await assert.rejects(fetch(), { code: 'packagesNotFetched', message: /no room/ });
    assert.ok(existsSync(join(folder, 'done')));
    assert.equal(readdirSync(folder).filter((name) => name.startsWith('tar.')).length, 2);
  });

  it('have failed also where only the first half of an archive is unpacked', async () => {
    quickApt();
    writeFileSync(join(folder, 'half'), '');
    // Cut where an entry ends, which tar takes for a whole archive.
    program('dpkg-deb', `tar -C "${folder}" -c half | head -c 512; echo corrupt >&2; exit 2`);
    await assert.rejects(fetch(), { code: 'packagesNotFetched', message: /corrupt/ });
  });

  it('that cannot be started are told in the words of the system', async () => {
    writeFileSync(join(folder, 'bin', 'setpriv'), '', { mode: 0o644 });
    process.env['PATH'] = join(folder, 'bin');
    await assert.rejects(fetch(), {
      code: 'programNotRun',
      message: /setpriv cannot be started: permission denied \(EACCES\)$/,
    });
  });

  it('say what failed in their own words, or at least how', async () => {
    program('apt-get', `case $1 in ${MIRROR} *) echo "E: no such suite" >&2; exit 100 ;; esac`);
    await assert.rejects(fetch(), { code: 'packagesNotFetched', message: /fetched: E: no such suite$/ });
    program('apt-get', `case $1 in ${MIRROR} *) kill -9 $$ ;; esac`);
    await assert.rejects(fetch(), { code: 'packagesNotFetched', message: /apt-get ended with SIGKILL/ });
  });

  it('end with the run that started them when that is killed: apt', async () => {
    slowApt();
    const run = fetchApart();
    const apt = await said('apt-get.0');
    run.kill('SIGKILL');
    await hasEnded(apt);
  });

  it('end with the run that started them when that is killed: dpkg-deb, which a shell has started', async () => {
    quickApt();
    program('dpkg-deb', 'HERE; exec sleep 1000');
    const run = fetchApart();
    const pids = [await said('dpkg-deb.0'), await said('dpkg-deb.1')];
    run.kill('SIGKILL');
    for (const pid of pids) await hasEnded(pid);
  });

  it('keep the next run out while one of them is left over', async () => {
    // What apt itself has started is not told that its parent has gone.
    program('apt-get', `case $1 in ${MIRROR} *) setsid sh -c 'HERE; exec sleep 1000' & wait ;; esac`);
    const run = fetchApart();
    const left = await said('apt-get.0');
    run.kill('SIGKILL');
    await exited(run);
    const partial = readdirSync(join(folder, 'cache')).find((name) => name.startsWith('thing.partial-'));
    await cached('thing', async () => {}, {
      root: join(folder, 'cache'),
      waiting: () => {
        assert.ok(readdirSync(join(folder, 'cache')).includes(partial ?? assert.fail('nothing half made')));
        process.kill(left, 'SIGKILL');
      },
    });
    await hasEnded(left);
    assert.deepEqual(readdirSync(join(folder, 'cache')), ['thing']);
  });

  const KEYS = 'usr/share/keyrings/debian-archive-keyring.gpg';
  /** Ends when it has shown the sources that it is given, and the keys that these name. */
  const showingApt = (): void => {
    const find = 'for word; do case $word in Dir::Etc::sourcelist=*) list=${word#*=} ;; esac; done';
    const keys = `keys=$(sed -n "s/.*signed-by=\\(.*\\)\\] .*/\\1/p" "$list")`;
    const show = `${find}; cp "$list" "${folder}/sources"; ${keys}; cp "$keys" "${folder}/keys"`;
    program('apt-get', `case $1 in ${MIRROR} download) : >$2_1_all.deb ;; *) ${show}; exit 1 ;; esac`);
    program('dpkg-deb', `mkdir -p "$3/$(dirname ${KEYS})"; echo fetched >"$3/${KEYS}"`);
  };
  const signedBy = (): string =>
    /^deb \[signed-by=(\/[^\s"']+\.gpg)\] http:\/\/mirror\.example\/debian a main\n$/.exec(
      readFileSync(join(folder, 'sources'), 'utf8'),
    )?.[1] ?? assert.fail('no keys');

  it('are given keys by a path that apt does not cut, wherever the cache is, and that is gone afterwards', function () {
    showingApt();
    const target = join(folder, 'a "b c');
    mkdirSync(target);
    const script = `
      require(${JSON.stringify(resolve(__dirname, '../../src/vm/privateApt.js'))})
        .fetchPackages(${JSON.stringify(selection)}, ${JSON.stringify(target)}, () => {})
        .catch(({ code }) => {
          const [, keys] = /signed-by=(.*)]/.exec(require('fs').readFileSync(${JSON.stringify(join(folder, 'sources'))}, 'utf8'));
          console.log(code, require('fs').existsSync(require('path').dirname(keys)));
        });`;
    // As on a machine that has no keys of Debian's.
    const hidden = existsSync(`/${dirname(KEYS)}`) ? `mount -t tmpfs none /${dirname(KEYS)} || exit 99; ` : '';
    const words = ['-m', 'sh', '-c', `${hidden}exec "$@"`, 'sh', process.execPath, '-e', script];
    const { status, stdout } = spawnSync('unshare', words, { encoding: 'utf8' });
    need(this, 'a mount namespace', status === 0, 'unshare -m and mount are not allowed');
    assert.equal(stdout, 'packagesNotFetched false\n', 'the place of the keys has gone, before its process ends');
    assert.equal(readFileSync(join(folder, 'keys'), 'utf8'), 'fetched\n');
    assert.notEqual(signedBy(), `/${KEYS}`);
  });

  it('are given the keys that are installed, and no place is made for others', async function () {
    need(this, "Debian's keys", existsSync(`/${KEYS}`), 'debian-archive-keyring is not installed');
    showingApt();
    const before = process.env['TMPDIR'];
    process.env['TMPDIR'] = join(folder, 'missing');
    try {
      await assert.rejects(fetch(), { code: 'packagesNotFetched' });
    } finally {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
    }
    assert.equal(signedBy(), `/${KEYS}`);
    assert.ok(readFileSync(join(folder, 'keys')).equals(readFileSync(`/${KEYS}`)));
  });
});
