/** Captures of real guests: what the demo does, in our own reader, in the real tshark, exported, live. */
import * as assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { opcodeByNumber } from '../../src/protocol/fuse/opcodes';
import { RowFlag } from '../../src/trace/capture';
import type { CaptureReader } from '../../src/trace/captureReader';
import { filteredCapture } from '../../src/trace/export/pcapng';
import { findings } from '../../src/trace/findings/findings';
import { exited } from '../../src/vm/workplace';
import { readCaptureFile } from '../bench/readCapture';
import { need } from '../support/need';
import { checkDissection } from '../trace/dissector/checkDissection';
import { Bench, hasTshark } from '../trace/dissector/tshark';
import { needGuests } from './bootGuest';

const CLI = path.resolve(__dirname, '../../../dist/cli.js');
/** Of each opcode, done and failed, so many requests are compared with tshark, which takes a millisecond for each. */
const COMPARED = 60;

describe('captures of guests', function () {
  this.timeout(180_000);
  let base: string;
  let file: string;

  before(async function () {
    await needGuests(this);
    assert.ok(fs.existsSync(CLI), 'dist/cli.js is not built');
    base = fs.mkdtempSync('/tmp/virtiofs-captures-');
    fs.chmodSync(base, 0o755);
    file = path.join(base, 'demo.fuse.pcapng');
    const { status, stdout } = spawnSync(process.execPath, [CLI, 'demo', '--guest', 'uml', '--capture', file], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    assert.equal(status, 0, stdout.slice(-2000));
  });

  after(() => base && fs.rmSync(base, { recursive: true, force: true }));

  it('that have no room for the demo make it fail, and it says why', function () {
    const disk = path.join(base, 'disk');
    fs.mkdirSync(disk);
    const script = 'mount -t tmpfs -o size=64k small "$0" && exec "$@"';
    const inNamespace = (...words: string[]): string[] => ['-m', 'sh', '-c', script, disk, ...words];
    need(this, 'a tmpfs in a mount namespace', spawnSync('unshare', inNamespace('true')).status === 0, 'not allowed');
    const demo = [process.execPath, CLI, 'demo', '--guest', 'uml', '--capture', path.join(disk, 'capture')];
    const { status, stderr } = spawnSync('unshare', inNamespace(...demo), { encoding: 'utf8', maxBuffer: 1 << 26 });
    assert.equal(status, 1, stderr);
    assert.equal(
      stderr.match(/^error: the capture .* is incomplete: .*ENOSPC.* \[captureStopped\]$/gm)?.length,
      1,
      stderr,
    );
  });

  const name = (capture: CaptureReader, row: number): string =>
    opcodeByNumber(capture.columns.opcode[row])?.name ?? '?';

  it('have every request of the demo with its reply, and lose nothing', () => {
    readCaptureFile(file, (capture) => {
      assert.deepEqual([capture.notes, capture.gaps], [[], []]);
      assert.ok(capture.count > 20_000, `${capture.count} requests`);
      const { flags } = capture.columns;
      for (let row = 0; row < capture.count; row++) {
        assert.equal(flags[row] & (RowFlag.ORPHAN | RowFlag.PATH_UNSURE), 0);
        assert.ok((flags[row] & (RowFlag.REPLIED | RowFlag.SILENT)) !== 0, `no reply to ${name(capture, row)}`);
        assert.deepEqual(capture.request(row)?.problems, [], name(capture, row));
      }
    });
  });

  it('know the path of every inode, through renames, links and removals', () => {
    readCaptureFile(file, (capture) => {
      const { columns } = capture;
      const unknown = Array.from({ length: capture.count }, (_, row) => row)
        .filter((row) => !/^\//.test(capture.path(columns.path[row])))
        .map((row) => name(capture, row));
      assert.deepEqual([...new Set(unknown)].sort(), ['DESTROY', 'INIT']);
      const of = (opcode: string): string[] =>
        Array.from({ length: capture.count }, (_, row) => row)
          .filter((row) => name(capture, row) === opcode && columns.error[row] === 0)
          .map((row) => capture.path(columns.path[row]).replace(/^\/virtiofs-demo-[^/]*\//, ''));
      assert.deepEqual(of('LINK'), ['links/two']);
      assert.ok(of('WRITE').includes('cut') && of('WRITE').includes('names/a'));
      assert.equal(new Set(of('CREATE').filter((each) => each.startsWith('many/'))).size, 5000);
    });
  });

  it('show no finding but what a busy machine makes slow: the demo is a healthy guest', () => {
    const ofTime = ['slow-requests', 'queue-starvation'];
    readCaptureFile(file, (capture) => {
      const codes = findings(capture).map((one) => one.code);
      assert.deepEqual(
        codes.filter((code) => !ofTime.includes(code)),
        [],
      );
    });
  });

  it('look the same in the real tshark: every field of every opcode that occurs', async function () {
    need(this, 'tshark', hasTshark(), 'not on PATH');
    const seen = new Map<string, number>();
    const bytes = readCaptureFile(file, (capture) => {
      const chosen: number[] = [];
      for (let row = 0; row < capture.count; row++) {
        const kind = `${name(capture, row)} ${capture.columns.error[row]}`;
        const before = seen.get(kind) ?? 0;
        seen.set(kind, before + 1);
        if (before < COMPARED) chosen.push(row);
      }
      return Buffer.concat([...filteredCapture(capture, Uint32Array.from(chosen), 'test')]);
    });
    const bench = new Bench();
    try {
      const { kinds, packets } = await checkDissection(bench, bytes);
      assert.ok(packets > 1000);
      for (const kind of seen.keys()) assert.ok(kinds.has(kind.split(' ')[0]), kind);
    } finally {
      bench.remove();
    }
  });

  it('export to what other programs read, and are the same as themselves', () => {
    const cli = (...words: string[]): string =>
      execFileSync(process.execPath, [CLI, ...words], { encoding: 'utf8', maxBuffer: 1 << 29 });
    const chrome = JSON.parse(cli('export', file, '--to', 'chrome', '-o', '-')) as { traceEvents: { ph: string }[] };
    const requests = readCaptureFile(file, (capture) => capture.count);
    assert.ok(chrome.traceEvents.length > requests);
    assert.equal(cli('export', file, '--to', 'csv', '-o', '-').trimEnd().split('\r\n').length, requests + 1);
    const filtered = path.join(base, 'renames.fuse.pcapng');
    cli('export', file, '--to', 'pcapng', '-o', filtered, '--filter', 'opcode == RENAME || opcode == RENAME2');
    assert.match(
      cli('trace', filtered),
      /RENAME "\/virtiofs-demo-[^"]*\/names\/a" to "\/virtiofs-demo-[^"]*\/names\/renamed" -> OK/,
    );
    assert.match(cli('compare', file, file), /Both ask the same in the same order/);
  });

  it('are shown live while the guest works, by the tag of the share', async () => {
    const shared = path.join(base, 'shared');
    fs.mkdirSync(shared);
    const environment = { ...process.env, XDG_RUNTIME_DIR: base };
    const words = [CLI, 'share', shared, '--guest', 'uml', '--tag', 'live', '--command'];
    const work = 'while ! [ -e stop ]; do ls >/dev/null; sleep 0.1; done; echo done >result; cat result';
    const share = spawn(process.execPath, [...words, work], { env: environment, stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const socket = path.join(base, 'virtiofs-studio');
      for (let waited = 0; !(fs.existsSync(socket) && fs.readdirSync(socket).some((each) => each.endsWith('.json')));) {
        assert.ok((waited += 50) < 30_000, 'the share is not announced');
        await sleep(50);
      }
      const trace = spawn(process.execPath, [CLI, 'trace', 'live', '--filter', 'path ~ "/result"'], {
        env: environment,
      });
      let lines = '';
      trace.stdout.on('data', (chunk) => (lines += String(chunk)));
      await sleep(2000);
      fs.writeFileSync(path.join(shared, 'stop'), '');
      assert.equal((await exited(share)).code, 0);
      assert.equal((await exited(trace)).code, 0, 'it ends with the share');
      assert.match(lines, /pid=\d+ uid=0 {2}CREATE "\/result" flags=O_WRONLY\|O_CREAT.* -> nodeid=/);
      assert.match(lines, /WRITE "\/result" fh=\S+ offset=0 size=5 -> size=5/);
      assert.doesNotMatch(lines, /OPENDIR/);
      assert.deepEqual(fs.readdirSync(socket), []);
    } finally {
      share.kill('SIGKILL');
    }
  });

  it('of several shares are files of their own', () => {
    for (const each of ['one', 'two']) fs.mkdirSync(path.join(base, each));
    const words = ['share', '--share', `${base}/one:one`, '--share', `${base}/two:two`, '--guest', 'uml'];
    const capture = path.join(base, 'both.fuse.pcapng');
    const command = 'echo 1 >/mnt/one/a; echo 2 >/mnt/two/b';
    execFileSync(process.execPath, [CLI, ...words, '--capture', capture, '--command', command], { stdio: 'pipe' });
    const paths = ['one', 'two'].map((tag) =>
      readCaptureFile(path.join(base, `both.${tag}.fuse.pcapng`), (each) => {
        assert.equal(each.share.tag, tag);
        return Array.from({ length: each.count }, (_, row) => each.path(each.columns.path[row]));
      }),
    );
    assert.ok(paths[0].includes('/a') && !paths[0].includes('/b'));
    assert.ok(paths[1].includes('/b') && !paths[1].includes('/a'));
  });
});
