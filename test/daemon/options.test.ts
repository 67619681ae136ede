import assert from 'node:assert/strict';
import type { DaemonOptions } from '../../src/daemon/daemonOptions';
import { legacy } from '../../src/daemon/optionTable';
import { helpText, parseOptions, parsePart } from '../../src/daemon/options';

function run(...argv: string[]): DaemonOptions & { notices: readonly string[] } {
  const parsed = parseOptions(argv, '1.2.3');
  if (parsed.kind !== 'run') assert.fail(parsed.kind === 'print' ? parsed.text : parsed.trouble.toString());
  return { ...parsed.options, notices: parsed.notices };
}

function refusal(...argv: string[]): string {
  const parsed = parseOptions(argv, '1.2.3');
  if (parsed.kind !== 'refused') assert.fail(`accepted: ${argv.join(' ')}`);
  assert.equal(parsed.trouble.exitCode, 2);
  assert.notEqual(parsed.trouble.remedy, '');
  return parsed.trouble.code;
}

const base = ['--shared-dir=/srv', '--socket-path=/run/s'];

describe('daemon options', () => {
  it('have virtiofsd’s defaults', () => {
    assert.deepEqual(run(...base), {
      sharedDir: '/srv',
      socketPath: '/run/s',
      cache: 'auto',
      writeback: false,
      xattr: false,
      readonly: false,
      readdirplus: true,
      allowDirectIo: false,
      allowMmap: false,
      announceSubmounts: true,
      posixLocks: true,
      flock: true,
      killprivV2: true,
      logLevel: 'info',
      pollMicroseconds: 0,
      queues: 1,
      snapLength: 256,
      traceSyscalls: false,
      liveTrace: true,
      debug: true,
      faults: [],
      notices: [],
    });
  });

  it('take faults, and say what is wrong with one', () => {
    const { faults } = run(...base, '--fault=errno=EIO READ *.db', '--fault', 'delay=5ms * if pid == 1');
    assert.deepEqual(faults, ['errno=EIO READ *.db', 'delay=5ms * if pid == 1']);
    assert.equal(run(...base, '--no-debug').debug, false);
    assert.equal(refusal(...base, '--fault=errno=EIO REED'), 'faultBad');
  });

  it('say what is captured, and where', () => {
    const capturing = [
      '--capture=/tmp/c',
      '--capture-limit=100M',
      '--snaplen',
      '4K',
      '--trace-syscalls',
      '--name=work',
    ];
    const all = run(...base, ...capturing, '--no-live-trace');
    assert.deepEqual(
      [all.capture, all.captureLimit, all.snapLength, all.traceSyscalls, all.liveTrace, all.name],
      ['/tmp/c', 100 << 20, 4096, true, false, 'work'],
    );
    assert.equal(run(...base, '--cpu=3').cpu, 3);
    assert.equal(refusal(...base, '--cpu=512'), 'optionBadValue');
    assert.equal(run(...base, '--snaplen=0').snapLength, 0);
    for (const size of ['2M', '1X', '', '-1', '0x10', '1e9']) {
      assert.equal(refusal(...base, '--snaplen', size), 'optionBadValue', size);
    }
    assert.equal(refusal(...base, '--capture=c', '--capture-limit=7M'), 'optionBadValue');
    assert.equal(refusal(...base, '--capture-limit=70M'), 'captureLimitAlone');
    assert.equal(refusal(...base, '--capture='), 'optionBadValue');
    assert.equal(refusal(...base, `--name=${'x'.repeat(37)}`), 'tagBad');
  });

  it('take every switch and value of the issue', () => {
    const all = run(
      ...['--shared-dir', '/srv', '--tag', 'work', '--fd', '3', '--cache', 'never', '--writeback', '--xattr'],
      ...['--readonly', '--no-readdirplus', '--allow-direct-io', '--allow-mmap', '--log-level', 'debug'],
      ...['--rlimit-nofile', '4096', '--poll-us', '50', '--trace-fd=5', '--queues=4', '--no-killpriv-v2'],
    );
    assert.equal(all.tag, 'work');
    assert.equal(all.fd, 3);
    assert.equal(all.socketPath, undefined);
    assert.equal(all.cache, 'never');
    assert.equal(all.rlimitNofile, 4096);
    assert.equal(all.traceFd, 5);
    assert.equal(all.queues, 4);
    assert.equal(all.pollMicroseconds, 50);
    assert.equal(all.logLevel, 'debug');
    assert.deepEqual(
      [all.writeback, all.xattr, all.readonly, all.readdirplus, all.allowDirectIo, all.allowMmap, all.killprivV2],
      [true, true, true, false, true, true, false],
    );
  });

  it('take Kata’s older form', () => {
    const kata = run('--fd=3', '-o', 'source=/run/kata', '-o', 'cache=always', '--syslog', '-o', 'no_posix_lock', '-f');
    assert.equal(kata.sharedDir, '/run/kata');
    assert.equal(kata.cache, 'always');
    assert.equal(kata.posixLocks, false);
    assert.equal(kata.flock, true);
    assert.equal(kata.notices.length, 2);
  });

  it('take Kata’s newer form', () => {
    const argv = '--syslog --cache=auto --shared-dir=/run/kata --fd=7 --thread-pool-size=1 --announce-submounts';
    const kata = run(...argv.split(' '));
    assert.equal(kata.fd, 7);
    assert.match(kata.notices.join('\n'), /--thread-pool-size has no effect/);
  });

  it('take libvirt’s older form, with a comma in the path', () => {
    const list = 'source=/a\\,b=c,cache=none,no_xattr,xattr,flock,no_posix_lock';
    const libvirt = run('--fd=25', `-o${list}`, '-d');
    assert.equal(libvirt.sharedDir, '/a,b=c');
    assert.equal(libvirt.cache, 'never');
    assert.equal(libvirt.xattr, true);
    assert.equal(libvirt.logLevel, 'debug');
  });

  describe('take each word of -o as its long spelling:', () => {
    /** Of the words that have a value. */
    const values: Readonly<Record<string, string>> = {
      source: '/a',
      vhost_user_socket: '/s',
      cache: 'always',
      log_level: 'warn',
      loglevel: 'warn',
      sandbox: 'none',
      seccomp: 'none',
      modcaps: '-chown',
      xattrmap: ':a:',
    };
    /** What it sets and says; of a refusal all but by which name it was given. */
    const outcome = (...argv: string[]): unknown => {
      const parsed = parsePart(argv);
      if ('given' in parsed) return parsed.given;
      const { code, remedy, exitCode } = parsed.trouble;
      return { code, remedy, exitCode };
    };

    for (const [word, long] of Object.entries(legacy)) {
      const value = values[word] === undefined ? '' : `=${values[word]}`;
      it(`${word}${value}: ${long === '' ? 'nothing' : long}`, () => {
        const expected = long === '' ? {} : outcome(`${long}${value}`);
        assert.deepEqual(outcome('-o', `${word}${value}`), expected);
        assert.deepEqual(outcome(`-o${word}${value}`), expected);
        const nothing = long === '' || value === '=none';
        assert.equal(Object.keys(expected as object).length === 0, nothing, 'it does something');
        const wrong =
          value === '' ? ([`${word}=x`, 'optionTakesNoValue'] as const) : ([word, 'optionNeedsValue'] as const);
        assert.equal(refusal(...base, '-o', wrong[0]), wrong[1]);
      });
    }

    it('values that were called otherwise', () => {
      assert.deepEqual(outcome('-o', 'cache=none'), outcome('--cache=never'));
      assert.deepEqual(outcome('-o', 'log_level=err'), outcome('--log-level=error'));
      assert.equal(refusal(...base, '--cache=none'), 'optionBadValue');
    });
  });

  it('refuse what is unknown, incomplete or wrong', () => {
    assert.equal(refusal(...base, '--nonsense'), 'optionUnknown');
    assert.equal(refusal(...base, '-o', 'nonsense'), 'optionUnknown');
    assert.equal(refusal(...base, '-o', 'constructor'), 'optionUnknown');
    const told = (word: string): string => {
      const parsed = parseOptions([...base, '-o', word], '1.2.3');
      return parsed.kind === 'refused' ? parsed.trouble.message : 'accepted';
    };
    assert.equal(told('wriiteback'), 'unknown option -o wriiteback; did you mean -o writeback?');
    assert.equal(told('chace=always'), 'unknown option -o chace; did you mean -o cache?');
    assert.equal(told('thread-pool-size=4'), 'unknown option -o thread-pool-size; did you mean --thread-pool-size?');
    assert.equal(told('nonsense'), 'unknown option -o nonsense');
    assert.equal(refusal(...base, 'stray'), 'argumentUnexpected');
    assert.equal(refusal(...base, '--cache'), 'optionNeedsValue');
    assert.equal(refusal(...base, '-o'), 'optionNeedsValue');
    assert.equal(refusal(...base, '--cache=sometimes'), 'optionBadValue');
    assert.equal(refusal(...base, '--xattr=yes'), 'optionTakesNoValue');
    assert.equal(refusal('--shared-dir=/srv', '--fd=-1'), 'optionBadValue');
    assert.equal(refusal('--shared-dir=/srv', '--fd=0x3'), 'optionBadValue');
    assert.equal(refusal(...base, '--queues=0'), 'optionBadValue');
    assert.equal(refusal('--socket-path=/s'), 'sharedDirMissing');
    assert.equal(refusal('--shared-dir=', '--fd=3'), 'optionBadValue');
    assert.equal(refusal('--shared-dir=/srv'), 'socketMissing');
    assert.equal(refusal(...base, '--fd=3'), 'socketTwice');
  });

  it('refuse a tag that no guest could mount', () => {
    assert.equal(run(...base, `--tag=${'é'.repeat(18)}`).tag?.length, 18);
    assert.equal(refusal(...base, `--tag=${'é'.repeat(19)}`), 'tagBad');
    assert.equal(refusal(...base, '--tag='), 'tagBad');
    assert.equal(refusal(...base, '--tag=a\nb'), 'tagBad');
  });

  it('refuse promises that are not kept', () => {
    for (const option of [
      '--sandbox=namespace',
      '--seccomp=kill',
      '--inode-file-handles=mandatory',
      '--xattrmap=:a:',
    ]) {
      assert.equal(refusal(...base, option), 'optionUnsupported');
    }
    for (const option of ['--uid-map=:0:1:1:', '--modcaps=-chown', '--posix-acl', '--security-label', '--daemonize']) {
      assert.equal(refusal(...base, option), 'optionUnsupported');
    }
    assert.equal(refusal(...base, '-o', 'sandbox=chroot'), 'optionUnsupported');
    run(...base, '--sandbox=none', '--seccomp', 'none', '--inode-file-handles=never');
  });

  it('answer what is asked for with text, whatever else stands there', () => {
    const text = (...argv: string[]) => {
      const parsed = parseOptions(argv, '1.2.3');
      return parsed.kind === 'print' ? parsed.text : parsed.kind;
    };
    assert.deepEqual(JSON.parse(text('--print-capabilities')), { type: 'fs', features: ['separate-options'] });
    assert.equal(text('--version'), 'virtiofs-studio daemon 1.2.3');
    assert.equal(text('--help', '--fd=3'), helpText());
    assert.match(helpText(), /--shared-dir=DIR {2,}The folder to share/);
    for (const line of helpText().split('\n')) assert.ok(line.length <= 120, line);
  });

  describe('of the DAX window', () => {
    const dax = ['--tag=t', '--dax'];

    it('take a power of two from 2M to 256M', () => {
      assert.equal(run(...base).dax, undefined);
      assert.deepEqual(
        ['2M', '4096K', '67108864', '256M'].map((size) => run(...base, ...dax, size).dax),
        [2 << 20, 4 << 20, 64 << 20, 256 << 20],
      );
      for (const size of ['0', '1M', '3M', '512M', '8G']) assert.equal(refusal(...base, ...dax, size), 'daxSizeBad');
      for (const size of ['', 'much', '-2M', '2MM']) assert.equal(refusal(...base, ...dax, size), 'optionBadValue');
    });

    it('take a policy, which means nothing alone', () => {
      assert.equal(run(...base, ...dax, '2M', '--dax-policy=tails,*.db').daxPolicy, 'tails,*.db');
      assert.equal(refusal(...base, ...dax, '2M', '--dax-policy=>many'), 'optionBadValue');
      assert.equal(refusal(...base, '--dax-policy=pages'), 'daxOptionAlone');
    });

    it('are refused with what they cannot be safe with', () => {
      const all: [option: string, code: string][] = [
        ['--readonly', 'daxReadOnly'],
        ['--cache=never', 'daxCache'],
        ['--cache=metadata', 'daxCache'],
        ['--writeback', 'daxWriteback'],
      ];
      for (const [option, code] of all) assert.equal(refusal(...base, ...dax, '2M', option), code, option);
      assert.equal(refusal(...base, '--dax=2M'), 'daxWithoutTag');
    });
  });
});
