/**
 * The limit: the same work as direct system calls by this process, no daemon between. One CPU, one after the other.
 */
import * as path from 'node:path';
import { LinuxCalls } from '../../src/native/linuxCalls';
import { pinnedArena } from '../../src/native/memory';
import { runOn } from '../driver/host';
import { median } from './measure';
import type { Plan } from './measurement';
import { TREE } from './tree';

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const AT_SYMLINK_NOFOLLOW = 0x100;
const BASIC_STATS = 0x7ff;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_DIRECTORY = 0o200000;

// Places in the arena.
const NAME = 0;
const OTHER = 512;
const EMPTY = 1024;
const STATX = 2048;
const VECTOR = 4096;
const DATA = 8192;
const LARGEST = 1 << 20;

const calls = new LinuxCalls();
const arena = pinnedArena(DATA + LARGEST);

function place(at: number, text: string): number {
  arena.u8.set(Buffer.from(`${text}\0`), at);
  return arena.address(at);
}

function good(result: number, what: string): number {
  if (result < 0) throw new Error(`${what}: errno ${-result}`);
  return result;
}

function openFolder(folder: string): number {
  return good(calls.openat(AT_FDCWD, place(NAME, folder), O_DIRECTORY, 0), 'openat');
}

/** Reads the folder to its end, with an lstat of each entry; entries met. */
function readFolder(fd: number, enter: ((name: string) => void) | undefined): number {
  let count = 0;
  for (;;) {
    const length = good(calls.getdents64(fd, arena.address(DATA), 32768), 'getdents64');
    if (length === 0) return count;
    const folders: string[] = [];
    for (let at = DATA; at < DATA + length; at += arena.u8[at + 16] + 256 * arena.u8[at + 17]) {
      const flags = AT_SYMLINK_NOFOLLOW;
      good(calls.statx(fd, arena.address(at + 19), flags, BASIC_STATS, arena.address(STATX)), 'statx');
      count++;
      if (enter && arena.u8[at + 18] === 4 && arena.u8[at + 19] !== 0x2e) {
        folders.push(Buffer.from(arena.bytes(at + 19, arena.stringLength(at + 19, 256))).toString());
      }
    }
    for (const name of folders) enter?.(name);
  }
}

function walk(parent: number, name: string): void {
  const fd = good(calls.openat(parent, place(NAME, name), O_DIRECTORY, 0), 'openat');
  readFolder(fd, (child) => walk(fd, child));
  calls.close(fd);
}

/** One operation of each row, prepared. */
function operations(folder: string): Map<string, () => void> {
  const files = openFolder(path.join(folder, TREE.files));
  const scratch = openFolder(path.join(folder, TREE.scratch));
  const top = openFolder(folder);
  const open = (name: string): number => good(calls.openat(top, place(NAME, name), O_RDWR, 0), 'openat');
  const readFile = open(TREE.readFile);
  const writeFile = open(TREE.writeFile);
  const statFile = open(`${TREE.files}/${TREE.fileName(0)}`);
  const name = place(NAME, TREE.fileName(0));
  const fresh = place(OTHER, 'new');
  const empty = place(EMPTY, '');
  const into = arena.address(STATX);
  let offset = 0;
  const transfer = (write: boolean, size: number) => (): void => {
    offset = offset + 2 * size > TREE.fileBytes ? 0 : offset + size;
    arena.setU64(VECTOR, arena.address(DATA));
    arena.setU64(VECTOR + 8, size);
    const moved = write
      ? calls.pwritev2(writeFile, arena.address(VECTOR), 1, offset, 0)
      : calls.preadv2(readFile, arena.address(VECTOR), 1, offset, 0);
    if (moved !== size) throw new Error(`transfer: ${moved}`);
  };
  const sizes: readonly (readonly [string, number])[] = [
    ['4 KiB', 4096],
    ['128 KiB', 131072],
    ['1 MiB', 1048576],
  ];
  return new Map<string, () => void>([
    ['GETATTR', () => good(calls.statx(statFile, empty, AT_EMPTY_PATH, BASIC_STATS, into), 'statx')],
    ['LOOKUP hit', () => good(calls.statx(files, name, AT_SYMLINK_NOFOLLOW, BASIC_STATS, into), 'statx')],
    ['LOOKUP miss', () => void calls.statx(files, fresh, AT_SYMLINK_NOFOLLOW, BASIC_STATS, into)],
    ['OPEN+RELEASE', () => calls.close(good(calls.openat(files, name, 0, 0), 'openat'))],
    [
      'CREATE+UNLINK',
      () => {
        calls.close(good(calls.openat(scratch, fresh, O_RDWR | O_CREAT, 0o644), 'openat'));
        good(calls.unlinkat(scratch, fresh, 0), 'unlinkat');
      },
    ],
    ...sizes.map(([text, size]): [string, () => void] => [`READ ${text}`, transfer(false, size)]),
    ...sizes.map(([text, size]): [string, () => void] => [`WRITE ${text}`, transfer(true, size)]),
    [
      'READDIRPLUS 1,000',
      () => {
        good(calls.lseek(files, 0, 0), 'lseek');
        readFolder(files, undefined);
      },
    ],
    ['cold walk', () => walk(top, TREE.walk)],
  ]);
}

/** Microseconds per operation, median over the rounds, for the rows named. */
export function directCalls(folder: string, names: readonly string[], plan: Plan): Map<string, number> {
  runOn(0);
  const found = new Map<string, number>();
  for (const [name, operation] of operations(folder)) {
    if (!names.includes(name)) continue;
    const samples: number[] = [];
    for (let round = 0; round <= plan.rounds; round++) {
      let count = 0;
      const begin = performance.now();
      const end = begin + plan.milliseconds / 4;
      // The names of the folder operations share one place in the arena with these.
      place(NAME, TREE.fileName(0));
      while (performance.now() < end) {
        for (let i = 0; i < 16; i++) operation();
        count += 16;
      }
      if (round > 0) samples.push((1000 * (performance.now() - begin)) / count);
    }
    found.set(name, median(samples));
  }
  return found;
}
