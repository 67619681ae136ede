/** Descriptors that nobody expects, and how many a process has open. */
import * as fs from 'node:fs';
import { INT, LONG, checked, declare } from '../../src/native/libc';
import { pinnedArena } from '../../src/native/memory';

const pipe2 = declare('pipe2', INT, [LONG, INT]);
const write = declare('write', INT, [INT, LONG, LONG]);
const fcntl = declare('fcntl', INT, [INT, INT, INT]);
const scratch = pinnedArena(1 << 16);
const O_CLOEXEC = 0o2000000;
const O_NONBLOCK = 0o4000;
const F_SETFL = 4;

/** Both ends of a pipe that waits: reader, writer. */
export function pipe(): [number, number] {
  checked('pipe2', pipe2(scratch.address(0), O_CLOEXEC));
  return [scratch.getI32(0), scratch.getI32(4)];
}

/** A pipe that is full: a write would wait for ever. */
export function fullPipe(): [number, number] {
  const ends = pipe();
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  while (write(ends[1], scratch.address(0), 4096) > 0);
  fcntl(ends[1], F_SETFL, 0);
  return ends;
}

export function heldDescriptors(pid: number): number {
  return fs.readdirSync(`/proc/${pid}/fd`).length;
}
