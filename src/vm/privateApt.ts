/**
 * Fetches Debian packages and unpacks them into a folder, with nothing installed and no privileges.
 *
 * Runs the machine's own `apt-get` over a private state folder with an empty package database, so that all
 * dependencies are fetched, signatures and hashes are checked by apt, and the machine's proxy and `Acquire::` settings
 * hold. Knows nothing of what the packages are for.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { trouble } from '../base/catalogue';
import { reasonOf } from '../protocol/errno';
import type { FileLock } from './fileLock';
import { onPath } from './onPath';
import { Workplace } from './workplace';

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

/** What is started with it ends with who has started it, also when that is killed. */
const WITH_PARENT = ['setpriv', '--pdeathsig', 'KILL'];

/**
 * Not `dpkg-deb --extract`: that puts a folder in the place of the links from `/lib` to `/usr/lib`. Not a pipeline: its
 * status is tar's alone, to which the half of an archive may be a whole one. Both are children of the shell itself.
 * Whatever user unpacks it is its owner: root of a container may know no others.
 */
const UNPACK = `
mkfifo "$1.tar" || exit
${WITH_PARENT.join(' ')} dpkg-deb --fsys-tarfile "$1" >"$1.tar" &
${WITH_PARENT.join(' ')} tar --extract --no-same-owner --keep-directory-symlink --directory "$2" <"$1.tar"
status=$?
wait $! && exit $status`;

/** Whether this machine has what `fetchPackages` needs. */
export function aptIsHere(): boolean {
  return ['apt-get', 'dpkg-deb', 'tar', WITH_PARENT[0]].every((program) => onPath(program) !== undefined);
}

/**
 * Unpacks the newest `packages` of `suites` and all they depend on into `target`, which must exist. Uses about 300 MB
 * under `target`/.apt while it runs. Throws a Trouble with apt's own words. When `signal` is aborted it rejects, and
 * all that it started has ended. `lock`, of whatever `target` is in, is held by the programs too: where this process is
 * killed, it is free when none of them is left.
 */
export async function fetchPackages(
  selection: PackageSelection,
  target: string,
  progress: (line: string) => void,
  signal?: AbortSignal,
  lock?: FileLock,
): Promise<FetchedPackage[]> {
  const workplace = existsSync(`/${KEYRING}`) ? undefined : await Workplace.open();
  try {
    return await fetchWith(runUntil(signal, lock), workplace, selection, target, progress);
  } finally {
    await workplace?.close();
  }
}

async function fetchWith(
  run: Run,
  workplace: Workplace | undefined,
  selection: PackageSelection,
  target: string,
  progress: (line: string) => void,
): Promise<FetchedPackage[]> {
  const state = join(target, '.apt');
  await rm(state, { recursive: true, force: true });
  await mkdir(join(state, 'lists', 'partial'), { recursive: true });
  await mkdir(join(state, 'archives', 'partial'), { recursive: true });
  await writeFile(join(state, 'status'), '');

  const mirror = await debianMirror(run, state);
  const keyring = workplace === undefined ? `/${KEYRING}` : await debianKeyring(run, state, workplace);
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
      await run('sh', ['-c', UNPACK, 'sh', join(state, 'archives', file), target]).catch((error: unknown) => {
        waiting.length = 0;
        throw error;
      });
    }
  };
  // The first to fail does not go on before the other has ended as well.
  const failed = (await Promise.allSettled([unpackNext(), unpackNext()])).find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
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

/**
 * Debian's keys where they are not installed, as on Ubuntu: in a package of the distribution's own archive. Not kept in
 * `state`, whose path may have signs at which apt cuts it.
 */
async function debianKeyring(run: Run, state: string, workplace: Workplace): Promise<string> {
  const unpacked = await fromOwnArchive(run, state, 'debian-archive-keyring', KEYRING);
  return workplace.write('debian.gpg', await readFile(unpacked));
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
  await run('apt-get', words, { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
}

/** Of what a program that failed has said: apt's complaints alone where it is apt. */
function lastWords(said: string): string {
  const complaints = said.split('\n').filter((line) => /^[EW]: /.test(line));
  return complaints.join(' ') || said.trim();
}

interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

type Run = (program: string, words: readonly string[], options?: RunOptions) => Promise<{ stdout: string }>;

/**
 * Runs programs until `signal` is aborted: that ends those that run, and no other is started. Throws a Trouble for one
 * that fails or cannot be started. All that it started has ended when it is done, or it would go on writing into a
 * folder that is removed.
 */
function runUntil(signal: AbortSignal | undefined, lock: FileLock | undefined): Run {
  return async (program, words, options = {}) => {
    signal?.throwIfAborted();
    const [first, ...others] = [...WITH_PARENT, program, ...words];
    const child = await started(first, () =>
      spawn(first, others, { ...options, stdio: ['ignore', 'pipe', 'pipe', lock?.fd ?? 'ignore'] }),
    );
    const end = (): void => void child.kill();
    signal?.addEventListener('abort', end);
    if (signal?.aborted === true) end();
    try {
      const [stdout, said, status] = await Promise.all([
        text(child.stdout as Readable),
        text(child.stderr as Readable),
        new Promise<number | string>((resolve) => {
          child.once('close', (code, killedBy) => resolve(code ?? killedBy ?? 'nothing'));
        }),
      ]);
      signal?.throwIfAborted();
      if (status !== 0) throw trouble('packagesNotFetched', lastWords(said) || `${program} ended with ${status}`);
      return { stdout };
    } finally {
      signal?.removeEventListener('abort', end);
    }
  };
}

/** Only then it has streams. What the system says against it comes in either of two ways. */
async function started(program: string, start: () => ChildProcess): Promise<ChildProcess> {
  try {
    const child = start();
    await once(child, 'spawn');
    return child;
  } catch (error) {
    const fault = error as NodeJS.ErrnoException;
    throw fault.code === undefined ? error : trouble('programNotRun', program, reasonOf(fault));
  }
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

/** Archive names are NAME_VERSION_ARCHITECTURE.deb, with a colon in the version written as %3a. */
function packageOf(file: string): FetchedPackage {
  const [name, version] = file.split('_');
  return { name, version: decodeURIComponent(version) };
}
