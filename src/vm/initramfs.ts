/**
 * Puts together the initramfs of a guest: busybox, the modules its kernel lacks, our init script, extra programs.
 *
 * Owns which file goes where inside the guest. The archive form is `cpio.ts`, the script `guestInit.ts`.
 */
import { readFileSync, statSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { writeCpio } from './cpio';
import type { CpioEntry } from './cpio';
import { guestInit } from './guestInit';
import type { InitPlan } from './guestInit';
import { resolveModules } from './modules';

/** A file of the host, or given content, that the guest gets at `path`. */
export interface ExtraFile {
  /** Absolute path in the guest. */
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array | string;
}

export interface InitramfsPlan extends Omit<InitPlan, 'modules'> {
  /** A statically linked busybox on the host. */
  readonly busybox: string;
  /** The kernel's modules folder; undefined when nothing needs loading. */
  readonly modulesFolder?: string;
  readonly modules: readonly string[];
  readonly extraFiles?: readonly ExtraFile[];
}

const REGULAR = 0o100000;
const CHARACTER = 0o020000;

/** The archive's bytes, for QEMU's `-initrd` or User Mode Linux's `initrd=`. Throws when a file cannot be read. */
export function buildInitramfs(plan: InitramfsPlan): Buffer {
  const modules = plan.modulesFolder === undefined ? [] : resolveModules(plan.modulesFolder, plan.modules);
  const modulePath = (name: string): string => `/lib/modules/${name}.ko`;
  const init = guestInit({ ...plan, modules: modules.map((module) => modulePath(module.name)) });
  const entries: CpioEntry[] = [
    { path: 'bin/busybox', mode: REGULAR | 0o755, content: readFileSync(plan.busybox) },
    // The kernel opens the console before init can mount anything on /dev.
    { path: 'dev/console', mode: CHARACTER | 0o600, device: { major: 5, minor: 1 } },
    { path: 'dev/null', mode: CHARACTER | 0o666, device: { major: 1, minor: 3 } },
    {
      path: 'etc/passwd',
      mode: REGULAR | 0o644,
      content: 'root::0:0:root:/root:/bin/sh\nnobody:*:65534:65534::/:/bin/false\n',
    },
    { path: 'etc/group', mode: REGULAR | 0o644, content: 'root:x:0:\nnogroup:x:65534:\n' },
    { path: 'init', mode: REGULAR | 0o755, content: init },
  ];
  for (const module of modules) {
    entries.push({ path: modulePath(module.name).slice(1), mode: REGULAR | 0o644, content: module.content });
  }
  for (const file of plan.extraFiles ?? []) {
    entries.push({ path: file.path.replace(/^\/+/, ''), mode: REGULAR | (file.mode & 0o7777), content: file.content });
  }
  return writeCpio(entries);
}

/**
 * A program of the host with the shared libraries and the loader it needs, at the same paths, for `extraFiles`.
 * Asks `ldd`; throws an Error naming the program when it is missing or a library of it is.
 */
export function programWithLibraries(program: string, guestPath = program): ExtraFile[] {
  const result = spawnSync('ldd', [program], { encoding: 'utf8' });
  if (result.error !== undefined) {
    throw new Error(`cannot list the libraries of ${program}: ${result.error.message}`);
  }
  const missing = /^\s*(\S+) => not found/m.exec(result.stdout);
  if (missing !== null) {
    throw new Error(`${program} needs the library ${missing[1]}, which is not on this machine`);
  }
  const libraries = [...result.stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map((match) => match[1]);
  return [hostFile(program, guestPath), ...[...new Set(libraries)].map((path) => hostFile(path, path))];
}

/** One file of the host for `extraFiles`, following symbolic links. */
export function hostFile(path: string, guestPath: string): ExtraFile {
  return { path: guestPath, mode: statSync(path).mode & 0o777, content: readFileSync(path) };
}
