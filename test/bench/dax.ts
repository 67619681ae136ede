/**
 * What the DAX window gains: the same files in the same guest (Linux 7.x in QEMU 11), once through a share with a
 * window and once through one without; and what a mapping costs by how many there are.
 *
 * Owns the guests and the rounds. The guest's work is done by test/guest/mapped.pl; times are taken inside the guest.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { CaptureReader } from '../../src/trace/captureReader';
import type { RoundTrip } from '../../src/trace/dax/roundTrips';
import { windowFigures } from '../../src/trace/dax/windowFigures';
import { WindowHistory } from '../../src/trace/dax/windowHistory';
import type { Guest, GuestShare } from '../../src/vm/guest';
import { startGuest } from '../../src/vm/launcher';
import { fetchToolbox } from '../../src/vm/toolbox';
import { mappedFiles, MIB, PRELUDE } from '../guest/daxGuest';
import { median } from './measure';

export interface DaxRow {
  readonly name: string;
  /** Medians, seconds. */
  readonly withWindow: number;
  readonly without: number;
}

export interface DaxResults {
  readonly rows: readonly DaxRow[];
  readonly roundTrips: readonly RoundTrip[];
}

/**
 * What `mapped.pl time` is asked for, and the row of each line that it prints. Each begins with nothing of the file in
 * the guest: neither in its page cache nor in the window.
 */
const WORK = {
  // read(2), 1 MiB at a time; and once more, now that the guest has it.
  read: ['read', 'read again'],
  // Every byte, loaded from a mapping.
  scan: ['load through mmap', 'load again'],
  // One byte into every page of a mapping: the pages are dirty, and nothing has been written back on purpose. Then once
  // more while they are; msync; and once more after it.
  dirty: ['dirty every page', 'dirty again', 'msync of these', 'dirty after msync'],
  // Every byte of a mapping; and msync.
  fill: ['fill every page', 'msync of these, filled'],
  // Another folder, whose files are forgotten once they are made.
  small: ['make 500 files of 4 KiB', 'list them', 'read them', 'remove them'],
} as const;
const FILE_MIB = 48;
/** Files whose ends are copies take two regions each: more than 200 together. */
const SMALL_FILES = 120;

/** `rounds` of each. Throws a Trouble where no guest can be had. */
export async function measureDax(rounds: number, progress: (line: string) => void): Promise<DaxResults> {
  const folder = mkdtempSync(path.join('/dev/shm', 'virtiofs-bench-dax-'));
  try {
    return { rows: await measureWork(folder, rounds, progress), roundTrips: await measureMappings(folder, progress) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** No more shares than are used: QEMU tells each of its devices of each mapping. */
async function bootBench(shares: readonly GuestShare[], progress: (line: string) => void): Promise<Guest> {
  return startGuest({
    kind: 'qemu',
    tools: await fetchToolbox('current', progress),
    shares: shares.map((share) => ({ daemonOptions: ['--xattr'], ...share })),
    cpus: Math.min(2, os.cpus().length),
    memoryMiB: 768,
    extraFiles: mappedFiles(),
    progress,
  });
}

async function measureWork(folder: string, rounds: number, progress: (line: string) => void): Promise<DaxRow[]> {
  writeFileSync(path.join(folder, 'large'), Buffer.alloc(FILE_MIB * MIB, 'x'));
  mkdirSync(path.join(folder, 'files'));
  const shares = [
    { directory: folder, tag: 'window', dax: { bytes: 64 * MIB } },
    { directory: folder, tag: 'plain' },
  ];
  const guest = await bootBench(shares, progress);
  const times = new Map<string, number[]>();
  const once = async (tag: string, work: keyof typeof WORK): Promise<void> => {
    const place = `/mnt/${tag}/${work === 'small' ? 'files' : 'large'}`;
    const script = `${PRELUDE}sync; echo 3 >/proc/sys/vm/drop_caches; mapped time ${work} ${place}`;
    const { output, status } = await guest.run(script, { timeoutMs: 300_000 });
    const text = output.toString().trim();
    const seconds = text.split('\n').map((line) => Number(line.split(' ')[1]));
    const names = WORK[work];
    const told = status === 0 && seconds.length === names.length && seconds.every((value) => value > 0);
    if (!told) throw new Error(`${work} in ${tag}: ${text}`);
    names.forEach((name, at) => {
      const key = `${tag} ${name}`;
      times.set(key, [...(times.get(key) ?? []), seconds[at]]);
    });
  };
  try {
    for (let round = 0; round < rounds; round++) {
      for (const work of Object.keys(WORK) as (keyof typeof WORK)[]) {
        for (const { tag } of shares) await once(tag, work);
      }
      progress(`dax: round ${round + 1} of ${rounds}`);
    }
  } finally {
    await guest.stop();
  }
  const middle = (key: string): number => median(times.get(key) ?? []);
  return Object.values(WORK)
    .flat()
    .map((name) => ({ name, withWindow: middle(`window ${name}`), without: middle(`plain ${name}`) }));
}

/** Files that all stay mapped: nobody needs their places. */
async function measureMappings(folder: string, progress: (line: string) => void): Promise<readonly RoundTrip[]> {
  const directory = path.join(folder, 'small');
  mkdirSync(directory);
  for (let i = 0; i < SMALL_FILES; i++) writeFileSync(path.join(directory, `f${i}`), Buffer.alloc(3 * 4096 + 5, 'y'));
  const reader = new CaptureReader();
  const onTrace: GuestShare['onTrace'] = (stream) => stream.on('data', (chunk: Buffer) => reader.push(chunk));
  const dax = { bytes: 256 * MIB, policy: 'tails' };
  const guest = await bootBench([{ directory, tag: 'small', dax, onTrace }], progress);
  try {
    await guest.run(`${PRELUDE}mapped hold /mnt/small/*`, { timeoutMs: 120_000 });
  } finally {
    await guest.stop();
  }
  reader.end();
  return windowFigures(reader, WindowHistory.of(reader)).roundTrips;
}

/** As lines for the report. */
export function daxReport({ rows, roundTrips }: DaxResults): string {
  const cells = [
    [`ms in the guest; a file of ${FILE_MIB} MiB`, 'with a window', 'without', 'times faster'],
    ...rows.map(({ name, withWindow, without }) => [
      name,
      (withWindow * 1000).toFixed(1),
      (without * 1000).toFixed(1),
      (without / withWindow).toFixed(1),
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
