/**
 * Finds which kernel modules a guest must load, in the order to load them.
 *
 * Works from `modules.builtin`, `modules.order` and each module's own `.modinfo`, which every kernel package ships.
 * `modules.dep` is not used: `depmod` writes it when a package is installed, and ours are only unpacked.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as zlib from 'node:zlib';
import { Trouble, trouble } from '../base/catalogue';
import { systemReason } from '../base/systemReason';
import { reasonOf } from '../protocol/errno';

export interface KernelModule {
  readonly name: string;
  /** The decompressed ELF file. */
  readonly content: Buffer;
}

/**
 * `wanted` and what they depend on, dependencies first, without what is built in. `folder` is the kernel's
 * `/lib/modules/RELEASE`. Throws a Trouble that names the module when one is neither built in nor there.
 */
export function resolveModules(folder: string, wanted: readonly string[]): KernelModule[] {
  const builtin = new Set(readList(join(folder, 'modules.builtin')).map(moduleName));
  const paths = new Map(readList(join(folder, 'modules.order')).map((path) => [moduleName(path), path]));
  const loaded = new Map<string, KernelModule>();
  const visit = (name: string): void => {
    if (builtin.has(name) || loaded.has(name)) {
      return;
    }
    const path = paths.get(name);
    if (path === undefined) {
      throw trouble('kernelModulesUnusable', folder, `"${name}" is not among them, nor built in`);
    }
    const content = readModule(folder, path);
    for (const needed of dependencies(content)) {
      visit(needed);
    }
    loaded.set(name, { name, content });
  };
  wanted.forEach((name) => visit(canonical(name)));
  return [...loaded.values()];
}

/** Whether the kernel whose modules are in `folder` has `name`, built in or loadable. */
export function hasModule(folder: string, name: string): boolean {
  const listed = [...readList(join(folder, 'modules.builtin')), ...readList(join(folder, 'modules.order'))];
  return listed.some((path) => moduleName(path) === canonical(name));
}

/** Names in the `depends=` entry of a module's `.modinfo` section. */
export function dependencies(module: Buffer): string[] {
  const start = module.indexOf('\0depends=');
  if (start < 0) {
    return [];
  }
  const text = module.toString('latin1', start + '\0depends='.length, module.indexOf(0, start + 1));
  return text.split(',').filter(Boolean).map(canonical);
}

function readList(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
}

function moduleName(path: string): string {
  return canonical(basename(path).replace(/\.ko(\.\w+)?$|\.o$/, ''));
}

/** The kernel takes `-` and `_` in module names as the same. */
function canonical(name: string): string {
  return name.replaceAll('-', '_');
}

/** `path` is as in `modules.order`, uncompressed; distributions compress the file itself in one of three ways. */
function readModule(folder: string, path: string): Buffer {
  const unusable = (why: string) => trouble('kernelModulesUnusable', folder, `${path}: ${why}`);
  const [suffix, read] = readers.find(([each]) => existsSync(join(folder, path) + each)) ?? [];
  if (read === undefined) throw unusable('it is listed but not there');
  try {
    return read(join(folder, path) + suffix);
  } catch (error) {
    if (error instanceof Trouble) throw error;
    throw unusable(systemReason(error) ?? (error instanceof Error ? error.message : String(error)));
  }
}

const readers: readonly (readonly [suffix: string, read: (file: string) => Buffer])[] = [
  ['', (file) => readFileSync(file)],
  ['.gz', (file) => zlib.gunzipSync(readFileSync(file))],
  ['.xz', (file) => through('xz', file)],
  ['.zst', (file) => through('zstd', file)],
];

function through(program: string, file: string): Buffer {
  const { error, status, stdout, stderr } = spawnSync(program, ['-dcq', file], { maxBuffer: 256 << 20 });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
    const fix = `Run: sudo apt-get install ${program === 'xz' ? 'xz-utils' : program}`;
    throw trouble('toolMissing', `the program ${program}, for the kernel module ${file},`, fix);
  }
  if (error !== undefined) throw new Error(`${program} cannot be started: ${reasonOf(error)}`);
  if (status !== 0) throw new Error(stderr.toString().trim() || `${program} ended with ${status}`);
  return stdout;
}
