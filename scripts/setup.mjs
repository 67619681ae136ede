/**
 * What the project needs from outside: npm packages, and programs that come in Debian's and Ubuntu's packages.
 *
 * Installs as root or through `sudo -n`; where neither goes, says the line to type. Programs that are there already,
 * from wherever, are taken as they are. Guest kernels and the like are not got here but by the product itself.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder, run } from './child.mjs';

/** Something that a person has to do first. */
export class SetupError extends Error {}

/** Need → file or program that shows it is there, and the package that has it. `optional`: not every release has it. */
const needs = {
  qemu: [{ program: 'qemu-system-x86_64', package: 'qemu-system-x86' }],
  toolbox: [
    { program: 'mmdebstrap', package: 'mmdebstrap' },
    { program: 'patchelf', package: 'patchelf' },
    { program: 'xz', package: 'xz-utils' },
    { program: 'zstd', package: 'zstd' },
    { program: '/etc/ssl/certs/ca-certificates.crt', package: 'ca-certificates' },
  ],
  /** The old C daemon, which newer releases no longer have. */
  peers: [{ program: '/usr/lib/qemu/virtiofsd', package: 'qemu-system-common', optional: true }],
  compiler: [
    { program: 'gcc', package: 'gcc' },
    { program: '/usr/include/linux/fuse.h', package: 'linux-libc-dev' },
    { program: '/usr/include/stdio.h', package: 'libc6-dev' },
  ],
  watchers: [{ program: 'strace', package: 'strace' }],
  load: [
    { program: 'fio', package: 'fio' },
    { program: 'stress-ng', package: 'stress-ng' },
  ],
  browser: [{ program: 'chromium', package: 'chromium', optional: true }],
};

function isThere(program) {
  const places = program.startsWith('/')
    ? [program]
    : [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']
        .filter(Boolean)
        .map((folder) => join(folder, program));
  return places.some((file) => {
    try {
      accessSync(file, constants.R_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The command that runs things as root without asking for a password, or undefined. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined;
}

async function aptInstall(prefix, packages) {
  const apt = (...args) => {
    const line = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300'];
    const [program, ...rest] = [...line, ...args];
    return run(program, rest);
  };
  const install = () => apt('install', '-y', '--no-install-recommends', ...packages);
  if ((await install()) === 0) return true;
  // Lists that are missing or older than the mirror. A failing foreign source is no reason to stop: install decides.
  await apt('update');
  return (await install()) === 0;
}

/**
 * Sees to it that the named needs are there. With `required`, throws a SetupError that says what to type where they
 * cannot be had; else says so and goes on (tests that miss something skip themselves).
 */
export async function getPackages(names, { required }) {
  const missing = names.flatMap((name) => needs[name]).filter((need) => !isThere(need.program));
  if (missing.length === 0) return;
  const must = [...new Set(missing.filter((need) => !need.optional).map((need) => need.package))];
  const may = [...new Set(missing.filter((need) => need.optional).map((need) => need.package))];
  const prefix = isThere('apt-get') ? rootPrefix() : undefined;
  if (prefix) {
    console.log(`Installing ${[...must, ...may].join(' ')}`);
    if (must.length > 0 && !(await aptInstall(prefix, must)) && required) {
      throw new SetupError(`These packages could not be installed: ${must.join(' ')}. See the lines above.`);
    }
    for (const name of may) await aptInstall(prefix, [name]);
    return;
  }
  if (must.length === 0) return;
  const line = isThere('apt-get')
    ? `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${must.join(' ')}`
    : `Install what your distribution calls: ${must.join(' ')} (programs: ${missing.map((need) => need.program).join(' ')})`;
  if (required) throw new SetupError(`Some programs are missing. Type this, then try again:\n\n  ${line}`);
  console.log(`Some programs are missing; tests that need them are skipped. To have them:\n\n  ${line}\n`);
}

/** Whether node_modules holds the versions that the lock file names (platform-dependent extras may be missing). */
function isInstalled() {
  const read = (file) => JSON.parse(readFileSync(join(projectFolder, file), 'utf8')).packages;
  const wanted = read('package-lock.json');
  let there;
  try {
    there = read('node_modules/.package-lock.json');
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || there[path]?.version === version || (optional && !there[path]),
  );
}

/** Installs the npm packages of the lock file where they are missing or of other versions. */
export function getNodeModules() {
  if (isInstalled()) return;
  console.log('Installing npm packages');
  // No install scripts: the native parts come prebuilt inside of packages.
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  const { status, error } = spawnSync('npm', [...args, '--loglevel=error'], { cwd: projectFolder, stdio: 'inherit' });
  if (error?.code === 'ENOENT') throw new SetupError('npm is missing. Install it (the package "npm"), then try again.');
  if (status !== 0) throw new SetupError('"npm ci" failed: see the lines above.');
}
