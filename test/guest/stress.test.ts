/**
 * A minute each of Debian's own load programs in real guests, without an error: fio with verification, stress-ng on
 * files. Shared memory maps are part of it, which needs a cache mode that allows them, or --allow-mmap.
 */
import * as assert from 'node:assert/strict';
import type { ExtraFile } from '../../src/vm/initramfs';
import { onPath } from '../../src/vm/onPath';
import { need } from '../support/need';
import { programWithLibraries } from '../support/hostPrograms';
import { bootGuest, needGuests, output, type GuestName } from './bootGuest';

const SECONDS = 60;

/** One job for each engine and access pattern: writes its file, then reads all of it and compares. */
const FIO_JOBS = `[global]
directory=/mnt/test
size=16m
verify=crc32c
verify_fatal=1
do_verify=1
fallocate=none
[random-psync]
rw=randwrite
bs=4k
ioengine=psync
[sequential-with-fsync]
rw=write
bs=256k
fsync=16
ioengine=psync
[uneven]
rw=randwrite
bs=12k
ioengine=vsync
[mapped]
rw=randwrite
bs=16k
ioengine=mmap
`;

/**
 * Again and again with other seeds, until the time is up. fio's usual processes want System V memory; threads do not.
 */
const FIO_LOOP = `end=$(($(date +%s) + ${SECONDS})); rounds=0
while [ $(date +%s) -lt $end ]; do
  fio --thread --randseed=$rounds --output-format=terse /root/jobs.fio >/tmp/said 2>&1 || { cat /tmp/said; exit 1; }
  rounds=$((rounds + 1))
done
echo $rounds rounds`;

/** Stressors of stress-ng that work on files in the current folder. */
const STRESSORS = ['dentry', 'dir', 'filename', 'flock', 'fcntl', 'hdd', 'link', 'locka', 'rename', 'seek', 'symlink'];

/** Both at work at a time, each on a folder of its own: a minute is a minute. */
const GUESTS: readonly { readonly name: GuestName; readonly daemonOptions: readonly string[] }[] = [
  { name: 'qemu-7.x', daemonOptions: ['--cache=auto', '--xattr'] },
  { name: 'uml-7.x', daemonOptions: ['--cache=never', '--allow-mmap'] },
];

/** What `script` says in each guest. Throws what the first of them that failed has thrown, after all have ended. */
async function inEachGuest(script: string, extraFiles: readonly ExtraFile[]): Promise<string[]> {
  const said = await Promise.allSettled(
    GUESTS.map(async ({ name, daemonOptions }) => {
      const guest = await bootGuest(name, { memoryMiB: 768, daemonOptions, extraFiles });
      try {
        return await output(guest, script, (SECONDS + 180) * 1000);
      } finally {
        await guest.close();
      }
    }),
  );
  return said.map((end, at) => {
    if (end.status === 'fulfilled') return end.value;
    throw new Error(`in ${GUESTS[at].name}`, { cause: end.reason });
  });
}

describe(`load in guests (${GUESTS.map(({ name, daemonOptions }) => [name, ...daemonOptions].join(' ')).join(', ')})`, function () {
  this.timeout((SECONDS + 240) * 1000);

  before(async function () {
    await needGuests(this);
  });

  it('fio verifies what it reads for a minute', async function () {
    const fio = onPath('fio');
    need(this, 'fio', fio !== undefined, 'the program is not installed');
    const jobs = { path: '/root/jobs.fio', mode: 0o644, content: FIO_JOBS };
    for (const said of await inEachGuest(FIO_LOOP, [...programWithLibraries(fio, '/bin/fio'), jobs])) {
      assert.match(said, /^[1-9]\d* rounds\n$/);
    }
  });

  it('stress-ng works on files for a minute', async function () {
    const program = onPath('stress-ng');
    need(this, 'stress-ng', program !== undefined, 'the program is not installed');
    const words = STRESSORS.map((stressor) => `--${stressor} 1`).join(' ');
    const script = `stress-ng --temp-path /mnt/test --verify --timeout ${SECONDS}s --hdd-bytes 16m ${words} 2>&1`;
    for (const said of await inEachGuest(script, programWithLibraries(program, '/bin/stress-ng'))) {
      assert.match(said, /successful run completed/);
      assert.doesNotMatch(said, /fail:|error:/);
    }
  });
});
