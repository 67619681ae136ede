/**
 * Whether a guest can have a DAX window, before anything is started: QEMU, the guest's kernel and memory, what the
 * shares are. Each refusal is a Trouble with its fix. Starts QEMU only to ask for its version and devices.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { trouble } from '../base/catalogue';
import { type AskedWindows, checkAskedWindows } from '../base/daxWish';
import { DAX_DEVICE } from './qemuArguments';
import type { Kernel, Program, Toolbox } from './toolbox';

export interface DaxWish extends AskedWindows {
  readonly tools: Toolbox;
  readonly kernel?: Kernel | undefined;
}

/** The first QEMU with shared memory regions for vhost-user devices. */
const FIRST_QEMU = [11, 1] as const;

const run = promisify(execFile);

/** Throws a Trouble that says why not, and the fix. */
export async function checkDax(wish: DaxWish): Promise<void> {
  checkAskedWindows(wish);
  const { tools } = wish;
  if (tools.qemu) {
    const { able, version } = await qemuDax(tools.qemu);
    if (!able) throw trouble('daxQemuTooOld', version);
  }
  const kernel = wish.kernel ?? tools.kernel;
  if (kernel && kernelHasDax(kernel) === false) throw trouble('daxKernel', kernel.release);
}

/** Whether this QEMU has what a window needs. */
export async function qemuDax(qemu: Program): Promise<{ readonly able: boolean; readonly version: string }> {
  const version = /version ([\d.]+)/.exec(await output([...qemu, '--version']))?.[1] ?? 'of unknown version';
  const [major, minor] = version.split('.').map(Number);
  const recent = major > FIRST_QEMU[0] || (major === FIRST_QEMU[0] && minor >= FIRST_QEMU[1]);
  if (!recent) return { able: false, version: `QEMU ${version}` };
  try {
    await output([...qemu, '-device', `${DAX_DEVICE},help`]);
    return { able: true, version: `QEMU ${version}` };
  } catch {
    return { able: false, version: `QEMU ${version} without the device ${DAX_DEVICE}` };
  }
}

/** What the kernel's own configuration says; undefined: it is not to be found. */
export function kernelHasDax({ image, release }: Kernel): boolean | undefined {
  const file = [join(dirname(image), `config-${release}`), join(dirname(image), 'boot', `config-${release}`)].find(
    (path) => existsSync(path),
  );
  return file === undefined ? undefined : /^CONFIG_FUSE_DAX=y/m.test(readFileSync(file, 'utf8'));
}

async function output(argv: readonly string[]): Promise<string> {
  return (await run(argv[0], argv.slice(1))).stdout;
}
