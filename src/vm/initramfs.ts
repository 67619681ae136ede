/**
 * Puts together the initramfs of a guest: busybox, the modules its kernel lacks, our init script, extra programs.
 *
 * Owns which file goes where inside the guest. The archive form is `cpio.ts`, the script `guestInit.ts`.
 */
import { readFileSync } from 'node:fs';
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
