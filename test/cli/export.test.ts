/** `virtiofs-studio export` and `compare`, as people run them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { CaptureBuilder } from '../trace/captureBuilder';
import { checkTrace } from '../trace/export/traceEvents';
import { Place, sample } from './captures';
import { need } from '../support/need';

describe('export', () => {
  let place: Place;
  let file: string;

  beforeEach(() => {
    place = new Place();
    file = place.file('work.fuse.pcapng', sample().bytes());
  });

  afterEach(() => place.remove());

  it('makes Chrome trace JSON, JSONL and CSV, on standard output where that is no terminal', () => {
    const trace = checkTrace(place.good('export', file, '--to', 'chrome'));
    assert.ok(trace.traceEvents.some(({ name }) => name === 'READ'));
    assert.ok(trace.traceEvents.some(({ name }) => name === 'statx'));
    const jsonl = place.good('export', file, '--to', 'jsonl').trim().split('\n');
    assert.deepEqual(
      jsonl.map((line) => (JSON.parse(line) as { row: number }).row),
      [0, 1, 2, 3, 4, 5],
    );
    assert.equal(place.good('export', file, '--to', 'csv', '-o', '-').trim().split('\r\n').length, 7);
  });

  it('makes a smaller capture that opens again', () => {
    const small = place.path('small.fuse.pcapng');
    place.good('export', file, '--to', 'pcapng', '--filter', 'opcode == READ', '-o', small);
    const shown = place.good('trace', small).trim().split('\n');
    assert.deepEqual(
      shown.map((line) => /[A-Z]+ /.exec(line)?.[0].trim()),
      ['INIT', 'READ'],
    );
    assert.match(shown[1], /READ "\/a\.db"/);
  });

  it('makes a capture that tshark reads', function () {
    need(this, 'capinfos', spawnSync('capinfos', ['--version']).status === 0, 'not on PATH');
    const all = place.path('all.fuse.pcapng');
    place.good('export', file, '--to', 'pcapng', '-o', all);
    const { status, stdout } = spawnSync('capinfos', ['-c', '-M', all], { encoding: 'utf8' });
    assert.equal(status, 0);
    assert.match(stdout, /Number of packets: +13/);
  });

  it('reads standard input, for every format', () => {
    for (const [format, pattern] of [
      ['csv', /READ/],
      ['pcapng', /virtiofs-studio/],
    ] as const) {
      const { status, stdout, stderr } = place.run(['export', '-', '--to', format], { input: sample().bytes() });
      assert.equal(status, 0, stderr);
      assert.match(stdout, pattern);
    }
  });

  it('gives the output its name when it is whole, and leaves nothing else behind', () => {
    const out = place.path('out.json');
    const { stdout, stderr } = place.run(['export', file, '--to', 'chrome', '-o', out]);
    assert.equal(stdout, '');
    assert.match(stderr, /^6 of 6 requests in ".*out\.json"$/m);
    checkTrace(readFileSync(out, 'utf8'));
    assert.deepEqual(
      readdirSync(place.folder).filter((name) => name.includes('part')),
      [],
    );
  });

  it('says where its own options are listed', () => {
    const { status, stderr } = place.run(['export', file, '--to', 'csv', '--follow', 'inode=x']);
    assert.equal(status, 2);
    assert.match(stderr, /inode=N, fh=N or pid=N.*\n +"virtiofs-studio export --help" lists the options\.$/m);
  });

  it('replaces what is there only when told to, links included', () => {
    const out = place.file('out.csv', 'precious');
    symlinkSync(out, place.path('link.csv'));
    for (const target of [out, place.path('link.csv')]) {
      const refused = place.run(['export', file, '--to', 'csv', '-o', target]);
      assert.equal(refused.status, 2);
      assert.match(refused.stderr, /is there already \[outputThere\]\n.*--force/);
    }
    assert.equal(readFileSync(out, 'utf8'), 'precious');
    place.good('export', file, '--to', 'csv', '-o', out, '--force');
    assert.match(readFileSync(out, 'utf8'), /^row,time/);
  });

  it('lets nobody else read a new file, keeps the permissions of one that it replaces, and the link to it', () => {
    const out = place.path('private.csv');
    const mode = (): string => (statSync(out).mode & 0o777).toString(8);
    place.good('export', file, '--to', 'csv', '-o', out);
    assert.equal(mode(), '600');
    chmodSync(out, 0o664);
    const link = place.path('private-link.csv');
    symlinkSync(out, link);
    writeFileSync(out, 'old');
    place.good('export', file, '--to', 'csv', '-o', link, '--force');
    assert.match(readFileSync(out, 'utf8'), /^row,time/);
    assert.equal(mode(), '664');
    assert.ok(lstatSync(link).isSymbolicLink());
  });

  it('goes through a link to standard output, which stays a link, where that is a pipe and where it is a file', () => {
    const link = place.path('stdout');
    symlinkSync('/proc/self/fd/1', link);
    const out = place.file('redirected.csv', '');
    const command = `"$0" out/src/cli/main.js export ${file} --to csv -o ${link} --force`;
    for (const whither of [`| cat >${out}`, `>${out}`]) {
      writeFileSync(out, '');
      const { stderr } = spawnSync('bash', ['-c', `${command} ${whither}`, process.execPath], { encoding: 'utf8' });
      assert.match(readFileSync(out, 'utf8'), /^row,time/, stderr);
    }
    assert.ok(lstatSync(link).isSymbolicLink());
  });

  it('writes over its own source without harm', () => {
    place.good('export', file, '--to', 'pcapng', '--filter', 'error == ENOENT', '-o', file, '--force');
    assert.match(place.good('trace', file), /INIT.*\n.*LOOKUP "\/missing"/);
  });

  it('goes into a device or FIFO as it is', () => {
    place.good('export', file, '--to', 'csv', '-o', '/dev/null', '--force');
    assert.ok(existsSync('/dev/null') && !existsSync('/dev/null.part'));
  });

  it('says what is wrong', () => {
    for (const [args, status, why] of [
      [[file], 2, /required option '--to/],
      [[file, '--to', 'xml'], 2, /Allowed choices are chrome, jsonl, csv, pcapng/],
      [
        [file, '--to', 'csv', '-o', place.path('no/such/folder')],
        3,
        /cannot be written: no such file or directory \(ENOENT\) \[/,
      ],
      [[place.path('none.pcapng'), '--to', 'csv'], 2, /there is no file/],
      [[file, '--to', 'csv', '--filter', 'a b'], 2, /\[filterBad\]/],
    ] as [string[], number, RegExp][]) {
      const outcome = place.run(['export', ...args]);
      assert.match(outcome.stderr, why);
      assert.deepEqual([outcome.status, outcome.stdout], [status, ''], args.join(' '));
    }
  });

  it('ends quietly when nobody reads on', () => {
    const many = new CaptureBuilder();
    for (let i = 0; i < 5000; i++) many.exchange('STATFS');
    writeFileSync(place.path('many.pcapng'), many.bytes());
    for (const format of ['csv', 'jsonl', 'chrome', 'pcapng']) {
      const command = `"$0" out/src/cli/main.js export ${place.path('many.pcapng')} --to ${format} | head -c 10 >/dev/null; echo "\${PIPESTATUS[0]}"`;
      const { stdout, stderr } = spawnSync('bash', ['-c', command, process.execPath], { encoding: 'utf8' });
      assert.deepEqual([stdout, stderr], ['0\n', ''], format);
    }
  });
});

describe('compare', () => {
  let place: Place;

  before(() => {
    place = new Place();
  });

  after(() => place.remove());

  it('puts two captures side by side, for people and for programs', () => {
    const a = place.file('a.pcapng', sample().bytes());
    const b = place.file(
      'b.pcapng',
      sample()
        .exchange('UNLINK', { names: ['a.db'] })
        .bytes(),
    );
    const text = place.good('compare', a, b);
    assert.match(text, /^UNLINK +0 +1 /m);
    assert.match(text, /Only in B:\n {2}1 × {2}UNLINK "\/a\.db" -> OK/);
    assert.match(text, /They part on queue 1, after 5 requests/);
    const json = JSON.parse(place.good('compare', a, b, '--json')) as {
      divergence: { same: number };
      onlyInB: { kinds: number };
    };
    assert.deepEqual([json.divergence.same, json.onlyInB.kinds], [5, 1]);
    assert.match(place.good('compare', a, a, '--by', 'process'), /Both ask the same in the same order/);
  });

  it('names each file once in its notes', () => {
    const piece = (piece: number): Uint8Array => new CaptureBuilder({ facts: { id: 'x', piece } }).init().bytes();
    const a = place.file('ring.pcapng', piece(4));
    place.file('ring.pcapng.old', piece(3));
    const { stderr } = place.run(['compare', a, a]);
    assert.equal(stderr, `note: "${a}": it continues "${a}.old", which is read first\n`.repeat(2));
  });

  it('says what is wrong', () => {
    const a = place.file('a.pcapng', sample().bytes());
    for (const [args, why] of [
      [[a], /missing required argument 'b'/],
      [[a, place.path('x.pcapng')], /there is no file/],
      [[a, a, '--context', 'x'], /a number from 0.*\n +"virtiofs-studio compare --help" lists/],
    ] as [string[], RegExp][]) {
      const { status, stderr } = place.run(['compare', ...args]);
      assert.equal(status, 2);
      assert.match(stderr, why);
    }
  });
});
