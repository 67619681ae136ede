/** What `share --daemon-arg` hands on to the daemon, and what it refuses before anything starts. */
import assert from 'node:assert/strict';
import { checkDaemonArgs, checkDaemonWords } from '../../src/cli/daemonArgs';
import { daemonOptions, parseShareWords } from '../../src/cli/shareOptions';

describe('arguments for the daemon of a share', () => {
  const words = (...args: string[]): string[] => daemonOptions(parseShareWords(args).options);

  it('come behind what share says itself, in their order, so that they have the last word', () => {
    const args = ['--writeback', '--no-readdirplus', '--rlimit-nofile', '4096', '-o', 'no_flock', '--log-level=info'];
    const said = words(...args.map((arg) => `--daemon-arg=${arg}`));
    assert.deepEqual(said.slice(-args.length), args);
    assert.ok(said.indexOf('--log-level=warn') < said.indexOf('--log-level=info'));
    assert.deepEqual(words().slice(-1), ['--log-level=warn']);
  });

  for (const [args, code] of [
    [['--wriiteback'], 'optionUnknown'],
    [['-o', 'wriiteback'], 'optionUnknown'],
    [['--poll-us=often'], 'optionBadValue'],
    [['--rlimit-nofile'], 'optionNeedsValue'],
    [['--writeback=yes'], 'optionTakesNoValue'],
    [['writeback'], 'argumentUnexpected'],
    [['--sandbox=chroot'], 'optionUnsupported'],
    [['--help'], 'daemonArgPrints'],
    [['--print-capabilities'], 'daemonArgPrints'],
  ] as const) {
    it(`refuses ${args.join(' ')}: ${code}`, () => {
      assert.throws(() => checkDaemonArgs(args), { code, exitCode: 2 });
      assert.throws(() => words(...args.map((arg) => `--daemon-arg=${arg}`)), { code });
    });
  }

  const own = [
    ['--shared-dir=/', '--socket-path=/s', '--socket', '--tag=x', '--name=x', '--fd=3', '--socket-group=users'],
    ['--trace-fd=4', '--problems-fd=4', '--cache=never', '--readonly', '--queues=2', '--dax=8M', '--dax-policy=tails'],
    ['--capture=x', '--capture-limit=100M', '--snaplen=1', '--trace-syscalls', '--fault=errno=EIO READ'],
    ['-osource=/', '-ocache=none', '-ovhost_user_socket=/s'],
  ].flat();
  for (const arg of own) {
    it(`refuses ${arg}: share decides that itself, and says where`, () => {
      const args = arg === '--socket' ? [arg, '/s'] : [arg];
      assert.throws(() => checkDaemonArgs(args), { code: 'daemonArgOwn', exitCode: 2, remedy: /\w/ });
    });
  }

  it('that change nothing are told of, as the daemon itself tells', () => {
    const [notice, ...more] = checkDaemonWords(words('--daemon-arg=--thread-pool-size=4', '--daemon-arg=--writeback'));
    assert.match(notice, /^--thread-pool-size has no effect: \w/);
    assert.deepEqual(more, []);
    assert.deepEqual(checkDaemonWords(words()), []);
  });

  it('are refused where they do not go together with what share says', () => {
    checkDaemonWords(['--cache=auto', '--writeback']);
    checkDaemonWords(['--dax=8388608', '--cache=auto']);
    assert.throws(() => checkDaemonWords(['--dax=8388608', '--cache=auto', '--writeback']), { code: 'daxWriteback' });
  });
});
