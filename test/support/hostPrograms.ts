/** Programs of this machine that guests of tests get beside busybox. */
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import type { ExtraFile } from '../../src/vm/initramfs';

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
