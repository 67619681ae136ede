import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { need } from '../support/need';

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
        const memory = findings.find(({ subject }) => subject === 'memory');
        assert.match(memory?.found ?? '', /^\d(?:\.?\d){0,2} [MGT]iB available$/, 'as sizes are written everywhere');
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('has colours on a terminal, unless NO_COLOR is set or the terminal has none; into a pipe never', function () {
    need(this, 'script', spawnSync('script', ['--version']).status === 0, 'not on PATH');
    const folder = mkdtempSync(join(tmpdir(), 'virtiofs-doctor-'));
    try {
      const doctor = `${process.execPath} out/src/cli/main.js doctor`;
      // Without the machine's own tools, which would be tried.
      const said = (variables: string, into = ''): string =>
        spawnSync('script', ['-qec', `${variables} PATH=${folder} ${doctor} ${into}`, '/dev/null'], {
          env: { ...process.env, HOME: folder, XDG_CACHE_HOME: folder, TERM: 'xterm', NO_COLOR: '' },
          encoding: 'utf8',
        }).stdout;
      assert.match(said(''), /^\u001b\[32mok {5}\u001b\[0m {2}\S/m);
      for (const plain of [
        said('NO_COLOR=1'),
        said('TERM=dumb'),
        said('', '| while read -r line; do echo "$line"; done'),
      ]) {
        assert.match(plain, /^ok {7}\S/m);
        assert.doesNotMatch(plain, /\u001b/);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
