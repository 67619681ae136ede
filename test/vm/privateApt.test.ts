import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchPackages, mirrorOfTemplate } from '../../src/vm/privateApt';

describe("the mirror that python-apt's description of a distribution names", () => {
  it('is the first archive, without a slash at its end', () => {
    const template = [
      'ChangelogURI: https://changes.example/%s',
      '',
      'Suite: {series}',
      'BaseURI: https://archive.example/debian/',
      '',
      'Suite: {series}-security',
      'BaseURI: https://security.example/',
    ].join('\n');
    assert.equal(mirrorOfTemplate(template), 'https://archive.example/debian');
  });

  it('is unknown where no archive is named', () => {
    assert.equal(mirrorOfTemplate('Suite: {series}\n'), undefined);
  });
});

describe('packages that are wanted no more', () => {
  const path = process.env['PATH'];
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'virtiofs-apt-test-'));
    // An apt that knows a mirror, and then takes its time.
    const apt = `#!/bin/sh
case $1 in
  indextargets) echo http://mirror.example/debian main Debian ;;
  *) echo $$ >${folder}/started.new; mv ${folder}/started.new ${folder}/started; exec sleep 1000 ;;
esac
`;
    mkdirSync(join(folder, 'bin'));
    mkdirSync(join(folder, 'target'));
    writeFileSync(join(folder, 'bin/apt-get'), apt);
    chmodSync(join(folder, 'bin/apt-get'), 0o755);
    process.env['PATH'] = `${join(folder, 'bin')}:${path}`;
  });

  after(() => {
    process.env['PATH'] = path;
    rmSync(folder, { recursive: true });
  });

  it('are not fetched further, and apt has ended by then', async () => {
    const wanted = new AbortController();
    const fetching = fetchPackages({ suites: ['a'], packages: ['b'] }, join(folder, 'target'), () => {}, wanted.signal);
    const ended = assert.rejects(fetching, { name: 'AbortError' });
    while (!existsSync(join(folder, 'started'))) await sleep(5);
    wanted.abort();
    await ended;
    assert.ok(!existsSync(`/proc/${readFileSync(join(folder, 'started'), 'utf8').trim()}`));
  });
});
