/**
 * Keeps a User Mode Linux guest and the queue workers of its daemons on one CPU.
 *
 * UML has a single processor that waits for each reply, so guest and daemon take turns anyway; on one CPU that is a
 * switch of a few microseconds, across CPUs each turn wakes a sleeping one. With a virtual machine underneath, that is
 * most of the time of a small request. QEMU's threads want CPUs of their own and are left alone.
 */
import { readFileSync } from 'node:fs';
import { onPath } from './onPath';

/** Of util-linux, which every distribution has. */
const TASKSET = 'taskset';

let turn = Math.floor(Math.random() * 1024);

/** A CPU for one guest and its daemons; undefined where it cannot be had. */
export function oneCpu(): number | undefined {
  const allowed = cpuList(/^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '');
  // Guests of one launcher get different ones; of several, chance does it.
  return allowed.length === 0 || onPath(TASKSET) === undefined ? undefined : allowed[turn++ % allowed.length];
}

/** `argv` on that CPU. */
export function onCpu(cpu: number | undefined, argv: readonly string[]): readonly string[] {
  return cpu === undefined ? argv : [TASKSET, '--cpu-list', String(cpu), ...argv];
}

/** The kernel's list format: `0-3,8`. */
export function cpuList(text: string): number[] {
  return text.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return range === '' || Number.isNaN(first) ? [] : Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
