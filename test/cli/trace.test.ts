/** `virtiofs-studio trace`, as people run it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, closeSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { openSource } from '../../src/cli/captureSource';
import { initFlags } from '../../src/protocol/fuse/flags';
import { CaptureBuilder } from '../trace/captureBuilder';
import { Place, sample } from './captures';
import { need } from '../support/need';

describe('trace', () => {
  let place: Place;
  let file: string;

  before(() => {
    place = new Place();
    file = place.file('work.fuse.pcapng', sample().bytes());
  });

  after(() => place.remove());

  const lines = (...args: string[]): string[] =>
    place
      .good('trace', file, ...args)
      .split('\n')
      .slice(0, -1);

  it('shows the requests of a capture, one a line', () => {
    const shown = lines();
    assert.equal(shown.length, 6);
    assert.match(
      shown[3],
      /^ +0\.000080 {2}q1 {2}pid=200 uid=1000 {2}READ "\/a\.db" fh=7 offset=0 size=4K -> 4096 bytes {2}90\.0 µs/,
    );
    assert.match(shown[4], /LOOKUP "\/missing" -> ENOENT/);
  });

  it('reads a FIFO, as the shell makes one of a program', function () {
    need(this, 'bash', spawnSync('bash', ['--version']).status === 0, 'not on PATH');
    const traced = (given: string): string =>
      spawnSync('bash', ['-c', `exec ${process.execPath} out/src/cli/main.js trace ${given}`, file], {
        encoding: 'utf8',
      }).stdout;
    assert.equal(traced('<(cat "$0")'), traced('"$0"'));
    assert.equal(traced('<(cat "$0")').split('\n').length, 7);
  });

  it('shows what is asked for besides', () => {
    assert.match(lines('--control')[0], /vhost-user -> GET_FEATURES$/);
    assert.match(lines('--syscalls')[2], /statx\(3, "a\.db", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, NULL\) = 0/);
    assert.match(lines('--hex').join('\n'), /fuse_read_in\.size = 4K/);
    assert.match(lines('--time', 'absolute')[0], /^2023-11-14T22:13:20\.000020000Z/);
    assert.match(lines('--time', 'delta')[1], /^ +\+0\.000020 /);
    assert.match(lines('--findings', '--limit', '1').slice(1).join('\n'), /\[[a-z-]+\]|Nothing found/);
  });

  it('has nothing but the table of --stats, whatever fields are named', () => {
    const [stats, fields] = [lines('--stats'), lines('--stats', '--fields', 'time,opcode')];
    assert.deepEqual(fields, stats);
  });

  it('says how many requests prove no finding', () => {
    const built = sample().exchange('OPEN', { nodeid: 2, error: 'EACCES', changed: true });
    const { status, stdout, stderr } = place.run(['trace', place.file('changed.pcapng', built.bytes()), '--findings']);
    assert.match(stderr, /^note: left out of findings: 1 request that faults or a debugger changed$/m);
    assert.doesNotMatch(stdout, /permission-errors/);
    assert.equal(status, 0);
  });

  it('filters, follows and limits', () => {
    assert.equal(lines('--filter', 'error == ENOENT').length, 1);
    assert.equal(lines('--filter', 'error < 0').length, 1);
    assert.deepEqual(
      lines('--follow', 'fh=7').map((line) => /[A-Z]+ /.exec(line)?.[0].trim()),
      ['OPEN', 'READ'],
    );
    assert.equal(lines('--follow', 'fh=7', '--follow', 'pid=0').length, 3);
    assert.equal(lines('--follow', 'inode=2', '--filter', 'opcode == READ').length, 1);
    assert.equal(lines('--limit', '2').length, 2);
  });

  it('says so when nothing passes', () => {
    for (const [more, tests] of [
      [['--filter', 'pid == 9'], 'the filter'],
      [['--follow', 'pid=9', '--stats'], '--follow'],
      [['--follow', 'pid=200', '--filter', 'pid == 9'], 'the filter and --follow'],
    ] as const) {
      const { status, stderr } = place.run(['trace', file, ...more]);
      assert.deepEqual([status, stderr], [0, `0 of 6 requests pass ${tests}\n`]);
    }
    assert.equal(place.run(['trace', file, '--filter', 'pid == 200']).stderr, '');
  });

  it('cuts the flags of INIT, except where all is wanted', () => {
    const flags = initFlags.bits.slice(0, 14).map(({ name }) => name);
    const path = place.file('init.pcapng', new CaptureBuilder().init({ flags }).bytes());
    const all = flags.map((name) => `${initFlags.prefix}${name}`).join('|');
    const shown = place.good('trace', path);
    assert.match(shown, /flags=(\w+\|){3}… \(\+12\) -> .*flags=(\w+\|){3}… \(\+12\)/);
    assert.ok(!shown.includes(all));
    for (const more of ['--long', '--hex']) assert.ok(place.good('trace', path, more).includes(all), more);
    assert.doesNotMatch(place.good('trace', path, '--json'), /…/);
  });

  it('counts by opcode, path and process', () => {
    assert.match(lines('--stats')[1], /^LOOKUP +2 +1 /);
    assert.match(lines('--stats=path').join('\n'), /^"\/a\.db" +4 +0 +4 KiB/m);
    assert.match(lines('--stats=process', '--filter', 'pid == 200').join('\n'), /^process .*\n200 +2 /);
    assert.match(place.good('trace', '--stats', file), /^LOOKUP +2/m);
    const json = lines('--stats', '--json').map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      json.find(({ opcode }) => opcode === 'READ'),
      {
        ...{ kind: 'statistics', opcode: 'READ', count: 1, errors: 0, bytes: 4096 },
        ...{ p50: 90_000, p95: 90_000, p99: 90_000, max: 90_000, total: 90_000 },
      },
    );
  });

  it('gives JSON, and chosen fields as columns', () => {
    const json = lines('--json').map((line) => JSON.parse(line) as { opcode: string });
    assert.deepEqual(
      json.map(({ opcode }) => opcode),
      ['INIT', 'LOOKUP', 'OPEN', 'READ', 'LOOKUP', 'FORGET'],
    );
    assert.deepEqual(lines('--fields', 'opcode,path,read.size', '--filter', 'opcode == READ'), [
      'opcode\tpath\tread.size',
      'READ\t"/a.db"\t4096',
    ]);
    assert.deepEqual(lines('--fields', 'opcode,read.size', '--json', '--filter', 'opcode == READ'), [
      '{"opcode":"READ","read.size":4096}',
    ]);
    assert.match(place.good('trace', '--fields', 'help'), /^read\.size\t/m);
  });

  it('has colours when told to, and none into a pipe', () => {
    assert.doesNotMatch(place.good('trace', file), /\u001b/);
    assert.match(place.good('trace', file, '--color', 'always'), /\u001b\[1;36mREAD\u001b\[0m/);
    assert.doesNotMatch(place.good('trace', file, '--color=never'), /\u001b/);
  });

  it('has colours on a terminal, unless NO_COLOR is set', function () {
    need(this, 'script', spawnSync('script', ['--version']).status === 0, 'not on PATH');
    const onTerminal = (variables: string): string =>
      spawnSync('script', ['-qec', `${variables} ${process.execPath} out/src/cli/main.js trace ${file}`, '/dev/null'], {
        env: { ...process.env, TERM: 'xterm', NO_COLOR: '' },
        encoding: 'utf8',
      }).stdout;
    assert.match(onTerminal(''), /\u001b\[1;36mREAD/);
    assert.doesNotMatch(onTerminal('NO_COLOR=1'), /\u001b\[1;36m/);
    assert.doesNotMatch(onTerminal('TERM=dumb'), /\u001b\[1;36m/);
  });

  it('reads standard input', () => {
    const { status, stdout } = place.run(['trace', '-', '--filter', 'opcode == READ'], { input: sample().bytes() });
    assert.equal(status, 0);
    assert.match(stdout, /READ "\/a\.db"/);
  });

  it('says of a folder on standard input that it is one, and of other things what they are', () => {
    const folder = openSync(place.folder, 'r');
    const { status, stderr } = place.run(['trace', '-'], { stdin: folder });
    closeSync(folder);
    assert.equal(status, 2);
    assert.match(stderr, /^error: the standard input is a folder \[inputIsFolder\]\n {2}Give it a capture file/);
    const empty = place.run(['trace', '-'], { input: new Uint8Array(0) });
    assert.match(empty.stderr, /^error: what comes on the standard input is not a capture: it is empty/);
  });

  it('shows what there is of a capture that is cut off, with a note', () => {
    const bytes = sample().bytes();
    const { status, stdout, stderr } = place.run(['trace', place.file('cut.pcapng', bytes.slice(0, bytes.length - 5))]);
    assert.equal(status, 0);
    assert.match(stdout, /READ/);
    assert.match(stderr, /^note: .*cut off at byte \d+/m);
  });

  it('reads the older half of a capture with a limit first', () => {
    const piece = (piece: number, name: string): Uint8Array =>
      new CaptureBuilder({ facts: { id: 'x', piece } }).exchange('LOOKUP', { names: [name], error: 'ENOENT' }).bytes();
    const path = place.file('ring.pcapng', piece(4, 'new'));
    place.file('ring.pcapng.old', piece(3, 'old'));
    const { stdout, stderr } = place.run(['trace', path]);
    assert.match(stdout, /"\/old".*\n.*"\/new"/);
    assert.match(stderr, /^note: it continues ".*ring\.pcapng\.old", which is read first$/m);
    place.file('ring.pcapng.old', piece(2, 'older'));
    assert.doesNotMatch(place.good('trace', path), /older/);
  });

  it('ends quietly when nobody reads on', () => {
    const many = new CaptureBuilder();
    for (let i = 0; i < 5000; i++) many.exchange('STATFS');
    const big = place.file('many.pcapng', many.bytes());
    for (const more of ['', '--json', '--hex']) {
      const command = `"$0" out/src/cli/main.js trace ${big} ${more} | head -1; echo "\${PIPESTATUS[0]}"`;
      const { stdout, stderr } = spawnSync('bash', ['-c', command, process.execPath], { encoding: 'utf8' });
      const shown = stdout.trim().split('\n');
      assert.deepEqual([shown.length, shown.at(-1), stderr], [2, '0', ''], more);
    }
  });

  it('says what is wrong with what it is given, and what to do', () => {
    place.file('empty', '');
    place.file('text', 'this is not pcapng at all, really');
    place.file('gzip', Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    mkdirSync(place.path('folder'));
    for (const [args, why] of [
      [[place.path('nothing.pcapng')], /there is no file ".*nothing\.pcapng" \[captureMissing\]/],
      [[place.path('nothing')], /neither a capture nor a share that runs \[shareUnknown\]\n.*No share/],
      [[place.path('empty')], /is empty \[captureEmpty\]/],
      [[place.path('text')], /is not a capture: it does not begin as pcapng does.*\[captureForeign\]/],
      [[place.path('gzip')], /compressed with gzip[^]*gunzip/],
      [[place.path('folder')], /is a folder.*\[captureIsFolder\]/],
      [[`${file}/x`], /ENOTDIR|neither a capture/],
      [['/dev/null'], /no regular file/],
      [[file, '--filter', 'paht == "x"'], /did you mean "path"\?[^]*\n {2}\^~~~$/m],
      [[file, '--filter', 'pid == 1\n  && paht == "x"'], /\n {4}&& paht == "x"\n {7}\^~~~$/m],
      [[file, '--fields', 'opcode,pth'], /no field "pth"; did you mean "path"\?/],
      [[file, '--follow', 'name=x'], /inode=N, fh=N or pid=N/],
      [[file, '--limit', '0'], /a number from 1/],
      [[file, '--stats=size'], /opcode, path or process/],
      [['--stats=size'], /neither a capture nor a share/],
      [[file, '--time', 'soon'], /Allowed choices are relative, absolute, delta/],
      [[file, '--frobnicate'], /unknown option/],
    ] as [string[], RegExp][]) {
      const { status, stdout, stderr } = place.run(['trace', ...args]);
      assert.match(stderr, why);
      assert.deepEqual([status, stdout], [2, ''], args.join(' '));
    }
  });

  it('says so when it may not read a file', async () => {
    const secret = place.file('secret.pcapng', sample().bytes());
    chmodSync(secret, 0);
    const before = process.geteuid?.() ?? 0;
    // Root may read anything.
    if (before === 0) process.seteuid?.(65534);
    try {
      await assert.rejects(openSource(secret), {
        code: 'captureNotReadable',
        message: /: permission denied \(EACCES\)$/,
      });
    } finally {
      if (before === 0) process.seteuid?.(before);
    }
  });

  it('waits for what a file still gets, also when the capture goes on in another one', async () => {
    const builder = new CaptureBuilder({ facts: { id: 'y', piece: 0 } }).exchange('LOOKUP', {
      names: ['one'],
      error: 'ENOENT',
    });
    const path = place.file('grows.pcapng', builder.bytes());
    const length = builder.bytes().length;
    const trace = place.start('trace', path, '--tail', '--stats');
    const shown = place.start('trace', path, '--tail');
    await shown.shows(/"\/one"/);
    builder.exchange('LOOKUP', { names: ['two'], error: 'ENOENT' });
    appendFileSync(path, builder.bytes().slice(length));
    await shown.shows(/"\/two"/);
    renameSync(path, `${path}.old`);
    writeFileSync(
      path,
      new CaptureBuilder({ facts: { id: 'y', piece: 1 } })
        .exchange('LOOKUP', { names: ['three'], error: 'ENOENT' })
        .bytes(),
    );
    await shown.shows(/"\/three"/);
    for (const running of [trace, shown]) running.child.kill('SIGINT');
    assert.deepEqual([await trace.ended, await shown.ended], [0, 0]);
    assert.match(trace.stdout, /^LOOKUP +3 +3/m);
    assert.equal(shown.stderr, '');
  });
});
