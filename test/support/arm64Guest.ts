/**
 * What a guest on arm64 needs, for machines that are none: QEMU for this machine, kernel and busybox for that one, in
 * our cache folder. About 250 MB.
 */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from '../../src/vm/cacheFolder';
import { MACHINES } from '../../src/vm/machine';
import { fetchPackages } from '../../src/vm/privateApt';
import { type Toolbox, kernelFrom, makeRoot, qemuIn } from '../../src/vm/toolbox';

const SUITES = ['trixie-backports', 'trixie'];

/** Fetched first where they are not there yet (about 20 s). */
export async function arm64Tools(progress: (line: string) => void): Promise<Toolbox> {
  const { qemu, qemuPackage, kernelPackage } = MACHINES.arm64;
  const folder = await cached('arm64-guest', async (scratch) => {
    const [host, guest] = [join(scratch, 'host'), join(scratch, 'guest')];
    for (const place of [host, guest]) await makeRoot(place);
    await fetchPackages({ suites: SUITES, packages: [qemuPackage, 'libc6'] }, host, progress);
    await forArm64(scratch, () =>
      fetchPackages({ suites: SUITES, packages: [kernelPackage, 'busybox-static'] }, guest, progress),
    );
  });
  const modules = join(folder, 'guest/usr/lib/modules');
  const [release] = await readdir(modules);
  return {
    name: 'arm64',
    machine: 'arm64',
    qemu: qemuIn(join(folder, 'host'), qemu),
    kernel: kernelFrom(join(modules, release, 'vmlinuz')),
    busybox: join(folder, 'guest/usr/bin/busybox'),
  };
}

/** What apt fetches meanwhile is for an arm64 machine. It still finds its mirror among the lists for this one. */
export async function forArm64<T>(scratch: string, fetch: () => Promise<T>): Promise<T> {
  const settings = join(scratch, 'arm64.conf');
  await writeFile(settings, 'APT::Architecture "arm64";\nAPT::Architectures { "arm64"; "amd64"; };\n');
  const before = process.env['APT_CONFIG'];
  process.env['APT_CONFIG'] = settings;
  try {
    return await fetch();
  } finally {
    if (before === undefined) delete process.env['APT_CONFIG'];
    else process.env['APT_CONFIG'] = before;
  }
}
