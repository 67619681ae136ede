import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Trouble } from '../../src/base/catalogue';
import { parseFindings } from '../../src/control/findings';
import { checkGuests } from '../../src/ui/preflight';
import { packaging, stagedExtension } from '../support/stagedExtension';

const MOST_BYTES = 3_000_000;

/** All files below `folder`. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => statSync(join(folder, file)).isFile());

describe('a package of the extension', function () {
  this.timeout(120_000);
  let scratch: string;
  before(async () => (scratch = await mkdtemp(join(tmpdir(), 'virtiofs-package-test-'))));
  after(() => rm(scratch, { recursive: true }));

  it('has what its manifest names, and neither sources nor maps', async () => {
    const folder = await stagedExtension('universal', join(scratch, 'manifest'));
    const manifest = readFileSync(join(folder, 'package.json'), 'utf8');
    for (const [, path] of manifest.matchAll(/"\.?\/?((?:media|dist|syntaxes)\/[^"]+)"/g)) {
      assert.ok(existsSync(join(folder, path)), path);
    }
    assert.deepEqual(
      filesIn(folder).filter((file) => /\.(ts|map)$/.test(file)),
      [],
    );
  });

  it('without native parts says so, and goes without', async () => {
    const folder = await stagedExtension('universal', join(scratch, 'without'));
    assert.equal(existsSync(join(folder, 'dist/node_modules')), false);
    assert.throws(
      () => checkGuests({ platform: 'linux', arch: 'riscv64', trusted: true, extensionPath: folder }),
      (error) => error instanceof Trouble && error.code === 'nativePartMissing',
    );
  });

  it('for this platform finds its own koffi, and its daemon runs', async function () {
    if (process.platform !== 'linux' || process.arch !== 'x64') this.skip();
    const folder = await stagedExtension('linux-x64', join(scratch, 'with'));
    checkGuests({ platform: 'linux', arch: 'x64', trusted: true, extensionPath: folder });
    const { stdout } = spawnSync(process.execPath, [join(folder, 'dist/cli.js'), 'doctor', '--json'], {
      cwd: folder,
      encoding: 'utf8',
    });
    const findings = parseFindings(stdout) ?? [];
    assert.equal(findings.find(({ subject }) => subject === 'koffi')?.verdict, 'ok');
    const version = execFileSync(process.execPath, [join(folder, 'dist/daemon.js'), '--version'], { cwd: folder });
    assert.match(version.toString(), /\d+\.\d+\.\d+/);
  });

  it('is below 3 MB, koffi not counted', async () => {
    const file = await (await packaging()).makePackage('universal', scratch);
    const { size } = statSync(file);
    console.log(`      ${(size / 1e6).toFixed(2)} MB`);
    assert.ok(size < MOST_BYTES, `${size} bytes`);
    // A zip names its files in plain bytes.
    const names = readFileSync(file).toString('latin1');
    assert.ok(names.includes('extension/dist/extension.js'));
    assert.ok(!names.includes('dist/node_modules/'));
  });
});
