/**
 * `npm run package`: the extension as .vsix files in packages/, one for each platform that guests run on, with koffi
 * and its binary for that platform inside, and one without native parts, for everywhere else (captures open there).
 *
 *   npm run package                             all
 *   npm run package -- --target linux-x64       one (linux-x64, linux-arm64, universal)
 *
 * What goes into a package is put into a folder first, so that nothing gets in by accident. Prints each package's size.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectFolder, Stop } from './child.mjs';

export const targets = ['linux-x64', 'linux-arm64', 'universal'];

const require = createRequire(import.meta.url);
const inProject = (...path) => join(projectFolder, ...path);
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** Files of koffi that are needed to run it; the rest is its source. */
const KOFFI = ['package.json', 'index.cjs', 'LICENSE.txt', 'src/koffi/index.cjs', 'src/koffi/src/static.cjs'];

/** Puts everything that a package has into `folder`. */
export function stage(target, folder) {
  const manifest = readJson(inProject('package.json'));
  for (const name of ['private', 'scripts', 'devDependencies', 'dependencies', 'mocha', 'bin', 'files']) {
    delete manifest[name];
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
  for (const name of ['media', 'syntaxes', 'README.md', 'CHANGELOG.md', 'LICENSE']) {
    cpSync(inProject(name), join(folder, name), { recursive: true });
  }
  // Everything in the folder is meant to be there.
  writeFileSync(join(folder, '.vscodeignore'), '.vscodeignore\n');
  mkdirSync(join(folder, 'dist'));
  const bundles = readdirSync(inProject('dist')).filter((name) => !name.startsWith('.') && !name.endsWith('.map'));
  const filter = (name) => !name.endsWith('.map');
  for (const name of bundles) cpSync(inProject('dist', name), join(folder, 'dist', name), { recursive: true, filter });
  if (target !== 'universal') addKoffi(target, join(folder, 'dist/node_modules'));
}

/** koffi looks for its binary in the package @koromix/koffi-PLATFORM beside itself. */
function addKoffi(target, modules) {
  for (const file of KOFFI) cpSync(inProject('node_modules/koffi', file), join(modules, 'koffi', file));
  const name = `@koromix/koffi-${target}`;
  const installed = inProject('node_modules', name);
  const to = join(modules, name);
  if (existsSync(installed)) cpSync(installed, to, { recursive: true, dereference: true });
  else fetchLocked(name, to);
}

/**
 * A package of the lock file that npm does not install on this machine; its bytes are those that the lock file names.
 */
function fetchLocked(name, to) {
  const { version, integrity } = readJson(inProject('package-lock.json')).packages[`node_modules/${name}`];
  const scratch = mkdtempSync(join(tmpdir(), 'virtiofs-package-'));
  try {
    const said = execFileSync('npm', ['pack', '--silent', `${name}@${version}`], { cwd: scratch, encoding: 'utf8' });
    const archive = join(scratch, said.trim().split('\n').at(-1));
    const got = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (got !== integrity) throw new Stop(1, `${name}@${version} is not what package-lock.json names`);
    mkdirSync(to, { recursive: true });
    execFileSync('tar', ['xzf', archive, '--strip-components=1', '-C', to]);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** Makes one package in `outFolder`; its path. dist/ must be built. */
export async function makePackage(target, outFolder) {
  const { name, version } = readJson(inProject('package.json'));
  const { createVSIX } = require('@vscode/vsce');
  const folder = mkdtempSync(join(tmpdir(), 'virtiofs-package-'));
  const path = join(outFolder, `${name}-${target}-${version}.vsix`);
  try {
    stage(target, folder);
    mkdirSync(outFolder, { recursive: true });
    await createVSIX({
      cwd: folder,
      packagePath: path,
      ...(target === 'universal' ? {} : { target }),
      dependencies: false,
      allowMissingRepository: true,
      rewriteRelativeLinks: false,
    });
    return path;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function packageAll(args) {
  const { values } = parseArgs({ args, options: { target: { type: 'string' }, out: { type: 'string' } } });
  if (values.target !== undefined && !targets.includes(values.target)) {
    throw new Stop(2, `--target ${values.target}: there are ${targets.join(', ')}`);
  }
  for (const target of values.target === undefined ? targets : [values.target]) {
    const path = await makePackage(target, values.out ?? inProject('packages'));
    console.log(`${basename(path)}  ${(statSync(path).size / 1e6).toFixed(2)} MB`);
  }
  return 0;
}
