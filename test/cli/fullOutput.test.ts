/**
 * Output that cannot be written is told once, as the machine's condition that it is. `/dev/full` is a disk without
 * room.
 */
import assert from 'node:assert/strict';
import { spawnSync, type StdioOptions } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { Place, sample } from './captures';

describe('where there is no room for output', () => {
  let place: Place;
  let file: string;
  let full: number;

  before(() => {
    place = new Place();
    file = place.file('work.fuse.pcapng', sample().bytes());
    full = openSync('/dev/full', 'w');
  });

  after(() => {
    closeSync(full);
    place.remove();
  });

  function run(
    words: readonly string[],
    stdio: StdioOptions,
    program = 'out/src/cli/main.js',
  ): { status: number | null; stderr: string } {
    const { status, stderr } = spawnSync(process.execPath, [program, ...words], {
      stdio,
      encoding: 'utf8',
      timeout: 30_000,
    });
    return { status, stderr };
  }

  for (const words of [
    ['trace', 'FILE'],
    ['trace', 'FILE', '--stats'],
    ['trace', '--fields', 'help'],
    ['export', 'FILE', '--to', 'csv'],
    ['compare', 'FILE', 'FILE'],
    ['dax', 'FILE'],
    ['wireshark', 'print'],
    ['share', '--help'],
  ]) {
    it(`${words.join(' ')} says so once, and ends with 3`, () => {
      isTold(
        run(
          words.map((word) => (word === 'FILE' ? file : word)),
          ['ignore', full, 'pipe'],
        ),
      );
    });
  }

  for (const word of ['--help', '--print-capabilities']) {
    it(`so does the daemon, started by itself: ${word}`, () =>
      isTold(run([word], ['ignore', full, 'pipe'], 'out/src/daemon/main.js')));
  }

  function isTold({ status, stderr }: { status: number | null; stderr: string }): void {
    const [told, remedy, ...more] = stderr.trimEnd().split('\n');
    assert.match(told, /^error: standard output cannot be written: no space left .*\(ENOSPC\) \[stdoutUnusable\]$/);
    assert.match(remedy, /^ {2}\S/);
    assert.deepEqual([status, more], [3, []]);
  }

  it('a daemon whose help nobody reads any more ends well', () => {
    const script = '(sleep 0.1; "$0" out/src/daemon/main.js --help; echo "$?" >&2) | true';
    const { stderr } = spawnSync('sh', ['-c', script, process.execPath], { encoding: 'utf8' });
    assert.equal(stderr, '0\n');
  });

  it('standard error changes no exit code', () => {
    for (const [words, status] of [
      [['trace', file], 0],
      [['trace', place.path('nothing.pcapng')], 2],
      [['share', '--frobnicate'], 2],
    ] as const)
      assert.equal(run(words, ['ignore', 'ignore', full]).status, status, words.join(' '));
  });
});
