/**
 * A guest with a DAX window and with the program that maps files (`mapped.pl`, run by this machine's perl).
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { ExtraFile } from '../../src/vm/initramfs';
import type { GuestShare } from '../../src/vm/guest';
import { onPath } from '../../src/vm/onPath';
import { hostFile, programWithLibraries } from '../support/hostPrograms';
import { bootGuest, type TestGuest, type TestGuestOptions } from './bootGuest';

const PROGRAM = path.resolve(__dirname, '../../../test/guest/mapped.pl');

export const MIB = 1 << 20;

/** perl, the modules that the program uses, and the program. */
export function mappedFiles(): ExtraFile[] {
  const perl = onPath('perl') ?? '/usr/bin/perl';
  const list = spawnSync(perl, ['-Mstrict', '-Mwarnings', '-e', 'print join "\\n", values %INC'], { encoding: 'utf8' });
  const modules = list.stdout.split('\n').map((file) => hostFile(file, file));
  return [...programWithLibraries(perl, '/usr/bin/perl'), ...modules, hostFile(PROGRAM, '/mapped.pl')];
}

/** In the guest's scripts: `mapped COMMAND ...`. */
export const PRELUDE = 'mapped() { LC_ALL=C perl /mapped.pl "$@" 2>&1; }\n';

/** A folder in memory for a guest. */
export function freshFolder(): string {
  const folder = fs.mkdtempSync(path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : '/tmp', 'virtiofs-dax-test-'));
  fs.chmodSync(folder, 0o755);
  return folder;
}

/** Boots Linux 7.x in QEMU 11 on `folder`, mounted at /mnt/test. */
export function bootDax(
  folder: string,
  share: Partial<GuestShare> & Pick<GuestShare, 'dax'>,
  options: TestGuestOptions = {},
): Promise<TestGuest> {
  return bootGuest('qemu-7.x', {
    extraFiles: mappedFiles(),
    shares: [{ directory: folder, tag: 'test', daemonOptions: ['--xattr'], ...share }],
    ...options,
  });
}
