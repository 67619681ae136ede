/** The extension as a package would have it, in a folder: what people install, without a package in between. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

export type Target = 'linux-x64' | 'linux-arm64' | 'universal';

interface Packaging {
  stage(target: Target, folder: string): void;
  makePackage(target: Target, outFolder: string): Promise<string>;
}

/** scripts/package.mjs */
export async function packaging(): Promise<Packaging> {
  const script = resolve(__dirname, '../../../scripts/package.mjs');
  return (await import(pathToFileURL(script).href)) as Packaging;
}

/** Makes `virtiofs-studio` in `parent`; dist/ must be built. Its path. */
export async function stagedExtension(target: Target, parent: string): Promise<string> {
  const folder = join(parent, 'virtiofs-studio');
  await mkdir(folder, { recursive: true });
  (await packaging()).stage(target, folder);
  return folder;
}
