/**
 * What the project needs from outside: npm packages, and for its tests programs that come in Debian's and Ubuntu's
 * packages.
 *
 * Installs as root or through `sudo -n`; where neither goes, says the line to type. Programs that are there already,
 * from wherever, are taken as they are. QEMU, guest kernels and the like are not got here: the product fetches its own
 * into a cache, without privileges (src/vm/toolbox.ts).
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder, Stop } from './child.mjs';

/** Need → file or program that shows it is there, and the package that has it. */
const needs = {
  compiler: [
    { program: 'gcc', package: 'gcc' },
    { program: '/usr/include/linux/fuse.h', package: 'linux-libc-dev' },
    { program: '/usr/include/stdio.h', package: 'libc6-dev' },
  ],
  watchers: [{ program: 'strace', package: 'strace' }],
  archives: [
    { program: 'xz', package: 'xz-utils' },
    { program: 'zstd', package: 'zstd' },
  ],
  load: [
    { program: 'fio', package: 'fio' },
    { program: 'stress-ng', package: 'stress-ng' },
  ],
  wireshark: [{ program: 'tshark', package: 'tshark' }],
  browser: [{ program: 'chromium', package: 'chromium' }],
  fonts: [{ program: '/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf', package: 'fonts-dejavu-core' }],
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

/** Quiet when it goes well; else apt's own words. */
function aptInstall(prefix, packages) {
  const apt = (...args) => {
    const line = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300'];
    const [program, ...rest] = [...line, ...args];
    return spawnSync(program, rest, { encoding: 'utf8', maxBuffer: 1 << 28 });
  };
  const install = () => apt('install', '-y', '--no-install-recommends', ...packages);
  if (install().status === 0) return true;
  // Lists that are missing or older than the mirror. A failing foreign source is no reason to stop: install decides.
  const update = apt('update');
  const { status, stderr } = install();
  if (status !== 0) console.log(`${update.stderr}${stderr}`);
  return status === 0;
}

/**
 * Sees to it that the named needs are there. Where they cannot be had, says what to type and goes on: tests that miss
 * something say so themselves.
 */
export function getPackages(names) {
  const missing = names.flatMap((name) => needs[name]).filter((need) => !isThere(need.program));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((need) => need.package))];
  const prefix = isThere('apt-get') ? rootPrefix() : undefined;
  if (prefix) {
    console.log(`Installing ${packages.join(' ')}`);
    if (aptInstall(prefix, packages)) return;
    // One that this release does not have must not keep the others away.
    for (const name of packages) aptInstall(prefix, [name]);
    return;
  }
  const programs = missing.map((need) => need.program).join(' ');
  const line = isThere('apt-get')
    ? `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`
    : `Install what your distribution calls: ${packages.join(' ')} (they have: ${programs})`;
  console.log(`\nSome programs are missing; tests that need them are skipped. To have them:\n\n  ${line}\n`);
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
  if (error?.code === 'ENOENT') throw new Stop(2, 'npm is missing. Install it (the package "npm"), then try again.');
  if (status !== 0) throw new Stop(1, '"npm ci" failed: see the lines above.');
}
