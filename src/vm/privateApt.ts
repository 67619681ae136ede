/**
 * Fetches Debian packages and unpacks them into a folder, with nothing installed and no privileges.
 *
 * Runs the machine's own `apt-get` over a private state folder with an empty package database, so that all
 * dependencies are fetched, signatures and hashes are checked by apt, and the machine's proxy and `Acquire::` settings
 * hold. Knows nothing of what the packages are for.
 */
import { type ExecFileOptions, execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { trouble } from '../base/catalogue';
import { onPath } from './onPath';

const runFile = promisify(execFile);

export interface PackageSelection {
  /** Debian suites, the preferred one first. */
  readonly suites: readonly string[];
  readonly packages: readonly string[];
  /** A suite beyond these, for the packages named and what only it can give them. */
  readonly exceptions?: { readonly suite: string; readonly packages: readonly string[] };
}

export interface FetchedPackage {
  readonly name: string;
  readonly version: string;
}

const KEYRING = 'usr/share/keyrings/debian-archive-keyring.gpg';
/** python-apt's description of Debian, which Ubuntu has as well. */
const TEMPLATE = 'usr/share/python-apt/templates/Debian.info';

/** Dependencies that only matter to an installed system: they start services and manage users. */
const NOT_UNPACKED =
  /^(adduser|base-passwd|cpio|debconf|dracut.*|e2fsprogs|kmod|login.*|logsave|mount|passwd|systemd|udev|uidmap)$/;

/** Not `dpkg-deb --extract`: that puts a folder in the place of the links from `/lib` to `/usr/lib`. */
const UNPACK = 'dpkg-deb --fsys-tarfile "$1" | tar --extract --keep-directory-symlink --directory "$2"';

/** Whether this machine has what `fetchPackages` needs. */
export function aptIsHere(): boolean {
  return ['apt-get', 'dpkg-deb', 'tar'].every((program) => onPath(program) !== undefined);
}

/**
 * Unpacks the newest `packages` of `suites` and all they depend on into `target`, which must exist. Uses about 300 MB
 * under `target`/.apt while it runs. Throws a Trouble with apt's own words. When `signal` is aborted it rejects, and
 * all that it started has ended.
 */
export async function fetchPackages(
  selection: PackageSelection,
  target: string,
  progress: (line: string) => void,
  signal?: AbortSignal,
): Promise<FetchedPackage[]> {
  const run = runUntil(signal);
  const state = join(target, '.apt');
  await rm(state, { recursive: true, force: true });
  await mkdir(join(state, 'lists', 'partial'), { recursive: true });
  await mkdir(join(state, 'archives', 'partial'), { recursive: true });
  await writeFile(join(state, 'status'), '');

  const [mirror, keyring] = [await debianMirror(run, state), await debianKeyring(run, state)];
  const suites = [...selection.suites, ...(selection.exceptions ? [selection.exceptions.suite] : [])];
  const sources = suites.map((suite) => `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`);
  await writeFile(join(state, 'sources.list'), sources.join(''));
  await writeFile(join(state, 'preferences'), preferences(selection));
  const options = privateOptions(state, selection.suites[0]);

  progress(`reading the package lists of ${mirror} (${suites.join(', ')})`);
  await apt(run, [...options, 'update']);
  progress(`downloading ${selection.packages.join(', ')} and what they depend on`);
  await apt(run, [...options, '--yes', '--download-only', 'install', ...selection.packages]);

  const archives = (await readdir(join(state, 'archives'))).filter((file) => file.endsWith('.deb')).sort();
  const fetched = archives.map(packageOf).filter((one) => !NOT_UNPACKED.test(one.name));
  progress(`unpacking ${fetched.length} packages`);
  const waiting = archives.filter((file) => !NOT_UNPACKED.test(packageOf(file).name));
  const unpackNext = async (): Promise<void> => {
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      await run('sh', ['-c', UNPACK, 'sh', join(state, 'archives', file), target]);
    }
  };
  await Promise.all([unpackNext(), unpackNext()]);
  await rm(state, { recursive: true, force: true });
  return fetched;
}

/** The Debian mirror of the machine's own configuration; elsewhere, such as on Ubuntu, Debian's default one. */
async function debianMirror(run: Run, state: string): Promise<string> {
  const format = '$(REPO_URI) $(COMPONENT) $(ORIGIN)';
  const { stdout } = await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  for (const line of stdout.split('\n')) {
    const [uri, component, origin] = line.split(' ');
    if (component === 'main' && /\/debian\/?$/.test(uri) && (origin === 'Debian' || origin.startsWith('$'))) {
      return uri.replace(/\/$/, '');
    }
  }
  const template = await readFile(await fromOwnArchive(run, state, 'python-apt-common', TEMPLATE), 'utf8');
  const mirror = mirrorOfTemplate(template);
  if (mirror === undefined) throw trouble('debianUnknown', 'python-apt-common');
  return mirror;
}

/** The first archive that a python-apt template names, without a slash at its end. */
export function mirrorOfTemplate(template: string): string | undefined {
  return /^BaseURI: *(\S+?)\/?$/m.exec(template)?.[1];
}

/** Debian's keys: installed on Debian; on Ubuntu in a package of Ubuntu's own archive. */
async function debianKeyring(run: Run, state: string): Promise<string> {
  return existsSync(`/${KEYRING}`) ? `/${KEYRING}` : fromOwnArchive(run, state, 'debian-archive-keyring', KEYRING);
}

/** A file of a package of the distribution that runs here; its path. The package is unpacked, not installed. */
async function fromOwnArchive(run: Run, state: string, name: string, file: string): Promise<string> {
  try {
    await run('apt-get', ['download', name], { cwd: state });
  } catch (error) {
    if (isAbort(error)) throw error;
    // apt has no such package, or no lists yet: its own words would not help.
    throw trouble('debianUnknown', name);
  }
  const [archive] = (await readdir(state)).filter((entry) => entry.startsWith(`${name}_`));
  await run('dpkg-deb', ['--extract', join(state, archive), join(state, name)]);
  return join(state, name, file);
}

/** apt_preferences(5): the suite of the exceptions is a last resort for everything else. */
function preferences({ exceptions }: PackageSelection): string {
  if (exceptions === undefined) return '';
  const pin = (packages: string, priority: number): string =>
    `Package: ${packages}\nPin: release n=${exceptions.suite}\nPin-Priority: ${priority}\n\n`;
  return pin(exceptions.packages.join(' '), 995) + pin('*', 50);
}

function privateOptions(state: string, preferred: string): string[] {
  const settings = {
    'Dir::State': state,
    'Dir::State::status': join(state, 'status'),
    'Dir::State::lists': join(state, 'lists'),
    'Dir::Cache': state,
    'Dir::Cache::archives': join(state, 'archives'),
    'Dir::Etc::sourcelist': join(state, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': join(state, 'preferences'),
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::Log': state,
    'APT::Default-Release': preferred,
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': '',
    'APT::Update::Post-Invoke::': '',
    'APT::Update::Post-Invoke-Success::': '',
    'DPkg::Post-Invoke::': '',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    'Debug::NoLocking': 'true',
    quiet: '2',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

async function apt(run: Run, words: readonly string[]): Promise<void> {
  await run('apt-get', words, { maxBuffer: 16 << 20, env: { ...process.env, LC_ALL: 'C.UTF-8' } });
}

/** What a program that failed has said: apt's complaints alone where it is apt. */
function lastWords(error: unknown): string {
  const { stderr, message } = error as Error & { stderr?: string };
  const said = (stderr ?? '').trim() || message;
  const complaints = said.split('\n').filter((line) => /^[EW]: /.test(line));
  return complaints.join(' ') || said;
}

type Run = (program: string, words: readonly string[], options?: ExecFileOptions) => Promise<{ stdout: string }>;

/**
 * Runs programs one by one until `signal` is aborted: that ends the one that runs, and the next is not started.
 * Throws a Trouble for one that fails. Not
 * execFile's own `signal`: that does not wait for the program, which would go on writing into a folder that is removed.
 */
function runUntil(signal: AbortSignal | undefined): Run {
  return async (program, words, options = {}) => {
    signal?.throwIfAborted();
    const running = runFile(program, words, { ...options, encoding: 'utf8' });
    const end = (): void => void running.child.kill();
    signal?.addEventListener('abort', end);
    try {
      return await running;
    } catch (error) {
      signal?.throwIfAborted();
      throw trouble('packagesNotFetched', lastWords(error));
    } finally {
      signal?.removeEventListener('abort', end);
    }
  };
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

/** Archive names are NAME_VERSION_ARCHITECTURE.deb, with a colon in the version written as %3a. */
function packageOf(file: string): FetchedPackage {
  const [name, version] = file.split('_');
  return { name, version: decodeURIComponent(version) };
}
