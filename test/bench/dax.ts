/**
 * What the DAX window gains: the same files in the same guest (Linux 7.x in QEMU 11), once through a share with a window
 * and once through one without; and what a mapping costs by how many there are.
 *
 * Owns the guest and the rounds. The guest's work is done by test/guest/mapped.pl; times are taken inside the guest.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { CaptureReader } from '../../src/trace/captureReader';
import { type RoundTrip, windowFigures } from '../../src/trace/dax/windowFigures';
import { WindowHistory } from '../../src/trace/dax/windowHistory';
import { startGuest } from '../../src/vm/launcher';
import { fetchToolbox } from '../../src/vm/toolbox';
import { mappedFiles, MIB, PRELUDE } from '../guest/daxGuest';
import { median } from './measure';

export interface DaxRow {
  readonly name: string;
  /** Medians, MiB per second. */
  readonly withWindow: number;
  readonly without: number;
}

export interface DaxResults {
  readonly rows: readonly DaxRow[];
  readonly roundTrips: readonly RoundTrip[];
}

const WORK = [
  ['read', 'readall'],
  ['read through mmap', 'scan'],
  ['store through mmap, msync', 'dirty'],
] as const;
const FILE_MIB = 48;
/** Files whose ends are copies take two regions each: more than 200 together. */
const SMALL_FILES = 120;

/** `rounds` of each. Throws a Trouble where no guest can be had. */
export async function measureDax(rounds: number, progress: (line: string) => void): Promise<DaxResults> {
  const folder = mkdtempSync(path.join('/dev/shm', 'virtiofs-bench-dax-'));
  const reader = new CaptureReader();
  const small = path.join(folder, 'small');
  try {
    writeFileSync(path.join(folder, 'large'), Buffer.alloc(FILE_MIB * MIB, 'x'));
    mkdirSync(small);
    for (let i = 0; i < SMALL_FILES; i++) writeFileSync(path.join(small, `f${i}`), Buffer.alloc(3 * 4096 + 5, 'y'));
    const daemonOptions = ['--xattr'];
    const guest = await startGuest({
      kind: 'qemu',
      tools: await fetchToolbox('current', progress),
      shares: [
        { directory: folder, tag: 'window', daemonOptions, dax: { bytes: 64 * MIB } },
        { directory: folder, tag: 'plain', daemonOptions },
        {
          directory: small,
          tag: 'small',
          daemonOptions,
          dax: { bytes: 256 * MIB, policy: 'tails' },
          onTrace: (stream) => stream.on('data', (chunk: Buffer) => reader.push(chunk)),
        },
      ],
      cpus: Math.min(2, os.cpus().length),
      memoryMiB: 768,
      extraFiles: mappedFiles(),
      progress,
    });
    const times = new Map<string, number[]>();
    try {
      const once = async (tag: string, command: string): Promise<number> => {
        const script = `${PRELUDE}sync; echo 3 >/proc/sys/vm/drop_caches; mapped ${command} /mnt/${tag}/large`;
        const { output, status } = await guest.run(script, { timeoutMs: 120_000 });
        const seconds = Number(output.toString());
        if (status !== 0 || !(seconds > 0)) throw new Error(`${command} in ${tag}: ${output.toString()}`);
        return seconds;
      };
      for (let round = 0; round < rounds; round++) {
        for (const [name, command] of WORK) {
          for (const tag of ['window', 'plain']) {
            const key = `${tag} ${name}`;
            times.set(key, [...(times.get(key) ?? []), await once(tag, command)]);
          }
        }
        progress(`dax: round ${round + 1} of ${rounds}`);
      }
      // All of them stay mapped: nobody needs their places.
      await guest.run(`${PRELUDE}mapped hold /mnt/small/*`, { timeoutMs: 120_000 });
    } finally {
      await guest.stop();
    }
    reader.end();
    const speed = (key: string): number => FILE_MIB / median(times.get(key) ?? []);
    return {
      rows: WORK.map(([name]) => ({ name, withWindow: speed(`window ${name}`), without: speed(`plain ${name}`) })),
      roundTrips: windowFigures(reader, WindowHistory.of(reader)).roundTrips,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As lines for the report. */
export function daxReport({ rows, roundTrips }: DaxResults): string {
  const cells = [
    ['DAX window (MiB/s in the guest)', 'with', 'without', 'ratio'],
    ...rows.map(({ name, withWindow, without }) => [
      name,
      withWindow.toFixed(0),
      without.toFixed(0),
      (withWindow / without).toFixed(1),
    ]),
    ['', '', '', ''],
    ['SHMEM_MAP by live mappings (µs)', 'count', 'median', 'most'],
    ...roundTrips.map(({ from, count, median: middle, most }) => [
      `from ${from}`,
      `${count}`,
      (middle / 1000).toFixed(0),
      (most / 1000).toFixed(0),
    ]),
  ];
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  return cells
    .map((row) =>
      row
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[at])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
