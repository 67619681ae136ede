/**
 * The programs and kernels a guest is made of, and where they come from: a toolbox fetched into the cache, or what
 * this machine has.
 *
 * Owns the choice. How packages are fetched is `privateApt.ts`; where they are kept `cacheFolder.ts`.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Trouble, trouble } from '../base/catalogue';
import { systemReason } from '../base/systemReason';
import { quote } from '../protocol/text';
import { cached, cacheFolder } from './cacheFolder';
import type { FileLock } from './fileLock';
import { elfKernel } from './kernelImage';
import { MACHINES, type MachineName, ownMachine } from './machine';
import { hasModule } from './modules';
import { isReadable, onPath } from './onPath';
import { aptIsHere, fetchPackages } from './privateApt';
import type { PackageSelection } from './privateApt';

export interface Kernel {
  /** What QEMU's `-kernel` takes. */
  readonly image: string;
  readonly release: string;
  /** `/lib/modules/RELEASE` of it; undefined: nothing to load. */
  readonly modulesFolder?: string;
}

/** Words to start a program with; its own arguments follow. */
export type Program = readonly string[];

export interface Toolbox {
  readonly name: string;
  /** What its guests in QEMU are. */
  readonly machine: MachineName;
  readonly folder?: string;
  readonly qemu?: Program;
  readonly kernel?: Kernel;
  readonly uml?: { readonly program: Program; readonly release: string; readonly modulesFolder: string };
  /** A statically linked busybox. */
  readonly busybox?: string;
  /** Peers that tests and benchmarks compare with. */
  readonly rustVirtiofsd?: Program;
  readonly cVirtiofsd?: Program;
}

/**
 * `current` is what people use; `bookworm` has kernel 6.1, QEMU 7.2 and the C virtiofsd, for tests; `trixie` only the
 * kernel 6.12, for tests of that with the current QEMU.
 */
export type ToolboxName = 'current' | 'bookworm' | 'trixie';

function recipeOf(name: ToolboxName, machine: MachineName): PackageSelection {
  const { qemuPackage, kernelPackage, hasUml } = MACHINES[machine];
  const [uml, patchelf] = hasUml ? [['user-mode-linux'], ['patchelf']] : [[], []];
  switch (name) {
    case 'current':
      return {
        suites: ['trixie-backports', 'trixie'],
        packages: [qemuPackage, kernelPackage, ...uml, 'busybox-static', 'virtiofsd', ...patchelf, 'zstd', 'libc6'],
        // Before Linux 6.16 it cannot run on processors with AMX: it hands the kernel too few bytes of register state.
        ...(hasUml ? { exceptions: { suite: 'forky', packages: ['user-mode-linux'] } } : {}),
      };
    case 'bookworm':
      return {
        suites: ['bookworm'],
        packages: [qemuPackage, 'qemu-system-common', kernelPackage, ...uml, 'busybox-static', ...patchelf, 'libc6'],
      };
    case 'trixie':
      return { suites: ['trixie'], packages: [kernelPackage, 'zstd', 'libc6'] };
  }
}

/** The kind of guests here: on a machine of another kind they are emulated whatever they are. */
const MACHINE = ownMachine() ?? 'x64';
const { libraries: LIBRARIES, loader: LOADER, qemu: QEMU } = MACHINES[MACHINE];

/** Why guest tools cannot be fetched into a folder here, if so. */
export function fetchFault(folder: string): Trouble | undefined {
  // There the loader would cut the paths of libraries, and apt wait for ever.
  if (/[:;\n]/.test(folder)) return trouble('cachePathBad', folder);
  if (ownMachine() === undefined) return trouble('toolboxOtherMachine', process.arch);
  return aptIsHere() ? makingFault(folder) : trouble('toolboxWithoutApt');
}

/** Of what is to be made at `folder`, found out without making it. */
function makingFault(folder: string): Trouble | undefined {
  let at = folder;
  while (!existsSync(at)) at = dirname(at);
  try {
    accessSync(at, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const why = systemReason(error);
    if (why === undefined) throw error;
    return trouble('cacheUnusable', folder, why);
  }
}

/** The kernel, decompressed. */
const VMLINUX = 'vmlinux';

/**
 * Where toolbox `name` is, or would be; undefined where there is no cache. The name in the cache follows from what is
 * asked for, so it never goes stale.
 */
export function toolboxFolder(name: ToolboxName): string | undefined {
  const cache = cacheFolder();
  return cache === undefined ? undefined : join(cache, cacheName(name));
}

/**
 * Toolbox `name` from the cache, fetched first where it is not there: about 10 seconds and 130 MB of download, 0.5 GB
 * on disk. Throws a Trouble where that is impossible. When `signal` is aborted it rejects, and leaves nothing of a
 * fetch.
 */
export async function fetchToolbox(
  name: ToolboxName,
  progress: (line: string) => void,
  signal?: AbortSignal,
): Promise<Toolbox> {
  const final = toolboxFolder(name);
  if (final === undefined) throw trouble('cacheNowhere');
  if (!existsSync(final)) {
    const fault = fetchFault(final);
    if (fault !== undefined) throw fault;
    progress(`fetching guest tools "${name}" into ${final} (about 0.5 GB; remove the folder at any time)`);
  }
  const folder = await cached(cacheName(name), (scratch, lock) => fill(name, scratch, lock, final, progress, signal), {
    waiting: (owner) =>
      progress(`${owner === undefined ? 'another run' : `process ${owner}`} is fetching them: waiting for it`),
    signal,
  });
  return readToolbox(name, folder);
}

/** Toolbox `name` if it is in the cache already. */
export function cachedToolbox(name: ToolboxName): Toolbox | undefined {
  const folder = toolboxFolder(name);
  return folder !== undefined && existsSync(folder) ? readToolbox(name, folder) : undefined;
}

/** What this machine itself has installed: QEMU on PATH, the newest readable kernel with virtio-fs, static busybox. */
export function machineToolbox(): Toolbox {
  const qemu = onPath(QEMU);
  const busybox = onPath('busybox');
  const kernel = machineKernel();
  return {
    name: 'machine',
    machine: MACHINE,
    ...(qemu === undefined ? {} : { qemu: [qemu] }),
    ...(busybox !== undefined && isStatic(busybox) ? { busybox } : {}),
    ...(kernel === undefined ? {} : { kernel }),
  };
}

/**
 * The tools for one guest: what the cache has, else what the machine has if that is enough, else a fetched toolbox.
 */
export async function guestTools(
  kind: 'qemu' | 'uml',
  progress: (line: string) => void,
  signal?: AbortSignal,
): Promise<Toolbox> {
  const kept = cachedToolbox('current');
  if (kept !== undefined) {
    return kept;
  }
  const own = machineToolbox();
  const enough = kind === 'qemu' && own.qemu && own.kernel && own.busybox;
  return enough ? own : fetchToolbox('current', progress, signal);
}

function cacheName(name: ToolboxName): string {
  const recipe = createHash('sha256').update(JSON.stringify([recipeOf(name, MACHINE), process.arch, 3]));
  return `toolbox-${name}-${recipe.digest('hex').slice(0, 12)}`;
}

async function fill(
  name: ToolboxName,
  scratch: string,
  lock: FileLock,
  final: string,
  progress: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  await makeRoot(scratch);
  const packages = await fetchPackages(recipeOf(name, MACHINE), scratch, progress, signal, lock);

  if (existsSync(join(scratch, 'usr/bin/linux.uml'))) {
    // UML starts itself again through /proc/self/exe, so it must be the program, not an argument of the loader.
    await copyFile(join(scratch, 'usr/bin/linux.uml'), join(scratch, 'linux.uml'));
    const [program, ...words] = programIn(scratch, 'usr/bin/patchelf');
    const paths = ['--set-interpreter', join(final, LOADER), '--set-rpath', join(final, LIBRARIES)];
    execFileSync(program, [...words, ...paths, join(scratch, 'linux.uml')], {
      stdio: ['ignore', 'ignore', 'pipe', lock.fd],
    });
  }
  if (existsSync(join(scratch, 'usr/bin/zstd'))) {
    const { image } = kernelIn(scratch);
    const kernel = elfKernel(await readFile(image), programIn(scratch, 'usr/bin/zstd'));
    if (kernel !== undefined) {
      await writeFile(join(scratch, VMLINUX), kernel);
    }
  }
  await writeFile(
    join(scratch, 'toolbox.json'),
    JSON.stringify({ ...recipeOf(name, MACHINE), packages }, null, 2) + '\n',
  );
  progress(`guest tools "${name}" are ready`);
}

/** Makes a folder ready to have packages unpacked into it. */
export async function makeRoot(folder: string): Promise<void> {
  // Packages without merged /usr (Debian 12) still put files into these.
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    await mkdir(join(folder, 'usr', name), { recursive: true });
    await symlink(join('usr', name), join(folder, name));
  }
}

/** Starts a program of packages for this machine that are unpacked in `root`. */
function programIn(root: string, path: string): Program {
  return [join(root, LOADER), '--library-path', join(root, LIBRARIES), join(root, path)];
}

/** The same for QEMU, which has data and modules. */
export function qemuIn(root: string, name: string): Program {
  const data = ['qemu', 'seabios'].flatMap((part) => ['-L', join(root, 'usr/share', part)]);
  // Where accelerators and devices are separate modules, QEMU looks for them in the place it was built for.
  const modules = `QEMU_MODULE_DIR=${join(root, LIBRARIES, 'qemu')}`;
  return ['/usr/bin/env', modules, ...programIn(root, join('usr/bin', name)), ...data];
}

/** Throws a Trouble where something of it is not there, or not to be read. */
function readToolbox(name: string, folder: string): Toolbox {
  try {
    return toolboxIn(name, folder);
  } catch (error) {
    const why = systemReason(error);
    throw why === undefined ? error : trouble('toolsDamaged', folder, why);
  }
}

function toolboxIn(name: string, folder: string): Toolbox {
  const loaded = (path: string): Program => programIn(folder, path);
  const has = (path: string): boolean => existsSync(join(folder, path));
  const [umlRelease] = has('usr/lib/uml/modules') ? readdirSync(join(folder, 'usr/lib/uml/modules')) : [];
  const busybox = ['usr/bin/busybox', 'bin/busybox'].map((path) => join(folder, path)).find((path) => existsSync(path));
  return {
    name,
    machine: MACHINE,
    folder,
    ...(has(join('usr/bin', QEMU)) ? { qemu: qemuIn(folder, QEMU) } : {}),
    kernel: { ...kernelIn(folder), ...(has(VMLINUX) ? { image: join(folder, VMLINUX) } : {}) },
    ...(umlRelease !== undefined && {
      uml: {
        program: [join(folder, 'linux.uml')],
        release: umlRelease,
        modulesFolder: join(folder, 'usr/lib/uml/modules', umlRelease),
      },
    }),
    ...(busybox === undefined ? {} : { busybox }),
    ...(has('usr/libexec/virtiofsd') ? { rustVirtiofsd: loaded('usr/libexec/virtiofsd') } : {}),
    // Where the Rust daemon is, this path is only a link to it.
    ...(has('usr/lib/qemu/virtiofsd') && !has('usr/libexec/virtiofsd')
      ? { cVirtiofsd: loaded('usr/lib/qemu/virtiofsd') }
      : {}),
  };
}

function kernelIn(folder: string): Required<Kernel> {
  const [release] = readdirSync(join(folder, 'usr/lib/modules'));
  const modulesFolder = join(folder, 'usr/lib/modules', release);
  const inBoot = join(folder, `boot/vmlinuz-${release}`);
  return { image: existsSync(inBoot) ? inBoot : join(modulesFolder, 'vmlinuz'), release, modulesFolder };
}

function machineKernel(): Kernel | undefined {
  const releases = existsSync('/boot') ? readdirSync('/boot').filter((file) => file.startsWith('vmlinuz-')) : [];
  const newestFirst = releases.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  return newestFirst
    .map((file) => kernelFrom(join('/boot', file)))
    .find(({ image, modulesFolder }) => {
      return isReadable(image, constants.R_OK) && modulesFolder !== undefined && hasModule(modulesFolder, 'virtiofs');
    });
}

/**
 * A kernel image the user names. Its modules are looked for where packages put them: beside the image in
 * `modules/RELEASE/`, or, by the release in its name `vmlinuz-RELEASE`, in `lib/modules` of the same tree or of this
 * machine.
 */
export function kernelFrom(image: string): Kernel {
  const full = resolve(image);
  const folder = dirname(full);
  if (existsSync(join(folder, 'modules.order'))) {
    return { image: full, release: basename(folder), modulesFolder: folder };
  }
  const release = /^vmlinuz-(.+)$/.exec(basename(full))?.[1] ?? '';
  const places = [join(folder, '..', 'lib/modules', release), join('/lib/modules', release)];
  const modulesFolder = places.find((place) => release !== '' && existsSync(join(place, 'modules.order')));
  return modulesFolder === undefined ? { image: full, release } : { image: full, release, modulesFolder };
}

/** The same, looked at first. Throws a Trouble where it cannot be read. */
export function namedKernel(image: string): Kernel {
  try {
    if (!statSync(image).isFile()) throw trouble('kernelUnusable', quote(image), 'it is no file');
    accessSync(image, constants.R_OK);
  } catch (error) {
    const why = systemReason(error);
    throw why === undefined ? error : trouble('kernelUnusable', quote(image), why);
  }
  return kernelFrom(image);
}

/** A program without an interpreter segment runs anywhere, also in a guest that has no libraries. */
function isStatic(path: string): boolean {
  try {
    return !execFileSync('ldd', [path], { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' }).includes('=>');
  } catch {
    return true; // "not a dynamic executable"
  }
}
