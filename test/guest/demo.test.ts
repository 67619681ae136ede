/** The demo as README has it: in QEMU, over a folder of a person's own. For UML see capture.test.ts. */
import * as assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { needGuests } from './bootGuest';
import { CLI } from './shareProcess';

describe('virtiofs-studio demo', function () {
  this.timeout(300_000);
  let folder: string;

  before(async function () {
    await needGuests(this);
    assert.ok(fs.existsSync(CLI), 'dist/cli.js is not built');
    folder = fs.mkdtempSync('/tmp/virtiofs-demo-test-');
  });

  after(() => folder && fs.rmSync(folder, { recursive: true, force: true }));

  it('works in a folder of one’s own, shows the requests, counts them, and leaves the folder as it was', () => {
    const canary = path.join(folder, 'canary');
    fs.writeFileSync(canary, 'mine\n', { mode: 0o640 });
    const of = (): unknown[] => {
      const { ino, mode, size, mtimeMs, ctimeMs } = fs.statSync(canary);
      return [fs.readdirSync(folder), fs.readFileSync(canary, 'utf8'), ino, mode, size, mtimeMs, ctimeMs];
    };
    const before = of();
    const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'demo', folder], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    assert.equal(status, 0, stdout.slice(-2000) + stderr);
    assert.equal(stderr, '');
    assert.deepEqual(of(), before);

    const line = (what: string): RegExp => new RegExp(`^ +[\\d.]+ (ns|µs|ms|s) {2}${what}`, 'm');
    assert.match(stdout, line('INIT major=7 minor=\\d+ '));
    assert.match(stdout, line('MKDIR "/virtiofs-demo-\\w+/copy" mode=0755 -> nodeid=\\d+ '));
    assert.match(stdout, line('READLINK "/virtiofs-demo-\\w+/tree/link to nothing" -> "no such place"$'));

    const [, table, total] = /^opcode +count +errors +p50 +p95 +max\n(.*?)\n\n([\d,]+) requests/ms.exec(stdout) ?? [];
    assert.ok(table, stdout.slice(-2000));
    const counts = new Map(table.split('\n').map((row) => [row.split(/ +/)[0], Number(row.split(/ +/)[1])]));
    for (const opcode of ['LOOKUP', 'CREATE', 'READ', 'WRITE', 'RENAME', 'SETLK', 'READDIRPLUS']) {
      assert.ok((counts.get(opcode) ?? 0) > 0, opcode);
    }
    const sum = [...counts.values()].reduce((one, other) => one + other);
    assert.equal(sum, Number(total.replaceAll(',', '')), 'each request is in one row');

    assert.match(stdout, new RegExp(`^Sharing ${folder}; all work is done in virtiofs-demo-\\w+/ in it\\.$`, 'm'));
    assert.equal(stdout.match(/^ {2}✔ right, /gm)?.length, 13, stdout.slice(-2000));
    assert.match(stdout, /^All 13 steps came out right, on the guest and on the host, in [\d.]+ s from boot/m);
  });
});
