/** `virtiofs-studio doctor` on a machine that runs guests. */
import * as assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { needGuests } from './bootGuest';
import { CLI } from './shareProcess';

describe('virtiofs-studio doctor', function () {
  this.timeout(60_000);

  it('finds this machine fit, and says so in words and in JSON', async function () {
    await needGuests(this);
    const words = spawnSync(process.execPath, [CLI, 'doctor'], { encoding: 'utf8' });
    assert.equal(words.status, 0, words.stdout + words.stderr);
    assert.match(words.stdout, /^ok +QEMU +QEMU emulator version \d+/m);
    const { stdout } = spawnSync(process.execPath, [CLI, 'doctor', '--json'], { encoding: 'utf8' });
    const findings = JSON.parse(stdout) as { subject: string; verdict: string; fix?: string }[];
    assert.ok(findings.every(({ verdict, fix }) => verdict === 'ok' || fix !== undefined));
    for (const subject of ['Node.js', 'koffi', 'QEMU', 'KVM', 'guest kernel', 'User Mode Linux', 'memory']) {
      assert.ok(
        findings.some((finding) => finding.subject === subject),
        subject,
      );
    }
  });
});
