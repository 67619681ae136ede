import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { inCi, need } from '../support/need';

/** Runs a line of JavaScript that uses one of the scripts; what it printed. */
function script(code: string, env: NodeJS.ProcessEnv = process.env): string {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    env,
    timeout: 30_000,
  });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

describe('set-up', () => {
  it('says what to install where it cannot install it itself', () => {
    const folder = mkdtempSync(join(tmpdir(), 'virtiofs-path-'));
    try {
      const code = "const { getPackages } = await import('./scripts/setup.mjs'); getPackages(['load'])";
      assert.match(script(code, { PATH: folder }), /Install what your distribution calls: fio stress-ng \(/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  describe('with apt', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'virtiofs-path-'));
      for (const name of ['sh', 'env']) symlinkSync(`/usr/bin/${name}`, join(folder, name));
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    /** What would run, in order: each program only says that it was asked. */
    function asked(programs: readonly string[], uid: number): { said: string; lines: string[] } {
      const log = join(folder, 'log');
      writeFileSync(log, '');
      for (const name of programs) {
        writeFileSync(join(folder, name), `#!/bin/sh\necho "$(basename "$0") $*" >>'${log}'\n`, { mode: 0o755 });
      }
      symlinkSync('/usr/bin/basename', join(folder, 'basename'));
      const code = `process.getuid = () => ${uid};
        const { getPackages } = await import('./scripts/setup.mjs'); getPackages(['load']);`;
      return { said: script(code, { PATH: folder }), lines: readFileSync(log, 'utf8').trim().split('\n') };
    }

    const install = /^apt-get .*install -y --no-install-recommends fio stress-ng$/;

    it('installs as root', () => {
      const { said, lines } = asked(['apt-get', 'sudo'], 0);
      assert.equal(said, 'Installing fio stress-ng');
      assert.equal(lines.length, 1);
      assert.match(lines[0], install);
    });

    it('installs through sudo that asks for nothing', () => {
      const { lines } = asked(['apt-get', 'sudo'], 1000);
      assert.equal(lines[0], 'sudo -n true');
      assert.match(lines[1], /^sudo -n env DEBIAN_FRONTEND=noninteractive apt-get .*install -y .*fio stress-ng$/);
    });

    it('says the line to type where it may not', () => {
      const { said, lines } = asked(['apt-get'], 1000);
      assert.match(said, /^ {2}sudo apt-get update && sudo apt-get install -y --no-install-recommends fio stress-ng$/m);
      assert.deepEqual(lines, ['']);
    });
  });

  it('ends the demo with 2 where something has to be installed by hand, and says what', function () {
    this.timeout(120_000);
    const folder = mkdtempSync(join(tmpdir(), 'virtiofs-path-'));
    try {
      const { status, stderr } = spawnSync(process.execPath, ['scripts/run.mjs', 'demo'], {
        encoding: 'utf8',
        env: { PATH: folder, HOME: folder, XDG_CACHE_HOME: folder },
      });
      assert.match(stderr, /Install QEMU|Run: sudo apt-get/);
      assert.equal(status, 2);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses an unknown target with exit code 2', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/run.mjs', 'frobnicate'], { encoding: 'utf8' });
    assert.equal(status, 2);
    assert.match(stderr, /usage: .*demo\|test\|bench/);
  });

  for (const target of ['test', 'build', 'package', 'workbench', 'pictures', 'test:desktop']) {
    it(`says what ${target} takes, also where it is given something else, and does nothing then`, () => {
      const ask = (argument: string) =>
        spawnSync(process.execPath, ['scripts/run.mjs', target, argument], { encoding: 'utf8', timeout: 20_000 });
      const help = ask('--help');
      assert.equal(help.status, 0);
      assert.match(help.stdout, /^usage: npm .*-h, --help +this$/ms);
      const other = ask('--frobnicate');
      assert.equal(other.status, 2);
      assert.match(other.stderr, /'--frobnicate'.*usage: npm /s);
      assert.equal(other.stdout, '');
    });
  }

  it('is the way of every npm script, so that each works in a fresh clone', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const usage = spawnSync(process.execPath, ['scripts/run.mjs'], { encoding: 'utf8' }).stderr;
    for (const [name, line] of Object.entries(scripts)) {
      assert.equal(line, `node scripts/run.mjs ${name}`);
      assert.match(usage, new RegExp(`[ |]${name}[ |]`));
    }
  });

  it('runs no tests in no lane', () => {
    for (const lanes of ['0', '1.5', 'two']) {
      const asked = spawnSync(process.execPath, ['scripts/run.mjs', 'test', '--lanes', lanes], { encoding: 'utf8' });
      assert.equal(asked.status, 2);
      assert.equal(asked.stderr, `--lanes ${lanes}: a number from 1\n`);
    }
  });

  it('opens no workbench in a folder that is not there', () => {
    const asked = spawnSync(process.execPath, ['scripts/run.mjs', 'workbench', '/nowhere'], { encoding: 'utf8' });
    assert.equal(asked.status, 2);
    assert.match(asked.stderr, /there is no folder '\/nowhere'/);
  });
});

describe('a child of the scripts', () => {
  const run = (program: string, args: string[], options = {}) =>
    script(
      `const { run } = await import('./scripts/child.mjs');
       console.log('exit', await run(${JSON.stringify(program)}, ${JSON.stringify(args)}, ${JSON.stringify(options)}))`,
    );

  it('gives its exit code, its signal, or that it could not be started', () => {
    assert.equal(run('sh', ['-c', 'exit 7']), 'exit 7');
    assert.equal(run('sh', ['-c', 'kill -TERM $$']), 'exit 143');
    assert.equal(run('/nonexistent/program', []), 'exit 127');
  });

  it('is told of the signal that its script is told of, and nothing is started after it', () => {
    const printed = script(
      `const { run } = await import('./scripts/child.mjs');
       console.log('exit', await run('sh', ['-c', 'kill -TERM $PPID; exec sleep 20']));
       await run('echo', ['started']).catch(({ exitCode, message }) => console.log(exitCode, message))`,
    );
    assert.equal(printed, 'exit 143\n143 Ended by SIGTERM.');
  });

  it('gives its output to who asks for it, to the last, and waits for nobody that it has left behind', () => {
    const printed = script(
      `const { run } = await import('./scripts/child.mjs');
       let text = '';
       const write = (chunk) => (text += chunk);
       const line = 'yes word | head -n 50000; echo wrong >&2; sleep 600 & echo $!';
       const code = await run('sh', ['-c', line], { write, limitSeconds: 100 });
       const lines = text.trim().split('\\n');
       process.kill(Number(lines.filter((one) => /^[0-9]+$/.test(one))[0]));
       console.log(code, lines.length, lines.filter((one) => one === 'word').length, lines.includes('wrong'));`,
    );
    assert.equal(printed, '0 50002 50000 true');
  });

  it('is ended with all it has started when its time is over', () => {
    const printed = run('sh', ['-c', 'sleep 600 & echo $!; wait'], { limitSeconds: 1 });
    const [pid, exit] = printed.split('\n');
    assert.equal(exit, 'exit 124');
    // Killed, and at most not yet collected by its new parent.
    const state = (() => {
      try {
        return / ([A-Z]) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
      } catch {
        return 'gone';
      }
    })();
    assert.ok(state === 'gone' || state === 'Z', state);
  });
});

describe('runs side by side', () => {
  it('have the terminal one after the other, in the order in which they began', () => {
    const printed = script(
      `const { Turns } = await import('./scripts/turns.mjs');
       const turns = new Turns();
       const [first, second, third] = [turns.begin(), turns.begin(), turns.begin()];
       second.write('b1 ');
       first.write('a1 ');
       third.write('c1 ');
       third.end();
       first.write('a2 ');
       first.end();
       second.write('b2 ');
       const fourth = turns.begin();
       fourth.write('d1 ');
       second.end();
       fourth.write('d2');
       fourth.end();`,
    );
    assert.equal(printed, 'a1 a2 b1 b2 c1 d1 d2');
  });

  it('are as many as there are lanes, and all have ended when one has failed', () => {
    const printed = script(
      `const { inLanes } = await import('./scripts/turns.mjs');
       const { setTimeout: sleep } = await import('node:timers/promises');
       let now = 0;
       const told = [];
       await inLanes(2, [1, 2, 3, 4, 5], async (thing) => {
         told.push(thing + ':' + ++now);
         await sleep(thing === 1 ? 50 : 10);
         now--;
         if (thing === 3) throw new Error('three');
       }).catch((error) => told.push(error.message, now));
       console.log(told.join(' '));`,
    );
    assert.equal(printed, '1:1 2:2 3:2 4:1 5:1 three 0');
  });
});

describe('a build', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'virtiofs-build-'));
    writeFileSync(join(folder, 'source'), 'old');
    // Longer ago than any clock of files is coarse.
    utimesSync(join(folder, 'source'), 1, 1);
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  /** How often the program ran when it was asked for twice. `program`: what it does besides. */
  function runs(program: string): number {
    const [stamp, source, builder, log] = ['stamp', 'source', 'builder.js', 'log'].map((name) => join(folder, name));
    writeFileSync(builder, `const fs = require('node:fs'); fs.appendFileSync(${JSON.stringify(log)}, 'x'); ${program}`);
    const words = [relative('', stamp), [relative('', source)], builder, []].map((word) => JSON.stringify(word));
    const make = `await make(${words.join(', ')});`;
    script(`const { make } = await import('./scripts/build.mjs'); ${make} ${make}`);
    return readFileSync(log, 'utf8').length;
  }

  it('is not made again when no source has changed', () => {
    assert.equal(runs(''), 1);
  });

  it('is made again when a source was written while it ran', () => {
    assert.equal(runs(`fs.writeFileSync(${JSON.stringify(join(folder, 'source'))}, 'new')`), 2);
  });

  it('that failed is made again', () => {
    assert.equal(runs('process.exitCode = 1'), 2);
  });
});

describe('need', () => {
  function ask(available: boolean): string {
    let outcome = 'goes on';
    const context = { skip: () => (outcome = 'skipped') } as unknown as Mocha.Context;
    try {
      need(context, 'a thing', available, 'none in this test');
    } catch (error) {
      outcome = String(error);
    }
    return outcome;
  }

  it('lets a test go on that has what it needs', () => {
    assert.equal(ask(true), 'goes on');
  });

  it('fails in CI, skips elsewhere', () => {
    assert.equal(ask(false), inCi ? 'Error: a thing is needed: none in this test' : 'skipped');
  });
});
