import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Finding {
  readonly subject: string;
  readonly verdict: string;
  readonly found: string;
  readonly fix?: string;
}

describe('virtiofs-studio doctor', () => {
  it('does not have tools fetched to where they could not be started', () => {
    const folder = mkdtempSync(join(tmpdir(), 'virtiofs-doctor-'));
    try {
      for (const sign of [':', ';', '\n']) {
        // Without the machine's own tools.
        const env = { HOME: folder, PATH: folder, XDG_CACHE_HOME: join(folder, `a${sign}b`) };
        const words = ['out/src/cli/main.js', 'doctor', '--json'];
        const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8', env });
        const findings = JSON.parse(stdout || assert.fail(stderr)) as Finding[];
        const tools = findings.find(({ subject }) => subject === 'guest tools');
        assert.equal(tools?.verdict, 'missing');
        assert.match(tools?.fix ?? '', /XDG_CACHE_HOME/);
        assert.ok(findings.every(({ fix }) => !fix?.includes('share --command')));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
